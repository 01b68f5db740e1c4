//! Finding documents.

use super::given;
use crate::document::{JsonbArg, JsonbDatum};
use crate::store::select::Window;
use crate::store::{query, stream};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// Counts the matches of a query and returns a window of them.
///
/// ```sql
/// SELECT session_query('stash', 'event.type:click AND session.pages:[10 TO *]', sort => 'session.start desc', rows => 5, fl => 'session.id, event.*');
/// ```
#[pg_extern(name = "session_query", stable, parallel_restricted, cost = 10000)]
#[allow(clippy::too_many_arguments)]
fn session_query_json(
    store: Option<&str>,
    q: Option<&str>,
    sort: default!(Option<&str>, "NULL"),
    start: default!(Option<i64>, 0),
    rows: default!(Option<i64>, 10),
    fl: default!(Option<&str>, "NULL"),
    json: default!(Option<JsonbArg<'_>>, "NULL"),
) -> Result<JsonbDatum, ErrorReport> {
    let window = Window::new(start.unwrap_or(0), Some(rows.unwrap_or(10)))?;
    let json = json.map(JsonbArg::document);
    Ok(query::query(given("store", store)?, given("q", q)?, sort, window, fl, json)?)
}

/// session_query as it was up to version 0.5.0. Its symbol stays for databases in which the
/// extension was not updated yet.
#[pg_extern(sql = false)]
fn session_query(
    store: Option<&str>,
    q: Option<&str>,
    sort: Option<&str>,
    start: Option<i64>,
    rows: Option<i64>,
) -> Result<JsonbDatum, ErrorReport> {
    session_query_json(store, q, sort, start, rows, None, None)
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
#[pg_extern(name = "session_stream", stable, parallel_restricted, cost = 10000)]
fn session_stream_fl(
    store: Option<&str>,
    q: Option<&str>,
    sort: default!(Option<&str>, "NULL"),
    start: default!(Option<i64>, 0),
    rows: default!(Option<i64>, "NULL"),
    fl: default!(Option<&str>, "NULL"),
    call: pg_sys::FunctionCallInfo,
) -> Result<SetOfIterator<'static, JsonbDatum>, ErrorReport> {
    let window = Window::new(start.unwrap_or(0), rows)?;
    // SAFETY: a function that returns an iterator is called as a set-returning function, and this
    // runs in its first call only.
    let caller = unsafe { stream::Caller::of(call) };
    let (store, q) = (given("store", store)?, given("q", q)?);
    Ok(SetOfIterator::new(stream::Stream::open(caller, store, q, sort, window, fl)?))
}

/// session_stream as it was up to version 0.5.0; see `session_query`.
#[pg_extern(sql = false)]
fn session_stream(
    store: Option<&str>,
    q: Option<&str>,
    sort: Option<&str>,
    start: Option<i64>,
    rows: Option<i64>,
    call: pg_sys::FunctionCallInfo,
) -> Result<SetOfIterator<'static, JsonbDatum>, ErrorReport> {
    session_stream_fl(store, q, sort, start, rows, None, call)
}
