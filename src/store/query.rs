//! Asking a store: session_query, session_count, session_explain.

use super::catalog::Store;
use super::search::{self, Search};
use super::spi::{Mode, Spi};
use crate::document::JsonbDatum;
use crate::error::{Error, Result};
use crate::lucene::SortKey;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use serde_json::json;

/// Which of the matches are wanted.
#[derive(Clone, Copy)]
pub struct Window {
    start: i64,
    rows: Option<i64>,
}

impl Window {
    /// `rows`: none means all.
    pub fn new(start: i64, rows: Option<i64>) -> Result<Window> {
        for (what, value) in [("start", start), ("rows", rows.unwrap_or(0))] {
            if value < 0 {
                return Err(Error::OutOfRange { what, range: "at least 0", got: value });
            }
        }
        Ok(Window { start, rows })
    }
}

/// A statement that reads a window of the matches, and its parameters.
pub struct Items<'s> {
    pub sql: String,
    pub parameters: Vec<DatumWithOid<'s>>,
}

impl<'s> Items<'s> {
    /// Rows of `doc`. Without a sort they come as the scan finds them, in the order of their places in the table (a bitmap
    /// scan goes through its pages in order; for partitions, one after the other). A sort ends in that order too.
    pub fn new(
        store: &Store,
        search: &'s Search,
        sort: &'s [SortKey],
        window: Window,
    ) -> Items<'s> {
        let mut parameters = search.parameters();
        parameters.push(window.start.into());
        parameters.push(window.rows.into());
        let mut order = String::new();
        for key in sort {
            parameters.push(key.path.as_str().into());
            let (largest, direction) = if key.descending { (true, "DESC") } else { (false, "ASC") };
            let path = parameters.len();
            order.push_str(&format!(
                "session_store.sort_key(doc, ${path}, {largest}) {direction} NULLS LAST, "
            ));
        }
        if !order.is_empty() {
            order = format!("ORDER BY {order}tableoid, ctid");
        }
        let (table, condition) = (store.name.table(), search.condition());
        let sql = format!("SELECT doc FROM {table} WHERE {condition} {order} OFFSET $4 LIMIT $5");
        Items { sql, parameters }
    }
}

/// The number of matches.
pub fn count(store: &str, query: &str) -> Result<i64> {
    let search = Search::parse(query)?;
    search.notify();
    Spi::connect(|spi| count_in(spi, &Store::find(spi, store)?, &search))
}

fn count_in(spi: &Spi, store: &Store, search: &Search) -> Result<i64> {
    let sql = format!(
        "SELECT pg_catalog.count(*) FROM {} WHERE {}",
        store.name.table(),
        search.condition()
    );
    Ok(spi.run(Mode::Read, &sql, &search.parameters())?.get(0, 1).unwrap_or(0))
}

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
        let Items { sql, mut parameters } = Items::new(&store, &search, &sort, window);
        let items = if window.start >= count || window.rows == Some(0) {
            parameters.clear();
            "'[]'::pg_catalog.jsonb".to_string()
        } else {
            format!("(SELECT pg_catalog.jsonb_agg(doc) FROM ({sql}) AS items)")
        };
        parameters.push(count.into());
        let sql = format!(
            "SELECT pg_catalog.jsonb_build_object('count', ${}::pg_catalog.int8, 'items', {items})",
            parameters.len()
        );
        let rows = spi.run(Mode::ReadInOrder, &sql, &parameters)?;
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
        let items = Items::new(&store, &search, &keys, Window::new(0, Some(10))?);
        // To SPI, EXPLAIN is a utility statement and as such none that only reads, though it runs on a standby too.
        let plan = spi.run(Mode::Write, &format!("EXPLAIN {}", items.sql), &items.parameters)?;
        let direction = |key: &SortKey| if key.descending { "desc" } else { "asc" };
        let order = |key: &SortKey| format!("{} {}", key.path, direction(key));
        let mut explained = json!({
            "query": search.ast.to_string(),
            "jsonpath": search.jsonpath.as_deref().ok(),
            "notices": search.notices,
            "index": search.predicate.index_report(),
            "sort": keys.iter().map(order).collect::<Vec<_>>(),
            "plan": plan.column::<String>(),
        });
        if let Err(reason) = &search.jsonpath {
            explained["unsayable"] = json!(reason);
        }
        Ok(explained)
    })
}
