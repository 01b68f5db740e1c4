//! Matches in the order of the values at some paths.
//!
//! The index has the values of each path in order: walked from either end (`walk`), it names the rows in the order of the path, until
//! enough of them are found. Where few rows match, it is cheaper to look at all of them and sort (`sorter`).

use super::index_order::{Group, IndexOrderMerge};
use super::opened::Opened;
use super::postings::{PendingFilter, PostingReader};
use super::search::{IndexSearch, PartitionMatches};
use super::sorter::Sorter;
use crate::document::{Jsonb, Scratch};
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::index::key;
use crate::matcher::Matcher;
use crate::memory;
use crate::syntax::SortKey;
use pgrx::pg_sys;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// What it takes to look a row up, and to pass an entry of the index by, in nanoseconds: what matters is the ratio.
const LOOK_UP_COST: u64 = 1_000;
const SKIP_COST: u64 = 30;

/// A row of a search: its part and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    part: u32,
    number: u32,
}

impl Place {
    fn new(part: usize, number: u32) -> Place {
        Place { part: part as u32, number }
    }

    /// Integers are in the order of the places: there are no parts beyond the positive ones.
    pub fn to_integer(self) -> i64 {
        i64::from(self.part) << 32 | i64::from(self.number)
    }

    pub fn from_integer(place: i64) -> Place {
        Place { part: (place >> 32) as u32, number: place as u32 }
    }
}

/// The values that a row is sorted by, whole: at each path the least or the greatest.
pub type Values = Vec<Option<Vec<u8>>>;

/// A row that was looked up.
type Row = (Values, Place);

/// Bytes that an operation may take (config.sgml).
pub fn work_mem() -> usize {
    // SAFETY: a setting of the server, in kilobytes.
    unsafe { pg_sys::work_mem as usize * 1024 }
}

/// So many places are kept at once: in half of work_mem, beside what the sort itself has.
fn most_places() -> usize {
    work_mem() / 2 / size_of::<Place>()
}

/// Rows in order: those that are next, and where more come from.
pub struct SortedRows {
    sort: Vec<SortKey>,
    /// How many rows will be asked for at most.
    last: Option<u64>,
    /// In this order, what comes next: rows that were sorted, others that are to be, rows as they come in the tables, the walk.
    sorted: VecDeque<Place>,
    unsorted: Option<Turn>,
    group: Group,
    walk: Option<IndexOrderMerge>,
}

/// Rows to be sorted, as many at a time as there is memory for: those that come behind one.
struct Turn {
    group: Group,
    behind: Option<Row>,
}

impl SortedRows {
    /// None if the planner does it better. `last`: how many rows will be asked for at most.
    pub fn new(
        search: &mut IndexSearch,
        sort: &[SortKey],
        last: Option<u64>,
    ) -> Result<Option<SortedRows>> {
        let (mut total, mut is_walkable) = (0, true);
        for rows in &search.rows {
            let index = GinIndex::open_to_answer(rows.part.index)?;
            let reader = PostingReader::new(
                &index,
                rows.doc_ids,
                rows.blocks,
                &PendingFilter::path(&sort[0].path),
            )?;
            let path = &sort[0].path;
            is_walkable &= !reader.path_hash_collides(path)? && !reader.has_legacy_strings(path)?;
            // A walk meets a document with its smallest value first, or from the other end with its largest.
            is_walkable &=
                sort[0].largest == sort[0].descending || reader.has_single_values(path)?;
            for key in key::DOCUMENT_KEYS {
                total += index.estimate_key(key)? as u64
                    + reader.pending.get(key).map_or(0, Vec::len) as u64;
            }
        }
        let most = most_places() as u64;
        let is_bounded = last.is_some_and(|last| last <= most);
        // Rows with the same first value are sorted by the others in one turn.
        is_walkable &= sort.len() == 1 || is_bounded;
        let hits = match search.rows.iter().any(|rows| rows.candidates.is_none()) {
            true => total,
            false => search.len(),
        };
        let passed = last.unwrap_or(hits).saturating_mul(total) / hits.max(1);
        let walking = passed.min(total).saturating_mul(SKIP_COST);
        let (unsorted, group) = (None, Group::default());
        let (sort, sorted) = (sort.to_vec(), VecDeque::new());
        if is_walkable && (hits > most || walking < hits.saturating_mul(LOOK_UP_COST)) {
            let walk = Some(IndexOrderMerge::new(&search.rows, &sort[0])?);
            return Ok(Some(SortedRows { sort, last, sorted, unsorted, group, walk }));
        }
        if hits > most && !is_bounded {
            return Ok(None);
        }
        for rows in &mut search.rows {
            rows.list()?;
        }
        let found = search.rows.iter().enumerate().flat_map(|(part, rows)| {
            rows.candidates.iter().flatten().map(move |number| (part, number))
        });
        let mut opened = Opened::none(search.rows.len());
        let mut lookup =
            Lookup { rows: &search.rows, matcher: &search.matcher, opened: &mut opened };
        let (sorted, _) = lookup.heap_sort(found, &sort, None, last)?;
        search.counts.rows += opened.rows;
        search.counts.heap_pages += opened.heap_pages();
        Ok(Some(SortedRows { sort, last, sorted, unsorted, group, walk: None }))
    }

    /// The next row: its part and number.
    pub fn next(
        &mut self,
        rows: &[PartitionMatches],
        matcher: &Matcher,
        opened: &mut Opened,
    ) -> Result<Option<(usize, u32)>> {
        loop {
            if let Some(Place { part, number }) = self.sorted.pop_front() {
                return Ok(Some((part as usize, number)));
            }
            if let Some(Turn { group, behind }) = self.unsorted.take() {
                let mut lookup = Lookup { rows, matcher, opened };
                let (sorted, end) =
                    lookup.heap_sort(group.iter(), &self.sort, behind.as_ref(), self.last)?;
                self.sorted = sorted;
                self.unsorted = end.map(|end| Turn { group, behind: Some(end) });
                continue;
            }
            if let Some(next) = self.group.next() {
                return Ok(Some(next));
            }
            let Some(walk) = &mut self.walk else { return Ok(None) };
            match walk.next(rows, opened)? {
                // What is the same in the index may differ in what was cut off, and in the paths that are next.
                Some((group, is_cut)) if is_cut || self.sort.len() > 1 => {
                    self.unsorted = Some(Turn { group, behind: None });
                }
                Some((group, _)) => self.group = group,
                None => self.walk = None,
            }
        }
    }
}

/// Looks the rows of a search up.
struct Lookup<'l> {
    rows: &'l [PartitionMatches],
    matcher: &'l Matcher,
    opened: &'l mut Opened,
}

impl Lookup<'_> {
    /// Sorts rows: the first that match, as many as there is memory for but no more than `last`; of those only that come behind one,
    /// if there is one. Returns, too, the last of them where others may follow.
    fn heap_sort(
        &mut self,
        found: impl Iterator<Item = (usize, u32)>,
        sort: &[SortKey],
        behind: Option<&Row>,
        last: Option<u64>,
    ) -> Result<(VecDeque<Place>, Option<Row>)> {
        let most = last.map_or(most_places(), |last| most_places().min(last as usize));
        if most == 0 {
            return Ok((VecDeque::new(), None));
        }
        let mut sorter = Sorter::new(sort, most);
        for (part, number) in found {
            self.opened.rows += 1;
            let rows = &self.rows[part];
            let fetcher = self.opened.fetcher(part, &rows.part);
            let Some(doc) = fetcher.fetch(rows.doc_ids.tid(number)) else { continue };
            let values: Option<Values> = doc.read(|doc| {
                let matches = !rows.recheck.contains(number) || self.matcher.matches(doc);
                matches.then(|| sort.iter().map(|sort| extreme(doc, sort)).collect())
            });
            let (Some(values), place) = (values, Place::new(part, number)) else { continue };
            let is_wanted = behind.is_none_or(|(last_values, last_place)| {
                let order = compare(&values, last_values, sort);
                order.then(place.cmp(last_place)).is_gt()
            });
            if is_wanted {
                sorter.put(&values, place);
            }
        }
        sorter.sort();
        let mut sorted = VecDeque::new();
        while sorted.len() < most
            && let Some(place) = sorter.next()
        {
            memory::try_reserve(most * size_of::<Place>(), || sorted.try_reserve(1))?;
            sorted.push_back(place);
        }
        let end = sorted.back().filter(|_| sorted.len() == most);
        let end = end.map(|place| (sorter.values(), *place));
        Ok((sorted, end))
    }
}

/// A row without a value comes last, whatever the direction.
fn compare(a: &Values, b: &Values, sort: &[SortKey]) -> Ordering {
    let mut orders = a.iter().zip(b).zip(sort).map(|((a, b), sort)| match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) if sort.descending => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
    });
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The value that a document is sorted by: the smallest at the path or the largest.
fn extreme(doc: Jsonb<'_>, sort: &SortKey) -> Option<Vec<u8>> {
    crate::document::extreme(doc, &sort.path, sort.largest, &mut Scratch::new())
}
