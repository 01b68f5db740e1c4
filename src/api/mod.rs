//! The SQL functions, one file a group. Each checks that no argument that is needed is null, and calls
//! `store`.
//!
//! `cost = 10000` says that a call costs as much as 10,000 calls of an operator or as reading 25 pages:
//! a fraction of a millisecond, which is what a short query takes. With it, the planner computes an
//! `ORDER BY … LIMIT` first and calls the function only for the rows that are left.

// An ErrorReport is large, and pgrx raises it as it stands only when it is returned by value.
#![allow(clippy::result_large_err)]

use crate::error::{self, Error};

mod documents;
mod explain;
mod internal;
mod query;
mod stores;

/// Returns an argument, or an error if it is null. It is not a null in return: a misspelt variable
/// must not look like an empty store.
fn given<T>(what: &'static str, argument: Option<T>) -> error::Result<T> {
    argument.ok_or(Error::Null(what))
}
