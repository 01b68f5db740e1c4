//! What a predicate asks of GIN: keys to look for, and a boolean expression over them that says
//! whether a document matches that has some of the keys.

use super::key::{self, PathHash};
use super::probe::{LeafProbe, combine_patterns};
use super::scan_key::{KeyFilter, ScanKey, merged, scan_keys};
use super::string_code::end_of_prefix;
use super::ternary::Ternary;
use crate::interrupts;
use crate::predicate::{ObjectCondition, Predicate, Test, Visitor};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// The keys to look for, and the expression over them, which names them by number.
#[derive(Debug)]
pub struct IndexQuery {
    /// The keys to look for.
    pub keys: Vec<ScanKey>,
    tree: KeyExpr,
}

#[derive(Debug)]
enum KeyExpr {
    Constant(bool),
    /// A document has at least one of some keys.
    AnyOf {
        keys: Vec<usize>,
        /// If a document has one of these keys as well, it must be rechecked.
        recheck_keys: Vec<usize>,
        /// Whether every document that has one of `keys` must be rechecked.
        recheck: bool,
    },
    And(Vec<KeyExpr>),
    Or(Vec<KeyExpr>),
    Not(Box<KeyExpr>),
    /// Each document that may match must be rechecked.
    Recheck(Box<KeyExpr>),
}

impl IndexQuery {
    /// The keys and the expression for a predicate.
    pub fn new(predicate: &Predicate) -> IndexQuery {
        let mut builder = QueryBuilder::default();
        let tree = predicate.visit(&mut builder);
        // A document without any of the keys may match, so every document may. Then the scan starts
        // from the key of every document.
        let tree = match tree.evaluate(&|_| Ternary::No) {
            Ternary::No => tree,
            _ => {
                let keys =
                    key::DOCUMENT_KEYS.map(|key| builder.add(ScanKey::Key(key.to_vec()))).to_vec();
                KeyExpr::And(vec![
                    KeyExpr::AnyOf { keys, recheck_keys: vec![], recheck: false },
                    tree,
                ])
            }
        };
        IndexQuery { keys: builder.keys, tree }
    }

    /// Whether a document matches, given which of the keys it has.
    pub fn evaluate(&self, has: &impl Fn(usize) -> Ternary) -> Ternary {
        self.tree.evaluate(has)
    }

    /// Whether no document can match.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl KeyExpr {
    fn evaluate(&self, has: &impl Fn(usize) -> Ternary) -> Ternary {
        let least = |parts: &[KeyExpr]| {
            let mut least = Ternary::Yes;
            for part in parts {
                least = least.min(part.evaluate(has));
                if least == Ternary::No {
                    break;
                }
            }
            least
        };
        match self {
            KeyExpr::Constant(true) => Ternary::Yes,
            KeyExpr::Constant(false) => Ternary::No,
            KeyExpr::And(parts) => least(parts),
            KeyExpr::Or(parts) => {
                let mut most = Ternary::No;
                for part in parts {
                    most = most.max(part.evaluate(has));
                    if most == Ternary::Yes {
                        break;
                    }
                }
                most
            }
            // A missing key is never certain. While the pending list is merged into the tree
            // (ginInsertCleanup), the keys of a document get there one after the other, and a scan
            // of the tree may see only some of them.
            KeyExpr::Not(part) => match part.evaluate(has) {
                Ternary::No | Ternary::Maybe => Ternary::Maybe,
                Ternary::Yes => Ternary::No,
            },
            KeyExpr::Recheck(part) => part.evaluate(has).min(Ternary::Maybe),
            KeyExpr::AnyOf { keys, recheck_keys, recheck } => {
                let any =
                    |list: &[usize]| list.iter().map(|&at| has(at)).max().unwrap_or(Ternary::No);
                match any(keys) {
                    Ternary::Yes if *recheck || any(recheck_keys) != Ternary::No => Ternary::Maybe,
                    truth => truth,
                }
            }
        }
    }
}

/// Collects the keys. Keys that are likely to be needed again are added once.
#[derive(Default)]
struct QueryBuilder {
    keys: Vec<ScanKey>,
    /// The keys that find documents with another path of the same hash.
    other_paths: HashMap<String, usize>,
    /// The keys that find documents with a truncated value at a path.
    truncated: HashMap<PathHash, usize>,
}

impl<'p> Visitor<'p> for QueryBuilder {
    type Output = KeyExpr;

    fn constant(&mut self, holds: bool) -> KeyExpr {
        KeyExpr::Constant(holds)
    }

    fn condition(&mut self, path: Option<&'p str>, test: &'p Test) -> KeyExpr {
        match path {
            Some(path) if test.is_existence() => self.exists(path),
            None if test.is_existence() => self.any_path(),
            // GIN does not say whether the index has entries of earlier versions.
            path => self.probes(path, vec![LeafProbe::for_any_version(test)]),
        }
    }

    fn object(&mut self, object: &'p ObjectCondition) -> KeyExpr {
        KeyExpr::Recheck(Box::new(object.necessary.visit(self)))
    }

    fn and(&mut self, parts: &'p [Predicate]) -> KeyExpr {
        KeyExpr::And(parts.iter().map(|part| part.visit(self)).collect())
    }

    /// Combines alternatives: patterns that read the same values become one probe, and all probes
    /// at one path become one list.
    fn or(&mut self, parts: &'p [Predicate]) -> KeyExpr {
        let mut exprs = Vec::new();
        let mut tests = Vec::new();
        for part in parts {
            interrupts::spend(1);
            match part.as_condition() {
                Some((path, test)) if !test.is_existence() => {
                    tests.push((path, LeafProbe::for_any_version(test)));
                }
                _ => exprs.push(part.visit(self)),
            }
        }
        let mut at: BTreeMap<Option<&str>, Vec<LeafProbe>> = BTreeMap::new();
        for (path, probe) in combine_patterns(tests) {
            at.entry(path).or_default().push(probe);
        }
        exprs.extend(at.into_iter().map(|(path, probes)| self.probes(path, probes)));
        KeyExpr::Or(exprs)
    }

    fn not(&mut self, part: &'p Predicate) -> KeyExpr {
        KeyExpr::Not(Box::new(part.visit(self)))
    }
}

impl QueryBuilder {
    fn add(&mut self, scan_key: ScanKey) -> usize {
        self.keys.push(scan_key);
        self.keys.len() - 1
    }

    /// The keys for probes at a path, or at any path.
    fn probes(&mut self, path: Option<&str>, probes: Vec<LeafProbe>) -> KeyExpr {
        match path {
            Some(path) => self.at_path(path, probes),
            None => self.at_any_path(probes),
        }
    }

    fn exists(&mut self, path: &str) -> KeyExpr {
        let (from, below) = key::ALL_PATHS;
        let (from, below) = (from.to_vec(), below.to_vec());
        let filter = KeyFilter::Below(path.to_string());
        let keys = [ScanKey::Key(key::exists(path)), ScanKey::Range { from, below, filter }];
        let keys = keys.map(|scan_key| self.add(scan_key)).to_vec();
        KeyExpr::AnyOf { keys, recheck_keys: vec![], recheck: key::is_truncated_path(path) }
    }

    fn at_path(&mut self, path: &str, probes: Vec<LeafProbe>) -> KeyExpr {
        let hash = PathHash::of(path);
        let full = |stored: &[u8]| key::value(hash, stored);
        let (mut keys, mut intervals, mut is_truncated) = (Vec::new(), Vec::new(), false);
        for probe in probes.into_iter().map(Rc::new) {
            interrupts::spend(1);
            for range in &probe.ranges {
                is_truncated |= range.recheck;
                let (from, below) = (full(&range.from), full(&range.below));
                if range.recheck && range.point().is_none() {
                    let filter = KeyFilter::Value(probe.clone());
                    keys.push(self.add(ScanKey::Range { from, below, filter }));
                } else {
                    intervals.push((from, below));
                }
            }
        }
        keys.extend(scan_keys(merged(intervals)).into_iter().map(|scan_key| self.add(scan_key)));
        let mut recheck_keys = vec![self.other_paths(path, hash)];
        if is_truncated {
            recheck_keys.push(self.truncated(hash));
        }
        KeyExpr::AnyOf { keys, recheck_keys, recheck: key::is_truncated_path(path) }
    }

    fn other_paths(&mut self, path: &str, hash: PathHash) -> usize {
        if let Some(&at) = self.other_paths.get(path) {
            return at;
        }
        let from = key::exists_prefix(hash).to_vec();
        let below = end_of_prefix(&from);
        let filter = KeyFilter::OtherPath(key::stored_path(path).to_vec());
        let at = self.add(ScanKey::Range { from, below, filter });
        self.other_paths.insert(path.to_string(), at);
        at
    }

    fn truncated(&mut self, hash: PathHash) -> usize {
        if let Some(&at) = self.truncated.get(&hash) {
            return at;
        }
        let at = self.add(ScanKey::Key(key::truncated(hash)));
        self.truncated.insert(hash, at);
        at
    }

    fn any_path(&mut self) -> KeyExpr {
        self.one_range(key::ALL_PATHS, KeyFilter::All, false)
    }

    /// Finds a value at any path. The paths are not known here, so it is looked for among the
    /// values of all paths.
    fn at_any_path(&mut self, probes: Vec<LeafProbe>) -> KeyExpr {
        let (with_recheck, others): (Vec<_>, Vec<_>) =
            probes.into_iter().partition(|probe| probe.ranges.iter().any(|range| range.recheck));
        let within = others.into_iter().flat_map(|probe| probe.ranges);
        let within = merged(within.map(|range| (range.from, range.below)).collect());
        let recheck = !with_recheck.is_empty();
        self.one_range(
            key::ALL_VALUES,
            KeyFilter::AnyValue { within, probes: with_recheck },
            recheck,
        )
    }

    fn one_range(
        &mut self,
        (from, below): ([u8; 1], [u8; 1]),
        filter: KeyFilter,
        recheck: bool,
    ) -> KeyExpr {
        let scan_key = ScanKey::Range { from: from.to_vec(), below: below.to_vec(), filter };
        KeyExpr::AnyOf { keys: vec![self.add(scan_key)], recheck_keys: vec![], recheck }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan_key::{MANY_INTERVALS, MAX_RANGES, PartialMatch};
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

    /// However many values a list has, it takes what is in it and nothing else, and GIN gets few
    /// keys for a long one.
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
