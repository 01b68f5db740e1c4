//! What a query means over JSON: a small tree of tests on the leaves of a document.
//!
//! Pure Rust. [`lower`] makes the tree of a syntax tree, [`Predicate::jsonpath`] writes it for
//! PostgreSQL's JSON path engine.

mod date;
mod jsonpath;
mod lower;
mod notices;
mod value;
mod visit;

pub use jsonpath::NotExpressible;
pub use lower::{Lowered, Lowering, lower};
pub use value::{Limit, Value};
pub use visit::Visitor;

use crate::pattern::{CompiledRegexp, Fuzzy, Wildcard};
use std::rc::Rc;

/// A condition on a document. There is no third truth value: a leaf that is missing, or of another type, does not pass.
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
    /// Some leaf at the path, or at any path, passes the test.
    Condition {
        /// The path of the leaf; none for a leaf at any path.
        path: Option<String>,
        /// What the leaf must satisfy.
        test: Test,
    },
}

/// A condition on one leaf. One and the same leaf must meet all of it: both ends of a range, say. Clones share what was
/// compiled.
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
    /// Every one of them; nested conjunctions are taken in, and what decides nothing is left out.
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

    /// At least one of them.
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

    /// Everything else.
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
