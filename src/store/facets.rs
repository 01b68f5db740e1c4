//! Facets and statistics of a query's matches: from the index, or from the documents that the
//! planner finds. The answers are the same.

use super::catalog::{Operator, Store};
use super::matches::TOO_MANY_ROWS;
use super::query::stats_to_json;
use super::running::{ROW_BATCH, RunningQuery};
use super::search::StoreQuery;
use super::select::{Select, Window};
use super::shard_values;
use super::table::Table;
use crate::document::Jsonb;
use crate::error::{Error, Result};
use crate::executor::{self, Edge, IndexedTable, Obstacle, ReadError, ReadResult, ValueSource};
use crate::facet::{self, Asked, DocumentValues, Facets, Needs, Order, OrderBy, ValueCount};
use crate::index::{is_distributed, parse_cache};
use crate::pg::guc::with_gucs;
use crate::pg::spi::Spi;
use crate::predicate::Predicate;
use pgrx::pg_sys;
use serde_json::{Value, json};
use std::time::Instant;

/// Facet requests are read with this.
pub fn read(request: Jsonb<'_>, is_whole: bool) -> Result<Facets> {
    let mut read_query = |text: &str| Ok(parse_cache::parse_cached(text)?.predicate.clone());
    match is_whole {
        true => Facets::read_request(request, parse_cache::now(), &mut read_query),
        false => Facets::read(request, parse_cache::now(), &mut read_query),
    }
}

/// The facets of a query's matches.
pub fn facets(store: &str, query: &str, request: Jsonb<'_>) -> Result<Value> {
    let search = StoreQuery::parse(query)?;
    let facets = read(request, false)?;
    search.notify();
    Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        let (table, search) = (&store.source(spi, &search.predicate)?, &search);
        Target { spi, table, operator, search }.facets(&facets)
    })
}

/// The values at a path of a query's matches.
pub fn values(
    store: &str,
    query: &str,
    path: &str,
    prefix: Option<&str>,
    sort: &str,
    window: Window,
) -> Result<Vec<ValueCount>> {
    let search = StoreQuery::parse(query)?;
    search.notify();
    values_of(store, &search, path, prefix, sort, window)
}

/// The values at a path of the matches of a query that was read already.
pub(super) fn values_of(
    store: &str,
    search: &StoreQuery,
    path: &str,
    prefix: Option<&str>,
    sort: &str,
    window: Window,
) -> Result<Vec<ValueCount>> {
    let order = parse_order(sort)?;
    let rows = window.rows().map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
    let window = (usize::try_from(window.start()).unwrap_or(usize::MAX), rows);
    Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        let table = &store.source(spi, &search.predicate)?;
        let target = Target { spi, table, operator, search };
        target.with_facets(path, &facet::request_values(path, prefix), &mut |source| {
            let matches = source.matches();
            facet::values(source, &matches, path, prefix, order, window)
        })
    })
}

/// The strings at a path of a query's matches that begin with a prefix, the most frequent first.
pub fn suggest(
    store: &str,
    path: &str,
    prefix: &str,
    query: &str,
    rows: Option<i64>,
) -> Result<Vec<ValueCount>> {
    values(store, query, path, Some(prefix), "count desc", Window::new(0, rows)?)
}

/// Reads `count desc`, `count asc`, `value asc` or `value desc`.
fn parse_order(sort: &str) -> Result<Order> {
    let words: Vec<String> = sort.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (by, descending) = match words.as_slice() {
        ["count"] | ["count", "desc"] => (OrderBy::Count, true),
        ["count", "asc"] => (OrderBy::Count, false),
        ["value"] | ["value", "asc"] => (OrderBy::Value, false),
        ["value", "desc"] => (OrderBy::Value, true),
        _ => {
            let problem = format!(
                "expected count desc, count asc, value asc or value desc, found \"{sort}\""
            );
            return Err(Error::Request { place: "sort".to_string(), problem });
        }
    };
    Ok(Order { by, descending })
}

/// Whose values are asked for.
pub struct Target<'t> {
    pub spi: &'t Spi,
    pub table: &'t Table,
    pub operator: Operator,
    pub search: &'t StoreQuery,
}

impl Target<'_> {
    /// The answer to a facet request.
    pub fn facets(&self, facets: &Facets) -> Result<Value> {
        self.with_values(&Asked::Facets(facets), &mut |source| facet::answer(source, facets))
    }

    /// How a facet request is answered, and what that takes.
    pub fn explain(&self, facets: &Facets) -> Result<Value> {
        let started = Instant::now();
        let asked = Asked::Facets(facets);
        let mut work = |source: &mut dyn ValueSource| {
            facet::answer(source, facets)?;
            Ok((source.ways(), source.stats()))
        };
        let (mut explained, (ways, stats)) =
            match (self.with_known(&asked, &mut work)?, self.tables()) {
                (Some(found), Ok(_)) => (json!({ "way": "index" }), found),
                (Some(found), Err(_)) => (json!({ "way": "shards" }), found),
                (None, tables) => {
                    let obstacle = tables.err().map(|obstacle| obstacle.to_string());
                    let reason = obstacle.as_deref().unwrap_or(TOO_MANY_ROWS);
                    let found = self.with_documents(&asked, &mut work)?;
                    (json!({ "way": "planner", "reason": reason }), found)
                }
            };
        explained["paths"] = json!(ways);
        explained["read"] = stats_to_json(&stats);
        explained["milliseconds"] = json!(started.elapsed().as_micros() as f64 / 1000.0);
        Ok(explained)
    }

    /// How many matches have a value at a path from one edge up to but not including the next.
    pub fn counts_between(&self, path: &str, edges: &[Edge]) -> Result<Vec<u64>> {
        let buckets = facet::buckets(path, edges);
        self.with_values(&Asked::Between { path, edges, buckets: &buckets }, &mut |source| {
            let matches = source.matches();
            source.counts_between(path, edges, &matches)
        })
    }

    /// The store's tables, if the executor may read them.
    pub fn tables(&self) -> std::result::Result<Vec<IndexedTable>, Obstacle> {
        executor::indexed_tables(self.table.oid, self.operator.oid)
    }

    /// Does some work with the values at a path that a facet asks for, as JSON.
    pub fn with_facets<T>(
        &self,
        path: &str,
        request: &Value,
        work: &mut dyn FnMut(&mut dyn ValueSource) -> ReadResult<T>,
    ) -> Result<T> {
        if !is_distributed(self.table.oid) || path.is_empty() {
            return self.with_values(&Asked::Values { path }, work);
        }
        let mut no_query = |_: &str| Ok(Predicate::None.into());
        let facets = Facets::read_json(request, parse_cache::now(), &mut no_query)?;
        self.with_values(&Asked::Facets(&facets), work)
    }

    /// Does some work with the values of the matches.
    pub fn with_values<T>(
        &self,
        asked: &Asked<'_>,
        work: &mut dyn FnMut(&mut dyn ValueSource) -> ReadResult<T>,
    ) -> Result<T> {
        match self.with_known(asked, work)? {
            Some(result) => Ok(result),
            None => self.with_documents(asked, work),
        }
    }

    /// The same, where the executor may read the store's indexes, or shards answer; else none.
    pub fn with_known<T>(
        &self,
        asked: &Asked<'_>,
        work: &mut dyn FnMut(&mut dyn ValueSource) -> ReadResult<T>,
    ) -> Result<Option<T>> {
        match self.tables() {
            Ok(tables) => executor::with_index_values(&tables, &self.search.predicate, work),
            Err(Obstacle::Distributed) => {
                let values = shard_values::of_all(self, asked)?;
                values.map(|mut values| work(&mut values).map_err(unnumbered)).transpose()
            }
            Err(_) => Ok(None),
        }
    }

    /// The same with the documents that the planner finds.
    fn with_documents<T>(
        &self,
        asked: &Asked<'_>,
        work: &mut dyn FnMut(&mut dyn ValueSource) -> ReadResult<T>,
    ) -> Result<T> {
        let mut values = self.read_documents(&asked.needs())?;
        work(&mut values).map_err(unnumbered)
    }

    /// The same, where the executor may read the store's indexes; else none.
    pub fn with_index<T>(
        &self,
        work: &mut dyn FnMut(&mut dyn ValueSource) -> ReadResult<T>,
    ) -> Result<Option<T>> {
        match self.tables() {
            Ok(tables) => executor::with_index_values(&tables, &self.search.predicate, work),
            Err(_) => Ok(None),
        }
    }

    /// Reads the matches through the planner.
    fn read_documents<'n>(&self, needs: &Needs<'n>) -> Result<DocumentValues<'n>> {
        let all = StoreQuery::parse("*:*")?;
        let search = if needs.everything { &all } else { self.search };
        let mut values = DocumentValues::new(&self.search.predicate, needs);
        self.each_document(search, &mut |doc| values.push(doc, !needs.everything))?;
        values.finish();
        Ok(values)
    }

    /// Reads the matches of a query through the planner.
    pub fn each_document(
        &self,
        search: &StoreQuery,
        take: &mut dyn FnMut(Jsonb<'_>) -> Result<()>,
    ) -> Result<()> {
        let window = Window::new(0, None)?;
        let statement = Select::new(self.table, self.operator, search, &[], window)?;
        with_gucs(statement.settings, || {
            // SAFETY: CurrentMemoryContext is a global that only the server's one thread uses. It
            // is the context of the SPI connection, which outlives the query.
            let memory = unsafe { pg_sys::CurrentMemoryContext };
            let mut running =
                RunningQuery::start(self.spi, memory, &statement.sql, &statement.parameters)?;
            let result = (|| loop {
                let batch = running.fetch(ROW_BATCH);
                if batch.is_empty() {
                    return Ok(());
                }
                for row in batch {
                    // SAFETY: `row` is a copy of a jsonb value as it is stored.
                    let doc = unsafe { executor::Stored::new(pg_sys::Datum::from(row.as_ptr())) };
                    doc.read(&mut *take)?;
                }
            })();
            running.close();
            result
        })
    }
}

/// The error of work with values that are numbered as they come, or not at all: no doc ID of theirs
/// can overflow.
fn unnumbered(error: ReadError) -> Error {
    match error {
        ReadError::Failed(error) => error,
        ReadError::DocIdOverflow(_) => Error::RequestTooLarge {
            problem: "there are more documents than can be numbered".to_string(),
        },
    }
}
