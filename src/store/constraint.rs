//! The CHECK constraint that the `id` of a row is the identity of its document, whoever writes it.
//! A document with another id would be a second one of the same session, which session_update would
//! never find.
//!
//! A document without an identity may have any id: then the condition is null, which satisfies a
//! CHECK.

use super::name::Name;
use crate::error::Result;
use crate::pg::spi::{Mode, Spi};

const NAME: &str = "session_identity";

/// Adds the constraint to the table of a store. All of its documents must satisfy it.
pub fn add(spi: &Spi, store: &Name, key: &str) -> Result<()> {
    // ALTER TABLE takes no parameters, so the key is quoted into the statement.
    let key = pgrx::spi::quote_literal(key);
    let condition = format!("id OPERATOR(pg_catalog.=) session_store.identity(doc, {key})");
    let sql = format!("ALTER TABLE {} ADD CONSTRAINT {NAME} CHECK ({condition})", store.table());
    spi.run(Mode::Write, &sql, &[]).map(drop)
}

/// Removes the constraint if the table has it.
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
