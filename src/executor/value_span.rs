//! A range of the values at a path.

use crate::document::STRING;
use crate::index::gin::Direction;
use crate::index::string_code::end_of_prefix;

/// The values that are walked over: `from` ≤ value < `below`. Values have their type in front, and
/// are not packed.
#[derive(Debug, Clone)]
pub struct Span {
    pub from: Vec<u8>,
    pub below: Vec<u8>,
    pub direction: Direction,
    /// Whether only the first few values are wanted, so that the walk ends there.
    pub ends_early: bool,
}

impl Span {
    /// The values from one up to but not including another.
    pub fn new(from: Vec<u8>, below: Vec<u8>, direction: Direction) -> Span {
        Span { from, below, direction, ends_early: false }
    }

    /// All values.
    pub fn all(direction: Direction) -> Span {
        Span::new(Vec::new(), vec![u8::MAX], direction)
    }

    /// The strings that begin with a prefix.
    pub fn prefix(prefix: &str, direction: Direction) -> Span {
        let from = [&[STRING], prefix.as_bytes()].concat();
        let below = end_of_prefix(&from);
        Span::new(from, below, direction)
    }

    /// One value.
    pub fn point(value: &[u8]) -> Span {
        let below = [value, &[0]].concat();
        Span::new(value.to_vec(), below, Direction::Ascending)
    }

    /// The values of a type.
    pub fn of_type(tag: u8, direction: Direction) -> Span {
        Span::new(vec![tag], vec![tag + 1], direction)
    }

    /// Whether all values are walked over, or all of some types.
    pub fn is_whole(&self) -> bool {
        self.from.len() <= 1 && self.below.len() <= 1 && !self.ends_early
    }

    /// Whether a value lies in the span.
    pub fn contains(&self, value: &[u8]) -> bool {
        self.from.as_slice() <= value && value < self.below.as_slice()
    }
}
