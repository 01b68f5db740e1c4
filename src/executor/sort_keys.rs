//! What the rows of a search are sorted by, mostly without a look at their documents; and those
//! documents, when some of the rows are asked for.

use super::opened::Opened;
use super::partition_matches::open;
use super::search::{IndexSearch, Order};
use super::sorted_rows::SortedBy;
use super::sorter::SortValues;
use super::table::IndexedTable;
use crate::document::{Jsonb, Scratch, extreme};
use crate::error::Result;
use crate::index::gin::Tid;
use crate::index::string_code::{Unpacked, unpack};
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use crate::syntax::SortKey;

impl IndexSearch {
    /// Hands out what every `step`-th of the next `rows` matches is sorted by, and where it is. The
    /// search must be exact, and sorted by these keys.
    pub fn each_sort_key(
        &mut self,
        sort: &[SortKey],
        rows: u64,
        step: u64,
        take: &mut impl FnMut(&SortValues, Tid) -> Result<()>,
    ) -> Result<()> {
        let mut opened = Opened::none(self.partitions.len());
        let (mut passed, mut values) = (0u64, SortValues::new());
        while passed < rows
            && let Some(address) = self.next(&mut opened)?
        {
            passed += 1;
            if !(passed - 1).is_multiple_of(step.max(1)) {
                continue;
            }
            values.clear();
            let matches = &self.partitions[address.partition()];
            let tid = matches.doc_ids.tid(address.doc_id());
            let known = match &self.order {
                Order::Values(sorted) => sorted.sorted_by(address),
                Order::Table(..) => SortedBy::Unknown,
            };
            match known {
                SortedBy::Stored(stored) => {
                    values.push(Some(unpack(stored, &mut Unpacked::new()).to_vec()));
                }
                SortedBy::Nothing => values.push(None),
                SortedBy::Unknown => {
                    let fetcher = opened.fetcher(address.partition(), &matches.table);
                    let Some(stored) = fetcher.fetch(tid) else { continue };
                    self.stats.rows += 1;
                    stored.read(|doc| {
                        let value = |key: &SortKey| {
                            extreme(doc, &key.path, key.largest, &mut Scratch::new())
                        };
                        values.extend(sort.iter().map(value));
                    });
                }
            }
            take(&values, tid)?;
        }
        self.add_opened(&opened);
        Ok(())
    }
}

/// Hands out the documents of those of some rows of a table that are visible and match.
pub fn each_matching(
    table: &IndexedTable,
    predicate: &Predicate,
    rows: impl Iterator<Item = Tid>,
    take: &mut impl FnMut(Jsonb<'_>) -> Result<()>,
) -> Result<()> {
    let (heap, _index) = open(table)?;
    let (blocks, matcher, mut fetcher) = (heap.blocks(), Matcher::new(predicate), heap.fetcher());
    for tid in rows.filter(|tid| tid.block < blocks) {
        let Some(stored) = fetcher.fetch(tid) else { continue };
        stored.read(|doc| if matcher.matches(doc) { take(doc) } else { Ok(()) })?;
    }
    Ok(())
}
