//! The keys of a document in the index: byte strings, in the order of `byteacmp`.
//!
//! ```text
//! A 3                        every document, once
//! C hash                     some value at the path was cut
//! E hash path                a leaf is at this path
//! M hash                     several values are at the path
//! V hash type value          a leaf, in the order of its values; strings that begin with a digit are packed (see `packed`)
//! V hash 4 instant           beside the V key of a string that is an instant and not written `…T…Z`: its place among the instants
//! ```
//!
//! Strings `…T…Z` are in the order of their instants up to the second, so that an interval of instants is one of theirs. Others,
//! `2024-03-31 14:00:00+02`, have the second key. Versions before 0.5.0 did not write it, and have A 2 or A alone for a key of every
//! document. So long as there is one, instants are looked for among the texts alone, from a day before the interval to a day after
//! it: no offset is larger. That is exact, too, only more to read, and REINDEX ends it.
//!
//! Where no document has the M key of a path, the documents of an interval of its values are as many as the interval has postings. An
//! entry made by version 0.2.0 has A alone for a key of every document, and no M keys: so long as there is one, nothing is known of
//! several values, and REINDEX makes it so.
//!
//! What is at a path or below has the E keys of that path and of those below it: of objects there are none of their own, which
//! would be as many postings as documents for each. Versions before 0.4.0 entered them, too; they say the same once more.
//!
//! A path's hash is four bytes. Two paths may share one: whoever asks by hash looks whether there is another path's E key beside
//! the one's own, for the path follows there. Hashes and not paths in V keys make the index a quarter smaller.

use super::string_code;
use crate::document::{Jsonb, Scalar, Scratch, unordered_instant, walk};
use crate::error::{Error, Result};
use crate::memory;
use chrono::{DateTime, Utc};

const DOCUMENT: u8 = b'A';
const TRUNCATED: u8 = b'C';
const EXISTS: u8 = b'E';
const MULTI_VALUED: u8 = b'M';
const VALUE: u8 = b'V';

/// Bytes of a value, behind its type, that a key holds. What is as long or longer is cut there, and only the first bytes of it are
/// known to the index.
pub const MAX_VALUE: usize = 256;

/// Bytes of a path that a key holds. What is as long or longer is cut there. GIN's own limit for a key is some 2,700 bytes.
pub const MAX_PATH: usize = 1024;

/// No key is longer: tag, hash, and a path, or a value's type and bytes, to which packing may add three.
const MAX_KEY: usize = 5 + MAX_PATH;
const _: () = assert!(5 + 1 + MAX_VALUE + 3 <= MAX_KEY);

/// Four bytes for a path: FNV-1a (Fowler, Noll and Vo) of 64 bits, folded. It is part of the index's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathHash([u8; 4]);

impl PathHash {
    pub fn of(path: &str) -> PathHash {
        let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        PathHash(((hash >> 32) as u32 ^ hash as u32).to_be_bytes())
    }
}

/// The key of every document, and those that documents have in its place that earlier versions have entered.
pub const DOCUMENT_KEYS: [&[u8]; 3] = [DOCUMENT_KEY, DOCUMENT_KEY_0_3, DOCUMENT_KEY_0_2];
/// The key of every document.
pub const DOCUMENT_KEY: &[u8] = &[DOCUMENT, 3];
/// That of versions 0.3.0 and 0.4.0.
pub const DOCUMENT_KEY_0_3: &[u8] = &[DOCUMENT, 2];
/// That of version 0.2.0.
pub const DOCUMENT_KEY_0_2: &[u8] = &[DOCUMENT];

/// What stands in the place of a value's type, behind all types, before an instant.
pub const INSTANT: u8 = 4;

pub fn truncated(hash: PathHash) -> Vec<u8> {
    tagged(TRUNCATED, hash).to_vec()
}

/// Of documents with several values at a path.
pub fn multi_valued(hash: PathHash) -> [u8; 5] {
    tagged(MULTI_VALUED, hash)
}

pub fn exists(path: &str) -> Vec<u8> {
    let mut key = tagged(EXISTS, PathHash::of(path)).to_vec();
    key.extend_from_slice(stored_path(path));
    key
}

/// What E keys of paths with this hash begin with.
pub fn exists_prefix(hash: PathHash) -> [u8; 5] {
    tagged(EXISTS, hash)
}

/// What V keys of paths with this hash begin with; type and value follow.
pub fn value_prefix(hash: PathHash) -> [u8; 5] {
    tagged(VALUE, hash)
}

/// The V key of a path with this hash and of a stored value; or where such keys begin or end.
pub fn value(hash: PathHash, stored: &[u8]) -> Vec<u8> {
    [&value_prefix(hash), stored].concat()
}

/// Where the V keys of paths with this hash begin, in the order of `sort`, and where they end.
pub fn values(hash: PathHash) -> (Vec<u8>, Vec<u8>) {
    (value_prefix(hash).to_vec(), value(hash, &[INSTANT]))
}

/// An instant as V keys hold it: the seconds and, without trailing zeros, the nanoseconds, in order.
pub fn instant(instant: DateTime<Utc>) -> Vec<u8> {
    /// Six bytes are enough for all seconds that `DateTime` has, on either side of the epoch.
    const MIDDLE: i64 = 1 << 47;
    let seconds = (instant.timestamp() + MIDDLE).to_be_bytes();
    let nanoseconds = instant.timestamp_subsec_nanos().to_be_bytes();
    let length = nanoseconds.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    [&[INSTANT], &seconds[2..], &nanoseconds[..length]].concat()
}

/// Where the keys of some kind begin, and where they end.
pub const ALL_PATHS: ([u8; 1], [u8; 1]) = ([EXISTS], [EXISTS + 1]);
pub const ALL_VALUES: ([u8; 1], [u8; 1]) = ([VALUE], [VALUE + 1]);

/// Whether a key says that a leaf is below a path, or where paths are cut, may be.
pub fn is_below(key: &[u8], path: &str) -> bool {
    let Some(other) = path_of(key) else { return false };
    if is_truncated_path(path) {
        return other == stored_path(path);
    }
    other.strip_prefix(path.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'.'))
}

/// The paths above that of an E key, as they are stored.
pub fn paths_above(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path_of(key).unwrap_or_default();
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(end, _)| end);
    // One that is cut may be below any path that is cut to the same.
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

/// Type and value of a V key, as it is stored.
pub fn value_of(key: &[u8]) -> Option<&[u8]> {
    (key.first() == Some(&VALUE)).then(|| key.get(5..)).flatten()
}

/// As much of a path as E keys hold.
pub fn stored_path(path: &str) -> &[u8] {
    &path.as_bytes()[..path.len().min(MAX_PATH)]
}

/// Whether more of the path may be than its E key holds.
pub fn is_truncated_path(path: &str) -> bool {
    path.len() >= MAX_PATH
}

/// As much of a value's bytes, its type in front, as V keys hold, before it is packed.
pub fn stored_value(value: &[u8]) -> &[u8] {
    &value[..value.len().min(1 + MAX_VALUE)]
}

/// Whether there is, or may be, more of a value than is stored.
pub fn is_truncated_value(value: &[u8]) -> bool {
    value.len() > MAX_VALUE
}

fn tagged(tag: u8, PathHash([a, b, c, d]): PathHash) -> [u8; 5] {
    [tag, a, b, c, d]
}

/// Keys one behind the other, and where each ends.
#[derive(Default)]
pub struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The M keys, which are known last.
    multi_valued: Vec<[u8; 5]>,
    /// A value, before it is packed.
    value: Vec<u8>,
    /// What went wrong.
    error: Option<Error>,
}

impl Keys {
    /// The keys of a document.
    pub fn of(document: Jsonb<'_>) -> Result<Keys> {
        let mut keys = Keys {
            bytes: Vec::with_capacity(2048),
            ends: Vec::with_capacity(128),
            multi_valued: Vec::new(),
            value: Vec::new(),
            error: None,
        };
        keys.push(|bytes| bytes.extend_from_slice(DOCUMENT_KEY));
        let mut last = String::from("\0"); // is no path, since jsonb holds no NUL
        let mut hash = PathHash::of("");
        let mut scratch = Scratch::new();
        walk(document, &mut |path, leaf| {
            if path != last {
                hash = PathHash::of(path);
                keys.push(|bytes| {
                    bytes.extend(tagged(EXISTS, hash));
                    bytes.extend_from_slice(stored_path(path));
                });
                last.clear();
                last.push_str(path);
            }
            if let Some(value) = leaf.scalar(&mut scratch) {
                keys.push_value(hash, value);
            }
        });
        match keys.error.take() {
            None => Ok(keys),
            Some(error) => Err(error),
        }
    }

    fn push_value(&mut self, hash: PathHash, value: Scalar<'_>) {
        let mut written = std::mem::take(&mut self.value);
        written.clear();
        value.write(&mut written);
        self.push(|bytes| {
            bytes.extend(tagged(VALUE, hash));
            string_code::pack(stored_value(&written), bytes);
        });
        if is_truncated_value(&written) {
            self.push(|bytes| bytes.extend(tagged(TRUNCATED, hash)));
        }
        if let Scalar::String(text) = value
            && let Some(at) = unordered_instant(text)
        {
            self.push(|bytes| {
                bytes.extend(tagged(VALUE, hash));
                bytes.extend(instant(at));
            });
        }
        self.value = written;
    }

    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let room = memory::reserve(&mut self.bytes, MAX_KEY);
        match room.and_then(|()| memory::reserve(&mut self.ends, 1)) {
            Ok(()) => {
                write(&mut self.bytes);
                self.ends.push(self.bytes.len());
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// The keys in order, each once, as GIN would put them itself, only faster.
    pub fn sorted(&mut self) -> Result<Vec<&[u8]>> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let mut keys: Vec<&[u8]> = Vec::new();
        // There are no more M keys than others.
        memory::reserve(&mut keys, 2 * self.ends.len())?;
        memory::reserve(&mut self.multi_valued, self.ends.len())?;
        keys.extend(starts.zip(&self.ends).map(|(&start, &end)| &self.bytes[start..end]));
        keys.sort_unstable();
        keys.dedup();
        self.multi_valued.extend(keys.windows(2).filter_map(|pair| {
            let hash = path_hash(pair[0])?;
            let is_value = |key| value_of(key).is_some_and(|value| value.first() != Some(&INSTANT));
            let are_values = is_value(pair[0]) && is_value(pair[1]);
            (are_values && path_hash(pair[1]) == Some(hash)).then(|| multi_valued(hash))
        }));
        self.multi_valued.dedup();
        let at = keys.partition_point(|key| *key < [MULTI_VALUED].as_slice());
        keys.splice(at..at, self.multi_valued.iter().map(<[u8; 5]>::as_slice));
        Ok(keys)
    }
}
