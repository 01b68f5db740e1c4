//! Making a store of a table that is not in the catalogue, for example after restoring a dump of
//! schema `sessions` alone.

use super::catalog::{self, Operator};
use super::change_key::at_most_five;
use super::name::Name;
use super::table::{self, StoreRelation};
use super::{constraint, distributed, identity, storage};
use crate::document::JsonbArg;
use crate::error::{Error, Result};
use crate::executor::{self, Obstacle};
use crate::index::is_distributed;
use crate::pg::spi::{Mode, Spi};
use pgrx::pg_sys;

/// Returns what is different from a table that session_add makes, or no row.
const SHAPE: &str = r#"
    SELECT CASE
        WHEN relation.relispartition THEN 'it is a partition of another table'
        WHEN id.attnum IS NULL THEN 'it has no column "id"'
        WHEN doc.attnum IS NULL THEN 'it has no column "doc"'
        WHEN id.atttypid OPERATOR(pg_catalog.<>) 'pg_catalog.text'::pg_catalog.regtype::pg_catalog.oid
            OR id.attcollation OPERATOR(pg_catalog.<>) 'pg_catalog."C"'::pg_catalog.regcollation::pg_catalog.oid
            THEN 'column "id" is not of type text COLLATE "C"'
        WHEN doc.atttypid OPERATOR(pg_catalog.<>) 'pg_catalog.jsonb'::pg_catalog.regtype::pg_catalog.oid
            OR NOT doc.attnotnull
            THEN 'column "doc" is not of type jsonb NOT NULL'
        WHEN NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS key
            WHERE key.conrelid OPERATOR(pg_catalog.=) relation.oid AND key.contype OPERATOR(pg_catalog.=) 'p'
                AND NOT key.condeferrable AND key.conkey OPERATOR(pg_catalog.=) ARRAY[id.attnum])
            THEN '"id" is not its primary key, or the key is deferrable'
        END
    FROM pg_catalog.pg_class AS relation
    LEFT JOIN pg_catalog.pg_attribute AS id ON id.attrelid OPERATOR(pg_catalog.=) relation.oid
        AND id.attname OPERATOR(pg_catalog.=) 'id' AND NOT id.attisdropped
    LEFT JOIN pg_catalog.pg_attribute AS doc ON doc.attrelid OPERATOR(pg_catalog.=) relation.oid
        AND doc.attname OPERATOR(pg_catalog.=) 'doc' AND NOT doc.attisdropped
    WHERE relation.oid OPERATOR(pg_catalog.=) $1"#;

const SHARDS: &str = "
    SELECT pg_catalog.count(*)::pg_catalog.int4
    FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::pg_catalog.regclass) AS tree WHERE tree.isleaf";

const ELSEWHERE: &str = r#"
    SELECT id, doc FROM {table}
    WHERE NOT session_store.is_session(id, doc, $1)
    ORDER BY id COLLATE pg_catalog."C" LIMIT 6"#;

/// A document may have no value at the path of the identity. If none has, it is another path.
const NONE_THERE: &str = "
    SELECT EXISTS (SELECT FROM {table})
        AND NOT EXISTS (SELECT FROM {table} WHERE session_store.identity(doc, $1) IS NOT NULL)";

/// Enters a table into the catalogue if it has everything that the table of a store has.
pub fn adopt(name: &str, key: &str) -> Result<()> {
    let name = Name::new(name)?;
    catalog::check_key(key)?;
    Spi::connect(|spi| {
        catalog::reserve(&name);
        catalog::refuse_store(spi, &name)?;
        let table = name.table();
        if matches!(table::find(&name, pg_sys::NoLock), StoreRelation::Found(_)) {
            spi.run(Mode::Write, &format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), &[])?;
        }
        let oid = match table::find(&name, pg_sys::NoLock) {
            StoreRelation::Found(oid) => oid,
            StoreRelation::Missing => return Err(Error::NothingToAdopt { table }),
            StoreRelation::Other => {
                return Err(unfit(&table, "it is not a table".into(), String::new()));
            }
        };
        table::check_owner(oid);
        table::refuse_row_security(oid, &name)?;
        if is_distributed(oid) && !distributed::is_coordinator(spi)? {
            return Err(distributed::not_here(&name));
        }
        if let Some(problem) = spi.run(Mode::Write, SHAPE, &[oid.into()])?.get::<String>(0, 1) {
            let hint =
                "A store's table is (id text COLLATE \"C\" PRIMARY KEY, doc jsonb NOT NULL).";
            return Err(unfit(&table, problem, hint.into()));
        }
        let operator = Operator::find()?;
        if executor::indexed_tables(oid, operator.oid).err() == Some(Obstacle::NoIndex) {
            let class = operator.class(spi)?;
            let hint = format!("CREATE INDEX ON {table} USING gin (doc {class}) makes it.");
            return Err(unfit(&table, Obstacle::NoIndex.to_string(), hint));
        }
        refuse_elsewhere(spi, &table, key)?;
        constraint::remove(spi, &name)?;
        constraint::add(spi, &name, key)?;
        storage::set_unset(spi, oid)?;
        let shards = if is_distributed(oid) {
            distributed::shards(spi, oid)?
        } else {
            spi.run(Mode::Write, SHARDS, &[oid.into()])?.get::<i32>(0, 1)
        };
        catalog::insert(spi, &name, key, shards.unwrap_or(1).max(1), 1)
    })
}

fn unfit(table: &str, problem: String, hint: String) -> Error {
    Error::Unfit { table: table.to_string(), problem, hint }
}

/// Refuses a table with documents that may not have the `id` that they have there, and one whose
/// identities must be at another path.
fn refuse_elsewhere(spi: &Spi, table: &str, key: &str) -> Result<()> {
    constraint::refuse_outdated(spi)?;
    let run = |sql: &str| spi.run(Mode::WritePruned, &sql.replace("{table}", table), &[key.into()]);
    if run(NONE_THERE)?.get(0, 1) == Some(true) {
        return Err(Error::NoneThere { table: table.to_string(), path: key.to_string() });
    }
    let rows = run(ELSEWHERE)?;
    let documents = (0..rows.len()).filter_map(|row| {
        let id: String = rows.get(row, 1)?;
        let doc = rows.get::<JsonbArg<'_>>(row, 2)?;
        let problem = match identity::identity(doc.document(), key) {
            _ if !doc.document().is_object() => "a document must be an object".into(),
            Ok(identity) => format!("at \"{key}\": \"{identity}\""),
            Err(problem) => problem,
        };
        Some(format!("\"{id}\": {problem}"))
    });
    match at_most_five(documents.collect()) {
        None => Ok(()),
        Some(documents) => {
            Err(Error::Elsewhere { table: table.to_string(), path: key.to_string(), documents })
        }
    }
}
