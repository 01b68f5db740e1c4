//! Whether a value that the index holds passes a test.

use super::key;
use super::ranges::{InstantSearch, KeyRange, ranges};
use super::string_code::{self, Unpacked};
use super::ternary::Ternary;
use crate::document::{BOOLEAN, NUMBER, Scalar, unordered_instant};
use crate::interrupts;
use crate::pattern::{DeadPrefix, DenseDfa};
use crate::predicate::{Predicate, Test};
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;

#[cfg(test)]
mod tests;

/// A test, or several as alternatives, ready to test stored values.
#[derive(Debug, Clone)]
pub struct LeafProbe {
    /// The ranges in which values lie that can pass.
    pub ranges: Vec<KeyRange>,
    /// All of them have these ranges.
    tests: Vec<Test>,
    /// How many strings were tested so far. Once they are many, `union` is made, and tests the
    /// further ones.
    tested: Cell<usize>,
    union: OnceCell<UnitedTests>,
    /// Whether instants are found by keys of their own. Their strings are then skipped, or they
    /// would count twice.
    has_instant_keys: bool,
}

/// Several tests, with as few automata as possible: one tests a string for many patterns at once.
#[derive(Debug, Clone)]
struct UnitedTests {
    /// The wildcards that end in `*`, without it: they accept a string by its beginning.
    prefixes: Option<DenseDfa>,
    /// The other wildcards: they accept a string as a whole.
    full: Option<DenseDfa>,
    /// The tests that go into no automaton.
    others: Vec<Test>,
}

/// The number of tested strings from which on it pays to make automata.
const UNITE_AFTER_TEXTS: usize = 1_000;

/// Combines the probes of alternatives: patterns with the same path and ranges become one probe, so
/// that the values in those ranges are read once for all of them.
pub fn combine_patterns<'l>(
    probes: impl IntoIterator<Item = (Option<&'l str>, LeafProbe)>,
) -> Vec<(Option<&'l str>, LeafProbe)> {
    let mut united: Vec<(Option<&str>, LeafProbe)> = Vec::new();
    let mut known: HashMap<(Option<&str>, Vec<KeyRange>), usize> = HashMap::new();
    for (path, probe) in probes {
        interrupts::spend(1);
        if probe.is_of_patterns() {
            let at = *known.entry((path, probe.ranges.clone())).or_insert(united.len());
            if let Some((_, known)) = united.get_mut(at) {
                known.tests.extend(probe.tests);
                continue;
            }
        }
        united.push((path, probe));
    }
    united
}

impl UnitedTests {
    fn new(tests: &[Test]) -> UnitedTests {
        let (mut prefixes, mut full, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for test in tests {
            let pattern = match test {
                Test::Wildcard(wildcard) => wildcard.simple_pattern(),
                Test::Regexp(_) | Test::Fuzzy(_) => None,
                Test::Equal(_) | Test::Range { .. } | Test::Prefix(_) | Test::Exists => None,
            };
            match pattern {
                Some((pattern, true)) => prefixes.push((pattern, test)),
                Some((pattern, false)) => full.push((pattern, test)),
                None => others.push(test.clone()),
            }
        }
        let mut union_of = |list: Vec<(String, &Test)>| {
            let patterns = list.iter().map(|(pattern, _)| pattern.clone());
            let union = if list.len() > 1 { DenseDfa::union(patterns) } else { None };
            if union.is_none() {
                others.extend(list.into_iter().map(|(_, test)| test.clone()));
            }
            union
        };
        let (prefixes, full) = (union_of(prefixes), union_of(full));
        UnitedTests { prefixes, full, others }
    }
}

impl LeafProbe {
    /// For an index whose entries were all written by this version.
    pub fn new(test: &Test) -> LeafProbe {
        LeafProbe::with_instants(test, InstantSearch::ByKey)
    }

    /// For an index that may have entries of earlier versions.
    pub fn for_any_version(test: &Test) -> LeafProbe {
        LeafProbe::with_instants(test, InstantSearch::ByText)
    }

    fn with_instants(test: &Test, instants: InstantSearch) -> LeafProbe {
        let ranges = ranges(test, instants);
        let has_instant_keys = ranges.iter().any(|range| range.from.first() == Some(&key::INSTANT));
        let (tests, tested, union) = (vec![test.clone()], Cell::new(0), OnceCell::new());
        LeafProbe { ranges, tests, tested, union, has_instant_keys }
    }

    /// Whether it reads keys that versions before 0.5.0 did not write.
    pub fn has_instant_keys(&self) -> bool {
        self.has_instant_keys
    }

    fn is_of_patterns(&self) -> bool {
        !self.has_instant_keys && self.tests.iter().all(Test::is_pattern)
    }

    /// The predicate that tests a document in the same way, where the values are those at a path.
    pub fn predicate(&self, path: Option<&str>) -> Predicate {
        let leaf = |test: &Test| Predicate::Condition {
            path: path.map(str::to_string),
            test: test.clone(),
        };
        Predicate::any_of(self.tests.iter().map(leaf))
    }

    /// Whether a stored value passes.
    pub fn test(&self, value: &[u8]) -> Ternary {
        match self.ranges.iter().find(|range| range.contains(value)) {
            None => Ternary::No,
            Some(range) if range.recheck => self.recheck(value),
            Some(_) => Ternary::Yes,
        }
    }

    /// Whether a stored value passes that lies in a range with `recheck`.
    pub fn recheck(&self, stored: &[u8]) -> Ternary {
        self.test_value(string_code::unpack(stored, &mut Unpacked::new())).unwrap_or(Ternary::No)
    }

    /// As [`LeafProbe::recheck`]. If no value can pass that begins as this one does, the error is
    /// the first bytes behind all of those, so that a walk can seek to there.
    pub fn recheck_or_seek(&self, stored: &[u8]) -> Result<Ternary, Vec<u8>> {
        let mut scratch = Unpacked::new();
        let value = string_code::unpack(stored, &mut scratch);
        self.test_value(value).map_err(|DeadPrefix(length)| {
            string_code::behind(stored, &value[..value.len().min(length)])
        })
    }

    fn test_value(&self, value: &[u8]) -> Result<Ternary, DeadPrefix> {
        let Some((kind, bytes)) = value.split_first() else { return Ok(Ternary::No) };
        if key::is_truncated_value(value) {
            return Ok(self.test_truncated(bytes));
        }
        let accepts = |scalar: Scalar<'_>| self.tests.iter().any(|test| test.accepts(&scalar));
        let passes = match *kind {
            NUMBER => accepts(Scalar::Number(bytes)),
            BOOLEAN => accepts(Scalar::Bool(bytes == [1])),
            _ => match std::str::from_utf8(bytes) {
                Ok(text) if self.has_instant_keys && unordered_instant(text).is_some() => false,
                Ok(text) => {
                    self.test_text(text).map_err(|DeadPrefix(length)| DeadPrefix(1 + length))?
                }
                Err(_) => return Ok(Ternary::Maybe),
            },
        };
        Ok(if passes { Ternary::Yes } else { Ternary::No })
    }

    /// Whether a string passes one of the tests. If none can accept any string with the same
    /// beginning, the error is the length of that beginning.
    fn test_text(&self, text: &str) -> Result<bool, DeadPrefix> {
        self.tested.set(self.tested.get() + 1);
        let is_many = self.tests.len() > 1 && self.tested.get() > UNITE_AFTER_TEXTS;
        let union = is_many.then(|| self.union.get_or_init(|| UnitedTests::new(&self.tests)));
        let prefixes = union.and_then(|union| union.prefixes.as_ref());
        let full = union.and_then(|union| union.full.as_ref());
        let answers = prefixes
            .map(|automaton| automaton.matches_prefix(text))
            .into_iter()
            .chain(full.map(|automaton| automaton.check(text)));
        let tests = union.map_or(&self.tests, |union| &union.others);
        let mut dead = Some(0);
        for answer in answers.chain(tests.iter().map(|test| test.check(text))) {
            interrupts::spend(1);
            match answer {
                Ok(true) => return Ok(true),
                Ok(false) => dead = None,
                Err(DeadPrefix(length)) => dead = dead.map(|longest: usize| longest.max(length)),
            }
        }
        dead.map_or(Ok(false), |length| Err(DeadPrefix(length)))
    }

    /// Tests a truncated value, of which only the first bytes are known.
    fn test_truncated(&self, bytes: &[u8]) -> Ternary {
        let is_ruled_out = |test: &Test| match test {
            // A character has at most four bytes.
            Test::Fuzzy(fuzzy) => {
                (fuzzy.text().chars().count() + usize::from(fuzzy.edits())) * 4 < bytes.len()
            }
            Test::Wildcard(wildcard) => !wildcard.could_start(bytes),
            Test::Regexp(regexp) => !regexp.could_start(bytes),
            Test::Equal(_) | Test::Range { .. } | Test::Prefix(_) | Test::Exists => false,
        };
        if self.tests.iter().all(is_ruled_out) { Ternary::No } else { Ternary::Maybe }
    }
}
