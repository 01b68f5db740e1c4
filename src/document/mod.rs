//! Documents as the query language sees them: a set of leaves, each a scalar at a dotted path.
//!
//! A leaf's path is the object keys on the way to it joined with dots; arrays are transparent at any depth, and a key
//! that itself holds a dot gives the same path as nesting would. `null`, `{}` and `[]` are no leaves.

mod compose;
mod container;
mod datum;
mod decimal;
mod instant;
mod json;
mod jsonb;
mod leaf;
mod numeric;
mod ordered;
#[cfg(any(test, feature = "pg_test"))]
mod tests;
mod walk;

pub use compose::Answer;
pub use container::{Container, Item};
pub use datum::{JsonbArg, JsonbDatum};
pub use decimal::Decimal;
pub use instant::{instant, instant_prefix, local_time, unordered_instant};
pub use jsonb::Jsonb;
pub use leaf::{BOOLEAN, Leaf, NUMBER, Number, STRING, Scalar, Scratch};
pub use numeric::Numeric;
pub use ordered::write_decimal as write_ordered;
pub use walk::{extreme, walk};
