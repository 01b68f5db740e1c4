//! Counts rows without a list of them.
//!
//! A key has as many postings as documents. On all-visible pages they are counted where they lie,
//! packed. Only postings on other pages, and those on the first pages of which rows are wanted, are
//! unpacked into a bitmap. That works for a single key, for keys of which no document has two, and
//! for all documents without such keys.

use super::bits::Bits;
use super::block_set::BlockSet;
use super::doc_id::ReadResult;
use super::postings::{LeafPostings, PostingReader};
use super::tid_bitmap::TidBitmap;
use super::visibility_map::VisibilityMap;
use crate::error::Result;
use crate::index::key::{self, PathHash};
use crate::index::probe::combine_patterns;
use crate::index::ranges::KeyRange;
use crate::predicate::{Predicate, Test};

/// If more than one page in so many is not all-visible, counting saves too little: nearly every part
/// of a posting list has rows on such a page. The lists are remembered as bitmaps
/// (`index/gin/page_bits.rs`), which is as quick.
const PAGES_PER_OPEN_PAGE: u32 = 256;
/// Where documents were added, the open pages are together, and most parts of a key's list have no
/// row on them. So a range is counted if no more than one group of 32 pages in so many has an open
/// one.
const GROUPS_PER_OPEN_GROUP: u32 = 8;
const PAGES_OF_GROUP: u32 = u32::BITS;
/// Pages. In a table that has no more, either way takes a fraction of a millisecond, and to count
/// takes no memory.
const FEW_PAGES: u32 = 1 << 11;
/// So a range is counted there unless more than one page in so many is open.
const FEW_PAGES_PER_OPEN_PAGE: u32 = 8;
/// Pages. Where some rows are wanted, at least so many of a table's first pages are unpacked. That
/// takes little time, and the wanted rows are there in most cases.
const MIN_PREFIX: u32 = 64;
/// For ranges, one page in 64 is unpacked in addition: if there were too few rows on the first
/// pages, all posting lists of the range would have to be read again.
const PAGES_PER_RANGE_PREFIX: u32 = 64;

/// How many rows match on pages outside of a block set, and which rows match within it.
pub struct PostingCount {
    pub outside: u64,
    pub within: TidBitmap,
    /// How many rows there are outside at all, if that was counted.
    pub all_outside: Option<u64>,
}

/// A query that can be counted: the documents that satisfy one of some conditions on one path, or
/// all documents that satisfy none of them.
struct CountableQuery<'p> {
    conditions: Vec<(&'p str, &'p Test)>,
    is_negated: bool,
}

impl<'p> CountableQuery<'p> {
    /// None if the predicate has another form.
    fn new(predicate: &'p Predicate) -> Option<CountableQuery<'p>> {
        let (inner, is_negated) = match predicate {
            Predicate::Not(inner) => (&**inner, true),
            Predicate::All => return Some(CountableQuery { conditions: vec![], is_negated: true }),
            other => (other, false),
        };
        let condition = |part: &'p Predicate| {
            let (path, test) = part.as_condition()?;
            Some((path?, test))
        };
        let conditions = match inner {
            Predicate::Or(parts) => parts.iter().map(condition).collect::<Option<Vec<_>>>()?,
            part => vec![condition(part)?],
        };
        let is_one_path = conditions.iter().all(|(path, _)| *path == conditions[0].0);
        is_one_path.then_some(CountableQuery { conditions, is_negated })
    }

    /// The path of a query that asks only whether there is some value.
    fn existence_path(&self) -> Option<&'p str> {
        match self.conditions.as_slice() {
            [(path, test)] if test.is_existence() => Some(path),
            _ => None,
        }
    }

    /// Whether no document has two of the query's postings.
    fn has_disjoint_postings(&self, reader: &PostingReader<'_>) -> Result<bool> {
        let [(path, _), ..] = self.conditions.as_slice() else { return Ok(true) };
        if self.conditions.iter().any(|(_, test)| test.is_existence()) {
            return Ok(false);
        }
        let mut probes = Vec::new();
        for (path, test) in &self.conditions {
            probes.push((Some(*path), reader.probe(test)?));
        }
        let probes = combine_patterns(probes).into_iter();
        let mut ranges: Vec<KeyRange> = probes.flat_map(|(_, probe)| probe.ranges).collect();
        reader.have_disjoint_postings(path, &mut ranges)
    }

    /// Whether all conditions are looked up as single keys.
    fn is_of_keys(&self) -> bool {
        self.conditions.iter().all(|(_, test)| match test {
            Test::Exists | Test::Equal(_) => true,
            Test::Range { .. } | Test::Prefix(_) => false,
            Test::Wildcard(_) | Test::Regexp(_) | Test::Fuzzy(_) => false,
        })
    }

    /// Whether counting is worth while where so many pages are not all-visible.
    fn is_worth_counting(&self, not_all_visible: &Bits, blocks: u32) -> bool {
        let (open, most) = match (self.is_of_keys(), blocks <= FEW_PAGES) {
            (true, _) => (not_all_visible.len(), blocks / PAGES_PER_OPEN_PAGE),
            (false, true) => (not_all_visible.len(), blocks / FEW_PAGES_PER_OPEN_PAGE),
            (false, false) => {
                let words = not_all_visible.words().iter();
                let groups = words.flat_map(|word| [*word as u32, (*word >> 32) as u32]);
                let open = groups.filter(|group| *group != 0).count() as u64;
                (open, blocks.div_ceil(PAGES_OF_GROUP * GROUPS_PER_OPEN_GROUP))
            }
        };
        open <= u64::from(most)
    }

    /// How many of the table's first pages are unpacked to find so many rows.
    fn prefix_len(&self, blocks: u32, rows: u32) -> u32 {
        let more = if self.is_of_keys() { 0 } else { blocks / PAGES_PER_RANGE_PREFIX };
        if rows == 0 { 0 } else { (MIN_PREFIX + more).saturating_add(rows).min(blocks) }
    }
}

/// About how many leaf pages of the index the ranges of a query have. These are the pages that are
/// read to count it. 0 for a query that cannot be counted, or that has no ranges.
pub fn estimate_leaf_pages(reader: &PostingReader<'_>, predicate: &Predicate) -> Result<usize> {
    let Some(query) = CountableQuery::new(predicate) else { return Ok(0) };
    let mut leaf_pages = 0;
    for (path, test) in query.conditions {
        let hash = PathHash::of(path);
        let ranges = if test.is_existence() { vec![] } else { reader.probe(test)?.ranges };
        if ranges.iter().any(|range| range.recheck) {
            return Ok(0);
        }
        for range in ranges.iter().filter(|range| range.point().is_none()) {
            leaf_pages += reader.index.estimate_leaf_pages(
                &key::value(hash, &range.from),
                &key::value(hash, &range.below),
            )?;
        }
    }
    Ok(leaf_pages)
}

/// Counts the rows that match on all-visible pages, and collects those on all other pages; if
/// `rows` are wanted, on the first pages too. The reader's block set becomes the pages whose rows
/// are collected. None if the query cannot be counted.
///
/// `before` is the visibility map as it was before the index was read, and `not_all_visible` its
/// pages that are not all-visible.
pub fn count_postings(
    reader: &mut PostingReader<'_>,
    predicate: &Predicate,
    before: &VisibilityMap,
    not_all_visible: &Bits,
    rows: u32,
) -> ReadResult<Option<PostingCount>> {
    let Some(query) = CountableQuery::new(predicate) else { return Ok(None) };
    let existence_path = query.existence_path();
    if !query.is_worth_counting(not_all_visible, reader.blocks)
        || existence_path.is_none() && !query.has_disjoint_postings(reader)?
    {
        return Ok(None);
    }
    let mut block_set = BlockSet::prefix(query.prefix_len(reader.blocks, rows));
    not_all_visible.iter().for_each(|block| block_set.add(block));
    // A pending entry may have moved into the tree meanwhile, and be read twice. So pages of
    // pending documents are collected: each such document has one of these keys.
    let pending = key::DOCUMENT_KEYS.iter().filter_map(|key| reader.pending.get(key)).flatten();
    pending.filter(|tid| tid.block < reader.blocks).for_each(|tid| block_set.add(tid.block));
    reader.block_set = block_set;
    let postings = match existence_path {
        Some(path) => reader.exists_postings(path)?,
        None => {
            let conditions = query.conditions.iter().map(|(path, test)| (Some(*path), *test));
            Some(reader.condition_postings(conditions)?)
        }
    };
    let Some(LeafPostings { rows, skipped, .. }) =
        postings.filter(|postings| postings.skipped_are_exact)
    else {
        return Ok(None);
    };
    if !query.is_negated {
        return Ok(Some(PostingCount { outside: skipped, within: rows, all_outside: None }));
    }
    let known = before.rows_outside(reader.index, &reader.block_set);
    let all = reader.all_documents(known)?;
    Ok(Some(PostingCount {
        outside: all.skipped.saturating_sub(skipped),
        within: all.rows.without(&rows)?,
        all_outside: known.is_none().then_some(all.skipped),
    }))
}
