//! Asking a store for rows one by one: session_stream.
//!
//! What is kept from one call to the next ends in one of three ways, whichever comes first:
//!
//! - the documents are over;
//! - the calling plan node ends or starts anew, which its expression context tells (execUtils.c, ShutdownExprContext): so it is with
//!   a LIMIT, a cursor that is closed, a COMMIT that runs the rest of a loop's query before it;
//! - after an error, the server releases the resource owner of whatever is rolled back, with all that is owned, and frees the memory:
//!   then the executor must not be asked any more, and is not.

use super::catalog::{Operator, Store};
use super::running::RunningQuery;
use super::search::{self, StoreQuery};
use super::select::{Select, Window};
use crate::document::JsonbDatum;
use crate::error::{Error, Result};
use crate::executor::{self, Active, Held};
use crate::memory;
use crate::pg::guc::{FROM_THE_START, NO_JIT, Setting, with_gucs};
use crate::pg::resource_owner::ResourceOwner;
use crate::pg::spi::Spi;
use pgrx::{pg_guard, pg_sys};

/// Rows read at once, at first and at most. What a row holds inline is at most a page; larger documents are still pointers here.
const FIRST_BATCH: usize = 10;
const BATCH: usize = 100;

/// Under which a plan is made, and run: a scan starts when its first row is fetched.
const SETTINGS: [Setting; 2] = [NO_JIT, FROM_THE_START];

/// The documents of a query, read as they are asked for.
pub struct Stream(Box<StreamState>);

struct StreamState {
    caller: Caller,
    owner: ResourceOwner,
    source: Source,
    /// Copies of the rows as they came, in memory of Rust's so that PostgreSQL cannot free it first; next one last.
    batch: Vec<Vec<u8>>,
    size: usize,
}

enum Source {
    Index {
        search: Box<executor::IndexSearch>,
        held: Held,
        /// How many rows are still wanted.
        wanted: u64,
    },
    Plan(RunningQuery),
    Over,
}

/// The plan node that calls a set-returning function.
#[derive(Clone, Copy)]
pub struct Caller(*mut pg_sys::ExprContext);

impl Caller {
    /// # Safety
    /// The call must be one of a set-returning function, in its first call (funcapi.c, init_MultiFuncCall).
    pub unsafe fn of(call: pg_sys::FunctionCallInfo) -> Caller {
        // SAFETY: as above.
        Caller(unsafe { (*(*call).resultinfo.cast::<pg_sys::ReturnSetInfo>()).econtext })
    }

    /// Memory that lives as long as the node.
    fn memory(self) -> pg_sys::MemoryContext {
        // SAFETY: a plan node's expression context lives as long as it.
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
    ) -> Result<Stream> {
        let search = StoreQuery::parse(query)?;
        let sort = search::parse_sort(sort)?;
        search.notify();
        let owner = ResourceOwner::new();
        let source = owner.run(|| {
            Spi::connect(|spi| {
                let (store, operator) = (Store::find(spi, store)?, Operator::find(spi)?);
                let parts = executor::indexed_tables(store.table, operator.oid).ok();
                search::notify_sort(spi, &store, parts.as_deref(), &sort)?;
                if let Some(parts) = parts
                    && let Some(mut found) = executor::IndexSearch::new(&parts, &search.predicate)?
                    && found.sort(&sort, window.end())?
                {
                    found.skip(window.start())?;
                    return Ok(Source::Index {
                        search: found.into(),
                        held: Held::new(&parts),
                        wanted: window.rows().unwrap_or(u64::MAX),
                    });
                }
                let items = Select::new(&store, operator, &search, &sort, window)?;
                let memory = caller.memory();
                let start = || RunningQuery::start(spi, memory, &items.sql, &items.parameters);
                with_gucs(&SETTINGS, start).map(Source::Plan)
            })
        })?;
        let state = StreamState { caller, owner, source, batch: Vec::new(), size: FIRST_BATCH };
        let mut state = Box::new(state);
        // SAFETY: the state stays where it is until it ended, and then takes the callback back.
        unsafe {
            let state = pg_sys::Datum::from(&raw mut *state);
            pg_sys::RegisterExprContextCallback(caller.0, Some(ended), state);
        }
        Ok(Stream(state))
    }
}

impl StreamState {
    /// Reads the next batch; an empty one at the end.
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
                        // SAFETY: it is registered while it is held.
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
            Source::Plan(running) => {
                let mut batch = owner.run(|| with_gucs(&SETTINGS, || running.fetch(size)));
                batch.reverse();
                Ok(batch)
            }
        }
    }

    /// Gives back what is held, if it was not already.
    fn end(&mut self) {
        let source = std::mem::replace(&mut self.source, Source::Over);
        if matches!(source, Source::Over) {
            return;
        }
        if self.owner.is_alive() {
            self.owner.run(|| match source {
                Source::Index { held, .. } => held.close(),
                Source::Plan(running) => running.close(),
                Source::Over => {}
            });
            self.owner.release();
        }
        // SAFETY: whoever asks for rows, or ends, is there.
        unsafe {
            let state = pg_sys::Datum::from(&raw mut *self);
            pg_sys::UnregisterExprContextCallback(self.caller.0, Some(ended), state);
        }
    }
}

/// The calling node ends, or starts anew. After an error it is not told so.
#[pg_guard]
unsafe extern "C-unwind" fn ended(state: pg_sys::Datum) {
    // SAFETY: what was registered; pgrx frees it later, with what the server keeps of the function's calls (init_MultiFuncCall), in a
    // callback that was registered before and so is called after this one.
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
        // SAFETY: the copy is allocated in the context of this call of the SQL function, which is where its result belongs.
        unsafe {
            let copy = pg_sys::palloc(row.len()).cast::<u8>();
            std::ptr::copy_nonoverlapping(row.as_ptr(), copy, row.len());
            Some(JsonbDatum::new(pg_sys::Datum::from(copy)))
        }
    }
}
