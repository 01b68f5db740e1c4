//! What the rows of a search are sorted by, mostly without a look at their documents.

use super::opened::Opened;
use super::search::{IndexSearch, Order};
use super::sorted_rows::SortedBy;
use super::sorter::SortValues;
use crate::document::{Scratch, extreme};
use crate::error::Result;
use crate::index::string_code::{Unpacked, unpack};
use crate::syntax::SortKey;

impl IndexSearch {
    /// Hands out what every `step`-th of the next `rows` matches is sorted by. The search must be
    /// exact, and sorted by these keys.
    pub fn each_sort_key(
        &mut self,
        sort: &[SortKey],
        rows: u64,
        step: u64,
        take: &mut impl FnMut(&SortValues) -> Result<()>,
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
                    let matches = &self.partitions[address.partition()];
                    let fetcher = opened.fetcher(address.partition(), &matches.table);
                    let Some(stored) = fetcher.fetch(matches.doc_ids.tid(address.doc_id())) else {
                        continue;
                    };
                    self.stats.rows += 1;
                    stored.read(|doc| {
                        let value = |key: &SortKey| {
                            extreme(doc, &key.path, key.largest, &mut Scratch::new())
                        };
                        values.extend(sort.iter().map(value));
                    });
                }
            }
            take(&values)?;
        }
        self.add_opened(&opened);
        Ok(())
    }
}
