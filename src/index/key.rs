//! The keys of a document in the index: byte strings, in the order of `byteacmp`.
//!
//! ```text
//! A 2                        every document, once
//! C hash                     some value at the path was cut
//! E hash path                a leaf is at this path or below
//! M hash                     several values are at the path
//! V hash type value          a leaf, in the order of its values
//! ```
//!
//! Where no document has the M key of a path, the documents of an interval of its values are as many as the interval has postings. An
//! entry made by version 0.2.0 has A alone for a key of every document, and no M keys: so long as there is one, nothing is known of
//! several values, and REINDEX makes it so.
//!
//! A path's hash is four bytes. Two paths may share one: whoever asks by hash looks whether there is another path's E key beside
//! the one's own, for the path follows there. Hashes and not paths in V keys make the index a quarter smaller.

use crate::document::{Jsonb, Scalar, Scratch, walk};

const ALL: u8 = b'A';
const CUT: u8 = b'C';
const EXISTS: u8 = b'E';
const MANY: u8 = b'M';
const VALUE: u8 = b'V';

/// Bytes of a value, behind its type, that a key holds. What is as long or longer is cut there, and only the first bytes of it are
/// known to the index.
pub const MAX_VALUE: usize = 256;

/// Bytes of a path that a key holds. What is as long or longer is cut there. GIN's own limit for a key is some 2,700 bytes.
pub const MAX_PATH: usize = 1024;

/// Four bytes for a path: FNV-1a (Fowler, Noll and Vo) of 64 bits, folded. It is part of the index's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathHash([u8; 4]);

#[derive(Clone, Copy)]
struct Hasher(u64);

impl Hasher {
    const START: Hasher = Hasher(0xcbf2_9ce4_8422_2325);

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    fn finish(self) -> PathHash {
        PathHash(((self.0 >> 32) as u32 ^ self.0 as u32).to_be_bytes())
    }
}

impl PathHash {
    pub fn of(path: &str) -> PathHash {
        let mut hasher = Hasher::START;
        path.bytes().for_each(|byte| hasher.add(byte));
        hasher.finish()
    }
}

/// The key of every document, and the one that those have in its place that version 0.2.0 has entered.
pub const EVERY: [&[u8]; 2] = [&[ALL, 2], &[ALL]];

pub fn cut(hash: PathHash) -> Vec<u8> {
    tagged(CUT, hash).to_vec()
}

/// Of documents with several values at a path.
pub fn many(hash: PathHash) -> [u8; 5] {
    tagged(MANY, hash)
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

/// Where the keys of some kind begin, and where they end.
pub const ALL_PATHS: ([u8; 1], [u8; 1]) = ([EXISTS], [EXISTS + 1]);
pub const ALL_VALUES: ([u8; 1], [u8; 1]) = ([VALUE], [VALUE + 1]);

/// The path of an E key.
pub fn path_of(key: &[u8]) -> Option<&[u8]> {
    (key.first() == Some(&EXISTS)).then(|| key.get(5..)).flatten()
}

/// The hash in an E, M or V key.
pub fn path_hash(key: &[u8]) -> Option<PathHash> {
    key.get(1..5)?.try_into().ok().map(PathHash)
}

/// Type and value of a V key.
pub fn value_of(key: &[u8]) -> Option<&[u8]> {
    (key.first() == Some(&VALUE)).then(|| key.get(5..)).flatten()
}

/// As much of a path as E keys hold.
pub fn stored_path(path: &str) -> &[u8] {
    &path.as_bytes()[..path.len().min(MAX_PATH)]
}

/// Whether more of the path may be than its E key holds.
pub fn is_cut_path(path: &str) -> bool {
    path.len() >= MAX_PATH
}

/// As much of a value's bytes, its type in front, as V keys hold.
pub fn stored_value(value: &[u8]) -> &[u8] {
    &value[..value.len().min(1 + MAX_VALUE)]
}

/// Whether more of a value may be than is stored.
pub fn is_cut_value(value: &[u8]) -> bool {
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
    many: Vec<[u8; 5]>,
}

impl Keys {
    /// The keys of a document, in order, each once.
    pub fn of(document: Jsonb<'_>) -> Keys {
        let mut keys = Keys {
            bytes: Vec::with_capacity(2048),
            ends: Vec::with_capacity(128),
            many: Vec::new(),
        };
        keys.push(|bytes| bytes.extend_from_slice(EVERY[0]));
        let mut last = String::from("\0"); // begins no path, since jsonb holds no NUL
        let mut hash = Hasher::START.finish();
        let mut scratch = Scratch::new();
        walk(document, &mut |path, leaf| {
            if path != last {
                hash = keys.push_paths(path, &last);
                last.clear();
                last.push_str(path);
            }
            if let Some(value) = leaf.scalar(&mut scratch) {
                keys.push_value(hash, value);
            }
        });
        keys
    }

    /// The E keys of a path and of what it goes through, but for those it has in common with the path before. Returns its hash.
    fn push_paths(&mut self, path: &str, before: &str) -> PathHash {
        let (path, before) = (path.as_bytes(), before.as_bytes());
        let common = path.iter().zip(before).take_while(|(a, b)| a == b).count();
        let mut hasher = Hasher::START;
        for end in 0..=path.len() {
            let is_end = path.get(end).is_none_or(|byte| *byte == b'.');
            let was_before = end <= common && before.get(end).is_none_or(|byte| *byte == b'.');
            if is_end && !was_before {
                self.push(|bytes| {
                    bytes.extend(tagged(EXISTS, hasher.finish()));
                    bytes.extend_from_slice(&path[..end.min(MAX_PATH)]);
                });
            }
            if let Some(byte) = path.get(end) {
                hasher.add(*byte);
            }
        }
        hasher.finish()
    }

    fn push_value(&mut self, hash: PathHash, value: Scalar<'_>) {
        let start = self.bytes.len();
        self.bytes.extend(tagged(VALUE, hash));
        value.write(&mut self.bytes);
        let length = self.bytes.len() - start - 5;
        if length > MAX_VALUE {
            self.bytes.truncate(start + 5 + 1 + MAX_VALUE);
        }
        self.ends.push(self.bytes.len());
        if length > MAX_VALUE {
            self.push(|bytes| bytes.extend(tagged(CUT, hash)));
        }
    }

    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// The keys in order, each once, as GIN would put them itself, only faster.
    pub fn sorted(&mut self) -> Vec<&[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let mut keys: Vec<&[u8]> =
            starts.zip(&self.ends).map(|(&start, &end)| &self.bytes[start..end]).collect();
        keys.sort_unstable();
        keys.dedup();
        self.many.extend(keys.windows(2).filter_map(|pair| {
            let hash = path_hash(pair[0])?;
            let are_values = value_of(pair[0]).and(value_of(pair[1])).is_some();
            (are_values && path_hash(pair[1]) == Some(hash)).then(|| many(hash))
        }));
        self.many.dedup();
        let at = keys.partition_point(|key| *key < [MANY].as_slice());
        keys.splice(at..at, self.many.iter().map(<[u8; 5]>::as_slice));
        keys
    }
}
