//! Which rows of which shards are in a window of all of them together.
//!
//! The coordinator has the sort keys of some rows of each shard, in the order of that shard. If they
//! are those of all rows from some row on, a merge tells the window, and whether a row that it has
//! not seen could belong there. If they are those of every hundredth row, a merge tells between which
//! rows of each shard the window lies (Frederickson and Johnson, "The Complexity of Selection and
//! Ranking in X+Y and Matrices with Sorted Columns", 1982, for ordered columns). So the shards send
//! few keys, however deep the window lies.
//!
//! Rows are spread over the shards by a hash of their identities, so about the same number of the
//! first rows lies in each shard. That is where the window is looked for first.

use super::shard_page::{BETWEEN_KEYS, BETWEEN_ROWS, NO_KEY, Span};
use crate::error::Result;
use crate::memory;
use crate::syntax::SortKey;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::iter::Peekable;

/// How many keys each shard sends at most while the window is looked for, about.
const SAMPLES: u64 = 64;

/// What a shard has told: how many rows match, and the sort keys of those in a span.
#[derive(Clone, Copy)]
pub struct Listed<'a> {
    pub count: u64,
    pub span: Span,
    pub keys: &'a str,
}

impl<'a> Listed<'a> {
    /// The number of each row that was listed, and its keys.
    fn rows(self) -> impl Iterator<Item = (u64, &'a str)> {
        let keys = (!self.keys.is_empty()).then(|| self.keys.split(BETWEEN_ROWS));
        (self.span.start..).step_by(self.span.step.max(1) as usize).zip(keys.into_iter().flatten())
    }

    /// The number of the row behind the last one that can be in the window.
    fn end(self) -> u64 {
        self.span.start.saturating_add(self.span.rows).min(self.count)
    }
}

/// The rows of one shard that are in a window: its matches from `start` on.
#[derive(Clone, Copy, Default)]
pub struct Place {
    pub start: u64,
    pub rows: u64,
}

/// Which rows are in a window.
pub struct Places {
    /// Of each shard.
    pub of: Vec<Place>,
    /// The shard of each row of the window.
    pub order: Vec<usize>,
    /// How many rows have still to be skipped, and taken.
    left: (u64, u64),
}

impl Places {
    /// The window by the numbers of rows, as it is without a sort.
    pub fn in_order(counts: impl Iterator<Item = u64>, start: u64, rows: u64) -> Result<Places> {
        let counts: Vec<u64> = counts.collect();
        let mut places = Places::none(counts.len(), start, rows);
        for (shard, count) in counts.into_iter().enumerate() {
            if !places.add(shard, count)? {
                break;
            }
        }
        Ok(places)
    }

    /// The window by the sort keys. None if rows that are not listed may be in it.
    pub fn sorted(
        shards: &[Listed<'_>],
        sort: &[SortKey],
        start: u64,
        rows: u64,
    ) -> Result<Option<Places>> {
        let counts = || shards.iter().map(|shard| shard.count);
        if sort.is_empty() || shards.len() == 1 || counts().sum::<u64>() <= start || rows == 0 {
            return Places::in_order(counts(), start, rows).map(Some);
        }
        let mut places = Places::none(shards.len(), start, rows);
        for (number, shard) in shards.iter().enumerate() {
            let before = shard.span.start.min(shard.count);
            if shard.span.step > 1 || before > places.left.0 {
                return Ok(None);
            }
            places.add(number, before)?;
        }
        // Whether a row of the shard was met: then all before those that were listed come before it.
        let mut is_met: Vec<_> = shards.iter().map(|shard| shard.span.start == 0).collect();
        let mut merge = Merge::new(shards, sort);
        // The next row of a shard, which is not listed, may come before those of others.
        let is_unknown = |merge: &mut Merge<'_, '_>, number: usize| {
            merge.rows[number].peek().is_none() && shards[number].end() < shards[number].count
        };
        if (0..shards.len()).any(|number| is_unknown(&mut merge, number)) {
            return Ok(None);
        }
        while let Some((number, _)) = merge.next() {
            is_met[number] = true;
            if places.left.0 == 0 && !is_met.iter().all(|is_met| *is_met) {
                return Ok(None);
            }
            if !places.add(number, 1)? {
                return Ok(Some(places));
            }
            if is_unknown(&mut merge, number) {
                return Ok(None);
            }
        }
        Ok(is_met.iter().all(|is_met| *is_met).then_some(places))
    }

    fn none(shards: usize, start: u64, rows: u64) -> Places {
        Places { of: vec![Place::default(); shards], order: Vec::new(), left: (start, rows) }
    }

    /// Adds the next rows, which are of one shard. Returns whether more are wanted.
    fn add(&mut self, shard: usize, count: u64) -> Result<bool> {
        let skipped = count.min(self.left.0);
        self.left.0 -= skipped;
        let place = &mut self.of[shard];
        if place.rows == 0 {
            place.start += skipped;
        }
        let taken = (count - skipped).min(self.left.1);
        self.left.1 -= taken;
        place.rows += taken;
        let order = &mut self.order;
        let bytes = (order.len() + taken as usize) * size_of::<usize>();
        memory::try_reserve(bytes, || order.try_reserve(taken as usize))?;
        order.extend(std::iter::repeat_n(shard, taken as usize));
        Ok(self.left.1 > 0)
    }
}

type ListedRows<'a> = Box<dyn Iterator<Item = (u64, &'a str)> + 'a>;

/// The listed rows of all shards in their common order: rows with equal keys in that of the shards.
struct Merge<'a, 's> {
    rows: Vec<Peekable<ListedRows<'a>>>,
    /// The next row of each shard that has one, with the first on top.
    heads: BinaryHeap<Head<'a, 's>>,
}

/// The keys of the next row of a shard.
struct Head<'a, 's> {
    keys: &'a str,
    shard: usize,
    sort: &'s [SortKey],
}

impl Ord for Head<'_, '_> {
    /// What comes first is the greatest, because a `BinaryHeap` has the greatest on top.
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.keys, other.keys, self.sort).then(self.shard.cmp(&other.shard)).reverse()
    }
}

impl PartialOrd for Head<'_, '_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head<'_, '_> {}

impl<'a, 's> Merge<'a, 's> {
    fn new(shards: &[Listed<'a>], sort: &'s [SortKey]) -> Merge<'a, 's> {
        let rows = |shard: &Listed<'a>| -> ListedRows<'a> { Box::new(shard.rows()) };
        let mut rows: Vec<_> = shards.iter().map(|shard| rows(shard).peekable()).collect();
        let heads = rows.iter_mut().enumerate().filter_map(|(shard, rows)| {
            let (_, keys) = *rows.peek()?;
            Some(Head { keys, shard, sort })
        });
        Merge { heads: heads.collect(), rows }
    }

    /// The shard of the next row, and its number there.
    fn next(&mut self) -> Option<(usize, u64)> {
        memory::check();
        let mut head = self.heads.peek_mut()?;
        let shard = head.shard;
        let (number, _) = self.rows[shard].next()?;
        match self.rows[shard].peek() {
            // This moves it to its place.
            Some((_, keys)) => head.keys = keys,
            None => drop(PeekMut::pop(head)),
        }
        Some((shard, number))
    }
}

/// The order of two rows. As with sort_key, values come before none, in both directions.
fn compare(a: &str, b: &str, sort: &[SortKey]) -> Ordering {
    if let [key] = sort {
        return compare_keys(a, b, key);
    }
    let pairs = a.split(BETWEEN_KEYS).zip(b.split(BETWEEN_KEYS)).zip(sort);
    pairs.map(|((a, b), key)| compare_keys(a, b, key)).fold(Ordering::Equal, Ordering::then)
}

fn compare_keys(a: &str, b: &str, key: &SortKey) -> Ordering {
    match (a == NO_KEY, b == NO_KEY) {
        (false, false) if key.descending => b.cmp(a),
        (false, false) => a.cmp(b),
        (a, b) => a.cmp(&b),
    }
}

/// Where the window lies in each of some shards, if the rows are spread by chance: how many of the
/// first rows are in one shard has a binomial distribution. That one of eight shards has three times
/// the standard deviation more or less happens once in 50 times, and then they are asked again.
pub fn likely(shards: u64, start: u64, end: u64) -> Span {
    let shards = shards.max(1) as f64;
    let mean = |rows: u64| rows as f64 / shards;
    let margin = 3.0 * (mean(end) * (1.0 - 1.0 / shards)).sqrt() + 3.0;
    let from = (mean(start) - margin).max(0.0) as u64;
    let to = (mean(end) + margin).ceil() as u64;
    Span { start: from, rows: to - from, step: 1 }
}

/// What to ask of each shard next, by what all have told: where the window can lie in it, and every
/// how many rows. The first time, that is anywhere.
pub fn narrower(
    shards: &[Listed<'_>],
    sort: &[SortKey],
    start: u64,
    rows: u64,
    is_first: bool,
) -> Vec<Span> {
    let total: u64 = shards.iter().map(|shard| shard.count).sum();
    let end = start.saturating_add(rows).min(total);
    let mut bounds: Vec<(u64, u64)> =
        shards.iter().map(|shard| (shard.span.start.min(shard.count), shard.end())).collect();
    if is_first {
        bounds = shards.iter().map(|shard| (0, shard.count.min(end))).collect();
    } else {
        narrow(&mut bounds, Merge::new(shards, sort), start, end);
    }
    // The window itself lies between the bounds, too.
    let most: u64 = bounds.iter().map(|(from, to)| to - from).sum();
    let step =
        (most.saturating_sub(end.saturating_sub(start)) / (SAMPLES * shards.len() as u64)).max(1);
    bounds.iter().map(|&(from, to)| Span { start: from, rows: to - from, step }).collect()
}

/// Narrows the bounds. Of each shard, at least as many rows as those up to its last one that was met
/// in the merge come no later than the row of the merge, and at most those before its next one.
fn narrow(bounds: &mut [(u64, u64)], mut merge: Merge<'_, '_>, start: u64, end: u64) {
    let mut least: Vec<u64> = bounds.iter().map(|(from, _)| *from).collect();
    let (mut before, mut behind) = (least.clone(), None);
    while let Some((shard, row)) = merge.next() {
        least[shard] = row + 1;
        let next = merge
            .rows
            .iter_mut()
            .zip(&*bounds)
            .map(|(rows, (_, to))| rows.peek().map_or(*to, |(row, _)| *row));
        let most: Vec<u64> = next.collect();
        if most.iter().sum::<u64>() <= start {
            before.clone_from(&least);
        }
        if least.iter().sum::<u64>() >= end {
            behind = Some(most);
            break;
        }
    }
    let behind = behind.unwrap_or_else(|| bounds.iter().map(|(_, to)| *to).collect());
    // The row before the first one, and the one behind the last, show that the window is whole.
    for ((bound, from), to) in bounds.iter_mut().zip(before).zip(behind) {
        *bound = (from.saturating_sub(1).max(bound.0), (to + 1).clamp(from, bound.1));
    }
}

// These run in a server, as the merge asks for interrupts.
#[pgrx::pg_schema]
#[cfg(any(test, feature = "pg_test"))]
mod tests {
    use super::*;
    use crate::syntax::parse_sort;

    fn listed(count: u64, keys: &str) -> Listed<'_> {
        Listed { count, span: Span { start: 0, rows: count, step: 1 }, keys }
    }

    fn shown(places: &Places) -> String {
        let of: Vec<_> = places.of.iter().map(|p| format!("{}+{}", p.start, p.rows)).collect();
        format!("{} {:?}", of.join(" "), places.order)
    }

    fn placed(shards: &[Listed<'_>], sort: &str, start: u64, rows: u64) -> String {
        let sort = parse_sort(sort).unwrap();
        let places = Places::sorted(shards, &sort, start, rows).unwrap();
        places.as_ref().map_or("unknown".into(), shown)
    }

    #[pgrx::pg_test]
    fn windows_without_a_sort_follow_the_counts() {
        let shards = [listed(3, ""), listed(0, ""), listed(5, "")];
        assert_eq!(placed(&shards, "", 0, 2), "0+2 0+0 0+0 [0, 0]");
        assert_eq!(placed(&shards, "", 2, 3), "2+1 0+0 0+2 [0, 2, 2]");
        assert_eq!(placed(&shards, "", 4, 10), "3+0 0+0 1+4 [2, 2, 2, 2]");
        assert_eq!(placed(&shards, "", 9, 1), "3+0 0+0 5+0 []");
    }

    #[pgrx::pg_test]
    fn sorted_rows_are_merged() {
        let shards = [listed(4, "01,ff;02,0a;02,-;-,01"), listed(2, "02,0b;0201,00")];
        assert_eq!(placed(&shards, "x asc, y asc", 0, 9), "0+4 0+2 [0, 0, 1, 0, 1, 0]");
        assert_eq!(placed(&shards, "x asc, y asc", 2, 2), "2+1 0+1 [1, 0]");
        let shards = [listed(3, "03;02;-"), listed(2, "02;-")];
        assert_eq!(placed(&shards, "x desc", 1, 3), "1+2 0+1 [0, 1, 0]");
    }

    /// The keys of every `step`-th row of a span.
    fn keys(rows: &[u64], span: Span) -> String {
        let (start, end) = (span.start as usize, (span.start + span.rows) as usize);
        let rows = rows.get(start..end.min(rows.len())).unwrap_or_default();
        let keys = rows.iter().step_by(span.step as usize).map(|row| format!("{row:08x}"));
        keys.collect::<Vec<_>>().join(";")
    }

    fn ask<'k>(shards: &[Vec<u64>], spans: &[Span], texts: &'k mut Vec<String>) -> Vec<Listed<'k>> {
        *texts = shards.iter().zip(spans).map(|(rows, span)| keys(rows, *span)).collect();
        let listed = shards.iter().zip(spans).zip(&*texts);
        listed
            .map(|((rows, span), keys)| Listed { count: rows.len() as u64, span: *span, keys })
            .collect()
    }

    #[pgrx::pg_test]
    fn a_window_is_found_with_few_keys() {
        let sort = parse_sort("x asc").unwrap();
        // Values that differ, few values, one value, all of them in one shard, and half of them there.
        for kind in 0..5u64 {
            let mut shards = vec![Vec::new(); 5];
            for n in 0..20_000u64 {
                let value = match kind {
                    0 | 4 => n.wrapping_mul(7919) % 20_011,
                    1 => n % 7,
                    2 => 1,
                    _ => n,
                };
                let shard = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                let shard = if kind == 3 || kind == 4 && n % 2 == 0 { 2 } else { shard % 5 };
                shards[shard as usize].push(value);
            }
            shards.iter_mut().for_each(|rows| rows.sort_unstable());
            let all: Vec<String> = shards
                .iter()
                .map(|rows| keys(rows, Span { start: 0, rows: 20_000, step: 1 }))
                .collect();
            let all: Vec<_> = shards
                .iter()
                .zip(&all)
                .map(|(rows, keys)| listed(rows.len() as u64, keys))
                .collect();
            for (start, rows) in
                [(0, 10), (1_000, 10), (9_999, 500), (19_995, 10), (20_000, 5), (3, 30_000)]
            {
                let expected = shown(&Places::sorted(&all, &sort, start, rows).unwrap().unwrap());
                let mut texts = Vec::new();
                let mut spans = vec![likely(5, start, start + rows); 5];
                let (mut found, mut sent, mut turns) = (None, 0, 0);
                while found.is_none() {
                    let told = ask(&shards, &spans, &mut texts);
                    sent += told.iter().map(|shard| shard.rows().count()).sum::<usize>();
                    found = Places::sorted(&told, &sort, start, rows).unwrap();
                    if found.is_none() {
                        spans = narrower(&told, &sort, start, rows, turns == 0);
                    }
                    turns += 1;
                    assert!(turns < 6, "{kind} {start} {rows}");
                }
                assert_eq!(found.as_ref().map(shown), Some(expected), "{kind} {start} {rows}");
                assert!(sent < 6_000 + 2 * rows as usize, "{kind} {start} {rows}: {sent}");
                assert!(kind > 0 || turns == 1, "{kind} {start} {rows}: {turns}");
            }
        }
    }
}
