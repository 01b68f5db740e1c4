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
//! counts and sort keys. They say which rows of which shard are in the window, and a second
//! statement asks for these. In between, others may write.

use super::catalog::Operator;
use super::matches::Matches;
use super::search::{NAMED, StoreQuery};
use super::select::{DISTRIBUTED, Window};
use super::shard_page::{ALL_SHARDS, BETWEEN_KEYS, BETWEEN_ROWS, HEAD, NO_KEY};
use super::table::Table;
use crate::document;
use crate::error::{Error, Result};
use crate::memory;
use crate::pg::guc::with_gucs;
use crate::pg::spi::{Mode, Rows, Spi};
use crate::syntax::SortKey;
use pgrx::{Array, IntoDatum, pg_sys};
use serde_json::json;
use std::cmp::Ordering;

/// A window that ends here, or earlier, is answered with its documents at once…
const MAX_AT_ONCE: u64 = 100;
/// … unless those of a shard have more bytes.
const MAX_BYTES_AT_ONCE: i64 = 256 << 10;
/// So many sort keys are merged at most. The planner sorts more of them, on disk if it has to.
const MAX_MERGED: u64 = 1_000_000;
/// How often a window is asked for whose rows have changed meanwhile.
const ATTEMPTS: usize = 5;

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
    let answers = Answers::ask(&matches, None, &json!({}), 0)?;
    Ok(Some(answers.read()?.iter().map(|shard| shard.count).sum()))
}

/// The window of all shards together. None if the planner had better sort so many rows, or has to;
/// then no document was taken.
pub fn query(matches: &Matches<'_>, fl: Option<&str>, take: Take<'_>) -> Result<Option<Merged>> {
    let (sort, window) = (matches.sort, matches.window);
    let end = window.end().unwrap_or(u64::MAX).min(i64::MAX as u64);
    let rows = window.rows().unwrap_or(u64::MAX);
    if !has_pages() {
        return Ok(None);
    }
    for attempt in 1..=ATTEMPTS {
        let is_near = is_near(window);
        if !is_near && !sort.is_empty() {
            let counted = Answers::ask(matches, fl, &json!({}), 0)?;
            let merged = counted.read()?.iter().map(|shard| shard.count.min(end)).sum::<u64>();
            if merged > MAX_MERGED {
                return Ok(None);
            }
        }
        let is_listed = rows > 0 && (is_near || !sort.is_empty());
        let listed = if is_listed { end } else { 0 };
        let bytes = if is_near && rows > 0 { MAX_BYTES_AT_ONCE } else { 0 };
        let first = Answers::ask(matches, fl, &json!({ ALL_SHARDS: [0, listed] }), bytes)?;
        let shards = first.read()?;
        let places = place(&shards, sort, |shard| shard.count, window.start(), rows)?;
        if has_all(&shards, &places) {
            return merge(&shards, places.starts(), &places.order, &shards, take).map(Some);
        }
        let asked: serde_json::Map<String, serde_json::Value> = shards
            .iter()
            .zip(&places.of)
            .filter(|(_, place)| place.rows > 0)
            .map(|(shard, place)| (shard.name.to_string(), json!([place.start, place.rows])))
            .collect();
        let second = Answers::ask(matches, fl, &asked.into(), i64::MAX)?;
        let found = second.read()?;
        let places = place(&found, sort, |shard| shard.docs.len() as u64, 0, rows)?;
        let count: u64 = found.iter().map(|shard| shard.count).sum();
        let expected = count.saturating_sub(window.start()).min(rows);
        if places.order.len() as u64 == expected || attempt == ATTEMPTS {
            let starts = vec![0; found.len()];
            return merge(&found, starts, &places.order, &shards, take).map(Some);
        }
    }
    Ok(None)
}

/// The window, if it ends near the start and its documents are small, so that the first answer has
/// them; else none.
pub fn near(matches: &Matches<'_>, fl: Option<&str>, take: Take<'_>) -> Result<Option<Merged>> {
    let window = matches.window;
    let (Some(end), Some(rows), true) =
        (window.end(), window.rows(), is_near(window) && has_pages())
    else {
        return Ok(None);
    };
    let first = Answers::ask(matches, fl, &json!({ ALL_SHARDS: [0, end] }), MAX_BYTES_AT_ONCE)?;
    let shards = first.read()?;
    let places = place(&shards, matches.sort, |shard| shard.count, window.start(), rows)?;
    match has_all(&shards, &places) {
        true => merge(&shards, places.starts(), &places.order, &shards, take).map(Some),
        false => Ok(None),
    }
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
pub fn lacking(matches: &Matches<'_>) -> Result<Vec<usize>> {
    if !has_pages() {
        return Ok(Vec::new());
    }
    Ok(lacking_in(&Answers::ask(matches, None, &json!({}), 0)?.read()?))
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
    Ok(Merged {
        count: shards.iter().map(|shard| shard.count).sum(),
        shards: listed.iter().map(name).collect(),
        lacking: lacking_in(listed),
    })
}

/// The answers, which have to live as long as what is read from them.
struct Answers<'r>(Vec<Array<'r, &'r str>>);

impl<'r> Answers<'r> {
    fn ask(
        matches: &Matches<'r>,
        fl: Option<&str>,
        windows: &serde_json::Value,
        bytes: i64,
    ) -> Result<Answers<'r>> {
        let table = matches.table;
        let sort: Vec<String> = matches.sort.iter().map(SortKey::to_string).collect();
        let sort = (!sort.is_empty()).then(|| sort.join(", "));
        let asked = json!([matches.search.at_now()?, sort, fl, windows, bytes]);
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
        let [name, count, keys, lacks, planner] = head;
        Some(Shard {
            name: name?,
            count: count?.parse().ok()?,
            docs: texts.collect::<Option<_>>()?,
            keys: keys?,
            lacks: lacks?,
            planner,
        })
    }
}

/// The rows of one shard that are in a window: its matches from `start` on.
#[derive(Clone, Copy, Default)]
struct Place {
    start: u64,
    rows: u64,
}

/// Which rows are in a window.
struct Places {
    /// Of each shard.
    of: Vec<Place>,
    /// The shard of each row of the window.
    order: Vec<usize>,
}

impl Places {
    /// The first row of each shard.
    fn starts(&self) -> Vec<usize> {
        self.of.iter().map(|place| place.start as usize).collect()
    }
}

/// Finds the rows of a window by the sort keys of all rows before its end; without a sort, by the
/// numbers of rows.
fn place<'a>(
    shards: &[Shard<'a>],
    sort: &[SortKey],
    rows_of: fn(&Shard<'a>) -> u64,
    start: u64,
    rows: u64,
) -> Result<Places> {
    let mut places = Places { of: vec![Place::default(); shards.len()], order: Vec::new() };
    let mut left = (start, rows);
    let mut add = |shard: usize, count: u64| -> Result<bool> {
        let skipped = count.min(left.0);
        left.0 -= skipped;
        let place = &mut places.of[shard];
        if place.rows == 0 {
            place.start += skipped;
        }
        let taken = (count - skipped).min(left.1);
        left.1 -= taken;
        place.rows += taken;
        let order = &mut places.order;
        let bytes = (order.len() + taken as usize) * size_of::<usize>();
        memory::try_reserve(bytes, || order.try_reserve(taken as usize))?;
        order.extend(std::iter::repeat_n(shard, taken as usize));
        Ok(left.1 > 0)
    };
    if sort.is_empty() {
        for (number, shard) in shards.iter().enumerate() {
            if !add(number, rows_of(shard))? {
                break;
            }
        }
        return Ok(places);
    }
    let keys = |shard: &Shard<'a>| {
        (!shard.keys.is_empty()).then(|| shard.keys.split(BETWEEN_ROWS)).into_iter().flatten()
    };
    let mut rows: Vec<_> = shards.iter().map(|shard| keys(shard).peekable()).collect();
    loop {
        memory::check();
        let heads = rows.iter_mut().enumerate().filter_map(|(at, rows)| Some((at, *rows.peek()?)));
        let first = heads.min_by(|(at, a), (other, b)| compare(a, b, sort).then(at.cmp(other)));
        let Some((number, _)) = first else { return Ok(places) };
        rows[number].next();
        if !add(number, 1)? {
            return Ok(places);
        }
    }
}

/// The order of two rows. As with sort_key, values come before none, in both directions.
fn compare(a: &str, b: &str, sort: &[SortKey]) -> Ordering {
    let pairs = a.split(BETWEEN_KEYS).zip(b.split(BETWEEN_KEYS)).zip(sort);
    pairs
        .map(|((a, b), key)| match (a == NO_KEY, b == NO_KEY) {
            (false, false) if key.descending => b.cmp(a),
            (false, false) => a.cmp(b),
            (a, b) => a.cmp(&b),
        })
        .fold(Ordering::Equal, Ordering::then)
}

// These run in a server, as the merge asks for interrupts.
#[pgrx::pg_schema]
#[cfg(any(test, feature = "pg_test"))]
mod tests {
    use super::*;
    use crate::syntax::parse_sort;

    fn shard<'a>(name: &'a str, count: u64, keys: &'a str) -> Shard<'a> {
        Shard { name, count, docs: Vec::new(), keys, lacks: "", planner: None }
    }

    fn placed(shards: &[Shard<'_>], sort: &str, start: u64, rows: u64) -> String {
        let sort = parse_sort(sort).unwrap();
        let places = place(shards, &sort, |shard| shard.count, start, rows).unwrap();
        let of: Vec<_> = places.of.iter().map(|p| format!("{}+{}", p.start, p.rows)).collect();
        format!("{} {:?}", of.join(" "), places.order)
    }

    #[pgrx::pg_test]
    fn windows_without_a_sort_follow_the_counts() {
        let shards = [shard("a", 3, ""), shard("b", 0, ""), shard("c", 5, "")];
        assert_eq!(placed(&shards, "", 0, 2), "0+2 0+0 0+0 [0, 0]");
        assert_eq!(placed(&shards, "", 2, 3), "2+1 0+0 0+2 [0, 2, 2]");
        assert_eq!(placed(&shards, "", 4, 10), "3+0 0+0 1+4 [2, 2, 2, 2]");
        assert_eq!(placed(&shards, "", 9, 1), "3+0 0+0 5+0 []");
    }

    #[pgrx::pg_test]
    fn sorted_rows_are_merged() {
        let shards = [shard("a", 4, "01,ff;02,0a;02,-;-,01"), shard("b", 2, "02,0b;0201,00")];
        assert_eq!(placed(&shards, "x asc, y asc", 0, 9), "0+4 0+2 [0, 0, 1, 0, 1, 0]");
        assert_eq!(placed(&shards, "x asc, y asc", 2, 2), "2+1 0+1 [1, 0]");
        let shards = [shard("a", 3, "03;02;-"), shard("b", 2, "02;-")];
        assert_eq!(placed(&shards, "x desc", 1, 3), "1+2 0+1 [0, 1, 0]");
    }
}
