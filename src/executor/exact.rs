//! The rows of a part that match and are visible, exactly.

use super::bitmap::{Found, Numbering};
use super::heap::Fetcher;
use super::leaves::{Leaves, Wanted};
use super::page_visibility::remove_hidden;
use super::region::Region;
use super::relation::Part;
use super::search::{Counts, Rows, open};
use super::tally::{Tally, breadth, tally};
use super::visibility::Map;
use crate::error::{Error, Result};
use crate::index::gin::Tid;
use crate::predicate::{Matcher, Predicate};
use roaring::RoaringBitmap;

/// From so many leaves of an interval on it is counted before its first rows are looked for.
const WIDE: usize = 64;
/// The first rows are looked for in the table where one in so many matches, or more.
const DENSE: u64 = 16;
/// Rows on a page of documents of half a kilobyte.
const ROWS: u64 = 16;

/// Looks rows of a part up, under the query's snapshot.
struct Reader<'r> {
    fetcher: Fetcher,
    numbering: Numbering,
    matcher: &'r Matcher,
}

impl Reader<'_> {
    /// Of the rows that are open or unsure, those stay that are visible and match. Returns how many were looked up.
    fn check(&mut self, found: Found, open: &RoaringBitmap) -> (RoaringBitmap, u64) {
        let Found { mut any, unsure } = found;
        let pages = remove_hidden(&mut any, self.fetcher.heap(), open, self.numbering);
        self.fetcher.heap().pages.set(self.fetcher.heap().pages.get() + pages);
        let asked = &unsure & &any;
        for number in &asked {
            let row = self.fetcher.fetch(self.numbering.tid(number));
            if !row.is_some_and(|doc| doc.read(|doc| self.matcher.matches(doc))) {
                any.remove(number);
            }
        }
        (any, asked.len())
    }

    /// The first rows of the table that match, found by a look at one row after the other; none if `most` looks do not do. Returns how
    /// many there were, too.
    fn first(&mut self, wanted: u64, most: u64) -> Result<(Option<RoaringBitmap>, u64)> {
        let (mut found, mut looks) = (RoaringBitmap::new(), 0);
        for block in 0..self.fetcher.heap().blocks() {
            for offset in 1..=self.fetcher.heap().places_on(block) {
                if found.len() == wanted {
                    return Ok((Some(found), looks));
                }
                if looks == most {
                    return Ok((None, looks));
                }
                looks += 1;
                let tid = Tid { block, offset };
                let row = self.fetcher.fetch(tid);
                if row.is_some_and(|doc| doc.read(|doc| self.matcher.matches(doc))) {
                    found.insert(self.numbering.number(tid).ok_or(Error::RowBeyond)?);
                }
            }
        }
        Ok(((found.len() == wanted).then_some(found), looks))
    }
}

/// The rows of a part that match and are visible. Where no more than the first `wanted` are asked for, those may be all that are in
/// the list, and the others counted.
pub fn find_exactly(
    part: &Part,
    predicate: &Predicate,
    numbering: Numbering,
    matcher: &Matcher,
    counts: &mut Counts,
    wanted: Option<u32>,
) -> Result<Rows> {
    let (heap, index) = open(part)?;
    let blocks = heap.blocks();
    let before = Map::read(&heap, blocks)?;
    let mut reader = Reader { fetcher: heap.fetcher(), numbering, matcher };
    let mut leaves = Leaves::new(&index, numbering, blocks, &Wanted::of(predicate))?;
    let mut counted = None;
    if let Some(wanted) = wanted {
        counted = count(&mut reader, &mut leaves, predicate, &before, wanted, &mut counts.rows)?;
        leaves.region = Region::all();
    }
    let (any, count) = match counted {
        Some(counted) => counted,
        None => {
            let found = leaves.rows(predicate)?;
            let open = before.and(&Map::read(reader.fetcher.heap(), blocks)?).open();
            let (any, looks) = reader.check(found, &open);
            counts.rows += looks;
            let count = any.len();
            (any, count)
        }
    };
    counts.add(&leaves, reader.fetcher.heap());
    let unsure = RoaringBitmap::new();
    Ok(Rows {
        part: *part,
        numbering,
        blocks,
        any: Some(any),
        unsure,
        window: Default::default(),
        is_exact: true,
        count,
    })
}

/// The first rows, and how many there are; none where that takes a list of all.
fn count(
    reader: &mut Reader<'_>,
    leaves: &mut Leaves<'_>,
    predicate: &Predicate,
    before: &Map,
    wanted: u32,
    looked_up: &mut u64,
) -> Result<Option<(RoaringBitmap, u64)>> {
    let (blocks, open) = (leaves.blocks, before.open());
    // Of a wide interval all entries would be read for the first rows, of which each may have some. So it is counted before; then, what
    // many rows match, some at the start of the table do.
    let breadth = if wanted == 0 { 0 } else { breadth(leaves, predicate)? };
    let heads = if breadth < WIDE { [None, Some(wanted)] } else { [Some(0), Some(wanted)] };
    for head in heads.into_iter().flatten() {
        let found = tally(leaves, predicate, before, &open, head)?;
        let Some(Tally { outside, within, every }) = found else { return Ok(None) };
        // A page that was all-visible then and is not any more, or a new one, may have added to what was counted.
        if !before.is_within(&Map::read(reader.fetcher.heap(), blocks)?)
            || reader.fetcher.heap().blocks() != blocks
        {
            return Ok(None);
        }
        if let Some(every) = every {
            before.remember(leaves.index, &leaves.region, every);
        }
        let (mut any, looks) = reader.check(within, &open);
        *looked_up += looks;
        let count = outside + any.len();
        any.remove_range(leaves.region.end(reader.numbering)..);
        let wanted = count.min(wanted.into());
        if any.len() >= wanted {
            return Ok(Some((any, count)));
        }
        // A look takes as long as half a leaf, or as an item of the answer where documents are large.
        let likely = wanted.saturating_mul(ROWS * u64::from(blocks)) / count;
        if head == 0 && likely <= (DENSE * wanted).min(breadth as u64 / 2) {
            let (first, looks) = reader.first(wanted, 4 * likely)?;
            *looked_up += looks;
            if let Some(first) = first {
                return Ok(Some((first, count)));
            }
        }
    }
    Ok(None)
}
