//! Query text × one document, without a tree in between. This is for queries that are used once,
//! as where each row of a table holds another query: to prepare such a query takes several times
//! as long as to evaluate it.

use crate::document::{Container, Item, Leaf, Scratch};
use crate::interrupts;
use crate::predicate::{Lowering, Test};
use crate::syntax::{ClauseBuilder, LeafQuery, Occur, read_simple};
use chrono::{DateTime, Utc};
use smallvec::SmallVec;

/// The longest query, in bytes, that is evaluated this way. Each clause searches the document
/// again, so a long query is faster with one walk for all clauses ([`Matcher`](super::Matcher)).
const MAX_DIRECT_QUERY_BYTES: usize = 512;

/// Whether the document matches the query, with `now` for `NOW`. None if the query is too long, or
/// is not one that [`read_simple`] reads.
pub fn match_once<'a>(
    query: &str,
    now: DateTime<Utc>,
    document: impl Container<'a>,
) -> Option<bool> {
    if query.len() > MAX_DIRECT_QUERY_BYTES {
        return None;
    }
    let mut direct = DirectQuery { document, lowering: Lowering::new(now) };
    Some(match read_simple(query, &mut direct)? {
        ClauseResult::Plain(result) => result,
        ClauseResult::Prohibited(any) => !any,
    })
}

/// Evaluates each clause as soon as it is read.
struct DirectQuery<C> {
    document: C,
    lowering: Lowering,
}

/// What the document says to one clause.
#[derive(Clone, Copy)]
enum ClauseResult {
    /// Whether the clause matches.
    Plain(bool),
    /// Whether any clause matches in a group that has prohibited clauses only. Such a group matches
    /// all other documents if it is the whole query, and nothing if it is a clause of another
    /// group.
    Prohibited(bool),
}

/// What the document says to the clauses of one group, as far as they were read.
#[derive(Default)]
struct ClauseResults {
    /// Whether all required clauses match; none if there is no required clause.
    required: Option<bool>,
    /// Whether any optional clause matches.
    optional: bool,
    /// Whether any prohibited clause matches.
    prohibited: bool,
    /// Whether there is a clause that is not prohibited.
    is_positive: bool,
}

/// Follows the same boolean rules as `lower`.
impl<'a, C: Container<'a>> ClauseBuilder for DirectQuery<C> {
    type Query = ClauseResult;
    type Clauses = ClauseResults;

    fn all(&mut self) -> ClauseResult {
        ClauseResult::Plain(true)
    }

    fn condition(&mut self, path: Option<&str>, query: LeafQuery) -> Option<ClauseResult> {
        // A query with an error is left to `lower`, which reports it.
        let test = self.lowering.test(path, &query).ok()?;
        Some(ClauseResult::Plain(match path {
            Some(path) => any_at(self.document, path, &test),
            None => any(self.document, &test),
        }))
    }

    fn add(&mut self, clauses: &mut ClauseResults, occur: Occur, query: ClauseResult) {
        let is_met = matches!(query, ClauseResult::Plain(true));
        clauses.is_positive |= occur != Occur::MustNot;
        match occur {
            Occur::Must => {
                clauses.required = Some(is_met && clauses.required.unwrap_or(true));
            }
            Occur::Should => clauses.optional |= is_met,
            Occur::MustNot => clauses.prohibited |= is_met,
        }
    }

    fn group(&mut self, clauses: ClauseResults) -> ClauseResult {
        match clauses.is_positive {
            false => ClauseResult::Prohibited(clauses.prohibited),
            true => {
                let chosen = clauses.required.unwrap_or(clauses.optional);
                ClauseResult::Plain(chosen && !clauses.prohibited)
            }
        }
    }

    fn decided(&self, clauses: &ClauseResults, occur: Occur) -> Option<ClauseResult> {
        let is_needless =
            occur == Occur::Should && (clauses.optional || clauses.required.is_some());
        let is_decided = clauses.prohibited || clauses.required == Some(false);
        (is_needless || is_decided).then_some(ClauseResult::Plain(false))
    }
}

/// Whether a leaf at the path satisfies the test, or for an existence test a leaf at or below it.
/// Keeps a stack of its own, since documents may be nested deeper than the thread's stack allows.
fn any_at<'a, C: Container<'a>>(document: C, path: &str, test: &Test) -> bool {
    let mut scratch = Scratch::new();
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
                Item::Leaf(leaf) if is_here && satisfies(leaf, test, &mut scratch) => return true,
                Item::Container(inner) => open.push((inner, rest)),
                _ => {}
            }
        }
        let Some(rest) = rest else { continue };
        let mut visit = |key: &str, item: Item<'a, C>| {
            let Some(behind) = rest.strip_prefix(key) else {
                // A key that continues the path with a dot is below the path.
                let is_below = test.is_existence()
                    && key.strip_prefix(rest).is_some_and(|more| more.starts_with('.'));
                return is_below && has_leaf(item);
            };
            let ends = behind.is_empty();
            match (item, behind.strip_prefix('.')) {
                (item, _) if ends && test.is_existence() => return has_leaf(item),
                (Item::Leaf(leaf), _) if ends => return satisfies(leaf, test, &mut scratch),
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
fn any<'a, C: Container<'a>>(document: C, test: &Test) -> bool {
    let mut scratch = Scratch::new();
    let mut open: SmallVec<[C; 16]> = SmallVec::new();
    open.push(document);
    while let Some(container) = open.pop() {
        for item in container.elements().chain(container.members().map(|(_, item)| item)) {
            match item {
                Item::Leaf(leaf) if satisfies(leaf, test, &mut scratch) => return true,
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
        Item::Container(inner) => any(inner, &Test::Exists),
    }
}

fn satisfies(leaf: Leaf<'_>, test: &Test, scratch: &mut Scratch) -> bool {
    leaf.scalar(scratch).is_some_and(|leaf| test.accepts(&leaf))
}
