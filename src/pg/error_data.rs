//! Brings the errors that PostgreSQL raises beneath us through Rust with all that they say.
//!
//! pgrx catches such an error where it reaches Rust (pg_guard_ffi_boundary), unwinds Rust's frames
//! and raises it again for the caller (do_ereport). Of the server's ErrorData it carries along the
//! message, DETAIL, HINT and the place in the server's code, and the SQLSTATE if the server itself
//! defines it: one that a user has chosen (RAISE … USING ERRCODE) becomes XX000. CONTEXT, positions
//! and the names of a constraint and the like are lost. So `memory::watched` calls
//!
//! 1. `keep` when the error is reported first. It copies the ErrorData.
//! 2. `restore_after` while the error unwinds. It leaves a callback on the stack of error contexts,
//!    which is called when pgrx raises the error again, and gives it what was copied.
//!
//! `catch` takes that callback off the stack again, by the normal end of `memory::watched`.

use crate::error::{Error, Result};
use crate::memory;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::{CaughtError, ErrorReportWithLevel};
use std::any::Any;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// What is known of the last error that passed, in TopMemoryContext.
static KEPT: AtomicPtr<pg_sys::ErrorData> = AtomicPtr::new(ptr::null_mut());

/// The entry for the stack of error contexts. It outlives the frames that an error unwinds.
static mut RESTORER: pg_sys::ErrorContextCallback = pg_sys::ErrorContextCallback {
    previous: ptr::null_mut(),
    callback: Some(restore),
    arg: ptr::null_mut(),
};

unsafe extern "C-unwind" {
    // elog.h. pgrx does not bind the most of these, and puts a guard around the others, whose panic
    // must not pass through the server's frames.
    fn CopyErrorData() -> *mut pg_sys::ErrorData;
    fn FreeErrorData(error: *mut pg_sys::ErrorData);
    fn errcode(code: c_int) -> c_int;
    fn errmsg_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_log(format: *const c_char, ...) -> c_int;
    fn errhint(format: *const c_char, ...) -> c_int;
    fn errcontext_msg(format: *const c_char, ...) -> c_int;
    fn errhidestmt(hide: bool) -> c_int;
    fn errhidecontext(hide: bool) -> c_int;
    fn errposition(position: c_int) -> c_int;
    fn internalerrposition(position: c_int) -> c_int;
    fn internalerrquery(query: *const c_char) -> c_int;
    fn err_generic_string(field: c_int, text: *const c_char) -> c_int;
}

/// Does some work, and returns an error of ours in place of one that the server raises in it.
pub fn catch<T>(
    work: impl FnOnce() -> Result<T>,
    ours: impl FnOnce(&ErrorReportWithLevel) -> Option<Error>,
) -> Result<T> {
    memory::watched(|| {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let error = match panic.downcast_ref() {
                Some(CaughtError::PostgresError(error)) => ours(error),
                _ => None,
            };
            error.map_or_else(|| resume_unwind(panic), Err)
        })
    })
}

/// Keeps the error that the server is reporting. A notice is left alone.
///
/// # Safety
/// The caller must be a callback of the stack of error contexts.
pub unsafe fn keep() {
    // SAFETY: the server calls the callback while an error is on its stack of errors.
    let error = unsafe { copy() };
    // SAFETY: the copy is nobody else's.
    if unsafe { (*error).elevel } == pgrx::PgLogLevel::ERROR as c_int {
        free(KEPT.swap(error, Relaxed));
    } else {
        free(error);
    }
}

/// Forgets the error that was kept, unless it is the one that Rust's frames are being unwound for.
pub fn forget_unless(panic: &(dyn Any + Send)) {
    // SAFETY: what is kept is a copy that lives until it is replaced.
    let kept = unsafe { KEPT.load(Relaxed).as_ref() };
    let is_kept = match (kept, panic.downcast_ref()) {
        (Some(kept), Some(CaughtError::PostgresError(error))) => is_same(kept, error),
        _ => false,
    };
    if !is_kept {
        forget();
    }
}

/// Whether an error that pgrx has caught is the one that was kept.
fn is_same(kept: &pg_sys::ErrorData, error: &ErrorReportWithLevel) -> bool {
    // SAFETY: the message of an error is a C string, or missing.
    let message = (!kept.message.is_null()).then(|| unsafe { CStr::from_ptr(kept.message) });
    error.line_number() as c_int == kept.lineno
        && message.is_some_and(|message| message.to_string_lossy() == error.message())
}

/// Forgets the error that was kept.
pub fn forget() {
    free(KEPT.swap(ptr::null_mut(), Relaxed));
}

/// Sets the stack of error contexts to what it was before some work that an error has ended, and
/// the callback on top of it.
///
/// # Safety
/// The entry must be one of the stack, or null, and live until the error is raised again.
pub unsafe fn restore_after(previous: *mut pg_sys::ErrorContextCallback) {
    let restorer = &raw mut RESTORER;
    // SAFETY: both are globals of the server's one thread. Who catches the error that is raised
    // again restores its own stack.
    unsafe {
        if previous != restorer {
            (*restorer).previous = previous;
        }
        pg_sys::error_context_stack = restorer;
    }
}

/// Called while the server reports the error that pgrx raises again, before the callbacks of those
/// that the error has yet to pass. They add to its CONTEXT.
unsafe extern "C-unwind" fn restore(_: *mut c_void) {
    let kept = KEPT.load(Relaxed);
    if kept.is_null() {
        return;
    }
    // SAFETY: the server calls this while an error is on its stack of errors, into which these
    // functions write. What is kept is a copy with C strings or null pointers in it.
    unsafe {
        // A destructor may send a notice while Rust's frames are unwound.
        let raised = copy();
        let is_again = (*raised).elevel == (*kept).elevel && (*raised).lineno == (*kept).lineno;
        free(raised);
        if !is_again {
            return;
        }
        let kept = &*kept;
        errcode(kept.sqlerrcode);
        // pgrx reads texts as UTF-8, which they are not in every database.
        set(errmsg_internal, kept.message);
        set(errdetail_internal, kept.detail);
        set(errdetail_log, kept.detail_log);
        set(errhint, kept.hint);
        set(errcontext_msg, kept.context);
        errhidestmt(kept.hide_stmt);
        errhidecontext(kept.hide_ctx);
        errposition(kept.cursorpos);
        internalerrposition(kept.internalpos);
        if !kept.internalquery.is_null() {
            internalerrquery(kept.internalquery);
        }
        for (field, text) in [
            (b's', kept.schema_name), // postgres_ext.h: PG_DIAG_SCHEMA_NAME and so on
            (b't', kept.table_name),
            (b'c', kept.column_name),
            (b'd', kept.datatype_name),
            (b'n', kept.constraint_name),
        ] {
            if !text.is_null() {
                err_generic_string(field.into(), text);
            }
        }
    }
    forget();
}

/// Calls one of the functions that write a text into the error.
unsafe fn set(
    write: unsafe extern "C-unwind" fn(*const c_char, ...) -> c_int,
    text: *const c_char,
) {
    if !text.is_null() {
        // SAFETY: the format asks for one C string.
        unsafe { write(c"%s".as_ptr(), text) };
    }
}

/// A copy of the error that the server is reporting.
///
/// # Safety
/// The server must be reporting one. If it has no memory for the copy, that error passes this
/// function by a jump, and neither it nor its callers may have anything to drop.
unsafe fn copy() -> *mut pg_sys::ErrorData {
    // SAFETY: a copy in ErrorContext, which is the current one, would be lost when the error is
    // caught. Who catches the error of a lack of memory restores its own current context.
    unsafe {
        let current = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = pg_sys::TopMemoryContext;
        let error = CopyErrorData();
        pg_sys::CurrentMemoryContext = current;
        error
    }
}

fn free(error: *mut pg_sys::ErrorData) {
    if !error.is_null() {
        // SAFETY: the copies that this module makes are freed here alone, and only once.
        unsafe { FreeErrorData(error) };
    }
}
