//! Texts that need quotes and have none: `name:Ann Lee`, `agent:Mozilla/5.0 (X11)`.

use super::booleans;
use super::clauses::Typed;
use super::lexer::Kind;
use super::{Habit, write};

/// What a word may begin that is no part of the text before it.
const BEGINNINGS: &[super::Rule] = &[
    super::sql::trailer,
    super::typography::characters,
    super::comparison::comparison,
    super::functions::function,
    super::lists::list_in_word,
    super::pipes::pipeline,
    booleans::joined,
];

/// `name:Ann Lee`
pub fn words_behind_field(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = typed.token(clause.field?);
    let first = typed.value(number);
    let is_condition =
        write::is_number(first) || matches!(first, "true" | "false") || first.contains('*');
    if !typed.is_word(number) || is_condition || typed.slice(typed.span(number)).contains('\\') {
        return None;
    }
    let mut last = number;
    while let Some(next) = typed.clause(last).next {
        let is_word = typed.is_bare(next)
            && typed.clause(next).conjunction.is_none()
            && typed.value(next).chars().all(|c| c.is_alphanumeric() || "_-.'’".contains(c))
            && super::lexer::joins(typed.value(next)).is_none()
            && !booleans::is_operator(typed.value(next))
            && !super::lexer::is_not(typed.value(next))
            && BEGINNINGS.iter().all(|rule| rule(typed, next).is_none());
        if !is_word {
            break;
        }
        last = next;
    }
    // The word before an AND belongs to what follows.
    let second = (last != number).then_some(clause.next)??;
    let place = typed.place(clause.value).start..typed.span(last).end;
    let text = write::unescaped(typed.slice(place.clone()));
    Some(Habit {
        kind: "texts without quotes",
        shown: typed.span(number).start..place.end,
        edits: vec![(place, write::equal(&text))],
        means: format!(
            "looks for \"{}\" at {field}, and for \"{}\" at every path",
            super::excerpt(first),
            super::excerpt(typed.value(second))
        ),
        purpose: "for the whole text",
    })
}

/// `agent:Mozilla/5.0 (X11; Linux)`, `name:Ann(Lee)`
pub fn group_behind_field(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = typed.token(clause.field?);
    let group = clause.next?;
    let opened = typed.clause(group);
    let first = typed.value(number);
    let (word, rest) = (typed.span(number), typed.span(group));
    let inside = write::inside(typed.slice(rest.clone()));
    let is_text = typed.is_word(number)
        && typed.value_kind(group) == Some(Kind::Open)
        && opened.field.is_none()
        && opened.modifier.is_none()
        && opened.conjunction.is_none()
        && (word.end == rest.start || first.contains('/') || inside.contains(';'))
        && !first.contains(['*', '?', '\\', '"'])
        && !inside.contains(['*', '?', '\\', '"', '(', ':', '[', '{']);
    if !is_text {
        return None;
    }
    let place = typed.place(clause.value).start..rest.end;
    Some(Habit {
        kind: "texts without quotes",
        shown: word.start..place.end,
        edits: vec![(place.clone(), write::equal(typed.slice(place)))],
        means: format!(
            "looks for \"{}\" at {field}, and for what is in parentheses at every path",
            super::excerpt(first)
        ),
        purpose: "for the whole text",
    })
}

/// `f:*Ann Lee*`
pub fn pattern_behind_field(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = typed.token(clause.field?);
    let first = typed.value(number);
    let is_plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_-.'’".contains(c));
    let begins = first.strip_prefix('*').is_some_and(|rest| !rest.is_empty() && is_plain(rest));
    if !begins || !typed.is_word(number) {
        return None;
    }
    let mut last = number;
    loop {
        last = typed.clause(last).next?;
        let word = typed.value(last);
        let is_bare = typed.is_bare(last) && typed.clause(last).conjunction.is_none();
        match word.strip_suffix('*') {
            Some(rest) if is_bare && !rest.is_empty() && is_plain(rest) => break,
            None if is_bare && is_plain(word) => {}
            _ => return None,
        }
    }
    let place = typed.place(clause.value).start..typed.span(last).end;
    let pattern = write::wildcard(write::globs(typed.slice(place.clone()), '*', '\0'));
    Some(Habit {
        kind: "texts without quotes",
        shown: typed.span(number).start..place.end,
        edits: vec![(place, pattern)],
        means: format!("looks for {first} at {field}, and for the rest at every path"),
        purpose: "for the whole pattern",
    })
}
