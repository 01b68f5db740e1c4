//! C functions that the server calls by the rules of its function manager (fmgr.h).

use super::varlena::Varlena;
use pgrx::pg_sys;

/// C functions, and for each the record that tells PostgreSQL how it is called (fmgr.h: PG_FUNCTION_INFO_V1).
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
            // SAFETY: PostgreSQL calls with the arguments that sql/operator.sql declares, which are those of the manual.
            crate::memory::watched(|| unsafe { $body($crate::pg::fmgr::Arguments(fcinfo)) })
        }
    )* };
}
pub(crate) use c_functions;

/// The arguments of a call, none of them null: all functions are strict.
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
    /// There must be an argument of this number, counted from 0, and it must be of a type of variable
    /// length.
    pub unsafe fn bytes<'a>(self, number: usize) -> &'a [u8] {
        // SAFETY: the caller says that there is such an argument. It lives as long as the call, and so does
        // the memory context that functions are called in.
        unsafe { Varlena::new(self.datum(number)) }.bytes()
    }
}

/// Zeroed memory of the current context for so many of a type. A function may hand it to the server.
pub(crate) fn allocate<T>(count: usize) -> *mut T {
    // SAFETY: any size may be asked for; one that is not possible is an error that palloc0 raises.
    unsafe { pg_sys::palloc0(count.max(1) * size_of::<T>()).cast() }
}
