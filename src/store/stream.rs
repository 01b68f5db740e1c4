//! Asking a store for rows one by one: session_stream.

use super::catalog::{Operator, Store};
use super::items::{Items, Window};
use super::search::{self, Search};
use super::spi::{Cursor, Mode, Spi};
use crate::document::JsonbDatum;
use crate::error::{Error, Result};
use pgrx::pg_sys;

/// Rows read at once. What a row holds inline is at most a page; larger documents are still pointers here.
const BATCH: i64 = 100;

/// The documents of a query, read as they are asked for. Holds a batch of them and a cursor, which is closed with it: at the
/// end, or when the calling statement asks for no more.
pub struct Stream {
    cursor: Option<Cursor>,
    /// Copies of the rows as they came, in memory of Rust's so that PostgreSQL cannot free it first; next one last.
    batch: Vec<Vec<u8>>,
}

impl Stream {
    pub fn open(store: &str, query: &str, sort: Option<&str>, window: Window) -> Result<Stream> {
        let search = Search::parse(query)?;
        let sort = search::parse_sort(sort)?;
        search.notify();
        Spi::connect(|spi| {
            let store = Store::find(spi, store)?;
            let items = Items::new(&store, &Operator::find(spi)?, &search, &sort, window);
            let cursor = spi.open_cursor(Mode::ReadInOrder, &items.sql, &items.parameters)?;
            Ok(Stream { cursor: Some(cursor), batch: Vec::new() })
        })
    }

    /// Reads the next batch; an empty one at the end.
    fn fetch(&self) -> Result<Vec<Vec<u8>>> {
        let Some(cursor) = &self.cursor else { return Ok(Vec::new()) };
        Spi::connect(|spi| {
            let Some(rows) = cursor.fetch(spi, BATCH) else { return Ok(Vec::new()) };
            let copy = |datum: pg_sys::Datum| {
                let varlena = datum.cast_mut_ptr::<pg_sys::varlena>();
                // SAFETY: a jsonb datum is a varlena of this many bytes, be it the value or a pointer to its TOAST row.
                unsafe {
                    std::slice::from_raw_parts(varlena.cast::<u8>(), pgrx::varsize_any(varlena))
                        .to_vec()
                }
            };
            Ok((0..rows.len()).rev().filter_map(|row| rows.datum(row, 1)).map(copy).collect())
        })
    }
}

impl Iterator for Stream {
    type Item = JsonbDatum;

    fn next(&mut self) -> Option<JsonbDatum> {
        if self.batch.is_empty() {
            self.batch = self.fetch().unwrap_or_else(|error: Error| error.raise());
        }
        let Some(row) = self.batch.pop() else {
            self.cursor = None;
            return None;
        };
        // SAFETY: the copy is allocated in the context of this call of the SQL function, which is where its result belongs.
        unsafe {
            let copy = pg_sys::palloc(row.len()).cast::<u8>();
            std::ptr::copy_nonoverlapping(row.as_ptr(), copy, row.len());
            Some(JsonbDatum::new(pg_sys::Datum::from(copy)))
        }
    }
}
