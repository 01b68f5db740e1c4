//! Loading documents line by line: rows that are inserted into the view `session_store.load`, by
//! COPY or by INSERT, become upserts of the store that `session_store.load_into` names.
//!
//! A trigger begins with the statement. A row trigger reads each line at once, so that an error names
//! its line, and keeps the document. A full batch, and at the end of the statement the rest, goes to the
//! store as session_update would write it. What was kept by a statement that failed is forgotten: its
//! resource owner is gone by then.
//!
//! While a statement runs, another one may load, too: in a function that it calls, or in a trigger of
//! the store's table. The other one begins later and ends first.

use super::catalog::{Lock, Store};
use super::identity;
use super::ops::{self, Change};
use super::progress::Progress;
use super::update;
use crate::document::{Container, Item, Jsonb, read_jsonb};
use crate::error::{Error, Result};
use crate::memory;
use crate::pg::resource_owner::ResourceOwner;
use crate::pg::spi::Spi;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::cell::RefCell;
use std::ffi::CString;

static LOAD_INTO: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// Makes the setting known to the server.
pub fn define_settings() {
    GucRegistry::define_string_guc(
        c"session_store.load_into",
        c"Names the store that takes the documents written to the view session_store.load.",
        c"It is used by COPY session_store.load FROM and by INSERT INTO session_store.load.",
        &LOAD_INTO,
        GucContext::Userset,
        GucFlags::default(),
    );
}

/// What a statement has read and not yet written.
struct Load {
    store: Store,
    /// Ends with the statement, also if that fails.
    owner: ResourceOwner,
    /// Lines read so far, empty ones included.
    lines: u64,
    /// Documents read so far.
    progress: Progress,
    batch: Vec<(String, Vec<u8>)>,
    bytes: usize,
}

thread_local! {
    /// Those of the statements that run, the innermost one last.
    static LOADS: RefCell<Vec<Load>> = const { RefCell::new(Vec::new()) };
}

/// Begins with a statement.
pub fn begin() -> Result<()> {
    put(Load::begin()?);
    Ok(())
}

/// Reads one line: a document, or an array of documents. An empty line and a null are nothing.
pub fn add(line: Option<&str>) -> Result<()> {
    // Somebody may have disabled the trigger that begins.
    let mut load = match take() {
        Some(load) => load,
        None => Load::begin()?,
    };
    load.lines += 1;
    // Some programs begin a file with a byte order mark, which JSON must not have (RFC 8259, 8.1).
    let line = line.map(|line| match load.lines {
        1 => line.strip_prefix('\u{feff}').unwrap_or(line),
        _ => line,
    });
    if let Some(line) = line.filter(|line| !line.trim_ascii().is_empty()) {
        load.read(line)?;
    }
    put(load);
    Ok(())
}

/// Writes what is left at the end of a statement.
pub fn finish() -> Result<()> {
    if let Some(mut load) = take() {
        load.write()?;
        load.owner.release();
    }
    Ok(())
}

fn put(load: Load) {
    LOADS.with_borrow_mut(|loads| loads.push(load));
}

/// The load of the innermost statement that runs. Those whose statements failed are forgotten.
fn take() -> Option<Load> {
    LOADS.with_borrow_mut(|loads| {
        loads.retain(|load| load.owner.is_alive());
        loads.pop()
    })
}

impl Load {
    fn begin() -> Result<Load> {
        let name = LOAD_INTO.get().map(|name| name.to_string_lossy().into_owned());
        let name = name.filter(|name| !name.is_empty()).ok_or(Error::NoLoadStore)?;
        let store = Spi::connect(|spi| Store::lock(spi, &name, Lock::Rows))?;
        let owner = ResourceOwner::new();
        Ok(Load {
            store,
            owner,
            lines: 0,
            progress: Progress::default(),
            batch: Vec::new(),
            bytes: 0,
        })
    }

    fn read(&mut self, line: &str) -> Result<()> {
        let payload = read_jsonb(line)?;
        // SAFETY: `read_jsonb` gives the payload that jsonb_in has made of valid UTF-8.
        let root = unsafe { Jsonb::new(&payload) };
        if root.is_object() {
            return self.keep(root, None);
        }
        if !root.is_array() {
            return Err(self.wrong(None, "a document must be an object, not a single value".into()));
        }
        for (number, element) in root.elements().enumerate() {
            match element {
                Item::Container(doc) if doc.is_object() => self.keep(doc, Some(number))?,
                other => {
                    let problem = format!("a document must be an object, not {}", ops::kind(other));
                    return Err(self.wrong(Some(number), problem));
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, doc: Jsonb<'_>, number: Option<usize>) -> Result<()> {
        let id = identity::identity(doc, &self.store.key);
        let id = id.map_err(|problem| self.wrong(number, problem))?;
        let mut bytes = Vec::new();
        memory::reserve(&mut bytes, doc.bytes().len())?;
        bytes.extend_from_slice(doc.bytes());
        self.bytes += bytes.len() + id.len();
        memory::reserve(&mut self.batch, 1)?;
        self.batch.push((id, bytes));
        if self.batch.len() >= update::BATCH_ROWS || self.bytes >= update::BATCH_BYTES {
            self.write()?;
        }
        self.progress.add(1, &self.store.name, "loaded");
        Ok(())
    }

    /// The last document of an identity replaces those before it.
    fn write(&mut self) -> Result<()> {
        self.bytes = 0;
        let mut batch = std::mem::take(&mut self.batch);
        // The sort keeps the order of documents with one identity.
        batch.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut changes = Vec::new();
        memory::reserve(&mut changes, batch.len())?;
        let mut documents = batch.iter().peekable();
        while let Some((id, doc)) = documents.next() {
            if documents.peek().is_none_or(|(next, _)| next != id) {
                // SAFETY: the bytes are the payload of a jsonb document, which `keep` has copied.
                changes.push((id.clone(), Change::Upsert(unsafe { Jsonb::new(doc) })));
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        Spi::connect(|spi| update::apply(spi, &self.store, changes, &mut |_| ()))
    }

    fn wrong(&self, number: Option<usize>, problem: String) -> Error {
        let place = match number {
            None => format!("line {}", self.lines),
            Some(number) => format!("line {}[{number}]", self.lines),
        };
        Error::Ops { place, problem }
    }
}
