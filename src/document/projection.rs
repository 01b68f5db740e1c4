//! A part of a document: what lies at some paths and below them.

use super::compose::{MAX_JSONB_BYTES, OFFSET_STRIDE, reserve};
use super::container::{Container, Item};
use super::jsonb::{
    HAS_OFFSET, IS_ARRAY, IS_CONTAINER, IS_FALSE, IS_NULL, IS_NUMERIC, IS_OBJECT, IS_STRING,
    IS_TRUE, Jsonb, JsonbEntries, JsonbMembers,
};
use super::leaf::{Leaf, Number};
use crate::error::{Error, Result};
use crate::interrupts;
use crate::memory;
use crate::pattern::{Glob, GlobSet};

/// Which paths are selected. What lies at a path or below it is kept as it is, nulls and empty
/// objects included. Objects and arrays on the way to it are kept with what is selected in them, and
/// left out if that is nothing.
#[derive(Debug)]
pub struct Projection {
    paths: GlobSet,
}

/// A value that is kept, with its key if it is a member of an object.
struct Kept<'a> {
    key: Option<&'a str>,
    value: Value<'a>,
}

enum Value<'a> {
    /// A value that is kept as it is.
    Whole(Item<'a, Jsonb<'a>>),
    /// A container, of which `count` values are kept. These follow in the list, each with its own
    /// values behind it; the last of them ends before `end`.
    Part { is_object: bool, count: usize, end: usize },
}

enum Items<'a> {
    Members(JsonbMembers<'a>),
    Elements(JsonbEntries<'a>),
}

/// A container whose values are being selected.
struct Frame<'a> {
    items: Items<'a>,
    /// The place of the container in the list.
    at: usize,
    count: usize,
    /// Whether there was a key on the way to it.
    has_path: bool,
}

impl<'a> Frame<'a> {
    fn new(container: Jsonb<'a>, at: usize, has_path: bool) -> Frame<'a> {
        let items = match container.is_object() {
            true => Items::Members(container.members()),
            false => Items::Elements(container.elements()),
        };
        Frame { items, at, count: 0, has_path }
    }

    fn next(&mut self) -> Option<(Option<&'a str>, Item<'a, Jsonb<'a>>)> {
        match &mut self.items {
            Items::Members(members) => members.next().map(|(key, item)| (Some(key), item)),
            Items::Elements(elements) => elements.next().map(|item| (None, item)),
        }
    }
}

impl Projection {
    /// Selects the paths that match any of these patterns. A star takes dots, too.
    pub fn new(paths: &[Vec<Glob>]) -> Projection {
        Projection { paths: GlobSet::new(paths) }
    }

    /// The selected part of a document, as the payload of a jsonb value.
    pub fn apply(&self, doc: Jsonb<'_>) -> Result<Vec<u8>> {
        write(&self.select(doc)?)
    }

    /// Lists what is kept, the document itself first. Keeps a stack of its own, since documents may
    /// be nested deeper than the thread's stack allows.
    fn select<'a>(&self, doc: Jsonb<'a>) -> Result<Vec<Kept<'a>>> {
        let part = |container: Jsonb<'_>, count, end| Value::Part {
            is_object: container.is_object(),
            count,
            end,
        };
        let words = self.paths.start().len();
        let mut kept = vec![Kept { key: None, value: part(doc, 0, 1) }];
        let mut open = vec![Frame::new(doc, 0, false)];
        // The state behind the path of each open container.
        let mut states = self.paths.start().to_vec();
        let mut state = states.clone();
        while let Some(frame) = open.last_mut() {
            let Some((key, item)) = frame.next() else {
                let (at, closed, behind) = (frame.at, frame.count, kept.len());
                open.pop();
                states.truncate(open.len() * words);
                if closed == 0 && at != 0 {
                    kept.truncate(at);
                } else if let Some(Kept { value: Value::Part { count, end, .. }, .. }) =
                    kept.get_mut(at)
                {
                    (*count, *end) = (closed, behind);
                    open.last_mut().into_iter().for_each(|parent| parent.count += 1);
                }
                continue;
            };
            state.copy_from_slice(&states[states.len() - words..]);
            let is_selected = key.is_some_and(|key| self.read(&mut state, key, frame.has_path));
            memory::reserve(&mut kept, 1)?;
            if is_selected {
                frame.count += 1;
                kept.push(Kept { key, value: Value::Whole(item) });
            } else if let Item::Container(inner) = item
                && GlobSet::is_alive(&state)
            {
                let has_path = frame.has_path || key.is_some();
                memory::reserve(&mut states, words)?;
                memory::reserve(&mut open, 1)?;
                states.extend_from_slice(&state);
                open.push(Frame::new(inner, kept.len(), has_path));
                kept.push(Kept { key, value: part(inner, 0, 0) });
            }
        }
        Ok(kept)
    }

    /// Continues a path with a key. Returns whether the path is selected, or one above it: a dot
    /// within the key ends one, too.
    fn read(&self, state: &mut [u64], key: &str, has_path: bool) -> bool {
        interrupts::spend(1 + key.len() * state.len() / 16);
        if has_path {
            self.paths.step(state, '.');
        }
        for c in key.chars() {
            if c == '.' && self.paths.is_match(state) {
                return true;
            }
            self.paths.step(state, c);
            if !GlobSet::is_alive(state) {
                return false;
            }
        }
        self.paths.is_match(state)
    }
}

/// A container whose values are being written.
struct Open {
    /// Where its entries begin.
    entries: usize,
    /// Where its values begin.
    base: usize,
    /// The number of the next entry.
    entry: usize,
    /// Where the value of the next entry begins, counted from `base`.
    start: usize,
    /// The next value in the list, and the end of the container's values there.
    next: usize,
    end: usize,
}

impl Open {
    /// Fills in the entry of the value that ends where the buffer ends (see ArrayWriter::value_of in
    /// compose.rs).
    fn finish_value(&mut self, out: &mut [u8], kind: u32) {
        let end = out.len() - self.base;
        let entry = match self.entry % OFFSET_STRIDE {
            0 => HAS_OFFSET | end as u32,
            _ => (end - self.start) as u32,
        };
        let at = self.entries + 4 * self.entry;
        if let Some(place) = out.get_mut(at..at + 4) {
            place.copy_from_slice(&(kind | entry).to_ne_bytes());
        }
        (self.entry, self.start) = (self.entry + 1, end);
    }
}

/// Writes the list as binary jsonb, in one pass: the number of values of a container is known before
/// they are written.
fn write(kept: &[Kept<'_>]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(Kept { value, .. }) = kept.get(at) {
        match value {
            Value::Part { is_object, count, end } => {
                pad(&mut out)?;
                memory::reserve(&mut open, 1)?;
                open.push(begin(&mut out, kept, at, *is_object, *count, *end)?);
            }
            Value::Whole(item) => {
                let kind = value_of(&mut out, item)?;
                let Some(parent) = open.last_mut() else { break };
                parent.finish_value(&mut out, kind);
                parent.next = at + 1;
            }
        }
        // Containers that end here are finished.
        while let Some(top) = open.last()
            && top.next >= top.end
        {
            let end = top.end;
            open.pop();
            let Some(parent) = open.last_mut() else { break };
            parent.finish_value(&mut out, IS_CONTAINER);
            parent.next = end;
        }
        match open.last() {
            Some(top) => at = top.next,
            None => break,
        }
    }
    match out.len() {
        0..=MAX_JSONB_BYTES => Ok(out),
        _ => Err(Error::AnswerTooLarge { most: MAX_JSONB_BYTES }),
    }
}

/// Writes the header of a container, room for its entries, and the keys of an object.
fn begin(
    out: &mut Vec<u8>,
    kept: &[Kept<'_>],
    at: usize,
    is_object: bool,
    count: usize,
    end: usize,
) -> Result<Open> {
    let (kind, entries) = if is_object { (IS_OBJECT, 2 * count) } else { (IS_ARRAY, count) };
    reserve(out, 4 + 4 * entries)?;
    out.extend((kind | count as u32).to_ne_bytes());
    let first = out.len();
    out.resize(first + 4 * entries, 0);
    let mut open = Open { entries: first, base: out.len(), entry: 0, start: 0, next: at + 1, end };
    let mut child = at + 1;
    while is_object && child < end {
        let Some(Kept { key, value }) = kept.get(child) else { break };
        let key = key.unwrap_or_default().as_bytes();
        reserve(out, key.len())?;
        out.extend_from_slice(key);
        open.finish_value(out, IS_STRING);
        child = match value {
            Value::Part { end, .. } => *end,
            Value::Whole(_) => child + 1,
        };
    }
    Ok(open)
}

/// Writes a value as it is, and returns its kind.
fn value_of(out: &mut Vec<u8>, item: &Item<'_, Jsonb<'_>>) -> Result<u32> {
    let (kind, bytes) = match item {
        Item::Null => (IS_NULL, &[][..]),
        Item::Leaf(Leaf::Bool(false)) => (IS_FALSE, &[][..]),
        Item::Leaf(Leaf::Bool(true)) => (IS_TRUE, &[][..]),
        Item::Leaf(Leaf::String(text)) => (IS_STRING, text.as_bytes()),
        Item::Leaf(Leaf::Number(Number::Numeric(number))) => (IS_NUMERIC, number.bytes()),
        // Binary jsonb has no numbers as text.
        Item::Leaf(Leaf::Number(Number::Text(_))) => (IS_NULL, &[][..]),
        Item::Container(container) => (IS_CONTAINER, container.bytes()),
    };
    if matches!(kind, IS_NUMERIC | IS_CONTAINER) {
        pad(out)?;
    }
    reserve(out, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(kind)
}

/// jsonb_util.c, padBufferToInt: numbers and containers begin at a multiple of four bytes.
fn pad(out: &mut Vec<u8>) -> Result<()> {
    reserve(out, 3)?;
    out.resize(out.len().next_multiple_of(4), 0);
    Ok(())
}
