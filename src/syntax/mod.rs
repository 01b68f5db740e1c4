//! The query language: Solr's standard query parser, from text to a syntax tree.
//!
//! Pure Rust that imports nothing of PostgreSQL. [`parse`] reads a query. The tree's `Display`
//! writes the canonical form of the query, and reading that form gives the same tree again.

mod ast;
mod at_now;
mod context;
mod date_math;
mod diagnosis;
mod escape;
mod fields;
mod grammar;
mod limits;
mod local_params;
mod objects;
mod operand;
mod parse;
mod parsers;
mod simple;
mod sort;

pub use crate::parse_error::{ParseError, ParseErrorKind};
pub use ast::{Ast, Bound, LeafQuery, Occur};
pub use date_math::{DateMath, Step, Unit, hint as date_math_hint, repaired as meant_date_math};
pub use fields::parse_fields;
pub use limits::{MAX_CONDITIONS, MAX_GROUP_DEPTH, MAX_PATH_BYTES, MAX_QUERY_BYTES, check_path};
pub use parse::parse;
pub use simple::{ClauseBuilder, SimpleTest, read as read_simple};
pub use sort::{SortKey, parse_sort};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;
