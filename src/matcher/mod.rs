//! Predicate × document: whether a document matches. A test is evaluated only if the tests before
//! it leave the answer open.

mod direct;
mod leaf;
mod objects;
mod path_trie;
mod simple;

pub use direct::{MAX_DIRECT_QUERY_BYTES, Scope, match_once};
pub use simple::SimpleMatcher;

use crate::document::Container;
use crate::predicate::{ObjectCondition, Predicate, Test, Visitor};
use objects::any_object;
use path_trie::{PathTrie, TestResults};
use smallvec::SmallVec;

/// A predicate that is prepared for matching many documents.
#[derive(Debug)]
pub struct Matcher {
    tree: TestExpr,
    /// How many tests there are. They are numbered from 0.
    tests: usize,
    /// The paths that the tests look at: one trie for each test, or one for all tests together.
    tries: Vec<PathTrie>,
}

/// The most tests that have a trie each, so that a test is evaluated only if it is needed. More
/// tests share one trie: many separate walks would go through the same parts of the document
/// again and again.
const MAX_SEPARATE_TESTS: usize = 8;

/// The predicate's tree, with the number of a test in place of each condition.
#[derive(Debug)]
enum TestExpr {
    Constant(bool),
    Test(usize),
    And(Vec<TestExpr>),
    Or(Vec<TestExpr>),
    Not(Box<TestExpr>),
    Object(Box<ObjectMatcher>),
}

/// What one object at a path must match.
#[derive(Debug)]
struct ObjectMatcher {
    path: Box<str>,
    inner: Matcher,
}

impl Matcher {
    /// Prepares a predicate for matching.
    pub fn new(predicate: &Predicate) -> Matcher {
        let mut numbering = TestNumbering::default();
        let tree = predicate.visit(&mut numbering);
        let count = if numbering.tests > MAX_SEPARATE_TESTS { 1 } else { numbering.tests };
        let mut tries: Vec<PathTrie> =
            std::iter::repeat_with(PathTrie::default).take(count).collect();
        for (number, path, test) in numbering.conditions {
            tries[number.min(count - 1)].add(number, path, test);
        }
        Matcher { tree, tests: numbering.tests, tries }
    }

    /// Whether the document matches the predicate.
    pub fn matches<'a>(&self, document: impl Container<'a>) -> bool {
        let mut evaluation = Evaluation {
            tries: &self.tries,
            is_evaluated: SmallVec::from_elem(false, self.tries.len()),
            results: TestResults::from_elem(false, self.tests),
            document,
        };
        self.tree.evaluate(&mut evaluation)
    }
}

/// Gives each condition of a predicate the number of the test that it is part of.
#[derive(Default)]
struct TestNumbering<'p> {
    tests: usize,
    conditions: Vec<(usize, Option<&'p str>, &'p Test)>,
}

impl<'p> Visitor<'p> for TestNumbering<'p> {
    type Output = TestExpr;

    fn constant(&mut self, holds: bool) -> TestExpr {
        TestExpr::Constant(holds)
    }

    fn condition(&mut self, path: Option<&'p str>, test: &'p Test) -> TestExpr {
        let number = self.next_number();
        self.conditions.push((number, path, test));
        TestExpr::Test(number)
    }

    /// Documents may have many objects at a path, or none: this has a matcher of its own.
    fn object(&mut self, object: &'p ObjectCondition) -> TestExpr {
        let (path, inner) = (object.path.as_str().into(), Matcher::new(&object.inner));
        TestExpr::Object(Box::new(ObjectMatcher { path, inner }))
    }

    fn and(&mut self, parts: &'p [Predicate]) -> TestExpr {
        TestExpr::And(parts.iter().map(|part| part.visit(self)).collect())
    }

    /// All conditions among the alternatives are one test, since it is enough that one of them
    /// matches.
    fn or(&mut self, parts: &'p [Predicate]) -> TestExpr {
        let number = self.next_number();
        let mut alternatives = vec![TestExpr::Test(number)];
        for part in parts {
            match part.as_condition() {
                Some((path, test)) => self.conditions.push((number, path, test)),
                None => alternatives.push(part.visit(self)),
            }
        }
        TestExpr::Or(alternatives)
    }

    fn not(&mut self, part: &'p Predicate) -> TestExpr {
        TestExpr::Not(Box::new(part.visit(self)))
    }
}

impl TestNumbering<'_> {
    fn next_number(&mut self) -> usize {
        self.tests += 1;
        self.tests - 1
    }
}

/// One document, and the results of the tests that were evaluated on it so far.
struct Evaluation<'m, C> {
    tries: &'m [PathTrie],
    /// Whether a trie was evaluated, by its place in `tries`.
    is_evaluated: SmallVec<[bool; MAX_SEPARATE_TESTS]>,
    results: TestResults,
    document: C,
}

impl<'a, C: Container<'a>> Evaluation<'_, C> {
    fn result(&mut self, number: usize) -> bool {
        let trie = number.min(self.tries.len() - 1);
        if !std::mem::replace(&mut self.is_evaluated[trie], true) {
            self.tries[trie].evaluate(self.document, &mut self.results);
        }
        self.results[number]
    }
}

impl TestExpr {
    fn evaluate<'a, C: Container<'a>>(&self, evaluation: &mut Evaluation<'_, C>) -> bool {
        match self {
            TestExpr::Constant(value) => *value,
            TestExpr::Test(number) => evaluation.result(*number),
            TestExpr::And(parts) => parts.iter().all(|part| part.evaluate(evaluation)),
            TestExpr::Or(parts) => parts.iter().any(|part| part.evaluate(evaluation)),
            TestExpr::Not(part) => !part.evaluate(evaluation),
            TestExpr::Object(object) => {
                any_object(evaluation.document, &object.path, |found| object.inner.matches(found))
            }
        }
    }
}

impl Predicate {
    /// Whether the document matches. For many documents, make one [`Matcher`].
    pub fn matches<'a>(&self, document: impl Container<'a>) -> bool {
        Matcher::new(self).matches(document)
    }
}

#[cfg(test)]
mod tests;
