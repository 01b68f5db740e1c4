//! Stores whose tables Citus distributes: the rows of a store are in *shards*, tables on several
//! servers, by a hash of their `id`. A statement about one shard is sent to its server; one about
//! many is sent to all of them at once.
//!
//! The functions of Citus are called by their names in pg_catalog, where only a superuser can
//! create any, so this extension does not depend on Citus.

use super::catalog::{Lock, Store};
use super::name::Name;
use super::ops::Change;
use super::table::{self, StoreRelation};
use super::update::{BATCH_ROWS, OwnedChanges, identities};
use crate::error::{Error, Result};
use crate::index::is_distributed;
use crate::memory;
use crate::pg::guc::{ONLY_CATALOG, ONLY_ERRORS, STANDARD_STRINGS, with_gucs};
use crate::pg::spi::{Mode, Spi, Statement, with_latest_snapshot};
use pgrx::{PgMemoryContexts, pg_sys};

/// The most shards: as many as partitions of a local store.
const MAX_SHARDS: i32 = 1024;

/// Whether this server is the coordinator, which is the group of number 0, and some server takes
/// shards. On a server without workers, that is the coordinator itself, once it is in pg_dist_node.
const IS_COORDINATOR: &str = "
    SELECT groupid OPERATOR(pg_catalog.=) 0 AND EXISTS (
        SELECT FROM pg_catalog.pg_dist_node
        WHERE isactive AND shouldhaveshards AND noderole OPERATOR(pg_catalog.=) 'primary')
    FROM pg_catalog.pg_dist_local_group";

const CREATE: &str = "
    SELECT pg_catalog.create_distributed_table(
        $1::pg_catalog.oid::pg_catalog.regclass, 'id', 'hash', colocate_with => $2, shard_count => $3)";

/// Citus copies the rows into the shards, and leaves those that were in the table where they are.
const TRUNCATE: &str = "
    SELECT pg_catalog.truncate_local_data_after_distributing_table($1::pg_catalog.oid::pg_catalog.regclass)";

const SHARDS_OF: &str = "
    SELECT pg_catalog.get_shard_id_for_distribution_column(
        $1::pg_catalog.oid::pg_catalog.regclass, id)
    FROM pg_catalog.unnest($2::pg_catalog.text[]) WITH ORDINALITY AS identities (id, place)
    ORDER BY place";

const SHARDS: &str = "
    SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_dist_shard AS shard
    WHERE shard.logicalrelid OPERATOR(pg_catalog.=) $1";

/// What session_list shows. A command runs outside of the transaction, so it does not see a shard
/// that the transaction has made, and Citus knows no size where the transaction has written to
/// several shards; then it is null, as it is when a server does not answer.
const SIZE: &str = "
    SELECT (SELECT pg_catalog.sum(shard.result::pg_catalog.float8)
                FILTER (WHERE shard.result::pg_catalog.float8 OPERATOR(pg_catalog.>=) 0)::pg_catalog.int8
            FROM pg_catalog.run_command_on_shards($1::pg_catalog.oid::pg_catalog.regclass,
                'SELECT reltuples FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) %L::pg_catalog.regclass') AS shard
            WHERE shard.success),
        pg_catalog.citus_total_relation_size($1::pg_catalog.oid::pg_catalog.regclass, false)";

/// How large a distributed store is.
pub struct Size {
    pub shards: Option<i32>,
    pub documents: Option<i64>,
    pub bytes: Option<i64>,
}

const ON_WORKERS: &str = "
    SELECT pg_catalog.format('%s:%s: %s', nodename, nodeport, result)
    FROM pg_catalog.run_command_on_workers($1) WHERE NOT success LIMIT 1";

/// The constraint by which a server knows the key of a store that is not in its own catalogue.
const KEY: &str = "
    SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
    WHERE conrelid OPERATOR(pg_catalog.=) $1 AND conname OPERATOR(pg_catalog.=) 'session_identity'
        AND contype OPERATOR(pg_catalog.=) 'c'";

/// Whether Citus is in this database.
fn is_installed() -> bool {
    // SAFETY: looks into the server's catalogues.
    unsafe { pg_sys::get_extension_oid(c"citus".as_ptr(), true) != pg_sys::InvalidOid }
}

/// Whether stores can be distributed from here.
pub fn is_coordinator(spi: &Spi) -> Result<bool> {
    Ok(is_installed()
        && spi.run(Mode::Read, IS_COORDINATOR, &[])?.get::<bool>(0, 1).unwrap_or(false))
}

/// Distributes a store that has no partitions.
pub fn distribute(name: &str, shards: i32) -> Result<()> {
    if !(1..=MAX_SHARDS).contains(&shards) {
        let range = "between 1 and 1024";
        return Err(Error::OutOfRange { what: "shards", range, got: shards.into() });
    }
    Spi::connect(|spi| {
        let store = Store::lock(spi, name, Lock::WholeTable)?;
        table::check_owner(store.table);
        refuse_undistributable(spi, &store)?;
        distribute_table(spi, store.table, shards)?;
        let row = "
            UPDATE session_store.store SET shards = $2 WHERE name OPERATOR(pg_catalog.=) $1";
        spi.run(Mode::Write, row, &[store.name.as_str().into(), shards.into()])?;
        Ok(())
    })
}

fn refuse_undistributable(spi: &Spi, store: &Store) -> Result<()> {
    let refuse = |problem: &str, hint: String| {
        let (name, problem) = (store.name.as_str().to_string(), problem.to_string());
        Err(Error::Distributed { name, cannot: "cannot be distributed", problem, hint })
    };
    // SAFETY: looks into the server's cache. The table is locked.
    let kind = unsafe { pg_sys::get_rel_relkind(store.table) } as u8;
    if !is_installed() {
        return refuse(
            "Citus is not installed in this database",
            "docs/scale-out.md says how to set up a cluster.".into(),
        );
    }
    if is_distributed(store.table) {
        let table = pgrx::spi::quote_literal(store.name.table());
        return refuse(
            "it is distributed already",
            format!(
                "SELECT alter_distributed_table({table}, shard_count => …) changes the number of its shards."
            ),
        );
    }
    if kind == pg_sys::RELKIND_PARTITIONED_TABLE {
        return refuse(
            "it has partitions",
            "Copy its documents to a store that was added with shards => 1, and distribute that one.".into(),
        );
    }
    if !is_coordinator(spi)? {
        return refuse(
            "this server is not a coordinator of Citus, or no server takes shards",
            "Call session_distribute on the coordinator, after citus_add_node() there.".into(),
        );
    }
    Ok(())
}

/// Distributes the table of a store. Its indexes, constraints and storage parameters become those
/// of the shards.
pub fn distribute_table(spi: &Spi, table: pg_sys::Oid, shards: i32) -> Result<()> {
    with_gucs(&[ONLY_ERRORS], || {
        spi.run(Mode::WritePruned, CREATE, &[table.into(), "default".into(), shards.into()])?;
        spi.run(Mode::WritePruned, TRUNCATE, &[table.into()])?;
        Ok(())
    })
}

/// Refuses a store that is known by its table alone.
pub fn not_here(name: &Name) -> Error {
    Error::Distributed {
        name: name.as_str().to_string(),
        cannot: "cannot be changed on this server",
        problem: "it is distributed, and in the catalogue of another server".into(),
        hint: "Call the function on the coordinator.".into(),
    }
}

/// Runs a command on all workers, each in a transaction of its own. Returns what the first one says
/// that fails.
pub fn run_on_workers(spi: &Spi, command: &str) -> Result<Option<String>> {
    let rows = spi.run(Mode::WritePruned, ON_WORKERS, &[command.into()])?;
    Ok(rows.get(0, 1))
}

/// Distributes a table like a store: rows with the same id are on the same server.
pub fn distribute_beside(spi: &Spi, table: pg_sys::Oid, store: &Name) -> Result<()> {
    let nothing: Option<i32> = None;
    spi.run(Mode::WritePruned, CREATE, &[table.into(), store.table().into(), nothing.into()])?;
    Ok(())
}

/// The key and the table of a distributed store that is not in the catalogue of this server. Citus
/// makes every table on every server, but the catalogue has a row only where the store was added.
/// A copy of that row could be older than the table. So the key is read from the table itself.
pub fn find_on_worker(spi: &Spi, name: &Name, lock: u32) -> Result<Option<(String, pg_sys::Oid)>> {
    if !is_installed() {
        return Ok(None);
    }
    let StoreRelation::Found(table) = table::find(name, lock) else { return Ok(None) };
    if !is_distributed(table) {
        return Ok(None);
    }
    Ok(constraint(spi, table)?.as_deref().and_then(key_of).map(|key| (key, table)))
}

/// Whether the constraint says of every document that the identity at this path is its id, or that it
/// has no value there. Before 0.6.0, it let documents with several values lie anywhere. As the table
/// is locked, it stays so, and no shard has had another one since the snapshot of the transaction:
/// pg_get_constraintdef does not see a constraint that is newer.
pub fn is_by_identity(spi: &Spi, table: pg_sys::Oid, key: &str) -> Result<bool> {
    let key = key.replace('\'', "''");
    let wanted = format!("CHECK (session_store.is_session(id, doc, '{key}'::text))");
    Ok(constraint(spi, table)? == Some(wanted))
}

/// The constraint as it is now.
fn constraint(spi: &Spi, table: pg_sys::Oid) -> Result<Option<String>> {
    with_gucs(&[STANDARD_STRINGS, ONLY_CATALOG], || {
        let statement = spi.prepare_saved(Mode::Read, KEY, &[pg_sys::OIDOID])?;
        with_latest_snapshot(|| Ok(statement.run(&[table.into()])?.get(0, 1)))
    })
}

/// The key in `CHECK (session_store.is_session(id, doc, 'session.id'::text))`, or before 0.6.0 in
/// `CHECK ((id = session_store.identity(doc, 'session.id'::text)))`.
fn key_of(definition: &str) -> Option<String> {
    let (function, rest) = definition.split_once("doc, '")?;
    if !function.ends_with("session_store.is_session(id, ")
        && !function.ends_with("session_store.identity(")
    {
        return None;
    }
    let (key, _) = rest.rsplit_once("'::text)")?;
    Some(key.replace("''", "'"))
}

/// How many shards a distributed table has.
pub fn shards(spi: &Spi, table: pg_sys::Oid) -> Result<Option<i32>> {
    let statement = spi.prepare_saved(Mode::ReadPlanned, SHARDS, &[pg_sys::OIDOID])?;
    Ok(statement.run(&[table.into()])?.get(0, 1))
}

pub fn size(spi: &Spi, table: pg_sys::Oid) -> Result<Size> {
    let rows = with_gucs(&[ONLY_ERRORS], || spi.run(Mode::Read, SIZE, &[table.into()]))?;
    Ok(Size { shards: shards(spi, table)?, documents: rows.get(0, 1), bytes: rows.get(0, 2) })
}

/// Puts changes, which are in the order of their identities, into the order of shards, and within
/// a shard of identities. So all calls lock rows in the same order, if each statement is about one
/// shard: a statement about many would run on all of them at once, and two such could wait for each
/// other. Returns how many changes each shard gets.
pub fn order_by_shard(
    spi: &Spi,
    store: &Store,
    changes: &mut OwnedChanges<'_>,
) -> Result<Vec<usize>> {
    if changes.len() <= 1 {
        return Ok(vec![changes.len()]);
    }
    let statement =
        spi.prepare_saved(Mode::ReadPlanned, SHARDS_OF, &[pg_sys::OIDOID, pg_sys::TEXTARRAYOID])?;
    let mut shards = Vec::new();
    memory::reserve(&mut shards, changes.len())?;
    for batch in changes.chunks(BATCH_ROWS) {
        memory::check();
        shards.extend(of_batch(&statement, store.table, batch)?);
    }
    let mut sharded = Vec::new();
    memory::reserve(&mut sharded, changes.len())?;
    sharded.extend(shards.into_iter().zip(changes.drain(..)));
    // This sort keeps the order within a shard.
    sharded.sort_by_key(|(shard, _)| *shard);
    let sizes = sharded.chunk_by(|(a, _), (b, _)| a == b).map(<[_]>::len).collect();
    changes.extend(sharded.into_iter().map(|(_, change)| change));
    Ok(sizes)
}

/// The number of the shard of each change.
fn of_batch(
    statement: &Statement<'_>,
    table: pg_sys::Oid,
    batch: &[(String, Change<'_>)],
) -> Result<Vec<i64>> {
    let mut context = PgMemoryContexts::new("session_update shards");
    // SAFETY: `context` lives until this function ends, and nothing that is allocated in it is used
    // later.
    let rows = unsafe { context.switch_to(|_| statement.run(&[table.into(), identities(batch)]))? };
    Ok((0..batch.len()).map(|row| rows.get(row, 1).unwrap_or(0)).collect())
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn the_constraint_names_the_key() {
        for (before, after) in [
            ("CHECK (session_store.is_session(id, doc, '", "'::text))"),
            ("CHECK ((id = session_store.identity(doc, '", "'::text)))"),
        ] {
            let key = |text: &str| key_of(&format!("{before}{text}{after}"));
            assert_eq!(key("session.id").as_deref(), Some("session.id"));
            assert_eq!(key("it''s \\ x'::text)").as_deref(), Some("it's \\ x'::text)"));
            assert_eq!(key("(doc, ''").as_deref(), Some("(doc, '"));
        }
        assert_eq!(key_of("CHECK ((id <> ''))"), None);
    }
}
