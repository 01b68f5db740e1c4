//! Rows of a table, looked up by the TIDs that index entries have.

use super::table::IndexedTable;
use crate::document::Jsonb;
use crate::index::gin::{Tid, is_logged};
use crate::pg::varlena::Varlena;
use crate::pg::{locks, versions};
use pgrx::pg_sys;
use std::cell::Cell;

/// A table, open and locked for reading. The lock lasts until the transaction ends.
pub struct Heap {
    relation: pg_sys::Relation,
    /// The number of the column of documents, which is `doc` in a store.
    column: i32,
    /// Pages that rows were looked up on. A page counts each time that rows on it are looked up
    /// after rows on another one.
    pub pages: Cell<u64>,
}

impl Heap {
    /// Opens a table; an error if it does not exist.
    pub fn of(table: &IndexedTable) -> Heap {
        // SAFETY: table_open raises an error if there is no such table.
        let relation = unsafe { pg_sys::table_open(table.table, pg_sys::AccessShareLock as i32) };
        Heap { relation, column: table.column, pages: Cell::new(0) }
    }

    /// Opens a table, which may be one of a store, if it still exists.
    pub fn try_open(table: pg_sys::Oid) -> Option<Heap> {
        // SAFETY: try_relation_open returns an open relation of any kind, or null. get_attnum looks
        // up a cache of the server, and returns 0 if there is no such column.
        unsafe {
            let relation = pg_sys::try_relation_open(table, pg_sys::AccessShareLock as i32);
            let column = pg_sys::get_attnum(table, c"doc".as_ptr()).into();
            (!relation.is_null()).then(|| Heap { relation, column, pages: Cell::new(0) })
        }
    }

    pub fn relation(&self) -> pg_sys::Relation {
        self.relation
    }

    /// Whether changes of the table are WAL-logged.
    pub fn is_logged(&self) -> bool {
        // SAFETY: the relation is open.
        unsafe { is_logged(self.relation) }
    }

    pub fn file_id(&self) -> versions::FileId {
        // SAFETY: the relation is open.
        unsafe { versions::file_id(self.relation) }
    }

    pub fn column(&self) -> i32 {
        self.column
    }

    pub fn blocks(&self) -> u32 {
        // SAFETY: the relation is open.
        unsafe {
            pg_sys::RelationGetNumberOfBlocksInFork(self.relation, pg_sys::ForkNumber::MAIN_FORKNUM)
        }
    }

    /// Takes a predicate lock on the whole table, as a sequential scan does (heapam.c, initscan). A
    /// serializable transaction needs it, because rows are counted here that are never visited.
    pub fn lock_for_serializable(&self) {
        // SAFETY: the relation is open. A query is running, so there is an active snapshot.
        unsafe { locks::predicate_lock_relation(self.relation) };
    }

    /// How many line pointers a page has. The offset of each of its rows is one of them.
    pub fn places_on(&self, block: u32) -> u16 {
        // SAFETY: the relation is open, and the caller knows that it has the block. The page is
        // pinned and locked while its header is read.
        unsafe {
            let buffer = pg_sys::ReadBuffer(self.relation, block);
            pg_sys::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
            versions::test_for_old_snapshot(pg_sys::GetActiveSnapshot(), self.relation, buffer);
            let page = pg_sys::BufferGetPage(buffer).cast::<pg_sys::PageHeaderData>();
            let lower = usize::from((*page).pd_lower);
            pg_sys::UnlockReleaseBuffer(buffer);
            // PageGetMaxOffsetNumber
            let header = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
            (lower.saturating_sub(header) / size_of::<pg_sys::ItemIdData>()) as u16
        }
    }

    pub fn fetcher(self) -> Fetcher {
        // SAFETY: the relation is open as long as the heap lives. The heap becomes a field of the
        // fetcher, whose drop ends the scan and drops the slot before its fields are dropped.
        let (scan, slot) = unsafe {
            let scan = pg_sys::table_index_fetch_begin(self.relation);
            (scan, pg_sys::table_slot_create(self.relation, std::ptr::null_mut()))
        };
        Fetcher { scan, slot, block: u32::MAX, heap: self }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // While an error is raised, the aborting transaction closes everything.
        if !std::thread::panicking() {
            // SAFETY: `of` or `try_open` has opened the relation, and nothing else closes it.
            unsafe { pg_sys::relation_close(self.relation, pg_sys::NoLock as i32) };
        }
    }
}

/// Looks up rows of a table, under the snapshot of the running query.
pub struct Fetcher {
    scan: *mut pg_sys::IndexFetchTableData,
    slot: *mut pg_sys::TupleTableSlot,
    block: u32,
    heap: Heap,
}

/// The document of a row: jsonb as it is stored, which may be toasted. It is valid until the next
/// row is fetched.
#[derive(Clone, Copy)]
pub struct Stored<'f> {
    datum: pg_sys::Datum,
    row: std::marker::PhantomData<&'f ()>,
}

impl Fetcher {
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// The document of a row, if the row is visible. The TID may be the root of a HOT chain; then
    /// it is the document of the version that is visible.
    pub fn fetch(&mut self, tid: Tid) -> Option<Stored<'_>> {
        crate::memory::check();
        if std::mem::replace(&mut self.block, tid.block) != tid.block {
            self.heap.pages.set(self.heap.pages.get() + 1);
        }
        let mut place = pg_sys::ItemPointerData::default();
        pgrx::itemptr::item_pointer_set_all(&mut place, tid.block, tid.offset);
        let (mut again, mut dead) = (false, false);
        // SAFETY: scan and slot were made for this relation. A query is running, so there is an
        // active snapshot. After slot_getsomeattrs the slot has its first `column` attributes
        // (tuptable.h, slot_getattr).
        unsafe {
            let snapshot = pg_sys::GetActiveSnapshot();
            let is_visible = pg_sys::table_index_fetch_tuple(
                self.scan,
                &raw mut place,
                snapshot,
                self.slot,
                &raw mut again,
                &raw mut dead,
            );
            // heapam_handler.c leaves this check to the index scan, which has not read this page.
            // An `IndexedTable` is a heap, so that the scan is that of a heap.
            let buffer = (*self.scan.cast::<pg_sys::IndexFetchHeapData>()).xs_cbuf;
            versions::test_for_old_snapshot(snapshot, self.heap.relation, buffer);
            if !is_visible {
                return None;
            }
            let column = self.heap.column;
            if i32::from((*self.slot).tts_nvalid) < column {
                pg_sys::slot_getsomeattrs_int(self.slot, column);
            }
            let at = column as usize - 1;
            (!*(*self.slot).tts_isnull.add(at)).then(|| Stored {
                datum: *(*self.slot).tts_values.add(at),
                row: std::marker::PhantomData,
            })
        }
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: `Heap::fetcher` has made both, and nothing else frees them.
            unsafe {
                pg_sys::ExecDropSingleTupleTableSlot(self.slot);
                pg_sys::table_index_fetch_end(self.scan);
            }
        }
    }
}

impl Stored<'_> {
    /// # Safety
    /// The datum must be one of jsonb.
    pub unsafe fn new(datum: pg_sys::Datum) -> Stored<'static> {
        Stored { datum, row: std::marker::PhantomData }
    }

    fn varlena(&self) -> Varlena<'_> {
        // SAFETY: a jsonb datum has variable length. It is valid until the next row is fetched, and
        // `Stored` borrows the fetcher until then.
        unsafe { Varlena::new(self.datum) }
    }

    /// Reads the document. If it has to be detoasted, the copy is freed afterwards.
    pub fn read<T>(self, read: impl FnOnce(Jsonb<'_>) -> T) -> T {
        // SAFETY: the datum is jsonb. Its strings are valid UTF-8, because jsonb_in accepts only
        // valid text in the server's encoding, and sql/bootstrap.sql requires that to be UTF-8.
        self.varlena().read_aligned(|bytes| read(unsafe { Jsonb::new(bytes) }))
    }

    /// A copy of the value as it is stored: of a large document, that is a TOAST pointer.
    pub fn copy(self) -> Vec<u8> {
        self.varlena().stored().to_vec()
    }
}
