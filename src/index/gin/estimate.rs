//! Guesses for the planner, from a few pages: how many rows have a key, or a key in an interval. What is in the pending list
//! is left out.

use super::buffer::{GinIndex, Visits};
use super::data::{DataContent, DataPage};
use super::descent::{DEEPEST, EntryPage, Place, descend};
use super::page::{Content, Damage, Parsed};
use super::postings::Postings;
use crate::error::Result;

/// About how many pages of the entry tree an interval's estimate reads.
const PAGES: usize = 49;
/// How many posting trees it looks into, one to three pages each.
const TREES: u32 = 8;

impl Postings<'_> {
    /// How many rows there are: of a list exactly, of a posting tree about.
    pub fn estimate(&self) -> Result<f64> {
        match self.content {
            Content::List(list) => Ok(f64::from(list.count)),
            Content::Tree(root) => tree(self.index, root, DEEPEST, &mut Visits::default()),
        }
    }
}

impl GinIndex {
    /// About how many rows have this key.
    pub fn estimate_key(&self, key: &[u8]) -> Result<f64> {
        self.entry(key, |postings| postings.map_or(Ok(0.0), |postings| postings.estimate()))
    }

    /// About how many pairs of a row and its key there are with `from <= key`, and `key < to` if there is an end.
    pub fn estimate_interval(&self, from: &[u8], to: Option<&[u8]>) -> Result<f64> {
        if to.is_some_and(|to| to <= from) {
            return Ok(0.0);
        }
        let interval = Interval { from: Some(from), to };
        // In one leaf, as most are: an exact number, and of a page that is surely the right one.
        let found = descend(self, Place::Before(from))?;
        let mut trees = Trees { left: TREES, seen: 0.0, rows: 0.0, visits: Visits::default() };
        let ends_here = interval.is_within(&found.page);
        if ends_here.map_err(|damage| self.corrupt(found.page.block, damage))? {
            return leaf(self, &found.page, interval, &mut trees);
        }
        entries(self, super::descent::ROOT, interval, PAGES, DEEPEST, &mut trees)
    }
}

impl GinIndex {
    /// About how many leaves of the entry tree a walk from one key to another goes on to, behind the first one.
    pub fn estimate_leaves(&self, from: &[u8], to: &[u8]) -> Result<usize> {
        let root = || EntryPage::read(self, super::descent::ROOT);
        let (mut left, mut right, mut between) = (root()?, root()?, 0usize);
        for _ in 0..DEEPEST {
            if left.is_leaf || right.is_leaf {
                return Ok(between);
            }
            let child = |page: &EntryPage, key| {
                let at = page.child_behind(Place::Before(key))?;
                Ok((at, page.tuple(at)?.downlink()))
            };
            let (first, first_block) =
                child(&left, from).map_err(|damage| self.corrupt(left.block, damage))?;
            let (last, last_block) =
                child(&right, to).map_err(|damage| self.corrupt(right.block, damage))?;
            // All pages of a level are taken to have as many children.
            between = (between * left.len + last).saturating_sub(first);
            left.turn(self, first_block)?;
            right.turn(self, last_block)?;
        }
        Err(self.corrupt(left.block, ENDLESS))
    }
}

/// Keys from one on, and up to another one; without either, from the first or to the last.
#[derive(Clone, Copy)]
struct Interval<'a> {
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
}

impl Interval<'_> {
    /// Whether it ends on the leaf on which it starts.
    fn is_within(self, page: &EntryPage) -> Parsed<bool> {
        let end = self.to.map_or(Place::End, Place::Before);
        Ok(page.right.is_none() || page.first_behind(end)? < page.len)
    }
}

/// How many rows the trees have that were looked into: the others will be like them.
struct Trees {
    left: u32,
    seen: f64,
    rows: f64,
    /// Of the entry tree's pages.
    visits: Visits,
}

impl Trees {
    fn rows(&mut self, index: &GinIndex, root: u32) -> Result<f64> {
        if self.left == 0 {
            return Ok(self.rows / self.seen);
        }
        let rows = tree(index, root, DEEPEST, &mut Visits::default())?;
        self.left -= 1;
        self.seen += 1.0;
        self.rows += rows;
        Ok(rows)
    }
}

/// The rows of a leaf's entries within the interval.
fn leaf(
    index: &GinIndex,
    page: &EntryPage,
    interval: Interval<'_>,
    trees: &mut Trees,
) -> Result<f64> {
    let damaged = |damage| index.corrupt(page.block, damage);
    let start = interval.from.map_or(Ok(0), |from| page.first_behind(Place::Before(from)));
    let end = page.first_behind(interval.to.map_or(Place::End, Place::Before)).map_err(damaged)?;
    let mut rows = 0.0;
    for at in start.map_err(damaged)?..end {
        let tuple = page.tuple(at).map_err(damaged)?;
        rows += match tuple.content().map_err(damaged)? {
            Content::List(list) => f64::from(list.count),
            Content::Tree(root) => trees.rows(index, root)?,
        };
    }
    Ok(rows)
}

/// The rows below a page of the entry tree, within the interval: its ends are looked at, and of the pages between them a few.
fn entries(
    index: &GinIndex,
    block: u32,
    interval: Interval<'_>,
    pages: usize,
    levels: usize,
    trees: &mut Trees,
) -> Result<f64> {
    let Interval { from, to } = interval;
    let page = EntryPage::read(index, block)?;
    trees.visits.add(index, block)?;
    if page.is_leaf {
        return leaf(index, &page, interval, trees);
    }
    let damaged = |damage| index.corrupt(block, damage);
    let levels = levels.checked_sub(1).ok_or_else(|| damaged(ENDLESS))?;
    let child = |place| page.child_behind(place).map_err(damaged);
    let first = from.map_or(Ok(0), |from| child(Place::Before(from)))?;
    let last = to.map_or(Ok(page.len - 1), |to| child(Place::Before(to)))?;
    let mut below = |at: usize, interval, pages| {
        let child = page.tuple(at).map_err(damaged)?.downlink();
        entries(index, child, interval, pages, levels, trees)
    };
    if first >= last {
        return below(first, interval, pages);
    }
    let between = last - first - 1;
    let samples = between.min(pages.isqrt().max(1));
    let share = pages / (samples + 2);
    let mut rows = below(first, Interval { from, to: None }, share)?;
    rows += below(last, Interval { from: None, to }, share)?;
    let mut sampled = 0.0;
    for sample in 0..samples {
        let at = first + 1 + (2 * sample + 1) * between / (2 * samples);
        sampled += below(at, Interval { from: None, to: None }, share)?;
    }
    if samples > 0 {
        rows += sampled * between as f64 / samples as f64;
    }
    Ok(rows)
}

const ENDLESS: Damage = Damage("the tree has no end");

/// The rows below a page of a posting tree: its last child is looked at, and the others are taken to be like the middle one.
fn tree(index: &GinIndex, block: u32, levels: usize, visits: &mut Visits) -> Result<f64> {
    pgrx::check_for_interrupts!();
    let damaged = |damage| index.corrupt(block, damage);
    let (others, middle, last) = {
        let page = index.lock(block)?;
        visits.add(index, block)?;
        match DataPage::parse(page.bytes()).map_err(damaged)?.content {
            DataContent::Leaf(items) => return Ok(items.count().map_err(damaged)? as f64),
            DataContent::Deleted => return Ok(0.0),
            DataContent::Inner(children) => {
                let others = children.len() - 1;
                (others, children.get(others / 2), children.get(others))
            }
        }
    };
    let levels = levels.checked_sub(1).ok_or_else(|| damaged(ENDLESS))?;
    let mut rows = tree(index, last, levels, visits)?;
    if others > 0 {
        rows += others as f64 * tree(index, middle, levels, visits)?;
    }
    Ok(rows)
}
