//! How a pattern tells its caller which other texts cannot match either.

/// No match begins with the first bytes of a text; this is their number. A caller that goes through
/// sorted texts can skip all that have the same beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadPrefix(pub usize);
