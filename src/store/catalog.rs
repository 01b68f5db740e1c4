//! The catalogue `session_store.store`: which stores there are.

use super::name::Name;
use super::near::near;
use super::peek::{Peeked, peek};
use super::settings::{NO_JIT, under};
use super::spi::{Mode, Spi};
use crate::error::{Error, Result};
use pgrx::pg_sys;
use std::cell::RefCell;

/// What the catalogue knows about a store that has its table.
pub struct Store {
    pub name: Name,
    /// Path of the identity.
    pub key: String,
    pub shards: i32,
    pub table: pg_sys::Oid,
}

const FIND: &str = "
    SELECT key, shards, pg_catalog.to_regclass($2)::pg_catalog.oid
    FROM session_store.store
    WHERE name = $1";

impl Store {
    /// Looks a store up as the calling statement sees the catalogue: for readers.
    pub fn find(spi: &Spi, name: &str) -> Result<Store> {
        let name = Name::new(name)?;
        if let Some(Peeked { key, shards, table }) = peek(&name) {
            return Ok(Store { name, key, shards, table });
        }
        let rows = spi.run(Mode::Read, FIND, &[name.as_str().into(), name.table().into()])?;
        Store::read(spi, name, &rows)
    }

    /// Locks a store's table and then looks the store up as it is at this moment, so that it stays what it is while the
    /// transaction lasts: for writers. Taken through SQL, the lock asks for the privileges that belong to it.
    pub fn lock(spi: &Spi, name: &str, lock: Lock) -> Result<Store> {
        let store = Store::find_now(spi, Name::new(name)?)?;
        let mode = match lock {
            Lock::Rows => "ROW EXCLUSIVE",
            Lock::Table => "ACCESS EXCLUSIVE",
        };
        spi.run(Mode::Write, &format!("LOCK TABLE {} IN {mode} MODE", store.name.table()), &[])?;
        Store::find_now(spi, store.name)
    }

    fn find_now(spi: &Spi, name: Name) -> Result<Store> {
        let rows = spi.run_now(FIND, &[name.as_str().into(), name.table().into()])?;
        Store::read(spi, name, &rows)
    }

    fn read(spi: &Spi, name: Name, rows: &super::spi::Rows<'_>) -> Result<Store> {
        let (Some(key), Some(shards)) = (rows.get(0, 1), rows.get(0, 2)) else {
            return Err(unknown(spi, &name)?);
        };
        let Some(table) = rows.get(0, 3) else {
            let table = name.table();
            return Err(Error::TableMissing { name: name.as_str().to_string(), table });
        };
        Ok(Store { name, key, shards, table })
    }
}

/// The operator `@@@` and what goes with it, which lie in the schema that the extension was created in.
#[derive(Clone)]
pub struct Operator {
    /// Quoted.
    pub schema: String,
    pub query_type: pg_sys::Oid,
    pub oid: pg_sys::Oid,
}

const OPERATOR: &str = "
    SELECT pg_catalog.quote_ident(namespace.nspname), operator.oprright, operator.oid
    FROM pg_catalog.pg_operator AS operator
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = operator.oprnamespace
    JOIN pg_catalog.pg_depend AS depend ON depend.objid = operator.oid AND depend.deptype = 'e'
        AND depend.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
    JOIN pg_catalog.pg_extension AS extension ON extension.oid = depend.refobjid
    WHERE operator.oprname = '@@@' AND extension.extname = 'session_store'";

thread_local! {
    static OPERATOR_FOUND: RefCell<Option<Operator>> = const { RefCell::new(None) };
}

impl Operator {
    /// Looked up once in a session, and again should the extension have been created anew. Version 0.1.0 has none.
    pub fn find(spi: &Spi) -> Result<Operator> {
        let exists = |operator: &Operator| {
            // SAFETY: a look into the server's cache of pg_operator (syscache.h).
            unsafe {
                pg_sys::SearchSysCacheExists(
                    pg_sys::SysCacheIdentifier::OPEROID as i32,
                    operator.oid.into(),
                    pg_sys::Datum::null(),
                    pg_sys::Datum::null(),
                    pg_sys::Datum::null(),
                )
            }
        };
        if let Some(operator) = OPERATOR_FOUND.with_borrow(Clone::clone).filter(exists) {
            return Ok(operator);
        }
        let rows = spi.run(Mode::Read, OPERATOR, &[])?;
        let (Some(schema), Some(query_type), Some(oid)) =
            (rows.get(0, 1), rows.get(0, 2), rows.get(0, 3))
        else {
            return Err(Error::Outdated);
        };
        let operator = Operator { schema, query_type, oid };
        OPERATOR_FOUND.set(Some(operator.clone()));
        Ok(operator)
    }
}

/// What a writer is about to write.
#[derive(Clone, Copy)]
pub enum Lock {
    /// Some rows: others may write rows too, but nobody may re-key, rename or drop the store meanwhile.
    Rows,
    /// The whole table, or its name.
    Table,
}

/// The error for a store that is not there, with the names that are near.
pub fn unknown(spi: &Spi, name: &Name) -> Result<Error> {
    let names = spi.run(Mode::Read, "SELECT name FROM session_store.store", &[])?.column();
    let name = name.as_str();
    Ok(Error::UnknownStore { name: name.to_string(), near: near(name, names) })
}

/// Refuses a name under which the stores' schema already has something. The server's own caches are asked, which know
/// what was committed a moment ago.
pub fn refuse_taken_relation(spi: &Spi, store: &Name, relation: &Name) -> Result<()> {
    let taken = "SELECT pg_catalog.to_regclass($1) IS NOT NULL";
    if spi.run(Mode::Read, taken, &[relation.table().into()])?.get(0, 1) == Some(true) {
        let (name, relation) = (store.as_str().to_string(), relation.as_str().to_string());
        return Err(Error::RelationExists { name, relation });
    }
    Ok(())
}

/// How many copies of the data there are: this server and its physical standbys that stream now. Unknown (none) on a
/// standby. Whoever may not look into pg_stat_replication sees its processes, but not what they do; then each counts.
pub const COPIES: &str = "
    SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN 1 + (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_stat_replication AS sender
        WHERE coalesce(sender.state, 'streaming') = 'streaming'
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_replication_slots AS slot
                WHERE slot.active_pid = sender.pid AND slot.slot_type = 'logical')) END::int AS copies";

/// One store as session_list shows it.
pub struct Listed {
    pub name: String,
    pub key: String,
    pub shards: i32,
    pub replicas: i32,
    pub copies: Option<i32>,
    pub documents: Option<i64>,
    pub bytes: Option<i64>,
    pub created: pgrx::datum::TimestampWithTimeZone,
}

/// A plain table is its own partition tree here (pg_partition_tree gives no row for one). `reltuples` is -1 until the first
/// VACUUM or ANALYZE; the sum over no number is NULL.
const LIST: &str = "
    SELECT store.name, store.key, store.shards, store.replicas, copies.copies,
        size.documents, size.bytes, store.created
    FROM session_store.store AS store
    CROSS JOIN (/*copies*/) AS copies
    CROSS JOIN LATERAL (
        SELECT pg_catalog.sum(nullif(relation.reltuples, -1))::int8 AS documents,
            pg_catalog.sum(pg_catalog.pg_total_relation_size(relation.oid))::int8 AS bytes
        FROM pg_catalog.pg_class AS relation
        WHERE relation.relkind = 'r' AND relation.oid IN (
            SELECT named.oid
            FROM pg_catalog.to_regclass('sessions.' || pg_catalog.quote_ident(store.name)) AS named
            UNION ALL
            SELECT tree.relid
            FROM pg_catalog.to_regclass('sessions.' || pg_catalog.quote_ident(store.name)) AS named,
                pg_catalog.pg_partition_tree(named.oid) AS tree)
    ) AS size
    ORDER BY store.name COLLATE \"C\"";

/// All stores, by name.
pub fn list() -> Result<Vec<Listed>> {
    Spi::connect(|spi| {
        let sql = LIST.replace("/*copies*/", COPIES);
        let rows = under(&[NO_JIT], || spi.run(Mode::Read, &sql, &[]))?;
        let listed = |row| {
            Some(Listed {
                name: rows.get(row, 1)?,
                key: rows.get(row, 2)?,
                shards: rows.get(row, 3)?,
                replicas: rows.get(row, 4)?,
                copies: rows.get(row, 5),
                documents: rows.get(row, 6),
                bytes: rows.get(row, 7),
                created: rows.get(row, 8)?,
            })
        };
        Ok((0..rows.len()).filter_map(listed).collect())
    })
}
