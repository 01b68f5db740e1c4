//! Query text × one document, without a tree in between. This is for queries that are used once,
//! as where each row of a table holds another query: to prepare such a query takes several times
//! as long as to evaluate it.

use crate::document::{Container, Item, Leaf, Scratch};
use crate::interrupts;
use crate::predicate::{Lowering, UnreadValue, is_admitted, is_date};
use crate::syntax::{ClauseBuilder, Occur, SimpleTest, read_simple};
use chrono::{DateTime, Utc};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cmp::Ordering;

/// The longest query, in bytes, that is evaluated this way. Each clause searches the document
/// again, so a long query is faster with one walk for all clauses ([`Matcher`](super::Matcher)).
pub(super) const MAX_DIRECT_QUERY_BYTES: usize = 512;

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
        if let SimpleTest::Wildcard(_) = test {
            if self.scope == Scope::Comparisons {
                return None;
            }
            // A query with an error is left to `lower`, which reports it.
            let mut scratch = Scratch::new();
            let test = Lowering::new((self.now)()).test(&test.into()).ok()?;
            let satisfies =
                |leaf: Leaf<'_>| leaf.scalar(&mut scratch).is_some_and(|leaf| test.accepts(&leaf));
            return Some(ClauseResult::Plain(any_leaf(document, path, false, satisfies)));
        }
        let test = Comparison::<Cow<'_, str>, _>::new(test, &self.now)?;
        Some(ClauseResult::Plain(test.matches(document, path)))
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

/// The test of a condition, if it compares values as they stand in the query. `T` holds their texts.
#[derive(Debug)]
pub(super) enum Comparison<T, N> {
    Exists,
    Equal(UnreadValue<T, N>),
    Prefix(T),
    /// The lower and the upper bound, each with whether it is in the range.
    Range([Option<(UnreadValue<T, N>, bool)>; 2]),
}

impl<'t, T, N> Comparison<T, N>
where
    T: AsRef<str> + From<&'t str> + From<Cow<'t, str>>,
    N: Fn() -> DateTime<Utc> + Copy,
{
    /// None if it is a wildcard.
    #[inline]
    pub(super) fn new(test: SimpleTest<'t>, now: N) -> Option<Comparison<T, N>> {
        Some(match test {
            SimpleTest::Exists => Comparison::Exists,
            SimpleTest::Equal(text) => Comparison::Equal(UnreadValue::new(text.into(), now)),
            SimpleTest::Prefix(prefix) => Comparison::Prefix(prefix.into()),
            SimpleTest::Wildcard(_) => return None,
            SimpleTest::Range(bounds) => {
                // Beside a date, four digits are a year. Other bounds need not be looked at.
                let mut texts = bounds.iter().flatten().map(|(text, _)| *text);
                let is_dated = texts.clone().any(|text| text.len() == 4) && texts.any(is_date);
                let read = |text: &'t str| UnreadValue::bound(text.into(), is_dated, now);
                let bound = |(text, inclusive)| (read(text), inclusive);
                Comparison::Range(bounds.map(|end| end.map(bound)))
            }
        })
    }
}

impl<T: AsRef<str>, N: Fn() -> DateTime<Utc>> Comparison<T, N> {
    /// Whether a leaf of the document satisfies it, at the path or, without a path, anywhere.
    #[inline]
    pub(super) fn matches<'a>(&self, document: impl Container<'a>, path: Option<&str>) -> bool {
        match self {
            Comparison::Exists => any_leaf(document, path, true, |_| true),
            Comparison::Equal(value) => any_leaf(document, path, false, |leaf| value.equals(leaf)),
            Comparison::Prefix(prefix) => any_leaf(
                document,
                path,
                false,
                |leaf| matches!(leaf, Leaf::String(text) if text.starts_with(prefix.as_ref())),
            ),
            Comparison::Range([lower, upper]) => {
                let admits = |bound: &Option<(UnreadValue<T, N>, bool)>, leaf, inside| {
                    bound.as_ref().is_none_or(|(value, inclusive)| {
                        is_admitted(value.compare(leaf), inside, *inclusive)
                    })
                };
                any_leaf(document, path, false, |leaf| {
                    admits(lower, leaf, Ordering::Greater) && admits(upper, leaf, Ordering::Less)
                })
            }
        }
    }
}

/// Whether a leaf satisfies a test, at the path or, without a path, anywhere. For an existence test
/// leaves below the path count too.
fn any_leaf<'a, C: Container<'a>>(
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
        let mut visit = |key: &str, item: Item<'a, C>| {
            let Some(behind) = rest.strip_prefix(key) else {
                // A key that continues the path with a dot is below the path.
                let is_below = is_existence
                    && key.strip_prefix(rest).is_some_and(|more| more.starts_with('.'));
                return is_below && has_leaf(item);
            };
            let ends = behind.is_empty();
            match (item, behind.strip_prefix('.')) {
                (item, _) if ends && is_existence => return has_leaf(item),
                (Item::Leaf(leaf), _) if ends => return satisfies(leaf),
                (Item::Container(inner), _) if ends => open.push((inner, None)),
                (Item::Container(inner), Some(behind)) => open.push((inner, Some(behind))),
                _ => {}
            }
            false
        };
        let found = match container.has_dotted_key() {
            true => container.members().any(|(key, item)| visit(key, item)),
            false => {
                let key = rest.split_once('.').map_or(rest, |(key, _)| key);
                container.member(key).is_some_and(|item| visit(key, item))
            }
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
