//! The operator class `jsonb_lucene_ops`: what a GIN index keeps of a document, and what a
//! predicate reads of it. All that is known of the index, its keys and its pages, is in this
//! folder.

mod elsewhere;
pub mod explain;
pub mod gin;
pub mod key;
mod opclass;
pub mod parse_cache;
pub mod probe;
pub mod query;
pub mod query_type;
pub mod ranges;
pub mod recognize;
mod scan_key;
mod simple_queries;
pub mod string_code;
mod telling;
pub mod ternary;

pub use elsewhere::{has_own_rows, is_distributed};
pub use telling::{define_settings, tell};
