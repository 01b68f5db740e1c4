//! The CHECK constraint that a document is an object and that the `id` of its row is its identity,
//! whoever writes it. A document with another id would be a second one of the same session, which
//! session_update would never find. A document without a value at the path may have any id; one with
//! several, or with a value that is no identity, may have none, so that the shard of a match follows
//! from a query for one identity (identity::of_matches).
//!
//! PostgreSQL reads the condition of each constraint from its text for every statement that writes
//! (execMain.c, ExecRelCheck). So there is only one, and it is as short as can be.

use super::name::Name;
use crate::error::{Error, Result};
use crate::pg::guc::{ONLY_CATALOG, with_gucs};
use crate::pg::spi::{Mode, Spi};

const NAME: &str = "session_identity";

/// Before 0.6.0, a constraint of its own said that documents are objects. If its condition is shown
/// without a schema while the path has no other, function and operator are PostgreSQL's own.
const PRESENT: &str = "
    SELECT conname::pg_catalog.text FROM pg_catalog.pg_constraint
    WHERE conrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid
        AND (conname OPERATOR(pg_catalog.=) $2::pg_catalog.name
            OR contype OPERATOR(pg_catalog.=) 'c' AND coninhcount OPERATOR(pg_catalog.=) 0
            AND pg_catalog.pg_get_expr(conbin, conrelid) OPERATOR(pg_catalog.=) '(jsonb_typeof(doc) = ''object''::text)')
    ORDER BY conname";

/// Before the extension is updated, the function is missing.
const IS_UPDATED: &str = "
    SELECT pg_catalog.to_regprocedure(
        'session_store.is_session(pg_catalog.text, pg_catalog.jsonb, pg_catalog.text)') IS NOT NULL";

/// Refuses to go on without the function that the constraint calls.
pub fn refuse_outdated(spi: &Spi) -> Result<()> {
    let is_updated = spi.run(Mode::Write, IS_UPDATED, &[])?.get(0, 1) == Some(true);
    if is_updated { Ok(()) } else { Err(Error::Outdated) }
}

/// Adds the constraint to the table of a store. All of its documents must satisfy it.
pub fn add(spi: &Spi, store: &Name, key: &str) -> Result<()> {
    refuse_outdated(spi)?;
    // ALTER TABLE takes no parameters, so the key is quoted into the statement.
    let key = pgrx::spi::quote_literal(key);
    let condition = format!("session_store.is_session(id, doc, {key})");
    let sql = format!("ALTER TABLE {} ADD CONSTRAINT {NAME} CHECK ({condition})", store.table());
    spi.run(Mode::Write, &sql, &[]).map(drop)
}

/// Removes what the constraint says from the table, if it is there.
pub fn remove(spi: &Spi, store: &Name) -> Result<()> {
    let table = store.table();
    let present: Vec<String> = with_gucs(&[ONLY_CATALOG], || {
        Ok(spi.run(Mode::Write, PRESENT, &[table.as_str().into(), NAME.into()])?.column())
    })?;
    for name in present {
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT {}", Name::new(&name)?.quoted());
        spi.run(Mode::Write, &sql, &[])?;
    }
    Ok(())
}
