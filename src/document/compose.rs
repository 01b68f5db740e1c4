//! Binary jsonb put together of documents as they are: `{"count": N, "items": [doc…]}` without taking any of them apart.
//!
//! The layout is that of PostgreSQL's convertJsonbObject and convertJsonbArray (jsonb_util.c); see also jsonb.rs, which reads it.

use super::jsonb::{
    HAS_OFFSET, IS_ARRAY, IS_CONTAINER, IS_NUMERIC, IS_OBJECT, IS_STRING, OFFLEN_MASK,
};

/// jsonb.h: JB_OFFSET_STRIDE. Every entry of such a number holds its value's end, the others their value's length.
const OFFSET_STRIDE: usize = 32;

/// Bytes that an array's or an object's values may have together.
pub const MAX_BYTES: usize = OFFLEN_MASK as usize;

/// The answer as the payload of a jsonb value, behind its length word; none if it were larger than jsonb can be.
/// `items` are payloads of documents.
pub fn answer(count: u64, items: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut list = Writer::new(IS_ARRAY, items.len(), items.len());
    for item in items {
        list.value(IS_CONTAINER, item);
    }
    let list = list.finish()?;
    let mut answer = Writer::new(IS_OBJECT, 2, 4);
    answer.value(IS_STRING, b"count");
    answer.value(IS_STRING, b"items");
    answer.value(IS_NUMERIC, &numeric(count));
    answer.value(IS_CONTAINER, &list);
    answer.finish()
}

/// One container: its header, its entries, its values.
struct Writer {
    bytes: Vec<u8>,
    /// Where the values begin.
    base: usize,
    entries: usize,
}

impl Writer {
    fn new(kind: u32, count: usize, entries: usize) -> Writer {
        let mut bytes = Vec::with_capacity(4 + 4 * entries);
        bytes.extend((kind | count as u32).to_ne_bytes());
        bytes.resize(4 + 4 * entries, 0);
        Writer { base: bytes.len(), bytes, entries: 0 }
    }

    fn value(&mut self, kind: u32, value: &[u8]) {
        let start = self.bytes.len();
        if kind != IS_STRING {
            self.bytes.resize(start.next_multiple_of(4), 0);
        }
        self.bytes.extend_from_slice(value);
        let entry = match self.entries % OFFSET_STRIDE {
            0 => HAS_OFFSET | (self.bytes.len() - self.base) as u32,
            _ => (self.bytes.len() - start) as u32,
        };
        let at = 4 + 4 * self.entries;
        self.bytes[at..at + 4].copy_from_slice(&(kind | entry).to_ne_bytes());
        self.entries += 1;
    }

    fn finish(self) -> Option<Vec<u8>> {
        (self.bytes.len() - self.base <= MAX_BYTES).then_some(self.bytes)
    }
}

/// A `numeric` of the short form, with its length word (numeric.c: NUMERIC_SHORT).
fn numeric(number: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    let mut rest = number;
    while rest > 0 {
        digits.push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    digits.reverse();
    let weight = digits.len().saturating_sub(1) as u16;
    while digits.last() == Some(&0) {
        digits.pop();
    }
    let length = 4 + 2 + 2 * digits.len() as u32;
    let word = if cfg!(target_endian = "little") { length << 2 } else { length };
    let mut bytes = word.to_ne_bytes().to_vec();
    for half in std::iter::once(0x8000 | weight).chain(digits) {
        bytes.extend(half.to_ne_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Container, Item, Jsonb, Leaf};

    #[test]
    fn reads_back() {
        let item = answer(7, &[]).unwrap();
        for items in [0, 1, 31, 32, 33, 100] {
            for count in [0, 1, 9_999, 10_000, 10_001, 123_400_000, u64::MAX] {
                let bytes = answer(count, &vec![item.clone(); items]).unwrap();
                // SAFETY: made of strings of Rust's.
                let members: Vec<_> = unsafe { Jsonb::new(&bytes) }.members().collect();
                let [("count", Item::Leaf(Leaf::Number(number))), ("items", Item::Container(list))] =
                    members[..]
                else {
                    panic!("{count} {items}")
                };
                assert_eq!(number.decimal(), crate::document::Decimal::parse(&count.to_string()));
                let read: Vec<_> = list.elements().collect();
                assert_eq!(read.len(), items);
                for element in read {
                    let Item::Container(element) = element else { panic!("{count} {items}") };
                    assert_eq!(element.bytes(), item);
                }
            }
        }
    }
}
