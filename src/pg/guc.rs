//! Settings that hold while statements of ours run. As SET clauses of the functions they would be made, and taken back, for each call,
//! most of which the planner has no part in.

use pgrx::pg_sys;
use std::ffi::CStr;

pub type Setting = (&'static CStr, &'static CStr);

/// A condition here is one call into this extension, in which there is nothing to compile; and of a store in many partitions, a plan
/// costs as much as one that is worth compiling, and has far more to compile.
pub const NO_JIT: Setting = (c"jit", c"off");
/// Without a sort, documents come in the table's order. A synchronized scan would start wherever another one is just now.
pub const FROM_THE_START: Setting = (c"synchronize_seqscans", c"off");
/// session_query reads its items without parallel workers; EXPLAIN must plan as it does.
pub const NO_WORKERS: Setting = (c"max_parallel_workers_per_gather", c"0");

/// Does some work under these settings, as a function with SET clauses does (fmgr.c, fmgr_security_definer).
pub fn with_gucs<T>(settings: &[Setting], work: impl FnOnce() -> T) -> T {
    // SAFETY: names and values are C strings, and any user may set them. Should an error pass through, the aborting
    // (sub)transaction takes them back.
    let level = unsafe {
        let level = pg_sys::NewGUCNestLevel();
        for (name, value) in settings {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
        level
    };
    let result = work();
    // SAFETY: the level begun above.
    unsafe { pg_sys::AtEOXact_GUC(true, level) };
    result
}
