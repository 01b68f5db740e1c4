//! Finding documents.

use super::given;
use crate::document::JsonbDatum;
use crate::store::select::Window;
use crate::store::{query, stream};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// Counts the matches of a query and returns a window of them.
///
/// ```sql
/// SELECT session_query('stash', 'event.type:click AND session.pages:[10 TO *]', sort => 'session.start desc', rows => 5);
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
fn session_query(
    store: Option<&str>,
    q: Option<&str>,
    sort: default!(Option<&str>, "NULL"),
    start: default!(Option<i64>, 0),
    rows: default!(Option<i64>, 10),
) -> Result<JsonbDatum, ErrorReport> {
    let window = Window::new(start.unwrap_or(0), Some(rows.unwrap_or(10)))?;
    Ok(query::query(given("store", store)?, given("q", q)?, sort, window)?)
}

/// Counts the matches of a query.
///
/// ```sql
/// SELECT session_count('stash', '*:*');
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
fn session_count(store: Option<&str>, q: Option<&str>) -> Result<i64, ErrorReport> {
    Ok(query::count(given("store", store)?, given("q", q)?)?)
}

/// Returns the matches of a query, one row each. It reads only as many as are fetched.
///
/// ```sql
/// SELECT session_stream('stash', 'event.type:click') LIMIT 10;
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
fn session_stream(
    store: Option<&str>,
    q: Option<&str>,
    sort: default!(Option<&str>, "NULL"),
    start: default!(Option<i64>, 0),
    rows: default!(Option<i64>, "NULL"),
    call: pg_sys::FunctionCallInfo,
) -> Result<SetOfIterator<'static, JsonbDatum>, ErrorReport> {
    let window = Window::new(start.unwrap_or(0), rows)?;
    // SAFETY: a function that returns an iterator is called as a set-returning function, and this
    // runs in its first call only.
    let caller = unsafe { stream::Caller::of(call) };
    let (store, q) = (given("store", store)?, given("q", q)?);
    Ok(SetOfIterator::new(stream::Stream::open(caller, store, q, sort, window)?))
}
