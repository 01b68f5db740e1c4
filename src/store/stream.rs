//! Asking a store for rows one by one: session_stream.

use super::catalog::{Operator, Store};
use super::items::{Items, Window};
use super::search::{self, Search};
use super::settings::{FROM_THE_START, NO_JIT, Setting, under};
use super::spi::{Cursor, Mode, Spi};
use crate::document::JsonbDatum;
use crate::error::{Error, Result};
use crate::executor;
use pgrx::pg_sys;

/// Rows read at once, at first and at most. What a row holds inline is at most a page; larger documents are still pointers here.
const FIRST_BATCH: usize = 10;
const BATCH: usize = 100;

/// Under which a plan is made, and run: a scan starts when its first row is fetched.
const SETTINGS: [Setting; 2] = [NO_JIT, FROM_THE_START];

/// The documents of a query, read as they are asked for. Holds a batch of them and, at the end of which it has nothing left to free, a
/// search or a cursor; a cursor is closed with it: at the end, or when the calling statement asks for no more.
pub struct Stream {
    source: Source,
    /// Copies of the rows as they came, in memory of Rust's so that PostgreSQL cannot free it first; next one last.
    batch: Vec<Vec<u8>>,
    size: usize,
}

enum Source {
    /// How many rows are still wanted.
    Index(Box<executor::Search>, u64),
    Plan(Cursor),
    Over,
}

impl Stream {
    pub fn open(store: &str, query: &str, sort: Option<&str>, window: Window) -> Result<Stream> {
        let search = Search::parse(query)?;
        let sort = search::parse_sort(sort)?;
        search.notify();
        let source = Spi::connect(|spi| {
            let (store, operator) = (Store::find(spi, store)?, Operator::find(spi)?);
            if let Ok(parts) = executor::parts(store.table, operator.oid)
                && let Some(mut found) = executor::Search::new(&parts, &search.predicate)?
                && found.sort(&sort, window.end())?
            {
                found.skip(window.start())?;
                return Ok(Source::Index(found.into(), window.rows().unwrap_or(u64::MAX)));
            }
            let items = Items::new(&store, &operator, &search, &sort, window);
            let cursor = under(&SETTINGS, || {
                spi.open_cursor(Mode::ReadInOrder, &items.sql, &items.parameters)
            });
            cursor.map(Source::Plan)
        })?;
        Ok(Stream { source, batch: Vec::new(), size: FIRST_BATCH })
    }

    /// Reads the next batch; an empty one at the end.
    fn fetch(&mut self) -> Result<Vec<Vec<u8>>> {
        let size = std::mem::replace(&mut self.size, BATCH);
        match &mut self.source {
            Source::Over => Ok(Vec::new()),
            Source::Index(search, wanted) => {
                let (mut batch, size) = (Vec::new(), (*wanted).min(size as u64) as usize);
                if size > 0 {
                    search.each(&mut |doc| {
                        batch.push(doc.copy());
                        batch.len() < size
                    })?;
                }
                *wanted -= batch.len() as u64;
                batch.reverse();
                Ok(batch)
            }
            Source::Plan(cursor) => Spi::connect(|spi| {
                let Some(rows) = under(&SETTINGS, || cursor.fetch(spi, size as i64)) else {
                    return Ok(Vec::new());
                };
                let copy = |datum: pg_sys::Datum| {
                    // SAFETY: a column of type jsonb.
                    unsafe { executor::Stored::new(datum) }.copy()
                };
                Ok((0..rows.len()).rev().filter_map(|row| rows.datum(row, 1)).map(copy).collect())
            }),
        }
    }
}

impl Iterator for Stream {
    type Item = JsonbDatum;

    fn next(&mut self) -> Option<JsonbDatum> {
        if self.batch.is_empty() {
            self.batch = self.fetch().unwrap_or_else(|error: Error| error.raise());
        }
        let Some(row) = self.batch.pop() else {
            self.source = Source::Over;
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
