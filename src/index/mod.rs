//! The operator class `jsonb_lucene_ops`: what a GIN index keeps of a document, and how it answers a predicate.

pub mod gin;
pub mod key;
mod opclass;
pub mod operator;
pub mod packed;
pub mod prepared;
pub mod query;
mod report;
mod selectivity;
pub mod span;

pub use report::report;
pub use selectivity::answers;
