//! The walks over predicates: [`Predicate::visit`] for what each part of the tree becomes,
//! [`Predicate::conditions`] for its conditions alone.
//!
//! No match over [`Predicate`] or [`Test`] ends in `_ =>`. So where a new kind of either is not
//! handled, the compiler says so, and it names only the places that must decide about it.

use super::{ObjectCondition, Predicate, Test};

/// What a walk makes of each kind of predicate.
///
/// The tree is not folded from the bottom up: a visitor goes down into the parts itself with
/// [`Predicate::visit`]. So it may stop early, change their order, or treat several as one.
pub trait Visitor<'p> {
    /// What becomes of a predicate.
    type Output;

    /// Every document (`true`) or none (`false`).
    fn constant(&mut self, holds: bool) -> Self::Output;
    /// A test on the leaves at a path or, without a path, on those of the whole document.
    fn condition(&mut self, path: Option<&'p str>, test: &'p Test) -> Self::Output;
    /// A condition on one object.
    fn object(&mut self, object: &'p ObjectCondition) -> Self::Output;
    /// All of these.
    fn and(&mut self, parts: &'p [Predicate]) -> Self::Output;
    /// At least one of these.
    fn or(&mut self, parts: &'p [Predicate]) -> Self::Output;
    /// All documents but those of `part`.
    fn not(&mut self, part: &'p Predicate) -> Self::Output;
}

impl Predicate {
    /// Calls the method of the visitor that is for this kind of predicate.
    pub fn visit<'p, V: Visitor<'p>>(&'p self, visitor: &mut V) -> V::Output {
        match self {
            Predicate::All => visitor.constant(true),
            Predicate::None => visitor.constant(false),
            Predicate::And(parts) => visitor.and(parts),
            Predicate::Or(parts) => visitor.or(parts),
            Predicate::Not(part) => visitor.not(part),
            Predicate::Condition { path, test } => visitor.condition(path.as_deref(), test),
            Predicate::Object(object) => visitor.object(object),
        }
    }

    /// The path and the test, if the predicate is a single condition.
    pub fn as_condition(&self) -> Option<(Option<&str>, &Test)> {
        match self {
            Predicate::Condition { path, test } => Some((path.as_deref(), test)),
            Predicate::All
            | Predicate::None
            | Predicate::And(_)
            | Predicate::Or(_)
            | Predicate::Not(_)
            | Predicate::Object(_) => None,
        }
    }

    /// All conditions of the tree in the order of the query, whether they are negated or not. Of a
    /// condition on an object: those that the document must meet.
    pub fn conditions(&self) -> impl Iterator<Item = (Option<&str>, &Test)> {
        self.leaves(|object| &object.necessary)
    }

    /// All tests of the tree in the order of the query, those on the leaves of objects included.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.leaves(|object| &object.inner).map(|(_, test)| test)
    }

    fn leaves(
        &self,
        within: fn(&ObjectCondition) -> &Predicate,
    ) -> impl Iterator<Item = (Option<&str>, &Test)> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            while let Some(predicate) = open.pop() {
                match predicate {
                    Predicate::All | Predicate::None => {}
                    Predicate::And(parts) | Predicate::Or(parts) => open.extend(parts.iter().rev()),
                    Predicate::Not(part) => open.push(part),
                    Predicate::Object(object) => open.push(within(object)),
                    Predicate::Condition { path, test } => return Some((path.as_deref(), test)),
                }
            }
            None
        })
    }

    /// Whether a document matches that has no leaves at all.
    pub fn holds_without_leaves(&self) -> bool {
        match self {
            Predicate::All => true,
            Predicate::None | Predicate::Condition { .. } | Predicate::Object(_) => false,
            Predicate::And(parts) => parts.iter().all(Self::holds_without_leaves),
            Predicate::Or(parts) => parts.iter().any(Self::holds_without_leaves),
            Predicate::Not(part) => !part.holds_without_leaves(),
        }
    }

    /// Whether more leaves never turn a match into a mismatch: the predicate has no negation.
    pub fn is_monotone(&self) -> bool {
        match self {
            Predicate::Not(_) => false,
            Predicate::And(parts) | Predicate::Or(parts) => parts.iter().all(Self::is_monotone),
            Predicate::Object(object) => object.inner.is_monotone(),
            Predicate::All | Predicate::None | Predicate::Condition { .. } => true,
        }
    }
}

impl Test {
    /// Whether the test asks for any leaf at a path or below it. All other tests look at one leaf
    /// at a time.
    pub fn is_existence(&self) -> bool {
        match self {
            Test::Exists => true,
            Test::Equal(_)
            | Test::Range { .. }
            | Test::Prefix(_)
            | Test::Wildcard(_)
            | Test::Regexp(_)
            | Test::Fuzzy(_) => false,
        }
    }

    /// Whether the test is a pattern that must be run on each string, since the order of the
    /// strings alone does not answer it.
    pub fn is_pattern(&self) -> bool {
        match self {
            Test::Wildcard(_) | Test::Regexp(_) | Test::Fuzzy(_) => true,
            Test::Equal(_) | Test::Range { .. } | Test::Prefix(_) | Test::Exists => false,
        }
    }

    /// How many bytes the compiled pattern of the test takes; 0 if it has none.
    pub fn pattern_memory(&self) -> usize {
        match self {
            Test::Wildcard(wildcard) => wildcard.memory(),
            Test::Regexp(regexp) => regexp.memory(),
            Test::Fuzzy(fuzzy) => fuzzy.memory(),
            Test::Equal(_) | Test::Range { .. } | Test::Prefix(_) | Test::Exists => 0,
        }
    }
}
