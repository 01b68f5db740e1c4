//! Changing the identity path of a store.

use super::catalog::{Lock, Store};
use super::identity;
use super::name::Name;
use super::settings::{NO_JIT, under};
use super::spi::{Mode, Spi};
use crate::document::JsonbArg;
use crate::error::{Error, Result};

/// One more than are named, to know whether there are others.
const UNUSABLE: &str = r#"
    SELECT id, doc FROM {table}
    WHERE session_store.identity(doc, $1) IS NULL
    ORDER BY id COLLATE "C" LIMIT 6"#;

const SHARED: &str = r#"
    SELECT id, identity FROM (
        SELECT id, identity, pg_catalog.count(*) OVER (PARTITION BY identity) AS bearers
        FROM (SELECT id, session_store.identity(doc, $1) AS identity FROM {table}) AS identified
    ) AS counted
    WHERE bearers > 1
    ORDER BY identity COLLATE "C", id COLLATE "C" LIMIT 6"#;

const PRIMARY_KEY: &str = "
    SELECT conname::text FROM pg_catalog.pg_constraint
    WHERE conrelid = pg_catalog.to_regclass($1) AND contype = 'p'";

const REKEY: &str = "
    UPDATE {table} SET id = session_store.identity(doc, $1)
    WHERE id IS DISTINCT FROM session_store.identity(doc, $1)";

/// At most so many documents are named in an error.
const NAMED: usize = 5;

/// Moves the identity of every document of a store to another path.
pub fn rekey(name: &str, path: &str) -> Result<()> {
    Spi::connect(|spi| under(&[NO_JIT], || rekey_all(spi, name, path)))
}

fn rekey_all(spi: &Spi, name: &str, path: &str) -> Result<()> {
    let store = Store::lock(spi, name, Lock::Table)?;
    let table = store.name.table();
    let sql = |text: &str| text.replace("{table}", &table);
    refuse_unusable(spi, &sql(UNUSABLE), path)?;
    refuse_shared(spi, &sql(SHARED), &store, path)?;

    // Identities may change places with each other, which a unique index would refuse halfway through.
    let constraint =
        spi.run(Mode::Write, PRIMARY_KEY, &[table.clone().into()])?.get::<String>(0, 1);
    let constraint = constraint.as_deref().map(Name::new).transpose()?;
    if let Some(constraint) = &constraint {
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {}", constraint.quoted());
        spi.run(Mode::Write, &drop, &[])?;
    }
    spi.run(Mode::Write, &sql(REKEY), &[path.into()])?;
    if let Some(constraint) = &constraint {
        let add =
            format!("ALTER TABLE {table} ADD CONSTRAINT {} PRIMARY KEY (id)", constraint.quoted());
        spi.run(Mode::Write, &add, &[])?;
    }
    let row = "UPDATE session_store.store SET key = $2 WHERE name = $1";
    spi.run(Mode::Write, row, &[store.name.as_str().into(), path.into()])?;
    Ok(())
}

fn refuse_unusable(spi: &Spi, sql: &str, path: &str) -> Result<()> {
    let rows = spi.run(Mode::Write, sql, &[path.into()])?;
    let documents = (0..rows.len()).filter_map(|row| {
        let id: String = rows.get(row, 1)?;
        let problem = identity::of(rows.get::<JsonbArg<'_>>(row, 2)?.document(), path).err()?;
        Some(format!("\"{id}\": {problem}"))
    });
    match at_most_five(documents.collect()) {
        None => Ok(()),
        Some(documents) => {
            let count = if rows.len() == 1 { "a document is" } else { "there are documents" };
            Err(Error::NoIdentity { count, path: path.to_string(), documents })
        }
    }
}

fn refuse_shared(spi: &Spi, sql: &str, store: &Store, path: &str) -> Result<()> {
    let rows = spi.run(Mode::Write, sql, &[path.into()])?;
    let documents = (0..rows.len()).filter_map(|row| {
        let (id, identity): (String, String) = (rows.get(row, 1)?, rows.get(row, 2)?);
        Some(format!("\"{id}\" would become \"{identity}\""))
    });
    match at_most_five(documents.collect()) {
        None => Ok(()),
        Some(documents) => {
            let (name, path) = (store.name.as_str().to_string(), path.to_string());
            Err(Error::SharedIdentity { name, path, documents })
        }
    }
}

/// Names five of the documents and says that there are more; none where there are none.
fn at_most_five(mut documents: Vec<String>) -> Option<Vec<String>> {
    if documents.len() > NAMED {
        documents.truncate(NAMED);
        documents.push("…".to_string());
    }
    (!documents.is_empty()).then_some(documents)
}
