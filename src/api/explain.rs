//! Showing how a query is understood. `session_jsonpath` belongs here too, but is a function in SQL
//! (sql/finalize.sql) that calls `session_store.jsonpath_text`.

use super::given;
use crate::store::query;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

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
