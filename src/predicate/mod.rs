//! What a query means over JSON: a tree of conditions on the leaves of a document.
//!
//! Pure Rust. [`lower`] makes the predicate of a syntax tree, [`Predicate::visit`] walks over it,
//! and [`Predicate::jsonpath`] writes it for PostgreSQL's JSON path engine.

mod date;
mod jsonpath;
mod lower;
mod value;
mod visit;

pub use date::evaluate as evaluate_date_math;
pub use jsonpath::NotExpressible;
pub use lower::{Lowered, Lowering, lower};
pub use value::{Limit, UnreadValue, Value, is_admitted, is_date};
pub use visit::Visitor;

use crate::pattern::{CompiledRegexp, Fuzzy, Wildcard};
use std::rc::Rc;

/// Which documents match. There is no third truth value: if a leaf is missing or has another type,
/// the condition on it is false.
// Most of a tree are conditions, so that a box around each would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Every document matches.
    All,
    /// No document matches.
    None,
    /// All parts match.
    And(Vec<Predicate>),
    /// At least one part matches.
    Or(Vec<Predicate>),
    /// The part does not match.
    Not(Box<Predicate>),
    /// A leaf at the path or, without a path, any leaf satisfies the test.
    Condition {
        /// The path of the leaf; none for a leaf at any path.
        path: Option<String>,
        /// What the leaf must satisfy.
        test: Test,
    },
    /// One and the same object matches.
    Object(Box<ObjectCondition>),
}

/// What one object must match: an element of the array at a path, at any depth of arrays, or the
/// object itself at the path. It has a leaf, since what has none is not there.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectCondition {
    /// The path of the object.
    pub path: String,
    /// What it must match. Paths begin at the object.
    pub inner: Predicate,
    /// What a document with such an object matches, with paths from the document's root: all that
    /// an index knows. For an object within another one it is everything, because that of the outer
    /// object holds for both.
    pub necessary: Predicate,
}

impl ObjectCondition {
    /// An object of the document.
    pub fn in_document(path: String, inner: Predicate) -> ObjectCondition {
        let exists = Predicate::Condition { path: Some(path.clone()), test: Test::Exists };
        let necessary = match inner.necessary_below(&path) {
            Predicate::All => exists,
            necessary => necessary,
        };
        ObjectCondition { path, inner, necessary }
    }

    /// An object within another one.
    pub fn in_object(path: String, inner: Predicate) -> ObjectCondition {
        ObjectCondition { path, inner, necessary: Predicate::All }
    }
}

/// What a single leaf must satisfy. One leaf must satisfy all of it, such as both ends of a range.
/// Clones share the compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The leaf equals a value.
    Equal(Value),
    /// The leaf lies in a range.
    Range {
        /// The lower end; none if it is open.
        lower: Option<Limit>,
        /// The upper end; none if it is open.
        upper: Option<Limit>,
    },
    /// The text of the leaf begins with this.
    Prefix(String),
    /// The text of the leaf matches a wildcard pattern.
    Wildcard(Rc<Wildcard>),
    /// The text of the leaf matches a regular expression.
    Regexp(Rc<CompiledRegexp>),
    /// The text of the leaf is a few edits away from a term.
    Fuzzy(Rc<Fuzzy>),
    /// There is a leaf at the path or below it.
    Exists,
}

impl Predicate {
    /// All of the parts. Nested conjunctions are merged into one, and parts that match everything
    /// are left out.
    pub fn all_of(parts: impl IntoIterator<Item = Predicate>) -> Predicate {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Predicate::All => {}
                Predicate::None => return Predicate::None,
                Predicate::And(inner) => kept.extend(inner),
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => Predicate::All,
            1 => kept.remove(0),
            _ => Predicate::And(kept),
        }
    }

    /// At least one of the parts. Nested disjunctions are merged into one, and parts that match
    /// nothing are left out.
    pub fn any_of(parts: impl IntoIterator<Item = Predicate>) -> Predicate {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Predicate::None => {}
                Predicate::All => return Predicate::All,
                Predicate::Or(inner) => kept.extend(inner),
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => Predicate::None,
            1 => kept.remove(0),
            _ => Predicate::Or(kept),
        }
    }

    /// What a document matches if an object at the path does. Negations say nothing of a document,
    /// which may have other objects at the path.
    fn necessary_below(&self, path: &str) -> Predicate {
        let below = |name: &str| Some(format!("{path}.{name}"));
        match self {
            Predicate::All | Predicate::Not(_) => Predicate::All,
            Predicate::None => Predicate::None,
            Predicate::And(parts) => {
                Predicate::all_of(parts.iter().map(|part| part.necessary_below(path)))
            }
            Predicate::Or(parts) => {
                Predicate::any_of(parts.iter().map(|part| part.necessary_below(path)))
            }
            Predicate::Condition { path: Some(name), test } => {
                Predicate::Condition { path: below(name), test: test.clone() }
            }
            // A leaf anywhere below the path is also one anywhere in the document.
            Predicate::Condition { path: None, test } => Predicate::all_of([
                Predicate::Condition { path: Some(path.to_string()), test: Test::Exists },
                Predicate::Condition { path: None, test: test.clone() },
            ]),
            Predicate::Object(object) => {
                let path = format!("{path}.{}", object.path);
                match object.inner.necessary_below(&path) {
                    Predicate::All => Predicate::Condition { path: Some(path), test: Test::Exists },
                    necessary => necessary,
                }
            }
        }
    }

    /// All other documents.
    pub fn negate(self) -> Predicate {
        match self {
            Predicate::All => Predicate::None,
            Predicate::None => Predicate::All,
            Predicate::Not(inner) => *inner,
            other => Predicate::Not(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests;
