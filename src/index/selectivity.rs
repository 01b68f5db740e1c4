//! How many documents a query finds, for the planner.

use super::opclass::{Arguments, c_functions};
use pgrx::{IntoDatum, pg_guard, pg_sys};

c_functions! {
    pg_finfo_session_store_selectivity session_store_selectivity selectivity;
}

/// (PlannerInfo *, operator, arguments, varRelid) → fraction
unsafe fn selectivity(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; the arguments are handed on as they came (selfuncs.c).
    let fraction = unsafe {
        pg_sys::generic_restriction_selectivity(
            arguments.pointer(0),
            pg_sys::Oid::from(arguments.datum(1).value() as u32),
            (*arguments.0).fncollation,
            arguments.pointer(2),
            arguments.datum(3).value() as i32,
            0.01,
        )
    };
    fraction.into_datum().unwrap_or(pg_sys::Datum::null())
}
