//! Values behind a field that covers the first of them alone: `f:a OR b`, `f:1 2 3`.

use super::clauses::Typed;
use super::lexer::Kind;
use super::lists::is_item;
use super::{Habit, write};

/// `f:1 2 3`
pub fn numbers(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = typed.token(clause.field?);
    let is_number = write::is_number(typed.value(number)) && typed.is_plain;
    if !typed.is_word(number) || !is_number {
        return None;
    }
    let is_more = |&at: &usize| {
        typed.is_bare(at)
            && typed.clause(at).conjunction.is_none()
            && write::is_number(typed.value(at))
    };
    let others = std::iter::successors(clause.next, |&at| typed.clause(at).next);
    let others: Vec<usize> = others.take_while(is_more).collect();
    let last = *others.last()?;
    let all = std::iter::once(number).chain(others).map(|at| typed.value(at));
    let place = typed.place(clause.value).start..typed.span(last).end;
    let read = typed.value(number);
    Some(Habit {
        kind: "lists",
        shown: typed.span(number).start..place.end,
        edits: vec![(place, format!("({})", all.collect::<Vec<_>>().join(" OR ")))],
        means: format!("looks for {read} at {field}, and for the others at every path"),
        purpose: "for one of several values",
    })
}

/// `f:a OR b`
pub fn alternatives(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = typed.token(clause.field?);
    let is_or =
        |at: usize| typed.clause(at).conjunction.is_some_and(|at| typed.kind(at) == Some(Kind::Or));
    let is_more = |&at: &usize| typed.is_bare(at) && is_or(at) && is_item(typed.value(at));
    if !typed.is_word(number) || !typed.is_plain || !is_item(typed.value(number)) {
        return None;
    }
    let others = std::iter::successors(clause.next, |&at| typed.clause(at).next);
    let others: Vec<usize> = others.take_while(is_more).collect();
    let last = *others.last()?;
    let follows = typed.clause(last).next.is_some_and(|next| !is_or(next));
    if follows {
        return None;
    }
    let place = typed.place(clause.value).start..typed.span(last).end;
    let second = typed.value(*others.first()?);
    Some(Habit {
        kind: "lists",
        shown: typed.span(number).start..place.end,
        edits: vec![(place.clone(), format!("({})", typed.slice(place)))],
        means: format!("looks for {second} at every path, and not at {field}"),
        purpose: "for one of several values",
    })
}
