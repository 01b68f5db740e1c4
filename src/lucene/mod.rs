//! The query language: Solr's standard query parser, from text to a syntax tree.
//!
//! Pure Rust that imports nothing of PostgreSQL. [`parse`] reads a query, and the tree's `Display` writes it in its
//! canonical form, which reads back as the same tree.

mod ast;
mod date_math;
mod diagnosis;
mod error;
mod escape;
mod limits;
mod local_params;
mod operand;
mod parse;
mod parsers;
mod regexp;
mod simple;
mod sort;

pub use ast::{Ast, Bound, Form, Glob, Occur};
pub use date_math::{DateMath, Step, Unit};
pub use error::{Error, ErrorKind};
pub use limits::{MAX_BYTES, MAX_DEPTH, MAX_LEAVES, MAX_PATH_BYTES, check_path};
pub use parse::parse;
pub use regexp::{
    CompiledRegexp, Dead, Node as RegexpNode, Regexp, Table, write_char as write_regexp_char,
};
pub use simple::{Make, read as read_simple};
pub use sort::{SortKey, parse_sort};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
