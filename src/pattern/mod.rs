//! Patterns over strings: wildcards, fuzzy terms and Lucene's regular expressions.
//!
//! Pure Rust. The syntax of a pattern is checked when the query is read. It is compiled later,
//! once, after the limits of the whole query were checked.

mod dead_prefix;
mod fuzzy;
mod gapped;
mod glob;
mod glob_set;
mod regexp;
mod wildcard;

pub use dead_prefix::DeadPrefix;
pub use fuzzy::Fuzzy;
pub use glob::Glob;
pub use glob_set::GlobSet;
pub use regexp::{
    CompiledRegexp, DenseDfa, Regexp, RegexpNode, to_lucene_8, write_char as write_regexp_char,
};
pub use wildcard::{Wildcard, literal_prefix, pattern as wildcard_regex};
