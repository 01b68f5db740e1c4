//! What facets and statistics need to know of the documents that match a query: the values at a
//! path in their order, each with the number of documents that have it or with those documents
//! themselves.

use super::doc_id::ReadResult;
use super::domain::Domain;
use super::read_stats::ReadStats;
use crate::document::STRING;
use crate::index::gin::Direction;
use crate::index::string_code::end_of_prefix;
use crate::predicate::Predicate;
use std::ops::ControlFlow;

/// The values that are walked over: `from` ≤ value < `below`. Values have their type in front, and
/// are not packed.
#[derive(Debug, Clone)]
pub struct Span {
    pub from: Vec<u8>,
    pub below: Vec<u8>,
    pub direction: Direction,
}

/// A value, with its type in front, and the documents that have it.
pub struct Group<'v> {
    pub value: &'v [u8],
    /// How many documents there are, at least one.
    pub count: u64,
    /// The documents, if they were asked for.
    pub rows: Option<Domain>,
}

/// Takes values until it breaks.
pub type Visit<'v> = dyn FnMut(Group<'_>) -> ReadResult<ControlFlow<()>> + 'v;

/// The matches of a query, and what is at their paths. All numbers are exact, under the snapshot of
/// the query.
pub trait ValueSource {
    /// The documents that match the query.
    fn matches(&self) -> Domain;

    /// All documents of the store.
    fn everything(&mut self) -> ReadResult<Domain>;

    /// Those of some documents that satisfy a predicate.
    fn matching(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<Domain>;

    /// How many of some documents satisfy a predicate.
    fn count(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<u64> {
        Ok(self.matching(predicate, within)?.len())
    }

    /// Those of some documents that have a value at exactly this path.
    fn having(&mut self, path: &str, within: &Domain) -> ReadResult<Domain>;

    /// Those of some documents that are not among others of them.
    fn without(&mut self, within: &Domain, others: &Domain) -> ReadResult<Domain>;

    /// Visits the values at a path that some documents have. A document comes once for each value
    /// that it has.
    fn each_value(
        &mut self,
        path: &str,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()>;

    /// What was read so far.
    fn stats(&self) -> ReadStats;
}

impl Span {
    /// All values.
    pub fn all(direction: Direction) -> Span {
        Span { from: Vec::new(), below: vec![u8::MAX], direction }
    }

    /// The strings that begin with a prefix.
    pub fn prefix(prefix: &str, direction: Direction) -> Span {
        let from = [&[STRING], prefix.as_bytes()].concat();
        Span { below: end_of_prefix(&from), from, direction }
    }

    /// One value.
    pub fn point(value: &[u8]) -> Span {
        let below = [value, &[0]].concat();
        Span { from: value.to_vec(), below, direction: Direction::Ascending }
    }

    /// The values of a type.
    pub fn of_type(tag: u8, direction: Direction) -> Span {
        Span { from: vec![tag], below: vec![tag + 1], direction }
    }

    /// Whether a value lies in the span.
    pub fn contains(&self, value: &[u8]) -> bool {
        self.from.as_slice() <= value && value < self.below.as_slice()
    }
}
