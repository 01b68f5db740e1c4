//! Matches in the order of the values at some paths.
//!
//! The index has the values of each path in order: walked from either end, it names the rows in the order of the path, until enough of
//! them are found. Where few rows match, it is cheaper to look at all of them and sort.

use super::bitmap::Numbering;
use super::heap::{Fetcher, Heap};
use super::leaves::{Leaves, Wanted};
use super::search::{Rows, Search};
use crate::document::Scratch;
use crate::error::Result;
use crate::index::gin::{Entries, GinIndex, Tid};
use crate::index::key::{self, PathHash};
use crate::index::packed::{Unpacked, end_of_prefix, unpack};
use crate::lucene::SortKey;
use crate::predicate::Matcher;
use roaring::RoaringBitmap;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// So many rows at most are kept in memory with their values.
const MOST: u64 = 100_000;
/// What it takes to look a row up, and to pass an entry of the index by, in nanoseconds: what matters is the ratio.
const LOOK_UP: u64 = 1_000;
const PASS: u64 = 30;

/// Rows in order: those that are next, and where more come from.
pub struct Sorted {
    ready: VecDeque<(usize, u32)>,
    walk: Option<Walk>,
}

impl Sorted {
    /// None if it would take too much memory. `last`: how many rows will be asked for at most.
    pub fn new(search: &mut Search, sort: &[SortKey], last: Option<u64>) -> Result<Option<Sorted>> {
        let (mut total, mut is_walkable) = (0, true);
        for rows in &search.rows {
            let index = GinIndex::open_to_answer(rows.part.index)?;
            let leaves = Leaves::new(&index, rows.numbering, 0, &Wanted::path(&sort[0].path))?;
            let path = &sort[0].path;
            is_walkable &= !leaves.is_shared(path)? && !leaves.has_unpacked(path)?;
            for key in key::EVERY {
                total += index.estimate_key(key)? as u64
                    + leaves.pending.get(key).map_or(0, Vec::len) as u64;
            }
        }
        let is_bounded = last.is_some_and(|last| last <= MOST);
        // Rows with the same first value are sorted by the others in memory.
        is_walkable &= sort.len() == 1 || is_bounded;
        let hits = match search.rows.iter().any(|rows| rows.any.is_none()) {
            true => total,
            false => search.len(),
        };
        let passed = last.unwrap_or(hits).saturating_mul(total) / hits.max(1);
        let walking = passed.min(total).saturating_mul(PASS);
        if is_walkable && (hits > MOST || walking < hits.saturating_mul(LOOK_UP)) {
            let walk = Some(Walk::new(&search.rows, sort, last)?);
            return Ok(Some(Sorted { ready: VecDeque::new(), walk }));
        }
        if hits > MOST && !is_bounded {
            return Ok(None);
        }
        let heaps: Vec<_> = search.rows.iter().map(|rows| Heap::of(&rows.part)).collect();
        let mut fetchers: Vec<_> = heaps.iter().map(|heap| heap.fetcher()).collect();
        let mut found = Vec::new();
        for (part, rows) in search.rows.iter_mut().enumerate() {
            found.extend(rows.list()?.iter().map(|number| (part, number)));
        }
        let ready =
            arrange(found.into_iter(), &search.rows, &search.matcher, &mut fetchers, sort, last);
        drop(fetchers);
        search.counts.rows += hits;
        search.counts.heap_pages += heaps.iter().map(|heap| heap.pages.get()).sum::<u64>();
        Ok(Some(Sorted { ready, walk: None }))
    }

    /// The next row: its part and number.
    pub fn next(
        &mut self,
        rows: &[Rows],
        matcher: &Matcher,
        fetchers: &mut [Fetcher<'_>],
    ) -> Result<Option<(usize, u32)>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Ok(Some(next));
            }
            let Some(walk) = &mut self.walk else { return Ok(None) };
            match walk.next(rows, matcher, fetchers)? {
                Some(ready) => self.ready = ready,
                None => self.walk = None,
            }
        }
    }
}

/// A row with its values at the paths, its greatest or least ones as the direction has it.
struct Keyed<'s> {
    values: Vec<Option<Vec<u8>>>,
    part: usize,
    number: u32,
    sort: &'s [SortKey],
}

impl Ord for Keyed<'_> {
    /// A row without a value comes last, whatever the direction; ties come in the order of the tables.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_values =
            self.values.iter().zip(&other.values).zip(self.sort).map(|((a, b), sort)| {
                match (a, b) {
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(_), None) => Ordering::Less,
                    (Some(a), Some(b)) if sort.descending => b.cmp(a),
                    (Some(a), Some(b)) => a.cmp(b),
                }
            });
        by_values
            .fold(Ordering::Equal, Ordering::then)
            .then_with(|| (self.part, self.number).cmp(&(other.part, other.number)))
    }
}

impl PartialOrd for Keyed<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Keyed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Keyed<'_> {}

/// Looks rows up and sorts them; keeps the first `last` of those that match.
fn arrange(
    found: impl Iterator<Item = (usize, u32)>,
    rows: &[Rows],
    matcher: &Matcher,
    fetchers: &mut [Fetcher<'_>],
    sort: &[SortKey],
    last: Option<u64>,
) -> VecDeque<(usize, u32)> {
    let mut kept = BinaryHeap::new();
    for (part, number) in found {
        let Some(doc) = fetchers[part].fetch(rows[part].numbering.tid(number)) else { continue };
        let values = doc.read(|doc| {
            let matches = !rows[part].unsure.contains(number) || matcher.matches(doc);
            matches.then(|| sort.iter().map(|sort| extreme(doc, sort)).collect())
        });
        let Some(values) = values else { continue };
        kept.push(Keyed { values, part, number, sort });
        if last.is_some_and(|last| kept.len() as u64 > last) {
            kept.pop();
        }
    }
    kept.into_sorted_vec().into_iter().map(|keyed| (keyed.part, keyed.number)).collect()
}

/// The value that a document is sorted by: the smallest at the path, or descending the largest.
fn extreme(doc: crate::document::Jsonb<'_>, sort: &SortKey) -> Option<Vec<u8>> {
    crate::document::extreme(doc, &sort.path, sort.descending, &mut Scratch::new())
}

/// A walk through the values at the first path, in all parts at once.
struct Walk {
    sort: Vec<SortKey>,
    last: Option<u64>,
    parts: Vec<PartWalk>,
}

/// Where the walk stands in one part.
struct PartWalk {
    descending: bool,
    /// Of the table, which has no rows behind.
    blocks: u32,
    /// Before and behind all values of the path.
    from: Vec<u8>,
    below: Vec<u8>,
    entries: Option<Entries>,
    /// The next value of the tree, and its rows.
    tree: Option<(Vec<u8>, Vec<u32>)>,
    /// The values that are pending, the next one last.
    pending: Vec<(Vec<u8>, Vec<u32>)>,
    /// The next value of both, and its rows that are wanted. A value of none comes last: the rows without.
    head: Option<(Option<Vec<u8>>, Vec<u32>)>,
    /// Rows that were met with an earlier value.
    seen: RoaringBitmap,
    is_over: bool,
}

impl Walk {
    fn new(rows: &[Rows], sort: &[SortKey], last: Option<u64>) -> Result<Walk> {
        let parts = rows.iter().map(|rows| PartWalk::new(rows, &sort[0])).collect::<Result<_>>()?;
        Ok(Walk { sort: sort.to_vec(), last, parts })
    }

    /// The rows that have the next value; none at the end.
    fn next(
        &mut self,
        rows: &[Rows],
        matcher: &Matcher,
        fetchers: &mut [Fetcher<'_>],
    ) -> Result<Option<VecDeque<(usize, u32)>>> {
        for (part, rows) in self.parts.iter_mut().zip(rows) {
            part.fill(rows)?;
        }
        let descending = self.sort[0].descending;
        let heads = self.parts.iter().filter_map(|part| part.head.as_ref().map(|(value, _)| value));
        let next = heads.min_by(|a, b| match (a, b) {
            (Some(a), Some(b)) if descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        let Some(value) = next.cloned() else { return Ok(None) };
        let mut found = Vec::new();
        for (at, part) in self.parts.iter_mut().enumerate() {
            if part.head.as_ref().is_some_and(|(head, _)| *head == value) {
                let (_, numbers) = part.head.take().unwrap_or_default();
                found.extend(numbers.into_iter().map(|number| (at, number)));
            }
        }
        // What is the same in the index may differ in what was cut off, and in the paths that are next.
        let is_cut = |stored: &[u8]| key::is_cut_value(unpack(stored, &mut Unpacked::new()));
        let is_alike = self.sort.len() > 1 || value.is_some_and(|value| is_cut(&value));
        Ok(Some(match is_alike {
            true => arrange(found.into_iter(), rows, matcher, fetchers, &self.sort, self.last),
            false => found.into(),
        }))
    }
}

impl PartWalk {
    fn new(rows: &Rows, sort: &SortKey) -> Result<PartWalk> {
        let from = key::value_prefix(PathHash::of(&sort.path)).to_vec();
        let below = end_of_prefix(&from);
        let index = GinIndex::open_to_answer(rows.part.index)?;
        let blocks = Heap::of(&rows.part).blocks();
        let leaves = Leaves::new(&index, rows.numbering, blocks, &Wanted::path(&sort.path))?;
        let mut pending: Vec<_> = leaves
            .pending
            .range(from.clone()..below.clone())
            .map(|(key, tids)| {
                let tids = tids.iter().filter(|tid| tid.block < blocks);
                (key.clone(), tids.filter_map(|tid| rows.numbering.number(*tid)).collect())
            })
            .collect();
        if !sort.descending {
            pending.reverse();
        }
        let entries = Some(match sort.descending {
            true => Entries::descending(&index, Some(&below))?,
            false => Entries::ascending(&index, &from)?,
        });
        Ok(PartWalk {
            descending: sort.descending,
            blocks,
            from,
            below,
            entries,
            tree: None,
            pending,
            head: None,
            seen: RoaringBitmap::new(),
            is_over: false,
        })
    }

    /// Looks for the next value that wanted rows have, unless it is at hand.
    fn fill(&mut self, rows: &Rows) -> Result<()> {
        if self.head.is_some() || self.is_over {
            return Ok(());
        }
        let index = GinIndex::open_to_answer(rows.part.index)?;
        loop {
            if self.tree.is_none() {
                self.tree = self.read(&index, rows.numbering)?;
            }
            let order = match (&self.tree, self.pending.last()) {
                (None, None) => {
                    self.is_over = true;
                    self.head = self.missing(rows, &index)?.map(|numbers| (None, numbers));
                    return Ok(());
                }
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) if self.descending => b.cmp(a),
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let from_tree = if order.is_le() { self.tree.take() } else { None };
            let from_pending = if order.is_ge() { self.pending.pop() } else { None };
            let (key, mut numbers) = from_tree.clone().or(from_pending.clone()).unwrap_or_default();
            if let (Some(_), Some((_, more))) = (from_tree, from_pending) {
                numbers.extend(more);
            }
            numbers.sort_unstable();
            numbers.retain(|&number| {
                rows.any.as_ref().is_none_or(|any| any.contains(number)) && self.seen.insert(number)
            });
            if !numbers.is_empty() {
                self.head = Some((key::value_of(&key).map(<[u8]>::to_vec), numbers));
                return Ok(());
            }
        }
    }

    /// The next value of the tree.
    fn read(
        &mut self,
        index: &GinIndex,
        numbering: Numbering,
    ) -> Result<Option<(Vec<u8>, Vec<u32>)>> {
        let Some(entries) = &mut self.entries else { return Ok(None) };
        if let Some(entry) = entries.next(index)?
            && entry.key >= self.from.as_slice()
            && entry.key < self.below.as_slice()
        {
            let (mut numbers, blocks) = (Vec::new(), self.blocks);
            entry.postings.for_each(&mut |tid: Tid| {
                numbers.extend(numbering.number(tid).filter(|_| tid.block < blocks));
            })?;
            return Ok(Some((entry.key.to_vec(), numbers)));
        }
        self.entries = None;
        Ok(None)
    }

    /// The rows without a value, once all values were gone through.
    fn missing(&mut self, rows: &Rows, index: &GinIndex) -> Result<Option<Vec<u32>>> {
        let missing: Vec<u32> = match &rows.any {
            Some(any) => (any - &self.seen).iter().collect(),
            None => {
                let heap = Heap::of(&rows.part);
                (Leaves::new(index, rows.numbering, heap.blocks(), &Wanted::none())?.all()?
                    - &self.seen)
                    .iter()
                    .collect()
            }
        };
        Ok((!missing.is_empty()).then_some(missing))
    }
}
