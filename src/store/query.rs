//! Asking a store: session_query, session_count, session_explain.

use super::catalog::{Operator, Store};
use super::items::{Items, Window};
use super::search::{self, Search};
use super::spi::{Mode, Spi};
use crate::document::JsonbDatum;
use crate::error::{Error, Result};
use crate::lucene::SortKey;
use pgrx::pg_sys;
use serde_json::json;

/// The number of matches.
pub fn count(store: &str, query: &str) -> Result<i64> {
    let search = Search::parse(query)?;
    search.notify();
    Spi::connect(|spi| count_in(spi, &Store::find(spi, store)?, &search))
}

fn count_in(spi: &Spi, store: &Store, search: &Search) -> Result<i64> {
    let operator = Operator::find(spi)?;
    let (table, condition) = (store.name.table(), search.condition(&operator));
    let sql = format!("SELECT pg_catalog.count(*) FROM {table} WHERE {condition}");
    let rows = spi.run(Mode::Read, &sql, &search.parameters(&operator))?;
    Ok(rows.get(0, 1).unwrap_or(0))
}

/// Put together by PostgreSQL, which keeps every digit of a number.
const ANSWER: &str =
    "pg_catalog.jsonb_build_object('count', {count}::pg_catalog.int8, 'items', {items})";

/// The number of matches and a window of them, as `{"count": N, "items": [doc…]}`.
pub fn query(store: &str, query: &str, sort: Option<&str>, window: Window) -> Result<JsonbDatum> {
    let search = Search::parse(query)?;
    let sort = search::parse_sort(sort)?;
    search.notify();
    // SAFETY: reads the variable that says where this function's result has to live; SPI switches to a context of its own.
    let result_context = unsafe { pg_sys::CurrentMemoryContext };
    Spi::connect(|spi| {
        let store = Store::find(spi, store)?;
        let count = count_in(spi, &store, &search)?;
        let answer = ANSWER.replace("{count}", &count.to_string());
        let rows = if window.is_empty(count) {
            let sql = format!("SELECT {}", answer.replace("{items}", "'[]'::pg_catalog.jsonb"));
            spi.run(Mode::Read, &sql, &[])?
        } else {
            let items = Items::new(&store, &Operator::find(spi)?, &search, &sort, window);
            let answer = answer.replace("{items}", "pg_catalog.jsonb_agg(doc)");
            let sql = format!("SELECT {answer} FROM ({}) AS items", items.sql);
            spi.run(Mode::ReadInOrder, &sql, &items.parameters)?
        };
        let result = rows.datum(0, 1).ok_or(Error::Spi { doing: "session_query", code: 0 })?;
        // SAFETY: a jsonb datum is a varlena; its copy lives where the result has to.
        unsafe {
            let outer = pg_sys::MemoryContextSwitchTo(result_context);
            let copy = pg_sys::pg_detoast_datum_copy(result.cast_mut_ptr());
            pg_sys::MemoryContextSwitchTo(outer);
            Ok(JsonbDatum::new(pg_sys::Datum::from(copy)))
        }
    })
}

/// How a query was understood and how it is run.
pub fn explain(store: &str, query: &str, sort: Option<&str>) -> Result<serde_json::Value> {
    let search = Search::parse(query)?;
    let keys = search::parse_sort(sort)?;
    Spi::connect(|spi| {
        let store = Store::find(spi, store)?;
        let items =
            Items::new(&store, &Operator::find(spi)?, &search, &keys, Window::new(0, Some(10))?);
        // To SPI, EXPLAIN is a utility statement and as such none that only reads, though it runs on a standby too.
        let sql = format!("EXPLAIN {}", items.sql);
        let plan = spi.run(Mode::Write, &sql, &items.parameters)?;
        let direction = |key: &SortKey| if key.descending { "desc" } else { "asc" };
        let order = |key: &SortKey| format!("{} {}", key.path, direction(key));
        let mut explained = json!({
            "query": search.ast.to_string(),
            "jsonpath": search.jsonpath.as_deref().ok(),
            "notices": search.notices,
            "index": crate::index::report(&search.predicate),
            "sort": keys.iter().map(order).collect::<Vec<_>>(),
            "plan": plan.column::<String>(),
        });
        if let Err(reason) = &search.jsonpath {
            explained["unsayable"] = json!(reason);
        }
        Ok(explained)
    })
}
