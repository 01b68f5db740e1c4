//! What a session remembers of the leaf pages of posting trees: their rows as bits.
//!
//! To unpack a page of a common key takes some ten microseconds, and to combine its bits with
//! others less than one. A page that still has the LSN that it had is unchanged (`page_summary`).

use super::buffer::{GinIndex, Locked};
use super::bytes::{Parsed, lsn};
use super::data::LeafItems;
use super::posting_list::{NOWHERE, OFFSET_BITS, OFFSET_MASK, PLACE_BITS, PackedList, Sink, Tid};
use foldhash::fast::RandomState;
use std::cell::RefCell;
use std::collections::HashMap;

/// Words that the bits of a page have at most: 16 kB, twice what the page takes. Where rows lie
/// further apart, unpacking them is as quick.
const MAX_WORDS: usize = 1 << 11;

/// The rows of a leaf page: a bit for each doc ID, which is the number of the row's block, and then
/// the offset in a given number of bits.
struct PageBits {
    offset_bits: u32,
    /// The doc ID of the first bit, divided by 64.
    first: usize,
    /// The bits. None if the page has no rows, or rows that this form does not suit.
    words: Box<[u64]>,
    /// How many rows there are.
    rows: u64,
}

/// By OID of the index and block: the page's LSN, and its rows.
type Pages = HashMap<(u32, u32), (u64, PageBits), RandomState>;

/// Pages that were used lately, and such that were used before those. When the former have half of
/// the memory, they become the latter, which are forgotten.
#[derive(Default)]
struct Generations {
    young: Pages,
    old: Pages,
    /// What the young ones take.
    bytes: usize,
}

thread_local! {
    static PAGES: RefCell<Generations> = RefCell::default();
}

impl Generations {
    fn insert(&mut self, key: (u32, u32), lsn: u64, bits: PageBits, max_bytes: usize) {
        let bytes = size_of_val(&*bits.words) + size_of::<((u32, u32), (u64, PageBits))>();
        if self.bytes + bytes > max_bytes / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if bytes <= max_bytes / 2 {
            self.bytes += bytes;
            self.young.insert(key, (lsn, bits));
        }
    }
}

impl GinIndex {
    /// Hands the rows of a leaf page to a sink that takes bits, from memory or, at first, from the
    /// page. False if bits do not suit the page.
    pub(super) fn take_bits(
        &self,
        page: &Locked<'_>,
        items: LeafItems<'_>,
        sink: &mut impl Sink,
    ) -> Parsed<bool> {
        let (lsn, Some((offset_bits, max_bytes))) = (lsn(page.bytes()), sink.wants_bits()) else {
            return Ok(false);
        };
        // A page without a WAL record has the LSN 0.
        let Some(index) = self.wal_logged_oid().filter(|_| lsn != 0) else { return Ok(false) };
        PAGES.with_borrow_mut(|pages| {
            let key = (index, page.block);
            let is_same =
                |(known, bits): &(u64, PageBits)| *known == lsn && bits.offset_bits == offset_bits;
            if let Some((_, bits)) = pages.young.get(&key).filter(|known| is_same(known)) {
                return Ok(bits.hand_to(sink));
            }
            let bits = match pages.old.remove(&key).filter(is_same) {
                Some((_, bits)) => bits,
                None => PageBits::of(items, offset_bits)?,
            };
            let is_taken = bits.hand_to(sink);
            pages.insert(key, lsn, bits, max_bytes);
            Ok(is_taken)
        })
    }
}

impl PageBits {
    fn of(items: LeafItems<'_>, offset_bits: u32) -> Parsed<PageBits> {
        let mut maker = Maker { offset_bits, first: None, words: Vec::new(), rows: 0, fits: true };
        items.for_each(&mut 0, &mut maker)?;
        let Maker { first, mut words, rows, fits, .. } = maker;
        let used = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        words.truncate(if fits { used } else { 0 });
        Ok(PageBits { offset_bits, first: first.unwrap_or(0), words: words.into(), rows })
    }

    fn hand_to(&self, sink: &mut impl Sink) -> bool {
        let suits = !self.words.is_empty();
        if suits {
            sink.take_bits(self.first, &self.words, self.rows);
        }
        suits
    }
}

/// Makes the bits of a page.
struct Maker {
    offset_bits: u32,
    /// None before the first row.
    first: Option<usize>,
    words: Vec<u64>,
    rows: u64,
    /// Whether all rows have a doc ID and lie close enough to each other.
    fits: bool,
}

impl Maker {
    /// Begins with the first row of the page. Some words in front of it are not needed.
    fn begin(&mut self, row: Tid) -> usize {
        let words = &mut self.words;
        *self.first.get_or_insert_with(|| {
            words.resize(MAX_WORDS, 0);
            ((row.block as usize) << self.offset_bits) / 64
        })
    }
}

impl Sink for Maker {
    fn take(&mut self, row: Tid) {
        let first = self.begin(row);
        let offset = usize::from(row.offset.wrapping_sub(1));
        let at = ((row.block as usize) << self.offset_bits | offset).wrapping_sub(first * 64);
        self.rows += 1;
        self.fits &= offset >> self.offset_bits == 0;
        match self.words.get_mut(at / 64) {
            Some(word) => *word |= 1 << (at % 64),
            None => self.fits = false,
        }
    }

    /// Without a branch for each row, as the collector of rows does it.
    fn take_packed(&mut self, list: PackedList<'_>) -> Parsed<u64> {
        let first = self.begin(list.first()) as u64 * 64;
        self.rows += list.count() as u64;
        let (offset_bits, words) = (self.offset_bits, &mut self.words[..]);
        let mut offsets = 0;
        let last = list.unpack(|row, ends| {
            let (block, offset) = (row >> OFFSET_BITS, (row & OFFSET_MASK).wrapping_sub(1));
            let at = (block << offset_bits).wrapping_add(offset).wrapping_sub(first) as usize;
            if let Some(word) = words.get_mut(at / 64) {
                *word |= ends << (at % 64);
            }
            offsets |= offset & ends.wrapping_neg();
        })?;
        // Offset 0, which no row has, has become a number with all bits set.
        if offsets >> PLACE_BITS != 0 {
            return Err(NOWHERE);
        }
        let end = ((last >> OFFSET_BITS) + 1) << offset_bits;
        self.fits &= offsets >> offset_bits == 0 && end - first <= 64 * MAX_WORDS as u64;
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pack;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// A page's rows come back as they are, or the page is said not to suit.
        #[test]
        fn bits_stand_for_rows(
            rows in proptest::collection::btree_set((0u32..9_000, 1u16..18), 1..400),
            base in 0u32..1 << 20,
        ) {
            let tid = |&(block, offset): &(u32, u16)| Tid { block: base + block, offset };
            let rows: Vec<Tid> = rows.iter().map(tid).collect();
            let mut bytes = pack(&rows);
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            for compressed in [true, false] {
                let plain = rows.iter().flat_map(|row| {
                    let [high, low] = [(row.block >> 16) as u16, row.block as u16];
                    [high, low, row.offset].into_iter().flat_map(u16::to_ne_bytes)
                });
                let bytes = if compressed { bytes.clone() } else { plain.collect() };
                let bits = PageBits::of(LeafItems::new(compressed, &bytes), 4);
                prop_assert!(bits.is_ok());
                let Ok(bits) = bits else { continue };
                let doc_id = |row: &Tid| row.block as usize * 16 + usize::from(row.offset) - 1;
                let expected: BTreeSet<usize> = rows.iter().map(doc_id).collect();
                let first = rows[0].block as usize * 16 / 64 * 64;
                let last = rows[rows.len() - 1].block as usize * 16 + 16;
                let suits = rows.iter().all(|row| row.offset <= 16)
                    && last - first <= 64 * MAX_WORDS;
                prop_assert_eq!(bits.rows as usize, rows.len());
                if bits.words.is_empty() {
                    prop_assert!(!suits);
                    continue;
                }
                prop_assert!(rows.iter().all(|row| row.offset <= 16));
                let set = |at: usize| bits.words[at / 64] >> (at % 64) & 1 == 1;
                let found = (0..64 * bits.words.len()).filter(|at| set(*at));
                prop_assert!(found.map(|at| 64 * bits.first + at).eq(expected));
            }
        }
    }
}
