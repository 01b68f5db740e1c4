//! session_query, session_count and session_explain.

use super::catalog::{Operator, Store};
use super::facets::{self, Target};
use super::matches::{Matches, TOO_MANY_ROWS, count_by_planner};
use super::search::{self, StoreQuery};
use super::select::{Select, Window};
use super::shards::{self, Merged};
use crate::document::{self, Jsonb, JsonbDatum, Projection, Span};
use crate::error::Result;
use crate::executor::{self, Obstacle, ReadStats};
use crate::pg::guc::{NO_JIT, NO_WORKERS, with_gucs};
use crate::pg::spi::{Mode, Spi};
use crate::syntax::SortKey;
use chrono::{DateTime, SecondsFormat, Utc};
use pgrx::pg_sys;
use serde_json::{Value, json};
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
        let parts = executor::indexed_tables(store.table, operator.oid);
        if let Ok(parts) = &parts
            && let Some(count) = executor::count(parts, &search.predicate)?
        {
            return Ok(count as i64);
        }
        let table = store.source(spi, &search.predicate)?;
        let counted = match parts {
            Err(Obstacle::Distributed) => shards::count(spi, &table, operator, search)?,
            _ => None,
        };
        let by_planner = || count_by_planner(spi, &table, operator, search);
        Ok(counted.map_or_else(by_planner, Ok)? as i64)
    })
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
        let table = store.source(spi, &search.predicate)?;
        let (search, sort) = (&search, sort.as_slice());
        let matches = Matches { spi, table: &table, operator, search, sort, window };
        let mut items = document::Answer::default();
        let mut lacking = None;
        let parts = executor::indexed_tables(store.table, operator.oid);
        let found = match &parts {
            Ok(parts) => {
                let mut take =
                    |doc: Jsonb<'_>| push(&mut items, fields.as_ref(), doc).map(|()| true);
                matches.by_index(parts, &mut take)?.map(|(count, _)| count)
            }
            Err(Obstacle::Distributed) => {
                let found = shards::query(&matches, fl, &mut |doc| items.push(doc))?;
                found.map(|found| {
                    lacking = Some(found.lacking);
                    found.count
                })
            }
            Err(_) => None,
        };
        let count = match found {
            Some(count) => count,
            None => matches
                .by_planner(&mut |doc| push(&mut items, fields.as_ref(), doc).map(|()| true))?,
        };
        if items.items() > 0 {
            match lacking {
                Some(keys) => keys.iter().for_each(|&key| search::notify_missing(&sort[key].path)),
                None => search::notify_sort(spi, &store, parts.as_deref().ok(), sort)?,
            }
        }
        let facets = match &request {
            Some(request) => {
                let target = Target { spi, table: &table, operator, search };
                Some(document::jsonb_payload(target.facets(request)?))
            }
            None => None,
        };
        let facets = facets.as_deref().map(|facets| ("facets", facets));
        let [head, list, tail] = items.finish(count, facets)?;
        let payload = [&head, &list, items.values(), &tail];
        // SAFETY: `result_context` is the context for the result of this function, and the payload
        // is that of a jsonb value.
        Ok(unsafe { JsonbDatum::from_payload(&payload, result_context) })
    })
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
        let table = &store.source(spi, &search.predicate)?;
        if let Some(request) = &request {
            let target = Target { spi, table, operator, search: &search };
            explained["facets"] = target.explain(request)?;
        }
        let (started, window) = (Instant::now(), Window::new(0, Some(10))?);
        let matches = Matches { spi, table, operator, search: &search, sort: &keys, window };
        let (answered, count) = answer_for_explain(&matches)?;
        for (name, value) in answered {
            explained[name.as_str()] = value;
        }
        explained["count"] = json!(count);
        explained["milliseconds"] = json!(started.elapsed().as_micros() as f64 / 1000.0);
        Ok(explained)
    })
}

/// Answers a query, and says which way. Returns the number of matches.
fn answer_for_explain(matches: &Matches<'_>) -> Result<(serde_json::Map<String, Value>, u64)> {
    let mut explained = serde_json::Map::new();
    let mut add = |name: &str, value| drop(explained.insert(name.to_string(), value));
    let mut forget = |_: Jsonb<'_>| Ok(true);
    let reason = match executor::indexed_tables(matches.table.oid, matches.operator.oid) {
        Err(Obstacle::Distributed) => match shards::query(matches, None, &mut |_| Ok(()))? {
            None => shards::obstacle().to_string(),
            Some(Merged { count, shards, .. }) => {
                let planned = |(name, reason): &(String, Option<String>)| {
                    Some((name.clone(), json!(reason.as_ref()?)))
                };
                add("way", json!("shards"));
                add("shards", json!(shards.len()));
                let planned: serde_json::Map<_, _> = shards.iter().filter_map(planned).collect();
                if !planned.is_empty() {
                    add("planner", planned.into());
                }
                return Ok((explained, count));
            }
        },
        Err(obstacle) => obstacle.to_string(),
        Ok(parts) => match matches.by_index(&parts, &mut forget)? {
            None => TOO_MANY_ROWS.to_string(),
            Some((count, stats)) => {
                add("way", json!("posting lists"));
                add("read", stats_to_json(&stats));
                return Ok((explained, count));
            }
        },
    };
    add("way", json!("planner"));
    add("reason", json!(reason));
    let Matches { spi, table, operator, search, sort, window } = *matches;
    let items = Select::new(table, operator, search, sort, window)?;
    // For SPI, EXPLAIN is a utility statement, which is never read-only. It still runs on a
    // standby.
    let plan = with_gucs(&[NO_JIT, NO_WORKERS], || {
        spi.run(Mode::Write, &format!("EXPLAIN {}", items.sql), &items.parameters)
    })?;
    add("plan", json!(plan.column::<String>()));
    Ok((explained, matches.by_planner(&mut forget)?))
}

/// What was read for an answer, as session_explain shows it.
pub fn stats_to_json(stats: &ReadStats) -> serde_json::Value {
    let mut read = json!({
        "keys": stats.keys,
        "postings": stats.postings,
        "counted": stats.counted,
        "rows": stats.rows,
        "heap pages": stats.heap_pages,
    });
    if let Some(sorted_by) = stats.sorted_by {
        read["sorted by"] = json!(sorted_by);
    }
    read
}
