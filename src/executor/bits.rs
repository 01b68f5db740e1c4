//! Numbers as plain bits: rows by doc ID, and pages by block.
//!
//! A `RoaringBitmap` keeps 65,536 numbers as bits or as a list, whichever is shorter, and counts
//! them after each operation to decide that. Where many rows are combined and some of them taken
//! away, turning one form into the other takes most of the time. Plain bits are only counted at the
//! end.

use roaring::RoaringBitmap;
use std::cell::{Cell, RefCell};

/// A set of numbers, a bit for each. Behind the last word there are none.
#[derive(Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
}

/// Words whose numbers are counted at once.
const WORDS_TOGETHER: usize = 64;

/// Bytes. Less does not go back to the system.
const MIN_SPARE: usize = 64 << 10;

thread_local! {
    /// Words of sets that are gone. Memory of such a size goes back to the system, and to get it
    /// again page by page takes longer than what is done with it.
    static SPARE: RefCell<Vec<Vec<u64>>> = const { RefCell::new(Vec::new()) };
    /// How many bytes they may take together.
    static MAX_SPARE: Cell<usize> = const { Cell::new(0) };
}

/// Says how many bytes may be kept for sets to come.
pub fn keep_spare(max_bytes: usize) {
    MAX_SPARE.set(max_bytes);
    SPARE.with_borrow_mut(shrink_spare);
}

fn shrink_spare(spare: &mut Vec<Vec<u64>>) {
    let mut left = MAX_SPARE.get();
    spare.retain(|words| {
        let bytes = words.capacity() * size_of::<u64>();
        let fits = bytes <= left;
        left -= if fits { bytes } else { 0 };
        fits
    });
}

/// An empty list that has room for so many words, if there is memory for them.
pub fn words_with_room(count: usize) -> Option<Vec<u64>> {
    let spare = SPARE.with_borrow_mut(|spare| {
        let at = spare.iter().position(|words| words.capacity() >= count)?;
        Some(spare.swap_remove(at))
    });
    let mut words = spare.unwrap_or_default();
    words.try_reserve_exact(count).ok()?;
    Some(words)
}

impl Drop for Bits {
    fn drop(&mut self) {
        let mut words = std::mem::take(&mut self.words);
        if words.capacity() * size_of::<u64>() >= MIN_SPARE && MAX_SPARE.get() > 0 {
            words.clear();
            // At the end of the process, the list may be gone before the last set is.
            let _ = SPARE.try_with(|spare| {
                let mut spare = spare.borrow_mut();
                spare.insert(0, words);
                shrink_spare(&mut spare);
            });
        }
    }
}

impl Clone for Bits {
    fn clone(&self) -> Bits {
        let mut words = words_with_room(self.words.len()).unwrap_or_default();
        words.extend_from_slice(&self.words);
        Bits { words }
    }
}

impl Bits {
    /// The numbers whose bits are set, and those below `end` alone.
    pub fn new(mut words: Vec<u64>, end: u32) -> Bits {
        words.truncate(end.div_ceil(64) as usize);
        if let Some(last) = words.get_mut(end as usize / 64) {
            *last &= (1 << (end % 64)) - 1;
        }
        Bits { words }
    }

    pub fn words(&self) -> &[u64] {
        &self.words
    }

    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    #[inline]
    pub fn contains(&self, number: u32) -> bool {
        let word = self.words.get(number as usize / 64);
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    pub fn insert(&mut self, number: u32) {
        let at = number as usize / 64;
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        self.words[at] |= 1 << (number % 64);
    }

    pub fn remove(&mut self, number: u32) {
        if let Some(word) = self.words.get_mut(number as usize / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    /// Replaces some bits of a word.
    pub fn replace(&mut self, at: usize, mask: u64, bits: u64) {
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        self.words[at] = self.words[at] & !mask | bits & mask;
    }

    /// How many bytes they take.
    pub fn size(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub fn len(&self) -> u64 {
        ones(&self.words)
    }

    /// Whether all numbers are in another set, too.
    pub fn is_within(&self, other: &Bits) -> bool {
        let (both, behind) = self.words.split_at(self.words.len().min(other.words.len()));
        let lacking = both.iter().zip(&other.words).fold(0, |lacking, (a, b)| lacking | a & !b);
        behind.iter().fold(lacking, |lacking, word| lacking | word) == 0
    }

    /// Keeps the numbers that are in both sets.
    pub fn intersect(&mut self, other: &Bits) {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    /// Adds the numbers of another set.
    pub fn unite(&mut self, other: &Bits) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// Removes the numbers of another set.
    pub fn subtract(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.iter_from(0)
    }

    pub fn bitmap(&self) -> RoaringBitmap {
        bitmap_of(0, &self.words)
    }

    /// The numbers from one on, in order.
    pub fn iter_from(&self, from: u32) -> impl Iterator<Item = u32> {
        let first = from / 64;
        let words = self.words.get(first as usize..).unwrap_or_default();
        let left = move |(at, word): (u32, &u64)| match at == first {
            true => (at, word & u64::MAX << (from % 64)),
            false => (at, *word),
        };
        (first..).zip(words).map(left).filter(|(_, word)| *word != 0).flat_map(|(at, word)| {
            let next = |left: &u64| Some(left & left.wrapping_sub(1)).filter(|left| *left != 0);
            std::iter::successors(Some(word), next).map(move |left| at * 64 + left.trailing_zeros())
        })
    }

    /// The number that so many smaller ones are in front of.
    pub fn select(&self, mut before: u64) -> Option<u32> {
        for (first, words) in
            (0u32..).step_by(WORDS_TOGETHER).zip(self.words.chunks(WORDS_TOGETHER))
        {
            let count = ones(words);
            if before < count {
                let skipped = usize::try_from(before).ok()?;
                return self.iter_from(first * 64).nth(skipped);
            }
            before -= count;
        }
        None
    }
}

/// The numbers whose bits are set, the first bit standing for `first`, a multiple of 8.
pub fn bitmap_of(first: u32, words: &[u64]) -> RoaringBitmap {
    #[cfg(target_endian = "big")]
    let words: &[u64] = &words.iter().map(|word| word.to_le()).collect::<Vec<_>>();
    // SAFETY: the words are initialized memory of this many bytes, and bytes need no alignment.
    let bytes = unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) };
    RoaringBitmap::from_lsb0_bytes(first, bytes)
}

/// How many bits are set.
fn ones(words: &[u64]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("popcnt") {
        // SAFETY: the CPU has the one instruction that the function needs.
        return unsafe { ones_by_instruction(words) };
    }
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// A build for every x86-64 has no instruction for it, and takes several times as long.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn ones_by_instruction(words: &[u64]) -> u64 {
    let mut ones = 0;
    for word in words {
        ones += u64::from(word.count_ones());
    }
    ones
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn of(numbers: &BTreeSet<u32>) -> Bits {
        let mut bits = Bits::default();
        numbers.iter().for_each(|number| bits.insert(*number));
        bits
    }

    proptest! {
        #[test]
        fn is_a_set(
            a in proptest::collection::btree_set(0u32..400, 0..60),
            b in proptest::collection::btree_set(0u32..500, 0..60),
            place in 0u64..70,
            end in 0u32..500,
        ) {
            let (one, other) = (of(&a), of(&b));
            let (mut both, mut any, mut left) = (one.clone(), one.clone(), one.clone());
            both.intersect(&other);
            any.unite(&other);
            left.subtract(&other);
            prop_assert!(both.iter().eq(a.intersection(&b).copied()));
            prop_assert!(any.iter().eq(a.union(&b).copied()));
            prop_assert!(left.iter().eq(a.difference(&b).copied()));
            prop_assert_eq!(one.is_within(&other), a.is_subset(&b));
            prop_assert_eq!((one.len() as usize, one.is_empty()), (a.len(), a.is_empty()));
            prop_assert!(a.union(&b).all(|number| one.contains(*number) == a.contains(number)));
            prop_assert!(one.bitmap().iter().eq(a.iter().copied()));
            prop_assert_eq!(one.select(place), a.iter().copied().nth(place as usize));
            prop_assert!(one.iter_from(end).eq(a.range(end..).copied()));
            let below = Bits::new(one.words().to_vec(), end);
            prop_assert!(below.iter().eq(a.range(..end).copied()));
            let mut removed = any.clone();
            b.iter().for_each(|number| removed.remove(*number));
            prop_assert!(removed.iter().eq(a.difference(&b).copied()));
        }
    }
}
