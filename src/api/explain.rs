//! Showing how a query is understood. `session_jsonpath` belongs here too, but is a function in SQL
//! (sql/finalize.sql) that calls `session_store.jsonpath_text`.

use super::given;
use crate::document::JsonbArg;
use crate::store::{query, why};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// Shows how a query is understood, what an index answers of it, and its plan.
///
/// ```sql
/// SELECT jsonb_pretty(session_explain('stash', 'event.type:click'));
/// ```
#[pg_extern(name = "session_explain", volatile, parallel_unsafe, cost = 10000)]
fn session_explain_json(
    store: Option<&str>,
    q: Option<&str>,
    sort: default!(Option<&str>, "NULL"),
    json: default!(Option<JsonbArg<'_>>, "NULL"),
) -> Result<pgrx::JsonB, ErrorReport> {
    let json = json.map(JsonbArg::document);
    Ok(pgrx::JsonB(query::explain(given("store", store)?, given("q", q)?, sort, json)?))
}

/// session_explain as it was up to version 0.5.0. Its symbol stays for databases in which the
/// extension was not updated yet.
#[pg_extern(sql = false)]
fn session_explain(
    store: Option<&str>,
    q: Option<&str>,
    sort: Option<&str>,
) -> Result<pgrx::JsonB, ErrorReport> {
    session_explain_json(store, q, sort, None)
}

/// Shows how many documents each clause of a query meets, and what is near those that meet none.
/// With an id, shows which clauses that session fails, and the values that it has there.
///
/// ```sql
/// SELECT jsonb_pretty(session_why('stash', 'event.type:Click'));
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
fn session_why(
    store: Option<&str>,
    q: Option<&str>,
    id: default!(Option<&str>, "NULL"),
) -> Result<pgrx::JsonB, ErrorReport> {
    Ok(pgrx::JsonB(why::why(given("store", store)?, given("q", q)?, id)?))
}
