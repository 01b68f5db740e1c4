//! The three truth values in which the index answers, those of GIN (GinTernaryValue in gin.h).

/// What is known of a document from its keys. The order matters: a conjunction has the smallest
/// value of its parts, a disjunction the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ternary {
    /// The document does not match.
    No,
    /// The document must be rechecked.
    Maybe,
    /// The document matches.
    Yes,
}
