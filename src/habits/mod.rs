//! What people type out of habit from other query languages, and what they mean by it.
//!
//! Most of it is valid in Solr's language, and finds nothing or something else. Solr's meaning
//! stays the meaning; [`advise`] says what it is, and which query to write instead. Where the habit
//! is an error, [`repairs`] has the queries that were probably meant.
//!
//! Each habit is a small function in one of the files: it looks at one clause, and returns a
//! [`Habit`] or none. The rules look at the text alone, never at data.

mod alternatives;
mod booleans;
mod clauses;
mod comparison;
mod functions;
mod lexer;
mod lists;
mod notices;
mod objects;
mod paths;
mod patterns;
mod pipes;
mod repair;
mod scanner;
mod sql;
mod texts;
mod times;
mod typography;
mod values;
mod write;

pub use notices::{Notices, excerpt};
pub use repair::{repairs, with_repairs};

use crate::syntax;
use clauses::Typed;
use std::collections::BTreeMap;
use std::ops::Range;

/// A habit that was found in a query.
pub struct Habit {
    /// What several of them are called.
    kind: &'static str,
    /// The part of the query that the notice shows.
    shown: Range<usize>,
    /// Places, in order, and what to write there instead.
    edits: Vec<(Range<usize>, String)>,
    /// What Solr's language reads: "looks for the text …".
    means: String,
    /// What it is written for: "to compare".
    purpose: &'static str,
}

type Rule = fn(&Typed<'_>, usize) -> Option<Habit>;

/// The rules, in the order in which they are asked.
const RULES: &[Rule] = &[
    sql::statement,
    sql::trailer,
    typography::quotes,
    typography::characters,
    paths::request_parameter,
    values::existence,
    comparison::comparison,
    functions::function,
    patterns::flags,
    paths::adjacent_to_regexp,
    paths::spelling,
    lists::range_words,
    lists::range_in_word,
    lists::bounds,
    objects::operators,
    lists::words_in_braces,
    lists::group_with_commas,
    lists::list_in_word,
    alternatives::numbers,
    alternatives::alternatives,
    values::null,
    values::single_quotes,
    values::boolean,
    times::periods,
    times::time_of_day,
    values::date,
    values::number,
    values::status_class,
    values::network,
    values::encoded,
    values::wildcard_in_quotes,
    values::syntax_in_quotes,
    values::slop,
    values::like_pattern,
    patterns::anchors,
    patterns::in_word,
    pipes::pipeline,
    booleans::lower_case,
    booleans::other_operator,
    booleans::lone_operator,
    booleans::joined,
    texts::group_behind_field,
    texts::pattern_behind_field,
    texts::words_behind_field,
    booleans::optional_negation,
    booleans::mixture,
];

/// The rules for queries whose writer knows Solr.
const FOR_EXPERTS: &[Rule] = &[comparison::behind_colon];

/// Beyond so many bytes a query is not read for habits: nobody typed it.
const MAX_BYTES: usize = 64 << 10;

/// How often a query that was rewritten is read again. A habit may hide another.
const PASSES: usize = 6;

/// What to say about a query that was accepted.
#[derive(Debug, Default)]
pub struct Advice {
    /// The notices.
    pub notices: Vec<String>,
    /// The query to write instead, if there are notices.
    pub instead: Option<String>,
}

/// Says which habits a query shows. A query that is rewritten in this way shows none any more.
pub fn advise(text: &str) -> Advice {
    let habits = find(text);
    if habits.is_empty() {
        return Advice::default();
    }
    let instead = rewrite(text).filter(|instead| syntax::parse(instead).is_ok());
    let is_whole = matches!(&habits[..], [habit] if habit.shown == (0..text.trim_end().len()));
    let mut notices = Notices::default();
    for habit in &habits {
        notices.add(habit.kind, || match &instead {
            Some(instead) if is_whole => habit.notice(text, instead),
            _ => habit.notice(text, &instead_of(&habits, habit, text)),
        });
    }
    let mut notices = notices.into_vec();
    if let Some(whole) = instead.as_deref().filter(|whole| !is_whole && excerpt(whole) == *whole) {
        notices.push(format!("The whole query is then {}", whole.trim()));
    }
    Advice { notices, instead }
}

/// What to write instead of the part of a query that a notice shows, whatever habits it has.
fn instead_of(habits: &[Habit], habit: &Habit, text: &str) -> String {
    let is_shown =
        |place: &Range<usize>| habit.shown.start <= place.start && place.end <= habit.shown.end;
    let edits = habits.iter().flat_map(|habit| &habit.edits).filter(|(place, _)| is_shown(place));
    apply(text, habit.shown.clone(), edits.cloned())
}

/// The query that was probably meant; none if it shows no habit.
pub fn rewrite(text: &str) -> Option<String> {
    let mut meant: Option<String> = None;
    for _ in 0..PASSES {
        let current = meant.as_deref().unwrap_or(text);
        let habits = find(current);
        if habits.is_empty() {
            break;
        }
        let edits = habits.into_iter().flat_map(|habit| habit.edits);
        meant = Some(apply(current, 0..current.len(), edits));
    }
    meant.filter(|meant| meant != text)
}

/// The habits of a query, in the order of the text. Where two want to change the same place, the
/// first is taken.
fn find(text: &str) -> Vec<Habit> {
    let mut found: Vec<Habit> = Vec::new();
    if text.len() > MAX_BYTES {
        return found;
    }
    let Some(typed) = Typed::read(text) else { return found };
    // The ends of the places that are changed, by their starts. They do not overlap.
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for number in 0..typed.clauses.len() {
        crate::interrupts::spend(64);
        for rule in if typed.is_expert { FOR_EXPERTS } else { RULES } {
            let Some(habit) = rule(&typed, number) else { continue };
            let overlaps = |edit: &Range<usize>| {
                let before = taken.range(..edit.end.max(edit.start + 1)).next_back();
                before.is_some_and(|(start, end)| {
                    edit.start < *end && *start < edit.end.max(edit.start)
                })
            };
            if habit.edits.iter().any(|(edit, _)| overlaps(edit)) {
                continue;
            }
            let changed = habit.edits.iter().filter(|(edit, _)| !edit.is_empty());
            taken.extend(changed.map(|(edit, _)| (edit.start, edit.end)));
            found.push(habit);
        }
    }
    found
}

/// A part of a text after the edits.
fn apply(
    text: &str,
    part: Range<usize>,
    edits: impl IntoIterator<Item = (Range<usize>, String)>,
) -> String {
    let mut edits: Vec<_> = edits.into_iter().collect();
    edits.sort_by_key(|(place, _)| (place.start, place.end));
    let (mut written, mut at) = (String::new(), part.start);
    for (place, new) in edits {
        written += text.get(at..place.start).unwrap_or_default();
        written += &new;
        at = place.end;
    }
    written + text.get(at..part.end).unwrap_or_default()
}

impl Habit {
    fn notice(&self, text: &str, instead: &str) -> String {
        let shown = excerpt(text.get(self.shown.clone()).unwrap_or_default().trim());
        let (means, purpose, instead) = (&self.means, self.purpose, excerpt(instead));
        match instead.is_empty() || instead.trim() == shown {
            true => format!("{shown} {means}; {purpose}."),
            false => format!("{shown} {means}; {purpose} write {instead}."),
        }
    }
}

#[cfg(test)]
mod tests;
