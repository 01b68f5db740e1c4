//! What a session remembers of the leaf pages of an index: their rows as bits, or as lists.
//!
//! To unpack a page of a common key takes some ten microseconds, and to combine its bits with
//! others less than one. Where rows lie too far apart for bits, and on leaf pages of the entry tree,
//! which have the rows of many keys, lists of them take a third of the time of unpacking. A page
//! that still has the LSN that it had is unchanged (`page_summary`).

use super::buffer::{GinIndex, Locked};
use super::bytes::{Parsed, lsn};
use super::data::LeafItems;
use super::posting_list::{
    NOWHERE, OFFSET_BITS, OFFSET_MASK, PLACE_BITS, PackedList, RowLists, Sink, Tid,
};
use foldhash::fast::RandomState;
use std::cell::RefCell;
use std::collections::HashMap;

/// Words that the bits of a page have at most: 16 kB, twice what the page takes. Rows that lie
/// further apart are listed.
const MAX_WORDS: usize = 1 << 11;

/// The rows of a leaf page, by doc ID: the number of the row's block, and then the offset in a given
/// number of bits.
struct PageRows {
    offset_bits: u32,
    form: Form,
    /// How many rows there are. One that has several keys counts for each.
    rows: u64,
}

enum Form {
    /// The first doc ID is this number times 64.
    Bits(usize, Box<[u64]>),
    /// As `RowLists` has them.
    Lists(Box<[u16]>),
    /// A row has no doc ID.
    Unsuited,
}

/// By OID of the index and block: the page's LSN, and its rows.
type Pages = HashMap<(u32, u32), (u64, PageRows), RandomState>;

/// Pages that were used lately, and such that were used before those. When the former have half of
/// the memory, they become the latter, which are forgotten.
#[derive(Default)]
struct Generations {
    young: Pages,
    old: Pages,
    /// What the young ones take.
    bytes: usize,
    /// How many pages were remembered since they are young, and how often one was of use.
    made: usize,
    used: usize,
    /// So many pages are not remembered.
    pause: usize,
}

/// Where more pages are read in turn than fit, all are forgotten before they are of use, and to
/// remember them takes longer than to unpack them. Then so many times as many pages are not.
const PAUSE: usize = 8;

thread_local! {
    static PAGES: RefCell<Generations> = RefCell::default();
}

impl Generations {
    fn insert(&mut self, key: (u32, u32), lsn: u64, rows: PageRows, max_bytes: usize) {
        let bytes = rows.size() + size_of::<((u32, u32), (u64, PageRows))>();
        if self.bytes + bytes > max_bytes / 2 {
            self.old = std::mem::take(&mut self.young);
            self.pause = if self.used < self.made { PAUSE * self.made } else { 0 };
            (self.bytes, self.made, self.used) = (0, 0, 0);
        }
        if bytes <= max_bytes / 2 {
            (self.bytes, self.made) = (self.bytes + bytes, self.made + 1);
            self.young.insert(key, (lsn, rows));
        }
    }
}

impl GinIndex {
    /// Hands the rows of a leaf page of a posting tree to a sink that takes bits, from memory or, at
    /// first, from the page. False if bits do not suit the page.
    pub(super) fn take_bits(
        &self,
        page: &Locked<'_>,
        items: LeafItems<'_>,
        sink: &mut impl Sink,
    ) -> Parsed<bool> {
        let (block, lsn) = (page.block, lsn(page.bytes()));
        if self.take_remembered(block, lsn, sink) {
            return Ok(true);
        }
        self.take_rows(block, lsn, sink, |offset_bits| PageRows::of_items(items, offset_bits))
    }

    /// Hands the rows of a leaf page of the entry tree to a sink that takes bits, and remembers them.
    /// False if the sink does not take bits, or if these do not suit the page. `each` hands over the
    /// rows.
    pub(super) fn take_entries(
        &self,
        page: &Locked<'_>,
        sink: &mut impl Sink,
        each: impl FnOnce(&mut Lister) -> Parsed<()>,
    ) -> Parsed<bool> {
        self.take_rows(page.block, lsn(page.bytes()), sink, |offset_bits| {
            PageRows::listed(offset_bits, each)
        })
    }

    fn take_rows(
        &self,
        block: u32,
        lsn: u64,
        sink: &mut impl Sink,
        make: impl FnOnce(u32) -> Parsed<PageRows>,
    ) -> Parsed<bool> {
        // A page without a WAL record has the LSN 0.
        let index = self.wal_logged_oid().filter(|_| lsn != 0);
        let (Some(index), Some((offset_bits, max_bytes))) = (index, sink.wants_bits()) else {
            return Ok(false);
        };
        let is_pause = PAGES.with_borrow_mut(|pages| {
            let is_pause = pages.pause > 0;
            pages.pause = pages.pause.saturating_sub(1);
            is_pause
        });
        if is_pause {
            return Ok(false);
        }
        let rows = make(offset_bits)?;
        let is_taken = rows.hand_to(sink);
        PAGES.with_borrow_mut(|pages| pages.insert((index, block), lsn, rows, max_bytes));
        Ok(is_taken)
    }

    /// Hands the rows of a page with this LSN to a sink, if it takes bits and they are remembered.
    pub(super) fn take_remembered(&self, block: u32, lsn: u64, sink: &mut impl Sink) -> bool {
        let (Some(index), Some((offset_bits, max_bytes))) =
            (self.wal_logged_oid(), sink.wants_bits())
        else {
            return false;
        };
        let key = (index, block);
        let is_same =
            |(known, rows): &(u64, PageRows)| *known == lsn && rows.offset_bits == offset_bits;
        PAGES.with_borrow_mut(|pages| {
            if let Some((_, rows)) = pages.young.get(&key).filter(|known| is_same(known)) {
                pages.used += 1;
                return rows.hand_to(sink);
            }
            let Some((_, rows)) = pages.old.remove(&key).filter(is_same) else { return false };
            let is_taken = rows.hand_to(sink);
            pages.used += 1;
            pages.insert(key, lsn, rows, max_bytes);
            is_taken
        })
    }
}

impl PageRows {
    fn of_items(items: LeafItems<'_>, offset_bits: u32) -> Parsed<PageRows> {
        let mut maker = Maker { offset_bits, first: None, words: Vec::new(), rows: 0, fits: true };
        items.for_each(&mut 0, &mut maker)?;
        let Maker { first, mut words, rows, fits, .. } = maker;
        if !fits {
            return PageRows::listed(offset_bits, |lister| items.for_each(&mut 0, lister));
        }
        let used = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        words.truncate(used);
        let form = Form::Bits(first.unwrap_or(0), words.into());
        Ok(PageRows { offset_bits, form, rows })
    }

    fn listed(offset_bits: u32, each: impl FnOnce(&mut Lister) -> Parsed<()>) -> Parsed<PageRows> {
        let mut lister = Lister { offset_bits, doc_ids: Vec::new(), fits: true };
        each(&mut lister)?;
        let Lister { mut doc_ids, fits, .. } = lister;
        let rows = doc_ids.len() as u64;
        doc_ids.sort_unstable();
        doc_ids.dedup();
        let form = match fits {
            true => Form::Lists(RowLists::write(&doc_ids).into()),
            false => Form::Unsuited,
        };
        Ok(PageRows { offset_bits, form, rows })
    }

    /// Bytes behind the pointer.
    fn size(&self) -> usize {
        match &self.form {
            Form::Bits(_, words) => size_of_val(&**words),
            Form::Lists(lists) => size_of_val(&**lists),
            Form::Unsuited => 0,
        }
    }

    /// False if the rows have no such form.
    fn hand_to(&self, sink: &mut impl Sink) -> bool {
        match &self.form {
            Form::Bits(first, words) => sink.take_bits(*first, words, self.rows),
            Form::Lists(lists) => sink.take_lists(RowLists(lists), self.rows),
            Form::Unsuited => return false,
        }
        true
    }
}

/// Lists the rows of a page.
pub(super) struct Lister {
    offset_bits: u32,
    doc_ids: Vec<u32>,
    /// Whether all rows have a doc ID.
    fits: bool,
}

impl Sink for Lister {
    fn take(&mut self, row: Tid) {
        let (bits, offset) = (self.offset_bits, u32::from(row.offset.wrapping_sub(1)));
        self.fits &= offset >> bits == 0 && row.block <= u32::MAX >> bits;
        self.doc_ids.push(row.block << bits | offset);
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
        /// A page's rows come back as they are, in bits or in lists, or the page is said not to suit.
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
                let bits = PageRows::of_items(LeafItems::new(compressed, &bytes), 4);
                prop_assert!(bits.is_ok());
                let Ok(bits) = bits else { continue };
                let doc_id = |row: &Tid| row.block as usize * 16 + usize::from(row.offset) - 1;
                let expected: BTreeSet<usize> = rows.iter().map(doc_id).collect();
                let first = rows[0].block as usize * 16 / 64 * 64;
                let last = rows[rows.len() - 1].block as usize * 16 + 16;
                let suits = rows.iter().all(|row| row.offset <= 16)
                    && last - first <= 64 * MAX_WORDS;
                prop_assert_eq!(bits.rows as usize, rows.len());
                match bits.form {
                    Form::Unsuited => prop_assert!(rows.iter().any(|row| row.offset > 16)),
                    Form::Bits(first, words) => {
                        prop_assert!(suits);
                        let set = |at: usize| words[at / 64] >> (at % 64) & 1 == 1;
                        let found = (0..64 * words.len()).filter(|at| set(*at));
                        prop_assert!(found.map(|at| 64 * first + at).eq(expected));
                    }
                    Form::Lists(lists) => {
                        prop_assert!(!suits && rows.iter().all(|row| row.offset <= 16));
                        let mut found = Vec::new();
                        RowLists(&lists).for_each(|first, rows| {
                            found.extend(rows.iter().map(|row| first as usize + usize::from(*row)));
                        });
                        prop_assert!(found.into_iter().eq(expected));
                    }
                }
            }
        }
    }
}
