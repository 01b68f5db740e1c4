//! Functions that the server calls through its function manager (fmgr.h).

use super::varlena::Varlena;
use pgrx::pg_sys;

/// Defines C functions, and for each the record that tells PostgreSQL how to call it (fmgr.h:
/// PG_FUNCTION_INFO_V1).
macro_rules! c_functions {
    ($($info:ident $name:ident $body:ident;)*) => { $(
        #[unsafe(no_mangle)]
        #[doc(hidden)]
        pub extern "C" fn $info() -> &'static pg_sys::Pg_finfo_record {
            &pg_sys::Pg_finfo_record { api_version: 1 }
        }

        #[unsafe(no_mangle)]
        #[doc(hidden)]
        #[pg_guard]
        pub unsafe extern "C-unwind" fn $name(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
            crate::memory::check();
            // SAFETY: PostgreSQL passes the arguments that sql/operator.sql declares for the
            // function.
            crate::memory::watched(|| unsafe { $body($crate::pg::fmgr::Arguments(fcinfo)) })
        }
    )* };
}
pub(crate) use c_functions;

/// The arguments of a call. None is null, because all these functions are strict.
#[derive(Clone, Copy)]
pub(crate) struct Arguments(pub pg_sys::FunctionCallInfo);

impl Arguments {
    /// # Safety
    /// There must be an argument of this number, counted from 0.
    pub unsafe fn datum(self, number: usize) -> pg_sys::Datum {
        // SAFETY: a call has a place for each argument that its function is declared with.
        unsafe { (*(*self.0).args.as_ptr().add(number)).value }
    }

    /// # Safety
    /// There must be an argument of this number, counted from 0, and it must be a pointer to a `T`.
    pub unsafe fn pointer<T>(self, number: usize) -> *mut T {
        // SAFETY: the caller says that there is such an argument.
        unsafe { self.datum(number) }.cast_mut_ptr()
    }

    /// # Safety
    /// There must be an argument of this number, counted from 0, and it must be of a type of
    /// variable length.
    pub unsafe fn bytes<'a>(self, number: usize) -> &'a [u8] {
        // SAFETY: the caller says that there is such an argument. It lives as long as the call, and
        // so does the memory context in which the function runs.
        unsafe { Varlena::new(self.datum(number)) }.bytes()
    }
}

/// Zeroed memory for `count` values, in the current memory context.
pub(crate) fn allocate<T>(count: usize) -> *mut T {
    // SAFETY: palloc0 takes any size, and raises an error if it has no room for it.
    unsafe { pg_sys::palloc0(count.max(1) * size_of::<T>()).cast() }
}
