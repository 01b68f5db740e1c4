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
    /// One character of a class, such as `[a-z]`.
    Class {
        /// Whether the class means all other characters.
        negated: bool,
        /// What is in the class.
        items: Vec<ClassItem>,
    },
    /// One part after the other.
    Concat(Vec<RegexpNode>),
    /// One of the parts.
    Union(Vec<RegexpNode>),
    /// `a&b`
    Intersection(Vec<RegexpNode>),
    /// `~a`
    Complement(Box<RegexpNode>),
    /// A part, several times.
    Repeat {
        /// The part.
        node: Box<RegexpNode>,
        /// How often at least.
        min: u32,
        /// How often at most; none for any number of times.
        max: Option<u32>,
    },
}

/// A range of characters, both ends included.
pub type ClassItem = (char, char);
