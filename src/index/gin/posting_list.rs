//! Lists of item pointers, compressed and not (ginpostinglist.c).
//!
//! > Instead of storing the block and offset number of each item pointer separately, we store the
//! > difference from the previous item. […] When encoding, the block and offset number forming the
//! > item pointer are combined into a single integer. The offset number is stored in the 11 low
//! > bits (README, "Posting List Compression").

use super::bytes::{BLCKSZ, Damage, Parsed, block_at, u16_at};

/// The place of a row in its table (ctid).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid {
    /// The block of the table.
    pub block: u32,
    /// The number of its line pointer there, from 1 on.
    pub offset: u16,
}

/// MaxHeapTuplesPerPageBits: how many low bits of the integer hold the offset.
pub const OFFSET_BITS: u32 = 11;
/// The bits of the integer that hold the offset.
pub const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
const MAX: u64 = 1 << (32 + OFFSET_BITS);
/// MaxHeapTuplesPerPage (htup_details.h): 291 rows in a page of 8 kB. No row has a greater offset.
const MOST_ROWS: usize = (BLCKSZ - 24) / (24 + 4);
/// How many bits hold an offset that is counted from 0.
pub const PLACE_BITS: u32 = (MOST_ROWS - 1).ilog2() + 1;

/// sizeof(ItemPointerData)
pub const ITEM: usize = 6;
/// offsetof(GinPostingList, bytes): the first item and the number of bytes that follow.
const SEGMENT_HEADER: usize = 8;

impl Tid {
    /// The integer that compressed lists hold. It has eleven bits for the offset.
    #[inline(always)]
    pub(super) fn to_integer(self) -> u64 {
        u64::from(self.block) << OFFSET_BITS | u64::from(self.offset)
    }

    #[inline(always)]
    pub(super) fn from_integer(value: u64) -> Tid {
        Tid { block: (value >> OFFSET_BITS) as u32, offset: (value & OFFSET_MASK) as u16 }
    }

    /// Reads an ItemPointerData.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8]) -> Tid {
        Tid { block: block_at(bytes, 0), offset: u16_at(bytes, 4) }
    }

    /// Whether a row can have this offset.
    #[inline(always)]
    pub(super) fn is_place(offset: u16) -> bool {
        offset.wrapping_sub(1) >> PLACE_BITS == 0
    }

    /// The integer, or damage if no row can have this offset.
    #[inline(always)]
    fn checked(self) -> Parsed<u64> {
        if Tid::is_place(self.offset) { Ok(self.to_integer()) } else { Err(NOWHERE) }
    }
}

/// The posting list in an entry's tuple. Other bytes may follow it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PostingList<'a> {
    pub count: u16,
    pub compressed: bool,
    pub bytes: &'a [u8],
}

/// Takes the rows of posting lists: one by one, or only their number where it does not want them.
pub trait Sink {
    /// Takes one row.
    fn take(&mut self, row: Tid);

    /// Whether it wants all rows.
    #[inline(always)]
    fn wants_all(&self) -> bool {
        true
    }

    /// Whether it wants rows from the blocks `first` to `last`. Otherwise they need not be
    /// unpacked.
    #[inline(always)]
    fn wants(&self, _first: u32, _last: u32) -> bool {
        true
    }

    /// Whether it has no use for any row from this block on.
    #[inline(always)]
    fn is_done(&self, _block: u32) -> bool {
        false
    }

    /// Counts rows that it did not want.
    #[inline(always)]
    fn skip(&mut self, _count: usize) {}

    /// How many bits of a doc ID hold the offset, and how many bytes of bits may be remembered, if it
    /// takes many rows as bits.
    #[inline(always)]
    fn wants_bits(&self) -> Option<(u32, usize)> {
        None
    }

    /// Takes some rows as bits, of which the first one has the doc ID `64 * first`.
    #[inline(always)]
    fn take_bits(&mut self, _first: usize, _words: &[u64], _rows: u64) {}

    /// Takes some rows by doc ID.
    #[inline(always)]
    fn take_lists(&mut self, _lists: RowLists<'_>, _rows: u64) {}

    /// Takes all rows of a compressed list. Returns the last of them as an integer.
    #[inline(always)]
    fn take_packed(&mut self, list: PackedList<'_>) -> Parsed<u64> {
        self.take_each(list)
    }

    /// Takes all rows of a compressed list, one by one. Returns the last of them as an integer.
    #[inline(always)]
    fn take_each(&mut self, list: PackedList<'_>) -> Parsed<u64> {
        let mut wrong = false;
        let last = list.unpack(|value, ends| {
            if ends == 1 {
                let tid = Tid::from_integer(value);
                wrong |= !Tid::is_place(tid.offset);
                self.take(tid);
            }
        })?;
        if wrong { Err(NOWHERE) } else { Ok(last) }
    }
}

/// Doc IDs in ascending order. Those with the same upper half are together: the upper half, how
/// many there are less one, and their lower halves.
#[derive(Clone, Copy)]
pub struct RowLists<'a>(pub &'a [u16]);

impl RowLists<'_> {
    /// Writes doc IDs that ascend.
    pub fn write(doc_ids: &[u32]) -> Vec<u16> {
        let groups = || doc_ids.chunk_by(|one, next| one >> 16 == next >> 16);
        let mut lists = Vec::with_capacity(doc_ids.len() + 2 * groups().count());
        for group in groups() {
            lists.extend([(group[0] >> 16) as u16, (group.len() - 1) as u16]);
            lists.extend(group.iter().map(|doc_id| *doc_id as u16));
        }
        lists
    }

    /// Hands over the lower halves that belong together, and the doc ID that 0 would stand for.
    #[inline(always)]
    pub fn for_each(self, mut take: impl FnMut(u32, &[u16])) {
        let mut left = self.0;
        while let Some((&[upper, less_one], behind)) = left.split_first_chunk() {
            let Some((rows, behind)) = behind.split_at_checked(usize::from(less_one) + 1) else {
                return;
            };
            take(u32::from(upper) << 16, rows);
            left = behind;
        }
    }
}

impl<F: FnMut(Tid)> Sink for F {
    #[inline(always)]
    fn take(&mut self, row: Tid) {
        self(row);
    }
}

impl PostingList<'_> {
    /// Whether a sink wants some of the items, as far as the first one tells.
    #[inline(always)]
    pub fn is_wanted(&self, sink: &impl Sink) -> Parsed<bool> {
        if self.count == 0 {
            return Ok(false); // VACUUM has removed them all.
        }
        let first = block_at(self.bytes.get(..ITEM).ok_or(TOO_LONG)?, 0);
        Ok(sink.wants(first, if self.count == 1 { first } else { u32::MAX }))
    }

    /// Hands the items to the sink, in ascending order. If the list is found to be damaged, some
    /// items have been handed over already.
    #[inline(always)]
    pub fn for_each(&self, sink: &mut impl Sink) -> Parsed<()> {
        if !self.is_wanted(sink)? {
            sink.skip(usize::from(self.count));
            return Ok(());
        }
        // Lists of one item are the most common by far where values are distinct. The first item is
        // stored as it is in either format.
        if self.count == 1 {
            let tid = Tid::read(self.bytes);
            tid.checked()?;
            sink.take(tid);
            return Ok(());
        }
        let read = if self.compressed {
            let list = PackedList::read(self.bytes)?;
            sink.take_packed(list)?;
            list.count()
        } else {
            let end = usize::from(self.count) * ITEM;
            plain(self.bytes.get(..end).ok_or(TOO_LONG)?, &mut 0, sink)?
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
/// The damage that an item pointer cannot be that of a row.
pub const NOWHERE: Damage = Damage("an item pointer leads nowhere");

/// Reads an array of item pointers, as they were stored before PostgreSQL 9.4. `last` is the item
/// before the array as an integer, and becomes its last one. Returns the number of items.
pub fn plain(bytes: &[u8], last: &mut u64, sink: &mut impl Sink) -> Parsed<usize> {
    let items = bytes.chunks_exact(ITEM);
    let count = items.len();
    for item in items {
        let tid = Tid::read(item);
        let value = tid.checked()?;
        if value <= *last {
            return Err(UNORDERED);
        }
        *last = value;
        if sink.wants(tid.block, tid.block) {
            sink.take(tid);
        } else {
            sink.skip(1);
        }
    }
    Ok(count)
}

/// Reads the compressed lists that fill `bytes`. `last` is the item before them as an integer, and
/// becomes the last item; of a list that was skipped, its first item.
pub fn segments(mut bytes: &[u8], last: &mut u64, sink: &mut impl Sink) -> Parsed<()> {
    while !bytes.is_empty() {
        let list = PackedList::read(bytes)?;
        if list.first <= *last {
            return Err(UNORDERED);
        }
        bytes = bytes.get(list.size()..).unwrap_or_default();
        let end = if bytes.len() < ITEM { u32::MAX } else { block_at(bytes, 0) };
        if sink.wants(Tid::from_integer(list.first).block, end) {
            *last = sink.take_packed(list)?;
        } else {
            sink.skip(list.count());
            *last = list.first;
        }
    }
    Ok(())
}

/// How many items [`segments`] would hand over.
pub fn count_segments(mut bytes: &[u8]) -> Parsed<usize> {
    let mut count = 0;
    while !bytes.is_empty() {
        let list = PackedList::read(bytes)?;
        count += list.count();
        bytes = bytes.get(list.size()..).unwrap_or_default();
    }
    Ok(count)
}

/// A compressed list (GinPostingList): its first item as an integer, and for each further one the
/// difference to the item before, seven bits to a byte, the lowest bits first. The last byte of an
/// item has a high bit of 0.
#[derive(Clone, Copy)]
pub struct PackedList<'a> {
    first: u64,
    bytes: &'a [u8],
}

impl<'a> PackedList<'a> {
    /// The list at the start of some bytes.
    #[inline(always)]
    pub fn read(bytes: &'a [u8]) -> Parsed<PackedList<'a>> {
        if bytes.len() < SEGMENT_HEADER {
            return Err(TOO_LONG);
        }
        let length = usize::from(u16_at(bytes, ITEM));
        let packed = bytes.get(SEGMENT_HEADER..SEGMENT_HEADER + length).ok_or(TOO_LONG)?;
        Ok(PackedList { first: Tid::read(bytes).checked()?, bytes: packed })
    }

    /// The first item.
    pub fn first(self) -> Tid {
        Tid::from_integer(self.first)
    }

    /// SizeOfGinPostingList
    #[inline(always)]
    fn size(self) -> usize {
        SEGMENT_HEADER + self.bytes.len().next_multiple_of(2)
    }

    /// How many items there are, without unpacking them. It counts in pieces of 128 bytes, whose
    /// sums fit into one byte; that makes it fast.
    #[inline(always)]
    pub fn count(self) -> usize {
        let unended = |piece: &[u8]| usize::from(piece.iter().map(|byte| byte >> 7).sum::<u8>());
        1 + self.bytes.len() - self.bytes.chunks(128).map(unended).sum::<usize>()
    }

    /// Calls `step` with the first item, and then for each byte with the value of the item so far,
    /// and with 1 if the item is complete, else 0. Where items end is hard to predict for a CPU, so
    /// no branch depends on it: `step` should do nothing where it gets 0. Returns the last item.
    #[inline(always)]
    pub fn unpack(self, mut step: impl FnMut(u64, u64)) -> Parsed<u64> {
        // No item equals the one before, and none is stored in more bytes than it needs. So there
        // is no byte 0.
        if memchr::memchr(0, self.bytes).is_some() {
            return Err(UNORDERED);
        }
        if self.bytes.last().is_some_and(|byte| *byte >= 0x80) {
            return Err(TOO_LONG);
        }
        let (mut value, mut shift, mut longest) = (self.first, 0u32, 0);
        step(value, 1);
        for byte in self.bytes {
            // Even a page full of the greatest differences cannot overflow the integer.
            value = value.wrapping_add(u64::from(byte & 0x7f).wrapping_shl(shift));
            let ends = u64::from(byte >> 7) ^ 1;
            step(value, ends);
            longest = shift.max(longest);
            shift = (shift + 7) & (ends as u32).wrapping_sub(1);
        }
        if longest > 42 || value >= MAX { Err(UNORDERED) } else { Ok(value) }
    }
}
