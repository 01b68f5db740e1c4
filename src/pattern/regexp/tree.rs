//! The syntax tree of a regular expression.

/// The parts of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum RegexpNode {
    /// `()`
    Empty,
    /// `#`, or a repetition such as `{3,2}`
    Nothing,
    /// `.`: any character, line ends included
    AnyChar,
    /// `@`
    AnyString,
    /// Characters as they are; from `"…"` or one by one
    Literal(String),
    Class {
        negated: bool,
        items: Vec<ClassItem>,
    },
    Concat(Vec<RegexpNode>),
    Union(Vec<RegexpNode>),
    /// `a&b`
    Intersection(Vec<RegexpNode>),
    /// `~a`
    Complement(Box<RegexpNode>),
    Repeat {
        node: Box<RegexpNode>,
        min: u32,
        max: Option<u32>,
    },
}

/// A range of characters, both ends included.
pub type ClassItem = (char, char);
