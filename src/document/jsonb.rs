//! PostgreSQL's binary jsonb, read in place.
//!
//! The format is that of PostgreSQL's `src/include/utils/jsonb.h`. It has been the same since 9.4 and cannot change without
//! breaking pg_upgrade, so it is read here from the bytes rather than through `JsonbIteratorNext`: no allocation a
//! token, no call into the server, no recursion to guard, and nothing unsafe. A reader meets only what `jsonb_in` wrote; should
//! a stored document be damaged, the walk ends early instead of reading beyond it.

use super::{Decimal, Document, Scalar};

// jsonb.h: JsonbContainer.header
const COUNT_MASK: u32 = 0x0FFF_FFFF;
const IS_SCALAR: u32 = 0x1000_0000;
const IS_OBJECT: u32 = 0x2000_0000;
const IS_ARRAY: u32 = 0x4000_0000;

// jsonb.h: JEntry
const OFFLEN_MASK: u32 = 0x0FFF_FFFF;
const TYPE_MASK: u32 = 0x7000_0000;
const IS_STRING: u32 = 0x0000_0000;
const IS_NUMERIC: u32 = 0x1000_0000;
const IS_FALSE: u32 = 0x2000_0000;
const IS_TRUE: u32 = 0x3000_0000;
const IS_CONTAINER: u32 = 0x5000_0000;
const HAS_OFFSET: u32 = 0x8000_0000;

/// A JSON object or array within a jsonb value; a jsonb value itself is one too. (A lone scalar is stored as an array of
/// one, marked as such.)
#[derive(Clone, Copy)]
pub struct Jsonb<'a> {
    bytes: &'a [u8],
    header: u32,
}

/// One value of an object or array.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    Null,
    Leaf(Leaf<'a>),
    Container(Jsonb<'a>),
}

/// A scalar whose number is not decoded yet: most numbers met on a walk are not the ones looked for.
#[derive(Clone, Copy)]
pub enum Leaf<'a> {
    String(&'a str),
    Number(Numeric<'a>),
    Bool(bool),
}

impl<'a> Jsonb<'a> {
    /// Reads the payload of a jsonb value, behind its length word.
    pub fn new(bytes: &'a [u8]) -> Jsonb<'a> {
        Jsonb { bytes, header: word(bytes, 0).unwrap_or(IS_ARRAY) }
    }

    /// The bytes, which are a jsonb payload of their own wherever the container is found.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub fn is_object(self) -> bool {
        self.header & IS_OBJECT != 0
    }

    pub fn is_array(self) -> bool {
        self.header & (IS_ARRAY | IS_SCALAR) == IS_ARRAY
    }

    /// The values of an array, in order.
    pub fn elements(self) -> impl Iterator<Item = Item<'a>> {
        let count = if self.is_object() { 0 } else { self.count() };
        self.entries(0, count, count, 0)
    }

    /// The members of an object, in the order jsonb keeps them: by key length, then bytes.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Item<'a>)> {
        let count = if self.is_object() { self.count() } else { 0 };
        // jsonb.h: first all keys, then all values.
        let keys = self.entries(0, count, count * 2, 0);
        let values_start = self.length_of(count);
        keys.zip(self.entries(count, count * 2, count * 2, values_start)).map_while(|pair| {
            match pair {
                (Item::Leaf(Leaf::String(key)), value) => Some((key, value)),
                _ => None,
            }
        })
    }

    /// The member of an object with this key.
    pub fn get(self, key: &str) -> Option<Item<'a>> {
        self.members().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Whether a JSON path cannot reach some leaf the way a dotted path does: a key holds a dot, or an array is
    /// directly an element of an array (JSON path's lax mode unwraps one level only).
    pub fn is_irregular(self) -> bool {
        let mut open = vec![self];
        while let Some(container) = open.pop() {
            for item in container.elements() {
                match item {
                    Item::Container(inner) if inner.is_array() => return true,
                    Item::Container(inner) => open.push(inner),
                    _ => {}
                }
            }
            for (key, item) in container.members() {
                if key.contains('.') {
                    return true;
                }
                if let Item::Container(inner) = item {
                    open.push(inner);
                }
            }
        }
        false
    }

    /// Calls `leaf` with every leaf at exactly this path, looking only where the path leads.
    pub fn leaves_at(self, path: &str, leaf: &mut dyn FnMut(Leaf<'a>)) {
        // The path still to go below a container; none where it was all used, where only arrays are gone through.
        let mut open: Vec<(Item<'a>, Option<&str>)> = vec![(Item::Container(self), Some(path))];
        while let Some((item, rest)) = open.pop() {
            match (item, rest) {
                (Item::Null, _) => {}
                (Item::Leaf(found), None) => leaf(found),
                (Item::Leaf(_), Some(_)) => {}
                (Item::Container(inner), _) => {
                    open.extend(inner.elements().map(|element| (element, rest)));
                    let Some(rest) = rest else { continue };
                    open.extend(inner.members().filter_map(|(key, member)| {
                        let behind = rest.strip_prefix(key)?;
                        match behind.strip_prefix('.') {
                            Some(further) => Some((member, Some(further))),
                            None if behind.is_empty() => Some((member, None)),
                            None => None,
                        }
                    }));
                }
            }
        }
    }

    fn count(self) -> usize {
        (self.header & COUNT_MASK) as usize
    }

    /// Bytes of the first `count` values together.
    fn length_of(self, count: usize) -> usize {
        (0..count).fold(0, |start, index| self.end_of(index, start).unwrap_or(start))
    }

    /// Where the value of an entry ends, given where it starts. jsonb.h: an entry holds its length or, now and then, its end.
    fn end_of(self, index: usize, start: usize) -> Option<usize> {
        let entry = word(self.bytes, 4 + 4 * index)?;
        let offlen = (entry & OFFLEN_MASK) as usize;
        Some(if entry & HAS_OFFSET != 0 { offlen } else { start + offlen })
    }

    fn entries(
        self,
        from: usize,
        to: usize,
        total: usize,
        start: usize,
    ) -> impl Iterator<Item = Item<'a>> {
        let base = 4 + 4 * total;
        let mut start = start;
        (from..to).map_while(move |index| {
            let entry = word(self.bytes, 4 + 4 * index)?;
            let end = self.end_of(index, start)?;
            // jsonb_util.c fillJsonbValue: numbers and containers are padded in front, to a multiple of four.
            let aligned = start.next_multiple_of(4);
            let value = |from: usize| self.bytes.get(base + from..base + end);
            let item = match entry & TYPE_MASK {
                IS_STRING => Item::Leaf(Leaf::String(std::str::from_utf8(value(start)?).ok()?)),
                IS_NUMERIC => Item::Leaf(Leaf::Number(Numeric(value(aligned)?))),
                IS_FALSE => Item::Leaf(Leaf::Bool(false)),
                IS_TRUE => Item::Leaf(Leaf::Bool(true)),
                IS_CONTAINER => Item::Container(Jsonb::new(value(aligned)?)),
                _ => Item::Null,
            };
            start = end;
            Some(item)
        })
    }
}

impl<'a> Leaf<'a> {
    /// The leaf's value, its number decoded.
    pub fn scalar(self) -> Option<Scalar<'a>> {
        match self {
            Leaf::String(text) => Some(Scalar::String(text)),
            Leaf::Bool(value) => Some(Scalar::Bool(value)),
            Leaf::Number(number) => number.decimal().map(Scalar::Number),
        }
    }
}

impl Document for Jsonb<'_> {
    fn walk(&self, leaf: &mut dyn FnMut(&str, Scalar<'_>)) {
        walk(*self, &mut |path, found| {
            if let Some(value) = found.scalar() {
                leaf(path, value);
            }
        });
    }
}

/// Calls `leaf` with every leaf and its path. Keeps its own stack: a document may be nested deeper than a thread's stack.
fn walk<'a>(root: Jsonb<'a>, leaf: &mut dyn FnMut(&str, Leaf<'a>)) {
    struct Frame<'a> {
        items: Box<dyn Iterator<Item = (Option<&'a str>, Item<'a>)> + 'a>,
        path: usize,
        root: bool,
    }
    let frame = |container: Jsonb<'a>, path: usize, root: bool| Frame {
        items: if container.is_object() {
            Box::new(container.members().map(|(key, item)| (Some(key), item)))
        } else {
            Box::new(container.elements().map(|item| (None, item)))
        },
        path,
        root,
    };
    let mut path = String::new();
    let mut open = vec![frame(root, 0, true)];
    while let Some(top) = open.last_mut() {
        path.truncate(top.path);
        let Some((key, item)) = top.items.next() else {
            open.pop();
            continue;
        };
        // The first key of a path has no dot before it, even if it is empty.
        let root = top.root && key.is_none();
        if let Some(key) = key {
            if !top.root {
                path.push('.');
            }
            path.push_str(key);
        }
        match item {
            Item::Null => {}
            Item::Leaf(found) => leaf(&path, found),
            Item::Container(inner) => open.push(frame(inner, path.len(), root)),
        }
    }
}

/// A `numeric` as it lies in a jsonb value, with its length word.
#[derive(Clone, Copy)]
pub struct Numeric<'a>(&'a [u8]);

// numeric.c: n_header
const SPECIAL: u16 = 0xC000;
const NEGATIVE: u16 = 0x4000;
const SHORT: u16 = 0x8000;
const SHORT_NEGATIVE: u16 = 0x2000;
const SHORT_WEIGHT_SIGN: u16 = 0x0040;
const SHORT_WEIGHT: u16 = 0x003F;

impl Numeric<'_> {
    /// Its exact value; none for NaN and the infinities, which jsonb never holds.
    pub fn decimal(self) -> Option<Decimal> {
        // numeric.c: digits in base 10000, the first worth 10000^weight, each a native int16.
        let half = |at: usize| Some(u16::from_ne_bytes(self.0.get(at..at + 2)?.try_into().ok()?));
        let header = half(4)?;
        let (negative, weight, digits) = match header & SPECIAL {
            SPECIAL => return None,
            SHORT => {
                let magnitude = (header & SHORT_WEIGHT) as i16;
                let below = header & SHORT_WEIGHT_SIGN != 0;
                let weight = if below { magnitude | !(SHORT_WEIGHT as i16) } else { magnitude };
                (header & SHORT_NEGATIVE != 0, i64::from(weight), 6)
            }
            sign => (sign == NEGATIVE, i64::from(half(6)? as i16), 8),
        };
        let digits = self.0.get(digits..self.length()?)?;
        let mut text = String::with_capacity(digits.len() * 2 + 16);
        text.push_str(if negative { "-.0" } else { ".0" });
        for digit in digits.chunks_exact(2) {
            let digit = u16::from_ne_bytes([digit[0], digit[1]]);
            // By hand: this is the innermost loop of a sequential scan, and `write!` is several times slower.
            for divisor in [1000, 100, 10, 1] {
                text.push(char::from(b'0' + (digit / divisor % 10) as u8));
            }
        }
        // One digit behind the point was written above, so that zero, which has none, is a number too.
        text.push_str(&format!("e{}", 4 * (weight + 1) + 1));
        Decimal::parse(&text)
    }

    /// Length with the length word. postgres.h: an uncompressed four-byte varlena header.
    fn length(self) -> Option<usize> {
        let word = word(self.0, 0)?;
        Some(if cfg!(target_endian = "little") { word >> 2 } else { word & 0x3FFF_FFFF } as usize)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
