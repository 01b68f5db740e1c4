//! The tables and indexes of a search, opened when they are first needed, each once.

use super::heap::{Fetcher, Heap};
use super::table::IndexedTable;
use crate::error::Result;
use crate::index::gin::GinIndex;

/// What is open for as long as one call lasts.
pub struct Opened {
    partitions: Vec<OpenedPartition>,
    /// Rows that were looked up for something else than to hand them out.
    pub rows: u64,
}

#[derive(Default)]
struct OpenedPartition {
    fetcher: Option<Fetcher>,
    index: Option<GinIndex>,
}

impl Opened {
    /// For a search in this number of tables, of which none is open yet.
    pub fn none(tables: usize) -> Opened {
        let partitions = std::iter::repeat_with(OpenedPartition::default).take(tables);
        Opened { partitions: partitions.collect(), rows: 0 }
    }

    /// What looks up rows of a table, which has this number in the search.
    pub fn fetcher(&mut self, partition: usize, table: &IndexedTable) -> &mut Fetcher {
        let fetcher = &mut self.partitions[partition].fetcher;
        fetcher.get_or_insert_with(|| Heap::of(table).fetcher())
    }

    /// The index of a table, which has this number in the search.
    pub fn index(&mut self, partition: usize, table: &IndexedTable) -> Result<&GinIndex> {
        let index = &mut self.partitions[partition].index;
        Ok(match index {
            Some(index) => index,
            None => index.insert(GinIndex::open_to_answer(table.index)?),
        })
    }

    /// The number of pages that were read to look rows up.
    pub fn heap_pages(&self) -> u64 {
        let fetchers = self.partitions.iter().filter_map(|opened| opened.fetcher.as_ref());
        fetchers.map(|fetcher| fetcher.heap().pages.get()).sum()
    }
}
