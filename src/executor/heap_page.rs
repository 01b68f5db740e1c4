//! Which rows of one page of a table a snapshot sees, and what that depends on.

use super::heap::Heap;
use crate::pg::versions;
use pgrx::{itemptr, pg_sys};

// As pgrx has them, but without a guard around each call: all that a page takes is under one.
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
}

/// htup_details.h: MaxHeapTuplesPerPage is 291, in pages of 8 kB.
const WORDS: usize = 5;

/// The rows of a page that a snapshot sees, as the offsets that index entries name: of an updated
/// row that is the root of its HOT chain (README.HOT).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VisibleRows([u64; WORDS]);

impl VisibleRows {
    /// `offset` counts from 1.
    pub fn contains(&self, offset: u16) -> bool {
        let at = usize::from(offset.wrapping_sub(1));
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn insert(&mut self, offset: u16) {
        let at = usize::from(offset.wrapping_sub(1));
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }
}

/// What a page said, at one moment under one share lock.
#[derive(Debug, Clone, Copy)]
pub struct PageVisibility {
    pub visible: VisibleRows,
    /// The page's LSN; 0 where it never had one.
    pub lsn: u64,
    /// The buffer that the page was in.
    pub buffer: pg_sys::Buffer,
    /// The newest transaction that made, deleted or updated a row of the page, if that is of
    /// interest to anybody still.
    pub newest: Option<pg_sys::TransactionId>,
}

impl Heap {
    /// Decides which rows of a page the active snapshot sees (heapam.c, heap_hot_search_buffer,
    /// once for each root).
    pub fn page_visibility(&self, block: u32) -> PageVisibility {
        crate::memory::check();
        let relation = self.relation();
        // SAFETY: the relation is open, and the caller knows that it has the block. A query is
        // running, and so has a snapshot. The page is pinned and share-locked while it is read, and
        // an error skips nothing here that had to be dropped.
        unsafe {
            let snapshot = pg_sys::GetActiveSnapshot();
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                let buffer = ReadBuffer(relation, block);
                LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                versions::test_for_old_snapshot_unguarded(snapshot, relation, buffer);
                let page = Page(pg_sys::BufferGetPage(buffer).cast::<u8>());
                let (mut visible, mut newest) = (VisibleRows::default(), Newest(None));
                for offset in 1..=page.line_pointers() {
                    if !page.is_root(offset, &mut newest) {
                        continue;
                    }
                    let mut place = pg_sys::ItemPointerData::default();
                    itemptr::item_pointer_set_all(&mut place, block, offset);
                    let mut found = pg_sys::HeapTupleData::default();
                    if heap_hot_search_buffer(
                        &raw mut place,
                        relation,
                        buffer,
                        snapshot,
                        &raw mut found,
                        std::ptr::null_mut(),
                        true,
                    ) {
                        visible.insert(offset);
                    }
                }
                let lsn = page.lsn();
                UnlockReleaseBuffer(buffer);
                PageVisibility { visible, lsn, buffer, newest: newest.0 }
            })
        }
    }

    /// The LSN of a page that is in this buffer, without a lock; none if the page is not there.
    ///
    /// It may be the LSN from before a change that is under way, whose transaction the snapshot
    /// does not see either way.
    pub fn lsn_in(&self, block: u32, buffer: pg_sys::Buffer) -> Option<u64> {
        // SAFETY: the relation is open, and one that is WAL-logged has shared buffers. A pinned
        // buffer stays where it is; its first eight bytes are aligned. Whoever changes them writes
        // each half at once, and never those of another LSN that the page had.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                versions::pin_recent(self.relation(), block, buffer).then(|| {
                    let lsn = Page(pg_sys::BufferGetPage(buffer).cast::<u8>()).lsn();
                    ReleaseBuffer(buffer);
                    lsn
                })
            })
        }
    }
}

/// A pinned page of a table (storage/bufpage.h).
#[derive(Clone, Copy)]
struct Page(*mut u8);

impl Page {
    /// PageGetLSN, whatever its order of bytes.
    unsafe fn lsn(self) -> u64 {
        // SAFETY: a page begins with its LSN, and is aligned.
        unsafe { self.0.cast::<u64>().read_volatile() }
    }

    /// PageGetMaxOffsetNumber
    unsafe fn line_pointers(self) -> u16 {
        // SAFETY: the caller's page is pinned and locked, so that its header does not change.
        let lower = usize::from(unsafe { (*self.0.cast::<pg_sys::PageHeaderData>()).pd_lower });
        let header = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
        (lower.saturating_sub(header) / size_of::<pg_sys::ItemIdData>()) as u16
    }

    /// Whether index entries may name a line pointer. The transactions of its tuple, be it named or
    /// not, are added to the newest ones.
    unsafe fn is_root(self, offset: u16, newest: &mut Newest) -> bool {
        // SAFETY: the page is pinned and locked, and has this line pointer; one that is normal leads
        // to a tuple on the page.
        unsafe {
            let header = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
            let items = self.0.add(header).cast::<pg_sys::ItemIdData>();
            let item = &*items.add(usize::from(offset) - 1);
            match item.lp_flags() {
                pg_sys::LP_REDIRECT => true,
                pg_sys::LP_NORMAL => {
                    let tuple = self.0.add(item.lp_off() as usize);
                    let tuple = tuple.cast::<pg_sys::HeapTupleHeaderData>();
                    newest.add_tuple(tuple);
                    u32::from((*tuple).t_infomask2) & pg_sys::HEAP_ONLY_TUPLE == 0
                }
                _ => false,
            }
        }
    }
}

/// The newest of some transactions.
struct Newest(Option<pg_sys::TransactionId>);

impl Newest {
    fn add(&mut self, xid: pg_sys::TransactionId) {
        // SAFETY: a comparison of numbers.
        let is_newer = |than| unsafe { pg_sys::TransactionIdPrecedes(than, xid) };
        // Those below FirstNormalTransactionId were always over.
        if xid.into_inner() >= pg_sys::FirstNormalTransactionId.into_inner()
            && self.0.is_none_or(is_newer)
        {
            self.0 = Some(xid);
        }
    }

    /// What the tuple's visibility may depend on (heapam_visibility.c, HeapTupleSatisfiesMVCC): who
    /// made it unless it is frozen, and who deleted or updated it. Whoever only locked it does not
    /// matter, nor do the members of a multixact that did.
    unsafe fn add_tuple(&mut self, tuple: pg_sys::HeapTupleHeader) {
        // SAFETY: a tuple on a page that is pinned and locked. The members of a multixact are kept
        // for as long as a tuple names it.
        unsafe {
            let mask = u32::from((*tuple).t_infomask);
            if mask & pg_sys::HEAP_XMIN_FROZEN != pg_sys::HEAP_XMIN_FROZEN {
                self.add((*tuple).t_choice.t_heap.t_xmin);
            }
            // HEAP_XMAX_IS_LOCKED_ONLY, of clusters from before 9.3 too
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
