//! A window of a query's matches in one table, read from the index or through the planner.

use super::catalog::Operator;
use super::running::{ROW_BATCH, RunningQuery};
use super::search::StoreQuery;
use super::select::{Select, Window, settings};
use super::table::Table;
use crate::document::Jsonb;
use crate::error::Result;
use crate::executor::{self, ReadStats};
use crate::index::gin::Tid;
use crate::pg::guc::with_gucs;
use crate::pg::spi::{Mode, Spi};
use crate::predicate::Predicate;
use crate::syntax::SortKey;
use pgrx::pg_sys;

/// Up to this many rows, the executor fetches the first matches one by one. Beyond it, a list of
/// the visible rows is faster.
const MAX_UNLISTED_ROWS: u64 = 1_000;

/// Of all documents in an order, so many are skipped one by one, without a list of all.
const MAX_SKIPPED_ROWS: u64 = 100;

/// Why the planner reads what the executor may read.
pub const TOO_MANY_ROWS: &str = "too many rows to number them, or to sort them in memory";

/// Takes a document, and says whether more are wanted.
pub type Take<'t> = &'t mut dyn FnMut(Jsonb<'_>) -> Result<bool>;

/// What is read, of which table.
pub struct Matches<'m> {
    pub spi: &'m Spi,
    pub table: &'m Table,
    pub operator: Operator,
    pub search: &'m StoreQuery,
    pub sort: &'m [SortKey],
    pub window: Window,
}

impl Matches<'_> {
    /// Reads from the index, and counts all matches. None if the executor cannot, so that the
    /// planner has to; then no document was taken.
    pub fn by_index(
        &self,
        parts: &[executor::IndexedTable],
        take: Take<'_>,
    ) -> Result<Option<(u64, ReadStats)>> {
        let (predicate, window) = (&self.search.predicate, self.window);
        let found = match window.end() {
            Some(end) if end <= MAX_UNLISTED_ROWS && self.sort.is_empty() => {
                executor::IndexSearch::first(parts, predicate, end)?
            }
            // Of all documents, the first ones in an order are found without a list.
            Some(end)
                if end <= MAX_UNLISTED_ROWS
                    && window.start() <= MAX_SKIPPED_ROWS
                    && **predicate == Predicate::All =>
            {
                executor::IndexSearch::all(parts)?
            }
            _ => executor::IndexSearch::exact(parts, predicate)?,
        };
        let Some(mut found) = found else { return Ok(None) };
        let (count, mut failed) = (found.len(), None);
        if !window.is_empty(count as i64) {
            if !found.sort(self.sort, window.start(), window.end())? {
                return Ok(None);
            }
            let mut left = window.rows().unwrap_or(u64::MAX);
            found.each(&mut |doc| {
                left -= 1;
                match doc.read(&mut *take) {
                    Ok(wants_more) => wants_more && left > 0,
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                }
            })?;
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(Some((count, found.stats))),
        }
    }

    /// Takes what every `step`-th row of the window is sorted by, and where it is, and counts all
    /// matches. None as above.
    pub fn keys_by_index(
        &self,
        parts: &[executor::IndexedTable],
        step: u64,
        take: &mut impl FnMut(&executor::SortValues, Tid) -> Result<()>,
    ) -> Result<Option<u64>> {
        let window = self.window;
        let predicate = &self.search.predicate;
        let found = match self.sort.is_empty() || window.rows() == Some(0) {
            true => executor::IndexSearch::first(parts, predicate, 0)?,
            false => executor::IndexSearch::exact(parts, predicate)?,
        };
        let Some(mut found) = found else { return Ok(None) };
        let count = found.len();
        if !self.sort.is_empty() && !window.is_empty(count as i64) {
            if !found.sort(self.sort, window.start(), window.end())? {
                return Ok(None);
            }
            let rows = window.rows().unwrap_or(u64::MAX);
            found.each_sort_key(self.sort, rows, step, take)?;
        }
        Ok(Some(count))
    }

    /// Reads through the planner, like any other SQL query, and counts all matches.
    pub fn by_planner(&self, take: Take<'_>) -> Result<u64> {
        let count = count_by_planner(self.spi, self.table, self.operator, self.search)?;
        if !self.window.is_empty(count as i64) {
            let statement =
                Select::new(self.table, self.operator, self.search, self.sort, self.window)?;
            with_gucs(statement.settings, || {
                // SAFETY: CurrentMemoryContext is a global that only the server's one thread uses.
                // It is the context of the SPI connection, which outlives the query.
                let memory = unsafe { pg_sys::CurrentMemoryContext };
                let mut running =
                    RunningQuery::start(self.spi, memory, &statement.sql, &statement.parameters)?;
                let result = take_all(&mut running, take);
                running.close();
                result
            })?;
        }
        Ok(count)
    }
}

/// Counts through the planner.
pub fn count_by_planner(
    spi: &Spi,
    table: &Table,
    operator: Operator,
    search: &StoreQuery,
) -> Result<u64> {
    let condition = search.condition(table, operator)?;
    let mut parameters = search.parameters(table, operator)?;
    let shard = search.choose_shard(table, &mut parameters);
    let sql = format!("SELECT pg_catalog.count(*) FROM {} WHERE {shard}{condition}", table.sql);
    let rows = with_gucs(settings(table), || spi.run(Mode::Read, &sql, &parameters))?;
    Ok(rows.get::<i64>(0, 1).unwrap_or(0) as u64)
}

fn take_all(running: &mut RunningQuery, take: Take<'_>) -> Result<()> {
    loop {
        let batch = running.fetch(ROW_BATCH);
        if batch.is_empty() {
            return Ok(());
        }
        for row in batch {
            // SAFETY: `row` is a copy of a jsonb value as it is stored.
            let doc = unsafe { executor::Stored::new(pg_sys::Datum::from(row.as_ptr())) };
            if !doc.read(&mut *take)? {
                return Ok(());
            }
        }
    }
}
