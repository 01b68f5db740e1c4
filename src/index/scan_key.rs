//! What GIN is asked to look for: single keys, and ranges of keys with a filter.

use super::key;
use super::probe::LeafProbe;
use super::ternary::Ternary;
use std::cmp::Ordering;
use std::rc::Rc;

/// What is looked for in the index.
#[derive(Debug)]
pub enum ScanKey {
    /// A key.
    Key(Vec<u8>),
    /// All keys from one on and below another that pass.
    KeyRange { from: Vec<u8>, below: Vec<u8>, filter: KeyFilter },
}

/// Which keys of a range pass.
#[derive(Debug)]
pub enum KeyFilter {
    All,
    /// Those in one of these intervals, which are in order and apart from each other.
    Within(Vec<KeyInterval>),
    /// V keys, of any path, whose value is in one of these intervals or accepts one of the tests, if that is all that is known of it.
    AnyValue {
        within: Vec<KeyInterval>,
        probes: Vec<LeafProbe>,
    },
    /// V keys whose value does, if that is all that is known of it.
    Value(Rc<LeafProbe>),
    /// E keys of any path but this.
    OtherPath(Vec<u8>),
    /// E keys of the paths below this.
    Below(String),
}

/// What is to be done with a key of the index, when keys come in order.
#[derive(Debug, PartialEq, Eq)]
pub enum PartialMatch {
    Take,
    Skip,
    /// This key and all behind it lie behind the range.
    Stop,
}

impl ScanKey {
    /// The key, or the first one looked at.
    pub fn start(&self) -> &[u8] {
        match self {
            ScanKey::Key(key) => key,
            ScanKey::KeyRange { from, .. } => from,
        }
    }

    pub fn is_range(&self) -> bool {
        matches!(self, ScanKey::KeyRange { .. })
    }

    /// What to do with a key at or behind the start.
    pub fn compare(&self, key: &[u8]) -> PartialMatch {
        match self {
            ScanKey::Key(wanted) => match key.cmp(wanted) {
                Ordering::Equal => PartialMatch::Take,
                _ => PartialMatch::Stop,
            },
            ScanKey::KeyRange { below, .. } if key >= below.as_slice() => PartialMatch::Stop,
            ScanKey::KeyRange { filter, .. } if filter.accepts(key) => PartialMatch::Take,
            ScanKey::KeyRange { .. } => PartialMatch::Skip,
        }
    }
}

impl KeyFilter {
    fn accepts(&self, key: &[u8]) -> bool {
        match self {
            KeyFilter::All => true,
            KeyFilter::Within(intervals) => is_within(intervals, key),
            KeyFilter::AnyValue { within, probes } => key::value_of(key).is_some_and(|value| {
                is_within(within, value)
                    || probes.iter().any(|probe| probe.test(value) != Ternary::No)
            }),
            KeyFilter::Value(probe) => {
                key::value_of(key).is_some_and(|value| probe.test(value) != Ternary::No)
            }
            KeyFilter::OtherPath(path) => key::path_of(key).is_some_and(|other| other != path),
            KeyFilter::Below(path) => key::is_below(key, path),
        }
    }
}

/// GIN looks at all of a query's keys for each of them, and for each row. From so many on it gets intervals of the index to go through
/// instead, each with a part of the list: that is as long as the values lie apart.
pub const MANY_INTERVALS: usize = 4096;
pub const MAX_RANGES: usize = 64;

/// From one key or value on, and below another.
pub type KeyInterval = (Vec<u8>, Vec<u8>);

/// Whether a key is in one of the intervals, which are in order and apart from each other.
pub fn is_within(intervals: &[KeyInterval], key: &[u8]) -> bool {
    let behind = intervals.partition_point(|(from, _)| from.as_slice() <= key);
    behind.checked_sub(1).is_some_and(|at| key < intervals[at].1.as_slice())
}

/// In order, and those that meet made one.
pub fn merged(mut intervals: Vec<KeyInterval>) -> Vec<KeyInterval> {
    intervals.sort_unstable();
    let mut apart: Vec<KeyInterval> = Vec::with_capacity(intervals.len());
    for (from, below) in intervals {
        match apart.last_mut() {
            Some((_, end)) if from <= *end => *end = below.max(std::mem::take(end)),
            _ => apart.push((from, below)),
        }
    }
    apart
}

/// Keys and ranges for intervals of a path's V keys; of many intervals, ranges with some of them each, of values of one type.
pub fn scan_keys(intervals: Vec<KeyInterval>) -> Vec<ScanKey> {
    if intervals.len() < MANY_INTERVALS {
        return intervals.into_iter().map(scan_key).collect();
    }
    let most = intervals.len().div_ceil(MAX_RANGES);
    let type_of =
        |(from, _): &KeyInterval| key::value_of(from).and_then(|value| value.first().copied());
    intervals
        .chunk_by(|a, b| type_of(a) == type_of(b))
        .flat_map(|of_type| of_type.chunks(most))
        .filter_map(|part| {
            let ((from, _), (_, below)) = (part.first()?, part.last()?);
            let (from, below) = (from.clone(), below.clone());
            Some(ScanKey::KeyRange { from, below, filter: KeyFilter::Within(part.to_vec()) })
        })
        .collect()
}

fn scan_key((from, below): KeyInterval) -> ScanKey {
    match below.split_last() {
        Some((0, rest)) if *rest == from => ScanKey::Key(from),
        _ => ScanKey::KeyRange { from, below, filter: KeyFilter::All },
    }
}
