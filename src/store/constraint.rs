//! The constraint that a document lies under its own identity, whoever writes it: another document
//! of the same session, under another id, would be one that session_update never finds.
//!
//! A document that says of no session to be it may lie anywhere: for such a one the condition is
//! null, which a CHECK lets pass.

use super::name::Name;
use crate::error::Result;
use crate::pg::spi::{Mode, Spi};

const NAME: &str = "session_identity";

/// Gives a store's table the constraint, which all of its documents must meet.
pub fn add(spi: &Spi, store: &Name, key: &str) -> Result<()> {
    // No statement of this kind has parameters.
    let key = pgrx::spi::quote_literal(key);
    let condition = format!("id OPERATOR(pg_catalog.=) session_store.identity(doc, {key})");
    let sql = format!("ALTER TABLE {} ADD CONSTRAINT {NAME} CHECK ({condition})", store.table());
    spi.run(Mode::Write, &sql, &[]).map(drop)
}

/// Takes the constraint from a table that has it.
pub fn remove(spi: &Spi, store: &Name) -> Result<()> {
    let sql = "
        SELECT FROM pg_catalog.pg_constraint
        WHERE conrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid
            AND conname OPERATOR(pg_catalog.=) $2::pg_catalog.name";
    if spi.run(Mode::Write, sql, &[store.table().into(), NAME.into()])?.len() > 0 {
        let sql = format!("ALTER TABLE {} DROP CONSTRAINT {NAME}", store.table());
        spi.run(Mode::Write, &sql, &[])?;
    }
    Ok(())
}
