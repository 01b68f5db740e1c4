//! What happens when the system has no more memory for this library's code.
//!
//! Left alone, Rust ends the process where an allocation fails (std::alloc::handle_alloc_error), by a signal: the server then ends all
//! sessions and recovers. PostgreSQL raises an error there, 53200. Here an allocator cannot: to unwind out of `GlobalAlloc::alloc` is
//! undefined behaviour, by longjmp as well, for the compiler relies on its coming back, and code that allocates is amid changes
//! that nobody would complete. What is kept in the server's memory contexts (palloc) fails in the same way, and its errors are such
//! jumps. So an allocation that fails ends in one of these ways, each of which is sound:
//!
//! - Where the size comes from data and may be large, `reserve` and its like ask first, and a refusal is an ordinary error.
//! - All others are given what is left of a reserve: some megabytes of address space, which cost nothing until they are used, are
//!   returned to the system, which is then asked again. The allocation succeeds, and the next `check`, wherever interrupts are taken,
//!   raises the error, unless the reserve can be had again by then. There Rust unwinds as it should, and what is freed
//!   makes the reserve whole again.
//! - Should the reserve not do, nothing of Rust's is run any more: the session ends, FATAL with 53200, in the way that the server
//!   ends one itself (ipc.c, proc_exit). Its locks and shared memory are released, and other sessions go on.
//!
//! The server's own 53200 needs memory too, on its way through Rust and for the abort: the reserve is returned as soon as one is
//! raised (`watched`).
//!
//! Between two checks there is little to allocate: a page of an index, a document, a clause of a query.

use crate::error::{Error, Result};
use crate::pg::versions;
use pgrx::pg_sys;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::TryReserveError;
use std::ffi::{c_char, c_int};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

/// What is allocated until the next check comes from here.
static RESERVE: Reservation = Reservation::new(4 << 20);
/// What it takes to raise an error, and for the server to report it.
static ERROR_RESERVE: Reservation = Reservation::new(512 << 10);
/// Whether who allocates can do with a refusal.
static CAN_FAIL: AtomicBool = AtomicBool::new(false);

#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Address space that can be returned to the system.
struct Reservation {
    at: AtomicPtr<libc::c_void>,
    bytes: usize,
}

impl Reservation {
    const fn new(bytes: usize) -> Reservation {
        Reservation { at: AtomicPtr::new(std::ptr::null_mut()), bytes }
    }

    fn is_there(&self) -> bool {
        !self.at.load(Relaxed).is_null()
    }

    /// Whether it is there again.
    fn fill(&self) -> bool {
        if self.is_there() {
            return true;
        }
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, of no file, wherever the system has room for it.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), self.bytes, protection, flags, -1, 0) };
        if at == libc::MAP_FAILED {
            return false;
        }
        self.at.store(at, Relaxed);
        true
    }

    /// Whether it was there to be returned.
    fn release(&self) -> bool {
        let at = self.at.swap(std::ptr::null_mut(), Relaxed);
        // SAFETY: mapped in `fill`, and nobody else knows of it.
        !at.is_null() && unsafe { libc::munmap(at, self.bytes) } == 0
    }
}

/// Takes the reserve, when the library is loaded. Should that fail, the first check says so.
pub fn init() {
    let _ = ERROR_RESERVE.fill() && RESERVE.fill();
    versions::watch_executor();
}

/// Takes interrupts, and raises an error if memory has run out.
#[inline]
pub fn check() {
    pgrx::check_for_interrupts!();
    if !RESERVE.is_there() || !ERROR_RESERVE.is_there() {
        refill();
    }
}

#[cold]
fn refill() {
    if !(ERROR_RESERVE.fill() && RESERVE.fill()) {
        Error::OutOfMemory { bytes: RESERVE.bytes }.raise();
    }
}

/// To be called where an error begins: what it takes on its way to the server, and the server's abort, is at hand. An error for
/// want of memory may be the server's own, which has not touched the reserve.
pub fn make_room_for_error() {
    ERROR_RESERVE.release();
    RESERVE.release();
}

/// Does some work in which the server may find itself out of memory. Such an error has to be copied on its way through Rust (pgrx,
/// pg_guard_ffi_boundary), for which there must be memory again by then: so the reserve is returned as soon as it is raised.
#[inline]
pub fn watched<T>(work: impl FnOnce() -> T) -> T {
    struct Unwatched(*mut pg_sys::ErrorContextCallback);
    impl Drop for Unwatched {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: a global of the server's one thread; and what was there before the work, and so outlives it.
            unsafe { pg_sys::error_context_stack = self.0 };
        }
    }
    let mut watch = watch();
    let _unwatched = Unwatched(watch.previous);
    // SAFETY: as above. It is taken off as this frame goes.
    unsafe { pg_sys::error_context_stack = &raw mut watch };
    work()
}

/// What is put on the stack of those who have something to say of an error (elog.h).
pub fn watch() -> pg_sys::ErrorContextCallback {
    // SAFETY: a global of the server's one thread.
    let previous = unsafe { pg_sys::error_context_stack };
    pg_sys::ErrorContextCallback { previous, callback: Some(on_error), arg: std::ptr::null_mut() }
}

/// Called while an error, a notice or the like is being reported (elog.c, errfinish).
unsafe extern "C-unwind" fn on_error(_: *mut std::ffi::c_void) {
    // SAFETY: one is being reported.
    if unsafe { geterrcode() } == pgrx::PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as c_int {
        make_room_for_error();
    }
}

/// Makes room whose size comes from data, by one of the standard library's `try_reserve`; or the error that there is none.
pub fn try_reserve(
    bytes: usize,
    reserve: impl FnOnce() -> std::result::Result<(), TryReserveError>,
) -> Result<()> {
    CAN_FAIL.store(true, Relaxed);
    let reserved = reserve();
    CAN_FAIL.store(false, Relaxed);
    reserved.map_err(|_| Error::OutOfMemory { bytes })
}

/// Room for so many elements more.
pub fn reserve<T>(list: &mut Vec<T>, more: usize) -> Result<()> {
    if list.capacity() - list.len() >= more {
        return Ok(());
    }
    let bytes = list.len().saturating_add(more).saturating_mul(size_of::<T>());
    try_reserve(bytes, || list.try_reserve(more))
}

/// Whether so many bytes can be had: for what others allocate in pieces of any size, and cannot do without.
pub fn afford(bytes: usize) -> Result<()> {
    if bytes <= RESERVE.bytes { Ok(()) } else { reserve(&mut Vec::<u8>::new(), bytes) }
}

/// The system's allocator, which has something in reserve.
struct Allocator;

// SAFETY: blocks are the system's. What it refuses is asked for again, or the refusal handed on.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for the system's.
        let allocate = || unsafe { System.alloc(layout) };
        or_from_reserve(allocate(), allocate, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for the system's.
        let allocate = || unsafe { System.alloc_zeroed(layout) };
        or_from_reserve(allocate(), allocate, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as for the system's, which leaves the block as it is where it refuses.
        let allocate = || unsafe { System.realloc(block, layout, size) };
        or_from_reserve(allocate(), allocate, size)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as for the system's.
        unsafe { System.dealloc(block, layout) };
    }
}

#[inline]
fn or_from_reserve(block: *mut u8, allocate: impl FnOnce() -> *mut u8, bytes: usize) -> *mut u8 {
    if block.is_null() { allocate_from_reserve(allocate, bytes) } else { block }
}

#[cold]
#[inline(never)]
fn allocate_from_reserve(allocate: impl FnOnce() -> *mut u8, bytes: usize) -> *mut u8 {
    if CAN_FAIL.load(Relaxed) {
        return std::ptr::null_mut();
    }
    if RESERVE.release() {
        // SAFETY: a flag that signal handlers set likewise. So loops that look at it before they check do check.
        unsafe { (&raw mut pg_sys::InterruptPending).write_volatile(1) };
        let block = allocate();
        if !block.is_null() {
            return block;
        }
    }
    end_session(bytes)
}

unsafe extern "C-unwind" {
    // elog.h, which pgrx does not bind.
    fn errstart(level: c_int, domain: *const c_char) -> bool;
    fn errcode(code: c_int) -> c_int;
    fn errmsg_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_internal(format: *const c_char, ...) -> c_int;
    fn geterrcode() -> c_int;
    fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
}

/// Never comes back, and unwinds nothing: the server's code runs on top of the stack until the process exits.
#[cold]
fn end_session(bytes: usize) -> ! {
    make_room_for_error();
    // SAFETY: in the server's one thread, as all of this library. With FATAL, errfinish calls proc_exit, which aborts the transaction.
    // That would drop what memory contexts own of Rust's, amid changes to it perhaps. Should the server lack memory itself on this
    // way, its error must not jump back into Rust: without a place to jump to, it is FATAL too (elog.c, errstart).
    unsafe {
        pg_sys::PG_exception_stack = std::ptr::null_mut();
        pg_sys::error_context_stack = std::ptr::null_mut();
        forget_callbacks(pg_sys::TopMemoryContext);
        if errstart(pg_sys::FATAL as c_int, std::ptr::null()) {
            errcode(pgrx::PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as c_int);
            errmsg_internal(c"out of memory".as_ptr());
            errdetail_internal(
                c"A request of %zu bytes failed where no error can be raised, so the session ends."
                    .as_ptr(),
                bytes,
            );
        }
        errfinish(c"memory.rs".as_ptr(), line!() as c_int, c"end_session".as_ptr());
    }
    std::process::abort()
}

/// Has a memory context, and those below it, freed without telling those who want to know. All that such callbacks see to is the
/// process's own.
unsafe fn forget_callbacks(context: pg_sys::MemoryContext) {
    // SAFETY: memory contexts are a tree of valid nodes (memnodes.h).
    unsafe {
        (*context).reset_cbs = std::ptr::null_mut();
        let mut child = (*context).firstchild;
        while !child.is_null() {
            forget_callbacks(child);
            child = (*child).nextchild;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_and_go() {
        let block = Reservation::new(1 << 20);
        assert!(!block.is_there() && !block.release());
        assert!(block.fill() && block.fill() && block.is_there());
        assert!(block.release() && !block.is_there() && !block.release());
        assert!(!Reservation::new(usize::MAX >> 1).fill());
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert!(matches!(afford(isize::MAX as usize), Err(Error::OutOfMemory { .. })));
        assert!(matches!(reserve(&mut vec![1u64], usize::MAX), Err(Error::OutOfMemory { .. })));
        assert!(afford(1 << 20).is_ok());
    }
}
