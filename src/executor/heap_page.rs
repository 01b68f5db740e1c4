//! Which rows of one page of a table a snapshot sees, and what that depends on.

use super::heap::Heap;
use crate::pg::prefetch::{prefetch, prefetch_line};
use crate::pg::transactions::precedes;
use crate::pg::versions;
use pgrx::{itemptr, pg_sys};

// pgrx has bindings of these functions with a guard around each call. Here one guard is around all
// calls for a page.
unsafe extern "C-unwind" {
    fn ReadBuffer(relation: pg_sys::Relation, block: pg_sys::BlockNumber) -> pg_sys::Buffer;
    fn ReleaseBuffer(buffer: pg_sys::Buffer);
    fn UnlockReleaseBuffer(buffer: pg_sys::Buffer);
    fn LockBuffer(buffer: pg_sys::Buffer, mode: std::ffi::c_int);
    fn heap_hot_search_buffer(
        tid: pg_sys::ItemPointer,
        relation: pg_sys::Relation,
        buffer: pg_sys::Buffer,
        snapshot: pg_sys::Snapshot,
        tuple: pg_sys::HeapTuple,
        all_dead: *mut bool,
        first_call: bool,
    ) -> bool;
    fn HeapTupleGetUpdateXid(tuple: pg_sys::HeapTupleHeader) -> pg_sys::TransactionId;
    fn heap_attisnull(
        tuple: pg_sys::HeapTuple,
        column: std::ffi::c_int,
        columns: pg_sys::TupleDesc,
    ) -> bool;
}

/// Words of 64 bits, a bit for each row that a page can have: in pages of 8 kB,
/// MaxHeapTuplesPerPage is 291 (htup_details.h).
const WORDS: usize = 5;
const MAX_ROWS: u16 = 291;

/// The rows of a page that a snapshot sees, by the offsets that index entries have. An updated row
/// has the offset of the root of its HOT chain (README.HOT).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VisibleRows([u64; WORDS]);

impl VisibleRows {
    /// Whether the snapshot sees the row with this offset. Offsets begin with 1.
    pub fn contains(&self, offset: u16) -> bool {
        let at = usize::from(offset.wrapping_sub(1));
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// The rows with the offsets from 64 `at` + 1 on, the first one lowest.
    pub fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }

    #[cfg(test)]
    pub fn of(word: u64) -> VisibleRows {
        VisibleRows([word, 0, 0, 0, 0])
    }

    /// The greatest offset of these rows; 0 if there are none.
    pub fn last(&self) -> u16 {
        let last = self.0.iter().rposition(|word| *word != 0);
        last.map_or(0, |at| (64 * (at + 1)) as u16 - self.0[at].leading_zeros() as u16)
    }

    fn insert(&mut self, offset: u16) {
        let at = usize::from(offset.wrapping_sub(1));
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }
}

/// What was seen of a page under one share lock.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageVisibility {
    /// The rows that the snapshot sees.
    pub visible: VisibleRows,
    /// Those of them that have a document.
    pub documents: VisibleRows,
    /// The page's LSN; 0 if it never had one.
    pub lsn: u64,
    /// The buffer that the page was in.
    pub buffer: pg_sys::Buffer,
    /// The newest transaction that inserted, deleted or updated a row of the page; none if all rows
    /// are frozen.
    pub newest: Option<pg_sys::TransactionId>,
}

/// Pages that are looked at together. A look spends most of its time on waiting for memory, so they
/// are fetched at the same time. A backend keeps count of eight pins without a hash table (bufmgr.c,
/// REFCOUNT_ARRAY_ENTRIES), and some of those are in use.
pub const PAGES_TOGETHER: usize = 6;

impl Heap {
    /// Finds out which rows of some pages, no more than `PAGES_TOGETHER`, the active snapshot sees: by
    /// heap_hot_search_buffer (heapam.c), once for each line pointer that index entries may name.
    pub fn page_visibilities(&self, blocks: &[u32]) -> [PageVisibility; PAGES_TOGETHER] {
        crate::memory::check();
        let relation = self.relation();
        let mut found = [PageVisibility::default(); PAGES_TOGETHER];
        // SAFETY: the relation is open, and the caller knows that it has the blocks. A query is
        // running, so there is an active snapshot. Each page is pinned and share-locked while it is
        // read. If the server raises an error within the guard, no value is skipped that would have
        // to be dropped, and the abort of the transaction releases the pins.
        unsafe {
            let snapshot = pg_sys::GetActiveSnapshot();
            let view = View::new(snapshot, self.column());
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                for (page, block) in found.iter_mut().zip(blocks) {
                    page.buffer = ReadBuffer(relation, *block);
                    PinnedPage::of(page.buffer).prefetch_line_pointers();
                }
                for (page, _) in found.iter().zip(blocks) {
                    PinnedPage::of(page.buffer).prefetch_rows();
                }
                for (seen, block) in found.iter_mut().zip(blocks) {
                    let buffer = seen.buffer;
                    LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                    versions::test_for_old_snapshot_unguarded(snapshot, relation, buffer);
                    let (page, mut newest) = (PinnedPage::of(buffer), NewestTransaction(None));
                    for offset in 1..=page.line_pointers() {
                        let Some(root) = page.root(offset, &mut newest) else { continue };
                        let has_document = match root.and_then(|tuple| view.of_hints(tuple)) {
                            Some(Sight::Nothing) => continue,
                            Some(Sight::Document) => true,
                            None => {
                                let mut place = pg_sys::ItemPointerData::default();
                                itemptr::item_pointer_set_all(&mut place, *block, offset);
                                let mut row = pg_sys::HeapTupleData::default();
                                if !heap_hot_search_buffer(
                                    &raw mut place,
                                    relation,
                                    buffer,
                                    snapshot,
                                    &raw mut row,
                                    std::ptr::null_mut(),
                                    true,
                                ) {
                                    continue;
                                }
                                !heap_attisnull(&raw mut row, self.column(), (*relation).rd_att)
                            }
                        };
                        seen.visible.insert(offset);
                        if has_document {
                            seen.documents.insert(offset);
                        }
                    }
                    (seen.lsn, seen.newest) = (page.lsn(), newest.0);
                    UnlockReleaseBuffer(buffer);
                }
            });
        }
        found
    }

    /// Begins to fetch the LSNs of some pages from memory.
    pub fn prefetch_lsns(&self, pages: &[(u32, pg_sys::Buffer)]) {
        pages.iter().filter(|(_, buffer)| *buffer > 0).for_each(|(_, buffer)| prefetch(*buffer));
    }

    /// The LSNs of some pages, read without a lock; 0 for a page that is not in this buffer any
    /// more. `prefetch_lsns` has begun to fetch them.
    ///
    /// If a page is being changed, it may be the LSN from before the change. That does no harm: the
    /// snapshot does not see the transaction that changes it.
    pub fn lsns_in(&self, pages: &[(u32, pg_sys::Buffer)], lsns: &mut [u64]) {
        // SAFETY: the relation is open and WAL-logged, so that its pages are in shared buffers. A
        // pinned buffer keeps its page, and its first eight bytes, the LSN, are aligned. Another
        // backend may write them at the same time; it writes each half at once, and the LSN that
        // could be read from two halves is none that the page had before. If the server raises an
        // error within the guard, no value is skipped that would have to be dropped.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                for (&(block, buffer), lsn) in pages.iter().zip(lsns) {
                    *lsn = 0;
                    let is_known = buffer != pg_sys::InvalidBuffer as pg_sys::Buffer;
                    if is_known && versions::pin_recent(self.relation(), block, buffer) {
                        *lsn = PinnedPage(pg_sys::BufferGetPage(buffer).cast::<u8>()).lsn();
                        ReleaseBuffer(buffer);
                    }
                }
            });
        }
    }
}

/// A pinned page of a table (storage/bufpage.h).
#[derive(Clone, Copy)]
struct PinnedPage(*mut u8);

impl PinnedPage {
    unsafe fn of(buffer: pg_sys::Buffer) -> PinnedPage {
        // SAFETY: the caller has pinned the buffer, so it stays where it is.
        PinnedPage(unsafe { pg_sys::BufferGetPage(buffer) }.cast::<u8>())
    }

    /// The page's LSN as it lies there. Its two halves may be in another order than PageGetLSN has
    /// them; it is only compared for equality.
    unsafe fn lsn(self) -> u64 {
        // SAFETY: the caller has pinned the page. A page begins with its LSN, and is aligned.
        unsafe { self.0.cast::<u64>().read_volatile() }
    }

    /// The number of line pointers (PageGetMaxOffsetNumber).
    unsafe fn line_pointers(self) -> u16 {
        // SAFETY: the caller has pinned and locked the page, so its header does not change.
        let lower = usize::from(unsafe { (*self.0.cast::<pg_sys::PageHeaderData>()).pd_lower });
        let header = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
        (lower.saturating_sub(header) / size_of::<pg_sys::ItemIdData>()) as u16
    }

    /// Fetches the page's header and about 26 line pointers from memory.
    unsafe fn prefetch_line_pointers(self) {
        prefetch_line(self.0);
        prefetch_line(self.0.wrapping_add(64));
    }

    /// Fetches the headers of all rows from memory at the same time. They lie in cache lines of their
    /// own, and waiting for one after the other would take longer than all else that is done here.
    unsafe fn prefetch_rows(self) {
        // SAFETY: the caller has pinned the page. It is not locked, so line pointers may change while
        // they are read, and no more is done with them than to prefetch, which reads nothing. A page
        // has room for `MAX_ROWS` of them.
        unsafe {
            for offset in 1..=self.line_pointers().min(MAX_ROWS) {
                let item = std::ptr::from_ref(self.item(offset)).read_volatile();
                if item.lp_flags() == pg_sys::LP_NORMAL {
                    prefetch_line(self.0.wrapping_add(item.lp_off() as usize));
                }
            }
        }
    }

    /// A line pointer, which the page must have.
    unsafe fn item<'p>(self, offset: u16) -> &'p pg_sys::ItemIdData {
        let header = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
        // SAFETY: the caller has pinned and locked the page, which has this line pointer.
        unsafe { &*self.0.add(header).cast::<pg_sys::ItemIdData>().add(usize::from(offset) - 1) }
    }

    /// Where index entries may name a line pointer, the tuple that it leads to, or `Some(None)` if it
    /// leads to another line pointer. In any case, the transactions of its tuple are added to `newest`.
    #[inline]
    unsafe fn root(
        self,
        offset: u16,
        newest: &mut NewestTransaction,
    ) -> Option<Option<pg_sys::HeapTupleHeader>> {
        // SAFETY: the caller has pinned and locked the page, and the page has this line pointer. A
        // normal line pointer leads to a tuple on the page.
        unsafe {
            let item = self.item(offset);
            match item.lp_flags() {
                pg_sys::LP_REDIRECT => Some(None),
                pg_sys::LP_NORMAL => {
                    let tuple = self.0.add(item.lp_off() as usize);
                    let tuple = tuple.cast::<pg_sys::HeapTupleHeaderData>();
                    newest.add_tuple(tuple);
                    let is_root = u32::from((*tuple).t_infomask2) & pg_sys::HEAP_ONLY_TUPLE == 0;
                    is_root.then_some(Some(tuple))
                }
                _ => None,
            }
        }
    }
}

/// What a snapshot sees of a row.
enum Sight {
    /// It, and that it has a document.
    Document,
    Nothing,
}

/// A snapshot that looks at rows.
struct View {
    /// The snapshot's xmin. None if the server must look at each row: it notes for serializable
    /// transactions what they have read.
    xmin: Option<u32>,
    /// The number of the column of documents.
    column: u32,
}

impl View {
    unsafe fn new(snapshot: pg_sys::Snapshot, column: i32) -> View {
        // SAFETY: the caller's snapshot is valid. The isolation level is a global of the server's one
        // thread.
        let is_plain = unsafe {
            (*snapshot).snapshot_type == pg_sys::SnapshotType::SNAPSHOT_MVCC
                && pg_sys::XactIsoLevel != pg_sys::XACT_SERIALIZABLE as i32
        };
        // SAFETY: the caller's snapshot is valid.
        let xmin = is_plain.then(|| unsafe { (*snapshot).xmin.into_inner() });
        View { xmin, column: column.unsigned_abs() }
    }

    /// What is seen of a row whose index entries lead to this tuple, where hint bits and the snapshot's
    /// xmin are enough to say so, as they are for nearly all rows. These are the first rules of
    /// HeapTupleSatisfiesMVCC (heapam_visibility.c), XidInMVCCSnapshot (snapmgr.c) and heap_attisnull
    /// (heaptuple.c); the server's functions have the others.
    #[inline]
    unsafe fn of_hints(&self, tuple: pg_sys::HeapTupleHeader) -> Option<Sight> {
        let (before, column) =
            (|xid| self.xmin.is_some_and(|xmin| precedes(xid, xmin)), self.column);
        // SAFETY: the caller has pinned and locked the tuple's page.
        let (mask, mask2, inserted, ended) = unsafe {
            let fields = &(*tuple).t_choice.t_heap;
            let xids = (fields.t_xmin.into_inner(), fields.t_xmax.into_inner());
            (u32::from((*tuple).t_infomask), u32::from((*tuple).t_infomask2), xids.0, xids.1)
        };
        self.xmin?;
        if mask & pg_sys::HEAP_XMIN_COMMITTED == 0 {
            return None;
        }
        if mask & pg_sys::HEAP_XMAX_INVALID != 0 {
            let is_frozen = mask & pg_sys::HEAP_XMIN_FROZEN == pg_sys::HEAP_XMIN_FROZEN;
            let has_document =
                mask & pg_sys::HEAP_HASNULL == 0 && mask2 & pg_sys::HEAP_NATTS_MASK >= column;
            return (has_document && (is_frozen || before(inserted))).then_some(Sight::Document);
        }
        // Deleted or updated, with no later version on the page that the same index entries lead to.
        let is_over = mask & pg_sys::HEAP_XMAX_COMMITTED != 0
            && mask & (pg_sys::HEAP_XMAX_IS_MULTI | pg_sys::HEAP_XMAX_LOCK_ONLY) == 0
            && mask & pg_sys::HEAP_LOCK_MASK != pg_sys::HEAP_XMAX_EXCL_LOCK
            && mask2 & pg_sys::HEAP_HOT_UPDATED == 0
            && before(ended);
        is_over.then_some(Sight::Nothing)
    }
}

/// The newest of several transactions.
struct NewestTransaction(Option<pg_sys::TransactionId>);

impl NewestTransaction {
    fn add(&mut self, xid: pg_sys::TransactionId) {
        let is_newer = |than: pg_sys::TransactionId| precedes(than.into_inner(), xid.into_inner());
        // Transactions below FirstNormalTransactionId are over for every snapshot.
        if xid.into_inner() >= pg_sys::FirstNormalTransactionId.into_inner()
            && self.0.is_none_or(is_newer)
        {
            self.0 = Some(xid);
        }
    }

    /// Adds the transactions that the tuple's visibility may depend on (heapam_visibility.c,
    /// HeapTupleSatisfiesMVCC): the one that inserted it, unless it is frozen, and the one that
    /// deleted or updated it. A transaction that only locked it does not matter.
    unsafe fn add_tuple(&mut self, tuple: pg_sys::HeapTupleHeader) {
        // SAFETY: the caller has pinned and locked the tuple's page. The members of a multixact are
        // kept as long as a tuple names it.
        unsafe {
            let mask = u32::from((*tuple).t_infomask);
            if mask & pg_sys::HEAP_XMIN_FROZEN != pg_sys::HEAP_XMIN_FROZEN {
                self.add((*tuple).t_choice.t_heap.t_xmin);
            }
            // HEAP_XMAX_IS_LOCKED_ONLY, which also handles tuples from before PostgreSQL 9.3
            let locked_only = mask & pg_sys::HEAP_XMAX_LOCK_ONLY != 0
                || mask & (pg_sys::HEAP_XMAX_IS_MULTI | pg_sys::HEAP_LOCK_MASK)
                    == pg_sys::HEAP_XMAX_EXCL_LOCK;
            if mask & pg_sys::HEAP_XMAX_INVALID != 0 || locked_only {
                return;
            }
            self.add(if mask & pg_sys::HEAP_XMAX_IS_MULTI != 0 {
                HeapTupleGetUpdateXid(tuple)
            } else {
                (*tuple).t_choice.t_heap.t_xmax
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::VisibleRows;

    #[test]
    fn the_last_row_is_the_greatest_offset() {
        let mut rows = VisibleRows::default();
        assert_eq!(rows.last(), 0);
        for offset in [1, 17, 64, 65, 128, 291] {
            rows.insert(offset);
            assert_eq!(rows.last(), offset);
        }
    }
}
