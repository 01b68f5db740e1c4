//! What a predicate asks of the index: keys, and a tree that says what it means which of them a document has.

use super::intervals::{Interval, in_parts, is_within, united};
use super::key::{self, PathHash};
use super::ranges::{LeafProbe, Ternary, together};
use super::string_code::end_of_prefix;
use crate::interrupts;
use crate::predicate::{Predicate, Test};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Keys, and the tree over them by their places.
#[derive(Debug)]
pub struct Query {
    pub keys: Vec<ScanKey>,
    tree: Node,
}

/// What is looked for in the index.
#[derive(Debug)]
pub enum ScanKey {
    /// A key.
    Key(Vec<u8>),
    /// All keys from one on and below another that pass.
    KeyRange { from: Vec<u8>, below: Vec<u8>, passing: KeyFilter },
}

/// Which keys of a range pass.
#[derive(Debug)]
pub enum KeyFilter {
    All,
    /// Those in one of these intervals, which are in order and apart from each other.
    Within(Vec<Interval>),
    /// V keys, of any path, whose value is in one of these intervals or accepts one of the tests, if that is all that is known of it.
    AnyValue {
        within: Vec<Interval>,
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

#[derive(Debug)]
enum Node {
    Constant(bool),
    Leaf {
        keys: Vec<usize>,
        /// With one of these, a document that has one of `keys` may not meet the leaf all the same.
        doubts: Vec<usize>,
        /// A document that has one of `keys` may always not meet it.
        inexact: bool,
    },
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

impl ScanKey {
    /// The key, or the first one looked at.
    pub fn start(&self) -> &[u8] {
        match self {
            ScanKey::Key(key) => key,
            ScanKey::KeyRange { from, .. } => from,
        }
    }

    pub fn is_span(&self) -> bool {
        matches!(self, ScanKey::KeyRange { .. })
    }

    /// What to do with a key at or behind the start.
    pub fn step(&self, key: &[u8]) -> PartialMatch {
        match self {
            ScanKey::Key(wanted) => match key.cmp(wanted) {
                Ordering::Equal => PartialMatch::Take,
                _ => PartialMatch::Stop,
            },
            ScanKey::KeyRange { below, .. } if key >= below.as_slice() => PartialMatch::Stop,
            ScanKey::KeyRange { passing, .. } if passing.accepts(key) => PartialMatch::Take,
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
                    || probes.iter().any(|probe| probe.holds(value) != Ternary::No)
            }),
            KeyFilter::Value(probe) => {
                key::value_of(key).is_some_and(|value| probe.holds(value) != Ternary::No)
            }
            KeyFilter::OtherPath(path) => key::path_of(key).is_some_and(|other| other != path),
            KeyFilter::Below(path) => key::is_below(key, path),
        }
    }
}

impl Query {
    pub fn new(predicate: &Predicate) -> Query {
        let mut builder = Builder::default();
        let tree = builder.node(predicate);
        // What a document meets that has none of the keys, every document may meet.
        let tree = match tree.truth(&|_| Ternary::No) {
            Ternary::No => tree,
            _ => {
                let keys =
                    key::DOCUMENT_KEYS.map(|key| builder.key(ScanKey::Key(key.to_vec()))).to_vec();
                Node::And(vec![Node::Leaf { keys, doubts: vec![], inexact: false }, tree])
            }
        };
        Query { keys: builder.keys, tree }
    }

    /// Whether a document meets the predicate, given which of the keys it has.
    pub fn truth(&self, has: &impl Fn(usize) -> Ternary) -> Ternary {
        self.tree.truth(has)
    }

    /// Whether no document can meet it.
    pub fn is_none(&self) -> bool {
        self.keys.is_empty()
    }
}

impl Node {
    fn truth(&self, has: &impl Fn(usize) -> Ternary) -> Ternary {
        let least = |parts: &[Node]| {
            let mut least = Ternary::Yes;
            for part in parts {
                least = least.min(part.truth(has));
                if least == Ternary::No {
                    break;
                }
            }
            least
        };
        match self {
            Node::Constant(true) => Ternary::Yes,
            Node::Constant(false) => Ternary::No,
            Node::And(parts) => least(parts),
            Node::Or(parts) => {
                let mut most = Ternary::No;
                for part in parts {
                    most = most.max(part.truth(has));
                    if most == Ternary::Yes {
                        break;
                    }
                }
                most
            }
            // That a key is missing is never sure. While the pending list is merged into the tree (ginInsertCleanup), the keys of a
            // document get there one after the other, and a scan of the tree meets it with some of them.
            Node::Not(part) => match part.truth(has) {
                Ternary::No | Ternary::Maybe => Ternary::Maybe,
                Ternary::Yes => Ternary::No,
            },
            Node::Leaf { keys, doubts, inexact } => {
                let any =
                    |list: &[usize]| list.iter().map(|&at| has(at)).max().unwrap_or(Ternary::No);
                match any(keys) {
                    Ternary::Yes if *inexact || any(doubts) != Ternary::No => Ternary::Maybe,
                    truth => truth,
                }
            }
        }
    }
}

/// Collects the keys, each once where that is cheap to see.
#[derive(Default)]
struct Builder {
    keys: Vec<ScanKey>,
    /// The key that finds documents with another path of the same hash.
    others: HashMap<String, usize>,
    /// The key that finds documents with a cut value at a path.
    cuts: HashMap<PathHash, usize>,
}

impl Builder {
    fn key(&mut self, asked: ScanKey) -> usize {
        self.keys.push(asked);
        self.keys.len() - 1
    }

    fn node(&mut self, predicate: &Predicate) -> Node {
        match predicate {
            Predicate::All => Node::Constant(true),
            Predicate::None => Node::Constant(false),
            Predicate::And(parts) => Node::And(parts.iter().map(|part| self.node(part)).collect()),
            Predicate::Or(parts) => self.any_of(parts),
            Predicate::Not(part) => Node::Not(Box::new(self.node(part))),
            Predicate::Condition { path: Some(path), test: Test::Exists } => self.exists(path),
            Predicate::Condition { path: None, test: Test::Exists } => self.any_leaf(),
            Predicate::Condition { path, test } => {
                self.probes(path.as_deref(), vec![LeafProbe::of_any_version(test)])
            }
        }
    }

    /// GIN does not say whether the index has entries of earlier versions: a probe is for them, too.
    fn probes(&mut self, path: Option<&str>, probes: Vec<LeafProbe>) -> Node {
        match path {
            Some(path) => self.at(path, probes),
            None => self.anywhere(probes),
        }
    }

    /// Patterns that look at the same values become one, and what is asked at one path goes into one list.
    fn any_of(&mut self, parts: &[Predicate]) -> Node {
        let mut nodes = Vec::new();
        let mut tests = Vec::new();
        for part in parts {
            interrupts::spend(1);
            match part {
                Predicate::Condition { path, test } if *test != Test::Exists => {
                    tests.push((path.as_deref(), LeafProbe::of_any_version(test)));
                }
                part => nodes.push(self.node(part)),
            }
        }
        let mut at: BTreeMap<Option<&str>, Vec<LeafProbe>> = BTreeMap::new();
        for (path, probe) in together(tests) {
            at.entry(path).or_default().push(probe);
        }
        nodes.extend(at.into_iter().map(|(path, probes)| self.probes(path, probes)));
        Node::Or(nodes)
    }

    fn exists(&mut self, path: &str) -> Node {
        let (from, below) = key::ALL_PATHS;
        let (from, below) = (from.to_vec(), below.to_vec());
        let passing = KeyFilter::Below(path.to_string());
        let keys = [ScanKey::Key(key::exists(path)), ScanKey::KeyRange { from, below, passing }];
        let keys = keys.map(|asked| self.key(asked)).to_vec();
        Node::Leaf { keys, doubts: vec![], inexact: key::is_truncated_path(path) }
    }

    fn at(&mut self, path: &str, probes: Vec<LeafProbe>) -> Node {
        let hash = PathHash::of(path);
        let full = |stored: &[u8]| key::value(hash, stored);
        let (mut keys, mut intervals, mut are_cut) = (Vec::new(), Vec::new(), false);
        for probe in probes.into_iter().map(Rc::new) {
            interrupts::spend(1);
            for range in &probe.ranges {
                are_cut |= range.recheck;
                let (from, below) = (full(&range.from), full(&range.below));
                if range.recheck && range.point().is_none() {
                    let passing = KeyFilter::Value(probe.clone());
                    keys.push(self.key(ScanKey::KeyRange { from, below, passing }));
                } else {
                    intervals.push((from, below));
                }
            }
        }
        keys.extend(in_parts(united(intervals)).into_iter().map(|asked| self.key(asked)));
        let mut doubts = vec![self.others(path, hash)];
        if are_cut {
            doubts.push(self.cuts(hash));
        }
        Node::Leaf { keys, doubts, inexact: key::is_truncated_path(path) }
    }

    fn others(&mut self, path: &str, hash: PathHash) -> usize {
        if let Some(&at) = self.others.get(path) {
            return at;
        }
        let from = key::exists_prefix(hash).to_vec();
        let below = end_of_prefix(&from);
        let passing = KeyFilter::OtherPath(key::stored_path(path).to_vec());
        let at = self.key(ScanKey::KeyRange { from, below, passing });
        self.others.insert(path.to_string(), at);
        at
    }

    fn cuts(&mut self, hash: PathHash) -> usize {
        if let Some(&at) = self.cuts.get(&hash) {
            return at;
        }
        let at = self.key(ScanKey::Key(key::truncated(hash)));
        self.cuts.insert(hash, at);
        at
    }

    fn any_leaf(&mut self) -> Node {
        self.spanning(key::ALL_PATHS, KeyFilter::All, false)
    }

    /// A value at any path is looked for among the values of all paths, since the paths are not known here.
    fn anywhere(&mut self, probes: Vec<LeafProbe>) -> Node {
        let (asking, others): (Vec<_>, Vec<_>) =
            probes.into_iter().partition(|probe| probe.ranges.iter().any(|range| range.recheck));
        let within = others.into_iter().flat_map(|probe| probe.ranges);
        let within = united(within.map(|range| (range.from, range.below)).collect());
        let inexact = !asking.is_empty();
        self.spanning(key::ALL_VALUES, KeyFilter::AnyValue { within, probes: asking }, inexact)
    }

    fn spanning(
        &mut self,
        (from, below): ([u8; 1], [u8; 1]),
        passing: KeyFilter,
        inexact: bool,
    ) -> Node {
        let asked = ScanKey::KeyRange { from: from.to_vec(), below: below.to_vec(), passing };
        Node::Leaf { keys: vec![self.key(asked)], doubts: vec![], inexact }
    }
}
