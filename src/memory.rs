//! What happens when the system has no more memory for this library's code.
//!
//! By default, Rust ends the process when an allocation fails (std::alloc::handle_alloc_error), by
//! a signal. The server would then end all sessions and recover. PostgreSQL itself raises error
//! 53200 instead. An allocator cannot do that: to unwind out of `GlobalAlloc::alloc` is undefined
//! behaviour, also by longjmp, because the compiler relies on its return, and the code that
//! allocates is in the middle of changes that nobody would complete. Memory from the server's
//! memory contexts (palloc) does not help: its errors are such jumps. So an allocation that fails
//! ends in one of these ways, each of which is sound:
//!
//! - Where the size comes from data and may be large, `reserve`, `try_reserve` or `afford` try
//!   first, and a refusal is an ordinary error.
//! - Every other allocation is served from a reserve. This is some megabytes of address space,
//!   which cost nothing until they are used. They are returned to the system, which is then asked
//!   again. The allocation succeeds, and the next `check` (where interrupts are taken) raises the
//!   error, unless the reserve can be had again by then. There Rust unwinds as it should, and the
//!   memory that is freed on the way makes the reserve whole again.
//! - If the reserve is not enough, no more Rust code runs: the session ends with FATAL 53200, as
//!   the server ends one itself (ipc.c, proc_exit). Its locks and shared memory are released, and
//!   other sessions go on.
//!
//! The server's own error 53200 needs memory too, on its way through Rust and for the abort. So the
//! reserve is returned as soon as one is raised (`watched`).
//!
//! Between two checks there is little to allocate: a page of an index, a document, a clause of a
//! query.

use crate::error::{Error, Result};
use crate::pg::{error_data, versions};
use pgrx::pg_sys;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::TryReserveError;
use std::ffi::{c_char, c_int};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

/// Serves allocations between two checks. 4 MB is far more than a page, a document or a clause
/// takes.
static RESERVE: Reservation = Reservation::new(4 << 20);
/// 512 kB for raising the error itself, and for the server to report it.
static ERROR_RESERVE: Reservation = Reservation::new(512 << 10);
/// Whether the code that allocates now can handle a refusal.
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

    /// Takes the address space if it is not there. Returns whether it is there now.
    fn fill(&self) -> bool {
        if self.is_there() {
            return true;
        }
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: asks for a new mapping of no file, wherever the system has room for it. It
        // touches no memory that exists.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), self.bytes, protection, flags, -1, 0) };
        if at == libc::MAP_FAILED {
            return false;
        }
        self.at.store(at, Relaxed);
        true
    }

    /// Returns the address space to the system. Returns whether there was any.
    fn release(&self) -> bool {
        let at = self.at.swap(std::ptr::null_mut(), Relaxed);
        // SAFETY: `fill` mapped so many bytes at this address. The address has just been taken out,
        // so nobody else unmaps them, and nothing was ever stored there.
        !at.is_null() && unsafe { libc::munmap(at, self.bytes) } == 0
    }
}

/// Takes the reserve when the library is loaded. If that fails, the first check says so.
pub fn init() {
    let _ = ERROR_RESERVE.fill() && RESERVE.fill();
    versions::watch_executor();
}

/// Takes interrupts, and raises an error if memory has run out since the last check.
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

/// Must be called where an error begins. It frees the memory that the error needs on its way to the
/// server, and that the server needs for its abort. The error may be the server's own 53200, which
/// has not touched the reserve.
pub fn make_room_for_error() {
    ERROR_RESERVE.release();
    RESERVE.release();
}

/// Does some work in which the server may raise an error, above all one that runs code of users. The
/// error comes through Rust with all that it says (pg/error_data.rs).
///
/// The server may also run out of memory. pgrx copies that error on its way through Rust
/// (pg_guard_ffi_boundary), and there must be memory for that. So the reserve is returned as soon
/// as the error is raised.
#[inline]
pub fn watched<T>(work: impl FnOnce() -> T) -> T {
    struct Unwatched {
        previous: *mut pg_sys::ErrorContextCallback,
        is_done: bool,
    }
    impl Drop for Unwatched {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: the stack is a global of the server's one thread. The callback that goes back
            // onto it was on it before the work began, so it outlives the work, and the callers of
            // this function up to where the error is raised again.
            unsafe {
                if self.is_done {
                    pg_sys::error_context_stack = self.previous;
                } else {
                    error_data::restore_after(self.previous);
                }
            }
        }
    }
    let mut watch = watch();
    let mut unwatched = Unwatched { previous: watch.previous, is_done: false };
    // SAFETY: the stack is a global of the server's one thread. `watch` lives in this frame, and
    // `unwatched` takes it off the stack before the frame ends, also when an error unwinds it.
    unsafe {
        watch.arg = (&raw mut watch).cast();
        pg_sys::error_context_stack = &raw mut watch;
    }
    let result = work();
    unwatched.is_done = true;
    result
}

/// An entry for the stack of callbacks that the server calls when it reports an error (elog.h). That
/// of `watched` has its own address as its argument.
pub fn watch() -> pg_sys::ErrorContextCallback {
    // SAFETY: reads a global of the server's one thread.
    let previous = unsafe { pg_sys::error_context_stack };
    pg_sys::ErrorContextCallback { previous, callback: Some(on_error), arg: std::ptr::null_mut() }
}

/// Called while the server reports an error or a notice (elog.c, errfinish).
unsafe extern "C-unwind" fn on_error(watch: *mut std::ffi::c_void) {
    // SAFETY: the server calls this while a report is under way, which is all that geterrcode
    // needs. The entries of the stack are alive.
    unsafe {
        if geterrcode() == pgrx::PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as c_int {
            make_room_for_error();
            error_data::forget();
            return;
        }
        // The error is caught within the innermost work that is watched. Until then, its CONTEXT
        // has what the callbacks above this one have added, and those below have their turn again
        // when it is raised again.
        let mut innermost = pg_sys::error_context_stack;
        while !innermost.is_null() && (*innermost).arg != innermost.cast() {
            innermost = (*innermost).previous;
        }
        if !innermost.is_null() && watch == innermost.cast() {
            error_data::keep();
        }
    }
}

/// Makes room whose size comes from data, by one of the standard library's `try_reserve` methods.
/// `bytes` is how much it asks for, and is shown in the error if there is no room.
pub fn try_reserve(
    bytes: usize,
    reserve: impl FnOnce() -> std::result::Result<(), TryReserveError>,
) -> Result<()> {
    CAN_FAIL.store(true, Relaxed);
    let reserved = reserve();
    CAN_FAIL.store(false, Relaxed);
    reserved.map_err(|_| Error::OutOfMemory { bytes })
}

/// Makes room in a list for `more` elements.
pub fn reserve<T>(list: &mut Vec<T>, more: usize) -> Result<()> {
    if list.capacity() - list.len() >= more {
        return Ok(());
    }
    let bytes = list.len().saturating_add(more).saturating_mul(size_of::<T>());
    try_reserve(bytes, || list.try_reserve(more))
}

/// Returns an error if the system does not have so many bytes. For work that allocates them in
/// small pieces and cannot handle a refusal of one.
pub fn afford(bytes: usize) -> Result<()> {
    if bytes <= RESERVE.bytes { Ok(()) } else { reserve(&mut Vec::<u8>::new(), bytes) }
}

/// The system's allocator with a reserve behind it.
struct Allocator;

// SAFETY: every block comes from the system's allocator and goes back to it with the same layout. A
// request that it refuses is repeated, or the refusal is handed on as a null pointer, as
// GlobalAlloc allows.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps GlobalAlloc's contract, which is also the system allocator's.
        let allocate = || unsafe { System.alloc(layout) };
        or_from_reserve(allocate(), allocate, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps GlobalAlloc's contract, which is also the system allocator's.
        let allocate = || unsafe { System.alloc_zeroed(layout) };
        or_from_reserve(allocate(), allocate, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps GlobalAlloc's contract, which is also the system allocator's.
        // Where that refuses, it leaves the block as it is, so the same request can be repeated.
        let allocate = || unsafe { System.realloc(block, layout, size) };
        or_from_reserve(allocate(), allocate, size)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps GlobalAlloc's contract, which is also the system allocator's.
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
        // SAFETY: a flag of the server's that signal handlers set in the same way. Loops that look
        // at it before they check for interrupts will do so now.
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

/// Never returns, and unwinds nothing: the server's code runs on top of the stack until the process
/// exits.
#[cold]
fn end_session(bytes: usize) -> ! {
    make_room_for_error();
    // SAFETY: this runs in the server's one thread, as all of this library. With FATAL, errfinish
    // calls proc_exit, which aborts the transaction. The abort would drop Rust values that memory
    // contexts own, perhaps in the middle of a change to them, so their callbacks are removed
    // first. If the server runs out of memory on this way, its error must not jump back into Rust:
    // without a place to jump to, that error is FATAL too (elog.c, errstart).
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

/// Lets a memory context and those below it be freed without calling their callbacks. All that
/// these callbacks clean up belongs to this process, which ends.
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
