//! The paths that tests look at, as a trie: one walk along them evaluates all tests.

use crate::document::{Container, Item, Leaf, Scalar, Scratch};
use crate::interrupts;
use crate::predicate::Test;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Numbered tests, each at the path whose leaves it looks at.
#[derive(Debug)]
pub struct PathTrie {
    /// The nodes, which refer to each other by their number. They are not boxed within each other,
    /// since a path may have more keys than the thread's stack allows nested calls.
    nodes: Vec<PathNode>,
    /// The tests that look at the leaves of all paths.
    any_path: PathTests,
}

/// The number of the node where all paths begin.
const ROOT_NODE: usize = 0;

/// The tests at one path, and the nodes of the paths that continue it by one key.
#[derive(Debug, Default)]
struct PathNode {
    /// Keys and the nodes they lead to, sorted by length and then by bytes, as jsonb sorts keys. A
    /// key is the part of a path between two dots.
    children: Vec<(Box<str>, usize)>,
    at_path: PathTests,
    /// The existence tests: any leaf at this path or below it satisfies them.
    exists: Vec<usize>,
}

/// The tests that look at the leaves of one path, by number. Values that must be equal are looked
/// up, so that a long list of them takes no longer than one.
#[derive(Debug, Default)]
struct PathTests {
    texts: BTreeMap<Box<str>, Vec<usize>>,
    numbers: BTreeMap<Box<[u8]>, Vec<usize>>,
    others: Vec<(usize, Test)>,
}

/// Whether a test is satisfied, by its number. Most queries have at most 64 tests, and need no
/// heap.
pub type TestResults = SmallVec<[bool; 64]>;

impl Default for PathTrie {
    fn default() -> Self {
        PathTrie { nodes: vec![PathNode::default()], any_path: PathTests::default() }
    }
}

impl PathTrie {
    /// Adds a test at a path or, without a path, at all paths. Several tests may have one number:
    /// it is marked if one of them is satisfied.
    pub fn add(&mut self, number: usize, path: Option<&str>, test: &Test) {
        let Some(path) = path else { return self.any_path.add(number, test) };
        let at = path.split('.').fold(ROOT_NODE, |at, key| self.child_or_insert(at, key));
        let node = &mut self.nodes[at];
        match test.is_existence() {
            true => node.exists.push(number),
            false => node.at_path.add(number, test),
        }
    }

    /// The node that a key without dots leads to.
    fn child(&self, at: usize, key: &str) -> Option<usize> {
        let node = &self.nodes[at];
        node.position(key).ok().map(|place| node.children[place].1)
    }

    /// The same node, which is inserted if it does not exist yet.
    fn child_or_insert(&mut self, at: usize, key: &str) -> usize {
        let inserted = self.nodes.len();
        let node = &mut self.nodes[at];
        interrupts::spend(1 + node.children.len() / 64);
        match node.position(key) {
            Ok(place) => node.children[place].1,
            Err(place) => {
                node.children.insert(place, (key.into(), inserted));
                self.nodes.push(PathNode::default());
                inserted
            }
        }
    }

    /// Marks the tests that the document satisfies.
    pub fn evaluate<'a>(&self, document: impl Container<'a>, results: &mut TestResults) {
        if !self.nodes[ROOT_NODE].children.is_empty() {
            self.follow(document, results);
        }
        if !self.any_path.is_empty() {
            let mut scratch = Scratch::new();
            each_leaf(document, &mut |leaf| {
                self.any_path.visit(leaf, &mut scratch, results);
                true
            });
        }
    }

    /// Visits what lies on the paths and nothing else. Keeps a stack of its own, since arrays may
    /// be nested deeper than the thread's stack allows.
    fn follow<'a, C: Container<'a>>(&self, document: C, results: &mut TestResults) {
        let mut scratch = Scratch::new();
        let mut open: SmallVec<[(C, usize); 16]> = SmallVec::new();
        open.push((document, ROOT_NODE));
        while let Some((container, at)) = open.pop() {
            interrupts::spend(1);
            // `ends` is false where a dotted key goes on below the node.
            let mut visit = |item: Item<'a, C>, at: usize, ends: bool| match item {
                Item::Leaf(leaf) if ends => self.nodes[at].visit(leaf, &mut scratch, results),
                item => {
                    self.nodes[at].pass_through(item, results);
                    if let (Item::Container(inner), true) = (item, ends) {
                        open.push((inner, at));
                    }
                }
            };
            match &self.nodes[at].children[..] {
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
                // A dot within a key means the same as nesting.
                _ => {
                    for (key, item) in container.members() {
                        let mut keys = key.split('.').peekable();
                        let mut reached = Some(at);
                        while let (Some(at), Some(key)) = (reached, keys.next()) {
                            reached = self.child(at, key);
                            if let Some(next) = reached {
                                visit(item, next, keys.peek().is_none());
                            }
                        }
                    }
                }
            }
            for item in container.elements() {
                match item {
                    // A document that is a scalar or an array of scalars has its leaves at the
                    // empty path.
                    Item::Leaf(_) if at == ROOT_NODE => {
                        if let Some(empty) = self.child(at, "") {
                            visit(item, empty, true);
                        }
                    }
                    item => visit(item, at, true),
                }
            }
        }
    }
}

/// Calls `visit` with every leaf, in any order and without its path, until it returns false.
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

/// Whether there is any leaf in a container.
pub fn has_leaf<'a>(container: impl Container<'a>) -> bool {
    let mut found = false;
    each_leaf(container, &mut |_| {
        found = true;
        false
    });
    found
}

impl PathNode {
    fn position(&self, key: &str) -> Result<usize, usize> {
        self.children.binary_search_by(|(next, _)| {
            next.len().cmp(&key.len()).then_with(|| next.as_bytes().cmp(key.as_bytes()))
        })
    }

    /// Marks the existence tests of the node if there is a leaf in the item.
    fn pass_through<'a, C: Container<'a>>(&self, item: Item<'a, C>, results: &mut TestResults) {
        let is_undecided = self.exists.iter().any(|&number| !results[number]);
        let has_leaf = || match item {
            Item::Null => false,
            Item::Leaf(_) => true,
            Item::Container(inner) => has_leaf(inner),
        };
        if is_undecided && has_leaf() {
            mark(Some(&self.exists), results);
        }
    }

    fn visit(&self, leaf: Leaf<'_>, scratch: &mut Scratch, results: &mut TestResults) {
        mark(Some(&self.exists), results);
        if !self.at_path.is_empty() {
            self.at_path.visit(leaf, scratch, results);
        }
    }
}

impl PathTests {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.numbers.is_empty() && self.others.is_empty()
    }

    fn add(&mut self, number: usize, test: &Test) {
        match test {
            Test::Equal(value) if value.instants.is_none() && value.boolean.is_none() => {
                self.texts.entry(value.text.as_str().into()).or_default().push(number);
                if let Some(ordered) = &value.ordered {
                    self.numbers.entry(ordered.first.clone()).or_default().push(number);
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
