//! Times in several words: `ts:last 7 days`, `ts:2024-01-31 10:00`.

use super::clauses::Typed;
use super::lexer::Kind;
use super::{Habit, write};
use crate::syntax;

/// The most words that a time has.
const MAX_WORDS: usize = 3;

/// The range that a period means: `last 7 days`, `this month`.
fn period(text: &str) -> Option<String> {
    let lower = text.to_lowercase().replace(['_', '-'], " ");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let unit = |word: &str| match word.trim_end_matches('s') {
        unit @ ("minute" | "hour" | "day" | "week" | "month" | "year") => Some(unit.to_string()),
        _ => None,
    };
    let rounded = |unit: &str| match unit {
        // Solr's date math has no weeks.
        "week" => None,
        unit => Some(format!("/{}", unit.to_uppercase())),
    };
    let back = |count: &str, unit: &str| syntax::meant_date_math(&format!("NOW-{count}{unit}"));
    let (start, end) = match words[..] {
        ["last" | "past", count, name] if count.bytes().all(|b| b.is_ascii_digit()) => {
            (back(count, &unit(name)?)?, "NOW".to_string())
        }
        ["last" | "past", name] => (back("1", &unit(name)?)?, "NOW".to_string()),
        ["previous", name] => {
            let (unit, round) = (unit(name)?, rounded(&unit(name)?)?);
            (format!("{}{round}", back("1", &unit)?), format!("NOW{round}"))
        }
        ["this" | "current", name] => (format!("NOW{}", rounded(&unit(name)?)?), "NOW".to_string()),
        _ => return None,
    };
    let is_whole = words.first() == Some(&"previous");
    Some(write::range(Some((&start, true)), Some((&end, !is_whole))))
}

/// `f:last 7 days`, `f:last_7_days`, `f:"this month"`
pub fn periods(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = typed.token(clause.field?);
    let is_quoted = typed.value_kind(number)? == Kind::Quoted;
    if !is_quoted && !typed.is_word(number) || clause.last != clause.value {
        return None;
    }
    let start = typed.place(clause.value).start;
    let is_more =
        |&at: &usize| typed.is_bare(at) && typed.clause(at).conjunction.is_none() && !is_quoted;
    let others = std::iter::successors(clause.next, |&at| typed.clause(at).next);
    let ends = std::iter::once(number).chain(others.take_while(is_more).take(MAX_WORDS - 1));
    let ends: Vec<usize> = ends.map(|at| typed.span(at).end).collect();
    let (end, range) = ends
        .into_iter()
        .rev()
        .find_map(|end| Some((end, period(typed.slice(start..end).trim_matches('"'))?)))?;
    let read = typed.value(number).trim_matches('"');
    Some(Habit {
        kind: "words",
        shown: typed.span(number).start..end,
        edits: vec![(start..end, range)],
        means: format!("looks for the text \"{}\" at {field}", super::excerpt(read)),
        purpose: "for the time",
    })
}

/// `f:2024-01-31 10:00`
pub fn time_of_day(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = typed.token(clause.field?);
    let next = clause.next?;
    let two = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    let date = typed.value(number);
    let is_date = date.len() == 10 && chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok();
    let hour = typed.token(typed.clause(next).field?);
    let is_time = two(hour) && two(typed.value(next)) && typed.is_word(next);
    if !is_date || !is_time || !typed.is_word(number) || typed.clause(next).modifier.is_some() {
        return None;
    }
    let place = typed.place(clause.value).start..typed.span(next).end;
    let text = typed.slice(place.clone()).to_string();
    Some(Habit {
        kind: "texts without quotes",
        shown: typed.span(number).start..place.end,
        edits: vec![(place, format!("\"{text}\""))],
        means: format!("looks for {date} at {field}, and for the rest at the path {hour}"),
        purpose: "for the time",
    })
}
