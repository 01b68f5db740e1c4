//! The SQL functions, one file for each group. Each function checks that no required argument is
//! null, and calls `store`.
//!
//! `cost = 10000` tells the planner that a call costs as much as 10,000 operator calls, or as
//! reading 25 pages: a fraction of a millisecond, which is what a short query takes. The planner
//! then does not call the function for rows that an `ORDER BY … LIMIT` removes.

// An ErrorReport is large, and pgrx raises it unchanged only if it is returned by value.
#![allow(clippy::result_large_err)]

use crate::error::{self, Error};

mod documents;
mod explain;
mod facets;
mod internal;
mod query;
mod stores;

/// Returns an argument, or an error if it is null. The functions do not return null for null,
/// because a misspelt variable must not look like an empty store.
fn given<T>(what: &'static str, argument: Option<T>) -> error::Result<T> {
    argument.ok_or(Error::Null(what))
}
