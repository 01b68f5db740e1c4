//! What one shard of a distributed table answers: how many rows match, and a window of them. The
//! coordinator (shards.rs) asks each shard for it, in one statement that Citus sends to all of them.
//!
//! The answer is jsonb, which the server checks when it arrives:
//! `{"count": N, "items": [doc…], "details": {…}}`. The details are strings: the name of the shard,
//! the sort keys of the window's rows, which sort keys no document has, and why the planner was asked.

use super::catalog::Operator;
use super::matches::{Matches, TOO_MANY_ROWS};
use super::search::{self, StoreQuery};
use super::select::Window;
use super::table;
use crate::document::{self, Jsonb, JsonbDatum, Projection, extreme};
use crate::error::{Error, Result};
use crate::executor;
use crate::memory;
use crate::pg::spi::Spi;
use crate::syntax::SortKey;
use pgrx::pg_sys;
use serde_json::json;
use std::collections::HashMap;

/// What separates the sort keys of a row, and the rows.
pub const BETWEEN_KEYS: char = ',';
pub const BETWEEN_ROWS: char = ';';
/// The sort key of a row without a value.
pub const NO_KEY: &str = "-";

/// The window of each shard: `{"name": [start, rows]}`. `*` stands for all others.
pub type Windows = HashMap<String, (i64, i64)>;
pub const ALL_SHARDS: &str = "*";

/// The answer of a table to a query. Documents are sent until they have `bytes` bytes together; the
/// sort keys of all rows of the window are.
pub fn page(
    shard: pg_sys::Oid,
    query: &str,
    sort: Option<&str>,
    fl: Option<&str>,
    windows: &str,
    bytes: i64,
) -> Result<JsonbDatum> {
    let search = StoreQuery::parse(query)?;
    let sort = search::parse_sort(sort)?;
    let fields = search::parse_fields(fl)?;
    let (name, table) = table::of_oid(shard)?;
    let (start, rows) = window_of(windows, name.as_str())?;
    let window = Window::new(start, Some(rows))?;
    // SAFETY: CurrentMemoryContext is a global that only the server's one thread uses. It is the
    // context for the result of this function until SPI switches to a context of its own.
    let result_context = unsafe { pg_sys::CurrentMemoryContext };
    Spi::connect(|spi| {
        let operator = Operator::find()?;
        let matches =
            Matches { spi, table: &table, operator, search: &search, sort: &sort, window };
        let mut page =
            Page { fields: fields.as_ref(), sort: &sort, left: bytes, ..Page::default() };
        // This checks the privileges of the user, and the planner does where it refuses.
        let parts = executor::indexed_tables(shard, operator.oid);
        let by_index = match &parts {
            Ok(parts) => matches.by_index(parts, &mut |doc| page.take(doc))?,
            Err(_) => None,
        };
        let mut details = json!({ "shard": name.as_str() });
        let count = match (by_index, &parts) {
            (Some((count, _)), _) => count,
            (None, parts) => {
                let obstacle = parts.as_ref().err().map(ToString::to_string);
                details["planner"] = json!(obstacle.as_deref().unwrap_or(TOO_MANY_ROWS));
                matches.by_planner(&mut |doc| page.take(doc))?
            }
        };
        if let Ok(parts) = &parts {
            let mut lacks = String::new();
            for key in sort.iter().take(search::NAMED) {
                lacks.push(if executor::lacks_path(parts, &key.path)? { '1' } else { '0' });
            }
            details["lacks"] = json!(lacks);
        }
        details["count"] = json!(count.to_string());
        details["keys"] = json!(page.keys);
        let details = document::jsonb_payload(details);
        let [head, list, tail] = page.items.finish(count, Some(("details", &details)))?;
        let payload = [&head, &list, page.items.values(), &tail];
        // SAFETY: `result_context` is the context for the result of this function, and the payload
        // is that of a jsonb value.
        Ok(unsafe { JsonbDatum::from_payload(&payload, result_context) })
    })
}

fn window_of(windows: &str, shard: &str) -> Result<(i64, i64)> {
    let windows: Windows = serde_json::from_str(windows).map_err(|error| Error::Request {
        place: "windows".to_string(),
        problem: error.to_string(),
    })?;
    Ok(windows.get(shard).or_else(|| windows.get(ALL_SHARDS)).copied().unwrap_or((0, 0)))
}

/// The window, as far as it was read.
#[derive(Default)]
struct Page<'p> {
    fields: Option<&'p Projection>,
    sort: &'p [SortKey],
    items: document::Answer,
    keys: String,
    /// How many bytes of documents may still be sent.
    left: i64,
}

impl Page<'_> {
    fn take(&mut self, doc: Jsonb<'_>) -> Result<bool> {
        memory::check();
        self.add_keys(doc)?;
        if self.left > 0 {
            let part = self.fields.map(|fields| fields.apply(doc)).transpose()?;
            let bytes = part.as_deref().unwrap_or(doc.bytes());
            self.left -= bytes.len() as i64;
            self.items.push(bytes)?;
        }
        Ok(self.left > 0 || !self.sort.is_empty())
    }

    /// Bytes as hexadecimal digits have the same order as the bytes.
    fn add_keys(&mut self, doc: Jsonb<'_>) -> Result<()> {
        for (at, key) in self.sort.iter().enumerate() {
            if !self.keys.is_empty() {
                self.keys.push(if at == 0 { BETWEEN_ROWS } else { BETWEEN_KEYS });
            }
            let value = extreme(doc, &key.path, key.largest, &mut Default::default());
            let Some(value) = value else {
                self.keys.push_str(NO_KEY);
                continue;
            };
            let room = 2 * value.len() + 2;
            memory::try_reserve(self.keys.len() + room, || self.keys.try_reserve(room))?;
            for byte in value {
                for digit in [byte >> 4, byte & 15] {
                    self.keys.push(char::from_digit(digit.into(), 16).unwrap_or_default());
                }
            }
        }
        Ok(())
    }
}
