//! A simple query that was read once, for a query that is asked again of other documents, among
//! many other queries. It is small and lies in few pieces, so that ten thousand of them stay near the
//! processor, and its values are read when the first leaf of their type comes. A [`Matcher`] is
//! several times as large.
//!
//! [`Matcher`]: super::Matcher

use super::direct::{ClauseResult, ClauseResults, Comparison, MAX_DIRECT_QUERY_BYTES};
use crate::document::Container;
use crate::syntax::{ClauseBuilder, Occur, SimpleTest, read_simple};
use chrono::{DateTime, Utc};

/// A simple query, ready for any document.
#[derive(Debug)]
pub struct SimpleMatcher<N> {
    query: Clause<N>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a condition in the clause itself is in one piece with it"
)]
#[derive(Debug)]
enum Clause<N> {
    All,
    Condition { path: Option<Box<str>>, test: Comparison<Box<str>, N> },
    Group(Box<[(Occur, Clause<N>)]>),
}

struct Reader<N> {
    now: N,
}

impl<N: Fn() -> DateTime<Utc> + Copy> ClauseBuilder for Reader<N> {
    type Query = Clause<N>;
    type Clauses = Vec<(Occur, Clause<N>)>;

    fn all(&mut self) -> Clause<N> {
        Clause::All
    }

    fn condition(&mut self, path: Option<&str>, test: SimpleTest<'_>) -> Option<Clause<N>> {
        let test = Comparison::new(test, self.now)?;
        Some(Clause::Condition { path: path.map(Box::from), test })
    }

    fn add(&mut self, clauses: &mut Self::Clauses, occur: Occur, query: Clause<N>) {
        clauses.push((occur, query));
    }

    fn group(&mut self, clauses: Self::Clauses) -> Clause<N> {
        Clause::Group(clauses.into())
    }

    fn decided(&self, _: &Self::Clauses, _: Occur) -> Option<Clause<N>> {
        None
    }
}

impl<N: Fn() -> DateTime<Utc> + Copy> SimpleMatcher<N> {
    /// Reads a query. None if it is too long, is not one that [`read_simple`] reads, or has
    /// wildcards. The value of `NOW` is kept with it.
    pub fn new(query: &str, now: N) -> Option<SimpleMatcher<N>> {
        let is_short = query.len() <= MAX_DIRECT_QUERY_BYTES;
        let query = is_short.then(|| read_simple(query, &mut Reader { now }))??;
        Some(SimpleMatcher { query })
    }

    /// Whether the document matches.
    #[inline]
    pub fn matches<'a>(&self, document: impl Container<'a>) -> bool {
        self.query.evaluate(document).is_match()
    }

    /// About how many bytes of memory it takes, beside the texts of the query.
    pub fn bytes(&self) -> usize {
        self.query.bytes()
    }
}

impl<N: Fn() -> DateTime<Utc>> Clause<N> {
    fn evaluate<'a>(&self, document: impl Container<'a>) -> ClauseResult {
        match self {
            Clause::All => ClauseResult::Plain(true),
            Clause::Condition { path, test } => {
                ClauseResult::Plain(test.matches(document, path.as_deref()))
            }
            Clause::Group(clauses) => {
                let mut results = ClauseResults::default();
                for (occur, clause) in clauses {
                    results.add(
                        *occur,
                        match results.is_decided(*occur) {
                            true => ClauseResult::Plain(false),
                            false => clause.evaluate(document),
                        },
                    );
                }
                results.result()
            }
        }
    }

    fn bytes(&self) -> usize {
        let inner = match self {
            Clause::Group(clauses) => clauses.iter().map(|(_, clause)| clause.bytes()).sum(),
            _ => 0,
        };
        size_of::<(Occur, Clause<N>)>() + inner
    }
}
