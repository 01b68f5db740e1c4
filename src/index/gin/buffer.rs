//! The server's side: an index that is open, and its pages in the buffer cache. All that is unsafe about reading an index.

use super::bytes::{BLCKSZ, Block, Damage};
use crate::error::{Error, Result};
use crate::index::recognize;
use crate::pg::varlena::Varlena;
use crate::pg::versions;
use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::cell::Cell;
use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

unsafe extern "C-unwind" {
    // As pgrx has it, but without a guard around each call.
    fn ReleaseBuffer(buffer: pg_sys::Buffer);
}

/// A GIN index of one column with keys of type bytea, open and locked as for reading. The lock lasts until the end of the
/// transaction, as an index scan's does.
pub struct GinIndex {
    relation: pg_sys::Relation,
    /// As long as the index was known to be, in blocks.
    blocks: Cell<u32>,
    /// Its OID, if all that changes it is written ahead.
    logged: Option<u32>,
    /// For whom it is read; null for estimates.
    snapshot: pg_sys::Snapshot,
}

impl GinIndex {
    /// Opens an index, waiting for whoever holds a lock against it.
    pub fn open(oid: pg_sys::Oid) -> Result<GinIndex> {
        // SAFETY: index_open raises an error when there is no such index.
        let relation = unsafe { pg_sys::index_open(oid, pg_sys::AccessShareLock as i32) };
        // SAFETY: it is open.
        let logged = unsafe { is_logged(relation) }.then(|| oid.to_u32());
        let snapshot = std::ptr::null_mut();
        let index = GinIndex { relation, blocks: Cell::new(0), logged, snapshot };
        // SAFETY: the index was opened above and is not closed yet.
        if unsafe { recognize::is_readable(relation) } {
            Ok(index)
        } else {
            Err(Error::NotGin { index: index.name() })
        }
    }

    /// Opens an index to answer a query from: that a page may lack what the query's snapshot sees is an error (ginget.c:
    /// TestForOldSnapshot, on each page).
    pub fn open_to_answer(oid: pg_sys::Oid) -> Result<GinIndex> {
        let mut index = GinIndex::open(oid)?;
        // SAFETY: a query is running, and so has a snapshot. It is there for longer than the index is open.
        index.snapshot = unsafe { pg_sys::GetActiveSnapshot() };
        Ok(index)
    }

    fn name(&self) -> String {
        // SAFETY: an open relation's name is a C string.
        unsafe { CStr::from_ptr((*(*self.relation).rd_rel).relname.data.as_ptr()) }
            .to_string_lossy()
            .into_owned()
    }

    /// The error that a page is damaged.
    #[cold]
    pub(super) fn corrupt(&self, block: u32, Damage(what): Damage) -> Error {
        Error::Corrupt { index: self.name(), block, what }
    }

    pub fn oid(&self) -> u32 {
        // SAFETY: the relation is open.
        unsafe { (*self.relation).rd_id.to_u32() }
    }

    /// The index's OID, if a page of it that has the LSN which it had is as it was.
    #[inline]
    pub(super) fn wal_logged_oid(&self) -> Option<u32> {
        self.logged
    }

    /// How many blocks the index has, at least.
    fn blocks(&self) -> usize {
        self.blocks.get() as usize
    }

    /// Pins and share-locks a page.
    pub(super) fn lock(&self, block: u32) -> Result<Locked<'_>> {
        if block >= self.blocks.get() {
            // SAFETY: the relation is open.
            self.blocks.set(unsafe {
                pg_sys::RelationGetNumberOfBlocksInFork(
                    self.relation,
                    pg_sys::ForkNumber::MAIN_FORKNUM,
                )
            });
            if block >= self.blocks.get() {
                return Err(self.corrupt(block, Damage("it is beyond the end of the index")));
            }
        }
        // SAFETY: the relation is open and has this block.
        let buffer = unsafe {
            match self.buffer_of(block) {
                Some(recent) if self.pin_recent(block, recent) => recent,
                _ => pg_sys::ReadBuffer(self.relation, block),
            }
        };
        let page = Locked { index: self, buffer, block };
        page.share();
        // SAFETY: the page is pinned and locked, and the snapshot there.
        unsafe { versions::test_for_old_snapshot(self.snapshot, self.relation, buffer) };
        Ok(page)
    }

    /// Pins the buffer of a page if it is this one.
    fn pin_recent(&self, block: u32, buffer: pg_sys::Buffer) -> bool {
        // SAFETY: the relation is open, and logged ones have shared buffers. An error skips nothing that had to be dropped.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                versions::pin_recent(self.relation, block, buffer)
            })
        }
    }

    /// The LSN of a page, without a lock: it may be that from before a change that is under way. None if the page is not in this buffer.
    pub(super) fn lsn_in(&self, block: u32, buffer: pg_sys::Buffer) -> Option<u64> {
        // SAFETY: as above, and a pinned buffer stays where it is. Its first eight bytes are aligned and read at once; who changes them
        // writes each half at once, and never those of another LSN that the page had.
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

    /// Has the memory fetched that a look at the LSN of a buffer's page takes.
    #[inline]
    pub(super) fn prefetch(&self, buffer: pg_sys::Buffer) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint, which reads nothing; the buffer is, or was, one of the shared ones, and those stay where they are.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(pg_sys::BufferGetPage(buffer).cast());
            let descriptor = pg_sys::BufferDescriptors.wrapping_add(buffer as usize - 1);
            _mm_prefetch::<_MM_HINT_T0>(descriptor.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = buffer;
    }

    /// Copies a page. No lock is held before or after, so this is where interrupts are taken.
    pub(super) fn copy(&self, block: u32, copy: &mut Block) -> Result<()> {
        crate::memory::check();
        copy.copy_from_slice(self.lock(block)?.bytes());
        Ok(())
    }
}

impl Drop for GinIndex {
    fn drop(&mut self) {
        // While an error passes through, its transaction closes everything.
        if !std::thread::panicking() {
            // SAFETY: opened in `open`. The lock is kept, as index scans keep theirs (ExecEndIndexScan).
            unsafe { pg_sys::index_close(self.relation, pg_sys::NoLock as i32) };
        }
    }
}

/// Counts the pages of a walk, none of which it should meet again: damaged links may lead round in a circle.
#[derive(Default)]
pub(super) struct Visits {
    pages: usize,
    /// One of the pages: of so many that the walk meets it again wherever the circle is (R. P. Brent, "An improved Monte Carlo
    /// factorization algorithm").
    mark: u32,
}

impl Visits {
    /// The walk has come to a page, which was locked once.
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

/// Whether all that changes an open relation is written ahead (RelationNeedsWAL), and leaves its LSN on the page: then a page that
/// has the LSN which it had need not be read again. Where snapshots can be too old for a page, it must be looked at again for that.
///
/// # Safety
/// The relation must be open.
pub unsafe fn is_logged(relation: pg_sys::Relation) -> bool {
    // SAFETY: an open relation has its row of pg_class; a setting of the server.
    unsafe {
        (*(*relation).rd_rel).relpersistence as u8 == pg_sys::RELPERSISTENCE_PERMANENT
            && pg_sys::wal_level >= pg_sys::WalLevel::WAL_LEVEL_REPLICA as i32
            && !versions::prunes_early()
    }
}

/// A page that is pinned and share-locked. While it is locked, interrupts wait, and nothing may be asked of the server that
/// could come back to the index.
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
        // SAFETY: a pinned buffer stays where it is and is a block long. GIN changes its pages under an exclusive lock only.
        unsafe { &*pg_sys::BufferGetPage(self.buffer).cast::<Block>() }
    }

    /// Goes to another page, "the lock on the previous page is not released until the lock on next page has been acquired"
    /// (README).
    pub fn step(self, block: u32) -> Result<Locked<'i>> {
        self.index.lock(block)
    }

    /// Takes interrupts, if there are any, with the page pinned but not locked: true if so, and it may have changed.
    pub fn pause(&mut self) -> bool {
        // SAFETY: a global that signal handlers set. The buffer is pinned and locked.
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
        // While an error passes through, its transaction releases all locks and pins.
        if !std::thread::panicking() {
            // SAFETY: pinned and locked by `GinIndex::lock`.
            unsafe { pg_sys::UnlockReleaseBuffer(self.buffer) };
        }
    }
}

/// Expands a key that index_form_tuple has compressed, as it lies in a tuple.
pub(super) fn expand(compressed: &[u8], key: &mut Vec<u8>) -> std::result::Result<(), Damage> {
    // No tuple on a page holds more, at the best ratio of either method (lz4's, 255).
    const MOST: usize = BLCKSZ * 256;
    let raw = compressed.get(4..8).map_or(0, |size| super::bytes::u32_at(size, 0)) & 0x3fff_ffff;
    if raw as usize > MOST {
        return Err(Damage("a compressed key is impossibly long"));
    }
    key.clear();
    // SAFETY: the varlena's header says as many bytes as there are (Tuple::key), the copy is aligned as palloc does it, and
    // decompression checks what it reads and writes.
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

/// The value of a compressed varlena; that it is no such thing (toast_compression.c) is damage of the page.
unsafe fn decompress(
    compressed: *mut pg_sys::varlena,
) -> std::result::Result<*mut pg_sys::varlena, Damage> {
    const DAMAGES: [Code; 3] = [
        Code::ERRCODE_DATA_CORRUPTED,
        Code::ERRCODE_INTERNAL_ERROR, // a method that there is not
        Code::ERRCODE_FEATURE_NOT_SUPPORTED, // one that the server was built without
    ];
    // SAFETY: the counts are globals of the server's one thread. An error sets them to 0 (elog.c, errfinish), for whoever it takes
    // to the end of the transaction; here the page's lock outlives it, which counts on them. Nothing else outlives it that
    // decompression makes, but memory of the caller's.
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
