//! Query text × one document, without a tree between: for queries that are asked once, where each row of a table has another. To
//! prepare one takes several times as long as to ask it.

use crate::document::{Container, Item, Leaf, Scratch};
use crate::interrupts;
use crate::predicate::Lowering;
use crate::predicate::Test;
use crate::syntax::{LeafQuery, Make, Occur, read_simple};
use chrono::{DateTime, Utc};
use smallvec::SmallVec;

/// The longest query that is asked so: each clause looks at the document anew.
const SHORT: usize = 512;

/// Whether the document meets a query that is short and simple, as it means with this `NOW`; none of any other.
pub fn ask<'a>(query: &str, now: DateTime<Utc>, document: impl Container<'a>) -> Option<bool> {
    if query.len() > SHORT {
        return None;
    }
    let mut asking = Asking { document, lowering: Lowering::new(now) };
    Some(match read_simple(query, &mut asking)? {
        Answer::Plain(answer) => answer,
        Answer::Prohibited(any) => !any,
    })
}

struct Asking<C> {
    document: C,
    lowering: Lowering,
}

#[derive(Clone, Copy)]
enum Answer {
    Plain(bool),
    /// Of prohibited clauses alone: whether any of them is met. As a whole query that is everything else, as a clause nothing.
    Prohibited(bool),
}

/// What clauses amount to.
#[derive(Default)]
struct Clauses {
    /// Whether all required ones are met, if there are such.
    required: Option<bool>,
    /// Whether any optional, or any prohibited one is met.
    optional: bool,
    prohibited: bool,
    /// Whether there are others than prohibited ones.
    is_positive: bool,
}

/// As `lower` has it.
impl<'a, C: Container<'a>> Make for Asking<C> {
    type Query = Answer;
    type Clauses = Clauses;

    fn every(&mut self) -> Answer {
        Answer::Plain(true)
    }

    fn leaf(&mut self, path: Option<&str>, form: LeafQuery) -> Option<Answer> {
        // Who prepares it says what is wrong.
        let test = self.lowering.test(path, &form).ok()?;
        Some(Answer::Plain(match path {
            Some(path) => any_at(self.document, path, &test),
            None => any(self.document, &test),
        }))
    }

    fn add(&mut self, clauses: &mut Clauses, occur: Occur, query: Answer) {
        let is_met = matches!(query, Answer::Plain(true));
        clauses.is_positive |= occur != Occur::MustNot;
        match occur {
            Occur::Must => {
                clauses.required = Some(is_met && clauses.required.unwrap_or(true));
            }
            Occur::Should => clauses.optional |= is_met,
            Occur::MustNot => clauses.prohibited |= is_met,
        }
    }

    fn group(&mut self, clauses: Clauses) -> Answer {
        match clauses.is_positive {
            false => Answer::Prohibited(clauses.prohibited),
            true => {
                let chosen = clauses.required.unwrap_or(clauses.optional);
                Answer::Plain(chosen && !clauses.prohibited)
            }
        }
    }

    fn decided(&self, clauses: &Clauses, occur: Occur) -> Option<Answer> {
        let is_needless =
            occur == Occur::Should && (clauses.optional || clauses.required.is_some());
        let is_decided = clauses.prohibited || clauses.required == Some(false);
        (is_needless || is_decided).then_some(Answer::Plain(false))
    }
}

/// Whether some leaf at the path, or below it if that is what is asked, passes. Keeps its own stack, as all walks do.
fn any_at<'a, C: Container<'a>>(document: C, path: &str, test: &Test) -> bool {
    let mut scratch = Scratch::new();
    // Containers, each with what is left of the path: none in arrays at its end.
    let mut open: SmallVec<[(C, Option<&str>); 8]> = SmallVec::new();
    open.push((document, Some(path)));
    while let Some((container, rest)) = open.pop() {
        interrupts::spend(1);
        // A document that is a lone scalar, or an array of some, has leaves at the empty path.
        let is_here = rest.is_none_or(|rest| rest.is_empty() && path.is_empty());
        for item in container.elements() {
            match item {
                Item::Leaf(leaf) if is_here && passes(leaf, test, &mut scratch) => return true,
                Item::Container(inner) => open.push((inner, rest)),
                _ => {}
            }
        }
        let Some(rest) = rest else { continue };
        let mut visit = |key: &str, item: Item<'a, C>| {
            let Some(behind) = rest.strip_prefix(key) else {
                // A key that goes on behind the path with a dot is below it.
                let is_below = test.is_existence()
                    && key.strip_prefix(rest).is_some_and(|more| more.starts_with('.'));
                return is_below && has_leaf(item);
            };
            let ends = behind.is_empty();
            match (item, behind.strip_prefix('.')) {
                (item, _) if ends && test.is_existence() => return has_leaf(item),
                (Item::Leaf(leaf), _) if ends => return passes(leaf, test, &mut scratch),
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

/// Whether any leaf passes.
fn any<'a, C: Container<'a>>(document: C, test: &Test) -> bool {
    let mut scratch = Scratch::new();
    let mut open: SmallVec<[C; 16]> = SmallVec::new();
    open.push(document);
    while let Some(container) = open.pop() {
        for item in container.elements().chain(container.members().map(|(_, item)| item)) {
            match item {
                Item::Leaf(leaf) if passes(leaf, test, &mut scratch) => return true,
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

fn passes(leaf: Leaf<'_>, test: &Test, scratch: &mut Scratch) -> bool {
    leaf.scalar(scratch).is_some_and(|leaf| test.accepts(&leaf))
}
