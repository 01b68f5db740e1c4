//! Creating, renaming and dropping stores.

use super::catalog::{self, Lock, Operator, Store};
use super::name::Name;
use super::storage;
use super::table::{self, StoreRelation};
use super::{constraint, distributed};
use crate::error::{self, Error, Result};
use crate::pg::error_data::catch;
use crate::pg::spi::{Mode, Spi};
use crate::pg::versions;
use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys;

unsafe extern "C" {
    // access/twophase.h declares this; pgrx does not bind it.
    static max_prepared_xacts: std::ffi::c_int;
}

/// The most partitions that a store may have: enough for any layout of disks, and few enough that
/// planning a query over them stays fast.
const MAX_SHARDS: i32 = 1024;

/// `id` is compared byte by byte, whatever the collation of the database is. That is faster, and
/// the index on it does not break when the operating system changes its collations. It is also the
/// order in which session_update locks rows.
const TABLE: &str = r#"
    CREATE TABLE {table} (
        id pg_catalog.text COLLATE pg_catalog."C" PRIMARY KEY,
        doc pg_catalog.jsonb NOT NULL
    )"#;

const SHARDED: &str = " PARTITION BY HASH (id)";

const SHARD: &str = "
    CREATE TABLE {shard} PARTITION OF {table} FOR VALUES WITH (MODULUS {modulus}, REMAINDER {remainder})";

/// One index holds every path of every document.
const DOC_INDEX: &str = "CREATE INDEX ON {table} USING gin (doc {class})";

const COMMENT: &str = "COMMENT ON TABLE {table} IS 'session store: see session_store.store'";

/// Creates an empty store. Shards are partitions, or where Citus has servers for them, shards of its.
pub fn add(name: &str, key: &str, shards: i32, replicas: i32) -> Result<()> {
    let name = Name::new(name)?;
    catalog::check_key(key)?;
    within("shards", shards, 1, MAX_SHARDS, "between 1 and 1024")?;
    within("replicas", replicas, 1, i32::MAX, "at least 1")?;
    Spi::connect(|spi| {
        catalog::reserve(&name);
        catalog::refuse_store(spi, &name)?;
        if shards > 1 && distributed::is_coordinator(spi)? {
            create_table(spi, &name, key, 1)?;
            if let StoreRelation::Found(table) = table::find(&name, pg_sys::NoLock) {
                distributed::distribute_table(spi, table, shards)?;
            }
        } else {
            warn_of_locks(&name, shards);
            create_table(spi, &name, key, shards)?;
        }
        catalog::insert(spi, &name, key, shards, replicas)?;
        warn_of_missing_copies(spi, replicas)
    })
}

fn create_table(spi: &Spi, name: &Name, key: &str, shards: i32) -> Result<()> {
    catalog::refuse_taken_relation(name, name)?;
    let run =
        |sql: &str| spi.run(Mode::Write, &sql.replace("{table}", &name.table()), &[]).map(drop);
    if shards == 1 {
        run(TABLE)?;
    } else {
        run(&format!("{TABLE}{SHARDED}"))?;
        for number in 0..shards {
            let shard = name.shard(number);
            catalog::refuse_taken_relation(name, &shard)?;
            // The shard's name is put in last, because a name may hold anything, `{table}`
            // included.
            let sql = SHARD
                .replace("{modulus}", &shards.to_string())
                .replace("{remainder}", &number.to_string());
            let (head, tail) = sql.split_once("{shard}").unwrap_or_default();
            let tail = tail.replace("{table}", &name.table());
            spi.run(Mode::Write, &format!("{head}{}{tail}", shard.table()), &[])?;
        }
    }
    constraint::add(spi, name, key)?;
    run(&DOC_INDEX.replace("{class}", &Operator::find()?.class(spi)?))?;
    if let StoreRelation::Found(table) = table::find(name, pg_sys::NoLock) {
        storage::set_unset(spi, table)?;
    }
    run(COMMENT)
}

/// Dropping a table locks the table, everything that depends on it, and all of its partitions,
/// until the transaction ends. For each of them that is about as many locks as it has relations,
/// types and constraints.
fn warn_of_locks(name: &Name, shards: i32) {
    let wanted = i64::from(shards) * versions::LOCKS_OF_PARTITION;
    // SAFETY: MaxBackends, max_prepared_xacts and max_locks_per_xact are settings that the server
    // sets at its start. The size of the lock table is computed from them (lock.c, NLOCKENTS).
    let (each, transactions) = unsafe {
        let transactions = pg_sys::MaxBackends + max_prepared_xacts;
        (i64::from(pg_sys::max_locks_per_xact), i64::from(transactions))
    };
    let room = each * transactions;
    if wanted > room {
        let (most, least) = (room / versions::LOCKS_OF_PARTITION, wanted / transactions + 1);
        error::warning(
            format!(
                "store \"{}\" may be impossible to drop: dropping {shards} shards takes about {wanted} locks at once, and \
                 this server guarantees room for {room}",
                name.as_str()
            ),
            &format!(
                "Up to {most} shards can be dropped with max_locks_per_transaction = {each}. {shards} shards need {least} or \
                 more; a new value takes effect when the server is restarted."
            ),
        );
    }
}

/// PostgreSQL replicates the whole server, so a store cannot have copies of its own. But whoever
/// asks for copies should know if there are fewer.
fn warn_of_missing_copies(spi: &Spi, replicas: i32) -> Result<()> {
    let copies = spi.run(Mode::Read, catalog::COPIES, &[])?.get::<i32>(0, 1).unwrap_or(1);
    if replicas > copies {
        let are = if copies == 1 { "is 1 copy" } else { &format!("are {copies} copies") };
        error::warning(
            format!("{replicas} replicas were asked for, but there {are} of this server's data"),
            "A copy is a streaming standby of the whole server. To make one, run pg_basebackup -R -D <directory> -h <this \
             server>, and start a server on that directory. session_list() counts the copies.",
        );
    }
    Ok(())
}

fn within(what: &'static str, value: i32, from: i32, to: i32, range: &'static str) -> Result<()> {
    if (from..=to).contains(&value) {
        return Ok(());
    }
    Err(Error::OutOfRange { what, range, got: value.into() })
}

/// Gives a store another name. Its documents, indexes and privileges stay.
pub fn rename(name: &str, new: &str) -> Result<()> {
    let new = Name::new(new)?;
    Spi::connect(|spi| {
        let Store { name, shards, .. } = Store::lock(spi, name, Lock::WholeTable)?;
        catalog::reserve(&new);
        catalog::refuse_store(spi, &new)?;
        let rename = |from: &Name, to: &Name| {
            catalog::refuse_taken_relation(&new, to)?;
            let sql = format!("ALTER TABLE {} RENAME TO {}", from.table(), to.quoted());
            spi.run(Mode::Write, &sql, &[]).map(drop)
        };
        rename(&name, &new)?;
        for number in (0..shards).filter(|_| shards > 1) {
            // Somebody may have detached a partition and renamed it.
            if !matches!(table::find(&name.shard(number), pg_sys::NoLock), StoreRelation::Missing) {
                rename(&name.shard(number), &new.shard(number))?;
            }
        }
        let row = "
            UPDATE session_store.store SET name = $2 WHERE name OPERATOR(pg_catalog.=) $1";
        spi.run(Mode::Write, row, &[name.as_str().into(), new.as_str().into()])?;
        Ok(())
    })
}

/// Removes a store and its documents. If the table is already gone, the store is still removed. If
/// something else has taken the table's place, that stays.
pub fn drop_store(name: &str) -> Result<()> {
    let name = Name::new(name)?;
    Spi::connect(|spi| {
        match Store::lock(spi, name.as_str(), Lock::WholeTable) {
            Ok(_) => {
                let sql = format!("DROP TABLE {}", name.table());
                // The server's hint would be to use DROP … CASCADE.
                catch(
                    || spi.run(Mode::Write, &sql, &[]).map(drop),
                    |error| {
                        let (name, detail) =
                            (name.as_str().into(), error.detail().map(str::to_string));
                        let is_needed =
                            error.sql_error_code() == Code::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST;
                        is_needed.then_some(Error::Needed { name, detail })
                    },
                )?;
            }
            Err(Error::TableMissing { .. } | Error::NoTable { .. }) => {}
            Err(error) => return Err(error),
        }
        let row = "DELETE FROM session_store.store WHERE name OPERATOR(pg_catalog.=) $1";
        spi.run(Mode::Write, row, &[name.as_str().into()])?;
        Ok(())
    })
}
