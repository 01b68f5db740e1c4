//! The GIN side of a store.

pub mod gin;
