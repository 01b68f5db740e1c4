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
use std::collections::BTreeSet;
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

/// The rules, in the order in which they are asked of each clause. Those of a later group find their
/// words only where no earlier one has found them: what a comparison spans are no words and no
/// clauses, and what joins conditions is judged when all conditions are known.
const RULES: &[&[Rule]] = &[
    &[
        sql::statement,
        sql::trailer,
        typography::quotes,
        typography::characters,
        paths::request_parameter,
        values::existence,
        comparison::comparison,
        functions::function,
        pipes::pipeline,
    ],
    &[
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
        booleans::lower_case,
        booleans::other_operator,
        booleans::lone_operator,
        booleans::joined,
        texts::group_behind_field,
        texts::pattern_behind_field,
        texts::words_behind_field,
    ],
    &[booleans::optional_negation, booleans::mixture],
];

/// The rules for queries whose writer knows Solr.
const FOR_EXPERTS: &[&[Rule]] = &[&[comparison::behind_colon]];

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
/// first is taken, by the groups of the rules, and then by the order of the text.
fn find(text: &str) -> Vec<Habit> {
    if text.len() > MAX_BYTES {
        return Vec::new();
    }
    let Some(typed) = Typed::read(text) else { return Vec::new() };
    let mut found: Vec<(usize, Habit)> = Vec::new();
    let mut taken = Taken::default();
    for group in if typed.is_expert { FOR_EXPERTS } else { RULES } {
        for number in 0..typed.clauses.len() {
            crate::interrupts::spend(64);
            for habit in group.iter().filter_map(|rule| rule(&typed, number)) {
                if taken.take(&habit.edits) {
                    found.push((number, habit));
                }
            }
        }
    }
    found.sort_by_key(|(number, _)| *number);
    let shown = |(_, habit): (usize, Habit)| Habit { shown: taken.around(habit.shown), ..habit };
    found.into_iter().map(shown).collect()
}

/// The places that are changed, by their starts and ends. None overlaps another; what is put between
/// two bytes has an empty place, and overlaps what both bytes belong to.
#[derive(Default)]
struct Taken(BTreeSet<(usize, usize)>);

impl Taken {
    /// The last of the places that start before this one.
    fn before(&self, at: usize) -> Option<Range<usize>> {
        self.0.range(..(at, 0)).next_back().map(|&(start, end)| start..end)
    }

    /// Takes the places of some edits, if none of them overlaps one that is taken.
    fn take(&mut self, edits: &[(Range<usize>, String)]) -> bool {
        let is_free = |place: &Range<usize>| {
            self.before(place.end).is_none_or(|taken| taken.end <= place.start)
        };
        let are_free = edits.iter().all(|(place, _)| is_free(place));
        if are_free {
            self.0.extend(edits.iter().map(|(place, _)| (place.start, place.end)));
        }
        are_free
    }

    /// A part of the text, with the whole of each place of which it has some.
    fn around(&self, part: Range<usize>) -> Range<usize> {
        let first = self.before(part.start).filter(|taken| taken.end > part.start);
        let last = self.before(part.end).filter(|taken| taken.end > part.end);
        first.map_or(part.start, |taken| taken.start)..last.map_or(part.end, |taken| taken.end)
    }
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
