//! How a pattern tells a caller which texts it need not look at.

/// No match begins with so many bytes of a text, so that none of the texts that begin so need be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadPrefix(pub usize);
