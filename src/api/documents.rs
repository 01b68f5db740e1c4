//! Writing documents.

use super::given;
use crate::document::JsonbArg;
use crate::store::update;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// Inserts, replaces and deletes documents, all or none.
///
/// ```sql
/// SELECT session_update('stash', '[{"upsert": [{"session": {"id": 2002}}], "delete": ["2001"]}]');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_update(store: Option<&str>, ops: Option<JsonbArg<'_>>) -> Result<(), ErrorReport> {
    Ok(update::update(given("store", store)?, given("ops", ops)?.document())?)
}
