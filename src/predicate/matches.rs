//! Predicate × document: one walk over the leaves, then the tree.

use super::{Predicate, Test};
use crate::document::{Decimal, Document, Scalar};
use std::collections::HashMap;

/// A predicate made ready to ask many documents.
#[derive(Debug, Default)]
pub struct Matcher {
    tree: Node,
    /// How many numbers there are: a test has one.
    tests: usize,
    at: HashMap<String, Tests>,
    anywhere: Tests,
    /// Which tests ask for a leaf at a path or below.
    at_or_below: HashMap<String, Vec<usize>>,
}

/// The tests that look at the leaves of one path, by number. A long list of values is a look-up and not a walk.
#[derive(Debug, Default)]
struct Tests {
    texts: HashMap<String, Vec<usize>>,
    numbers: HashMap<Decimal, Vec<usize>>,
    others: Vec<(usize, Test)>,
}

/// The predicate's tree, its leaves replaced by the numbers of their tests.
#[derive(Debug)]
enum Node {
    Constant(bool),
    Test(usize),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

impl Default for Node {
    fn default() -> Self {
        Node::Constant(false)
    }
}

impl Matcher {
    pub fn new(predicate: &Predicate) -> Matcher {
        let mut matcher = Matcher::default();
        matcher.tree = matcher.node(predicate);
        matcher
    }

    /// Whether the document meets the predicate.
    pub fn matches(&self, document: &impl Document) -> bool {
        let mut passed = vec![false; self.tests];
        document.walk(&mut |path, leaf| self.visit(path, &leaf, &mut passed));
        self.tree.holds(&passed)
    }

    fn node(&mut self, predicate: &Predicate) -> Node {
        match predicate {
            Predicate::All => Node::Constant(true),
            Predicate::None => Node::Constant(false),
            Predicate::And(parts) => Node::And(parts.iter().map(|part| self.node(part)).collect()),
            Predicate::Or(parts) => self.or(parts),
            Predicate::Not(part) => Node::Not(Box::new(self.node(part))),
            Predicate::Leaf { path, test } => {
                let number = self.number();
                self.add(number, path, test);
                Node::Test(number)
            }
        }
    }

    /// The leaves among the alternatives share a number: it is enough that one of them passes.
    fn or(&mut self, parts: &[Predicate]) -> Node {
        let number = self.number();
        let mut nodes = vec![Node::Test(number)];
        for part in parts {
            match part {
                Predicate::Leaf { path, test } => self.add(number, path, test),
                part => nodes.push(self.node(part)),
            }
        }
        Node::Or(nodes)
    }

    fn number(&mut self) -> usize {
        self.tests += 1;
        self.tests - 1
    }

    fn add(&mut self, number: usize, path: &Option<String>, test: &Test) {
        match (path, test) {
            (None, test) => self.anywhere.add(number, test),
            (Some(path), Test::Exists) => {
                self.at_or_below.entry(path.clone()).or_default().push(number);
            }
            (Some(path), test) => self.at.entry(path.clone()).or_default().add(number, test),
        }
    }

    fn visit(&self, path: &str, leaf: &Scalar<'_>, passed: &mut [bool]) {
        self.anywhere.visit(leaf, passed);
        if let Some(tests) = self.at.get(path) {
            tests.visit(leaf, passed);
        }
        if self.at_or_below.is_empty() {
            return;
        }
        let dots = path.match_indices('.').map(|(dot, _)| dot);
        for end in dots.chain([path.len()]) {
            mark(self.at_or_below.get(&path[..end]), passed);
        }
    }
}

impl Tests {
    fn add(&mut self, number: usize, test: &Test) {
        match test {
            Test::Equal(value) if value.instant.is_none() && value.boolean.is_none() => {
                self.texts.entry(value.text.clone()).or_default().push(number);
                if let Some(decimal) = &value.number {
                    self.numbers.entry(decimal.clone()).or_default().push(number);
                }
            }
            test => self.others.push((number, test.clone())),
        }
    }

    fn visit(&self, leaf: &Scalar<'_>, passed: &mut [bool]) {
        match leaf {
            Scalar::String(text) => mark(self.texts.get(*text), passed),
            Scalar::Number(number) => mark(self.numbers.get(number), passed),
            Scalar::Bool(_) => {}
        }
        for (number, test) in &self.others {
            passed[*number] = passed[*number] || test.accepts(leaf);
        }
    }
}

fn mark(numbers: Option<&Vec<usize>>, passed: &mut [bool]) {
    for &number in numbers.into_iter().flatten() {
        passed[number] = true;
    }
}

impl Node {
    fn holds(&self, passed: &[bool]) -> bool {
        match self {
            Node::Constant(value) => *value,
            Node::Test(number) => passed[*number],
            Node::And(parts) => parts.iter().all(|part| part.holds(passed)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(passed)),
            Node::Not(part) => !part.holds(passed),
        }
    }
}

impl Test {
    /// Whether a leaf passes. Patterns look at strings alone.
    pub fn accepts(&self, leaf: &Scalar<'_>) -> bool {
        match (self, leaf) {
            (Test::Exists, _) => true,
            (Test::Equal(value), leaf) => value.equals(leaf),
            (Test::Range { lower, upper }, leaf) => {
                lower.as_ref().is_none_or(|limit| limit.admits_from_below(leaf))
                    && upper.as_ref().is_none_or(|limit| limit.admits_from_above(leaf))
            }
            (Test::Prefix(start), Scalar::String(text)) => text.starts_with(start),
            (Test::Wildcard(wildcard), Scalar::String(text)) => wildcard.is_match(text),
            (Test::Regexp(regexp), Scalar::String(text)) => regexp.is_match(text),
            (Test::Fuzzy(fuzzy), Scalar::String(text)) => fuzzy.is_match(text),
            (_, Scalar::Number(_) | Scalar::Bool(_)) => false,
        }
    }
}
