//! session_stream, which returns documents one by one.
//!
//! What is kept between two calls ends in one of three ways, whichever comes first:
//!
//! - there are no more documents;
//! - the calling plan node ends or starts again. Its expression context says so (execUtils.c,
//!   ShutdownExprContext). This happens with a LIMIT, when a cursor is closed, and with a COMMIT in
//!   a loop, which runs the rest of the loop's query first;
//! - an error is raised. The server releases the resource owner of what is rolled back, with
//!   everything that it owns, and frees the memory. The executor must not be called after that, and
//!   is not.

use super::catalog::{Operator, Store};
use super::matches::Matches;
use super::running::RunningQuery;
use super::search::{self, StoreQuery};
use super::select::{Select, Window};
use super::shards;
use crate::document::{JsonbDatum, Projection};
use crate::error::{Error, Result};
use crate::executor::{self, Active, Held, Obstacle, Stored};
use crate::memory;
use crate::pg::guc::{Setting, with_gucs};
use crate::pg::resource_owner::ResourceOwner;
use crate::pg::spi::Spi;
use crate::pg::varlena;
use pgrx::{pg_guard, pg_sys};

/// How many rows are read at once: few at first, because many callers want only a few. A row takes
/// at most a page of memory, because larger documents are pointers into a TOAST table.
const FIRST_BATCH: usize = 10;
const BATCH: usize = 100;

/// The matches of a query, read as they are needed.
pub struct Stream(Box<StreamState>);

struct StreamState {
    caller: Caller,
    owner: ResourceOwner,
    source: Source,
    /// Copies of rows as they are stored, the next one last. They are in Rust's memory, so that
    /// PostgreSQL cannot free them too early.
    batch: Vec<Vec<u8>>,
    size: usize,
    fields: Option<Projection>,
}

enum Source {
    Index {
        search: Box<executor::IndexSearch>,
        held: Held,
        /// How many rows remain to be returned.
        wanted: u64,
    },
    /// The settings under which the plan is made matter when it is run, too: a scan starts when its
    /// first row is fetched.
    Plan(RunningQuery, &'static [Setting]),
    /// The first batch has all documents.
    Read,
    Over,
}

/// The plan node that calls the set-returning function.
#[derive(Clone, Copy)]
pub struct Caller(*mut pg_sys::ExprContext);

impl Caller {
    /// # Safety
    /// The call must be the first one of a set-returning function (funcapi.c, init_MultiFuncCall).
    pub unsafe fn of(call: pg_sys::FunctionCallInfo) -> Caller {
        // SAFETY: the caller says that this is a call of a set-returning function, which has a
        // ReturnSetInfo.
        Caller(unsafe { (*(*call).resultinfo.cast::<pg_sys::ReturnSetInfo>()).econtext })
    }

    /// A memory context that lives as long as the plan node.
    fn memory(self) -> pg_sys::MemoryContext {
        // SAFETY: the expression context of a plan node lives as long as the node.
        unsafe { (*self.0).ecxt_per_query_memory }
    }
}

impl Stream {
    pub fn open(
        caller: Caller,
        store: &str,
        query: &str,
        sort: Option<&str>,
        window: Window,
        fl: Option<&str>,
    ) -> Result<Stream> {
        let search = StoreQuery::parse(query)?;
        let sort = search::parse_sort(sort)?;
        let mut fields = search::parse_fields(fl)?;
        search.notify();
        let owner = ResourceOwner::new();
        let mut batch = Vec::new();
        let source = owner.run(|| {
            Spi::connect(|spi| {
                let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
                let parts = executor::indexed_tables(store.table, operator.oid);
                let table = store.source(spi, &search.predicate)?;
                let matches =
                    Matches { spi, table: &table, operator, search: &search, sort: &sort, window };
                match &parts {
                    Err(Obstacle::Distributed) => {
                        let mut take = |doc: &[u8]| {
                            batch.push(varlena::stored(doc));
                            Ok(())
                        };
                        let (near, lacking) = shards::near(&matches, fl, &mut take)?;
                        lacking.iter().for_each(|&key| search::notify_missing(&sort[key].path));
                        if near.is_some() {
                            batch.reverse();
                            fields = None; // They are parts already.
                            return Ok(Source::Read);
                        }
                    }
                    parts => {
                        search::notify_sort(spi, &store, parts.as_deref().ok(), &sort)?;
                    }
                }
                if let Ok(parts) = parts
                    && let Some(mut found) = executor::IndexSearch::new(&parts, &search.predicate)?
                    && found.sort(&sort, window.start(), window.end())?
                {
                    return Ok(Source::Index {
                        search: found.into(),
                        held: Held::new(&parts),
                        wanted: window.rows().unwrap_or(u64::MAX),
                    });
                }
                let items = Select::new(&table, operator, &search, &sort, window)?;
                let memory = caller.memory();
                let start = || RunningQuery::start(spi, memory, &items.sql, &items.parameters);
                let running = with_gucs(items.settings, start)?;
                Ok(Source::Plan(running, items.settings))
            })
        })?;
        let state = StreamState { caller, owner, source, batch, size: FIRST_BATCH, fields };
        let mut state = Box::new(state);
        // SAFETY: the state is in a box, so it stays at its address. `end` unregisters the callback
        // before the state is freed.
        unsafe {
            let state = pg_sys::Datum::from(&raw mut *state);
            pg_sys::RegisterExprContextCallback(caller.0, Some(ended), state);
        }
        Ok(Stream(state))
    }
}

impl StreamState {
    /// Reads the next batch, which is empty at the end.
    fn fetch(&mut self) -> Result<Vec<Vec<u8>>> {
        let size = std::mem::replace(&mut self.size, BATCH);
        let (owner, source) = (&self.owner, &mut self.source);
        if !matches!(source, Source::Over) && !owner.is_alive() {
            return Err(Error::StreamEnded);
        }
        match source {
            Source::Over => Ok(Vec::new()),
            Source::Index { search, held, wanted } => {
                let (mut batch, size) = (Vec::new(), (*wanted).min(size as u64) as usize);
                if size > 0 {
                    owner.run(|| {
                        // SAFETY: the snapshot is registered as long as it is held.
                        let _active = unsafe { Active::push(held.snapshot()) };
                        search.each(&mut |doc| {
                            batch.push(doc.copy());
                            batch.len() < size
                        })
                    })?;
                }
                *wanted -= batch.len() as u64;
                batch.reverse();
                Ok(batch)
            }
            Source::Plan(running, settings) => {
                let mut batch = owner.run(|| with_gucs(settings, || running.fetch(size)));
                batch.reverse();
                Ok(batch)
            }
            Source::Read => Ok(Vec::new()),
        }
    }

    /// Releases what is held, unless that was done before.
    fn end(&mut self) {
        let source = std::mem::replace(&mut self.source, Source::Over);
        if matches!(source, Source::Over) {
            return;
        }
        if self.owner.is_alive() {
            self.owner.run(|| match source {
                Source::Index { held, .. } => held.close(),
                Source::Plan(running, _) => running.close(),
                Source::Read | Source::Over => {}
            });
            self.owner.release();
        }
        // SAFETY: this is called when a row is fetched or when the plan node ends. In both cases
        // its expression context is alive.
        unsafe {
            let state = pg_sys::Datum::from(&raw mut *self);
            pg_sys::UnregisterExprContextCallback(self.caller.0, Some(ended), state);
        }
    }
}

/// The server calls this when the calling plan node ends or starts again, but not after an error.
#[pg_guard]
unsafe extern "C-unwind" fn ended(state: pg_sys::Datum) {
    // SAFETY: the state is the one that was registered. It is still alive: pgrx frees it in a
    // callback that was registered earlier (init_MultiFuncCall), and callbacks run in reverse
    // order.
    unsafe { (*state.cast_mut_ptr::<StreamState>()).end() }
}

impl Iterator for Stream {
    type Item = JsonbDatum;

    fn next(&mut self) -> Option<JsonbDatum> {
        let state = &mut *self.0;
        if state.batch.is_empty() {
            memory::check();
            let fetched = memory::watched(|| state.fetch());
            state.batch = fetched.unwrap_or_else(|error: Error| error.raise());
        }
        let Some(row) = state.batch.pop() else {
            state.end();
            return None;
        };
        if let Some(fields) = &state.fields {
            // One document at a time: unlike the rows of a batch, it may be large.
            return Some(memory::watched(|| part_of(fields, &row)).unwrap_or_else(|e| e.raise()));
        }
        // SAFETY: the copy is allocated in the current memory context, which is the one for the
        // result of this call of the SQL function. It has room for all bytes of the row.
        unsafe {
            let copy = pg_sys::palloc(row.len()).cast::<u8>();
            std::ptr::copy_nonoverlapping(row.as_ptr(), copy, row.len());
            Some(JsonbDatum::new(pg_sys::Datum::from(copy)))
        }
    }
}

/// The selected part of the document of a row.
fn part_of(fields: &Projection, row: &[u8]) -> Result<JsonbDatum> {
    // SAFETY: `row` is a copy of a jsonb value as it is stored.
    let doc = unsafe { Stored::new(pg_sys::Datum::from(row.as_ptr())) };
    let part = doc.read(|doc| fields.apply(doc))?;
    // SAFETY: the current memory context is the one for the result of this call of the SQL
    // function, and the payload is that of a jsonb value.
    Ok(unsafe { JsonbDatum::from_payload(&[&part], pg_sys::CurrentMemoryContext) })
}
