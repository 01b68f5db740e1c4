//! Long lists of values, as intervals of keys.

use super::key;
use super::query::{KeyFilter, ScanKey};

/// GIN looks at all of a query's keys for each of them, and for each row. From so many on it gets intervals of the index to go through
/// instead, each with a part of the list: that is as long as the values lie apart.
const MANY_INTERVALS: usize = 4096;
const MAX_RANGES: usize = 64;

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

#[cfg(test)]
mod tests {
    use super::super::key::PathHash;
    use super::super::query::{IndexQuery, PartialMatch};
    use super::*;
    use crate::predicate::lower;
    use crate::syntax::parse;

    fn query(text: &str) -> IndexQuery {
        IndexQuery::new(
            &lower(&parse(text).unwrap(), chrono::DateTime::UNIX_EPOCH).unwrap().predicate,
        )
    }

    fn takes(query: &IndexQuery, value: &str) -> bool {
        let stored = [&[crate::document::STRING], value.as_bytes()].concat();
        let key = key::value(PathHash::of("a"), &stored);
        query.keys.iter().any(|scan_key| {
            scan_key.start() <= key.as_slice() && scan_key.compare(&key) == PartialMatch::Take
        })
    }

    /// However many there are, a list takes what is in it and nothing else, and GIN gets few keys of a long one.
    #[test]
    fn long_lists_are_few_keys() {
        for count in [10, MANY_INTERVALS + 1_000] {
            let list = (0..count).map(|i| format!("v{}", i * 2)).collect::<Vec<_>>().join(" ");
            for path in ["a:", ""] {
                let query = query(&format!("{path}({list} w*)"));
                assert!(query.keys.len() < 2 * MAX_RANGES + 3, "{}", query.keys.len());
                for i in 0..2 * count {
                    assert_eq!(takes(&query, &format!("v{i}")), i % 2 == 0, "{path}v{i}");
                }
                assert!(takes(&query, "w7") && !takes(&query, "x"));
            }
        }
    }
}
