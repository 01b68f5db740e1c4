//! Rows as numbers, and sets of them.

use super::block_set::BlockSet;
use crate::error::{Error, Result};
use crate::index::gin::{
    NOWHERE, OFFSET_BITS, OFFSET_MASK, PLACE_BITS, PackedList, Parsed, Sink, Tid,
};
use roaring::RoaringBitmap;
use std::ops::RangeInclusive;

/// How a table's rows are numbered: each block has a power of two of numbers. The fewer, the denser are the bitmaps, and dense ones
/// are fast; so it is as many as the table's pages hold rows, by what was seen of them so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocIdMap {
    bits: u32,
}

impl DocIdMap {
    /// A page of documents of half a kilobyte has no more rows.
    pub const NARROWEST: DocIdMap = DocIdMap { bits: 4 };
    /// Whatever the rows, and whatever a sound index says of their places.
    pub const WIDEST: DocIdMap = DocIdMap { bits: PLACE_BITS };

    /// The next larger one; none beyond what a page can hold.
    pub fn wider(self) -> Option<DocIdMap> {
        (self != DocIdMap::WIDEST).then_some(DocIdMap { bits: self.bits + 1 })
    }

    /// Each block has two to this power.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// Whether there are numbers for so many blocks.
    pub fn covers(self, blocks: u32) -> bool {
        blocks <= u32::MAX >> self.bits
    }

    /// The number of a row, if it has one; the block must be within reach.
    #[inline]
    pub fn doc_id(self, tid: Tid) -> Option<u32> {
        let at = u32::from(tid.offset).wrapping_sub(1);
        (at < 1 << self.bits).then_some(tid.block << self.bits | at)
    }

    pub fn tid(self, number: u32) -> Tid {
        let offset = number & ((1 << self.bits) - 1);
        Tid { block: number >> self.bits, offset: offset as u16 + 1 }
    }

    /// The numbers of a row of blocks.
    pub fn doc_ids(self, blocks: RangeInclusive<u32>) -> RangeInclusive<u32> {
        blocks.start() << self.bits..=blocks.end() << self.bits | ((1 << self.bits) - 1)
    }
}

/// So many numbers are kept in a list before they become bits.
const MAX_LISTED: usize = 1 << 12;
/// And so many where they do not.
const LONGEST: usize = 1 << 18;

/// Takes rows in any order, some more than once: those on the pages of a block set. Of others it takes the number.
pub struct Collector<'r> {
    doc_ids: DocIdMap,
    block_set: &'r BlockSet,
    /// Of the table.
    blocks: u32,
    list: Vec<u32>,
    /// How long it may become, and whether there is room for bits then.
    most: usize,
    has_room: bool,
    /// Used once the list is full: a bit a number, from the first one of the block set on.
    bits: Vec<u64>,
    first: u32,
    /// Used instead, where those would be too many: what was in the list before.
    rows: RoaringBitmap,
    is_out_of_memory: bool,
    is_sorted: bool,
    /// A row was met that has no number.
    overflowed: bool,
    /// Whether those on other pages need not be counted.
    pub stop_early: bool,
    /// How many postings there were on other pages.
    pub skipped: u64,
    /// How many on these.
    pub collected: u64,
}

impl<'r> Collector<'r> {
    /// `blocks`: how many the table has. `room`: as many bytes may bits take.
    pub fn new(
        doc_ids: DocIdMap,
        block_set: &'r BlockSet,
        blocks: u32,
        room: usize,
    ) -> Collector<'r> {
        let range = block_set.range(blocks);
        let bytes = (range.len() << doc_ids.bits) / 8;
        Collector {
            doc_ids,
            block_set,
            blocks,
            list: Vec::new(),
            most: if bytes <= room { MAX_LISTED } else { MAX_LISTED.max(room / 16).min(LONGEST) },
            has_room: bytes <= room,
            bits: Vec::new(),
            first: range.start << doc_ids.bits,
            rows: RoaringBitmap::new(),
            is_out_of_memory: false,
            is_sorted: true,
            overflowed: false,
            stop_early: false,
            skipped: 0,
            collected: 0,
        }
    }

    #[inline]
    fn push(&mut self, tid: Tid) {
        self.collected += 1;
        // Rows behind the table's end as it was at the start came later.
        if tid.block >= self.blocks {
            return;
        }
        let Some(number) = self.doc_ids.doc_id(tid) else {
            self.overflowed = true;
            return;
        };
        if !self.bits.is_empty() {
            let at = number - self.first;
            self.bits[at as usize / 64] |= 1 << (at % 64);
            return;
        }
        self.is_sorted &= self.list.last().is_none_or(|last| *last < number);
        self.list.push(number);
        if self.list.len() >= self.most {
            if self.has_room { self.spread() } else { self.merge() }
        }
    }

    #[cold]
    fn spread(&mut self) {
        let words = (self.block_set.range(self.blocks).len() << self.doc_ids.bits).div_ceil(64);
        if self.bits.try_reserve_exact(words).is_err() {
            self.is_out_of_memory = true;
            self.list.clear();
            return;
        }
        self.bits.resize(words, 0);
        for number in std::mem::take(&mut self.list) {
            let at = number - self.first;
            self.bits[at as usize / 64] |= 1 << (at % 64);
        }
    }

    /// Compressed, rows take two bytes each, and no more than bits would.
    #[cold]
    fn merge(&mut self) {
        if !self.is_sorted {
            self.list.sort_unstable();
            self.list.dedup();
        }
        self.rows |= RoaringBitmap::from_sorted_iter(self.list.drain(..)).unwrap_or_default();
        self.is_sorted = true;
    }

    /// The rows; an error where the doc_ids is too narrow for one.
    pub fn finish(mut self) -> Result<RoaringBitmap> {
        if self.overflowed {
            return Err(Error::DocIdOverflow);
        }
        if self.is_out_of_memory {
            let range = self.block_set.range(self.blocks);
            return Err(Error::OutOfMemory { bytes: (range.len() << self.doc_ids.bits) / 8 });
        }
        if !self.bits.is_empty() {
            self.bits.iter_mut().for_each(|word| *word = word.to_le());
            let mut rows = RoaringBitmap::from_lsb0_bytes(self.first, bytes_of(&self.bits));
            rows.remove_range(self.blocks << self.doc_ids.bits..);
            return Ok(rows);
        }
        self.merge();
        Ok(self.rows)
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

    /// Straight into the bits, once there are some, where all rows are wanted.
    fn take_packed(&mut self, list: PackedList<'_>) -> Parsed<u64> {
        if self.bits.is_empty() || !self.block_set.is_all() {
            return self.take_each(list);
        }
        self.collected += list.count() as u64;
        let (width, mut offsets) = (self.doc_ids.bits, 0);
        let bits = &mut self.bits[..];
        let last = list.unpack(|row, ends| {
            let (block, offset) = (row >> OFFSET_BITS, (row & OFFSET_MASK).wrapping_sub(1));
            let number = (block << width).wrapping_add(offset) as usize;
            // Beyond the bits lie rows behind the table's end.
            if let Some(word) = bits.get_mut(number / 64) {
                *word |= ends << (number % 64);
            }
            offsets |= offset & ends.wrapping_neg();
        })?;
        if offsets >> PLACE_BITS != 0 {
            return Err(NOWHERE); // of an offset of 0, all bits are set
        }
        self.overflowed |= offsets >> width != 0;
        Ok(last)
    }
}

fn bytes_of(words: &[u64]) -> &[u8] {
    // SAFETY: any memory of words can be read as bytes.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

/// Rows that meet a condition, as far as the index knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TidBitmap {
    /// All that may meet it.
    pub candidates: RoaringBitmap,
    /// Those of them that may as well not.
    pub recheck: RoaringBitmap,
}

/// Rows found, or all but those: a table's rows are counted up only if there is no other way.
#[derive(Debug, Clone, PartialEq)]
pub enum RowSet {
    Rows(TidBitmap),
    Complement(TidBitmap),
}

impl TidBitmap {
    pub fn none() -> TidBitmap {
        TidBitmap::default()
    }

    fn exact(&self) -> RoaringBitmap {
        &self.candidates - &self.recheck
    }

    /// What is in both.
    fn and(mut self, other: &TidBitmap) -> TidBitmap {
        self.candidates &= &other.candidates;
        self.recheck |= &other.recheck;
        self.recheck &= &self.candidates;
        self
    }

    /// What is in either.
    fn or(mut self, other: &TidBitmap) -> TidBitmap {
        if self.recheck.is_empty() && other.recheck.is_empty() {
            self.candidates |= &other.candidates;
            return self;
        }
        let exact = self.exact() | other.exact();
        self.candidates |= &other.candidates;
        self.recheck = &self.candidates - exact;
        self
    }

    /// What is in this but not in the other.
    pub fn without(mut self, other: &TidBitmap) -> TidBitmap {
        if other.recheck.is_empty() {
            self.candidates -= &other.candidates;
        } else {
            self.candidates -= other.exact();
            self.recheck |= &other.recheck;
        }
        self.recheck &= &self.candidates;
        self
    }
}

impl RowSet {
    pub fn negate(self) -> RowSet {
        match self {
            RowSet::Rows(found) => RowSet::Complement(found),
            RowSet::Complement(found) => RowSet::Rows(found),
        }
    }

    pub fn and(self, other: RowSet) -> RowSet {
        match (self, other) {
            (RowSet::Rows(a), RowSet::Rows(b)) => RowSet::Rows(a.and(&b)),
            (RowSet::Rows(a), RowSet::Complement(b)) | (RowSet::Complement(b), RowSet::Rows(a)) => {
                RowSet::Rows(a.without(&b))
            }
            (RowSet::Complement(a), RowSet::Complement(b)) => RowSet::Complement(a.or(&b)),
        }
    }

    pub fn or(self, other: RowSet) -> RowSet {
        self.negate().and(other.negate()).negate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::gin::pack;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_stand_for_rows(bits in 4u32..10, block in 0u32..1 << 22, offset in 1u16..512) {
            let (doc_ids, row) = (DocIdMap { bits }, Tid { block, offset });
            prop_assert_eq!(doc_ids.doc_id(row).is_some(), offset <= 1 << bits);
            if let Some(number) = doc_ids.doc_id(row) {
                prop_assert!(doc_ids.covers(block));
                prop_assert_eq!(doc_ids.tid(number), row);
                prop_assert!(doc_ids.doc_ids(block..=block).contains(&number));
            }
        }

        #[test]
        fn collects_any_rows(rows in proptest::collection::vec((0u32..50, 1u16..18), 0..300), spread in any::<bool>()) {
            let doc_ids = DocIdMap::NARROWEST;
            let block_set = BlockSet::all();
            let mut collector = Collector::new(doc_ids, &block_set, 40, 1 << 20);
            if spread {
                collector.spread();
            }
            let rows = rows.iter().map(|&(block, offset)| Tid { block, offset });
            rows.clone().for_each(|tid| collector.push(tid));
            match collector.finish() {
                Err(Error::DocIdOverflow) => prop_assert!(rows.clone().any(|tid| tid.block < 40 && tid.offset > 16)),
                found => {
                    let expected: RoaringBitmap =
                        rows.filter(|tid| tid.block < 40).filter_map(|tid| doc_ids.doc_id(tid)).collect();
                    prop_assert_eq!(found.ok(), Some(expected));
                }
            }
        }

        /// Rows of some pages, in bits, in lists that are merged, and in one list.
        #[test]
        fn collects_rows_of_pages(rows in proptest::collection::vec((0u32..5_000, 1u16..17), 1..900), start in 0u32..3_000, length in 1u32..3_000) {
            let (doc_ids, block_set) = (DocIdMap::NARROWEST, BlockSet::pages(start..start + length));
            let rows = rows.iter().map(|&(block, offset)| Tid { block, offset });
            let inside = rows.clone().filter(|tid| block_set.contains(tid.block) && tid.block < 4_000);
            let expected: RoaringBitmap = inside.filter_map(|tid| doc_ids.doc_id(tid)).collect();
            for (room, most) in [(1 << 20, 7), (0, 7), (0, LONGEST)] {
                let mut collector = Collector::new(doc_ids, &block_set, 4_000, room);
                for (at, tid) in rows.clone().enumerate() {
                    collector.take(tid);
                    if at == most {
                        if room > 0 { collector.spread() } else { collector.merge() }
                    }
                }
                prop_assert_eq!(collector.finish().ok(), Some(expected.clone()));
            }
        }

        /// Lists are collected the same, be it row by row or straight into the bits.
        #[test]
        fn takes_packed_rows(rows in proptest::collection::btree_set((0u32..60, 1u16..18), 1..300), some in proptest::collection::btree_set(0u32..60, 0..9)) {
            let doc_ids = DocIdMap::NARROWEST;
            let rows: Vec<Tid> = rows.into_iter().map(|(block, offset)| Tid { block, offset }).collect();
            let bytes = pack(&rows);
            let mut block_set = BlockSet::head(3);
            some.iter().for_each(|block| block_set.add(*block));
            let all = BlockSet::all();
            for (block_set, spread) in [(&all, false), (&all, true), (&block_set, false), (&block_set, true)] {
                // The table's end is within a word of the bits.
                let mut collector = Collector::new(doc_ids, block_set, 50, 1 << 20);
                if spread {
                    collector.spread();
                }
                prop_assert!(PackedList::read(&bytes).and_then(|list| collector.take_packed(list)).is_ok());
                let inside: Vec<&Tid> = rows.iter().filter(|tid| block_set.contains(tid.block)).collect();
                prop_assert_eq!((collector.collected, collector.skipped), (inside.len() as u64, (rows.len() - inside.len()) as u64));
                let overflowed = inside.iter().any(|tid| tid.offset > 16 && (tid.block < 50 || collector.overflowed));
                let expected: RoaringBitmap = inside.iter().filter(|tid| tid.block < 50).filter_map(|tid| doc_ids.doc_id(**tid)).collect();
                match collector.finish() {
                    Err(Error::DocIdOverflow) => prop_assert!(overflowed),
                    found => {
                        prop_assert!(!inside.iter().any(|tid| tid.offset > 16 && tid.block < 50));
                        prop_assert_eq!(found.ok(), Some(expected));
                    }
                }
            }
        }

        /// Whatever the recheck rows turn out to be, the sets' operations hold for them, and what is not recheck is so.
        #[test]
        fn sets_keep_their_word(a in 0u8..81, b in 0u8..81) {
            // Four rows, each in, out or recheck.
            let set = |code: u8| {
                let digit = |row: u32| code / 3u8.pow(row) % 3;
                let candidates: RoaringBitmap = (0..4).filter(|row| digit(*row) > 0).collect();
                let recheck: RoaringBitmap = (0..4).filter(|row| digit(*row) == 1).collect();
                TidBitmap { candidates, recheck }
            };
            // Each row's possible truths: bit 0 for false, bit 1 for true.
            let possible = |set: &RowSet, row: u32| match set {
                RowSet::Rows(f) => [1, 2, 3][usize::from(f.candidates.contains(row)) + usize::from(f.recheck.contains(row))],
                RowSet::Complement(f) => [2, 1, 3][usize::from(f.candidates.contains(row)) + usize::from(f.recheck.contains(row))],
            };
            let combine = |a: u8, b: u8, and: bool| {
                let truths = |bits: u8| [false, true].into_iter().filter(move |t| bits & (1 << u8::from(*t)) > 0);
                truths(a).flat_map(|x| truths(b).map(move |y| if and { x && y } else { x || y })).fold(0, |bits, t| bits | 1 << u8::from(t))
            };
            for x in [RowSet::Rows(set(a)), RowSet::Complement(set(a))] {
                for y in [RowSet::Rows(set(b)), RowSet::Complement(set(b))] {
                    for row in 0..4 {
                        let (p, q) = (possible(&x, row), possible(&y, row));
                        prop_assert_eq!(possible(&x.clone().and(y.clone()), row), combine(p, q, true));
                        prop_assert_eq!(possible(&x.clone().or(y.clone()), row), combine(p, q, false));
                    }
                }
            }
        }
    }
}
