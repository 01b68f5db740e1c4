//! Predicate × document: the tree, which asks the document only as long as it is not decided.

mod direct;
mod leaf;
mod path_trie;

pub use direct::ask;

use crate::document::Container;
use crate::predicate::{Predicate, Test, Visitor};
use path_trie::{PathTrie, TestResults};
use smallvec::SmallVec;

/// A predicate made ready to ask many documents.
#[derive(Debug)]
pub struct Matcher {
    tree: Node,
    /// How many numbers there are: a test has one.
    tests: usize,
    /// What a test asks, by its number; or what all of them ask, together.
    asks: Vec<PathTrie>,
}

/// So many tests ask one by one, the next one only if the others leave the tree undecided. Of more, asking each by itself would go
/// the same ways again and again.
const FEW: usize = 8;

/// The predicate's tree, its leaves replaced by the numbers of their tests.
#[derive(Debug)]
enum Node {
    Constant(bool),
    Test(usize),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

impl Matcher {
    pub fn new(predicate: &Predicate) -> Matcher {
        let mut leaves = LeafTests::default();
        let tree = predicate.visit(&mut leaves);
        let count = if leaves.tests > FEW { 1 } else { leaves.tests };
        let mut asks: Vec<PathTrie> =
            std::iter::repeat_with(PathTrie::default).take(count).collect();
        for (number, path, test) in leaves.all {
            asks[number.min(count - 1)].add(number, path, test);
        }
        Matcher { tree, tests: leaves.tests, asks }
    }

    /// Whether the document meets the predicate.
    pub fn matches<'a>(&self, document: impl Container<'a>) -> bool {
        let mut known = Evaluation {
            asks: &self.asks,
            asked: SmallVec::from_elem(false, self.asks.len()),
            results: TestResults::from_elem(false, self.tests),
            document,
        };
        self.tree.holds(&mut known)
    }
}

/// The leaves of a predicate, each with the number of the test that it is part of.
#[derive(Default)]
struct LeafTests<'p> {
    tests: usize,
    all: Vec<(usize, Option<&'p str>, &'p Test)>,
}

impl<'p> Visitor<'p> for LeafTests<'p> {
    type Output = Node;

    fn constant(&mut self, holds: bool) -> Node {
        Node::Constant(holds)
    }

    fn condition(&mut self, path: Option<&'p str>, test: &'p Test) -> Node {
        let number = self.number();
        self.all.push((number, path, test));
        Node::Test(number)
    }

    fn and(&mut self, parts: &'p [Predicate]) -> Node {
        Node::And(parts.iter().map(|part| part.visit(self)).collect())
    }

    /// The leaves among the alternatives share a number: it is enough that one of them passes.
    fn or(&mut self, parts: &'p [Predicate]) -> Node {
        let number = self.number();
        let mut nodes = vec![Node::Test(number)];
        for part in parts {
            match part.as_condition() {
                Some((path, test)) => self.all.push((number, path, test)),
                None => nodes.push(part.visit(self)),
            }
        }
        Node::Or(nodes)
    }

    fn not(&mut self, part: &'p Predicate) -> Node {
        Node::Not(Box::new(part.visit(self)))
    }
}

impl LeafTests<'_> {
    fn number(&mut self) -> usize {
        self.tests += 1;
        self.tests - 1
    }
}

/// What is known of a document so far.
struct Evaluation<'m, C> {
    asks: &'m [PathTrie],
    asked: SmallVec<[bool; FEW]>,
    results: TestResults,
    document: C,
}

impl<'a, C: Container<'a>> Evaluation<'_, C> {
    fn holds_test(&mut self, number: usize) -> bool {
        let ask = number.min(self.asks.len() - 1);
        if !std::mem::replace(&mut self.asked[ask], true) {
            self.asks[ask].of(self.document, &mut self.results);
        }
        self.results[number]
    }
}

impl Node {
    fn holds<'a, C: Container<'a>>(&self, known: &mut Evaluation<'_, C>) -> bool {
        match self {
            Node::Constant(value) => *value,
            Node::Test(number) => known.holds_test(*number),
            Node::And(parts) => parts.iter().all(|part| part.holds(known)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(known)),
            Node::Not(part) => !part.holds(known),
        }
    }
}

impl Predicate {
    /// Whether the document meets the condition. To ask many documents, make a [`Matcher`] once.
    pub fn matches<'a>(&self, document: impl Container<'a>) -> bool {
        Matcher::new(self).matches(document)
    }
}
