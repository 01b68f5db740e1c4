//! Lists of item pointers, compressed and not (ginpostinglist.c).
//!
//! > Instead of storing the block and offset number of each item pointer separately, we store the difference from the
//! > previous item. […] When encoding, the block and offset number forming the item pointer are combined into a single
//! > integer. The offset number is stored in the 11 low bits (README, "Posting List Compression").

use super::page::{Damage, Parsed, block_at, u16_at};

/// A row's place in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid {
    pub block: u32,
    pub offset: u16,
}

/// MaxHeapTuplesPerPageBits
const OFFSET_BITS: u32 = 11;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
const MAX: u64 = 1 << (32 + OFFSET_BITS);

/// sizeof(ItemPointerData)
pub const ITEM: usize = 6;
/// offsetof(GinPostingList, bytes): the first item and the number of bytes that follow.
const SEGMENT_HEADER: usize = 8;

impl Tid {
    /// The integer that compressed lists hold. They have room for eleven bits of the offset.
    #[inline(always)]
    pub(super) fn to_integer(self) -> u64 {
        u64::from(self.block) << OFFSET_BITS | u64::from(self.offset)
    }

    #[inline(always)]
    fn from_integer(value: u64) -> Tid {
        Tid { block: (value >> OFFSET_BITS) as u32, offset: (value & OFFSET_MASK) as u16 }
    }

    /// An ItemPointerData.
    #[inline(always)]
    fn read(bytes: &[u8]) -> Tid {
        Tid { block: block_at(bytes, 0), offset: u16_at(bytes, 4) }
    }

    /// The same, where nothing but a row's place can be.
    #[inline(always)]
    fn checked(self) -> Parsed<u64> {
        if self.offset == 0 || u64::from(self.offset) > OFFSET_MASK {
            return Err(Damage("an item pointer leads nowhere"));
        }
        Ok(self.to_integer())
    }
}

/// The posting list in an entry's tuple; more may follow its last byte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct List<'a> {
    pub count: u16,
    pub compressed: bool,
    pub bytes: &'a [u8],
}

impl List<'_> {
    /// The items in ascending order. When the list is found damaged, some of them have been handed out.
    #[inline(always)]
    pub fn for_each(&self, sink: &mut impl FnMut(Tid)) -> Parsed<()> {
        match self.count {
            0 => return Ok(()), // VACUUM has removed them all.
            // The most common by far where values are distinct: its first item stands as it is in either format.
            1 if self.bytes.len() >= ITEM => {
                let tid = Tid::read(self.bytes);
                tid.checked()?;
                sink(tid);
                return Ok(());
            }
            _ => {}
        }
        let mut last = 0;
        let read = if self.compressed {
            segment(self.bytes, &mut last, sink)?.0
        } else {
            let end = usize::from(self.count) * ITEM;
            plain(self.bytes.get(..end).ok_or(TOO_LONG)?, &mut last, sink)?
        };
        if read == usize::from(self.count) {
            Ok(())
        } else {
            Err(Damage("a posting list does not have as many items as it says"))
        }
    }
}

const TOO_LONG: Damage = Damage("a posting list does not end within its place");
const UNORDERED: Damage = Damage("a posting list does not ascend");

/// Reads an array of item pointers, as they were stored before PostgreSQL 9.4. `last` is the item before and after,
/// as an integer. Returns the number of items.
pub fn plain(bytes: &[u8], last: &mut u64, sink: &mut impl FnMut(Tid)) -> Parsed<usize> {
    let items = bytes.chunks_exact(ITEM);
    let count = items.len();
    for item in items {
        let tid = Tid::read(item);
        let value = tid.checked()?;
        if value <= *last {
            return Err(UNORDERED);
        }
        *last = value;
        sink(tid);
    }
    Ok(count)
}

/// Reads the compressed lists that fill `bytes`, as [`plain`] does.
pub fn segments(mut bytes: &[u8], last: &mut u64, sink: &mut impl FnMut(Tid)) -> Parsed<usize> {
    let mut count = 0;
    while !bytes.is_empty() {
        let (items, size) = segment(bytes, last, sink)?;
        count += items;
        bytes = bytes.get(size..).unwrap_or_default();
    }
    Ok(count)
}

/// How many items [`segments`] would hand out, by the bytes that end one.
pub fn count_segments(mut bytes: &[u8]) -> Parsed<usize> {
    let mut count = 0;
    while !bytes.is_empty() {
        let packed = packed(bytes)?;
        count += 1 + packed.iter().filter(|&&byte| byte < 0x80).count();
        bytes = bytes.get(size(packed)..).unwrap_or_default();
    }
    Ok(count)
}

/// The packed items of the compressed list at the start of `bytes`.
#[inline(always)]
fn packed(bytes: &[u8]) -> Parsed<&[u8]> {
    if bytes.len() < SEGMENT_HEADER {
        return Err(TOO_LONG);
    }
    let length = usize::from(u16_at(bytes, ITEM));
    bytes.get(SEGMENT_HEADER..SEGMENT_HEADER + length).ok_or(TOO_LONG)
}

/// SizeOfGinPostingList
#[inline(always)]
fn size(packed: &[u8]) -> usize {
    SEGMENT_HEADER + packed.len().next_multiple_of(2)
}

/// The high bits of eight bytes.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The number that some bytes hold, seven bits each, the lowest first.
#[inline(always)]
fn unpack(bytes: u64) -> u64 {
    let low = bytes & 0x7f | bytes >> 1 & 0x7f << 7 | bytes >> 2 & 0x7f << 14;
    if bytes < 1 << 24 {
        return low; // nearly always
    }
    low | bytes >> 3 & 0x7f << 21
        | bytes >> 4 & 0x7f << 28
        | bytes >> 5 & 0x7f << 35
        | bytes >> 6 & 0x7f << 42
}

/// Reads one compressed list. Returns the number of items, and of the bytes to the next list.
#[inline(always)]
fn segment(bytes: &[u8], last: &mut u64, sink: &mut impl FnMut(Tid)) -> Parsed<(usize, usize)> {
    let packed = packed(bytes)?;
    let first = Tid::read(bytes);
    let mut value = first.checked()?;
    if value <= *last {
        return Err(UNORDERED);
    }
    sink(first);
    let (mut count, mut at) = (1, 0);
    // Looked at once, at the end: a test less for each item.
    let mut wrong = false;
    while at < packed.len() {
        // Eight bytes at once. Where an item ends is hard to predict, how many end within eight bytes less so.
        let word = match packed.get(at..at + 8) {
            Some(&[a, b, c, d, e, f, g, h]) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            // Near the end, the missing bytes are such as do not end an item.
            _ => {
                let mut word = [0xff; 8];
                word[..packed.len() - at].copy_from_slice(&packed[at..]);
                u64::from_le_bytes(word)
            }
        };
        let (mut ends, mut start) = (!word & HIGH_BITS, 0);
        if ends == 0 {
            return Err(TOO_LONG);
        }
        while ends != 0 {
            let end = ends.trailing_zeros() + 1;
            ends &= ends - 1;
            let delta = unpack((word & (u64::MAX >> (64 - end))) >> start);
            start = end;
            value += delta;
            let tid = Tid::from_integer(value);
            wrong |= delta == 0 || tid.offset == 0;
            sink(tid);
            count += 1;
        }
        at += start as usize / 8;
    }
    // A page full of the greatest deltas is far from overflowing the integer.
    if wrong || value >= MAX {
        return Err(UNORDERED);
    }
    *last = value;
    Ok((count, size(packed)))
}
