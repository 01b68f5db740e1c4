//! Documents as the query language sees them: a set of leaves. A leaf is a scalar at a dotted path.
//!
//! The path of a leaf consists of the object keys on the way to it, joined with dots. Arrays add
//! nothing to the path, at any depth. A key with a dot in it gives the same path as nested objects.
//! `null`, `{}` and `[]` are not leaves.

mod compose;
mod container;
mod date;
mod datum;
mod decimal;
mod instant;
mod json;
mod jsonb;
mod leaf;
mod numeric;
mod ordered;
mod projection;
#[cfg(any(test, feature = "pg_test"))]
mod tests;
mod walk;

pub use compose::{Answer, MAX_JSONB_BYTES};
pub use container::{Container, Item};
pub use date::{Date, Precision, Span, date_prefix};
pub use datum::{JsonbArg, JsonbDatum, json_text, jsonb_payload, read_jsonb};
pub use decimal::Decimal;
pub use instant::{instant, instant_prefix, is_plain_instant, unordered_instant};
pub use jsonb::Jsonb;
pub use leaf::{BOOLEAN, Leaf, NUMBER, Number, STRING, Scalar, Scratch, TYPES};
pub use numeric::{Base10000, Numeric, Parts, ShortNumber};
pub use ordered::{OrderedNumber, read as read_ordered, write_decimal as write_ordered};
pub use projection::Projection;
pub use walk::{extreme, walk};
