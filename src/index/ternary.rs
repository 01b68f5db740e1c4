//! The three truth values in which the index answers, those of GIN (GinTernaryValue in gin.h).

/// What is known of a document from its keys. In order, so that the smaller of two decides a conjunction, the greater a
/// disjunction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ternary {
    No,
    Maybe,
    Yes,
}
