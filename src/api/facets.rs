//! Counting values: facets and statistics.

use super::given;
use crate::document::JsonbArg;
use crate::facet::value_to_json;
use crate::store::select::Window;
use crate::store::{facets, histogram, paths};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// Counts the matches of a query by value, interval or query, as Solr's JSON facets do.
///
/// ```sql
/// SELECT session_facets('stash', '*:*', '{"byType": {"type": "terms", "field": "event.type"}}');
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
fn session_facets(
    store: Option<&str>,
    q: Option<&str>,
    facet: Option<JsonbArg<'_>>,
) -> Result<pgrx::JsonB, ErrorReport> {
    let request = given("facet", facet)?.document();
    Ok(pgrx::JsonB(facets::facets(given("store", store)?, given("q", q)?, request)?))
}

/// Returns the values at a path among the matches of a query, each with how many documents have it.
///
/// ```sql
/// SELECT * FROM session_values('stash', '*:*', 'event.type');
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
#[allow(clippy::too_many_arguments)]
fn session_values(
    store: Option<&str>,
    q: Option<&str>,
    path: Option<&str>,
    rows: default!(Option<i64>, 10),
    start: default!(Option<i64>, 0),
    prefix: default!(Option<&str>, "NULL"),
    sort: default!(Option<&str>, "'count desc'"),
) -> Result<TableIterator<'static, (name!(value, pgrx::JsonB), name!(count, i64))>, ErrorReport> {
    let window = Window::new(start.unwrap_or(0), rows)?;
    let (store, q, path) = (given("store", store)?, given("q", q)?, given("path", path)?);
    let sort = sort.unwrap_or("count desc");
    let found = facets::values(store, q, path, prefix, sort, window)?;
    let row = |found: crate::facet::ValueCount| {
        (pgrx::JsonB(value_to_json(&found.value)), found.count as i64)
    };
    Ok(TableIterator::new(found.into_iter().map(row)))
}

/// Returns the statistics of the values at a path among the matches of a query.
///
/// ```sql
/// SELECT session_stats('stash', '*:*', 'session.pages');
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
fn session_stats(
    store: Option<&str>,
    q: Option<&str>,
    path: Option<&str>,
    percentiles: default!(Option<Vec<Option<f64>>>, "'{50,95,99}'"),
) -> Result<pgrx::JsonB, ErrorReport> {
    let percentiles: Option<Vec<f64>> = percentiles.unwrap_or_default().into_iter().collect();
    let percentiles = given("a percentile", percentiles)?;
    let (store, q, path) = (given("store", store)?, given("q", q)?, given("path", path)?);
    Ok(pgrx::JsonB(histogram::stats(store, q, path, &percentiles)?))
}

/// Counts the matches of a query by when: how many have an instant at a path in each unit of the
/// calendar.
///
/// ```sql
/// SELECT * FROM session_histogram('stash', '*:*', 'session.start', '1 month', 'Europe/Berlin');
/// ```
#[pg_extern(name = "session_histogram", stable, parallel_restricted, cost = 10000)]
#[allow(clippy::type_complexity)]
fn session_histogram_by_time(
    store: Option<&str>,
    q: Option<&str>,
    path: Option<&str>,
    step: Option<&str>,
    zone: default!(Option<&str>, "'UTC'"),
    since: default!(Option<&str>, "NULL"),
    until: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<'static, (name!(bucket, TimestampWithTimeZone), name!(count, i64))>,
    ErrorReport,
> {
    let (store, q, path) = (given("store", store)?, given("q", q)?, given("path", path)?);
    let calendar = (given("step", step)?, zone.unwrap_or("UTC"));
    let found = histogram::by_time(store, q, path, calendar, (since, until))?;
    Ok(TableIterator::new(found))
}

/// Counts the matches of a query by how much: how many have a number at a path in each interval.
///
/// ```sql
/// SELECT * FROM session_histogram('stash', '*:*', 'session.pages', 10);
/// ```
#[pg_extern(name = "session_histogram", stable, parallel_restricted, cost = 10000)]
#[allow(clippy::type_complexity)]
fn session_histogram_by_number(
    store: Option<&str>,
    q: Option<&str>,
    path: Option<&str>,
    step: Option<AnyNumeric>,
    since: default!(Option<AnyNumeric>, "NULL"),
    until: default!(Option<AnyNumeric>, "NULL"),
) -> Result<TableIterator<'static, (name!(bucket, AnyNumeric), name!(count, i64))>, ErrorReport> {
    let (store, q, path) = (given("store", store)?, given("q", q)?, given("path", path)?);
    let found = histogram::by_number(store, q, path, given("step", step)?, (since, until))?;
    Ok(TableIterator::new(found))
}

/// Lists the paths that documents have values at, and what there is at each.
///
/// ```sql
/// SELECT * FROM session_paths('stash', 'user.');
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
#[allow(clippy::type_complexity)]
fn session_paths(
    store: Option<&str>,
    prefix: default!(Option<&str>, "''"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(path, String),
            name!(documents, i64),
            name!(strings, i64),
            name!(numbers, i64),
            name!(booleans, i64),
            name!(values, i64),
            name!(multivalued, bool),
        ),
    >,
    ErrorReport,
> {
    let found = paths::paths(given("store", store)?, prefix.unwrap_or_default())?;
    let row = |found: paths::PathSummary| {
        let [numbers, strings, booleans] = found.types.map(|count| count as i64);
        let (documents, values) = (found.documents as i64, found.values as i64);
        (found.path, documents, strings, numbers, booleans, values, found.is_multivalued)
    };
    Ok(TableIterator::new(found.into_iter().map(row)))
}

/// The strings at a path that begin with a prefix, the most frequent first.
///
/// ```sql
/// SELECT * FROM session_suggest('stash', 'user.name', 'An');
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
fn session_suggest(
    store: Option<&str>,
    path: Option<&str>,
    prefix: Option<&str>,
    q: default!(Option<&str>, "'*:*'"),
    rows: default!(Option<i64>, 10),
) -> Result<TableIterator<'static, (name!(value, String), name!(count, i64))>, ErrorReport> {
    let (store, path) = (given("store", store)?, given("path", path)?);
    let (prefix, q) = (given("prefix", prefix)?, q.unwrap_or("*:*"));
    let found = facets::suggest(store, path, prefix, q, rows)?;
    let row = |found: crate::facet::ValueCount| {
        Some((crate::executor::text_of(&found.value)?.to_string(), found.count as i64))
    };
    Ok(TableIterator::new(found.into_iter().filter_map(row)))
}
