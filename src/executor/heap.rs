//! Rows of a table, looked up by the place their index entries name.

use super::table::IndexedTable;
use crate::document::Jsonb;
use crate::index::gin::{Tid, is_logged};
use crate::pg::varlena::Varlena;
use crate::pg::{locks, versions};
use pgrx::pg_sys;
use std::cell::Cell;

/// A table, open and locked as for reading. The lock lasts until the end of the transaction.
pub struct Heap {
    relation: pg_sys::Relation,
    /// The number of the column of documents: in a store `doc`.
    column: i32,
    /// Pages of rows looked up, each counted when it is turned to.
    pub pages: Cell<u64>,
}

impl Heap {
    /// Opens the table of a part; an error if there is none.
    pub fn of(part: &IndexedTable) -> Heap {
        // SAFETY: table_open raises that error.
        let relation = unsafe { pg_sys::table_open(part.table, pg_sys::AccessShareLock as i32) };
        Heap { relation, column: part.column, pages: Cell::new(0) }
    }

    /// Opens a table, of a store perhaps, if it is still there.
    pub fn try_open(table: pg_sys::Oid) -> Option<Heap> {
        // SAFETY: a relation of any kind is returned, or null; and a look into the server's caches.
        unsafe {
            let relation = pg_sys::try_relation_open(table, pg_sys::AccessShareLock as i32);
            let column = pg_sys::get_attnum(table, c"doc".as_ptr()).into();
            (!relation.is_null()).then(|| Heap { relation, column, pages: Cell::new(0) })
        }
    }

    pub fn relation(&self) -> pg_sys::Relation {
        self.relation
    }

    /// Whether whatever changes it is written ahead.
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

    /// Tells a serializable transaction's conflict detection that all of the table is being read, as a sequential scan does
    /// (heapam.c, initscan): rows are counted that are never visited.
    pub fn lock_for_serializable(&self) {
        // SAFETY: the relation is open, and a query is running.
        unsafe { locks::predicate_lock_relation(self.relation) };
    }

    /// How many line pointers a page has: rows' places are among them.
    pub fn places_on(&self, block: u32) -> u16 {
        // SAFETY: the relation is open; the caller knows that it has the block. A pinned and locked page's header is read.
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
        // SAFETY: the relation is open for as long as the heap, which is closed behind the rest.
        let (scan, slot) = unsafe {
            let scan = pg_sys::table_index_fetch_begin(self.relation);
            (scan, pg_sys::table_slot_create(self.relation, std::ptr::null_mut()))
        };
        Fetcher { scan, slot, block: u32::MAX, heap: self }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // While an error passes through, its transaction closes everything.
        if !std::thread::panicking() {
            // SAFETY: opened in `open`.
            unsafe { pg_sys::relation_close(self.relation, pg_sys::NoLock as i32) };
        }
    }
}

/// Looks rows of a table up, under the running query's snapshot.
pub struct Fetcher {
    scan: *mut pg_sys::IndexFetchTableData,
    slot: *mut pg_sys::TupleTableSlot,
    block: u32,
    heap: Heap,
}

/// The document of a row: jsonb as it lies there, toasted perhaps. It stays until the next row is fetched.
#[derive(Clone, Copy)]
pub struct Stored<'f> {
    datum: pg_sys::Datum,
    row: std::marker::PhantomData<&'f ()>,
}

impl Fetcher {
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// The row's document, if the row is visible; of an updated row, the version that is (its HOT chain begins at the place).
    pub fn fetch(&mut self, tid: Tid) -> Option<Stored<'_>> {
        crate::memory::check();
        if std::mem::replace(&mut self.block, tid.block) != tid.block {
            self.heap.pages.set(self.heap.pages.get() + 1);
        }
        let mut place = pg_sys::ItemPointerData::default();
        pgrx::itemptr::item_pointer_set_all(&mut place, tid.block, tid.offset);
        let (mut again, mut dead) = (false, false);
        // SAFETY: scan and slot were made for this relation; a query is running, and so has a snapshot. The slot's first `column`
        // attributes are there once they are asked for (tuptable.h, slot_getattr).
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
            // heapam_handler.c leaves this to the index's side, which has not seen the page. Tables of other access methods have no parts.
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
            // SAFETY: made in `fetcher`.
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
        // SAFETY: a jsonb datum has variable length, and is there as long as the row is.
        unsafe { Varlena::new(self.datum) }
    }

    /// Reads the document, detoasted if it has to be, in memory that is freed behind.
    pub fn read<T>(self, read: impl FnOnce(Jsonb<'_>) -> T) -> T {
        // SAFETY: jsonb_in takes valid text of the server's encoding alone, and that is UTF-8 (sql/bootstrap.sql).
        self.varlena().read_aligned(|bytes| read(unsafe { Jsonb::new(bytes) }))
    }

    /// A copy of the value as it is stored: of a large document, that is a pointer to its pieces.
    pub fn copy(self) -> Vec<u8> {
        self.varlena().stored().to_vec()
    }
}
