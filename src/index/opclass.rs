//! The support functions of the operator class, as GIN calls them (PostgreSQL manual, "GIN Indexes: Extensibility").

use super::key::Keys;
use super::operator;
use super::query::{Query, Step};
use super::span::Truth;
use crate::document::JsonbArg;
use pgrx::pg_sys;
use pgrx::{FromDatum, PgMemoryContexts, pg_guard};

/// The C functions below, and for each the record that tells PostgreSQL how it is called (fmgr.h: PG_FUNCTION_INFO_V1).
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
            crate::memory::watched(|| unsafe { $body(Arguments(fcinfo)) })
        }
    )* };
}
pub(crate) use c_functions;

c_functions! {
    pg_finfo_session_store_extract_value session_store_extract_value extract_value;
    pg_finfo_session_store_extract_query session_store_extract_query extract_query;
    pg_finfo_session_store_compare_partial session_store_compare_partial compare_partial;
    pg_finfo_session_store_consistent session_store_consistent consistent;
    pg_finfo_session_store_tri_consistent session_store_tri_consistent tri_consistent;
}

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

/// palloc for so many of a type.
unsafe fn allocate<T>(count: usize) -> *mut T {
    // SAFETY: any size may be asked for; an impossible one is an error of PostgreSQL's.
    unsafe { pg_sys::palloc0(count.max(1) * size_of::<T>()).cast() }
}

/// Keys as bytea values, in one piece of memory.
unsafe fn byteas<'k>(keys: impl ExactSizeIterator<Item = &'k [u8]> + Clone) -> *mut pg_sys::Datum {
    /// postgres.h: VARATT_SHORT_MAX
    const SHORT_MAX: usize = 0x7F;
    let size = |key: &[u8]| if key.len() < SHORT_MAX { 1 + key.len() } else { 4 + key.len() };
    let total: usize = keys.clone().map(|key| size(key).next_multiple_of(4)).sum();
    // SAFETY: within the memory just allocated: each key takes its size and is followed by at most 3 bytes.
    unsafe {
        let datums = allocate::<pg_sys::Datum>(keys.len());
        let mut at = allocate::<u8>(total);
        for (number, key) in keys.enumerate() {
            let size = size(key);
            if key.len() < SHORT_MAX {
                pgrx::set_varsize_short(at.cast(), size as i32);
            } else {
                pgrx::set_varsize_4b(at.cast(), size as i32);
            }
            std::ptr::copy_nonoverlapping(key.as_ptr(), at.add(size - key.len()), key.len());
            *datums.add(number) = pg_sys::Datum::from(at);
            at = at.add(size.next_multiple_of(4));
        }
        datums
    }
}

/// (jsonb, int32 *nkeys, bool **nullFlags) → keys
unsafe fn extract_value(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared.
    unsafe {
        let count = arguments.pointer::<i32>(1);
        let Some(doc) = JsonbArg::from_datum(arguments.datum(0), false) else {
            *count = 0;
            return pg_sys::Datum::null();
        };
        let mut keys = Keys::of(doc.document()).unwrap_or_else(|error| error.raise());
        let keys = keys.sorted().unwrap_or_else(|error| error.raise());
        *count = keys.len() as i32;
        pg_sys::Datum::from(byteas(keys.iter().copied()))
    }
}

/// What GIN keeps for each key of a query and hands back: the query, and which key of it this is.
struct Extra {
    query: *const Query,
    key: usize,
}

/// (lucene_query, int32 *nkeys, strategy, bool **pmatch, Pointer **extra_data, bool **nullFlags, int32 *searchMode) → keys
unsafe fn extract_query(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared. What is leaked lives as long as the memory context that GIN calls in, which is that of its scan keys.
    unsafe {
        let query = Query::new(&operator::predicate(arguments.bytes(0)));
        let count = query.keys.len();
        *arguments.pointer::<i32>(1) = count as i32;
        if query.is_none() {
            return pg_sys::Datum::null();
        }
        let mut context = PgMemoryContexts::CurrentMemoryContext;
        let query: *const Query = context.leak_and_drop_on_delete(query);
        let extras = (0..count).map(|key| Extra { query, key }).collect::<Vec<_>>();
        let extras: *const Vec<Extra> = context.leak_and_drop_on_delete(extras);
        let (partial, pointers) = (allocate::<bool>(count), allocate::<pg_sys::Pointer>(count));
        for (at, asked) in (*query).keys.iter().enumerate() {
            *partial.add(at) = asked.is_span();
            *pointers.add(at) = (*extras).as_ptr().add(at).cast_mut().cast();
        }
        *arguments.pointer::<*mut bool>(3) = partial;
        *arguments.pointer::<*mut pg_sys::Pointer>(4) = pointers;
        pg_sys::Datum::from(byteas((*query).keys.iter().map(|asked| asked.start())))
    }
}

/// (partial key, key of the index, strategy, extra_data) → below 0: pass it by; 0: take it; above 0: stop
unsafe fn compare_partial(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; GIN hands back what extract_query made.
    let step = unsafe {
        let extra = arguments.pointer::<Extra>(3);
        (&(*(*extra).query).keys)[(*extra).key].step(arguments.bytes(1))
    };
    pg_sys::Datum::from(match step {
        Step::Pass => -1i32,
        Step::Take => 0,
        Step::Stop => 1,
    })
}

/// What the keys say of a document; the first key's extra data leads to the query.
unsafe fn truth(extras: *mut *mut Extra, has: impl Fn(usize) -> Truth) -> Truth {
    // SAFETY: as above; a query without keys is never asked.
    unsafe { (*(**extras).query).truth(&has) }
}

/// (bool check[], strategy, query, nkeys, extra_data[], bool *recheck, keys, nullFlags) → bool
unsafe fn consistent(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; `check` has a place for each key.
    let truth = unsafe {
        let check = arguments.pointer::<bool>(0);
        let has = |key| if *check.add(key) { Truth::Yes } else { Truth::No };
        let truth = truth(arguments.pointer(4), has);
        *arguments.pointer::<bool>(5) = truth == Truth::Maybe;
        truth
    };
    pg_sys::Datum::from(truth != Truth::No)
}

/// (GinTernaryValue check[], strategy, query, nkeys, extra_data[], keys, nullFlags) → GinTernaryValue
unsafe fn tri_consistent(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; `check` has a place for each key.
    let truth = unsafe {
        let check = arguments.pointer::<pg_sys::GinTernaryValue>(0);
        truth(arguments.pointer(4), |key| match (*check.add(key)) as u32 {
            pg_sys::GIN_FALSE => Truth::No,
            pg_sys::GIN_TRUE => Truth::Yes,
            _ => Truth::Maybe,
        })
    };
    pg_sys::Datum::from(match truth {
        Truth::No => pg_sys::GIN_FALSE,
        Truth::Maybe => pg_sys::GIN_MAYBE,
        Truth::Yes => pg_sys::GIN_TRUE,
    })
}
