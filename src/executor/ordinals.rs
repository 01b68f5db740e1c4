//! The values at a path by ordinal, and the ordinal of each row: what Lucene calls doc values
//! (org.apache.lucene.index.SortedDocValues). With them a set of rows is counted by value in one
//! pass over the rows, however many values there are.
//!
//! They are made in one walk over the keys of the path (`ordinals_memory` says when, and for how
//! long they are true), and only for paths at which no row has two values.

use super::doc_id::{DocIdOverflow, ReadResult};
use super::ordinal_numbers::{Integers, Seconds};
use super::postings::PostingReader;
use crate::document::{NUMBER, OrderedNumber, STRING, read_ordered};
use crate::error::Result;
use crate::index::gin::{Entries, Postings, Tid};
use crate::index::key::{self, PathHash};
use crate::index::string_code::{Unpacked, unpack};
use crate::{interrupts, memory};
use std::cell::OnceCell;
use std::ops::{ControlFlow, Range};

/// The values at a path and the rows that have them.
pub struct Ordinals {
    /// The values in the form in which keys hold them, one after the other, in order.
    bytes: Vec<u8>,
    /// By ordinal: where a value ends.
    ends: Vec<u32>,
    /// By doc ID: the ordinal of the row's value plus one; 0 where it has none.
    rows: Vec<u32>,
    /// By ordinal: how many rows have the value.
    counts: Vec<u32>,
    /// How many rows have a value.
    filled: usize,
    integers: OnceCell<Option<Integers>>,
    seconds: OnceCell<Seconds>,
    by_value: OnceCell<Vec<u32>>,
}

impl Ordinals {
    fn none() -> Ordinals {
        Ordinals {
            bytes: Vec::new(),
            ends: Vec::new(),
            rows: Vec::new(),
            counts: Vec::new(),
            filled: 0,
            integers: OnceCell::new(),
            seconds: OnceCell::new(),
            by_value: OnceCell::new(),
        }
    }

    /// Walks over the keys of a path, in the tree and pending. None if a row has two values, if the table has grown or is so
    /// large that its rows have no wider doc IDs, or if more than `max_bytes` were needed.
    pub fn read(
        reader: &PostingReader<'_>,
        path: &str,
        max_bytes: usize,
    ) -> ReadResult<Option<Ordinals>> {
        let (doc_ids, blocks) = (reader.doc_ids, reader.blocks);
        let mut rows: Vec<u32> = Vec::new();
        let length = (blocks as usize) << doc_ids.offset_bits();
        if length * size_of::<u32>() > max_bytes {
            return Ok(None);
        }
        memory::reserve(&mut rows, length)?;
        rows.resize(length, 0);
        let (mut bytes, mut ends, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut fits, mut overflowed) = (true, false);
        let mut enter = |key: &[u8],
                         postings: Option<&Postings<'_>>,
                         pending: &[Tid]|
         -> ReadResult<ControlFlow<()>> {
            let Some(stored) = key::value_of(key) else { return Ok(ControlFlow::Continue(())) };
            let (number, mut count) = (ends.len() as u32 + 1, 0u32);
            let mut take = |tid: Tid| {
                let row = match doc_ids.doc_id(tid) {
                    Some(doc_id) if tid.block < blocks => rows.get_mut(doc_id as usize),
                    Some(_) => None,
                    None => return overflowed = true,
                };
                match row {
                    Some(row) if *row == 0 => (*row, count) = (number, count + 1),
                    // It was pending, and is in the tree now.
                    Some(row) if *row == number => {}
                    _ => fits = false,
                }
            };
            pending.iter().for_each(|tid| take(*tid));
            if let Some(postings) = postings {
                postings.for_each(&mut take)?;
            }
            if overflowed && doc_ids.wider().is_some_and(|wider| wider.covers(blocks)) {
                return Err(DocIdOverflow.into());
            }
            fits = fits && !overflowed;
            if count > 0 {
                memory::reserve(&mut bytes, stored.len())?;
                memory::reserve(&mut ends, 1)?;
                memory::reserve(&mut counts, 1)?;
                bytes.extend_from_slice(stored);
                ends.push(bytes.len() as u32);
                counts.push(count);
            }
            let size = bytes.len() + (rows.len() + ends.len() + counts.len()) * size_of::<u32>();
            fits = fits && size <= max_bytes && u32::try_from(bytes.len()).is_ok();
            Ok(if fits { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        };
        let (from, below) = key::values(PathHash::of(path));
        let mut pending = reader.pending.range(from.clone()..below.clone()).peekable();
        let mut entries = Entries::ascending(reader.index, &from)?;
        entries.each_below(reader.index, &below, &mut |key, postings| {
            while let Some((before, tids)) = pending.next_if(|(next, _)| *next < key) {
                if enter(before, None, tids)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let same = pending.next_if(|(next, _)| *next == key);
            enter(key, Some(postings), same.map_or(&[], |(_, tids)| tids))
        })?;
        for (key, tids) in pending {
            interrupts::spend(tids.len());
            if enter(key, None, tids)?.is_break() {
                break;
            }
        }
        if !fits {
            return Ok(None);
        }
        bytes.shrink_to_fit();
        ends.shrink_to_fit();
        counts.shrink_to_fit();
        let filled = counts.iter().map(|count| *count as usize).sum();
        Ok(Some(Ordinals { bytes, ends, rows, counts, filled, ..Ordinals::none() }))
    }

    /// Bytes of memory.
    pub fn size(&self) -> usize {
        let integers = self.integers.get().and_then(Option::as_ref);
        let integers = integers.map_or(0, |integers| integers.integers.capacity());
        let seconds = self.seconds.get().map_or(0, |seconds| seconds.of.capacity());
        let by_value = self.by_value.get().map_or(0, Vec::capacity);
        let numbers = [&self.rows, &self.ends, &self.counts].map(Vec::capacity);
        self.bytes.capacity()
            + (numbers.into_iter().sum::<usize>() + by_value) * size_of::<u32>()
            + (integers + seconds) * size_of::<i64>()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// A value in the form in which keys hold it. Empty behind the last one.
    #[inline]
    pub fn stored(&self, ordinal: usize) -> &[u8] {
        let from = ordinal.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(ordinal).map_or(0, |end| *end as usize);
        self.bytes.get(from.map_or(0, |from| *from as usize)..end).unwrap_or_default()
    }

    /// A value, its type in front.
    pub fn value(&self, ordinal: usize) -> Vec<u8> {
        unpack(self.stored(ordinal), &mut Unpacked::new()).to_vec()
    }

    /// A value that is a number.
    pub fn number(&self, ordinal: usize) -> Option<OrderedNumber> {
        self.stored(ordinal).strip_prefix(&[NUMBER]).and_then(read_ordered)
    }

    /// The first ordinal whose value is not less than a stored form.
    pub fn first_behind(&self, stored: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.stored(middle) < stored {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The same for stored forms in ascending order. Each is looked for first where it would be if
    /// it were as far from the last one as that was from the one before.
    pub fn first_behind_each(&self, ascending: &[Vec<u8>]) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::with_capacity(ascending.len());
        for stored in ascending {
            let is_before = |at: usize| at < self.len() && self.stored(at) < stored.as_slice();
            let [before, last] = match found.as_slice() {
                [.., before, last] => [*before, *last],
                _ => {
                    found.push(self.first_behind(stored));
                    continue;
                }
            };
            // `low` ≤ the place that is looked for ≤ `high`
            let (mut low, mut high) = (last, self.len());
            let (guess, mut step) = (last + (last - before), (last - before) / 64 + 1);
            if is_before(guess) {
                low = guess + 1;
                while low < high && is_before(low + step) {
                    (low, step) = (low + step + 1, step * 2);
                }
                high = high.min(low + step);
            } else {
                high = high.min(guess);
                while low + step < high && !is_before(high - step) {
                    (high, step) = (high - step, step * 2);
                }
                low = low.max(high.saturating_sub(step));
            }
            while low < high {
                let middle = low + (high - low) / 2;
                match is_before(middle) {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            found.push(low);
        }
        found
    }

    /// The ordinals of the values of a type.
    pub fn of_type(&self, tag: u8) -> Range<usize> {
        self.first_behind(&[tag])..self.first_behind(&[tag + 1])
    }

    /// By ordinal: how many rows have the value.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// The ordinal of a row's value.
    #[inline]
    pub fn of_row(&self, doc_id: u32) -> Option<u32> {
        self.rows.get(doc_id as usize).and_then(|number| number.checked_sub(1))
    }

    /// By doc ID: the ordinal of the row's value plus one; 0 where it has none.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The rows that have a value, in the order of the values; those with the same value in that of
    /// their doc IDs.
    pub fn by_value(&self) -> Result<&[u32]> {
        if let Some(known) = self.by_value.get() {
            return Ok(known);
        }
        // By ordinal: where the next row with the value belongs.
        let (mut places, mut by_value, mut length) = (Vec::new(), Vec::new(), 0u32);
        memory::reserve(&mut places, self.counts.len())?;
        for count in &self.counts {
            places.push(length);
            length += count;
        }
        memory::reserve(&mut by_value, length as usize)?;
        by_value.resize(length as usize, 0);
        for (doc_id, number) in (0u32..).zip(&self.rows) {
            interrupts::spend(1);
            let place = number.checked_sub(1).and_then(|at| places.get_mut(at as usize));
            let Some(place) = place else { continue };
            if let Some(row) = by_value.get_mut(*place as usize) {
                (*row, *place) = (doc_id, *place + 1);
            }
        }
        Ok(self.by_value.get_or_init(|| by_value))
    }

    /// Whether all of it takes no more than so many bytes with the rows by value, too.
    pub fn has_room_by_value(&self, max_bytes: usize) -> bool {
        let more = if self.by_value.get().is_some() { 0 } else { self.filled };
        self.size() + more * size_of::<u32>() <= max_bytes
    }

    /// The numbers as integers; none if they are too large or too different for that.
    pub fn integers(&self) -> Option<&Integers> {
        let read = || Integers::of(self.of_type(NUMBER), |ordinal| self.number(ordinal));
        self.integers.get_or_init(read).as_ref()
    }

    /// By ordinal, as far as strings reach: the second, since 1970, of those that are instants
    /// `…T…Z`, and `NO_INSTANT` for all other values.
    pub fn seconds(&self) -> Result<&[i64]> {
        Ok(&self.known_seconds()?.of)
    }

    /// The first ordinals among strings whose values do not lie before some seconds since 1970,
    /// which ascend. None if some string is no instant `…T…Z`.
    pub fn first_at_seconds(&self, edges: &[i64]) -> Result<Option<Vec<usize>>> {
        let Seconds { of, ascend } = self.known_seconds()?;
        let strings = self.of_type(STRING);
        let seconds = of.get(strings.clone()).unwrap_or_default();
        let first = |edge: &i64| strings.start + seconds.partition_point(|second| second < edge);
        Ok(ascend.then(|| edges.iter().map(first).collect()))
    }

    fn known_seconds(&self) -> Result<&Seconds> {
        if let Some(known) = self.seconds.get() {
            return Ok(known);
        }
        let seconds = Seconds::of(self.of_type(STRING), |ordinal| self.stored(ordinal))?;
        Ok(self.seconds.get_or_init(|| seconds))
    }
}

#[cfg(test)]
impl Ordinals {
    /// Of values in order; by doc ID the ordinal of each row's value plus one, or 0.
    pub fn made_of(values: &[Vec<u8>], rows: Vec<u32>) -> Ordinals {
        let (mut bytes, mut ends, mut counts) = (Vec::new(), Vec::new(), vec![0; values.len()]);
        for value in values {
            bytes.extend_from_slice(value);
            ends.push(bytes.len() as u32);
        }
        rows.iter()
            .filter(|number| **number > 0)
            .for_each(|number| counts[*number as usize - 1] += 1);
        let filled = counts.iter().map(|count| *count as usize).sum();
        Ordinals { bytes, ends, rows, counts, filled, ..Ordinals::none() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However far each is from the one before.
        #[test]
        fn finds_values_in_order(
            values in proptest::collection::btree_set(0u32..5_000, 0..300),
            mut asked in proptest::collection::vec(0u32..5_000, 0..60),
            step in 1u32..100,
        ) {
            let stored = |value: &u32| [&[NUMBER][..], &value.to_be_bytes()].concat();
            let values: Vec<Vec<u8>> = values.iter().map(stored).collect();
            let ordinals = Ordinals::made_of(&values, Vec::new());
            asked.sort_unstable();
            for asked in [asked, (0..5_500).step_by(step as usize).collect()] {
                let asked: Vec<Vec<u8>> = asked.iter().map(stored).collect();
                let expected: Vec<usize> = asked.iter().map(|one| ordinals.first_behind(one)).collect();
                prop_assert_eq!(ordinals.first_behind_each(&asked), expected);
            }
        }
    }
}
