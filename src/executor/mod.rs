//! Answers a predicate from an index's posting lists, without the planner: what a bitmap heap scan spends most of its time on, to
//! visit pages only to count, is left out.
//!
//! ```text
//! relation     is there an index to ask, and may it be asked?
//! visibility   which pages are all-visible, before
//! tree         predicate → bitmap of rows, from posting lists (`bitmap`, `leaves`)
//! visibility   which pages still are, after; all other rows are looked up (`heap`)
//! order        the rows of a bitmap by the values at a path, from the index's own order
//! steps        the rows of a bitmap, for those who look them up themselves
//! ```

mod bitmap;
mod heap;
mod leaves;
mod order;
mod relation;
mod search;
mod steps;
mod tree;
mod visibility;

pub use heap::Stored;
pub use relation::{Part, parts};
pub use search::{Counts, Search};
pub use steps::{Candidate, Steps};
