//! Answers a predicate from an index's posting lists, without the planner: what a bitmap heap scan spends most of its time on, to
//! visit pages only to count, is left out.
//!
//! ```text
//! relation     is there an index to ask, and may it be asked?
//! visibility   which pages are all-visible, before
//! tally        what comes down to one key is counted, packed as it is, outside of a `block set`
//! tree         predicate → bitmap of rows, from posting lists (`bitmap`, `reader`)
//! visibility   which pages still are, after; all other rows are looked up (`exact`, `heap`)
//! order        the rows of a bitmap by the values at a path: from the index's own order (`walk`), or looked up and sorted (`sorter`)
//! opened       the tables that rows are looked up in, one after the other
//! steps        the rows of a bitmap, for those who look them up themselves
//! share        how many of some rows match, for estimates
//! held         what stays as it is from one call to the next; active: the snapshot of one
//! ```

mod active;
mod block_set;
mod candidates;
mod count;
mod evaluate;
mod heap;
mod heap_page;
mod held;
mod index_order;
mod opened;
mod page_visibility;
mod postings;
mod search;
mod share;
mod sorted_rows;
mod sorter;
mod table;
#[cfg(any(test, feature = "pg_test"))]
mod tests;
mod tid_bitmap;
mod visibility_map;
mod visible_matches;

pub use active::Active;
pub use candidates::{Candidate, CandidateScan};
pub use heap::Stored;
pub use held::Held;
pub use page_visibility::define_settings;
pub use search::{IndexSearch, ReadStats};
pub use share::share;
pub use table::{IndexedTable, Obstacle, check_access, indexed_tables, lock_partitions};

use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::index::key;
use crate::predicate::Predicate;
use postings::{PendingFilter, PostingReader};
use tid_bitmap::DocIdMap;

/// Whether there are documents and none has a value at a path, nor had one since the last VACUUM.
pub fn lacks_path(parts: &[IndexedTable], path: &str) -> Result<bool> {
    let mut has_documents = false;
    for part in parts {
        let index = GinIndex::open_to_answer(part.index)?;
        let reader =
            PostingReader::new(&index, DocIdMap::NARROWEST, 0, &PendingFilter::path(path))?;
        if !reader.is_unused(&key::exists(path))? {
            return Ok(false);
        }
        for key in key::DOCUMENT_KEYS {
            has_documents = has_documents || !reader.is_unused(key)?;
        }
    }
    Ok(has_documents)
}

/// How many rows match; none where a table is too large for its rows to have numbers.
pub fn count(parts: &[IndexedTable], predicate: &Predicate) -> Result<Option<u64>> {
    Ok(IndexSearch::first(parts, predicate, 0)?.map(|found| found.len()))
}
