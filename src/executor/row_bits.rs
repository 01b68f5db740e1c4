//! The rows of a bitmap as words, and one after the other; and a bitmap of rows that ascend.
//!
//! `RoaringBitmap` keeps its containers to itself, and its iterator takes several nanoseconds a row.
//! But it writes them in a form that is documented
//! (<https://github.com/RoaringBitmap/RoaringFormatSpec>), and from there they are read as they lie:
//! that takes a twentieth of the time for many rows. The other way round, it takes several times as
//! long to push each row as to put that form together.

use crate::error::Result;
use crate::{interrupts, memory};
use roaring::RoaringBitmap;

/// Rows. So few come from the iterator.
const FEW_ROWS: u64 = 1 << 12;
/// Rows that are passed together, at most.
pub const ROWS_TOGETHER: usize = 512;
/// What a bitmap in the written form begins with: SERIAL_COOKIE_NO_RUNCONTAINER, and in the low
/// half SERIAL_COOKIE.
const WITHOUT_RUNS: u32 = 12_346;
const WITH_RUNS: u16 = 12_347;
/// NO_OFFSET_THRESHOLD: with runs, fewer containers have no offsets.
const HAVE_OFFSETS: usize = 4;
/// Rows that a container lists at most.
const MAX_LISTED: usize = 4_096;

/// The rows of a container, which has those from `first` to `first` + 65,535.
enum Container<'b> {
    /// Pairs of bytes.
    List(&'b [u8]),
    /// 1,024 words of eight bytes.
    Bits(&'b [u8]),
    /// First rows and lengths less one, each a pair of bytes.
    Runs(&'b [u8]),
}

/// The bitmap of rows that ascend.
pub fn of_sorted(rows: &[u32]) -> RoaringBitmap {
    let containers = || rows.chunk_by(|one, next| one >> 16 == next >> 16);
    let pushed = || RoaringBitmap::from_sorted_iter(rows.iter().copied()).unwrap_or_default();
    let (mut count, mut longest) = (0u32, 0);
    for container in containers() {
        (count, longest) = (count + 1, longest.max(container.len()));
    }
    if longest > MAX_LISTED {
        return pushed();
    }
    let mut bytes = Vec::with_capacity(8 + 8 * count as usize + 2 * rows.len());
    bytes.extend(WITHOUT_RUNS.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    for container in containers() {
        bytes.extend(((container[0] >> 16) as u16).to_le_bytes());
        bytes.extend(((container.len() - 1) as u16).to_le_bytes());
    }
    // Where each container is, which is not asked for where all are read.
    bytes.resize(bytes.len() + 4 * count as usize, 0);
    let values = bytes.len();
    bytes.resize(values + 2 * rows.len(), 0);
    for (value, row) in bytes[values..].chunks_exact_mut(2).zip(rows) {
        value.copy_from_slice(&(*row as u16).to_le_bytes());
    }
    RoaringBitmap::deserialize_unchecked_from(bytes.as_slice()).unwrap_or_else(|_| pushed())
}

/// Sets the bits of some rows. Rows that lie behind the last word are left out.
pub fn set_bits(rows: &RoaringBitmap, words: &mut [u64]) -> Result<()> {
    if rows.len() < FEW_ROWS {
        rows.iter().for_each(|row| set(row, words));
        return Ok(());
    }
    let written = written(rows)?;
    let known = each_container(&written, &mut |first, container| match container {
        Container::Bits(bits) => {
            let words = words.get_mut(first as usize / 64..).unwrap_or_default();
            words.iter_mut().zip(words_of(bits)).for_each(|(word, bits)| *word |= bits);
        }
        Container::List(pairs) => numbers(pairs).for_each(|row| set(first + row, words)),
        Container::Runs(pairs) => runs(first, pairs).flatten().for_each(|row| set(row, words)),
    });
    if known.is_none() {
        rows.iter().for_each(|row| set(row, words));
    }
    Ok(())
}

#[inline]
fn set(row: u32, words: &mut [u64]) {
    if let Some(word) = words.get_mut(row as usize / 64) {
        *word |= 1 << (row % 64);
    }
}

/// Passes some rows in order, many at a time.
pub fn each_rows(rows: &RoaringBitmap, mut take: impl FnMut(&[u32])) -> Result<()> {
    let mut buffer = Buffer { rows: [0; ROWS_TOGETHER], filled: 0, passed: 0 };
    if rows.len() < FEW_ROWS {
        rows.iter().for_each(|row| buffer.push(row, &mut take));
        buffer.empty(&mut take);
        return Ok(());
    }
    let written = written(rows)?;
    let known = each_container(&written, &mut |first, container| match container {
        Container::Bits(bits) => buffer.push_words(first, words_of(bits), &mut take),
        Container::List(pairs) => {
            numbers(pairs).for_each(|row| buffer.push(first + row, &mut take));
        }
        Container::Runs(pairs) => {
            runs(first, pairs).flatten().for_each(|row| buffer.push(row, &mut take));
        }
    });
    buffer.empty(&mut take);
    if known.is_none() {
        let left = rows.iter().skip(buffer.passed);
        left.for_each(|row| buffer.push(row, &mut take));
        buffer.empty(&mut take);
    }
    Ok(())
}

/// Passes the rows whose bits are set, as `each_rows` does.
pub fn each_set(words: &[u64], mut take: impl FnMut(&[u32])) {
    let mut buffer = Buffer { rows: [0; ROWS_TOGETHER], filled: 0, passed: 0 };
    buffer.push_words(0, words.iter().copied(), &mut take);
    buffer.empty(&mut take);
}

/// Rows that wait to be passed together.
struct Buffer {
    rows: [u32; ROWS_TOGETHER],
    filled: usize,
    passed: usize,
}

impl Buffer {
    #[inline]
    fn push(&mut self, row: u32, take: &mut impl FnMut(&[u32])) {
        if self.filled == ROWS_TOGETHER {
            self.empty(take);
        }
        self.push_within(row);
    }

    /// Pushes the rows whose bits are set, the first bit standing for `first`.
    #[inline]
    fn push_words(
        &mut self,
        first: u32,
        words: impl Iterator<Item = u64>,
        take: &mut impl FnMut(&[u32]),
    ) {
        for (number, mut word) in (0u32..).zip(words) {
            let first = first + number * 64;
            if self.filled > ROWS_TOGETHER - 64 {
                self.empty(take);
            }
            while word != 0 {
                self.push_within(first + word.trailing_zeros());
                word &= word - 1;
            }
        }
    }

    /// For who knows that there is room.
    #[inline]
    fn push_within(&mut self, row: u32) {
        if let Some(place) = self.rows.get_mut(self.filled) {
            (*place, self.filled) = (row, self.filled + 1);
        }
    }

    fn empty(&mut self, take: &mut impl FnMut(&[u32])) {
        interrupts::spend(self.filled);
        take(self.rows.get(..self.filled).unwrap_or_default());
        (self.passed, self.filled) = (self.passed + self.filled, 0);
    }
}

fn written(rows: &RoaringBitmap) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    memory::reserve(&mut bytes, rows.serialized_size())?;
    // A Vec takes all that is written to it.
    let _ = rows.serialize_into(&mut bytes);
    Ok(bytes)
}

/// Passes the containers of a bitmap in order, each with its first row. None if it does not have the
/// documented form.
fn each_container(bytes: &[u8], take: &mut dyn FnMut(u32, Container<'_>)) -> Option<()> {
    let (cookie, mut left) = bytes.split_at_checked(4)?;
    let cookie = u32::from_le_bytes(cookie.try_into().ok()?);
    let mut runs: &[u8] = &[];
    let (count, has_offsets) = if cookie == WITHOUT_RUNS {
        let (count, behind) = left.split_at_checked(4)?;
        left = behind;
        (u32::from_le_bytes(count.try_into().ok()?) as usize, true)
    } else if cookie as u16 == WITH_RUNS {
        let count = (cookie >> 16) as usize + 1;
        (runs, left) = left.split_at_checked(count.div_ceil(8))?;
        (count, count >= HAVE_OFFSETS)
    } else {
        return None;
    };
    let (heads, mut left) = left.split_at_checked(count * 4)?;
    if has_offsets {
        left = left.get(count * 4..)?;
    }
    for (number, head) in heads.as_chunks::<4>().0.iter().enumerate() {
        let [key, less_one] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_le_bytes);
        let (first, rows) = (u32::from(key) << 16, usize::from(less_one) + 1);
        let is_run = runs.get(number / 8).is_some_and(|byte| byte >> (number % 8) & 1 == 1);
        let container = if is_run {
            let (count, behind) = left.split_at_checked(2)?;
            let count = usize::from(u16::from_le_bytes(count.try_into().ok()?));
            let (pairs, behind) = behind.split_at_checked(count * 4)?;
            left = behind;
            Container::Runs(pairs)
        } else if rows <= MAX_LISTED {
            let (pairs, behind) = left.split_at_checked(rows * 2)?;
            left = behind;
            Container::List(pairs)
        } else {
            let (bits, behind) = left.split_at_checked(8 << 10)?;
            left = behind;
            Container::Bits(bits)
        };
        take(first, container);
    }
    left.is_empty().then_some(())
}

fn words_of(bits: &[u8]) -> impl Iterator<Item = u64> {
    bits.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

fn numbers(pairs: &[u8]) -> impl Iterator<Item = u32> {
    pairs.as_chunks::<2>().0.iter().map(|bytes| u32::from(u16::from_le_bytes(*bytes)))
}

/// The rows of each run.
fn runs(first: u32, pairs: &[u8]) -> impl Iterator<Item = std::ops::RangeInclusive<u32>> {
    let pairs = pairs.as_chunks::<4>().0.iter();
    pairs.map(move |pair| {
        let [start, less_one] = [[pair[0], pair[1]], [pair[2], pair[3]]].map(u16::from_le_bytes);
        let start = first + u32::from(start);
        start..=start + u32::from(less_one)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The bits of one container fill the buffer, and the next container lists its rows.
    #[test]
    fn empties_a_full_buffer() {
        let rows: RoaringBitmap = (0..1 << 16).chain([70_000, 80_000]).collect();
        let mut listed = Vec::new();
        each_rows(&rows, |rows| listed.extend_from_slice(rows)).unwrap();
        assert!(rows.iter().eq(listed.iter().copied()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Containers of each kind, and none.
        #[test]
        fn has_the_same_rows(
            some in proptest::collection::btree_set(0u32..200_000, 0..6_000),
            dense in proptest::collection::vec((0u32..200_000, 1u32..30_000, 1usize..4), 0..6),
            runs in any::<bool>(),
        ) {
            let mut rows: RoaringBitmap = some.into_iter().collect();
            for (from, length, step) in dense {
                rows.extend((from..from + length).step_by(step));
            }
            if runs {
                rows.optimize();
            }
            let mut listed = Vec::new();
            each_rows(&rows, |rows| listed.extend_from_slice(rows)).unwrap();
            prop_assert!(rows.iter().eq(listed.iter().copied()));
            prop_assert_eq!(&of_sorted(&listed), &rows);
            for words in [1, 2_000, 4_000] {
                let mut bits = vec![0u64; words];
                set_bits(&rows, &mut bits).unwrap();
                let within = |row: &u32| (*row as usize) < words * 64;
                let is_set = |row: &u32| bits[*row as usize / 64] >> (row % 64) & 1 == 1;
                prop_assert!((0..words as u32 * 64).filter(is_set).eq(rows.iter().filter(within)));
            }
        }
    }
}
