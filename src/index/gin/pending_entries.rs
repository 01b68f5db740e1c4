//! The entries of a pending list by key, in memory.

use super::posting_list::Tid;
use smallvec::SmallVec;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// Nearly all keys have no more bytes. They lie in the tree itself, so that a key costs no allocation.
type Key = SmallVec<[u8; 32]>;
/// Most keys of a list have one row.
type Rows = SmallVec<[Tid; 2]>;

/// Pending entries: by key, the rows in the order of their insertion.
#[derive(Debug, Clone, Default)]
pub struct PendingEntries(BTreeMap<Key, Rows>);

impl PendingEntries {
    /// The rows that have a key.
    pub fn get(&self, key: &[u8]) -> Option<&[Tid]> {
        self.0.get(key).map(SmallVec::as_slice)
    }

    /// Whether a row has a key.
    pub fn contains_key(&self, key: &[u8]) -> bool {
        self.0.contains_key(key)
    }

    /// The entries of the keys in a range, in their order.
    pub fn range<B: Borrow<[u8]>>(
        &self,
        keys: Range<B>,
    ) -> impl DoubleEndedIterator<Item = (&[u8], &[Tid])> {
        let bounds = keys.start.borrow()..keys.end.borrow();
        // A tree's range panics where it ends before it starts.
        let bounds = if bounds.start < bounds.end { bounds } else { bounds.end..bounds.end };
        let bounds = (Bound::Included(bounds.start), Bound::Excluded(bounds.end));
        let entries = self.0.range::<[u8], _>(bounds);
        entries.map(|(key, rows)| (key.as_slice(), rows.as_slice()))
    }

    /// Adds a row if the key is there, or else if it is `wanted`.
    pub fn add(&mut self, key: &[u8], row: Tid, wanted: impl FnOnce() -> bool) {
        match self.0.get_mut(key) {
            Some(rows) => rows.push(row),
            None if !wanted() => {}
            None => drop(self.0.insert(Key::from_slice(key), SmallVec::from_slice(&[row]))),
        }
    }
}

/// Many entries at a time. To sort them takes a fraction of the time of putting one after the other
/// into the tree.
#[derive(Default)]
pub struct UnsortedEntries {
    /// All keys, one behind the other.
    bytes: Vec<u8>,
    entries: Vec<Unsorted>,
}

struct Unsorted {
    /// The key's first bytes, followed by zeros if there are fewer.
    beginning: u128,
    /// Where the key is.
    key: Range<usize>,
    row: Tid,
}

impl UnsortedEntries {
    pub fn add(&mut self, key: &[u8], row: Tid) {
        let mut beginning = [0; size_of::<u128>()];
        beginning.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let (beginning, key) = (u128::from_be_bytes(beginning), start..self.bytes.len());
        self.entries.push(Unsorted { beginning, key, row });
    }

    pub fn sorted(self) -> PendingEntries {
        let UnsortedEntries { bytes, mut entries } = self;
        let key = |entry: &Unsorted| bytes.get(entry.key.clone()).unwrap_or_default();
        // A stable sort, which leaves the rows of a key in their order.
        entries.sort_by(|a, b| a.beginning.cmp(&b.beginning).then_with(|| key(a).cmp(key(b))));
        let of_one_key = entries.chunk_by(|a, b| a.beginning == b.beginning && key(a) == key(b));
        let grouped = of_one_key.filter_map(|entries| {
            let rows = entries.iter().map(|entry| entry.row).collect();
            Some((Key::from_slice(key(entries.first()?)), rows))
        });
        PendingEntries(grouped.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Sorted at once or added one by one, the entries are the same, and those of each range.
        #[test]
        fn sorted_as_if_added(
            keys in proptest::collection::vec((0u8..3, 0usize..40, 0u8..3), 0..60),
            from in (0u8..3, 0usize..40, 0u8..3),
            below in (0u8..3, 0usize..40, 0u8..3),
        ) {
            // Zeros at the end count, and so do bytes behind the sixteenth.
            let key = |(first, zeros, last): (u8, usize, u8)| {
                let mut key = vec![first];
                key.resize(1 + zeros / 2, 0);
                key.resize(1 + zeros / 2 + usize::from(last), last);
                key
            };
            let (mut one_by_one, mut unsorted) = (PendingEntries::default(), UnsortedEntries::default());
            let mut expected: BTreeMap<Vec<u8>, Vec<Tid>> = BTreeMap::new();
            for (block, parts) in (0..).zip(keys) {
                let (key, row) = (key(parts), Tid { block, offset: 1 });
                one_by_one.add(&key, row, || true);
                unsorted.add(&key, row);
                expected.entry(key).or_default().push(row);
            }
            let sorted = unsorted.sorted();
            let (from, below) = (key(from), key(below));
            for entries in [&one_by_one, &sorted] {
                prop_assert_eq!(entries.0.len(), expected.len());
                for (key, rows) in &expected {
                    prop_assert_eq!(entries.get(key), Some(rows.as_slice()));
                }
                let within = expected.iter().filter(|(key, _)| from <= **key && **key < below);
                let within = within.map(|(key, rows)| (key.as_slice(), rows.as_slice()));
                prop_assert!(entries.range(from.clone()..below.clone()).eq(within));
            }
        }

        /// Of keys that are not there, only the wanted ones are added.
        #[test]
        fn adds_what_is_wanted(wanted in any::<bool>()) {
            let (row, mut entries) = (Tid { block: 7, offset: 3 }, PendingEntries::default());
            entries.add(b"key", row, || wanted);
            entries.add(b"key", row, || false);
            let rows = [row, row];
            prop_assert_eq!(entries.get(b"key"), wanted.then_some(&rows[..]));
            prop_assert_eq!(entries.contains_key(b"key"), wanted);
        }
    }
}
