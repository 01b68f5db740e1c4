//! Counting values: facets and statistics.

use super::given;
use crate::document::JsonbArg;
use crate::facet::value_to_json;
use crate::store::facets;
use crate::store::select::Window;
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
