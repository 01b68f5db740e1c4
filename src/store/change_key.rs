//! Changing the identity path of a store.

use super::catalog::{self, Lock, Store};
use super::progress::Progress;
use super::{constraint, identity, rekey_shards, table};
use crate::document::JsonbArg;
use crate::error::{Error, Result};
use crate::index::is_distributed;
use crate::pg::error_data::catch;
use crate::pg::guc::{NO_JIT, with_gucs};
use crate::pg::spi::{Mode, Spi};
use pgrx::PgSqlErrorCode as Code;

/// Returns one document more than an error names, to know whether there are more.
const UNUSABLE: &str = r#"
    SELECT id, doc FROM {table}
    WHERE session_store.identity(doc, $1) IS NULL
    ORDER BY id COLLATE pg_catalog."C" LIMIT 6"#;

const SHARED: &str = r#"
    SELECT id, identity FROM (
        SELECT id, identity, pg_catalog.count(*) OVER (PARTITION BY identity) AS bearers
        FROM (SELECT id, session_store.identity(doc, $1) AS identity FROM {table}) AS identified
    ) AS counted
    WHERE bearers OPERATOR(pg_catalog.>) 1
    ORDER BY identity COLLATE pg_catalog."C", id COLLATE pg_catalog."C" LIMIT 6"#;

/// Two documents may swap their identities, which the primary key would refuse after the first of
/// them. So documents whose id is going to be another document's get a random id first. Dropping
/// the primary key for that time would lose what depends on it: foreign keys, views, the replica
/// identity, comments and settings.
const STEP_ASIDE: &str = "
    UPDATE {table} SET id = pg_catalog.gen_random_uuid()::pg_catalog.text
    WHERE id OPERATOR(pg_catalog.<>) session_store.identity(doc, $1)
        AND id OPERATOR(pg_catalog.=) ANY (SELECT session_store.identity(doc, $1) FROM {table})";

/// The documents on some pages at a time, of each partition, so that progress can be told. A new
/// version of a row may come to lie on a later page; its id is right by then.
const SET_IDS: &str = "
    UPDATE {table} SET id = session_store.identity(doc, $1)
    WHERE ctid OPERATOR(pg_catalog.>=) $2::pg_catalog.tid AND ctid OPERATOR(pg_catalog.<) $3::pg_catalog.tid
        AND id OPERATOR(pg_catalog.<>) session_store.identity(doc, $1)";

/// How many pages that are.
const PAGES: u32 = 1024;

/// How many pages the largest partition has, or the table itself (pg_partition_tree returns no row
/// for a plain table).
const MOST_PAGES: &str = "
    SELECT pg_catalog.max(pg_catalog.pg_relation_size(part.oid)
        OPERATOR(pg_catalog./) pg_catalog.current_setting('block_size')::pg_catalog.int8)
    FROM (
        SELECT $1::pg_catalog.oid AS oid
        UNION ALL
        SELECT tree.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree($1::pg_catalog.regclass) AS tree) AS part";

/// How many documents an error names at most: enough to see what is wrong, few enough to read.
const MAX_NAMED: usize = 5;

/// Moves the identity of every document of a store to another path.
pub fn change_key(name: &str, path: &str) -> Result<()> {
    catalog::check_key(path)?;
    Spi::connect(|spi| with_gucs(&[NO_JIT], || change_all_keys(spi, name, path)))
}

fn change_all_keys(spi: &Spi, name: &str, path: &str) -> Result<()> {
    let store = Store::lock(spi, name, Lock::WholeTable)?;
    table::check_owner(store.table);
    table::refuse_row_security(store.table, &store.name)?;
    let sql = |text: &str| text.replace("{table}", &store.name.table());
    refuse_unusable(spi, &sql(UNUSABLE), path)?;
    refuse_shared(spi, &sql(SHARED), &store, path)?;
    explained(&store, || {
        constraint::remove(spi, &store.name)?;
        if is_distributed(store.table) {
            rekey_shards::move_documents(spi, &store, path)?;
        } else {
            spi.run(Mode::Write, &sql(STEP_ASIDE), &[path.into()])?;
            set_ids(spi, &store, &sql(SET_IDS), path)?;
        }
        constraint::add(spi, &store.name, path)
    })?;
    let row = "UPDATE session_store.store SET key = $2 WHERE name OPERATOR(pg_catalog.=) $1";
    spi.run(Mode::Write, row, &[store.name.as_str().into(), path.into()])?;
    Ok(())
}

fn set_ids(spi: &Spi, store: &Store, sql: &str, path: &str) -> Result<()> {
    let pages: Option<i64> = spi.run(Mode::Write, MOST_PAGES, &[store.table.into()])?.get(0, 1);
    let pages = u32::try_from(pages.unwrap_or(0)).unwrap_or(u32::MAX);
    let mut progress = Progress::default();
    let mut from = 0;
    loop {
        let is_last = pages.saturating_sub(from) <= PAGES;
        // Behind all rows: the last range has no end.
        let below = if is_last { u32::MAX } else { from + PAGES };
        let places = [from, below].map(|block| format!("({block},0)"));
        let [from_place, below_place] = &places;
        let values = [path.into(), from_place.as_str().into(), below_place.as_str().into()];
        let changed = spi.run(Mode::Write, sql, &values)?.len();
        progress.add(changed as u64, &store.name, "have their new id");
        if is_last {
            return Ok(());
        }
        from = below;
    }
}

/// Adds a hint to the error if something refers to the ids or is using the table.
fn explained(store: &Store, work: impl FnOnce() -> Result<()>) -> Result<()> {
    catch(work, |error| {
        let code = error.sql_error_code();
        let hint = match code {
            Code::ERRCODE_FOREIGN_KEY_VIOLATION => {
                "With ON UPDATE CASCADE, a foreign key lets rows follow the session that they refer to."
            }
            Code::ERRCODE_OBJECT_IN_USE => {
                "Close cursors on the store, and SET CONSTRAINTS ALL IMMEDIATE, before session_key."
            }
            _ => return None,
        };
        let (problem, detail) = (error.message().to_string(), error.detail().map(str::to_string));
        Some(Error::Held { name: store.name.as_str().to_string(), code, problem, detail, hint })
    })
}

fn refuse_unusable(spi: &Spi, sql: &str, path: &str) -> Result<()> {
    let rows = spi.run(Mode::WritePruned, sql, &[path.into()])?;
    let documents = (0..rows.len()).filter_map(|row| {
        let id: String = rows.get(row, 1)?;
        let problem =
            identity::identity(rows.get::<JsonbArg<'_>>(row, 2)?.document(), path).err()?;
        Some(format!("\"{id}\": {problem}"))
    });
    match at_most_five(documents.collect()) {
        None => Ok(()),
        Some(documents) => {
            let count = if rows.len() == 1 { "a document has" } else { "some documents have" };
            Err(Error::NoIdentity { count, path: path.to_string(), documents })
        }
    }
}

fn refuse_shared(spi: &Spi, sql: &str, store: &Store, path: &str) -> Result<()> {
    let rows = spi.run(Mode::WritePruned, sql, &[path.into()])?;
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

/// The first five of the documents, with `…` if there are more. None if there are no documents.
pub fn at_most_five(mut documents: Vec<String>) -> Option<Vec<String>> {
    if documents.len() > MAX_NAMED {
        documents.truncate(MAX_NAMED);
        documents.push("…".to_string());
    }
    (!documents.is_empty()).then_some(documents)
}
