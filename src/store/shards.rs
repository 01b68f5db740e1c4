//! Asks all shards of a distributed table, and merges what they answer.
//!
//! One statement goes to all shards, or to the one in which a match can lie. In it,
//! `session_store.one_row` makes each shard one imaginary row (scan/one_row.rs), for which
//! `session_store.shard_page` answers from the index of that shard
//! (shard_page.rs). It is a SELECT like any other of a distributed table. So it sees what the
//! transaction has written, Citus retries and routes it as always, and privileges hold. Count and
//! rows of a shard come from one snapshot of it.
//!
//! A window near the start comes with the first answer. Of a later one, the first answer has only
//! counts, some sort keys and where their rows are (shard_window.rs). They say which rows of which
//! shard are in the window, and another statement asks for these, by their places. In between, others
//! may write: if a document is no longer there, does not match or is sorted by something else, the
//! rows are asked for by their numbers.

use super::catalog::Operator;
use super::distributed;
use super::matches::{Matches, TOO_MANY_ROWS};
use super::search::{NAMED, StoreQuery};
use super::select::{DISTRIBUTED, Window};
use super::shard_page::{self, ALL_SHARDS, BETWEEN_ROWS, HEAD, Span, Spans};
use super::shard_window::{self, Listed, Place, Places};
use super::table::Table;
use crate::document;
use crate::error::{Error, Result};
use crate::memory;
use crate::pg::guc::{with_gucs, work_mem};
use crate::pg::spi::{Mode, Rows, Spi};
use crate::syntax::SortKey;
use pgrx::{Array, IntoDatum, pg_sys};
use serde_json::json;

/// A window that ends here, or earlier, is answered with its documents at once…
const MAX_AT_ONCE: u64 = 100;
/// … unless those of a shard have more bytes.
const MAX_BYTES_AT_ONCE: i64 = 256 << 10;
/// So many sort keys are merged at most. The planner sorts more of them, on disk if it has to.
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
        if has_all(&shards, places) {
            return merge(&shards, places.starts(), &places.order, &shards, first, take).map(Some);
        }
        if let Some(asked) = found.places_of(&shards) {
            let second = Answers::ask(matches, fl, &Spans::new(), i64::MAX, Some(&asked))?;
            let documents = second.read()?;
            if found.are_the_same(&shards, &documents) {
                let starts = vec![0; documents.len()];
                return merge(&documents, starts, &places.order, &shards, first, take).map(Some);
            }
        }
        let second = Answers::ask(matches, fl, &spans(&shards, places), i64::MAX, None)?;
        let documents = second.read()?;
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

/// Finds the window. If it is near, documents come with the answers. None if the planner has to.
fn find<'r>(matches: &Matches<'r>, fl: Option<&str>, near: bool) -> Result<Option<Found<'r>>> {
    let (sort, start) = (matches.sort, matches.window.start());
    let end = matches.window.end().unwrap_or(u64::MAX).min(i64::MAX as u64);
    let rows = end.saturating_sub(start);
    let all = |span: Span| Spans::from([(ALL_SHARDS.to_string(), span.numbers())]);
    let (mut asked, mut bytes) = (Spans::new(), 0);
    if rows > 0 && near {
        (asked, bytes) = (all(Span { start: 0, rows: end, step: 1 }), MAX_BYTES_AT_ONCE);
    } else if rows > 0 && !sort.is_empty() {
        let shards =
            distributed::shards(matches.spi, matches.table.oid)?.unwrap_or(1).max(1) as u64;
        let likely = shard_window::likely(shards, start, end);
        // Of more rows, it is known first how many there are.
        if likely.rows.saturating_mul(shards) <= MAX_MERGED {
            asked = all(likely);
        }
    }
    let mut is_first = true;
    for _ in 0..TURNS {
        let answers = Answers::ask(matches, fl, &asked, bytes, None)?;
        let shards = answers.read()?;
        let listed: Vec<_> = shards.iter().map(|shard| shard.listed(&asked)).collect();
        let places = Places::sorted(&listed, sort, start, rows)?;
        if let Some(places) = places {
            drop(shards);
            return Ok(Some(Found { answers, asked, places }));
        }
        // If all rows were listed between its bounds, these are no longer right.
        is_first |= listed.iter().all(|shard| shard.span.step == 1);
        let spans = shard_window::narrower(&listed, sort, start, rows, is_first);
        if spans.iter().map(|span| span.rows / span.step).sum::<u64>() > MAX_MERGED {
            return Ok(None);
        }
        // Only a window that is near the start comes with the first answer.
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
    if has_all(&shards, places) {
        let (starts, count) = (places.starts(), count_of(&shards));
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

/// Whether the shards have sent all documents of the window.
fn has_all(shards: &[Shard<'_>], places: &Places) -> bool {
    let has = |(shard, place): (&Shard<'_>, &Place)| {
        place.rows == 0 || (place.start + place.rows) as usize <= shard.docs.len()
    };
    shards.iter().zip(&places.of).all(has)
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

/// The answers, which have to live as long as what is read from them.
struct Answers<'r>(Vec<Array<'r, &'r str>>);

impl<'r> Answers<'r> {
    fn ask(
        matches: &Matches<'r>,
        fl: Option<&str>,
        spans: &Spans,
        bytes: i64,
        places: Option<&shard_page::Places>,
    ) -> Result<Answers<'r>> {
        let table = matches.table;
        let sort: Vec<String> = matches.sort.iter().map(SortKey::to_string).collect();
        let sort = (!sort.is_empty()).then(|| sort.join(", "));
        let asked = json!([matches.search.at_now()?, sort, fl, spans, bytes, places]);
        let mut parameters = vec![asked.to_string().into()];
        let shard = matches.search.choose_shard(table, &mut parameters);
        let sql = format!(
            "SELECT session_store.shard_page(tableoid, $1) \
             FROM {} WHERE {shard}session_store.one_row(id)",
            table.sql
        );
        let types: Vec<_> = parameters.iter().map(|parameter| parameter.oid()).collect();
        let rows: Rows<'r> = with_gucs(DISTRIBUTED, || {
            matches.spi.prepare_saved(Mode::Read, &sql, &types)?.run(&parameters)
        })?;
        Ok(Answers(rows.column()))
    }

    /// In the order of the shards' names, so that every page has the same order.
    fn read(&self) -> Result<Vec<Shard<'_>>> {
        let shards: Option<Vec<Shard<'_>>> = self.0.iter().map(Shard::read).collect();
        let mut shards = shards.ok_or(Error::ShardAnswer)?;
        shards.sort_unstable_by_key(|shard| shard.name);
        Ok(shards)
    }
}

/// The answer of one shard.
struct Shard<'a> {
    name: &'a str,
    count: u64,
    docs: Vec<&'a str>,
    keys: &'a str,
    places: &'a str,
    lacks: &'a str,
    planner: Option<&'a str>,
}

impl<'a> Shard<'a> {
    /// See shard_page.rs, [`HEAD`].
    fn read(answer: &'a Array<'_, &str>) -> Option<Shard<'a>> {
        let mut texts = answer.iter();
        let mut head = [None; HEAD];
        for text in &mut head {
            *text = texts.next()?;
        }
        let [name, count, keys, places, lacks, planner] = head;
        Some(Shard {
            name: name?,
            count: count?.parse().ok()?,
            docs: texts.collect::<Option<_>>()?,
            keys: keys?,
            places: places?,
            lacks: lacks?,
            planner,
        })
    }

    /// What it has told of the rows that it was asked for.
    fn listed(&self, asked: &Spans) -> Listed<'a> {
        Listed { count: self.count, span: Span::of(asked, self.name), keys: self.keys }
    }
}
