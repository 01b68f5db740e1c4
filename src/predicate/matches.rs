//! Predicate × document: one walk over the leaves, then the tree.

use super::{Predicate, Test, fuzzy, glob};
use crate::document::{Document, Scalar};
use std::collections::HashMap;

/// A predicate made ready to ask many documents.
#[derive(Debug)]
pub struct Matcher {
    tree: Node,
    tests: Vec<Test>,
    /// Which tests look at the leaves of a path.
    at: HashMap<String, Vec<usize>>,
    /// Which tests ask for a leaf at a path or below.
    at_or_below: HashMap<String, Vec<usize>>,
    anywhere: Vec<usize>,
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

impl Matcher {
    pub fn new(predicate: &Predicate) -> Matcher {
        let mut matcher = Matcher {
            tree: Node::Constant(false),
            tests: Vec::new(),
            at: HashMap::new(),
            at_or_below: HashMap::new(),
            anywhere: Vec::new(),
        };
        matcher.tree = matcher.node(predicate);
        matcher
    }

    /// Whether the document meets the predicate.
    pub fn matches(&self, document: &impl Document) -> bool {
        let mut passed = vec![false; self.tests.len()];
        document.walk(&mut |path, leaf| self.visit(path, &leaf, &mut passed));
        self.tree.holds(&passed)
    }

    fn node(&mut self, predicate: &Predicate) -> Node {
        let mut nodes = |parts: &[Predicate]| parts.iter().map(|part| self.node(part)).collect();
        match predicate {
            Predicate::All => Node::Constant(true),
            Predicate::None => Node::Constant(false),
            Predicate::And(parts) => Node::And(nodes(parts)),
            Predicate::Or(parts) => Node::Or(nodes(parts)),
            Predicate::Not(part) => Node::Not(Box::new(self.node(part))),
            Predicate::Leaf { path, test } => {
                let number = self.tests.len();
                self.tests.push(test.clone());
                match (path, test) {
                    (None, _) => self.anywhere.push(number),
                    (Some(path), Test::Exists) => {
                        self.at_or_below.entry(path.clone()).or_default().push(number);
                    }
                    (Some(path), _) => self.at.entry(path.clone()).or_default().push(number),
                }
                Node::Test(number)
            }
        }
    }

    fn visit(&self, path: &str, leaf: &Scalar<'_>, passed: &mut [bool]) {
        let at = self.at.get(path).into_iter().flatten();
        for &number in at.chain(&self.anywhere) {
            passed[number] = passed[number] || self.tests[number].accepts(leaf);
        }
        if self.at_or_below.is_empty() {
            return;
        }
        let dots = path.match_indices('.').map(|(dot, _)| dot);
        for end in dots.chain([path.len()]) {
            for &number in self.at_or_below.get(&path[..end]).into_iter().flatten() {
                passed[number] = true;
            }
        }
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
            (Test::Wildcard(pattern), Scalar::String(text)) => glob::is_match(pattern, text),
            (Test::Regexp(regexp), Scalar::String(text)) => regexp.is_match(text),
            (Test::Fuzzy(term, edits), Scalar::String(text)) => {
                fuzzy::is_within(term, text, usize::from(*edits))
            }
            (_, Scalar::Number(_) | Scalar::Bool(_)) => false,
        }
    }
}
