//! Query text × one document, without a tree in between. This is for queries that are used once,
//! as where each row of a table holds another query: to prepare such a query takes several times
//! as long as to evaluate it.

use crate::document::{Container, Item, Leaf, Scratch};
use crate::interrupts;
use crate::predicate::{Lowering, UnreadValue, is_admitted, is_date};
use crate::syntax::{ClauseBuilder, Occur, SimpleTest, read_simple};
use chrono::{DateTime, Utc};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// The longest query, in bytes, that is evaluated this way. Each clause searches the document
/// again, so a long query is faster with one walk for all clauses ([`Matcher`](super::Matcher)).
pub const MAX_DIRECT_QUERY_BYTES: usize = 512;

/// Which queries [`match_once`] answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those whose values are compared as they stand in the query. That takes less time than to find
    /// a prepared query.
    Comparisons,
    /// Those with wildcards too, which must be compiled.
    Patterns,
}

/// Whether the document matches the query, with `now` for `NOW`. None if the query is too long, is
/// not one that [`read_simple`] reads, or is beyond the scope.
pub fn match_once<'a>(
    query: &str,
    scope: Scope,
    now: impl Fn() -> DateTime<Utc>,
    document: impl Container<'a>,
) -> Option<bool> {
    if query.len() > MAX_DIRECT_QUERY_BYTES {
        return None;
    }
    Some(read_simple(query, &mut DirectQuery { document, scope, now })?.is_match())
}

/// Evaluates each clause as soon as it is read.
struct DirectQuery<C, N> {
    document: C,
    scope: Scope,
    now: N,
}

/// What the document says to one clause.
#[derive(Clone, Copy)]
pub(super) enum ClauseResult {
    /// Whether the clause matches.
    Plain(bool),
    /// Whether any clause matches in a group that has prohibited clauses only. Such a group matches
    /// all other documents if it is the whole query, and nothing if it is a clause of another
    /// group.
    Prohibited(bool),
}

/// What the document says to the clauses of one group, as far as they were read.
#[derive(Default)]
pub(super) struct ClauseResults {
    /// Whether all required clauses match; none if there is no required clause.
    required: Option<bool>,
    /// Whether any optional clause matches.
    optional: bool,
    /// Whether any prohibited clause matches.
    prohibited: bool,
    /// Whether there is a clause that is not prohibited.
    is_positive: bool,
}

impl<'a, C: Container<'a>, N: Fn() -> DateTime<Utc>> ClauseBuilder for DirectQuery<C, N> {
    type Query = ClauseResult;
    type Clauses = ClauseResults;

    fn all(&mut self) -> ClauseResult {
        ClauseResult::Plain(true)
    }

    fn condition(&mut self, path: Option<&str>, test: SimpleTest<'_>) -> Option<ClauseResult> {
        let document = self.document;
        Some(ClauseResult::Plain(match test {
            SimpleTest::Exists => any_leaf(document, path, true, |_| true),
            SimpleTest::Equal(text) => {
                let value = UnreadValue::new(text, &self.now);
                any_leaf(document, path, false, |leaf| value.equals(leaf))
            }
            SimpleTest::Prefix(prefix) => {
                let starts = |leaf: Leaf<'_>| matches!(leaf, Leaf::String(text) if text.starts_with(&*prefix));
                any_leaf(document, path, false, starts)
            }
            SimpleTest::Wildcard(_) if self.scope == Scope::Comparisons => return None,
            SimpleTest::Wildcard(_) => {
                // A query with an error is left to `lower`, which reports it.
                let mut scratch = Scratch::new();
                let test = Lowering::new((self.now)()).test(&test.into()).ok()?;
                let satisfies = |leaf: Leaf<'_>| {
                    leaf.scalar(&mut scratch).is_some_and(|leaf| test.accepts(&leaf))
                };
                any_leaf(document, path, false, satisfies)
            }
            SimpleTest::Range(bounds) => {
                let is_dated = is_dated(&bounds);
                let bounds = bounds.map(|end| {
                    end.map(|(text, inclusive)| {
                        (UnreadValue::bound(text, is_dated, &self.now), inclusive)
                    })
                });
                any_leaf(document, path, false, |leaf| {
                    is_within(&bounds, |(value, inclusive)| (value.compare(leaf), *inclusive))
                })
            }
        }))
    }

    fn add(&mut self, clauses: &mut ClauseResults, occur: Occur, query: ClauseResult) {
        clauses.add(occur, query);
    }

    fn group(&mut self, clauses: ClauseResults) -> ClauseResult {
        clauses.result()
    }

    fn decided(&self, clauses: &ClauseResults, occur: Occur) -> Option<ClauseResult> {
        clauses.is_decided(occur).then_some(ClauseResult::Plain(false))
    }
}

/// Follows the same boolean rules as `lower`.
impl ClauseResults {
    pub(super) fn add(&mut self, occur: Occur, query: ClauseResult) {
        let is_met = matches!(query, ClauseResult::Plain(true));
        self.is_positive |= occur != Occur::MustNot;
        match occur {
            Occur::Must => self.required = Some(is_met && self.required.unwrap_or(true)),
            Occur::Should => self.optional |= is_met,
            Occur::MustNot => self.prohibited |= is_met,
        }
    }

    pub(super) fn result(self) -> ClauseResult {
        match self.is_positive {
            false => ClauseResult::Prohibited(self.prohibited),
            true => {
                let chosen = self.required.unwrap_or(self.optional);
                ClauseResult::Plain(chosen && !self.prohibited)
            }
        }
    }

    /// Whether the result of the next clause does not matter any more.
    pub(super) fn is_decided(&self, occur: Occur) -> bool {
        let is_needless = occur == Occur::Should && (self.optional || self.required.is_some());
        is_needless || self.prohibited || self.required == Some(false)
    }
}

impl ClauseResult {
    /// Whether the document matches, if this is the whole query.
    pub(super) fn is_match(self) -> bool {
        match self {
            ClauseResult::Plain(result) => result,
            ClauseResult::Prohibited(any) => !any,
        }
    }
}

/// Whether the bounds of a range are beside a date, where four digits are a year. Other bounds need
/// not be looked at.
pub(super) fn is_dated(bounds: &[Option<(&str, bool)>; 2]) -> bool {
    let mut texts = bounds.iter().flatten().map(|(text, _)| *text);
    texts.clone().any(|text| text.len() == 4) && texts.any(is_date)
}

/// Whether a leaf lies within a range. `compare` compares it with a bound, and says whether that is
/// in the range.
#[inline]
pub(super) fn is_within<B>(
    [lower, upper]: &[Option<B>; 2],
    compare: impl Fn(&B) -> (Option<Ordering>, bool),
) -> bool {
    let admits = |bound: &Option<B>, inside| {
        bound.as_ref().is_none_or(|bound| {
            let (found, is_inclusive) = compare(bound);
            is_admitted(found, inside, is_inclusive)
        })
    };
    admits(lower, Ordering::Greater) && admits(upper, Ordering::Less)
}

/// Whether a leaf satisfies a test, at the path or, without a path, anywhere. For an existence test
/// leaves below the path count too.
#[inline]
pub(super) fn any_leaf<'a, C: Container<'a>>(
    document: C,
    path: Option<&str>,
    is_existence: bool,
    satisfies: impl FnMut(Leaf<'a>) -> bool,
) -> bool {
    match path {
        Some(path) => any_at(document, path, is_existence, satisfies),
        None => any(document, satisfies),
    }
}

/// Keeps a stack of its own, since documents may be nested deeper than the thread's stack allows.
fn any_at<'a, C: Container<'a>>(
    document: C,
    path: &str,
    is_existence: bool,
    mut satisfies: impl FnMut(Leaf<'a>) -> bool,
) -> bool {
    // Containers, each with the rest of the path from there. None stands for an array at the end of
    // the path, whose elements are at the path too.
    let mut open: SmallVec<[(C, Option<&str>); 8]> = SmallVec::new();
    open.push((document, Some(path)));
    while let Some((container, rest)) = open.pop() {
        interrupts::spend(1);
        // A document that is a scalar or an array of scalars has its leaves at the empty path.
        let is_here = rest.is_none_or(|rest| rest.is_empty() && path.is_empty());
        for item in container.elements() {
            match item {
                Item::Leaf(leaf) if is_here && satisfies(leaf) => return true,
                Item::Container(inner) => open.push((inner, rest)),
                _ => {}
            }
        }
        let Some(rest) = rest else { continue };
        let found = match is_existence {
            true => {
                let mut visit = |key: &str, item: Item<'a, C>| {
                    // A key that continues the path with a dot is below the path.
                    let is_below = |more: &str| more.is_empty() || more.starts_with('.');
                    if key.strip_prefix(rest).is_some_and(is_below) {
                        return has_leaf(item);
                    }
                    let behind = rest.strip_prefix(key).and_then(|more| more.strip_prefix('.'));
                    if let (Item::Container(inner), Some(behind)) = (item, behind) {
                        open.push((inner, Some(behind)));
                    }
                    false
                };
                match container.has_dotted_key() {
                    true => container.members().any(|(key, item)| visit(key, item)),
                    false => {
                        let key = rest.split_once('.').map_or(rest, |(key, _)| key);
                        container.member(key).is_some_and(|item| visit(key, item))
                    }
                }
            }
            false => container.any_on_path(rest, |behind, item| match item {
                Item::Leaf(leaf) => behind.is_none() && satisfies(leaf),
                Item::Container(inner) => {
                    open.push((inner, behind));
                    false
                }
                Item::Null => false,
            }),
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether any leaf of the document satisfies the test.
fn any<'a, C: Container<'a>>(document: C, mut satisfies: impl FnMut(Leaf<'a>) -> bool) -> bool {
    let mut open: SmallVec<[C; 16]> = SmallVec::new();
    open.push(document);
    while let Some(container) = open.pop() {
        for item in container.elements().chain(container.members().map(|(_, item)| item)) {
            match item {
                Item::Leaf(leaf) if satisfies(leaf) => return true,
                Item::Container(inner) => open.push(inner),
                _ => {}
            }
        }
    }
    false
}

fn has_leaf<'a, C: Container<'a>>(item: Item<'a, C>) -> bool {
    match item {
        Item::Null => false,
        Item::Leaf(_) => true,
        Item::Container(inner) => any(inner, |_| true),
    }
}
