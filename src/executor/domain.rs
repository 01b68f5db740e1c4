//! The documents over which values are counted: of each table of a store, some of its visible rows,
//! or all of them.

use super::block_set::BlockSet;
use super::doc_id::DocIdMap;
use super::row_bits::set_bits;
use super::settings::postings_memory;
use crate::error::Result;
use crate::index::gin::{
    CountingSink, GinIndex, OFFSET_BITS, OFFSET_MASK, PackedList, Parsed, Postings, Sink, Tid,
};
use crate::memory;
use roaring::RoaringBitmap;
use std::rc::Rc;

/// Some visible documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    pub(super) parts: Vec<PartRows>,
}

/// Some visible rows of one table.
#[derive(Debug, Clone)]
pub enum PartRows {
    /// All of them, of which there are so many.
    All(u64),
    /// The rows with these doc IDs.
    Some(Rc<RoaringBitmap>),
    /// So many rows of tables on other servers, which are known by the number of an answer alone.
    /// They are not combined with any others.
    Elsewhere { answer: u32, count: u64 },
}

impl Domain {
    /// How many documents there are.
    pub fn len(&self) -> u64 {
        self.parts.iter().map(PartRows::len).sum()
    }

    /// About how many bytes of memory a list of them takes.
    pub fn size(&self) -> usize {
        self.parts.iter().filter_map(PartRows::list).map(RoaringBitmap::serialized_size).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// No documents, in the same tables.
    pub fn none(&self) -> Domain {
        Domain { parts: vec![PartRows::of(RoaringBitmap::new()); self.parts.len()] }
    }

    /// The documents that are in both.
    pub fn and(&self, other: &Domain) -> Domain {
        let both = |(a, b): (&PartRows, &PartRows)| match (a, b) {
            (PartRows::All(_), rows) | (rows, PartRows::All(_)) => rows.clone(),
            (PartRows::Some(a), PartRows::Some(b)) => PartRows::of(&**a & &**b),
            (PartRows::Elsewhere { .. }, _) | (_, PartRows::Elsewhere { .. }) => a.clone(),
        };
        Domain { parts: self.parts.iter().zip(&other.parts).map(both).collect() }
    }

    /// The documents that are in one or both.
    pub fn or(&self, other: &Domain) -> Domain {
        let one = |(a, b): (&PartRows, &PartRows)| match (a, b) {
            (PartRows::All(count), _) | (_, PartRows::All(count)) => PartRows::All(*count),
            (PartRows::Some(a), PartRows::Some(b)) => PartRows::of(&**a | &**b),
            (PartRows::Elsewhere { .. }, _) | (_, PartRows::Elsewhere { .. }) => a.clone(),
        };
        Domain { parts: self.parts.iter().zip(&other.parts).map(one).collect() }
    }

    /// Adds documents of the same tables.
    pub fn add(&mut self, other: &Domain) {
        for (rows, more) in self.parts.iter_mut().zip(&other.parts) {
            match (&mut *rows, more) {
                (PartRows::Some(rows), PartRows::Some(more)) => *Rc::make_mut(rows) |= &**more,
                (PartRows::All(_) | PartRows::Elsewhere { .. }, _) => {}
                (_, PartRows::Elsewhere { .. }) => {}
                (_, all @ PartRows::All(_)) => *rows = all.clone(),
            }
        }
    }

    /// Documents that are numbered, and not rows of a table.
    pub fn numbered(documents: RoaringBitmap) -> Domain {
        Domain { parts: vec![PartRows::of(documents)] }
    }

    /// The numbers of such documents; none for all of them.
    pub fn numbers(&self) -> Option<&RoaringBitmap> {
        self.parts.first().and_then(PartRows::list)
    }

    /// Documents on other servers, which are known by the number of an answer.
    pub fn elsewhere(answer: u32, count: u64) -> Domain {
        Domain { parts: vec![PartRows::Elsewhere { answer, count }] }
    }

    /// The number of the answer of such documents.
    pub fn answer(&self) -> Option<u32> {
        match self.parts.first() {
            Some(PartRows::Elsewhere { answer, .. }) => Some(*answer),
            _ => None,
        }
    }
}

impl PartialEq for PartRows {
    /// Lists with the same rows are mostly the same list. `RoaringBitmap` compares others row by
    /// row, but finds out word by word whether one has all rows of the other.
    fn eq(&self, other: &PartRows) -> bool {
        match (self, other) {
            (PartRows::All(a), PartRows::All(b)) => a == b,
            (PartRows::Some(a), PartRows::Some(b)) => {
                Rc::ptr_eq(a, b) || a.len() == b.len() && a.is_subset(b)
            }
            (
                PartRows::Elsewhere { answer, count },
                PartRows::Elsewhere { answer: other, count: others },
            ) => answer == other && count == others,
            _ => false,
        }
    }
}

impl PartRows {
    /// The rows of a list.
    pub fn of(rows: RoaringBitmap) -> PartRows {
        PartRows::Some(Rc::new(rows))
    }

    pub fn len(&self) -> u64 {
        match self {
            PartRows::All(count) | PartRows::Elsewhere { count, .. } => *count,
            PartRows::Some(rows) => rows.len(),
        }
    }

    /// The rows; none if it is all of them.
    pub fn list(&self) -> Option<&RoaringBitmap> {
        match self {
            PartRows::All(_) | PartRows::Elsewhere { .. } => None,
            PartRows::Some(rows) => Some(rows),
        }
    }
}

/// Which rows a [`RowCounter`] counts.
pub enum Counted<'r> {
    /// Rows of this set.
    Among(&'r RoaringBitmap),
    /// All rows but these, which are rows on pages of the block set. All postings on other pages
    /// are known to be those of visible rows.
    AllBut(&'r RoaringBitmap, &'r BlockSet),
}

/// Counts those rows of posting lists that are in a set. The lists are not unpacked where all of
/// their rows count.
pub struct RowCounter<'r> {
    doc_ids: DocIdMap,
    counted: Counted<'r>,
    /// A bit for each doc ID of the set. Empty where memory does not suffice for that, and until
    /// something is counted.
    bits: Vec<u64>,
    /// How many words of bits there will be.
    words: usize,
    count: u64,
}

impl<'r> RowCounter<'r> {
    /// `blocks`: the number of blocks of the table. `max_bytes`: what the bits of the set may take.
    pub fn new(
        doc_ids: DocIdMap,
        counted: Counted<'r>,
        blocks: u32,
        max_bytes: usize,
    ) -> RowCounter<'r> {
        let words = ((blocks as usize) << doc_ids.offset_bits()).div_ceil(64);
        let has_bits = matches!(counted, Counted::Among(_)) && words * 8 <= max_bytes;
        let words = if has_bits { words } else { 0 };
        RowCounter { doc_ids, counted, bits: Vec::new(), words, count: 0 }
    }

    /// Sets the bits before the first list is counted. Many walks find no list.
    #[cold]
    fn make_bits(&mut self) -> Result<()> {
        memory::reserve(&mut self.bits, self.words)?;
        self.bits.resize(self.words, 0);
        match self.counted {
            Counted::Among(rows) => set_bits(rows, &mut self.bits),
            Counted::AllBut(..) => Ok(()),
        }
    }

    /// How many rows of an entry count.
    #[inline]
    pub fn count(&mut self, postings: &Postings<'_>) -> Result<u64> {
        if let Counted::AllBut(_, block_set) = self.counted
            && block_set.is_empty()
            && let Some(count) = postings.known_len()
        {
            return Ok(count as u64);
        }
        if self.bits.len() < self.words {
            self.make_bits()?;
        }
        self.count = 0;
        postings.for_each(self)?;
        Ok(self.count)
    }

    /// How many rows of the keys from `from` up to but not including `below` count, and how many of
    /// the keys have such rows.
    pub fn tally(&mut self, index: &GinIndex, from: &[u8], below: &[u8]) -> Result<(u64, u64)> {
        if self.bits.len() < self.words {
            self.make_bits()?;
        }
        self.count = 0;
        let keys = index.tally(from, below, self)?;
        Ok((self.count, keys))
    }

    #[inline]
    fn contains(&self, tid: Tid) -> bool {
        // A row without a doc ID was added after the set was made.
        let Some(doc_id) = self.doc_ids.doc_id(tid) else { return false };
        match self.counted {
            Counted::Among(_) if !self.bits.is_empty() => {
                let word = self.bits.get(doc_id as usize / 64).copied().unwrap_or(0);
                word >> (doc_id % 64) & 1 == 1
            }
            Counted::Among(rows) => rows.contains(doc_id),
            Counted::AllBut(hidden, _) => !hidden.contains(doc_id),
        }
    }
}

impl CountingSink for RowCounter<'_> {
    #[inline]
    fn counted(&self) -> u64 {
        self.count
    }
}

impl Sink for RowCounter<'_> {
    #[inline]
    fn take(&mut self, row: Tid) {
        let is_outside = match self.counted {
            Counted::Among(_) => false,
            Counted::AllBut(_, block_set) => !block_set.contains(row.block),
        };
        self.count += u64::from(is_outside || self.contains(row));
    }

    #[inline]
    fn wants_all(&self) -> bool {
        matches!(self.counted, Counted::Among(_))
    }

    #[inline]
    fn wants(&self, first: u32, last: u32) -> bool {
        match self.counted {
            Counted::Among(_) => true,
            Counted::AllBut(_, block_set) => block_set.intersects(first..=last),
        }
    }

    #[inline]
    fn skip(&mut self, count: usize) {
        self.count += count as u64;
    }

    #[inline]
    fn wants_bits(&self) -> Option<(u32, usize)> {
        let wants = !self.bits.is_empty();
        wants.then(|| (self.doc_ids.offset_bits(), postings_memory()))
    }

    fn take_bits(&mut self, first: usize, words: &[u64], _rows: u64) {
        let bits = self.bits.get(first..).unwrap_or_default();
        let both = bits.iter().zip(words).map(|(a, b)| u64::from((a & b).count_ones()));
        self.count += both.sum::<u64>();
    }

    /// Looks the rows up in the bits without a branch, if there are any.
    fn take_packed(&mut self, list: PackedList<'_>) -> Parsed<u64> {
        if self.bits.is_empty() {
            return self.take_each(list);
        }
        let (offset_bits, bits, mut count) = (self.doc_ids.offset_bits(), &self.bits[..], 0);
        let last = list.unpack(|row, ends| {
            let (block, offset) = (row >> OFFSET_BITS, (row & OFFSET_MASK).wrapping_sub(1));
            let doc_id = (block << offset_bits).wrapping_add(offset) as usize;
            let word = bits.get(doc_id / 64).copied().unwrap_or(0);
            // A row whose offset does not fit has no doc ID.
            let fits = u64::from(offset >> offset_bits == 0);
            count += word >> (doc_id % 64) & ends & fits;
        })?;
        self.count += count;
        Ok(last)
    }
}
