//! The keys of a document in the index: byte strings, in the order of `byteacmp`.
//! docs/INDEX_FORMAT.md shows them with an example.
//!
//! ```text
//! A 3                        every document has it, once
//! C hash                     a value at the path is truncated
//! E hash path                a leaf is at this path
//! M hash                     the path has several values
//! V hash type value          a leaf. Values are in order; strings that begin with a digit are packed
//!                            (see `string_code`)
//! V hash 4 instant           beside the V key of a string that is an instant and is not written
//!                            `…T…Z`: its place among the instants
//! ```
//!
//! Strings `…T…Z` are in the order of their instants up to the second, so a range of instants is
//! one range of such strings. Other instants, such as `2024-03-31 14:00:00+02`, have the second
//! key. Versions before 0.5.0 did not write it, and have A 2 or A alone as the key of every
//! document. As long as one of those is left, instants are looked for among the strings only, from
//! a day before the range to a day after it, because no offset is larger than a day. That is exact,
//! too, but reads more. REINDEX ends it.
//!
//! If no document has the M key of a path, a range of its values has as many documents as postings.
//! An entry of version 0.2.0 has A alone as the key of every document, and no M keys. As long as
//! one of those is left, nothing is known of several values. REINDEX ends that, too.
//!
//! To find what is at or below a path, the E keys of the path and of the paths below it are read.
//! Objects have no E key of their own: that would be as many postings as documents for each of
//! them. Versions before 0.4.0 wrote such keys. They say nothing new, and do no harm.
//!
//! A path's hash is four bytes long, so two paths may share one. Whoever reads keys by hash looks
//! for a second E key with it, because E keys hold the path behind the hash. Hashes instead of
//! paths in V keys make the index a quarter smaller.

use super::string_code;
use crate::document::{BOOLEAN, Jsonb, Leaf, NUMBER, unordered_instant, walk};
use crate::error::{Error, Result};
use crate::interrupts;
use crate::memory;
use chrono::{DateTime, Utc};

const DOCUMENT: u8 = b'A';
const TRUNCATED: u8 = b'C';
const EXISTS: u8 = b'E';
const MULTI_VALUED: u8 = b'M';
const VALUE: u8 = b'V';

/// How many bytes of a value a key holds, behind its type. 256 bytes tell nearly all values apart
/// and keep the index small. Of a value with so many bytes or more, the index knows only the first
/// 256.
pub const MAX_VALUE: usize = 256;

/// How many bytes of a path a key holds. A path of so many bytes or more is truncated. It is well
/// below the limit of GIN for a key, about 2,700 bytes.
pub const MAX_PATH: usize = 1024;

/// The length of the longest key in bytes: tag, hash, and a path. A V key has a value's type and
/// bytes instead, to which packing may add three bytes.
const MAX_KEY: usize = 5 + MAX_PATH;
const _: () = assert!(5 + 1 + MAX_VALUE + 3 <= MAX_KEY);

/// The hash of a path, in four bytes: FNV-1a (Fowler, Noll and Vo) of 64 bits, folded. It is part
/// of the format of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathHash([u8; 4]);

impl PathHash {
    /// The hash of a path.
    pub fn of(path: &str) -> PathHash {
        let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        PathHash(((hash >> 32) as u32 ^ hash as u32).to_be_bytes())
    }
}

/// The key of every document, and the keys in its place that earlier versions wrote.
pub const DOCUMENT_KEYS: [&[u8]; 3] = [DOCUMENT_KEY, DOCUMENT_KEY_0_3, DOCUMENT_KEY_0_2];
/// The key of every document, as this version writes it.
pub const DOCUMENT_KEY: &[u8] = &[DOCUMENT, 3];
/// The key of every document that versions 0.3.0 and 0.4.0 wrote.
pub const DOCUMENT_KEY_0_3: &[u8] = &[DOCUMENT, 2];
/// The key of every document that version 0.2.0 wrote.
pub const DOCUMENT_KEY_0_2: &[u8] = &[DOCUMENT];

/// Stands in the place of a value's type before an instant. It is greater than all types.
pub const INSTANT: u8 = 4;

/// The key of documents with a truncated value at a path.
pub fn truncated(hash: PathHash) -> Vec<u8> {
    tagged(TRUNCATED, hash).to_vec()
}

/// The key of documents that have several values at a path.
pub fn multi_valued(hash: PathHash) -> [u8; 5] {
    tagged(MULTI_VALUED, hash)
}

/// The E key of a path.
pub fn exists(path: &str) -> Vec<u8> {
    let mut key = tagged(EXISTS, PathHash::of(path)).to_vec();
    key.extend_from_slice(stored_path(path));
    key
}

/// The bytes with which the E keys of paths with this hash begin.
pub fn exists_prefix(hash: PathHash) -> [u8; 5] {
    tagged(EXISTS, hash)
}

/// The bytes with which the V keys of paths with this hash begin. Type and value follow.
pub fn value_prefix(hash: PathHash) -> [u8; 5] {
    tagged(VALUE, hash)
}

/// The V key of a stored value at a path with this hash. Also used for the ends of ranges of such
/// keys.
pub fn value(hash: PathHash, stored: &[u8]) -> Vec<u8> {
    [&value_prefix(hash), stored].concat()
}

/// The range of the V keys of paths with this hash, without the second keys of instants. They are
/// in the order of `sort`.
pub fn values(hash: PathHash) -> (Vec<u8>, Vec<u8>) {
    (value_prefix(hash).to_vec(), value(hash, &[INSTANT]))
}

/// The range of the second keys of instants at paths with this hash.
pub fn instants(hash: PathHash) -> (Vec<u8>, Vec<u8>) {
    (value(hash, &[INSTANT]), value(hash, &[INSTANT + 1]))
}

/// 2^47 seconds, added so that no number is negative. Six bytes hold all seconds that `DateTime`
/// has, on either side of the epoch.
const MIDDLE: i64 = 1 << 47;

/// The instant of a stored one.
pub fn instant_of(stored: &[u8]) -> Option<DateTime<Utc>> {
    let (seconds, rest) = stored.strip_prefix(&[INSTANT])?.split_at_checked(6)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0i64, |all, byte| all << 8 | i64::from(*byte));
    let nanoseconds = number(rest) << (8 * 4usize.checked_sub(rest.len())?);
    DateTime::from_timestamp(number(seconds) - MIDDLE, u32::try_from(nanoseconds).ok()?)
}

/// An instant as V keys hold it: the seconds and, without trailing zero bytes, the nanoseconds, so
/// that the order of bytes is the order of instants.
pub fn instant(instant: DateTime<Utc>) -> Vec<u8> {
    let seconds = (instant.timestamp() + MIDDLE).to_be_bytes();
    let nanoseconds = instant.timestamp_subsec_nanos().to_be_bytes();
    let length = nanoseconds.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    [&[INSTANT], &seconds[2..], &nanoseconds[..length]].concat()
}

/// The range of all E keys.
pub const ALL_PATHS: ([u8; 1], [u8; 1]) = ([EXISTS], [EXISTS + 1]);
/// The range of all V keys.
pub const ALL_VALUES: ([u8; 1], [u8; 1]) = ([VALUE], [VALUE + 1]);

/// Whether an E key is that of a path below this one. If this one is truncated: whether it may be.
pub fn is_below(key: &[u8], path: &str) -> bool {
    let Some(other) = path_of(key) else { return false };
    if is_truncated_path(path) {
        return other == stored_path(path);
    }
    other.strip_prefix(path.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'.'))
}

/// The paths above an E key's path, as E keys store them.
pub fn paths_above(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path_of(key).unwrap_or_default();
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(end, _)| end);
    // A truncated path may be below any path that is truncated to the same bytes.
    ends.chain((path.len() == MAX_PATH).then_some(MAX_PATH)).map(|end| &path[..end])
}

/// The path of an E key.
pub fn path_of(key: &[u8]) -> Option<&[u8]> {
    (key.first() == Some(&EXISTS)).then(|| key.get(5..)).flatten()
}

/// The hash in an E, M or V key.
pub fn path_hash(key: &[u8]) -> Option<PathHash> {
    key.get(1..5)?.try_into().ok().map(PathHash)
}

/// Type and value in a V key, as they are stored.
pub fn value_of(key: &[u8]) -> Option<&[u8]> {
    (key.first() == Some(&VALUE)).then(|| key.get(5..)).flatten()
}

/// The part of a path that E keys hold.
pub fn stored_path(path: &str) -> &[u8] {
    &path.as_bytes()[..path.len().min(MAX_PATH)]
}

/// Whether the path may have more bytes than its E key holds.
pub fn is_truncated_path(path: &str) -> bool {
    path.len() >= MAX_PATH
}

/// The part of a value, its type in front, that V keys hold, before it is packed.
pub fn stored_value(value: &[u8]) -> &[u8] {
    &value[..value.len().min(1 + MAX_VALUE)]
}

/// Whether the value has, or may have, more bytes than are stored.
pub fn is_truncated_value(value: &[u8]) -> bool {
    value.len() > MAX_VALUE
}

fn tagged(tag: u8, PathHash([a, b, c, d]): PathHash) -> [u8; 5] {
    [tag, a, b, c, d]
}

/// The keys of a document in one piece of memory, and where each of them ends.
#[derive(Default)]
pub struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The M keys. They are known last.
    multi_valued: Vec<[u8; 5]>,
    /// The first error, if there was one.
    error: Option<Error>,
}

/// Room for the keys of most documents.
const USUAL_BYTES: usize = 4096;
const USUAL_KEYS: usize = 128;

impl Keys {
    /// The keys of a document.
    pub fn of(document: Jsonb<'_>) -> Result<Keys> {
        let mut keys = Keys {
            bytes: Vec::with_capacity(USUAL_BYTES),
            ends: Vec::with_capacity(USUAL_KEYS),
            ..Keys::default()
        };
        keys.push(|bytes| bytes.extend_from_slice(DOCUMENT_KEY));
        let mut last = String::from("\0"); // is no path, since jsonb holds no NUL
        let mut hash = PathHash::of("");
        walk(document, &mut |path, leaf| {
            if path != last {
                hash = PathHash::of(path);
                keys.push(|bytes| {
                    bytes.extend_from_slice(&tagged(EXISTS, hash));
                    bytes.extend_from_slice(stored_path(path));
                });
                last.clear();
                last.push_str(path);
            }
            keys.push_value(hash, leaf);
        });
        match keys.error.take() {
            None => Ok(keys),
            Some(error) => Err(error),
        }
    }

    /// The key of a leaf's value, and what else the index keeps of that value. A number that is not
    /// finite has no key.
    fn push_value(&mut self, hash: PathHash, leaf: Leaf<'_>) {
        let mut is_truncated = false;
        self.push(|bytes| {
            let start = bytes.len();
            bytes.extend_from_slice(&tagged(VALUE, hash));
            match leaf {
                Leaf::String(text) => {
                    is_truncated = text.len() >= MAX_VALUE;
                    let stored = text.as_bytes().get(..MAX_VALUE);
                    string_code::pack_string(stored.unwrap_or(text.as_bytes()), bytes);
                }
                Leaf::Bool(value) => bytes.extend_from_slice(&[BOOLEAN, u8::from(value)]),
                Leaf::Number(number) => {
                    let value = bytes.len();
                    bytes.push(NUMBER);
                    if !number.write_ordered(bytes) {
                        bytes.truncate(start);
                    }
                    is_truncated = is_truncated_value(bytes.get(value..).unwrap_or_default());
                    bytes.truncate(value + 1 + MAX_VALUE);
                }
            }
        });
        if is_truncated {
            self.push(|bytes| bytes.extend_from_slice(&tagged(TRUNCATED, hash)));
        }
        if let Leaf::String(text) = leaf
            && let Some(at) = unordered_instant(text)
        {
            self.push(|bytes| {
                bytes.extend_from_slice(&tagged(VALUE, hash));
                bytes.extend_from_slice(&instant(at));
            });
        }
    }

    /// Adds a key, unless nothing is written.
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let room = memory::reserve(&mut self.bytes, MAX_KEY);
        match room.and_then(|()| memory::reserve(&mut self.ends, 1)) {
            Ok(()) => {
                let start = self.bytes.len();
                write(&mut self.bytes);
                if self.bytes.len() > start {
                    self.ends.push(self.bytes.len());
                }
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// The keys in order, each once. GIN would sort them itself, but more slowly.
    pub fn sorted(&mut self) -> Result<Vec<&[u8]>> {
        let mut keys: Vec<Prefixed<'_>> = Vec::new();
        // There are at most as many M keys as other keys.
        memory::reserve(&mut keys, self.ends.len())?;
        memory::reserve(&mut self.multi_valued, self.ends.len())?;
        let starts = std::iter::once(&0).chain(&self.ends);
        keys.extend(starts.zip(&self.ends).map(|(&start, &end)| prefixed(&self.bytes[start..end])));
        keys.sort_unstable_by(|a, b| {
            interrupts::spend(1);
            a.cmp(b)
        });
        keys.dedup();
        self.multi_valued.extend(keys.windows(2).filter_map(|pair| {
            let hash = path_hash(pair[0].1)?;
            let is_value = |key| value_of(key).is_some_and(|value| value.first() != Some(&INSTANT));
            let are_values = is_value(pair[0].1) && is_value(pair[1].1);
            (are_values && path_hash(pair[1].1) == Some(hash)).then(|| multi_valued(hash))
        }));
        self.multi_valued.dedup();
        let mut sorted: Vec<&[u8]> = Vec::new();
        memory::reserve(&mut sorted, keys.len() + self.multi_valued.len())?;
        let (before, behind) =
            keys.split_at(keys.partition_point(|(_, key)| *key < [MULTI_VALUED].as_slice()));
        sorted.extend(before.iter().map(|(_, key)| *key));
        sorted.extend(self.multi_valued.iter().map(<[u8; 5]>::as_slice));
        sorted.extend(behind.iter().map(|(_, key)| *key));
        Ok(sorted)
    }
}

/// A key, and its first eight bytes as a number in the same order. Most keys of a document differ
/// there, and numbers are compared sooner than bytes.
type Prefixed<'k> = (u64, &'k [u8]);

fn prefixed(key: &[u8]) -> Prefixed<'_> {
    let mut first = [0; 8];
    let length = key.len().min(first.len());
    first[..length].copy_from_slice(&key[..length]);
    (u64::from_be_bytes(first), key)
}
