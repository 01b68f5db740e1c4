//! session_query, session_count and session_explain.

use super::catalog::{Operator, Store};
use super::facets::{self, Target};
use super::running::{ROW_BATCH, RunningQuery};
use super::search::{self, StoreQuery};
use super::select::{Select, Window};
use crate::document::{self, Jsonb, JsonbDatum, Projection, Span};
use crate::error::Result;
use crate::executor::{self, ReadStats};
use crate::pg::guc::{FROM_THE_START, NO_JIT, NO_WORKERS, with_gucs};
use crate::pg::spi::{Mode, Spi};
use crate::predicate::Predicate;
use crate::syntax::SortKey;
use chrono::{DateTime, SecondsFormat, Utc};
use pgrx::pg_sys;
use serde_json::json;
use std::time::Instant;

/// The number of matches.
pub fn count(store: &str, query: &str) -> Result<i64> {
    let search = StoreQuery::parse(query)?;
    search.notify();
    count_search(store, &search)
}

/// The number of matches of a query that the caller has not written, so no notice is sent.
pub fn count_quietly(store: &str, query: &str) -> Result<i64> {
    count_search(store, &StoreQuery::parse(query)?)
}

fn count_search(store: &str, search: &StoreQuery) -> Result<i64> {
    Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        match executor::indexed_tables(store.table, operator.oid) {
            Ok(parts) => match executor::count(&parts, &search.predicate)? {
                Some(count) => Ok(count as i64),
                None => planned_count(spi, &store, operator, search),
            },
            Err(_) => planned_count(spi, &store, operator, search),
        }
    })
}

/// Counts through the planner.
fn planned_count(spi: &Spi, store: &Store, operator: Operator, search: &StoreQuery) -> Result<i64> {
    let (table, condition) = (store.name.table(), search.condition(operator)?);
    let sql = format!("SELECT pg_catalog.count(*) FROM {table} WHERE {condition}");
    let rows = with_gucs(&[NO_JIT], || spi.run(Mode::Read, &sql, &search.parameters(operator)))?;
    Ok(rows.get(0, 1).unwrap_or(0))
}

/// Up to this many rows, the executor fetches the first matches one by one. Beyond it, a list of
/// the visible rows is faster.
const MAX_UNLISTED_ROWS: u64 = 1_000;

/// The parts of an answer.
struct QueryAnswer {
    count: u64,
    items: document::Answer,
    stats: ReadStats,
}

/// Adds a document to the items, or the part of it that is wanted.
fn push(items: &mut document::Answer, fields: Option<&Projection>, doc: Jsonb<'_>) -> Result<()> {
    match fields {
        Some(fields) => items.push(&fields.apply(doc)?),
        None => items.push(doc.bytes()),
    }
}

/// The number of matches and a window of them, as `{"count": N, "items": [doc…]}`. If there is a
/// request in JSON, its facets are added: `"facets": {…}`.
pub fn query(
    store: &str,
    query: &str,
    sort: Option<&str>,
    window: Window,
    fl: Option<&str>,
    json: Option<Jsonb<'_>>,
) -> Result<JsonbDatum> {
    let search = StoreQuery::parse(query)?;
    let sort = search::parse_sort(sort)?;
    let fields = search::parse_fields(fl)?;
    let request = json.map(|json| facets::read(json, true)).transpose()?;
    search.notify();
    // SAFETY: CurrentMemoryContext is a global that only the server's one thread uses. It is the
    // context for the result of this function until SPI switches to a context of its own.
    let result_context = unsafe { pg_sys::CurrentMemoryContext };
    Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        let parts = executor::indexed_tables(store.table, operator.oid).ok();
        let answer = match &parts {
            Some(parts) => direct(parts, &search, &sort, window, fields.as_ref())?,
            None => None,
        };
        let QueryAnswer { count, items, .. } = match answer {
            Some(answer) => answer,
            None => planned(spi, &store, operator, &search, &sort, window, fields.as_ref())?,
        };
        if items.items() > 0 {
            search::notify_sort(spi, &store, parts.as_deref(), &sort)?;
        }
        let facets = match &request {
            Some(request) => {
                let target = Target { spi, store: &store, operator, search: &search };
                Some(document::jsonb_payload(target.facets(request)?))
            }
            None => None,
        };
        let [head, list, tail] = items.finish(count, facets.as_deref())?;
        let payload = [&head, &list, items.values(), &tail];
        // SAFETY: `result_context` is the context for the result of this function, and the payload
        // is that of a jsonb value.
        Ok(unsafe { JsonbDatum::from_payload(&payload, result_context) })
    })
}

/// Answers from the index. None if the executor cannot, so that the planner has to.
fn direct(
    parts: &[executor::IndexedTable],
    search: &StoreQuery,
    sort: &[SortKey],
    window: Window,
    fields: Option<&Projection>,
) -> Result<Option<QueryAnswer>> {
    let predicate = &search.predicate;
    let found = match window.end() {
        Some(end) if end <= MAX_UNLISTED_ROWS && sort.is_empty() => {
            executor::IndexSearch::first(parts, predicate, end)?
        }
        // Of all documents, the first ones in an order are found without a list.
        Some(end) if end <= MAX_UNLISTED_ROWS && **predicate == Predicate::All => {
            executor::IndexSearch::all(parts)?
        }
        _ => executor::IndexSearch::exact(parts, predicate)?,
    };
    let Some(mut found) = found else { return Ok(None) };
    let (count, mut items, mut failed) = (found.len(), document::Answer::default(), None);
    if !window.is_empty(count as i64) {
        if !found.sort(sort, window.end())? {
            return Ok(None);
        }
        found.skip(window.start())?;
        let rows = window.rows().unwrap_or(u64::MAX);
        found.each(&mut |doc| {
            failed = doc.read(|doc| push(&mut items, fields, doc)).err();
            failed.is_none() && items.items() < rows
        })?;
    }
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(Some(QueryAnswer { count, items, stats: found.stats }))
}

/// Answers through the planner, like any other SQL query.
fn planned(
    spi: &Spi,
    store: &Store,
    operator: Operator,
    search: &StoreQuery,
    sort: &[SortKey],
    window: Window,
    fields: Option<&Projection>,
) -> Result<QueryAnswer> {
    let count = planned_count(spi, store, operator, search)?;
    let mut items = document::Answer::default();
    if !window.is_empty(count) {
        let statement = Select::new(store, operator, search, sort, window)?;
        with_gucs(&[NO_JIT, FROM_THE_START], || {
            // SAFETY: CurrentMemoryContext is a global that only the server's one thread uses. It
            // is the context of the SPI connection, which outlives the query.
            let memory = unsafe { pg_sys::CurrentMemoryContext };
            let mut running =
                RunningQuery::start(spi, memory, &statement.sql, &statement.parameters)?;
            let result = take_all(&mut running, &mut items, fields);
            running.close();
            result
        })?;
    }
    Ok(QueryAnswer { count: count as u64, items, stats: ReadStats::default() })
}

fn take_all(
    running: &mut RunningQuery,
    items: &mut document::Answer,
    fields: Option<&Projection>,
) -> Result<()> {
    loop {
        let batch = running.fetch(ROW_BATCH);
        if batch.is_empty() {
            return Ok(());
        }
        for row in batch {
            // SAFETY: `row` is a copy of a jsonb value as it is stored.
            let doc = unsafe { executor::Stored::new(pg_sys::Datum::from(row.as_ptr())) };
            doc.read(|doc| push(items, fields, doc))?;
        }
    }
}

/// A date of a query, and the instants that it stands for.
fn explain_date((date, instants): (&str, Span<DateTime<Utc>>)) -> serde_json::Value {
    let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    match instants.end {
        None => json!({ "date": date, "at": text(instants.first) }),
        Some(end) => json!({ "date": date, "from": text(instants.first), "before": text(end) }),
    }
}

/// How a query is understood, how it is run, and what that took.
pub fn explain(
    store: &str,
    query: &str,
    sort: Option<&str>,
    json: Option<Jsonb<'_>>,
) -> Result<serde_json::Value> {
    let search = StoreQuery::parse(query)?;
    let keys = search::parse_sort(sort)?;
    let request = json.map(|json| facets::read(json, true)).transpose()?;
    Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        let window = Window::new(0, Some(10))?;
        let jsonpath = search.predicate.jsonpath();
        let mut explained = json!({
            "query": &*search.canonical()?,
            "jsonpath": jsonpath.as_deref().ok(),
            "notices": &*search.notices(),
            "index": crate::index::explain::explain(&search.predicate),
            "sort": keys.iter().map(SortKey::to_string).collect::<Vec<_>>(),
        });
        let dates: Vec<_> = search.predicate.dates().map(explain_date).collect();
        if !dates.is_empty() {
            explained["dates"] = json!(dates);
        }
        if let Err(reason) = &jsonpath {
            explained["inexpressible"] = json!(reason.to_string());
        }
        if let Some(request) = &request {
            let target = Target { spi, store: &store, operator, search: &search };
            explained["facets"] = target.explain(request)?;
        }
        let started = Instant::now();
        let reason = match executor::indexed_tables(store.table, operator.oid) {
            Err(obstacle) => obstacle.to_string(),
            Ok(parts) => match direct(&parts, &search, &keys, window, None)? {
                None => "too many rows to number them, or to sort them in memory".to_string(),
                Some(QueryAnswer { count, stats, .. }) => {
                    explained["way"] = json!("posting lists");
                    explained["read"] = stats_to_json(&stats);
                    explained["count"] = json!(count);
                    explained["milliseconds"] =
                        json!(started.elapsed().as_micros() as f64 / 1000.0);
                    return Ok(explained);
                }
            },
        };
        explained["way"] = json!("planner");
        explained["reason"] = json!(reason);
        let items = Select::new(&store, operator, &search, &keys, window)?;
        // For SPI, EXPLAIN is a utility statement, which is never read-only. It still runs on a
        // standby.
        let plan = with_gucs(&[NO_JIT, NO_WORKERS], || {
            spi.run(Mode::Write, &format!("EXPLAIN {}", items.sql), &items.parameters)
        })?;
        explained["plan"] = json!(plan.column::<String>());
        let QueryAnswer { count, .. } =
            planned(spi, &store, operator, &search, &keys, window, None)?;
        explained["count"] = json!(count);
        explained["milliseconds"] = json!(started.elapsed().as_micros() as f64 / 1000.0);
        Ok(explained)
    })
}

/// What was read for an answer, as session_explain shows it.
pub fn stats_to_json(stats: &ReadStats) -> serde_json::Value {
    json!({
        "keys": stats.keys,
        "postings": stats.postings,
        "counted": stats.counted,
        "rows": stats.rows,
        "heap pages": stats.heap_pages,
    })
}
