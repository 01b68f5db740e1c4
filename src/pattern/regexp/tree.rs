//! The syntax tree of a regular expression.

/// A node of the syntax tree.
#[derive(Debug, Clone, PartialEq)]
pub enum RegexpNode {
    /// `()`: the empty text.
    Empty,
    /// `#`, or a repetition such as `{3,2}`: no text at all.
    Nothing,
    /// `.`: any character, line ends included
    AnyChar,
    /// `@`: any text.
    AnyString,
    /// Plain characters, one by one or in quotes (`"…"`).
    Literal(String),
    /// `[a-z]`
    Class {
        /// Whether it begins with `^`.
        negated: bool,
        /// The ranges in the brackets.
        items: Vec<ClassItem>,
    },
    /// One node behind the other.
    Concat(Vec<RegexpNode>),
    /// `a|b`
    Union(Vec<RegexpNode>),
    /// `a&b`
    Intersection(Vec<RegexpNode>),
    /// `~a`
    Complement(Box<RegexpNode>),
    /// `a?`, `a*`, `a+`, `a{2,5}`
    Repeat {
        /// What is repeated.
        node: Box<RegexpNode>,
        /// How often at least.
        min: u32,
        /// How often at most; none for any number.
        max: Option<u32>,
    },
}

/// A range of characters, both ends included.
pub type ClassItem = (char, char);
