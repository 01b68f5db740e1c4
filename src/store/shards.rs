//! Asks all shards of a distributed table, and merges what they answer.
//!
//! One statement goes to all shards, or to the one in which a match can lie. In it,
//! `session_store.one_row` makes each shard one imaginary row (scan/one_row.rs), for which
//! `session_store.shard_page` answers from the index of that shard
//! (shard_page.rs). It is a SELECT like any other of a distributed table. So it sees what the
//! transaction has written, Citus retries and routes it as always, and privileges hold. Count and
//! rows of a shard come from one snapshot of it.
//!
//! A window near the start comes with the first answer, and so does one near another that the session
//! has asked for (known_windows.rs). Of any other, the first answer has only counts, some sort keys and
//! where their rows are (shard_window.rs). They say which rows of which shard are in the window, and
//! another statement asks for these, by their places. In between, others may write: if a document is
//! no longer there, does not match or is sorted by something else, the rows are asked for by their
//! numbers.

use super::catalog::Operator;
use super::distributed;
use super::known_windows::Question;
use super::matches::{Matches, TOO_MANY_ROWS};
use super::search::{NAMED, StoreQuery};
use super::select::Window;
use super::shard_answers::{Answers, Shard};
use super::shard_page::{self, ALL_SHARDS, BETWEEN_ROWS, Span, Spans};
use super::shard_window::{self, Listed, Place, Places};
use super::table::Table;
use crate::document::{self, MAX_JSONB_BYTES};
use crate::error::{Error, Result};
use crate::memory;
use crate::pg::guc::work_mem;
use crate::pg::spi::Spi;
use crate::syntax::SortKey;
use pgrx::{IntoDatum, pg_sys};

/// A window that ends here, or earlier, is answered with its documents at once…
const MAX_AT_ONCE: u64 = 100;
/// … unless those of a shard have more bytes.
const MAX_BYTES_AT_ONCE: i64 = 256 << 10;
/// So many rows are merged at most. The planner sorts more of them, on disk if it has to.
const MAX_MERGED: u64 = 1_000_000;
/// How often a window is asked for whose rows have changed meanwhile.
const ATTEMPTS: usize = 5;
/// How often the shards are asked where it is. With every turn, a sixteenth of the rows is left.
const TURNS: usize = 12;

/// What all shards have answered together.
pub struct Merged {
    pub count: u64,
    /// The name of each shard, and why it was answered by the planner.
    pub shards: Vec<(String, Option<String>)>,
    /// The numbers of the sort keys at whose paths no document has a value.
    pub lacking: Vec<usize>,
}

/// Takes the payload of a document.
pub type Take<'t> = &'t mut dyn FnMut(&[u8]) -> Result<()>;

/// Whether the database has a function that shards are asked by. A library of this version serves
/// older ones, too, until ALTER EXTENSION brings them up to date.
pub fn has_function(signature: &str) -> bool {
    // SAFETY: to_regprocedure takes a text, and returns null if there is no such function.
    unsafe {
        let signature = signature.into_datum();
        pgrx::direct_function_call_as_datum(pg_sys::to_regprocedure, &[signature]).is_some()
    }
}

fn has_pages() -> bool {
    has_function("session_store.shard_page(pg_catalog.oid, pg_catalog.text)")
}

/// Why the planner reads the shards.
pub fn obstacle() -> &'static str {
    match has_pages() {
        true => TOO_MANY_ROWS,
        false => "the functions that ask shards come with ALTER EXTENSION session_store UPDATE",
    }
}

/// The number of matches in all shards. None if the planner has to count them.
pub fn count(
    spi: &Spi,
    table: &Table,
    operator: Operator,
    search: &StoreQuery,
) -> Result<Option<u64>> {
    if !has_pages() {
        return Ok(None);
    }
    let window = Window::new(0, Some(0))?;
    let matches = Matches { spi, table, operator, search, sort: &[], window };
    let answers = Answers::ask(&matches, None, &Spans::new(), 0, None)?;
    Ok(Some(count_of(&answers.read()?)))
}

/// The window of all shards together. None if the planner had better sort so many rows, or has to;
/// then no document was taken.
pub fn query(matches: &Matches<'_>, fl: Option<&str>, take: Take<'_>) -> Result<Option<Merged>> {
    if !has_pages() {
        return Ok(None);
    }
    let (window, mut near) = (matches.window, is_near(matches.window));
    let rows = window.rows().unwrap_or(u64::MAX);
    for attempt in 1..=ATTEMPTS {
        let Some(found) = find(matches, fl, std::mem::take(&mut near))? else { return Ok(None) };
        let (shards, places) = (found.answers.read()?, &found.places);
        let first = count_of(&shards);
        if let Some(starts) = found.in_documents(&shards) {
            return merge(&shards, starts, &places.order, &shards, first, take).map(Some);
        }
        let bytes = found.most_bytes();
        if let Some(asked) = found.places_of(&shards) {
            let second = Answers::ask(matches, fl, &Spans::new(), bytes, Some(&asked))?;
            let documents = second.read()?;
            if found.are_the_same(&shards, &documents) {
                let starts = vec![0; documents.len()];
                return merge(&documents, starts, &places.order, &shards, first, take).map(Some);
            }
        }
        let second = Answers::ask(matches, fl, &spans(&shards, places), bytes, None)?;
        let documents = second.read()?;
        if found.lack_documents(&documents) {
            return Ok(None);
        }
        let count = count_of(&documents);
        let expected = count.saturating_sub(window.start()).min(rows);
        let order = order(&documents, matches.sort)?;
        if order.len() as u64 == expected || attempt == ATTEMPTS {
            let starts = vec![0; documents.len()];
            return merge(&documents, starts, &order, &shards, count, take).map(Some);
        }
    }
    Ok(None)
}

/// Where the window is, and what the shards have answered that were asked for it.
struct Found<'r> {
    answers: Answers<'r>,
    /// What they were asked for.
    asked: Spans,
    places: Places,
}

impl Found<'_> {
    /// Where the rows of the window begin among the documents that each shard has sent. None if some
    /// of them were not sent.
    fn in_documents(&self, shards: &[Shard<'_>]) -> Option<Vec<usize>> {
        let start = |(shard, place): (&Shard<'_>, &Place)| {
            if place.rows == 0 {
                return Some(0);
            }
            let start = place.start.checked_sub(Span::of(&self.asked, shard.name).start)?;
            (start + place.rows <= shard.docs.len() as u64).then_some(start as usize)
        };
        shards.iter().zip(&self.places.of).map(start).collect()
    }

    /// The rows of the window that are in a shard, as it has listed them.
    fn listed<'a>(
        &self,
        (shard, place): (&Shard<'a>, &Place),
        list: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let skipped = place.start.saturating_sub(Span::of(&self.asked, shard.name).start);
        list.split(BETWEEN_ROWS).skip(skipped as usize).take(place.rows as usize)
    }

    /// Where the rows of the window are in each shard that has some. None if a shard does not say.
    fn places_of(&self, shards: &[Shard<'_>]) -> Option<shard_page::Places> {
        let mut places = shard_page::Places::new();
        for at in shards.iter().zip(&self.places.of).filter(|(_, place)| place.rows > 0) {
            let rows = self.listed(at, at.0.places).map(|place| place.parse().ok());
            let rows: Vec<u64> = rows.collect::<Option<_>>()?;
            if rows.len() as u64 != at.1.rows {
                return None;
            }
            places.insert(at.0.name.to_string(), rows);
        }
        (!places.is_empty()).then_some(places)
    }

    /// Of how many documents' bytes a shard may send the documents of the window, which become one jsonb.
    fn most_bytes(&self) -> i64 {
        let shards = self.places.of.iter().filter(|place| place.rows > 0).count();
        (MAX_JSONB_BYTES / shards.max(1)) as i64
    }

    /// Whether a shard has not sent all documents of the window that it has, because of their bytes.
    fn lack_documents(&self, documents: &[Shard<'_>]) -> bool {
        self.places.of.iter().zip(documents).any(|(place, sent)| {
            (sent.docs.len() as u64) < sent.count.saturating_sub(place.start).min(place.rows)
        })
    }

    /// Whether the documents that were asked for by their places are those that were listed: they still
    /// match, and are sorted by the same.
    fn are_the_same(&self, shards: &[Shard<'_>], documents: &[Shard<'_>]) -> bool {
        let is_same = |(at, sent): ((&Shard<'_>, &Place), &Shard<'_>)| {
            at.0.name == sent.name
                && at.1.rows == sent.docs.len() as u64
                && (at.1.rows == 0 || self.listed(at, at.0.keys).eq(sent.keys.split(BETWEEN_ROWS)))
        };
        shards.len() == documents.len()
            && shards.iter().zip(&self.places.of).zip(documents).all(is_same)
    }
}

/// Finds the window. If it is near the start or a known one, documents come with the answers. None if
/// the planner has to.
fn find<'r>(matches: &Matches<'r>, fl: Option<&str>, near: bool) -> Result<Option<Found<'r>>> {
    let (sort, start) = (matches.sort, matches.window.start());
    let end = matches.window.end().unwrap_or(u64::MAX).min(i64::MAX as u64);
    let rows = end.saturating_sub(start);
    let all = |span: Span| Spans::from([(ALL_SHARDS.to_string(), span.numbers())]);
    let mut question = Question::of(matches.table.oid, &matches.search.text, sort);
    // What to ask first: the last of these.
    let mut first = Vec::new();
    if rows > 0 && near {
        first.push((all(Span { start: 0, rows: end, step: 1 }), MAX_BYTES_AT_ONCE));
    } else if rows > 0 {
        let shards =
            distributed::shards(matches.spi, matches.table.oid)?.unwrap_or(1).max(1) as u64;
        let likely = shard_window::likely(shards, start, end);
        // Of more rows, it is known first how many there are.
        if !sort.is_empty() && likely.rows.saturating_mul(shards) <= MAX_MERGED {
            first.push((all(likely), 0));
        }
        let known = question.near(&(start..end), MAX_AT_ONCE);
        first.extend(known.map(|spans| (spans, MAX_BYTES_AT_ONCE)));
    }
    let (mut asked, mut bytes) = first.pop().unwrap_or_default();
    let mut is_first = true;
    for _ in 0..TURNS {
        let answers = Answers::ask(matches, fl, &asked, bytes, None)?;
        let shards = answers.read()?;
        let listed: Vec<_> = shards.iter().map(|shard| shard.listed(&asked)).collect();
        // Of each row that is merged, the number of its shard is kept.
        if count_of(&shards).saturating_sub(start).min(rows) > MAX_MERGED {
            return Ok(None);
        }
        if let Some(places) = Places::sorted(&listed, sort, start, rows)? {
            let names = shards.iter().map(|shard| shard.name);
            let places_of = names.zip(places.of.iter().copied());
            question.remember(start..end, bytes > 0, places_of);
            drop(shards);
            return Ok(Some(Found { answers, asked, places }));
        }
        if let Some(next) = first.pop() {
            (asked, bytes) = next;
            continue;
        }
        // If all rows were listed between its bounds, these are no longer right.
        is_first |= listed.iter().all(|shard| shard.span.step == 1);
        let spans = shard_window::narrower(&listed, sort, start, rows, is_first);
        if spans.iter().map(|span| span.rows / span.step).sum::<u64>() > MAX_MERGED {
            return Ok(None);
        }
        // Only a window at a known place comes with the first answer.
        (is_first, bytes) = (false, 0);
        let names = shards.iter().map(|shard| shard.name.to_string());
        asked = names.zip(spans.into_iter().map(Span::numbers)).collect();
    }
    Ok(None)
}

/// The rows of the window, for each shard that has some.
fn spans(shards: &[Shard<'_>], places: &Places) -> Spans {
    let of = shards.iter().zip(&places.of).filter(|(_, place)| place.rows > 0);
    of.map(|(shard, place)| (shard.name.to_string(), (place.start, place.rows, 1))).collect()
}

/// The shard of each document, in the order of all.
fn order(shards: &[Shard<'_>], sort: &[SortKey]) -> Result<Vec<usize>> {
    let listed = shards.iter().map(|shard| {
        let count = shard.docs.len() as u64;
        Listed { count, span: Span { start: 0, rows: count, step: 1 }, keys: shard.keys }
    });
    let listed: Vec<_> = listed.collect();
    Ok(Places::sorted(&listed, sort, 0, u64::MAX)?.ok_or(Error::ShardAnswer)?.order)
}

/// The window, if it ends near the start and its documents have no more than work_mem together; and
/// the numbers of the sort keys at whose paths no document has a value.
pub fn near(
    matches: &Matches<'_>,
    fl: Option<&str>,
    take: Take<'_>,
) -> Result<(Option<Merged>, Vec<usize>)> {
    if !is_near(matches.window) || !has_pages() {
        let lacking = if matches.sort.is_empty() { Vec::new() } else { lacking(matches)? };
        return Ok((None, lacking));
    }
    let Some(found) = find(matches, fl, true)? else { return Ok((None, Vec::new())) };
    let (shards, places) = (found.answers.read()?, &found.places);
    let lacking = lacking_in(&shards);
    if let Some(starts) = found.in_documents(&shards) {
        let count = count_of(&shards);
        let merged = merge(&shards, starts, &places.order, &shards, count, take)?;
        return Ok((Some(merged), lacking));
    }
    let bytes = (work_mem() / shards.len().max(1)) as i64;
    let second = Answers::ask(matches, fl, &spans(&shards, places), bytes, None)?;
    let documents = second.read()?;
    let has = |(shard, place): (&Shard<'_>, &Place)| shard.docs.len() as u64 == place.rows;
    if !documents.iter().zip(&places.of).all(has) {
        return Ok((None, lacking));
    }
    let order = order(&documents, matches.sort)?;
    let (starts, count) = (vec![0; documents.len()], count_of(&documents));
    let merged = merge(&documents, starts, &order, &shards, count, take)?;
    Ok((Some(merged), lacking))
}

fn count_of(shards: &[Shard<'_>]) -> u64 {
    shards.iter().map(|shard| shard.count).sum()
}

fn is_near(window: Window) -> bool {
    window.end().is_some_and(|end| end <= MAX_AT_ONCE)
}

/// The numbers of the sort keys at whose paths no document of a shard has a value.
fn lacking(matches: &Matches<'_>) -> Result<Vec<usize>> {
    if !has_pages() {
        return Ok(Vec::new());
    }
    Ok(lacking_in(&Answers::ask(matches, None, &Spans::new(), 0, None)?.read()?))
}

/// A shard without matches says nothing of the paths of others.
fn lacking_in(shards: &[Shard<'_>]) -> Vec<usize> {
    let lacks: Vec<_> = shards.iter().filter(|s| s.count > 0).map(|s| s.lacks.as_bytes()).collect();
    let is_lacking = |key: &usize| lacks.iter().all(|lacks| lacks.get(*key) == Some(&b'1'));
    (0..NAMED).filter(|key| !lacks.is_empty() && is_lacking(key)).collect()
}

/// Takes the documents of a window in their order. `order` has the number of a shard for each row of
/// it.
fn merge(
    shards: &[Shard<'_>],
    mut next: Vec<usize>,
    order: &[usize],
    listed: &[Shard<'_>],
    count: u64,
    take: Take<'_>,
) -> Result<Merged> {
    for &shard in order {
        memory::check();
        if let Some(doc) = shards[shard].docs.get(next[shard]) {
            take(&document::read_jsonb(doc)?)?;
        }
        next[shard] += 1;
    }
    let name = |shard: &Shard<'_>| (shard.name.to_string(), shard.planner.map(str::to_string));
    Ok(Merged { count, shards: listed.iter().map(name).collect(), lacking: lacking_in(listed) })
}
