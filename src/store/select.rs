//! The statement that reads a window of a query's matches.

use super::catalog::Operator;
use super::search::StoreQuery;
use super::table::{self, Table};
use crate::error::{Error, Result};
use crate::index::is_distributed;
use crate::pg::guc::{FROM_THE_START, NO_JIT, QUIET, QUIET_WORKERS, Setting};
use crate::syntax::SortKey;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;

/// Which of the matches are returned.
#[derive(Clone, Copy)]
pub struct Window {
    start: i64,
    rows: Option<i64>,
}

impl Window {
    /// If `rows` is none, all matches from `start` on are returned.
    pub fn new(start: i64, rows: Option<i64>) -> Result<Window> {
        for (what, value) in [("start", start), ("rows", rows.unwrap_or(0))] {
            if value < 0 {
                return Err(Error::OutOfRange { what, range: "at least 0", got: value });
            }
        }
        Ok(Window { start, rows })
    }

    pub fn start(self) -> u64 {
        self.start as u64
    }

    pub fn rows(self) -> Option<u64> {
        self.rows.map(|rows| rows as u64)
    }

    /// How many matches lie before the end of the window. None if it has no end.
    pub fn end(self) -> Option<u64> {
        self.rows().map(|rows| self.start().saturating_add(rows))
    }

    /// Whether none of `count` matches lies in the window.
    pub fn is_empty(self, count: i64) -> bool {
        self.start >= count || self.rows == Some(0)
    }
}

/// The statement, which returns column `doc`, and its parameters.
pub struct Select<'s> {
    pub sql: String,
    pub parameters: Vec<DatumWithOid<'s>>,
    /// What it is to be planned and run under.
    pub settings: &'static [Setting],
}

/// The settings under which a statement of ours reads a distributed table.
pub const DISTRIBUTED: &[Setting] = &[NO_JIT, FROM_THE_START, QUIET, QUIET_WORKERS];

/// The settings under which a statement of ours reads a table.
pub fn settings(table: &Table) -> &'static [Setting] {
    match is_distributed(table.oid) {
        true => DISTRIBUTED,
        false => &[NO_JIT, FROM_THE_START],
    }
}

impl<'s> Select<'s> {
    /// Without a sort, matches come in the order of the table: a bitmap scan reads its pages in
    /// order, and partitions come one after the other. With a sort, documents with equal values
    /// come in that order, too. The shards of a distributed table answer in any order, so a window of
    /// their matches is put in one.
    pub fn new(
        table: &Table,
        operator: Operator,
        search: &'s StoreQuery,
        sort: &'s [SortKey],
        window: Window,
    ) -> Result<Select<'s>> {
        let mut parameters = search.parameters(table, operator)?;
        parameters.push(window.start.into());
        parameters.push(window.rows.into());
        let mut order = String::new();
        for key in sort {
            parameters.push(key.path.as_str().into());
            let direction = if key.descending { "DESC" } else { "ASC" };
            let (largest, path) = (key.largest, parameters.len());
            order.push_str(&format!(
                "session_store.sort_key(doc, ${path}, {largest}) {direction} NULLS LAST, "
            ));
        }
        let condition = search.condition(table, operator)?;
        let shard = search.choose_shard(table, &mut parameters);
        let mut matches = format!("{} WHERE {shard}{condition}", table.sql);
        if is_distributed(table.oid) {
            if !order.is_empty() || window.start > 0 || window.rows.is_some() {
                let place = if may_read_places(table.oid) { SHARD_PLACE } else { "doc" };
                order = format!("ORDER BY {order}{place}");
            }
        } else if !order.is_empty() {
            order = match may_read_places(table.oid) {
                true => format!("ORDER BY {order}tableoid, ctid"),
                false => {
                    matches = format!(
                        "(SELECT doc, pg_catalog.row_number() OVER () AS place FROM {matches}) AS matches"
                    );
                    format!("ORDER BY {order}place")
                }
            };
        }
        let sql = format!("SELECT doc FROM {matches} {order} OFFSET $2 LIMIT $3");
        Ok(Select { sql, parameters, settings: settings(table) })
    }
}

/// The place of a row of a distributed table, which its shard calculates: shards in the order of
/// their names, as shards.rs has it.
const SHARD_PLACE: &str =
    r#"(tableoid::pg_catalog.regclass::pg_catalog.text) COLLATE pg_catalog."C", ctid"#;

/// Whether the user may read the place of a row. Reading `doc` needs a privilege on that column,
/// but `ctid` needs one on the table. And a row of a view has no place; that of a foreign table
/// means nothing here.
fn may_read_places(table: pg_sys::Oid) -> bool {
    // SAFETY: looks into the server's caches.
    let kind = unsafe { pg_sys::get_rel_relkind(table) } as u8;
    let is_table = kind == pg_sys::RELKIND_RELATION || kind == pg_sys::RELKIND_PARTITIONED_TABLE;
    is_table && table::may_read(table)
}
