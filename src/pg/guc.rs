//! Settings that hold while statements of ours run. SET clauses of the SQL functions would do the
//! same, but the server would set and reset them in every call, and most calls run no statement.

use pgrx::pg_sys;
use std::ffi::CStr;

pub type Setting = (&'static CStr, &'static CStr);

/// JIT compilation does not pay: the only expensive expression in our statements is one call into
/// this extension, which cannot be compiled. With many partitions the cost estimate is high enough
/// to start the compiler, and it would have all those partitions to compile.
pub const NO_JIT: Setting = (c"jit", c"off");
/// Without a sort, documents come in the order of the table. A synchronized scan would start in the
/// middle, wherever another scan is at that time.
pub const FROM_THE_START: Setting = (c"synchronize_seqscans", c"off");
/// Citus tells of the rows that it copies and leaves, and warns of sizes that it does not compute.
pub const ONLY_ERRORS: Setting = (c"client_min_messages", c"error");
/// How PostgreSQL writes a string that holds a backslash.
pub const STANDARD_STRINGS: Setting = (c"standard_conforming_strings", c"on");
/// Names of PostgreSQL's own objects are shown without their schema, all others with it.
pub const ONLY_CATALOG: Setting = (c"search_path", c"pg_catalog");
/// session_query reads its items without parallel workers, so EXPLAIN must plan without them, too.
pub const NO_WORKERS: Setting = (c"max_parallel_workers_per_gather", c"0");

/// What a caller has written was told to the caller before a statement of ours has it again, in
/// another form or on other servers (Citus's worker_log_messages.c).
pub const QUIET: Setting = (c"session_store.notices", c"off");
pub const QUIET_WORKERS: Setting = (c"citus.worker_min_messages", c"warning");

/// Runs `work` under these settings, as a function with SET clauses does (fmgr.c,
/// fmgr_security_definer).
pub fn with_gucs<T>(settings: &[Setting], work: impl FnOnce() -> T) -> T {
    // SAFETY: names and values are C strings, and any user may set these settings. If `work` raises
    // an error, the aborting (sub)transaction resets them.
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
    // SAFETY: `level` was begun in this function.
    unsafe { pg_sys::AtEOXact_GUC(true, level) };
    result
}

/// The value of a setting, as SHOW tells it.
pub fn current(name: &CStr) -> Option<String> {
    // SAFETY: the name is a C string. The server returns none for a setting that it does not know
    // (missing_ok), or a C string that is valid until a setting changes; it is copied at once.
    unsafe {
        let value = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
    }
}

/// Bytes that one operation of a query may take (work_mem in config.sgml).
pub fn work_mem() -> usize {
    // SAFETY: reads a variable of this backend, which is in kilobytes and never negative.
    unsafe { pg_sys::work_mem as usize * 1024 }
}
