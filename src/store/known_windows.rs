//! Where windows over shards were: how many rows of each shard come before them.
//!
//! Who reads on asks for the window behind the last one, and it is known how many rows of each shard
//! come before that. So the shards are asked for the rows there and for their documents at once, as
//! for a window near the start. Lucene goes on from the last row itself (IndexSearcher.searchAfter).
//!
//! This says only where to look. Others may have written since; the rows before and behind those of
//! the window show whether it lies there (shard_window.rs), and if not, it is looked for anew.

use super::shard_page::{Span, Spans};
use super::shard_window::Place;
use crate::syntax::SortKey;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// How many windows a session remembers, the last ones. With eight shards, each takes half a kilobyte.
const KNOWN_WINDOWS: usize = 32;

/// How many more rows of each shard are asked for on either side. With one, the window is found if
/// nothing has changed; where it was not, with more the next time.
const LEAST_MARGIN: u64 = 1;
const MOST_MARGIN: u64 = 16;

struct KnownWindow {
    question: u64,
    rows: Range<u64>,
    /// The name of each shard, and its rows of the window.
    of: Vec<(String, Place)>,
    margin: u64,
}

impl KnownWindow {
    /// Where the rows of another window can be in each shard. None if one shard would be asked for more
    /// than `most`.
    fn spans(&self, window: &Range<u64>, most: u64) -> Option<Spans> {
        // Of so many rows of all shards together, it is known how many are in each.
        let is_behind = window.start >= self.rows.end;
        let known = if is_behind { self.rows.end } else { self.rows.start };
        let (less, more) = (known.saturating_sub(window.start), window.end.saturating_sub(known));
        if less + more + 2 * self.margin > most {
            return None;
        }
        let span = |(name, place): &(String, Place)| {
            let known = place.start + if is_behind { place.rows } else { 0 };
            let start = known.saturating_sub(less + self.margin);
            (
                name.clone(),
                Span { start, rows: known + more + self.margin - start, step: 1 }.numbers(),
            )
        };
        Some(self.of.iter().map(span).collect())
    }
}

thread_local! {
    /// The last one is at the end.
    static KNOWN: RefCell<VecDeque<KnownWindow>> = const { RefCell::new(VecDeque::new()) };
}

/// A query and a sort of a table.
pub struct Question {
    hash: u64,
    /// The margin of the window near which this one is looked for.
    margin: Option<u64>,
}

impl Question {
    /// If two questions have the same hash, a window is looked for in the wrong place, and then anew.
    pub fn of(table: pg_sys::Oid, query: &str, sort: &[SortKey]) -> Question {
        let mut hasher = DefaultHasher::new();
        (table.to_u32(), query).hash(&mut hasher);
        sort.iter().for_each(|key| key.to_string().hash(&mut hasher));
        Question { hash: hasher.finish(), margin: None }
    }

    /// Where the rows of a window are in each shard, if one is known that is so near that no shard is
    /// asked for more than `most` rows.
    pub fn near(&mut self, window: &Range<u64>, most: u64) -> Option<Spans> {
        KNOWN.with_borrow(|known| {
            let known = known.iter().filter(|known| known.question == self.hash);
            let known = known.min_by_key(|known| known.rows.start.abs_diff(window.start))?;
            let spans = known.spans(window, most)?;
            self.margin = Some(known.margin);
            Some(spans)
        })
    }

    /// Remembers where a window is: of each shard, its rows there. `was_near`: whether it was found where
    /// `near` said.
    pub fn remember<'n>(
        &self,
        rows: Range<u64>,
        was_near: bool,
        of: impl Iterator<Item = (&'n str, Place)>,
    ) {
        let margin = match self.margin {
            Some(margin) if was_near => margin,
            Some(margin) => (margin * 4).min(MOST_MARGIN),
            None => LEAST_MARGIN,
        };
        let of = of.map(|(name, place)| (name.to_string(), place)).collect();
        let window = KnownWindow { question: self.hash, rows, of, margin };
        KNOWN.with_borrow_mut(|known| {
            known.retain(|other| {
                other.question != window.question || other.rows.start != window.rows.start
            });
            if known.len() >= KNOWN_WINDOWS {
                known.pop_front();
            }
            known.push_back(window);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// If nothing has changed, each shard is asked for its rows of the window, one before and one behind them.
        #[test]
        fn windows_near_a_known_one_are_where_it_says(
            shard_of in proptest::collection::vec(0usize..4, 1..300),
            (known, rows) in (0u64..300, 0u64..30),
            (start, asked) in (0u64..300, 1u64..30),
            question in "[a-z]{8}",
        ) {
            let place = |shard: usize, window: &Range<u64>| {
                let of_shard = (0u64..).zip(&shard_of).filter(|(_, of)| **of == shard);
                let count = |range: Range<u64>| of_shard.clone().filter(|(row, _)| range.contains(row)).count() as u64;
                Place { start: count(0..window.start), rows: count(window.clone()) }
            };
            let names = ["a", "b", "c", "d"];
            let (known, window) = (known..known + rows, start..start + asked);
            let mut of = Question::of(pg_sys::Oid::INVALID, &question, &[]);
            prop_assert!(of.near(&window, 100).is_none());
            of.remember(known.clone(), false, names.iter().enumerate().map(|(at, name)| (*name, place(at, &known))));
            let Some(spans) = of.near(&window, 100) else {
                prop_assert!(known.start.abs_diff(start) + asked + 2 > 100);
                return Ok(());
            };
            for (at, name) in names.iter().enumerate() {
                let (place, span) = (place(at, &window), Span::of(&spans, name));
                prop_assert!(span.rows <= 100);
                prop_assert!(span.start < place.start || span.start == 0);
                prop_assert!(span.start + span.rows > place.start + place.rows);
            }
        }
    }
}
