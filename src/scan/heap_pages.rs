//! The pages of a table that have candidates, and the rows on them. This does what a bitmap heap
//! scan does (nodeBitmapHeapscan.c, and heapam_scan_bitmap_next_block in heapam_handler.c), for
//! rows whose places are all known.

use crate::error::Result;
use crate::executor::{Candidate, CandidateScan};
use crate::index::gin::Tid;
use crate::pg::versions;
use pgrx::{itemptr, pg_sys};

// pgrx binds these too, but puts a guard around each call. Here one guard covers all calls for a
// page.
unsafe extern "C-unwind" {
    fn ReleaseAndReadBuffer(
        buffer: pg_sys::Buffer,
        relation: pg_sys::Relation,
        block: pg_sys::BlockNumber,
    ) -> pg_sys::Buffer;
    fn PrefetchBuffer(
        relation: pg_sys::Relation,
        fork: pg_sys::ForkNumber::Type,
        block: pg_sys::BlockNumber,
    ) -> pg_sys::PrefetchBufferResult;
    fn LockBuffer(buffer: pg_sys::Buffer, mode: std::ffi::c_int);
    fn ExecStoreBufferHeapTuple(
        tuple: pg_sys::HeapTuple,
        slot: *mut pg_sys::TupleTableSlot,
        buffer: pg_sys::Buffer,
    ) -> *mut pg_sys::TupleTableSlot;
    fn heap_page_prune_opt(relation: pg_sys::Relation, buffer: pg_sys::Buffer);
    fn heap_hot_search_buffer(
        tid: pg_sys::ItemPointer,
        relation: pg_sys::Relation,
        buffer: pg_sys::Buffer,
        snapshot: pg_sys::Snapshot,
        tuple: pg_sys::HeapTuple,
        all_dead: *mut bool,
        first_call: bool,
    ) -> bool;
}

/// How many candidates are fetched at once: enough to prefetch their pages, and only some 16 kB.
const CANDIDATE_BATCH: usize = 1024;
/// The most rows on a page of 8 kB (htup_details.h: MaxHeapTuplesPerPage).
const MAX_ROWS_ON_PAGE: usize = 291;
const NO_BUFFER: pg_sys::Buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;

/// A visible row on the pinned page.
struct VisibleRow {
    tuple: pg_sys::HeapTupleData,
    /// Where its index entries say that it is: the root of its HOT chain.
    root: Tid,
    is_unsure: bool,
}

/// The rows at some places of a table. Between two calls, the page of the last row stays pinned.
/// Whoever ends the scan calls `release`; after an error the server does it (resowner.c).
pub struct HeapPages {
    relation: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    buffer: pg_sys::Buffer,
    rows: Vec<VisibleRow>,
    /// Which of the rows comes next.
    next: usize,
    candidates: Vec<Candidate>,
    /// Which candidate is looked up next, and up to which one pages were prefetched.
    at: usize,
    ahead: usize,
    /// How many pages are being prefetched, and how many may be (effective_io_concurrency).
    prefetched: u32,
    distance: u32,
    block: u32,
    pub visited: u64,
}

impl HeapPages {
    /// # Safety
    /// The relation must be open and the snapshot registered as long as rows are read.
    pub unsafe fn new(relation: pg_sys::Relation, snapshot: pg_sys::Snapshot) -> HeapPages {
        // SAFETY: the caller's relation is open. The function reads a setting of its tablespace.
        let distance =
            unsafe { pg_sys::get_tablespace_io_concurrency((*(*relation).rd_rel).reltablespace) };
        HeapPages {
            relation,
            snapshot,
            buffer: NO_BUFFER,
            rows: Vec::new(),
            next: 0,
            candidates: Vec::new(),
            at: 0,
            ahead: 0,
            prefetched: 0,
            distance: distance.max(0) as u32,
            block: u32::MAX,
            visited: 0,
        }
    }

    /// Puts the next visible row into the slot, which must be one for rows of the table. Some(true)
    /// means that the row must be rechecked. None at the end.
    pub fn next(
        &mut self,
        scan: &mut CandidateScan,
        slot: *mut pg_sys::TupleTableSlot,
    ) -> Result<Option<bool>> {
        while self.next == self.rows.len() {
            if !self.load_next(scan)? {
                return Ok(None);
            }
        }
        let row = &mut self.rows[self.next];
        self.next += 1;
        // SAFETY: the tuple is on the page, which is pinned, and the slot takes a pin of its own.
        unsafe { pg_sys::ExecStoreBufferHeapTuple(&raw mut row.tuple, slot, self.buffer) };
        Ok(Some(row.is_unsure))
    }

    /// Passes the rows of the next page that need no recheck to `test`, which says whether a row
    /// matches, or none if it cannot tell. Returns how many match. The rows that are left come next
    /// (`next`). Goes on to other pages until a row matches or is left, and returns 0 then or at the
    /// end.
    pub fn count_matches(
        &mut self,
        scan: &mut CandidateScan,
        mut test: impl FnMut(Tid, &mut pg_sys::HeapTupleData) -> Option<bool>,
    ) -> Result<u64> {
        let mut matching = 0;
        while self.next == self.rows.len() && matching == 0 && self.load_next(scan)? {
            self.rows.retain_mut(|row| {
                let answer = if row.is_unsure { None } else { test(row.root, &mut row.tuple) };
                matching += u64::from(answer == Some(true));
                answer.is_none()
            });
        }
        Ok(matching)
    }

    /// Puts the next row into the slot if nothing else has to be done for it: it is on the pinned
    /// page and needs no recheck. Otherwise returns false.
    ///
    /// # Safety
    /// The slot must be one for rows of the table. If the server raises an error, it passes this
    /// function and its caller, which must have nothing to drop.
    #[inline]
    pub unsafe fn next_on_page(&mut self, slot: *mut pg_sys::TupleTableSlot) -> bool {
        match self.rows.get_mut(self.next) {
            Some(row) if !row.is_unsure => {
                self.next += 1;
                // SAFETY: the tuple is on the page, which is pinned, and the slot takes a pin of
                // its own.
                unsafe { ExecStoreBufferHeapTuple(&raw mut row.tuple, slot, self.buffer) };
                true
            }
            _ => false,
        }
    }

    /// Reads the page of the next candidate, and looks up all candidates on it. False at the end.
    fn load_next(&mut self, scan: &mut CandidateScan) -> Result<bool> {
        crate::memory::check();
        if self.at == self.candidates.len() {
            self.candidates.clear();
            (self.at, self.ahead, self.prefetched) = (0, 0, 0);
            scan.take(CANDIDATE_BATCH, &mut self.candidates)?;
            if self.candidates.is_empty() {
                return Ok(false);
            }
        }
        self.rows.clear();
        self.rows.reserve(MAX_ROWS_ON_PAGE);
        self.next = 0;
        let block = self.candidates[self.at].tid.block;
        if self.block != block {
            self.block = block;
            self.visited += 1;
        }
        // SAFETY: the relation is open and has the block, since the index names it. If an error
        // passes the guarded code, nothing there has to be dropped. Every visitor of a page prunes
        // it (heapam.c). Rows are looked up under a share lock, and do not move as long as the page
        // is pinned.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                self.buffer = ReleaseAndReadBuffer(self.buffer, self.relation, block);
                self.prefetch(block);
                heap_page_prune_opt(self.relation, self.buffer);
                LockBuffer(self.buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                let (snapshot, relation) = (self.snapshot, self.relation);
                versions::test_for_old_snapshot_unguarded(snapshot, relation, self.buffer);
                while let Some(candidate) =
                    self.candidates.get(self.at).filter(|candidate| candidate.tid.block == block)
                {
                    self.at += 1;
                    self.look_up(*candidate);
                }
                LockBuffer(self.buffer, pg_sys::BUFFER_LOCK_UNLOCK as i32);
            });
        }
        Ok(true)
    }

    /// Looks one candidate up. If the row was updated, its HOT chain begins at the candidate's
    /// place, and the visible version of it is taken.
    #[inline]
    unsafe fn look_up(&mut self, candidate: Candidate) {
        let mut place = pg_sys::ItemPointerData::default();
        itemptr::item_pointer_set_all(&mut place, candidate.tid.block, candidate.tid.offset);
        let mut tuple = pg_sys::HeapTupleData::default();
        // SAFETY: the caller has pinned and locked the page.
        let is_visible = unsafe {
            heap_hot_search_buffer(
                &raw mut place,
                self.relation,
                self.buffer,
                self.snapshot,
                &raw mut tuple,
                std::ptr::null_mut(),
                true,
            )
        };
        if is_visible {
            self.rows.push(VisibleRow { tuple, root: candidate.tid, is_unsure: candidate.recheck });
        }
    }

    /// Prefetches the next pages, as many as effective_io_concurrency says. Like
    /// nodeBitmapHeapscan.c, this comes after reading the current page: if pages follow each other,
    /// the operating system then reads ahead by itself, and in larger pieces.
    unsafe fn prefetch(&mut self, block: u32) {
        self.ahead = self.ahead.max(self.at);
        self.prefetched = self.prefetched.saturating_sub(1);
        let mut last = self.ahead.checked_sub(1).map_or(block, |at| self.candidates[at].tid.block);
        while let Some(candidate) = self.candidates.get(self.ahead) {
            let next = candidate.tid.block;
            if next != last && next != block {
                if self.prefetched >= self.distance {
                    return;
                }
                // SAFETY: the relation is open, and the caller's guard catches errors.
                unsafe {
                    PrefetchBuffer(self.relation, pg_sys::ForkNumber::MAIN_FORKNUM, next);
                }
                self.prefetched += 1;
                last = next;
            }
            self.ahead += 1;
        }
    }

    /// Releases the page and forgets its rows.
    pub fn release(&mut self) {
        self.rows.clear();
        self.candidates.clear();
        (self.next, self.at, self.ahead, self.prefetched) = (0, 0, 0, 0);
        let buffer = std::mem::replace(&mut self.buffer, NO_BUFFER);
        if buffer != NO_BUFFER {
            // SAFETY: `load_next` has pinned the buffer.
            unsafe { pg_sys::ReleaseBuffer(buffer) };
        }
    }
}
