//! Patterns over strings: wildcards, fuzzy terms and Lucene's regular expressions.
//!
//! Pure Rust. Reading a query checks a pattern's syntax; it is compiled later, once, when the limits of the whole query have
//! been checked.

mod dead_prefix;
mod fuzzy;
mod gapped;
mod glob;
mod regexp;
mod wildcard;

pub use dead_prefix::DeadPrefix;
pub use fuzzy::Fuzzy;
pub use glob::Glob;
pub use regexp::{CompiledRegexp, DenseDfa, Regexp, RegexpNode, write_char as write_regexp_char};
pub use wildcard::{Wildcard, literal_prefix, pattern as wildcard_regex};
