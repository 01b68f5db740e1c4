//! The catalogue `session_store.store`: which stores there are.
//!
//! The statements of this crate run under the caller's search_path, because the triggers and
//! policies of users run within them and may need it. So the statements qualify every function,
//! operator, type and collation. They do not use what SQL looks up by the path and cannot be
//! qualified: IN, BETWEEN, LIKE, IS DISTINCT FROM, NULLIF, CASE with an operand, JOIN with USING.

use super::distributed;
use super::fast_path::{self, FastPathStore};
use super::identity;
use super::name::Name;
use super::suggest::suggest;
use super::table::{self, StoreRelation, Table};
use crate::error::{Error, Result};
use crate::index::is_distributed;
use crate::pg::locks;
use crate::pg::spi::{Mode, Spi, with_latest_snapshot};
use crate::predicate::Predicate;
use pgrx::{FromDatum, pg_sys};
use std::cell::Cell;
use std::ffi::CStr;

/// What the catalogue says about a store whose table exists.
pub struct Store {
    pub name: Name,
    /// The path of the identity.
    pub key: String,
    pub shards: i32,
    pub table: pg_sys::Oid,
    /// On a worker of Citus, distributed stores are not.
    is_in_catalogue: bool,
}

/// Refuses a path that is too long to be the path of the identity.
pub fn check_key(path: &str) -> Result<()> {
    let bad = |error| Error::Query { what: "key", text: String::new(), error };
    crate::syntax::check_path(path).map_err(bad)
}

impl Store {
    /// The table of the store, to ask for what a predicate says.
    pub fn source(&self, spi: &Spi, predicate: &Predicate) -> Result<Table> {
        let is_by_identity = identity::of_matches(predicate, &self.key).is_some()
            && is_distributed(self.table)
            // Who may read `doc` alone cannot be sent with a condition on `id`.
            && table::may_read(self.table)
            && distributed::is_by_identity(spi, self.table, &self.key)?;
        let key = is_by_identity.then(|| self.key.clone());
        Ok(Table { sql: self.name.table(), oid: self.table, key })
    }
}

const FIND: &str = "
    SELECT key, shards FROM session_store.store WHERE name OPERATOR(pg_catalog.=) $1";

impl Store {
    /// For readers: looks a store up as the calling statement sees the catalogue. It locks the
    /// table, so that nobody can replace it.
    pub fn find(spi: &Spi, name: &str) -> Result<Store> {
        let name = Name::new(name)?;
        if let Some(FastPathStore { key, shards }) = fast_path::fast_path(&name)
            && let StoreRelation::Found(table) = table::find(&name, pg_sys::AccessShareLock)
        {
            return Ok(Store { name, key, shards, table, is_in_catalogue: true });
        }
        let rows = spi.run(Mode::Read, FIND, &[name.as_str().into()])?;
        Store::read(spi, name, &rows, pg_sys::AccessShareLock)
    }

    /// For writers: locks the table of a store and then looks the store up as it is now, so that it
    /// stays the same until the transaction ends. The lock needs the same privileges as LOCK TABLE.
    pub fn lock(spi: &Spi, name: &str, lock: Lock) -> Result<Store> {
        let name = Name::new(name)?;
        let relation = match lock {
            // If there is no such store, its row is missed afterwards.
            Lock::Rows => table::lock_rows(&name),
            Lock::WholeTable => {
                let relation = table::find(&name, pg_sys::NoLock);
                let store = Store::find_now(spi, name.clone(), relation)?;
                if !store.is_in_catalogue {
                    return Err(distributed::not_here(&name));
                }
                let sql = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", store.name.table());
                spi.run(Mode::Write, &sql, &[])?;
                table::find(&name, pg_sys::NoLock)
            }
        };
        Store::find_now(spi, name, relation)
    }

    /// Takes no lock. Otherwise two writers, each with this weaker lock, would wait for each other
    /// as soon as both want the lock of a writer.
    fn find_now(spi: &Spi, name: Name, relation: StoreRelation) -> Result<Store> {
        if let StoreRelation::Found(table) = relation
            && let Some(FastPathStore { key, shards }) =
                with_latest_snapshot(|| fast_path::fast_path(&name))
        {
            return Ok(Store { name, key, shards, table, is_in_catalogue: true });
        }
        let rows = spi.run_now(FIND, &[name.as_str().into()])?;
        Store::read(spi, name, &rows, pg_sys::NoLock)
    }

    fn read(spi: &Spi, name: Name, rows: &crate::pg::spi::Rows<'_>, lock: u32) -> Result<Store> {
        let (Some(key), Some(shards)) = (rows.get(0, 1), rows.get(0, 2)) else {
            return match distributed::find_on_worker(spi, &name, lock)? {
                Some((key, table)) => {
                    Ok(Store { name, key, shards: 1, table, is_in_catalogue: false })
                }
                None => Err(unknown(spi, &name)?),
            };
        };
        let (store, relation) = (name.as_str().to_string(), name.table());
        match table::find(&name, lock) {
            StoreRelation::Found(table) => {
                Ok(Store { name, key, shards, table, is_in_catalogue: true })
            }
            StoreRelation::Missing => Err(Error::TableMissing { name: store, table: relation }),
            StoreRelation::Other => Err(Error::NoTable { name: store, relation }),
        }
    }
}

/// The operator `@@@` and its type. They lie in the schema in which the extension was created.
#[derive(Clone, Copy)]
pub struct Operator {
    pub query_type: pg_sys::Oid,
    pub oid: pg_sys::Oid,
}

const OPERATOR_CLASS: &str = "
    SELECT namespace.nspname::pg_catalog.text, class.opcname::pg_catalog.text
    FROM pg_catalog.pg_amop AS member
    JOIN pg_catalog.pg_opclass AS class ON class.opcfamily OPERATOR(pg_catalog.=) member.amopfamily
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) class.opcnamespace
    WHERE member.amopopr OPERATOR(pg_catalog.=) $1";

thread_local! {
    static OPERATOR_FOUND: Cell<Option<Operator>> = const { Cell::new(None) };
}

impl Operator {
    /// Looks the operator up once in a session, and again if the extension was created anew.
    /// Version 0.1.0 has no such operator.
    pub fn find() -> Result<Operator> {
        let found = OPERATOR_FOUND.get().filter(|found| found.schema().is_some());
        if let Some(operator) = found {
            return Ok(operator);
        }
        let operator = Operator::look_up().ok_or(Error::Outdated)?;
        OPERATOR_FOUND.set(Some(operator));
        Ok(operator)
    }

    /// Looks into the catalogues without a statement. A session that asks for the first time would
    /// spend most of its time on planning one.
    fn look_up() -> Option<Operator> {
        let candidates = Operator::candidates();
        // Anybody can make an operator of this name, with our function, too. Who owns both has made
        // ours. In doubt the extension's members decide, but they are in catalogues that a session
        // has to open first.
        let mut made =
            candidates.iter().filter(|(_, is_made_with_function)| *is_made_with_function);
        if let (Some((operator, _)), None) = (made.next(), made.next()) {
            return Some(*operator);
        }
        // SAFETY: looks into the server's caches and catalogues.
        let extension = unsafe { pg_sys::get_extension_oid(c"session_store".as_ptr(), true) };
        let is_member = |(operator, _): &&(Operator, bool)| {
            // An extension that is not there has no operators.
            extension != pg_sys::InvalidOid
                // SAFETY: as above.
                && extension == unsafe {
                    pg_sys::getExtensionOfObject(pg_sys::OperatorRelationId, operator.oid)
                }
        };
        candidates.iter().rfind(is_member).map(|(operator, _)| *operator)
    }

    /// The operators of this name, and whether each has our function and its owner.
    fn candidates() -> Vec<(Operator, bool)> {
        let cache = pg_sys::SysCacheIdentifier::OPERNAMENSP as i32;
        let (nothing, mut found) = (pg_sys::Datum::null(), Vec::new());
        // SAFETY: looks into the server's caches. The members of the list (catcache.h) are valid until
        // it is released, and copied before.
        unsafe {
            let mut name = pg_sys::NameData::default();
            pg_sys::namestrcpy(&raw mut name, c"@@@".as_ptr());
            let named = (&raw const name).into();
            let list = pg_sys::SearchSysCacheList(cache, 1, named, nothing, nothing);
            for &member in (*list).members.as_slice((*list).n_members as usize) {
                let tuple = &raw mut (*member).tuple;
                let column = |number: u32| {
                    let mut is_null = true;
                    let value = pg_sys::SysCacheGetAttr(cache, tuple, number as i16, &mut is_null);
                    pg_sys::Oid::from_datum(value, is_null)
                };
                let (oid, right) = (
                    column(pg_sys::Anum_pg_operator_oid),
                    column(pg_sys::Anum_pg_operator_oprright),
                );
                let (Some(oid), Some(query_type)) = (oid, right) else { continue };
                let function = column(pg_sys::Anum_pg_operator_oprcode);
                let owner = column(pg_sys::Anum_pg_operator_oprowner);
                let is_ours = owner.is_some() && owner == function.and_then(owner_of_match);
                found.push((Operator { query_type, oid }, is_ours));
            }
            pg_sys::ReleaseCatCacheList(list);
        }
        found
    }

    /// The operator in SQL.
    pub fn sql(self) -> Result<String> {
        Ok(format!("OPERATOR({}.@@@)", self.schema_name()?))
    }

    /// Its type in SQL.
    pub fn type_sql(self) -> Result<String> {
        Ok(format!("{}.lucene_query", self.schema_name()?))
    }

    /// The name of the schema is looked up each time, because a schema can be renamed.
    fn schema_name(self) -> Result<String> {
        let schema = self.schema().ok_or(Error::Outdated)?;
        // SAFETY: get_namespace_name looks into the server's caches and returns null or a copy of
        // the name.
        let name = unsafe {
            let name = pg_sys::get_namespace_name(schema);
            (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
        };
        Ok(Name::new(&name.ok_or(Error::Outdated)?)?.quoted())
    }

    /// The operator class in SQL.
    pub fn class(self, spi: &Spi) -> Result<String> {
        let rows = spi.run(Mode::Write, OPERATOR_CLASS, &[self.oid.into()])?;
        let name = |column| rows.get::<String>(0, column).ok_or(Error::Outdated);
        Ok(format!("{}.{}", Name::new(&name(1)?)?.quoted(), Name::new(&name(2)?)?.quoted()))
    }

    /// None if the operator no longer exists.
    fn schema(self) -> Option<pg_sys::Oid> {
        let cache = pg_sys::SysCacheIdentifier::OPEROID as i32;
        // SAFETY: this looks into the server's cache of pg_operator (syscache.h). The entry is
        // pinned while it is read.
        unsafe {
            let entry = pg_sys::SearchSysCache1(cache, self.oid.into());
            if entry.is_null() {
                return None;
            }
            let (column, mut is_null) = (pg_sys::Anum_pg_operator_oprnamespace as i16, true);
            let schema = pg_sys::SysCacheGetAttr(cache, entry, column, &raw mut is_null);
            pg_sys::ReleaseSysCache(entry);
            pg_sys::Oid::from_datum(schema, is_null)
        }
    }
}

/// The owner of a function, if it is the one of the operator.
fn owner_of_match(function: pg_sys::Oid) -> Option<pg_sys::Oid> {
    let cache = pg_sys::SysCacheIdentifier::PROCOID as i32;
    // SAFETY: this looks into the server's caches (syscache.h). The entry is pinned while it is read.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"session_store".as_ptr(), true);
        let entry = pg_sys::SearchSysCache1(cache, function.into());
        if entry.is_null() {
            return None;
        }
        let column = |number: u32| {
            let mut is_null = true;
            let value = pg_sys::SysCacheGetAttr(cache, entry, number as i16, &raw mut is_null);
            (!is_null).then_some(value)
        };
        let name = column(pg_sys::Anum_pg_proc_proname)
            .map(|name| std::ffi::CStr::from_ptr(name.cast_mut_ptr::<pg_sys::NameData>().cast()));
        let is_match = name == Some(c"lucene_match")
            && schema != pg_sys::InvalidOid
            && column(pg_sys::Anum_pg_proc_pronamespace).map(|oid| oid.value())
                == Some(schema.to_u32() as usize);
        let owner = column(pg_sys::Anum_pg_proc_proowner).filter(|_| is_match);
        pg_sys::ReleaseSysCache(entry);
        owner.and_then(|owner| pg_sys::Oid::from_datum(owner, false))
    }
}

/// What a writer is going to write.
#[derive(Clone, Copy)]
pub enum Lock {
    /// Some rows. Others may write rows at the same time, but nobody may change the store's key,
    /// rename it or drop it.
    Rows,
    /// The whole table, or its name.
    WholeTable,
}

/// The error for a store that does not exist. It suggests similar names.
pub fn unknown(spi: &Spi, name: &Name) -> Result<Error> {
    let names = spi.run(Mode::Read, "SELECT name FROM session_store.store", &[])?.column();
    let is_table = matches!(table::find(name, pg_sys::NoLock), StoreRelation::Found(_));
    let name = name.as_str();
    // A table is written with its schema, a store is not.
    let near = suggest(name.strip_prefix("sessions.").unwrap_or(name), names);
    Ok(Error::UnknownStore { name: name.to_string(), near, is_table })
}

/// Makes other calls wait that are about to create a store of this name, until this transaction
/// ends; then they find the name taken. If two names have the same number, the calls only wait for
/// each other.
pub fn reserve(name: &Name) {
    if let Some(catalogue) = fast_path::catalogue() {
        locks::lock_number(catalogue, name.hash());
    }
}

/// Refuses a name that a store has at this moment.
pub fn refuse_store(spi: &Spi, name: &Name) -> Result<()> {
    if spi.run_now(FIND, &[name.as_str().into()])?.len() > 0 {
        return Err(Error::StoreExists { name: name.as_str().to_string() });
    }
    Ok(())
}

/// Enters a store whose table exists. A trigger of the catalogue checks that the caller owns the
/// table.
pub fn insert(spi: &Spi, name: &Name, key: &str, shards: i32, replicas: i32) -> Result<()> {
    let row = "
        INSERT INTO session_store.store (name, key, shards, replicas) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    let values = [name.as_str().into(), key.into(), shards.into(), replicas.into()];
    match spi.run(Mode::Write, row, &values)?.len() {
        0 => Err(Error::StoreExists { name: name.as_str().to_string() }),
        _ => Ok(()),
    }
}

/// Refuses a name that something in the schema of stores already has. This asks the server's
/// caches, which know everything that is committed.
pub fn refuse_taken_relation(store: &Name, relation: &Name) -> Result<()> {
    let is_table = match table::find(relation, pg_sys::NoLock) {
        StoreRelation::Missing => return Ok(()),
        found => store == relation && matches!(found, StoreRelation::Found(_)),
    };
    let (name, relation) = (store.as_str().to_string(), relation.as_str().to_string());
    Err(Error::RelationExists { name, relation, is_table })
}

/// How many copies of the data there are: this server and the physical standbys that are streaming
/// now. Null on a standby, where that is not known. Who may not read pg_stat_replication sees its
/// processes but not their state; then all of them count.
pub const COPIES: &str = "
    SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN 1 OPERATOR(pg_catalog.+) (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_stat_replication AS sender
        WHERE coalesce(sender.state, 'streaming') OPERATOR(pg_catalog.=) 'streaming'
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_replication_slots AS slot
                WHERE slot.active_pid OPERATOR(pg_catalog.=) sender.pid
                    AND slot.slot_type OPERATOR(pg_catalog.=) 'logical')) END::pg_catalog.int4 AS copies";
