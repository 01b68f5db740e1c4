//! Tells the client about a query: once in a statement, however often and wherever the statement
//! reads the query.

use super::parse_cache::ParsedQuery;
use crate::error;
use foldhash::fast::RandomState;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, pg_sys};
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::BuildHasher;

/// The setting `session_store.notices`.
static NOTICES: GucSetting<bool> = GucSetting::<bool>::new(true);

/// Makes the setting known to the server.
pub fn define_settings() {
    GucRegistry::define_bool_guc(
        c"session_store.notices",
        c"Enables notices about queries that are valid, but may not mean what their writer means.",
        c"Where it is off, session_explain still lists them.",
        &NOTICES,
        GucContext::Userset,
        GucFlags::default(),
    );
}

/// So many queries of one statement are told about at most.
const MOST: usize = 1_000;

/// The queries that the client was told about in one statement.
#[derive(Default)]
struct Told {
    /// When the client sent the statement. Functions called by it have the same time.
    statement: pg_sys::TimestampTz,
    queries: HashSet<u64, RandomState>,
    hasher: RandomState,
}

thread_local! {
    static TOLD: RefCell<Told> = RefCell::default();
}

/// Sends the notices about a query.
pub fn tell(query: &ParsedQuery) {
    if !NOTICES.get() || is_worker() {
        return;
    }
    let notices = query.notices();
    if !notices.is_empty() && is_new(&query.text) {
        notices.iter().for_each(|notice| error::notice(notice));
    }
}

/// Whether this is a parallel worker. What it reads, its leader reads, too.
fn is_worker() -> bool {
    // SAFETY: reads a variable of this process, which is set when the process starts.
    unsafe { pg_sys::ParallelWorkerNumber >= 0 }
}

fn is_new(text: &str) -> bool {
    // SAFETY: reads a variable of this process.
    let statement = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    TOLD.with_borrow_mut(|told| {
        if told.statement != statement {
            told.statement = statement;
            told.queries.clear();
        }
        let hash = told.hasher.hash_one(text);
        told.queries.len() < MOST && told.queries.insert(hash)
    })
}
