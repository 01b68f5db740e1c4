//! PostgreSQL's binary jsonb, read in place.
//!
//! The format is that of PostgreSQL's `src/include/utils/jsonb.h`. It has been the same since 9.4,
//! and it cannot change without breaking pg_upgrade. So the bytes are read directly instead of
//! through `JsonbIteratorNext`, which would allocate memory for each token and call into the
//! server. If a stored document is damaged, the walk ends early instead of reading beyond the
//! document.

use super::container::{Container, Item};
use super::leaf::{Leaf, Number};
use super::numeric::{Numeric, word};
use std::cmp::Ordering;

// jsonb.h: JsonbContainer.header
const COUNT_MASK: u32 = 0x0FFF_FFFF;
const IS_SCALAR: u32 = 0x1000_0000;
pub(super) const IS_OBJECT: u32 = 0x2000_0000;
pub(super) const IS_ARRAY: u32 = 0x4000_0000;

// jsonb.h: JEntry
pub(super) const OFFLEN_MASK: u32 = 0x0FFF_FFFF;
const TYPE_MASK: u32 = 0x7000_0000;
pub(super) const IS_STRING: u32 = 0x0000_0000;
pub(super) const IS_NUMERIC: u32 = 0x1000_0000;
pub(super) const IS_FALSE: u32 = 0x2000_0000;
pub(super) const IS_TRUE: u32 = 0x3000_0000;
pub(super) const IS_NULL: u32 = 0x4000_0000;
pub(super) const IS_CONTAINER: u32 = 0x5000_0000;
pub(super) const HAS_OFFSET: u32 = 0x8000_0000;

/// Objects of at most this many members are searched one key after the other. The keys are not
/// compared unless they have the right length. A binary search adds up the lengths of all keys before
/// the middle each time, so it is slower for few members.
const MAX_LINEAR_SEARCH: usize = 16;

/// A JSON object or array within a jsonb value, or the jsonb value itself. (A value that is a
/// scalar is stored as an array of one element, with a flag.)
#[derive(Clone, Copy)]
pub struct Jsonb<'a> {
    bytes: &'a [u8],
    header: u32,
}

impl<'a> Jsonb<'a> {
    /// Reads the payload of a jsonb value, behind its length word.
    ///
    /// # Safety
    /// The strings in it must be UTF-8, as jsonb_in ensures. Everything else is checked: in damaged
    /// bytes the walk ends early.
    #[inline]
    pub unsafe fn new(bytes: &'a [u8]) -> Jsonb<'a> {
        Jsonb { bytes, header: word(bytes, 0).unwrap_or(IS_ARRAY) }
    }

    /// An empty array.
    pub fn empty() -> Jsonb<'a> {
        Jsonb { bytes: &[], header: IS_ARRAY }
    }

    /// The bytes of the container. They are also the payload of a jsonb value.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is an object.
    #[inline]
    pub fn is_object(self) -> bool {
        self.header & IS_OBJECT != 0
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.header & (IS_ARRAY | IS_SCALAR) == IS_ARRAY
    }

    #[inline]
    fn count(self) -> usize {
        (self.header & COUNT_MASK) as usize
    }

    /// An entry, and where its value ends if it begins at `start`. jsonb.h: an entry holds the
    /// length of its value or, in every 32nd entry, its end.
    #[inline]
    fn entry(self, index: usize, start: usize) -> Option<(u32, usize)> {
        let entry = word(self.bytes, 4 + 4 * index)?;
        let offlen = (entry & OFFLEN_MASK) as usize;
        Some((entry, if entry & HAS_OFFSET != 0 { offlen } else { start + offlen }))
    }

    /// Where the value of an entry begins: the lengths of the values before it are added, back to
    /// one whose entry holds its end.
    #[inline]
    fn start_of(self, index: usize) -> Option<usize> {
        let before = self.bytes.get(4..4 + 4 * index)?;
        let mut length = 0;
        for entry in before.rchunks_exact(4) {
            let entry = word(entry, 0)?;
            length += (entry & OFFLEN_MASK) as usize;
            if entry & HAS_OFFSET != 0 {
                break;
            }
        }
        Some(length)
    }

    /// The value of an entry, from `start` to `end`. Both count from `base`, the end of all
    /// entries.
    #[inline]
    fn value(self, entry: u32, base: usize, start: usize, end: usize) -> Option<Item<'a, Self>> {
        // jsonb_util.c, fillJsonbValue: padding before numbers and containers makes them begin at a
        // multiple of four bytes.
        let aligned = start.next_multiple_of(4);
        let value = |from: usize| self.bytes.get(base + from..base + end);
        Some(match entry & TYPE_MASK {
            IS_STRING => {
                // SAFETY: `new` demands a payload of PostgreSQL's, whose strings are UTF-8. To
                // check each of them again would take as long as all the rest.
                Item::Leaf(Leaf::String(unsafe { str::from_utf8_unchecked(value(start)?) }))
            }
            IS_NUMERIC => Item::Leaf(Leaf::Number(Number::Numeric(Numeric::new(value(aligned)?)))),
            IS_FALSE => Item::Leaf(Leaf::Bool(false)),
            IS_TRUE => Item::Leaf(Leaf::Bool(true)),
            // SAFETY: these bytes are a part of a payload whose strings are UTF-8, as `new`
            // demands.
            IS_CONTAINER => Item::Container(unsafe { Jsonb::new(value(aligned)?) }),
            _ => Item::Null,
        })
    }

    /// The entries `from..to`. Their values begin `start` bytes behind all `total` entries.
    fn entries(self, from: usize, to: usize, total: usize, start: usize) -> JsonbEntries<'a> {
        JsonbEntries { container: self, index: from, end: to, base: 4 + 4 * total, start }
    }
}

/// Look-up by key. The keys of an object stand before all of its values, without gaps, sorted by
/// length and then by bytes (jsonb_util.c, lengthCompareJsonbString), so a binary search finds one.
impl<'a> Jsonb<'a> {
    /// The member of an object with this key (jsonb_util.c, getKeyJsonValueFromContainer).
    pub fn get(self, key: &str) -> Option<Item<'a, Self>> {
        let count = self.member_count();
        let base = 4 + 8 * count;
        if count <= MAX_LINEAR_SEARCH {
            return self.get_linear(key, count, base);
        }
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let start = self.start_of(middle)?;
            let (_, end) = self.entry(middle, start)?;
            let found = self.bytes().get(base + start..base + end)?;
            match found.len().cmp(&key.len()).then_with(|| found.cmp(key.as_bytes())) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.member_value(middle, count, base),
            }
        }
        None
    }

    /// Does the same as `get` for an object of few members.
    fn get_linear(self, key: &str, count: usize, base: usize) -> Option<Item<'a, Self>> {
        let entries = self.bytes.get(4..base)?;
        let mut start = 0;
        for (index, entry) in entries.chunks_exact(4).take(count).enumerate() {
            let entry = word(entry, 0)?;
            let offlen = (entry & OFFLEN_MASK) as usize;
            let end = if entry & HAS_OFFSET != 0 { offlen } else { start + offlen };
            if end == start + key.len()
                && self.bytes.get(base + start..base + end)? == key.as_bytes()
            {
                return self.member_value(index, count, base);
            }
            start = end;
        }
        None
    }

    /// The value of the member of this number.
    #[inline]
    fn member_value(self, index: usize, count: usize, base: usize) -> Option<Item<'a, Self>> {
        let start = self.start_of(count + index)?;
        let (entry, end) = self.entry(count + index, start)?;
        self.value(entry, base, start, end)
    }

    /// Does the same as `any_on_path` for an object of few members, in one walk over its keys. None
    /// if it is damaged.
    #[inline]
    fn any_on_path_linear<'p>(
        self,
        path: &'p str,
        mut visit: impl FnMut(Option<&'p str>, Item<'a, Self>) -> bool,
    ) -> Option<bool> {
        let count = self.member_count();
        let base = 4 + 8 * count;
        let entries = self.bytes.get(4..4 + 4 * count)?;
        let mut start = 0;
        for (index, entry) in entries.chunks_exact(4).enumerate() {
            let entry = word(entry, 0)?;
            let offlen = (entry & OFFLEN_MASK) as usize;
            let end = if entry & HAS_OFFSET != 0 { offlen } else { start + offlen };
            let length = end.checked_sub(start)?;
            let is_end = match path.as_bytes().get(length) {
                Some(b'.') => Some(false),
                Some(_) => None,
                None if length == path.len() => Some(true),
                // All further keys are at least as long.
                None => break,
            };
            if let Some(is_end) = is_end
                && self.bytes.get(base + start..base + end)? == path.as_bytes().get(..length)?
            {
                let behind = if is_end { None } else { Some(path.get(length + 1..)?) };
                if visit(behind, self.member_value(index, count, base)?) {
                    return Some(true);
                }
            }
            start = end;
        }
        Some(false)
    }

    /// The bytes of all keys of an object, one key behind the other.
    fn keys(self) -> &'a [u8] {
        let count = self.member_count();
        let base = 4 + 8 * count;
        let keys = self.start_of(count).and_then(|end| self.bytes().get(base..base + end));
        keys.unwrap_or_default()
    }
}

/// An iterator over the values of some entries.
pub struct JsonbEntries<'a> {
    container: Jsonb<'a>,
    index: usize,
    end: usize,
    /// Where the first value of the container begins.
    base: usize,
    /// Where the next value begins, counted from `base`.
    start: usize,
}

impl<'a> JsonbEntries<'a> {
    fn read(&mut self) -> Option<Item<'a, Jsonb<'a>>> {
        let start = self.start;
        let (entry, end) = self.container.entry(self.index, start)?;
        (self.index, self.start) = (self.index + 1, end);
        self.container.value(entry, self.base, start, end)
    }
}

impl<'a> Iterator for JsonbEntries<'a> {
    type Item = Item<'a, Jsonb<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index < self.end { self.read() } else { None }
    }
}

/// An iterator over the members of an object.
pub struct JsonbMembers<'a> {
    keys: JsonbEntries<'a>,
    values: JsonbEntries<'a>,
}

impl<'a> Iterator for JsonbMembers<'a> {
    type Item = (&'a str, Item<'a, Jsonb<'a>>);

    fn next(&mut self) -> Option<Self::Item> {
        match self.keys.next()? {
            Item::Leaf(Leaf::String(key)) => Some((key, self.values.next()?)),
            _ => None,
        }
    }
}

impl<'a> Container<'a> for Jsonb<'a> {
    type Elements = JsonbEntries<'a>;
    type Members = JsonbMembers<'a>;

    fn elements(self) -> JsonbEntries<'a> {
        let count = if self.is_object() { 0 } else { self.count() };
        self.entries(0, count, count, 0)
    }

    /// In the order of jsonb: by the length of the key, then by its bytes.
    fn members(self) -> JsonbMembers<'a> {
        let count = self.member_count();
        // jsonb.h: all keys stand before all values.
        let values_start = self.start_of(count).unwrap_or(0);
        JsonbMembers {
            keys: self.entries(0, count, count * 2, 0),
            values: self.entries(count, count * 2, count * 2, values_start),
        }
    }

    #[inline]
    fn member_count(self) -> usize {
        if self.is_object() { self.count() } else { 0 }
    }

    fn member(self, key: &str) -> Option<Item<'a, Self>> {
        self.get(key)
    }

    #[inline]
    fn has_dotted_key(self) -> bool {
        memchr::memchr(b'.', self.keys()).is_some()
    }

    #[inline]
    fn any_on_path<'p>(
        self,
        path: &'p str,
        mut visit: impl FnMut(Option<&'p str>, Item<'a, Self>) -> bool,
    ) -> bool {
        if self.member_count() <= MAX_LINEAR_SEARCH {
            return self.any_on_path_linear(path, visit).unwrap_or(false);
        }
        let dots = memchr::memchr_iter(b'.', path.as_bytes());
        for end in dots.chain(std::iter::once(path.len())) {
            let Some((key, behind)) = path.split_at_checked(end) else { break };
            if let Some(item) = self.get(key)
                && visit(behind.strip_prefix('.'), item)
            {
                return true;
            }
        }
        false
    }
}
