//! The tables and indexes of a search's parts: each is opened when it is first needed, and once.

use super::heap::{Fetcher, Heap};
use super::table::IndexedTable;
use crate::error::Result;
use crate::index::gin::GinIndex;

/// What is open of some parts, for as long as one call lasts.
pub struct Opened {
    parts: Vec<OpenedPart>,
    /// Rows that were looked up beside those that are handed out.
    pub rows: u64,
}

#[derive(Default)]
struct OpenedPart {
    fetcher: Option<Fetcher>,
    index: Option<GinIndex>,
}

impl Opened {
    /// Nothing yet, of so many parts.
    pub fn none(parts: usize) -> Opened {
        Opened { parts: std::iter::repeat_with(OpenedPart::default).take(parts).collect(), rows: 0 }
    }

    /// Looks rows up of the part with this number.
    pub fn fetcher(&mut self, number: usize, part: &IndexedTable) -> &mut Fetcher {
        self.parts[number].fetcher.get_or_insert_with(|| Heap::of(part).fetcher())
    }

    pub fn index(&mut self, number: usize, part: &IndexedTable) -> Result<&GinIndex> {
        let index = &mut self.parts[number].index;
        Ok(match index {
            Some(index) => index,
            None => index.insert(GinIndex::open_to_answer(part.index)?),
        })
    }

    /// Pages of rows that were looked up.
    pub fn heap_pages(&self) -> u64 {
        let fetchers = self.parts.iter().filter_map(|part| part.fetcher.as_ref());
        fetchers.map(|fetcher| fetcher.heap().pages.get()).sum()
    }
}
