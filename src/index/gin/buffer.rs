//! The server's side: an open index, and its pages in the buffer cache. Nearly all of the unsafe
//! code for reading an index is here.

use super::bytes::{BLCKSZ, Block, Damage};
use super::read_pages::ReadPage;
use crate::error::{Error, Result};
use crate::index::recognize;
use crate::pg::prefetch::prefetch;
use crate::pg::varlena::Varlena;
use crate::pg::versions;
use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

unsafe extern "C-unwind" {
    // pgrx has it, too, but with a guard around each call, which is slow.
    fn ReleaseBuffer(buffer: pg_sys::Buffer);
}

/// A GIN index of one column with keys of type bytea, open and locked for reading. The lock is kept
/// until the end of the transaction, as an index scan keeps it.
pub struct GinIndex {
    relation: pg_sys::Relation,
    /// How many blocks the index had when that was last asked.
    blocks: Cell<u32>,
    /// Its OID, if all changes to it are WAL-logged.
    wal_logged_oid: Option<u32>,
    /// The snapshot of the query that it is read for. Null for estimates.
    snapshot: pg_sys::Snapshot,
    /// The leaf pages that were locked, if they are noted (`read_pages`).
    pub(super) noted: RefCell<Option<Vec<ReadPage>>>,
}

impl GinIndex {
    /// Opens an index. Waits for whoever holds a lock that conflicts.
    pub fn open(oid: pg_sys::Oid) -> Result<GinIndex> {
        // SAFETY: index_open takes any OID, and raises an error if there is no such index.
        let relation = unsafe { pg_sys::index_open(oid, pg_sys::AccessShareLock as i32) };
        // SAFETY: index_open has just opened the relation.
        let wal_logged_oid = unsafe { is_logged(relation) }.then(|| oid.to_u32());
        let snapshot = std::ptr::null_mut();
        let (blocks, noted) = (Cell::new(0), RefCell::new(None));
        let index = GinIndex { relation, blocks, wal_logged_oid, snapshot, noted };
        // SAFETY: the index was opened above and is not closed yet.
        if unsafe { recognize::is_readable(relation) } {
            Ok(index)
        } else {
            Err(Error::NotGin { index: index.name() })
        }
    }

    /// Opens an index to answer a query from. An error is raised if a page may lack rows that the
    /// query's snapshot sees (ginget.c calls TestForOldSnapshot for each page).
    pub fn open_to_answer(oid: pg_sys::Oid) -> Result<GinIndex> {
        let mut index = GinIndex::open(oid)?;
        // SAFETY: a query is running, so there is an active snapshot. It lives longer than the
        // index is open.
        index.snapshot = unsafe { pg_sys::GetActiveSnapshot() };
        Ok(index)
    }

    fn name(&self) -> String {
        // SAFETY: the relation is open, so it has its row of pg_class, and its name there is a C
        // string.
        unsafe { CStr::from_ptr((*(*self.relation).rd_rel).relname.data.as_ptr()) }
            .to_string_lossy()
            .into_owned()
    }

    /// The error that a page is damaged.
    #[cold]
    pub fn corrupt(&self, block: u32, Damage(what): Damage) -> Error {
        Error::Corrupt { index: self.name(), block, what }
    }

    /// The OID of the index.
    pub fn oid(&self) -> u32 {
        // SAFETY: the relation is open until this value is dropped.
        unsafe { (*self.relation).rd_id.to_u32() }
    }

    /// The index's OID, if a page of it that has the same LSN as before is unchanged.
    #[inline]
    pub(super) fn wal_logged_oid(&self) -> Option<u32> {
        self.wal_logged_oid
    }

    /// Whether all changes to the index are WAL-logged.
    pub fn is_wal_logged(&self) -> bool {
        self.wal_logged_oid.is_some()
    }

    /// How many blocks the index has, at least.
    fn blocks(&self) -> usize {
        self.blocks.get() as usize
    }

    /// Whether the index has this block.
    pub(super) fn has_block(&self, block: u32) -> bool {
        if block >= self.blocks.get() {
            // SAFETY: the relation is open until this value is dropped.
            self.blocks.set(unsafe {
                pg_sys::RelationGetNumberOfBlocksInFork(
                    self.relation,
                    pg_sys::ForkNumber::MAIN_FORKNUM,
                )
            });
        }
        block < self.blocks.get()
    }

    /// Pins and share-locks a page.
    pub(super) fn lock(&self, block: u32) -> Result<Locked<'_>> {
        if !self.has_block(block) {
            return Err(self.corrupt(block, Damage("it is beyond the end of the index")));
        }
        // SAFETY: the relation is open, and the block is less than its number of blocks.
        let buffer = unsafe {
            match self.buffer_of(block) {
                Some(recent) if self.pin_recent(block, recent) => recent,
                _ => pg_sys::ReadBuffer(self.relation, block),
            }
        };
        let page = Locked { index: self, buffer, block };
        page.share();
        // SAFETY: the page is pinned and locked, the relation is open, and the snapshot is null or
        // lives longer than the index is open.
        unsafe { versions::test_for_old_snapshot(self.snapshot, self.relation, buffer) };
        self.note(&page);
        Ok(page)
    }

    /// Pins a buffer, if this page is in it.
    fn pin_recent(&self, block: u32, buffer: pg_sys::Buffer) -> bool {
        // SAFETY: the relation is open, and WAL-logged relations have shared buffers. If an error
        // unwinds this closure, it skips nothing that had to be dropped.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                versions::pin_recent(self.relation, block, buffer)
            })
        }
    }

    /// The LSN of a page, read without a lock. While a change is under way, it may be the LSN from
    /// before it. None if the page is not in this buffer.
    pub(super) fn lsn_in(&self, block: u32, buffer: pg_sys::Buffer) -> Option<u64> {
        // SAFETY: the relation is open, and WAL-logged relations have shared buffers. A pinned
        // buffer stays where it is, and is released before the closure ends. The first eight bytes
        // of a page are aligned and are read in one go. A writer replaces each half in one go, and
        // the two halves together are never an LSN that the page had earlier.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                versions::pin_recent(self.relation, block, buffer).then(|| {
                    let lsn = pg_sys::BufferGetPage(buffer).cast::<u64>().read_volatile();
                    ReleaseBuffer(buffer);
                    lsn
                })
            })
        }
    }

    /// Whether each of some pages has this LSN, in the buffer in which it was (`lsn_in`).
    pub(super) fn have_lsns(&self, pages: &[(u32, pg_sys::Buffer, u64)]) -> bool {
        /// Pages that are fetched from memory at the same time.
        const TOGETHER: usize = 32;
        let fetch = |pages: &[(u32, pg_sys::Buffer, u64)]| {
            pages.iter().take(TOGETHER).for_each(|(_, buffer, _)| prefetch(*buffer));
        };
        fetch(pages);
        let mut left = pages;
        while !left.is_empty() {
            crate::memory::check();
            let (now, behind) = left.split_at(left.len().min(TOGETHER));
            fetch(behind);
            // SAFETY: as in `lsn_in`.
            let are_same = unsafe {
                pg_sys::ffi::pg_guard_ffi_boundary(|| {
                    now.iter().all(|&(block, buffer, lsn)| {
                        versions::pin_recent(self.relation, block, buffer) && {
                            let page = pg_sys::BufferGetPage(buffer).cast::<u64>();
                            let is_same = page.read_volatile() == lsn;
                            ReleaseBuffer(buffer);
                            is_same
                        }
                    })
                })
            };
            if !are_same {
                return false;
            }
            left = behind;
        }
        true
    }

    /// Copies a page. No lock is held before or after, so interrupts are taken here.
    pub(super) fn copy(&self, block: u32, copy: &mut Block) -> Result<()> {
        crate::memory::check();
        copy.copy_from_slice(self.lock(block)?.bytes());
        Ok(())
    }
}

impl Drop for GinIndex {
    fn drop(&mut self) {
        // If an error unwinds this, the abort of its transaction closes everything.
        if !std::thread::panicking() {
            // SAFETY: `open` has opened the relation, and this value alone closes it. The lock is
            // kept, as index scans keep theirs (ExecEndIndexScan).
            unsafe { pg_sys::index_close(self.relation, pg_sys::NoLock as i32) };
        }
    }
}

/// Counts the pages of a walk, which should meet none of them twice. Damaged links may lead round
/// in a circle.
#[derive(Default)]
pub(super) struct Visits {
    pages: usize,
    /// One of the pages met so far, replaced each time their number doubles. So the walk meets it
    /// again wherever a circle is (R. P. Brent, "An improved Monte Carlo factorization algorithm").
    mark: u32,
}

impl Visits {
    /// To be called when the walk has come to a page. The page was locked before.
    pub fn add(&mut self, index: &GinIndex, block: u32) -> Result<()> {
        let is_again = self.pages > 0 && block == self.mark;
        self.pages += 1;
        if self.pages.is_power_of_two() {
            self.mark = block;
        }
        if is_again || self.pages > index.blocks() {
            return Err(index.corrupt(block, Damage("the links to it lead round in a circle")));
        }
        Ok(())
    }
}

/// Whether all changes to an open relation are WAL-logged (RelationNeedsWAL) and leave their LSN on
/// the page. Then a page that has the same LSN as before need not be read again. That is not so
/// where snapshots can be too old for a page, because each look at it must check that.
///
/// # Safety
/// The relation must be open.
pub unsafe fn is_logged(relation: pg_sys::Relation) -> bool {
    // SAFETY: the caller says that the relation is open, so it has its row of pg_class. wal_level
    // is a setting of the server that does not change while it runs.
    unsafe {
        (*(*relation).rd_rel).relpersistence as u8 == pg_sys::RELPERSISTENCE_PERMANENT
            && pg_sys::wal_level >= pg_sys::WalLevel::WAL_LEVEL_REPLICA as i32
            && !versions::prunes_early()
    }
}

/// A page that is pinned and share-locked. While it is locked, interrupts wait, and nothing may be
/// called in the server that could come back to the index.
pub(super) struct Locked<'i> {
    index: &'i GinIndex,
    buffer: pg_sys::Buffer,
    pub block: u32,
}

impl<'i> Locked<'i> {
    pub fn buffer(&self) -> pg_sys::Buffer {
        self.buffer
    }

    pub fn bytes(&self) -> &Block {
        // SAFETY: a pinned buffer stays where it is and is a block long. It is share-locked, and
        // GIN changes its pages under an exclusive lock only.
        unsafe { &*pg_sys::BufferGetPage(self.buffer).cast::<Block>() }
    }

    /// Locks another page before this one is unlocked: "the lock on the previous page is not
    /// released until the lock on next page has been acquired" (README).
    pub fn move_to(self, block: u32) -> Result<Locked<'i>> {
        self.index.lock(block)
    }

    /// Takes interrupts, if there are any. Meanwhile the page is pinned but not locked. Returns
    /// true if so: the page may have changed.
    pub fn pause(&mut self) -> bool {
        // SAFETY: InterruptPending is a global that signal handlers set. The buffer is pinned, and
        // this guard holds its lock.
        unsafe {
            if (&raw const pg_sys::InterruptPending).read_volatile() == 0 {
                return false;
            }
            pg_sys::LockBuffer(self.buffer, pg_sys::BUFFER_LOCK_UNLOCK as i32);
        }
        crate::memory::check();
        self.share();
        true
    }

    fn share(&self) {
        // SAFETY: the buffer is pinned, and this guard has no lock on it.
        unsafe { pg_sys::LockBuffer(self.buffer, pg_sys::BUFFER_LOCK_SHARE as i32) };
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // If an error unwinds this, the abort of its transaction releases all locks and pins.
        if !std::thread::panicking() {
            // SAFETY: `GinIndex::lock` has pinned and locked the buffer, and this guard alone
            // releases it.
            unsafe { pg_sys::UnlockReleaseBuffer(self.buffer) };
        }
    }
}

/// Expands a key that index_form_tuple has compressed, from its bytes in a tuple.
pub(super) fn expand(compressed: &[u8], key: &mut Vec<u8>) -> std::result::Result<(), Damage> {
    // The most bytes that a key can have: those of a page, at the best ratio of either method (255,
    // of lz4).
    const MAX_KEY_BYTES: usize = BLCKSZ * 256;
    let raw = compressed.get(4..8).map_or(0, |size| super::bytes::u32_at(size, 0)) & 0x3fff_ffff;
    if raw as usize > MAX_KEY_BYTES {
        return Err(Damage("a compressed key is impossibly long"));
    }
    key.clear();
    // SAFETY: the varlena's header says as many bytes as the slice has (Tuple::key checks that).
    // The copy is aligned as palloc aligns, and is freed here. Decompression checks what it reads
    // and writes, and its result is a plain varlena.
    unsafe {
        let copy = pg_sys::palloc(compressed.len()).cast::<u8>();
        copy.copy_from_nonoverlapping(compressed.as_ptr(), compressed.len());
        let plain = decompress(copy.cast());
        if let Ok(plain) = plain {
            key.extend_from_slice(Varlena::new(plain.into()).bytes());
            pg_sys::pfree(plain.cast());
        }
        pg_sys::pfree(copy.cast());
        plain.map(drop)
    }
}

/// The value of a compressed varlena. If it is none (toast_compression.c), the page is damaged.
unsafe fn decompress(
    compressed: *mut pg_sys::varlena,
) -> std::result::Result<*mut pg_sys::varlena, Damage> {
    const DAMAGES: [Code; 3] = [
        Code::ERRCODE_DATA_CORRUPTED,
        Code::ERRCODE_INTERNAL_ERROR, // a method that there is not
        Code::ERRCODE_FEATURE_NOT_SUPPORTED, // one that the server was built without
    ];
    // SAFETY: the two counts are globals of the server's one thread. An error sets them to 0
    // (elog.c, errfinish), for a caller that goes on to the end of its transaction. Here the page's
    // lock outlives the error and relies on these counts, so they are put back. Decompression
    // leaves nothing else behind but memory of the current context.
    unsafe {
        let (all, cancels) = (pg_sys::InterruptHoldoffCount, pg_sys::QueryCancelHoldoffCount);
        let expand = AssertUnwindSafe(|| pg_sys::pg_detoast_datum(compressed));
        std::panic::catch_unwind(expand).map_err(|error| {
            let is_damage = matches!(error.downcast_ref::<CaughtError>(),
                Some(CaughtError::PostgresError(error)) if DAMAGES.contains(&error.sql_error_code()));
            if !is_damage {
                std::panic::resume_unwind(error);
            }
            pg_sys::InterruptHoldoffCount = all;
            pg_sys::QueryCancelHoldoffCount = cancels;
            Damage("a compressed key cannot be expanded")
        })
    }
}
