//! The support functions of the operator class, as GIN calls them (PostgreSQL manual, "GIN Indexes:
//! Extensibility").

use super::key::Keys;
use super::query::IndexQuery;
use super::query_type;
use super::scan_key::PartialMatch;
use super::ternary::Ternary;
use crate::document::JsonbArg;
use crate::pg::fmgr::{Arguments, allocate, c_functions};
use crate::pg::varlena;
use pgrx::pg_sys;
use pgrx::{FromDatum, PgMemoryContexts, pg_guard};

c_functions! {
    pg_finfo_session_store_extract_value session_store_extract_value extract_value;
    pg_finfo_session_store_extract_query session_store_extract_query extract_query;
    pg_finfo_session_store_compare_partial session_store_compare_partial compare_partial;
    pg_finfo_session_store_consistent session_store_consistent consistent;
    pg_finfo_session_store_tri_consistent session_store_tri_consistent tri_consistent;
}

/// (jsonb, int32 *nkeys, bool **nullFlags) → keys
unsafe fn extract_value(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: GIN calls this with the arguments that the SQL declaration names: a jsonb and a
    // pointer to the number of keys.
    unsafe {
        let count = arguments.pointer::<i32>(1);
        let Some(doc) = JsonbArg::from_datum(arguments.datum(0), false) else {
            *count = 0;
            return pg_sys::Datum::null();
        };
        let mut keys = Keys::of(doc.document()).unwrap_or_else(|error| error.raise());
        let keys = keys.sorted().unwrap_or_else(|error| error.raise());
        *count = keys.len() as i32;
        pg_sys::Datum::from(varlena::build_all(keys.iter().copied()))
    }
}

/// What GIN keeps for each key of a query and hands back: the query, and the number of the key.
struct Extra {
    query: *const IndexQuery,
    key: usize,
}

/// The number of the operator `@@@@` in the operator class.
const MATCH_ALWAYS: u16 = 2;

/// (lucene_query, int32 *nkeys, strategy, bool **pmatch, Pointer **extra_data, bool **nullFlags,
/// int32 *searchMode) → keys
unsafe fn extract_query(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: GIN calls this with the arguments that the SQL declaration names. What is leaked
    // lives as long as the memory context that GIN calls in, which is that of its scan keys. Each
    // array is allocated with a place for every key.
    unsafe {
        let text = arguments.bytes(0);
        if arguments.datum(2).value() as u16 == MATCH_ALWAYS {
            query_type::refuse_now(text).unwrap_or_else(|error| error.raise());
        }
        let query = IndexQuery::new(&query_type::predicate(text));
        let count = query.keys.len();
        *arguments.pointer::<i32>(1) = count as i32;
        if query.is_empty() {
            return pg_sys::Datum::null();
        }
        let mut context = PgMemoryContexts::CurrentMemoryContext;
        let query: *const IndexQuery = context.leak_and_drop_on_delete(query);
        let extras = (0..count).map(|key| Extra { query, key }).collect::<Vec<_>>();
        let extras: *const Vec<Extra> = context.leak_and_drop_on_delete(extras);
        let (partial, pointers) = (allocate::<bool>(count), allocate::<pg_sys::Pointer>(count));
        for (at, scan_key) in (*query).keys.iter().enumerate() {
            *partial.add(at) = scan_key.is_range();
            *pointers.add(at) = (*extras).as_ptr().add(at).cast_mut().cast();
        }
        *arguments.pointer::<*mut bool>(3) = partial;
        *arguments.pointer::<*mut pg_sys::Pointer>(4) = pointers;
        pg_sys::Datum::from(varlena::build_all(
            (*query).keys.iter().map(|scan_key| scan_key.start()),
        ))
    }
}

/// (partial key, key of the index, strategy, extra_data) → below 0: skip it; 0: take it; above 0:
/// stop
unsafe fn compare_partial(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: GIN calls this with the arguments that the SQL declaration names, and hands back the
    // extra data that extract_query made. It lives as long as the scan keys.
    let found = unsafe {
        let extra = arguments.pointer::<Extra>(3);
        (&(*(*extra).query).keys)[(*extra).key].compare(arguments.bytes(1))
    };
    pg_sys::Datum::from(match found {
        PartialMatch::Skip => -1i32,
        PartialMatch::Take => 0,
        PartialMatch::Stop => 1,
    })
}

/// What the keys say of a document. The first key's extra data leads to the query.
unsafe fn evaluate(extras: *mut *mut Extra, has: impl Fn(usize) -> Ternary) -> Ternary {
    // SAFETY: the extra data are those that extract_query made, one for each key. GIN never calls
    // for a query without keys, so there is a first one.
    unsafe { (*(**extras).query).evaluate(&has) }
}

/// (bool check[], strategy, query, nkeys, extra_data[], bool *recheck, keys, nullFlags) → bool
unsafe fn consistent(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: GIN calls this with the arguments that the SQL declaration names. `check` has a place
    // for each key of the query.
    let truth = unsafe {
        let check = arguments.pointer::<bool>(0);
        let has = |key| if *check.add(key) { Ternary::Yes } else { Ternary::No };
        let truth = evaluate(arguments.pointer(4), has);
        *arguments.pointer::<bool>(5) = truth == Ternary::Maybe;
        truth
    };
    pg_sys::Datum::from(truth != Ternary::No)
}

/// (GinTernaryValue check[], strategy, query, nkeys, extra_data[], keys, nullFlags) →
/// GinTernaryValue
unsafe fn tri_consistent(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: GIN calls this with the arguments that the SQL declaration names. `check` has a place
    // for each key of the query.
    let truth = unsafe {
        let check = arguments.pointer::<pg_sys::GinTernaryValue>(0);
        evaluate(arguments.pointer(4), |key| match (*check.add(key)) as u32 {
            pg_sys::GIN_FALSE => Ternary::No,
            pg_sys::GIN_TRUE => Ternary::Yes,
            _ => Ternary::Maybe,
        })
    };
    pg_sys::Datum::from(match truth {
        Ternary::No => pg_sys::GIN_FALSE,
        Ternary::Maybe => pg_sys::GIN_MAYBE,
        Ternary::Yes => pg_sys::GIN_TRUE,
    })
}
