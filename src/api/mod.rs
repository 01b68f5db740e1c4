//! The SQL functions. Each checks that what must not be null is not, and hands on.
//!
//! A call costs as much as 10,000 operators, that is as 25 pages: a fraction of a millisecond, which is what short questions take. The
//! planner needs to know no more than that it is better not called for rows that nobody sees.

// An ErrorReport is large, and pgrx raises it as it stands only when it is returned by value.
#![allow(clippy::result_large_err)]

use crate::document::{JsonbArg, JsonbDatum};
use crate::error::{self, Error};
use crate::store::select::Window;
use crate::store::{admin, adopt, catalog, change_key, query, stream, update};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

mod internal;

/// A null is an error, and not a null in return: a misspelt variable must not look like an empty store.
fn given<T>(what: &'static str, argument: Option<T>) -> error::Result<T> {
    argument.ok_or(Error::Null(what))
}

/// Creates an empty store.
///
/// ```sql
/// SELECT session_add('stash', key => 'session.id', shards => 4);
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_add(
    store: Option<&str>,
    key: default!(Option<&str>, "'session.id'"),
    shards: default!(Option<i32>, 1),
    replicas: default!(Option<i32>, 1),
) -> Result<(), ErrorReport> {
    let (shards, replicas) = (given("shards", shards)?, given("replicas", replicas)?);
    Ok(admin::add(given("store", store)?, given("key", key)?, shards, replicas)?)
}

/// Inserts, replaces and deletes documents, all or none.
///
/// ```sql
/// SELECT session_update('stash', '[{"upsert": [{"session": {"id": 2002}}], "delete": ["2001"]}]');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_update(store: Option<&str>, ops: Option<JsonbArg<'_>>) -> Result<(), ErrorReport> {
    Ok(update::update(given("store", store)?, given("ops", ops)?.document())?)
}

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

/// Returns the matches of a query one row each, reading only as many as are asked for.
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
    // SAFETY: whatever returns an iterator is called so.
    let caller = unsafe { stream::Caller::of(call) };
    let (store, q) = (given("store", store)?, given("q", q)?);
    Ok(SetOfIterator::new(stream::Stream::open(caller, store, q, sort, window)?))
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

/// Lists the stores by name.
///
/// ```sql
/// SELECT name, documents, pg_size_pretty(bytes) FROM session_list();
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
#[allow(clippy::type_complexity)]
fn session_list() -> Result<
    TableIterator<
        'static,
        (
            name!(name, String),
            name!(key, String),
            name!(shards, i32),
            name!(replicas, i32),
            name!(copies, Option<i32>),
            name!(documents, Option<i64>),
            name!(bytes, Option<i64>),
            name!(created, TimestampWithTimeZone),
        ),
    >,
    ErrorReport,
> {
    let row = |s: catalog::Listed| {
        (s.name, s.key, s.shards, s.replicas, s.copies, s.documents, s.bytes, s.created)
    };
    Ok(TableIterator::new(catalog::list()?.into_iter().map(row)))
}

/// Moves a store's identity to another path and re-keys every document, all or none.
///
/// ```sql
/// SELECT session_key('stash', 'user.id');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_key(store: Option<&str>, key: Option<&str>) -> Result<(), ErrorReport> {
    Ok(change_key::change_key(given("store", store)?, given("key", key)?)?)
}

/// Makes a store of a table that the catalogue does not know, as after restoring a dump of schema sessions alone.
///
/// ```sql
/// SELECT session_adopt('stash', key => 'session.id');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_adopt(
    store: Option<&str>,
    key: default!(Option<&str>, "'session.id'"),
) -> Result<(), ErrorReport> {
    Ok(adopt::adopt(given("store", store)?, given("key", key)?)?)
}

/// Renames a store.
///
/// ```sql
/// SELECT session_rename('stash', 'stash_2024');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_rename(store: Option<&str>, name: Option<&str>) -> Result<(), ErrorReport> {
    Ok(admin::rename(given("store", store)?, given("name", name)?)?)
}

/// Removes a store and its documents.
///
/// ```sql
/// SELECT session_drop('stash');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_drop(store: Option<&str>) -> Result<(), ErrorReport> {
    Ok(admin::drop_store(given("store", store)?)?)
}

/// Shows how a query is understood, what an index answers of it, and its plan.
///
/// ```sql
/// SELECT jsonb_pretty(session_explain('stash', 'event.type:click'));
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_explain(
    store: Option<&str>,
    q: Option<&str>,
    sort: default!(Option<&str>, "NULL"),
) -> Result<pgrx::JsonB, ErrorReport> {
    Ok(pgrx::JsonB(query::explain(given("store", store)?, given("q", q)?, sort)?))
}
