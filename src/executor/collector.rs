//! Collects the rows of posting lists, in any order, into a bitmap.

use super::bits::{Bits, bitmap_of, words_with_room};
use super::block_set::BlockSet;
use super::doc_id::{DocIdMap, DocIdOverflow, ReadResult};
use super::row_bits::of_sorted;
use super::rows::Rows;
use super::settings::postings_memory;
use crate::error::Error;
use crate::index::gin::{
    NOWHERE, OFFSET_BITS, OFFSET_MASK, PLACE_BITS, PackedList, Parsed, RowLists, Sink, Tid,
};
use roaring::RoaringBitmap;

/// Doc IDs that are listed before a plain bitmap is made: 16 kB. Most keys have fewer rows, and a
/// list of few rows is cheaper than a bitmap of the whole table.
const MAX_LISTED: usize = 1 << 12;
/// Doc IDs that are listed at most, where memory does not suffice for a plain bitmap: 1 MB. The
/// longer the list, the seldomer it is sorted and merged.
const MAX_LISTED_WITHOUT_BITS: usize = 1 << 18;

/// Takes rows in any order, and any row more than once. Rows on pages of a block set become a
/// bitmap. Rows on all other pages are only counted.
pub struct Collector<'b> {
    doc_ids: DocIdMap,
    block_set: &'b BlockSet,
    /// The number of blocks of the table.
    blocks: u32,
    list: Vec<u32>,
    /// The list is emptied when it has this length.
    max_listed: usize,
    /// Whether it is emptied into `bits`, for which memory suffices, or else into `rows`.
    bits_fit: bool,
    /// A bit for each doc ID of the block set's bounds, beginning with the doc ID `first`. Empty
    /// until the list was full.
    bits: Vec<u64>,
    first: u32,
    rows: RoaringBitmap,
    is_out_of_memory: bool,
    /// Whether the list ascends.
    is_sorted: bool,
    /// Whether there was a row without a doc ID.
    overflowed: bool,
    /// Whether rows on other pages need not be counted, so that reading may end with the last page
    /// of the block set.
    pub stop_early: bool,
    /// The number of postings on pages outside of the block set.
    pub skipped: u64,
    /// The number of postings on pages of the block set.
    pub collected: u64,
}

impl<'b> Collector<'b> {
    /// `blocks`: the number of blocks of the table. `max_bytes`: what a plain bitmap may take.
    pub fn new(
        doc_ids: DocIdMap,
        block_set: &'b BlockSet,
        blocks: u32,
        max_bytes: usize,
    ) -> Collector<'b> {
        let bounds = block_set.bounds(blocks);
        let bits_fit = (bounds.len() << doc_ids.offset_bits()) / 8 <= max_bytes;
        let without_bits = MAX_LISTED.max(max_bytes / 16).min(MAX_LISTED_WITHOUT_BITS);
        Collector {
            doc_ids,
            block_set,
            blocks,
            list: Vec::new(),
            max_listed: if bits_fit { MAX_LISTED } else { without_bits },
            bits_fit,
            bits: Vec::new(),
            first: bounds.start << doc_ids.offset_bits(),
            rows: RoaringBitmap::new(),
            is_out_of_memory: false,
            is_sorted: true,
            overflowed: false,
            stop_early: false,
            skipped: 0,
            collected: 0,
        }
    }

    /// The number of doc IDs that the block set's bounds has.
    fn bits_len(&self) -> usize {
        self.block_set.bounds(self.blocks).len() << self.doc_ids.offset_bits()
    }

    #[inline]
    fn push(&mut self, tid: Tid) {
        self.collected += 1;
        // Rows behind the end that the table had when the query began were added later.
        if tid.block >= self.blocks {
            return;
        }
        let Some(doc_id) = self.doc_ids.doc_id(tid) else {
            self.overflowed = true;
            return;
        };
        if !self.bits.is_empty() {
            let at = doc_id - self.first;
            self.bits[at as usize / 64] |= 1 << (at % 64);
            return;
        }
        self.is_sorted &= self.list.last().is_none_or(|last| *last < doc_id);
        self.list.push(doc_id);
        if self.list.len() >= self.max_listed {
            if self.bits_fit { self.switch_to_bits() } else { self.merge_list() }
        }
    }

    #[cold]
    fn switch_to_bits(&mut self) {
        let words = self.bits_len().div_ceil(64);
        let Some(room) = words_with_room(words) else {
            self.is_out_of_memory = true;
            self.list.clear();
            return;
        };
        self.bits = room;
        self.bits.resize(words, 0);
        for doc_id in std::mem::take(&mut self.list) {
            let at = doc_id - self.first;
            self.bits[at as usize / 64] |= 1 << (at % 64);
        }
    }

    /// Lists all rows of a compressed list, without a branch for each.
    fn list_packed(&mut self, packed: PackedList<'_>) -> Parsed<u64> {
        let (listed, count) = (self.list.len(), packed.count());
        self.collected += count as u64;
        self.list.resize(listed + count, 0);
        let offset_bits = self.doc_ids.offset_bits();
        let end = u64::from(self.blocks) << offset_bits;
        let places = &mut self.list[listed..];
        let (mut at, mut inside, mut offsets) = (0, 0, 0);
        let last = packed.unpack(|row, ends| {
            let (block, offset) = (row >> OFFSET_BITS, (row & OFFSET_MASK).wrapping_sub(1));
            let doc_id = (block << offset_bits).wrapping_add(offset);
            // A row that is not complete yet is replaced by the next step.
            if let Some(place) = places.get_mut(at) {
                *place = doc_id as u32;
            }
            at += ends as usize;
            inside += (ends & u64::from(doc_id < end)) as usize;
            offsets |= offset & ends.wrapping_neg();
        })?;
        // Offset 0, which no row has, has become a number with all bits set.
        if offsets >> PLACE_BITS != 0 {
            return Err(NOWHERE);
        }
        if offsets >> offset_bits != 0 {
            // Some number is that of another row, and may lie behind the end. None of them counts.
            self.overflowed = true;
            self.list.truncate(listed);
            return Ok(last);
        }
        // Rows ascend, so those behind the end of the table are the last ones.
        self.list.truncate(listed + inside);
        let mut seam = self.list[listed.saturating_sub(1)..].iter().take(2);
        self.is_sorted &= listed == 0 || seam.next().zip(seam.next()).is_none_or(|(a, b)| a < b);
        Ok(last)
    }

    /// Moves the list into the compressed bitmap, where a row takes two bytes, and never more than
    /// a plain bitmap would take for all.
    #[cold]
    fn merge_list(&mut self) {
        if !self.is_sorted {
            self.list.sort_unstable();
            self.list.dedup();
        }
        let rows = of_sorted(&self.list);
        match self.rows.is_empty() {
            true => self.rows = rows,
            false => self.rows |= rows,
        }
        self.list.clear();
        self.is_sorted = true;
    }

    /// The rows; an error if some row has no doc ID.
    pub fn finish(mut self) -> ReadResult<Rows> {
        if self.overflowed {
            return Err(DocIdOverflow.into());
        }
        if self.is_out_of_memory {
            return Err(Error::OutOfMemory { bytes: self.bits_len() / 8 }.into());
        }
        let end = self.blocks << self.doc_ids.offset_bits();
        if !self.bits.is_empty() && self.block_set.is_all() {
            return Ok(Rows::Plain(Bits::new(self.bits, end)));
        }
        if !self.bits.is_empty() {
            let mut rows = bitmap_of(self.first, &self.bits);
            rows.remove_range(end..);
            return Ok(Rows::Compressed(rows));
        }
        self.merge_list();
        Ok(Rows::Compressed(self.rows))
    }
}

impl Sink for Collector<'_> {
    #[inline]
    fn take(&mut self, row: Tid) {
        if self.block_set.contains(row.block) {
            self.push(row);
        } else {
            self.skipped += 1;
        }
    }

    #[inline]
    fn wants_all(&self) -> bool {
        self.block_set.is_all()
    }

    #[inline]
    fn wants(&self, first: u32, last: u32) -> bool {
        self.block_set.intersects(first..=last)
    }

    #[inline]
    fn is_done(&self, block: u32) -> bool {
        self.stop_early && !self.block_set.intersects(block..=u32::MAX)
    }

    #[inline]
    fn skip(&mut self, count: usize) {
        self.skipped += count as u64;
    }

    #[inline]
    fn wants_bits(&self) -> Option<(u32, usize)> {
        let bytes = postings_memory();
        let wants = self.bits_fit && self.block_set.is_all() && bytes > 0;
        wants.then(|| (self.doc_ids.offset_bits(), bytes))
    }

    fn take_bits(&mut self, first: usize, words: &[u64], rows: u64) {
        self.collected += rows;
        if self.bits.is_empty() {
            self.switch_to_bits();
        }
        // Behind the last bit is the end of the table.
        let bits = self.bits.get_mut(first..).unwrap_or_default();
        bits.iter_mut().zip(words).for_each(|(bits, word)| *bits |= word);
    }

    fn take_lists(&mut self, lists: RowLists<'_>, rows: u64) {
        self.collected += rows;
        if self.bits.is_empty() && self.list.len() + rows as usize >= self.max_listed {
            self.switch_to_bits();
        }
        let (bits, list) = (&mut self.bits[..], &mut self.list);
        if bits.is_empty() {
            self.is_sorted = false;
            let end = self.blocks << self.doc_ids.offset_bits();
            lists.for_each(|first, rows| {
                let rows = rows.iter().map(|row| first | u32::from(*row));
                list.extend(rows.filter(|row| *row < end));
            });
            return;
        }
        lists.for_each(|first, rows| {
            // Behind the last bit is the end of the table.
            let bits = bits.get_mut(first as usize / 64..).unwrap_or_default();
            for row in rows {
                if let Some(word) = bits.get_mut(usize::from(*row) / 64) {
                    *word |= 1 << (row % 64);
                }
            }
        });
    }

    /// Writes straight into the bits or the list, where all rows are wanted.
    fn take_packed(&mut self, list: PackedList<'_>) -> Parsed<u64> {
        if !self.block_set.is_all() {
            return self.take_each(list);
        }
        if self.bits.is_empty() {
            return match self.list.len() + list.count() < self.max_listed {
                true => self.list_packed(list),
                false => self.take_each(list),
            };
        }
        self.collected += list.count() as u64;
        let (offset_bits, mut offsets) = (self.doc_ids.offset_bits(), 0);
        let bits = &mut self.bits[..];
        let last = list.unpack(|row, ends| {
            let (block, offset) = (row >> OFFSET_BITS, (row & OFFSET_MASK).wrapping_sub(1));
            let doc_id = (block << offset_bits).wrapping_add(offset) as usize;
            // A row behind the last bit is behind the end of the table.
            if let Some(word) = bits.get_mut(doc_id / 64) {
                *word |= ends << (doc_id % 64);
            }
            offsets |= offset & ends.wrapping_neg();
        })?;
        // Offset 0, which no row has, has become a number with all bits set.
        if offsets >> PLACE_BITS != 0 {
            return Err(NOWHERE);
        }
        self.overflowed |= offsets >> offset_bits != 0;
        Ok(last)
    }
}

#[cfg(test)]
mod tests;
