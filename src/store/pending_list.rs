//! A longer pending list of a store's index, for a call that writes many documents.
//!
//! A list that is short, as stores have it (`storage`), keeps the wait of each writer short who
//! fills it. But who writes a thousand documents merges it twenty times, and each merge looks most
//! paths of the documents up again. So such a call lets its own list get longer, and merges what is
//! left of it.
//!
//! GIN asks the limit of the list of the index's parsed storage parameters, which each process keeps
//! in its entry of the index (gin_private.h, GinGetPendingListCleanupSize). There, this process
//! alone has another limit for as long as a `LongerList` lives:
//!
//! - The index stays open and locked as by a writer. The server never moves the entry of an open
//!   relation, and ALTER INDEX needs a lock that waits for ours.
//! - Where the server reads the entry again meanwhile (inval.c), the new parameters have their own
//!   limit. That only ends the longer list earlier.
//! - An error of the server unwinds our frames before its transaction aborts, so the value is dropped
//!   while the index is still open.

use crate::index::recognize;
use pgrx::{PgList, pg_sys};
use std::ffi::c_int;

/// In kilobytes. Longer lists gain nothing more, because the tree in which GIN sorts the entries of
/// a merge leaves the processor's caches. Who must merge a list of this length, if the call is
/// aborted, does so in less than a twentieth of a second.
const LONGER_LIMIT: c_int = 256;

/// About as many documents fill the longer list. Calls with fewer are not worth it.
pub const MANY_DOCUMENTS: usize = 200;

/// gin_private.h, GinOptions, the same in all versions. pgrx has no binding of it.
#[repr(C)]
struct GinOptions {
    varlena_header: i32,
    is_fast: bool,
    pending_list_limit: c_int,
}

struct Lengthened {
    index: pg_sys::Relation,
    limit: c_int,
}

/// As long as this lives, this process lets the pending lists of a table get longer.
pub struct LongerList(Vec<Lengthened>);

impl LongerList {
    /// The table must be locked for writing.
    pub fn of(table: pg_sys::Oid) -> LongerList {
        let lock = pg_sys::RowExclusiveLock as pg_sys::LOCKMODE;
        let mut longer = LongerList(Vec::new());
        // SAFETY: the table is locked, so that it and its indexes exist. Each index that is added to
        // the list stays open until `drop`, and each other one is closed.
        unsafe {
            let relation = pg_sys::table_open(table, pg_sys::NoLock as pg_sys::LOCKMODE);
            let indexes = PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(relation));
            pg_sys::table_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
            for index in indexes.iter_oid().filter(|index| recognize::is_gin(*index)) {
                let index = pg_sys::index_open(index, lock);
                match options(index) {
                    Some(options) if (0..LONGER_LIMIT).contains(&(*options).pending_list_limit) => {
                        let limit = (*options).pending_list_limit;
                        (*options).pending_list_limit = LONGER_LIMIT;
                        longer.0.push(Lengthened { index, limit });
                    }
                    _ => pg_sys::index_close(index, pg_sys::NoLock as pg_sys::LOCKMODE),
                }
            }
        }
        longer
    }
}

impl Drop for LongerList {
    fn drop(&mut self) {
        for Lengthened { index, limit } in self.0.drain(..) {
            // SAFETY: the index is open. If an error unwinds this, its transaction, which closes the
            // index, has not been aborted yet.
            unsafe {
                if let Some(options) = options(index)
                    && (*options).pending_list_limit == LONGER_LIMIT
                {
                    (*options).pending_list_limit = limit;
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
