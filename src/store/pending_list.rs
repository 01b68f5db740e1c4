//! Another limit of the pending list of a store's index, by how many documents a call writes.
//!
//! Who fills the list merges it, and waits for that. The least limit that can be set, 64 kB, is what
//! stores have (`storage`): a merge then takes some 20 ms of processor time. A call with a few
//! documents should take less, so it merges a list that is much shorter than that. But who writes a
//! thousand documents merges 64 kB twenty times, and each merge looks most paths of the documents
//! up again. So such a call lets its own list get longer, and its last document merges what is left.
//!
//! GIN asks the limit of the list of the index's parsed storage parameters, which each process keeps
//! in its entry of the index (gin_private.h, GinGetPendingListCleanupSize). There, this process
//! alone has another limit for as long as an `OtherLimit` lives:
//!
//! - The index stays open and locked as by a writer. The server never moves the entry of an open
//!   relation, and ALTER INDEX needs a lock that waits for ours.
//! - Where the server reads the entry again meanwhile (inval.c), the new parameters have their own
//!   limit. That only ends the other limit earlier.
//! - An error of the server unwinds our frames before its transaction aborts, so the value is dropped
//!   while the index is still open.

use crate::index::recognize;
use pgrx::{PgList, pg_sys};
use std::ffi::c_int;

/// What stores have, and the least that can be set, in kilobytes (reloptions.c).
const LEAST: c_int = 64;

/// A merge of so many kilobytes takes two thirds of the time of one of 64, and the mean call takes a
/// tenth longer for it (docs/measurements.md). Where someone has set more than the least, calls
/// shall not merge sooner.
const SHORTER: c_int = 24;

/// In kilobytes. Longer lists gain nothing more, because the tree in which GIN sorts the entries of
/// a merge leaves the processor's caches. Who must merge a list of this length, if the call is
/// aborted, does so in less than a twentieth of a second.
const LONGER: c_int = 256;

/// About as many documents fill the shorter list.
pub const FEW_DOCUMENTS: usize = 12;

/// About as many documents fill the longer list. Calls with fewer are not worth it.
pub const MANY_DOCUMENTS: usize = 200;

/// gin_private.h, GinOptions, the same in all versions. pgrx has no binding of it.
#[repr(C)]
struct GinOptions {
    varlena_header: i32,
    is_fast: bool,
    pending_list_limit: c_int,
}

struct Changed {
    index: pg_sys::Relation,
    own: c_int,
    other: c_int,
}

/// As long as this lives, this process has another limit for the pending lists of a table.
pub struct OtherLimit(Vec<Changed>);

impl OtherLimit {
    /// The limit that suits a call which writes so many documents into a table that is no partitioned
    /// one and is locked for writing.
    pub fn of(table: pg_sys::Oid, documents: usize) -> OtherLimit {
        let mut changed = OtherLimit(Vec::new());
        let (owns, other) = if documents <= FEW_DOCUMENTS {
            (LEAST..LEAST + 1, SHORTER)
        } else if documents > MANY_DOCUMENTS {
            (0..LONGER, LONGER)
        } else {
            return changed;
        };
        let lock = pg_sys::RowExclusiveLock as pg_sys::LOCKMODE;
        // SAFETY: the table is locked, so that it and its indexes exist. Each index that is added to
        // the list stays open until `drop`, and each other one is closed.
        unsafe {
            let relation = pg_sys::table_open(table, pg_sys::NoLock as pg_sys::LOCKMODE);
            let indexes = PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(relation));
            pg_sys::table_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
            for index in indexes.iter_oid().filter(|index| recognize::is_gin(*index)) {
                let index = pg_sys::index_open(index, lock);
                match options(index) {
                    Some(options) if owns.contains(&(*options).pending_list_limit) => {
                        let own = (*options).pending_list_limit;
                        (*options).pending_list_limit = other;
                        changed.0.push(Changed { index, own, other });
                    }
                    _ => pg_sys::index_close(index, pg_sys::NoLock as pg_sys::LOCKMODE),
                }
            }
        }
        changed
    }
}

impl Drop for OtherLimit {
    fn drop(&mut self) {
        for Changed { index, own, other } in self.0.drain(..) {
            // SAFETY: the index is open. If an error unwinds this, its transaction, which closes the
            // index, has not been aborted yet.
            unsafe {
                if let Some(options) = options(index)
                    && (*options).pending_list_limit == other
                {
                    (*options).pending_list_limit = own;
                }
                if !std::thread::panicking() {
                    pg_sys::index_close(index, pg_sys::NoLock as pg_sys::LOCKMODE);
                }
            }
        }
    }
}

/// The parsed storage parameters of an index, if any is set.
///
/// # Safety
/// It must be an open index of GIN.
unsafe fn options(index: pg_sys::Relation) -> Option<*mut GinOptions> {
    // SAFETY: the entry of an open index of GIN has null or what ginoptions has made (ginutil.c).
    let options = unsafe { (*index).rd_options }.cast::<GinOptions>();
    (!options.is_null()).then_some(options)
}
