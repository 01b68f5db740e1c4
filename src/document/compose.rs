//! Writes `{"count": N, "items": [doc…], "more": {…}}` as binary jsonb. The documents are copied as they are,
//! without decoding them.
//!
//! The layout is that of PostgreSQL's convertJsonbObject and convertJsonbArray (jsonb_util.c). The
//! file jsonb.rs reads it.

use super::jsonb::{
    HAS_OFFSET, IS_ARRAY, IS_CONTAINER, IS_NUMERIC, IS_OBJECT, IS_STRING, OFFLEN_MASK,
};
use crate::error::{Error, Result};
use crate::memory;

/// jsonb.h: JB_OFFSET_STRIDE. Each entry whose number is a multiple of it holds the end of its
/// value; the other entries hold the length of their value.
pub(super) const OFFSET_STRIDE: usize = 32;

/// How many bytes the values of an array or an object may have together: the format has 28 bits for
/// the length, which are 256 MB.
pub const MAX_JSONB_BYTES: usize = OFFLEN_MASK as usize;

/// The bytes before the items are fewer than these.
const HEAD: usize = 64;

/// The items of `{"count": N, "items": [doc…]}`, as far as they were added.
#[derive(Default)]
pub struct Answer {
    items: ArrayWriter,
}

impl Answer {
    /// Adds a document, given by its payload. It is an error if the answer would become larger than
    /// jsonb can be.
    pub fn push(&mut self, document: &[u8]) -> Result<()> {
        if self.items.len() + size_of::<u32>() + 4 + document.len() > MAX_JSONB_BYTES - HEAD {
            return Err(Error::AnswerTooLarge { most: MAX_JSONB_BYTES });
        }
        self.items.value(IS_CONTAINER, document)
    }

    /// How many items there are.
    pub fn items(&self) -> u64 {
        self.items.count as u64
    }

    /// The payload, which is what stands behind the length word of a jsonb value, in pieces: two,
    /// then the items ([`Answer::values`]), then the third. `more` is the name and the payload of an
    /// object; in jsonb's order of keys, the name comes behind "items".
    pub fn finish(&self, count: u64, more: Option<(&str, &[u8])>) -> Result<[Vec<u8>; 3]> {
        let mut answer = ArrayWriter::default();
        answer.value(IS_STRING, b"count")?;
        answer.value(IS_STRING, b"items")?;
        if let Some((name, _)) = more {
            answer.value(IS_STRING, name.as_bytes())?;
        }
        answer.value(IS_NUMERIC, &numeric(count))?;
        answer.value_of(IS_CONTAINER, self.items.len())?;
        let (mut tail, mut members) = (Vec::new(), 2);
        if let Some((_, object)) = more {
            let items = self.items.len();
            tail.resize(items.next_multiple_of(4) - items, 0);
            let bytes = items + tail.len() + object.len();
            if bytes > MAX_JSONB_BYTES - HEAD {
                return Err(Error::AnswerTooLarge { most: MAX_JSONB_BYTES });
            }
            reserve(&mut tail, object.len())?;
            tail.extend_from_slice(object);
            let entry = IS_CONTAINER | tail.len() as u32;
            answer.entries.extend(entry.to_ne_bytes());
            members = 3;
        }
        let mut head = answer.head(IS_OBJECT, members);
        head.extend(answer.values);
        Ok([head, self.items.head(IS_ARRAY, self.items.count), tail])
    }

    /// The items, which follow the pieces of [`Answer::finish`].
    pub fn values(&self) -> &[u8] {
        &self.items.values
    }
}

/// One container: its entries and its values. The values begin at a multiple of four bytes.
#[derive(Default)]
struct ArrayWriter {
    entries: Vec<u8>,
    count: usize,
    values: Vec<u8>,
}

impl ArrayWriter {
    /// Appends a value.
    fn value(&mut self, kind: u32, value: &[u8]) -> Result<()> {
        reserve(&mut self.values, 4 + value.len())?;
        self.value_of(kind, value.len())?;
        self.values.extend_from_slice(value);
        Ok(())
    }

    /// Appends the entry of a value of this many bytes. The caller appends the value.
    fn value_of(&mut self, kind: u32, bytes: usize) -> Result<()> {
        let start = self.values.len();
        if kind != IS_STRING {
            self.values.resize(start.next_multiple_of(4), 0);
        }
        let end = self.values.len() + bytes;
        let entry = match self.count % OFFSET_STRIDE {
            0 => HAS_OFFSET | end as u32,
            _ => (end - start) as u32,
        };
        reserve(&mut self.entries, 4)?;
        self.entries.extend((kind | entry).to_ne_bytes());
        self.count += 1;
        Ok(())
    }

    /// The container's header and entries. `count` is the number of its elements or members.
    fn head(&self, kind: u32, count: usize) -> Vec<u8> {
        let header = (kind | count as u32).to_ne_bytes();
        header.iter().chain(&self.entries).copied().collect()
    }

    /// The size of the container in bytes.
    fn len(&self) -> usize {
        4 + self.entries.len() + self.values.len()
    }
}

/// Makes room for more bytes. The buffer grows by half each time, so that at most a third of it is
/// unused.
pub(super) fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<()> {
    if buffer.capacity() - buffer.len() >= more {
        return Ok(());
    }
    let room = more.max(buffer.len() / 2).max(64);
    memory::try_reserve(buffer.len() + room, || buffer.try_reserve_exact(room))
}

/// A `numeric` in the short form with its length word (numeric.c: NUMERIC_SHORT).
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

    fn answer(count: u64, items: &[Vec<u8>]) -> Vec<u8> {
        let mut answer = Answer::default();
        items.iter().for_each(|item| answer.push(item).unwrap());
        let [head, list, tail] = answer.finish(count, None).unwrap();
        [&head, &list, answer.values(), &tail].concat()
    }

    #[test]
    fn reads_back() {
        let item = answer(7, &[]);
        for items in [0, 1, 31, 32, 33, 100] {
            for count in [0, 1, 9_999, 10_000, 10_001, 123_400_000, u64::MAX] {
                let bytes = answer(count, &vec![item.clone(); items]);
                // SAFETY: `Answer` made these bytes, and the only strings in them are ASCII.
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

    /// The first item that does not fit is refused, and not the whole answer at the end.
    #[test]
    fn stops_at_the_limit() {
        let (mut answer, item) = (Answer::default(), vec![0; 1 << 20]);
        let refused =
            (0..).find_map(|pushed| answer.push(&item).err().map(|error| (pushed, error)));
        assert!(matches!(refused, Some((255, Error::AnswerTooLarge { .. }))), "{refused:?}");
        assert!(answer.values().len() < MAX_JSONB_BYTES);
        assert!(answer.items.values.capacity() <= MAX_JSONB_BYTES / 2 * 3);
    }
}
