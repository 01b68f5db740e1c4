//! What tests ask of a document: one walk along the paths that they look at.

use crate::document::{Container, Item, Leaf, Scalar, Scratch};
use crate::interrupts;
use crate::predicate::Test;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The leaves that some tests look at, each test by its number.
#[derive(Debug)]
pub struct PathTrie {
    /// The places on the paths that are asked for. They name each other by number: a path may have more keys than a thread's
    /// stack has room for calls.
    steps: Vec<PathNode>,
    anywhere: Tests,
}

/// Where all paths begin.
const ROOT: usize = 0;

/// What is asked at a path, and of the paths that go on from there.
#[derive(Debug, Default)]
struct PathNode {
    /// By length, then bytes, as the keys of a jsonb object. A key of the path is between dots.
    next: Vec<(Box<str>, usize)>,
    here: Tests,
    /// Which tests ask for a leaf here or below.
    exists: Vec<usize>,
}

/// The tests that look at the leaves of one path, by number. A long list of values is a look-up and not a walk.
#[derive(Debug, Default)]
struct Tests {
    texts: BTreeMap<Box<str>, Vec<usize>>,
    numbers: BTreeMap<Box<[u8]>, Vec<usize>>,
    others: Vec<(usize, Test)>,
}

/// Which tests were results: few queries have more.
pub type TestResults = SmallVec<[bool; 64]>;

impl Default for PathTrie {
    fn default() -> Self {
        PathTrie { steps: vec![PathNode::default()], anywhere: Tests::default() }
    }
}

impl PathTrie {
    /// Asks for a leaf, at this path or at any, that passes.
    pub fn add(&mut self, number: usize, path: Option<&str>, test: &Test) {
        let Some(path) = path else { return self.anywhere.add(number, test) };
        let at = path.split('.').fold(ROOT, |at, key| self.make(at, key));
        let step = &mut self.steps[at];
        match test.is_existence() {
            true => step.exists.push(number),
            false => step.here.add(number, test),
        }
    }

    /// The place behind a key without dots.
    fn next(&self, at: usize, key: &str) -> Option<usize> {
        let step = &self.steps[at];
        step.position(key).ok().map(|place| step.next[place].1)
    }

    /// The same, made if there is none yet.
    fn make(&mut self, at: usize, key: &str) -> usize {
        let made = self.steps.len();
        let step = &mut self.steps[at];
        interrupts::spend(1 + step.next.len() / 64);
        match step.position(key) {
            Ok(place) => step.next[place].1,
            Err(place) => {
                step.next.insert(place, (key.into(), made));
                self.steps.push(PathNode::default());
                made
            }
        }
    }

    /// Marks the tests that the document passes.
    pub fn of<'a>(&self, document: impl Container<'a>, results: &mut TestResults) {
        if !self.steps[ROOT].next.is_empty() {
            self.follow(document, results);
        }
        if !self.anywhere.is_empty() {
            let mut scratch = Scratch::new();
            each_leaf(document, &mut |leaf| {
                self.anywhere.visit(leaf, &mut scratch, results);
                true
            });
        }
    }

    /// Visits what lies on the paths, and goes into nothing else. Keeps its own stack: arrays may be nested deeper than a
    /// thread's.
    fn follow<'a, C: Container<'a>>(&self, document: C, results: &mut TestResults) {
        let mut scratch = Scratch::new();
        let mut open: SmallVec<[(C, usize); 16]> = SmallVec::new();
        open.push((document, ROOT));
        while let Some((container, at)) = open.pop() {
            interrupts::spend(1);
            // `ends`: whether the key leads to the step's own place, and not through it.
            let mut visit = |item: Item<'a, C>, at: usize, ends: bool| match item {
                Item::Leaf(leaf) if ends => self.steps[at].visit(leaf, &mut scratch, results),
                item => {
                    self.steps[at].pass_through(item, results);
                    if let (Item::Container(inner), true) = (item, ends) {
                        open.push((inner, at));
                    }
                }
            };
            match &self.steps[at].next[..] {
                [] => {}
                wanted
                    if wanted.len() <= container.member_count() && !container.has_dotted_key() =>
                {
                    for (key, next) in wanted {
                        if let Some(item) = container.member(key) {
                            visit(item, *next, true);
                        }
                    }
                }
                // A dot within a key is as good as nesting.
                _ => {
                    for (key, item) in container.members() {
                        let mut keys = key.split('.').peekable();
                        let mut reached = Some(at);
                        while let (Some(at), Some(key)) = (reached, keys.next()) {
                            reached = self.next(at, key);
                            if let Some(next) = reached {
                                visit(item, next, keys.peek().is_none());
                            }
                        }
                    }
                }
            }
            for item in container.elements() {
                match item {
                    // A document that is a lone scalar, or an array of some, has leaves at the empty path.
                    Item::Leaf(_) if at == ROOT => {
                        if let Some(empty) = self.next(at, "") {
                            visit(item, empty, true);
                        }
                    }
                    item => visit(item, at, true),
                }
            }
        }
    }
}

/// Calls `visit` with every leaf, in any order and without its path, until it says false.
fn each_leaf<'a, C: Container<'a>>(root: C, visit: &mut impl FnMut(Leaf<'a>) -> bool) {
    let mut open: SmallVec<[C; 16]> = SmallVec::new();
    open.push(root);
    while let Some(container) = open.pop() {
        interrupts::spend(1);
        for item in container.elements().chain(container.members().map(|(_, item)| item)) {
            match item {
                Item::Null => {}
                Item::Leaf(leaf) if !visit(leaf) => return,
                Item::Leaf(_) => {}
                Item::Container(inner) => open.push(inner),
            }
        }
    }
}

fn has_leaf<'a>(container: impl Container<'a>) -> bool {
    let mut found = false;
    each_leaf(container, &mut |_| {
        found = true;
        false
    });
    found
}

impl PathNode {
    fn position(&self, key: &str) -> Result<usize, usize> {
        self.next.binary_search_by(|(next, _)| {
            next.len().cmp(&key.len()).then_with(|| next.as_bytes().cmp(key.as_bytes()))
        })
    }

    /// Marks what asks for a leaf here or below, if there is one in the item.
    fn pass_through<'a, C: Container<'a>>(&self, item: Item<'a, C>, results: &mut TestResults) {
        let is_open = self.exists.iter().any(|&number| !results[number]);
        let has_leaf = || match item {
            Item::Null => false,
            Item::Leaf(_) => true,
            Item::Container(inner) => has_leaf(inner),
        };
        if is_open && has_leaf() {
            mark(Some(&self.exists), results);
        }
    }

    fn visit(&self, leaf: Leaf<'_>, scratch: &mut Scratch, results: &mut TestResults) {
        mark(Some(&self.exists), results);
        if !self.here.is_empty() {
            self.here.visit(leaf, scratch, results);
        }
    }
}

impl Tests {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.numbers.is_empty() && self.others.is_empty()
    }

    fn add(&mut self, number: usize, test: &Test) {
        match test {
            Test::Equal(value) if value.instant.is_none() && value.boolean.is_none() => {
                self.texts.entry(value.text.as_str().into()).or_default().push(number);
                if let Some(ordered) = &value.ordered {
                    self.numbers.entry(ordered.clone()).or_default().push(number);
                }
            }
            test => self.others.push((number, test.clone())),
        }
    }

    fn visit(&self, leaf: Leaf<'_>, scratch: &mut Scratch, results: &mut TestResults) {
        if let Leaf::Number(_) = leaf
            && self.numbers.is_empty()
            && self.others.is_empty()
        {
            return;
        }
        let Some(leaf) = leaf.scalar(scratch) else { return };
        match leaf {
            Scalar::String(text) if !self.texts.is_empty() => mark(self.texts.get(text), results),
            Scalar::Number(bytes) if !self.numbers.is_empty() => {
                mark(self.numbers.get(bytes), results);
            }
            _ => {}
        }
        for (number, test) in &self.others {
            interrupts::spend(1);
            results[*number] = results[*number] || test.accepts(&leaf);
        }
    }
}

fn mark(numbers: Option<&Vec<usize>>, results: &mut TestResults) {
    for &number in numbers.into_iter().flatten() {
        results[number] = true;
    }
}
