//! Patterns over strings: wildcards, fuzzy terms and Lucene's regular expressions.
//!
//! Pure Rust. Reading a query checks a pattern's syntax; it is compiled later, once, when the limits of the whole query have
//! been checked.

mod fuzzy;
mod gapped;
mod regexp;
mod wildcard;

pub use fuzzy::Fuzzy;
pub use regexp::{
    CompiledRegexp, DeadPrefix, Node as RegexpNode, Regexp, Table, write_char as write_regexp_char,
};
pub use wildcard::{Wildcard, literal_prefix, pattern as wildcard_regex};

/// One place of a wildcard pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Glob {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
}
