//! What GIN is asked to look for: single keys, and ranges of keys with a filter.

use super::key;
use super::probe::LeafProbe;
use super::ternary::Ternary;
use std::cmp::Ordering;
use std::rc::Rc;

/// What GIN is asked to look for.
#[derive(Debug)]
pub enum ScanKey {
    /// One key.
    Key(Vec<u8>),
    /// The keys from `from` up to but not including `below` that pass the filter.
    Range { from: Vec<u8>, below: Vec<u8>, filter: KeyFilter },
}

/// Which keys of a range are taken.
#[derive(Debug)]
pub enum KeyFilter {
    /// Every key.
    All,
    /// Keys in one of these intervals, which are in order and do not overlap.
    Within(Vec<KeyInterval>),
    /// V keys of any path, whose value is in one of these intervals or may pass one of the probes.
    AnyValue { within: Vec<KeyInterval>, probes: Vec<LeafProbe> },
    /// V keys whose value may pass the probe.
    Value(Rc<LeafProbe>),
    /// E keys of every path but this one.
    OtherPath(Vec<u8>),
    /// E keys of the paths below this one.
    Below(String),
}

/// What to do with a key of the index, when keys come in order (compare_partial in the GIN manual).
#[derive(Debug, PartialEq, Eq)]
pub enum PartialMatch {
    /// The key is one of those looked for.
    Take,
    /// It is not, but keys behind it may be.
    Skip,
    /// This key and all keys behind it are behind the range.
    Stop,
}

impl ScanKey {
    /// The key, or the first key of the range.
    pub fn start(&self) -> &[u8] {
        match self {
            ScanKey::Key(key) => key,
            ScanKey::Range { from, .. } => from,
        }
    }

    /// Whether it is a range, which GIN calls a partial match.
    pub fn is_range(&self) -> bool {
        matches!(self, ScanKey::Range { .. })
    }

    /// What to do with a key that is not before the start.
    pub fn compare(&self, key: &[u8]) -> PartialMatch {
        match self {
            ScanKey::Key(wanted) => match key.cmp(wanted) {
                Ordering::Equal => PartialMatch::Take,
                _ => PartialMatch::Stop,
            },
            ScanKey::Range { below, .. } if key >= below.as_slice() => PartialMatch::Stop,
            ScanKey::Range { filter, .. } if filter.accepts(key) => PartialMatch::Take,
            ScanKey::Range { .. } => PartialMatch::Skip,
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

/// GIN spends time on all keys of a query for each of them, and for each row. So a list of 4,096
/// intervals or more becomes ranges with a filter, each for a part of the list.
pub const MANY_INTERVALS: usize = 4096;
/// How many ranges a long list becomes. More of them skip more of the keys that lie between the
/// values; fewer of them are fewer keys for GIN.
pub const MAX_RANGES: usize = 64;

/// An interval of keys, or of stored values: its start is in it, its end is not.
pub type KeyInterval = (Vec<u8>, Vec<u8>);

/// Whether a key is in one of the intervals, which are in order and do not overlap.
pub fn is_within(intervals: &[KeyInterval], key: &[u8]) -> bool {
    let behind = intervals.partition_point(|(from, _)| from.as_slice() <= key);
    behind.checked_sub(1).is_some_and(|at| key < intervals[at].1.as_slice())
}

/// Puts intervals in order, and merges those that meet or overlap.
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

/// The scan keys for intervals of a path's V keys. Many intervals become at most about `MAX_RANGES`
/// ranges, each with a part of them, of values of one type.
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
            Some(ScanKey::Range { from, below, filter: KeyFilter::Within(part.to_vec()) })
        })
        .collect()
}

fn scan_key((from, below): KeyInterval) -> ScanKey {
    match below.split_last() {
        Some((0, rest)) if *rest == from => ScanKey::Key(from),
        _ => ScanKey::Range { from, below, filter: KeyFilter::All },
    }
}
