//! The ordinals of paths that a session remembers.
//!
//! They are made when the values of a path are counted for the second time, which takes about twice
//! as long as counting them, or when sorting rows without them has taken as long. They are true as
//! long as none of the index's pages that were read for them has changed (`gin::read_pages`). If an
//! index changes faster than its ordinals are used, they are made less and less often.

use super::doc_id::{DocIdMap, ReadError, ReadResult};
use super::ordinals::Ordinals;
use super::page_visibility::wal_position;
use super::postings::PostingReader;
use super::settings::values_memory;
use crate::error::Result;
use crate::index::gin::{PendingEntries, ReadPages};
use crate::index::key::{self, PathHash};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// Paths of which it is remembered how often they were asked for.
const MAX_PATHS: usize = 64;
/// Values. Fewer are counted as quickly by their posting lists.
const FEW_VALUES: u64 = 32;
/// Ordinals that were used so often were worth making.
const WORTH_MAKING: u32 = 3;
/// Questions that are answered without ordinals, at most, before they are made again.
const MAX_PATIENCE: u32 = 256;
/// What one count of all values at a path takes. Sorting some rows takes a part of that.
pub const WHOLE_COUNT: u32 = 1_000;

thread_local! {
    /// What was asked for last comes first.
    static PATHS: RefCell<Vec<PathMemory>> = const { RefCell::new(Vec::new()) };
}

/// What is remembered of a path.
struct PathMemory {
    index: u32,
    path: String,
    doc_ids: DocIdMap,
    /// What was done without ordinals since there were some, in parts of a `WHOLE_COUNT`.
    done: u32,
    /// After so many whole counts the ordinals are made.
    patience: u32,
    /// So many bytes did not suffice for them, or it is 0.
    too_few: usize,
    known: Option<Known>,
}

struct Known {
    ordinals: Rc<Ordinals>,
    pages: ReadPages,
    /// The pending entries that they hold; none if none of the path's were pending.
    pending: Option<Weak<PendingEntries>>,
    /// How far the write-ahead log was written when the pages were looked at last. As long as
    /// nothing more is written, none has changed.
    wal: u64,
    used: u32,
}

impl PathMemory {
    /// Forgets ordinals. If they were of little use, the next ones are made later.
    fn forget(&mut self) {
        if let Some(known) = self.known.take() {
            self.patience = match known.used < WORTH_MAKING {
                true => (self.patience * 2).min(MAX_PATIENCE),
                false => 1,
            };
            self.done = 0;
        }
    }
}

impl Known {
    fn size(&self) -> usize {
        self.ordinals.size() + self.pages.size()
    }

    /// The pending list was read before the log's position, so what it holds is always compared. As
    /// long as it is the same, `pending_memory` has the same entries.
    fn is_true(&mut self, reader: &PostingReader<'_>, path: &str) -> Result<bool> {
        let is_pending = match &self.pending {
            Some(pending) => !std::ptr::eq(pending.as_ptr(), Rc::as_ptr(&reader.pending)),
            None => has_pending(reader, path),
        };
        if is_pending {
            return Ok(false);
        }
        // The position is read first, so that what is written meanwhile counts as later.
        let wal = wal_position();
        if self.wal == wal {
            return Ok(true);
        }
        let is_true = reader.index.are_unchanged(&mut self.pages)?;
        if is_true {
            self.wal = wal;
        }
        Ok(is_true)
    }
}

/// The ordinals of a path, if they are known or should be made now. The path must be one of which no
/// row has two values, whose keys are in the order of its values and have no other's.
pub fn ordinals(reader: &PostingReader<'_>, path: &str) -> ReadResult<Option<Rc<Ordinals>>> {
    let (index, doc_ids) = (reader.index.oid(), reader.doc_ids);
    // Taken out, and put back only if all goes well.
    let Some(mut memory) = PATHS.with_borrow_mut(|paths| {
        let is_same = |known: &PathMemory| known.index == index && known.path == path;
        paths.iter().position(is_same).map(|at| paths.remove(at))
    }) else {
        return Ok(None);
    };
    if memory.doc_ids != doc_ids {
        (memory.known, memory.doc_ids, memory.patience) = (None, doc_ids, 1);
    }
    if let Some(known) = &mut memory.known {
        match known.is_true(reader, path)? {
            true => known.used += 1,
            false => memory.forget(),
        }
    }
    let max_bytes = values_memory();
    if memory.too_few > 0 && memory.too_few < max_bytes {
        (memory.patience, memory.too_few) = (1, 0);
    }
    if memory.known.is_none() && memory.done / WHOLE_COUNT >= memory.patience {
        let wal = wal_position();
        let made = match reader.index.noting(|| Ordinals::read(reader, path, max_bytes)) {
            Ok(made) => made,
            Err(error) => {
                // With a wider map they are made at once.
                if matches!(error, ReadError::DocIdOverflow(_)) {
                    put(memory, max_bytes);
                }
                return Err(error);
            }
        };
        memory.done = 0;
        match made {
            (Some(ordinals), Some(pages)) => {
                let pending = has_pending(reader, path).then(|| Rc::downgrade(&reader.pending));
                let ordinals = Rc::new(ordinals);
                memory.known = Some(Known { ordinals, pages, pending, wal, used: 0 });
            }
            _ => (memory.patience, memory.too_few) = (MAX_PATIENCE, max_bytes),
        }
    }
    let found = memory.known.as_ref().map(|known| Rc::clone(&known.ordinals));
    put(memory, max_bytes);
    Ok(found)
}

/// Whether entries of a path are pending.
fn has_pending(reader: &PostingReader<'_>, path: &str) -> bool {
    let (from, below) = key::values(PathHash::of(path));
    reader.pending.range(from..below).next().is_some()
}

/// Notes that so many values of a path were counted without ordinals.
pub fn counted_without(reader: &PostingReader<'_>, path: &str, values: u64) {
    if values >= FEW_VALUES {
        done_without(reader, path, WHOLE_COUNT);
    }
}

/// Notes that something was done without ordinals that took so much of a `WHOLE_COUNT`.
pub fn done_without(reader: &PostingReader<'_>, path: &str, done: u32) {
    if values_memory() == 0 {
        return;
    }
    let (index, doc_ids) = (reader.index.oid(), reader.doc_ids);
    let memory = PATHS.with_borrow_mut(|paths| {
        let is_same = |known: &PathMemory| known.index == index && known.path == path;
        paths.iter().position(is_same).map(|at| paths.remove(at))
    });
    let new = || PathMemory {
        index,
        path: path.to_string(),
        doc_ids,
        done: 0,
        patience: 1,
        too_few: 0,
        known: None,
    };
    let mut memory = memory.unwrap_or_else(new);
    memory.done = memory.done.saturating_add(done);
    put(memory, values_memory());
}

/// Remembers a path, and forgets what was asked for longest ago, until all fits.
fn put(memory: PathMemory, max_bytes: usize) {
    PATHS.with_borrow_mut(|paths| {
        paths.insert(0, memory);
        paths.truncate(MAX_PATHS);
        let mut size = 0;
        for memory in paths {
            size += memory.known.as_ref().map_or(0, Known::size);
            if size > max_bytes {
                memory.forget();
            }
        }
    });
}
