//! The type `lucene_query` and the operator `jsonb @@@ lucene_query`.
//!
//! A `lucene_query` is stored as the canonical text of the query, laid out as `text` is. It keeps `NOW` as such, which is read anew
//! in each transaction.

use super::opclass::{Arguments, c_functions};
use crate::document::JsonbArg;
use crate::error::{self, Error, Result};
use crate::lucene::{self, Ast};
use crate::predicate::{self, Matcher, Predicate};
use pgrx::{FromDatum, IntoDatum, PgMemoryContexts, pg_guard, pg_sys};
use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;

c_functions! {
    pg_finfo_session_store_query_in session_store_query_in query_in;
    pg_finfo_session_store_query_out session_store_query_out query_out;
    pg_finfo_session_store_match session_store_match matches;
}

/// A query as it was read.
#[derive(Clone)]
pub struct Understood {
    /// As it was written.
    pub text: Rc<str>,
    /// The canonical form, which reads as the same.
    pub canonical: Rc<str>,
    pub predicate: Rc<Predicate>,
    pub notices: Rc<[String]>,
    /// What `NOW` is, if the query speaks of it.
    now: Option<pg_sys::TimestampTz>,
}

impl Understood {
    fn new(text: &str) -> Result<Understood> {
        let now = transaction_start();
        let (ast, lowered) = read_at(text, now)?;
        let canonical = ast.to_string();
        Ok(Understood {
            text: text.into(),
            now: speaks_of_now(canonical.as_bytes()).then_some(now),
            canonical: canonical.into(),
            predicate: lowered.predicate.into(),
            notices: lowered.notices.into(),
        })
    }

    fn is_for(&self, text: &[u8]) -> bool {
        (self.text.as_bytes() == text || self.canonical.as_bytes() == text) && is_now(self.now)
    }
}

thread_local! {
    /// The query that was read last: reading, planning and running one statement ask for it several times, and the next statement
    /// may ask for the next rows of it.
    static LAST: RefCell<Option<Understood>> = const { RefCell::new(None) };
}

/// Reads a query; `NOW` in it is the start of the transaction, as everywhere in SQL.
pub fn understand(text: &str) -> Result<Understood> {
    let last =
        LAST.with_borrow(|last| last.as_ref().filter(|last| last.is_for(text.as_bytes())).cloned());
    match last {
        Some(last) => Ok(last),
        None => {
            let understood = Understood::new(text)?;
            LAST.set(Some(understood.clone()));
            Ok(understood)
        }
    }
}

/// Reads a query, with `NOW` in microseconds since 2000-01-01.
pub fn read_at(query: &str, now: pg_sys::TimestampTz) -> Result<(Ast, predicate::Lowered)> {
    /// timestamp.h: 2000-01-01 less 1970-01-01.
    const EPOCH_DIFFERENCE_MS: i64 = 946_684_800_000;
    let ast = lucene::parse(query).map_err(|error| {
        let text = query.to_string();
        Error::Query { what: "query", text, error }
    })?;
    let lowered = predicate::lower(&ast, now.div_euclid(1000) + EPOCH_DIFFERENCE_MS);
    Ok((ast, lowered))
}

/// Microseconds since 2000-01-01.
fn transaction_start() -> pg_sys::TimestampTz {
    // SAFETY: reads a variable of the running transaction (xact.c).
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

/// Whether what a query in its canonical form means may depend on the time.
fn speaks_of_now(canonical: &[u8]) -> bool {
    canonical.windows(3).any(|word| word == b"NOW")
}

fn is_now(now: Option<pg_sys::TimestampTz>) -> bool {
    now.is_none_or(|now| now == transaction_start())
}

/// What a stored query means in this transaction. Raises an error should it mean nothing, which the input function made sure of.
pub fn predicate(query: &[u8]) -> Rc<Predicate> {
    match understand(&String::from_utf8_lossy(query)) {
        Ok(understood) => understood.predicate,
        Err(error) => error.raise(),
    }
}

/// Whether a function of the server's is that of the operator.
pub fn is_match(function: pg_sys::Oid) -> bool {
    let mut info = pg_sys::FmgrInfo::default();
    // SAFETY: finds a function out, or raises an error where there is none.
    unsafe { pg_sys::fmgr_info(function, &raw mut info) };
    info.fn_addr
        .is_some_and(|address| std::ptr::fn_addr_eq(address, session_store_match as Function))
}

type Function = unsafe extern "C-unwind" fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum;

/// (cstring) → lucene_query
unsafe fn query_in(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; the server's encoding is UTF-8.
    let text = unsafe { CStr::from_ptr(arguments.pointer(0)) }.to_string_lossy();
    match understand(&text) {
        Ok(Understood { canonical, notices, .. }) => {
            notices.iter().for_each(|notice| error::notice(notice));
            (*canonical).into_datum().unwrap_or(pg_sys::Datum::null())
        }
        Err(error) => error.raise(),
    }
}

/// (lucene_query) → cstring
unsafe fn query_out(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; the layout is that of text.
    unsafe { pg_sys::Datum::from(pg_sys::text_to_cstring(arguments.pointer(0))) }
}

/// A query made ready to match, kept from one call of a plan's function to its next.
struct Prepared {
    query: Vec<u8>,
    /// What `NOW` is, if the query speaks of it.
    now: Option<pg_sys::TimestampTz>,
    matcher: Matcher,
}

impl Prepared {
    fn new(query: &[u8]) -> Prepared {
        let matcher = Matcher::new(&predicate(query));
        let now = speaks_of_now(query).then(transaction_start);
        Prepared { query: query.to_vec(), now, matcher }
    }

    fn is_for(&self, query: &[u8]) -> bool {
        self.query == query && is_now(self.now)
    }
}

/// (jsonb, lucene_query) → bool
unsafe fn matches(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared. fn_extra belongs to the called function (fmgr.h), and what it points to lives as long as fn_mcxt.
    unsafe {
        let query = arguments.bytes(1);
        let function = &mut *(*arguments.0).flinfo;
        if function.fn_extra.is_null() {
            let prepared = Prepared::new(query);
            let mut context = PgMemoryContexts::For(function.fn_mcxt);
            function.fn_extra = context.leak_and_drop_on_delete(prepared).cast();
        }
        let prepared = &mut *function.fn_extra.cast::<Prepared>();
        if !prepared.is_for(query) {
            *prepared = Prepared::new(query);
        }
        let doc = JsonbArg::from_datum(arguments.datum(0), false);
        pg_sys::Datum::from(doc.is_some_and(|doc| prepared.matcher.matches(doc.document())))
    }
}
