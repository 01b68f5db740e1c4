//! Changing the identities of a distributed store. A new identity may belong to another shard, so a
//! row cannot be updated in place: it is put aside, deleted, and inserted anew.

use super::catalog::{self, Store};
use super::distributed;
use super::table::{self, StoreRelation};
use crate::error::{Error, Result};
use crate::pg::spi::{Mode, Spi};
use pgrx::pg_sys;

/// The table to put rows aside is distributed like the store, so that each new row is already on
/// its server. It is gone when the transaction ends, so it need not survive a crash.
const ASIDE: &str = r#"
    CREATE UNLOGGED TABLE {aside} (id pg_catalog.text COLLATE pg_catalog."C", doc pg_catalog.jsonb)"#;

const PUT_ASIDE: &str = "
    INSERT INTO {aside} (id, doc)
    SELECT session_store.identity(doc, $1), doc FROM {table}
    WHERE id OPERATOR(pg_catalog.<>) session_store.identity(doc, $1)";

const DELETE: &str = "
    DELETE FROM {table} WHERE id OPERATOR(pg_catalog.<>) session_store.identity(doc, $1)";

const INSERT: &str = "INSERT INTO {table} (id, doc) SELECT id, doc FROM {aside}";

const REFERENCES: &str = "
    SELECT conrelid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_constraint
    WHERE contype OPERATOR(pg_catalog.=) 'f' AND confrelid OPERATOR(pg_catalog.=) $1
    ORDER BY 1 LIMIT 1";

/// Gives every document its identity at a path as its id. No two documents share one.
pub fn move_documents(spi: &Spi, store: &Store, path: &str) -> Result<()> {
    refuse_references(spi, store)?;
    let aside = store.name.moved();
    catalog::refuse_taken_relation(&store.name, &aside)?;
    // A name may hold anything, so each piece of a statement is replaced once.
    let run = |sql: &str, parameters: &[_]| {
        let sql: Vec<String> =
            sql.split("{table}").map(|part| part.replace("{aside}", &aside.table())).collect();
        spi.run(Mode::WritePruned, &sql.join(&store.name.table()), parameters).map(drop)
    };
    run(ASIDE, &[])?;
    if let StoreRelation::Found(table) = table::find(&aside, pg_sys::NoLock) {
        distributed::distribute_beside(spi, table, &store.name)?;
    }
    run(PUT_ASIDE, &[path.into()])?;
    run(DELETE, &[path.into()])?;
    run(INSERT, &[])?;
    run("DROP TABLE {aside}", &[])
}

/// To a foreign key, the deleted rows are gone: with ON DELETE CASCADE, so would be those that
/// refer to them.
fn refuse_references(spi: &Spi, store: &Store) -> Result<()> {
    let rows = spi.run(Mode::Write, REFERENCES, &[store.table.into()])?;
    let Some(other) = rows.get::<String>(0, 1) else { return Ok(()) };
    Err(Error::Distributed {
        name: store.name.as_str().to_string(),
        cannot: "cannot change its identity",
        problem: format!("a foreign key of {other} refers to it"),
        hint: "In a distributed store, a row with another identity is a new row. Drop the foreign key before, and \
               add it afterwards."
            .into(),
    })
}
