//! The operator class `jsonb_lucene_ops`: what a GIN index keeps of a document, and how it answers a predicate.

mod elsewhere;
pub mod gin;
mod intervals;
pub mod key;
mod opclass;
pub mod operator;
pub mod packed;
pub mod prepared;
pub mod query;
mod report;
pub mod span;

pub use elsewhere::{has_own_rows, is_distributed};
pub(crate) use opclass::{Arguments, c_functions};
pub use report::report;
