//! C functions that the server calls by the rules of its function manager (fmgr.h).

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
    /// There must be an argument of this number, from 0.
    pub unsafe fn datum(self, number: usize) -> pg_sys::Datum {
        // SAFETY: as above.
        unsafe { (*(*self.0).args.as_ptr().add(number)).value }
    }

    /// # Safety
    /// As for `datum`, and it must be a pointer to a `T`.
    pub unsafe fn pointer<T>(self, number: usize) -> *mut T {
        // SAFETY: as above.
        unsafe { self.datum(number) }.cast_mut_ptr()
    }

    /// # Safety
    /// As for `datum`, and it must be of a type that is a varlena of bytes.
    pub unsafe fn bytes<'a>(self, number: usize) -> &'a [u8] {
        // SAFETY: a detoasted value lives as long as the call, at least.
        unsafe {
            let varlena = self.datum(number).cast_mut_ptr::<pg_sys::varlena>();
            // A call into the server costs more than the rest of a short match.
            let is_plain = pgrx::varatt_is_4b_u(varlena)
                || pgrx::varatt_is_1b(varlena) && !pgrx::varatt_is_1b_e(varlena);
            let varlena = if is_plain { varlena } else { pg_sys::pg_detoast_datum_packed(varlena) };
            std::slice::from_raw_parts(
                pgrx::vardata_any(varlena).cast::<u8>(),
                pgrx::varsize_any_exhdr(varlena),
            )
        }
    }
}
