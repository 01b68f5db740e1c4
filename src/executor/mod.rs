//! Answers a predicate from an index's posting lists, without the planner. It leaves out what a
//! bitmap heap scan spends most of its time on: visiting pages only to count their rows.
//!
//! The files, in the order in which a query uses them. A file imports only files above it here, or
//! on the same line.
//!
//! ```text
//! table, heap, access           a table with its index; its rows; may the executor read them?
//! doc_id, block_set             rows as integers; the pages whose rows are collected
//! known_doc_ids                 which maps the tables of a session needed
//! settings                      how much may be remembered
//! row_bits, bits                the rows of a bitmap as words, and many at a time; plain bits
//! heap_page                     which rows of a page the snapshot sees
//! rows, hidden_rows             rows in compressed or plain form; those that are not visible
//! collector, tid_bitmap         posting lists → rows; sets of rows, and which need a recheck
//! page_memory, page_visibility  what is remembered of pages
//! visibility_map                which pages are all-visible: before the index is read, and after
//! pending_filter, read_stats    which pending entries a query needs; what was read
//! postings                      conditions → rows, from posting lists and the pending list
//! path_facts, evaluate          what is true of all values at a path; predicate → rows
//! count                         how many rows match on all-visible pages, without a list of them
//! partition_matches             what a search has found in one table
//! visible_matches               the rows that match and are visible, exactly
//! domain                        the documents that values are counted over; counting postings
//! wanted_rows                   those rows of a posting list that a set holds
//! value_cursor                  the values at a path in their order, each with its rows
//! doc_address, opened           rows of several tables; what is open of those tables
//! value_span, instants          a range of values; instants among strings
//! ordinal_numbers               values as integers and seconds
//! ordinals, ordinals_memory     the values at a path by number; for how long a session knows them
//! index_order                   the rows of a search in the order of a path, by value cursors
//! ordinal_order                 … or a window of them, by ordinals
//! sorter, sorted_rows           … or by sorting
//! search, sort_keys             all of that, for the tables of a store; what rows are sorted by
//! listed_ordinals               the ordinals of some rows
//! ordinal_counts, edges         how many rows have each value; intervals of values
//! values                        what facets ask for: the values at a path, and who has them
//! group_builder, pair_file, sorted_values, tally_memory, index_values
//!                               … answered from documents; from the index, and from documents
//! candidates                    a search for callers that look rows up themselves
//! tested_rows                   … whose rows must pass a test, as of a policy; what is remembered of it
//! share                         how many of some rows match, for estimates
//! held, active                  what is open from one call to the next; the active snapshot
//! ```

mod access;
mod active;
mod bits;
mod block_set;
mod candidates;
mod collector;
mod count;
mod doc_address;
mod doc_id;
mod domain;
mod edges;
mod evaluate;
mod group_builder;
mod heap;
mod heap_page;
mod held;
mod hidden_rows;
mod index_order;
mod index_values;
mod instants;
mod known_doc_ids;
mod listed_ordinals;
mod opened;
mod ordinal_counts;
mod ordinal_numbers;
mod ordinal_order;
mod ordinals;
mod ordinals_memory;
mod page_memory;
mod page_visibility;
mod pair_file;
mod partition_matches;
mod path_facts;
mod pending_filter;
mod postings;
mod read_stats;
mod row_bits;
mod rows;
mod search;
mod settings;
mod share;
mod sort_keys;
mod sorted_rows;
mod sorted_values;
mod sorter;
mod table;
mod tally_memory;
mod tested_rows;
#[cfg(any(test, feature = "pg_test"))]
mod tests;
mod tid_bitmap;
mod value_cursor;
mod value_span;
mod values;
mod visibility_map;
mod visible_matches;
mod wanted_rows;

pub use access::{Obstacle, check_access, indexed_tables, lock_partitions};
pub use active::Active;
pub use candidates::{Candidate, CandidateScan};
pub use doc_address::DocAddress;
pub use doc_id::{ReadError, ReadResult};
pub use domain::Domain;
pub use edges::Edge;
pub use heap::Stored;
pub use held::Held;
pub use index_values::with_index_values;
pub use instants::text_of;
pub use ordinal_counts::{Moments, OrdinalCounts};
pub use read_stats::ReadStats;
pub use search::IndexSearch;
pub use settings::define_settings;
pub use share::share;
pub use sort_keys::each_matching;
pub use sorted_values::SortedValues;
pub use sorter::SortValues;
pub use table::IndexedTable;
pub use tested_rows::{Findings, RowTest, TestedScan};
pub use value_span::Span;
pub use values::{Group, Instants, MILLISECONDS, Totals, ValueSource, Visit, Ways, between};

use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::index::key;
use crate::predicate::Predicate;
use doc_id::DocIdMap;
use pending_filter::PendingFilter;
use postings::PostingReader;

/// Whether there are documents, and none of them has a value at a path, nor had one since the last
/// VACUUM.
pub fn lacks_path(tables: &[IndexedTable], path: &str) -> Result<bool> {
    let mut has_documents = false;
    for table in tables {
        let index = GinIndex::open_to_answer(table.index)?;
        let filter = PendingFilter::path(path);
        let reader = PostingReader::new(&index, DocIdMap::NARROWEST, 0, &filter)?;
        if !reader.is_unused(&key::exists(path))? {
            return Ok(false);
        }
        for key in key::DOCUMENT_KEYS {
            has_documents = has_documents || !reader.is_unused(key)?;
        }
    }
    Ok(has_documents)
}

/// How many rows match. None if a table is so large that its rows have no doc IDs.
pub fn count(tables: &[IndexedTable], predicate: &Predicate) -> Result<Option<u64>> {
    Ok(IndexSearch::first(tables, predicate, 0)?.map(|found| found.len()))
}
