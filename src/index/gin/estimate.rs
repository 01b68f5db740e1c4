//! Estimates for the planner, from a few pages: how many rows have a key, or a key in a range. The
//! pending list is left out: it is sampled by itself (`pending`).

use super::buffer::{GinIndex, Visits, expand};
use super::bytes::{Damage, Parsed};
use super::data::{DataContent, DataPage};
use super::descent::{DEEPEST, EntryPage, KeyBound, descend};
use super::page::{EntryContent, EntryKey};
use super::posting_list::Sink;
use super::postings::Postings;
use crate::error::Result;
use std::collections::HashSet;

/// How many leaf pages of the entry tree an estimate of a range reads, about.
const LEAF_PAGES: usize = 16;
/// How many posting trees an estimate of a range looks into.
const SAMPLED_TREES: u32 = 8;
/// How many times as many children of an inner page an estimate of a range follows at most where
/// most entries have no rows.
const SPARSE: usize = 9;
/// About how many leaf pages of a posting tree are looked at to see how full they are.
const MEASURED_PAGES: usize = 16;
/// From how many pages of a posting tree rows are sampled.
const SAMPLED_PAGES: usize = 8;

impl Postings<'_> {
    /// How many rows there are: exact for a list, estimated for a posting tree.
    pub fn estimate(&self) -> Result<f64> {
        match self.content {
            EntryContent::List(list) => Ok(f64::from(list.count)),
            EntryContent::Tree(root) => estimate_tree(self.index, root),
        }
    }

    /// Hands some of the rows to the sink: all of a list, and those of a few pages all over a
    /// posting tree.
    pub fn sample(&self, sink: &mut impl Sink) -> Result<()> {
        match self.content {
            EntryContent::List(_) => self.for_each(sink),
            EntryContent::Tree(root) => sample_tree(self.index, root, DEEPEST, SAMPLED_PAGES, sink),
        }
    }
}

impl GinIndex {
    /// About how many rows have this key.
    pub fn estimate_key(&self, key: &[u8]) -> Result<f64> {
        self.entry(key, |postings| postings.map_or(Ok(0.0), |postings| postings.estimate()))
    }

    /// About how many pairs of a row and a key there are with `from <= key < to`.
    pub fn estimate_range(&self, from: &[u8], to: &[u8]) -> Result<f64> {
        let mut sizes = PostingSizes::new(SAMPLED_TREES);
        let sums =
            self.sample(from, to, LEAF_PAGES, &mut |_, postings| Ok([sizes.of(postings)?, 0.0]));
        Ok(sums?.sums[0])
    }

    /// Calls `visit` for the entries with `from <= key < to` on about `leaf_pages` leaf pages, which
    /// lie all over the range. Adds up what it returns, scaled to all entries of the range.
    pub fn sample(
        &self,
        from: &[u8],
        to: &[u8],
        leaf_pages: usize,
        visit: &mut Visit<'_>,
    ) -> Result<Sampled> {
        let mut sample = Sampler {
            index: self,
            visit,
            visits: Visits::default(),
            entries: 0,
            live: 0,
            is_whole: true,
        };
        if to <= from {
            return Ok(Sampled { sums: [0.0; 2], is_whole: true });
        }
        let range = EstimateRange { from: Some(from), to: Some(to) };
        // Most ranges lie on one leaf page. Then the number is exact, and the descent has surely
        // found the right page.
        let found = descend(self, KeyBound::Before(from))?;
        let ends_here = range.is_within(&found.page);
        let sums = match ends_here.map_err(|damage| self.corrupt(found.page.block, damage))? {
            true => sample.sum_leaf_page(&found.page, range)?,
            false => sample.sum_below(super::descent::ROOT, range, leaf_pages, self.height()?)?,
        };
        Ok(Sampled { sums, is_whole: sample.is_whole })
    }

    /// How many levels of inner pages the entry tree has.
    fn height(&self) -> Result<usize> {
        let mut page = EntryPage::read(self, super::descent::ROOT)?;
        for levels in 0..DEEPEST {
            if page.is_leaf {
                return Ok(levels);
            }
            let child = page.tuple(0).map(|tuple| tuple.downlink());
            let child = child.map_err(|damage| self.corrupt(page.block, damage))?;
            page.load(self, child)?;
        }
        Err(self.corrupt(page.block, ENDLESS))
    }
}

/// Returns what an entry adds to two sums.
pub type Visit<'v> = dyn FnMut(&[u8], &Postings<'_>) -> Result<[f64; 2]> + 'v;

/// The sums of a sample.
pub struct Sampled {
    /// The two sums, scaled.
    pub sums: [f64; 2],
    /// Whether all entries of the range were visited.
    pub is_whole: bool,
}

impl GinIndex {
    /// About how many leaf pages of the entry tree a walk from one key to another reads after the
    /// first one.
    pub fn estimate_leaf_pages(&self, from: &[u8], to: &[u8]) -> Result<usize> {
        let root = || EntryPage::read(self, super::descent::ROOT);
        let (mut left, mut right, mut between) = (root()?, root()?, 0usize);
        for _ in 0..DEEPEST {
            if left.is_leaf || right.is_leaf {
                return Ok(between);
            }
            let child = |page: &EntryPage, key| {
                let at = page.child_behind(KeyBound::Before(key))?;
                Ok((at, page.tuple(at)?.downlink()))
            };
            let (first, first_block) =
                child(&left, from).map_err(|damage| self.corrupt(left.block, damage))?;
            let (last, last_block) =
                child(&right, to).map_err(|damage| self.corrupt(right.block, damage))?;
            // All pages of a level are assumed to have as many children.
            between = (between * left.len + last).saturating_sub(first);
            left.load(self, first_block)?;
            right.load(self, last_block)?;
        }
        Err(self.corrupt(left.block, ENDLESS))
    }
}

/// The keys of a range. Without `from` it starts at the first key, without `to` it ends behind the
/// last one.
#[derive(Clone, Copy)]
struct EstimateRange<'a> {
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
}

impl EstimateRange<'_> {
    /// Whether it ends on the page on which it starts.
    fn is_within(self, page: &EntryPage) -> Parsed<bool> {
        let end = self.to.map_or(KeyBound::End, KeyBound::Before);
        Ok(page.right.is_none() || page.first_behind(end)? < page.len)
    }
}

/// How many rows entries have. Some of the posting trees are looked into, and the others are
/// assumed to be like them on average.
pub struct PostingSizes {
    left: u32,
    seen: f64,
    rows: f64,
}

impl PostingSizes {
    /// Looks into at most `trees` posting trees, and into one at least.
    pub fn new(trees: u32) -> PostingSizes {
        PostingSizes { left: trees.max(1), seen: 0.0, rows: 0.0 }
    }

    /// How many rows an entry has.
    pub fn of(&mut self, postings: &Postings<'_>) -> Result<f64> {
        match postings.known_len() {
            Some(rows) => Ok(rows as f64),
            None if self.left == 0 => Ok(self.rows / self.seen),
            None => {
                let rows = postings.estimate()?;
                self.left -= 1;
                self.seen += 1.0;
                self.rows += rows;
                Ok(rows)
            }
        }
    }
}

/// A walk to some leaf pages of a range.
struct Sampler<'s, 'v> {
    index: &'s GinIndex,
    visit: &'s mut Visit<'v>,
    visits: Visits,
    /// How many entries there were on the leaf pages, and how many of them have rows.
    entries: usize,
    live: usize,
    is_whole: bool,
}

impl Sampler<'_, '_> {
    /// The sums for a leaf page's entries within the range.
    fn sum_leaf_page(&mut self, page: &EntryPage, range: EstimateRange<'_>) -> Result<[f64; 2]> {
        let (index, block) = (self.index, page.block);
        let damaged = |damage| index.corrupt(block, damage);
        let start = range.from.map_or(Ok(0), |from| page.first_behind(KeyBound::Before(from)));
        let end = page.first_behind(range.to.map_or(KeyBound::End, KeyBound::Before));
        let (mut sums, mut plain) = ([0.0; 2], Vec::new());
        for at in start.map_err(damaged)?..end.map_err(damaged)? {
            let tuple = page.tuple(at).map_err(damaged)?;
            let key = match tuple.key().map_err(damaged)? {
                EntryKey::Plain(key) => key,
                EntryKey::Compressed(key) => {
                    expand(key, &mut plain).map_err(damaged)?;
                    plain.as_slice()
                }
                EntryKey::Placeholder => continue,
            };
            let content = tuple.content().map_err(damaged)?;
            let postings = Postings { index, block, content };
            self.entries += 1;
            if postings.known_len() != Some(0) {
                self.live += 1;
                add(&mut sums, (self.visit)(key, &postings)?, 1.0);
            }
        }
        Ok(sums)
    }

    /// The sums for what lies below a page of the entry tree, within the range. Its first and last
    /// child are followed. Of the children between them as many are followed as give about `leaf_pages`
    /// leaf pages, with `levels` levels of inner pages above those.
    fn sum_below(
        &mut self,
        block: u32,
        range: EstimateRange<'_>,
        leaf_pages: usize,
        levels: usize,
    ) -> Result<[f64; 2]> {
        crate::memory::check();
        let EstimateRange { from, to } = range;
        let index = self.index;
        let page = EntryPage::read(index, block)?;
        self.visits.add(index, block)?;
        if page.is_leaf {
            return self.sum_leaf_page(&page, range);
        }
        let damaged = |damage| index.corrupt(block, damage);
        let levels = levels.checked_sub(1).ok_or_else(|| damaged(ENDLESS))?;
        let child = |bound| page.child_behind(bound).map_err(damaged);
        let first = from.map_or(Ok(0), |from| child(KeyBound::Before(from)))?;
        let last = to.map_or(Ok(page.len - 1), |to| child(KeyBound::Before(to)))?;
        let below = |at: usize| Ok(page.tuple(at).map_err(damaged)?.downlink());
        if first >= last {
            return self.sum_below(below(first)?, range, leaf_pages, levels);
        }
        let between = last - first - 1;
        // On each level the same number of children is followed: the root of that degree of
        // `leaf_pages`, so that their product is `leaf_pages`.
        let children =
            (leaf_pages as f64).powf(1.0 / (levels + 1) as f64).round().max(1.0) as usize;
        let share = (leaf_pages / children).max(1);
        let mut sums =
            self.sum_below(below(first)?, EstimateRange { from, to: None }, share, levels)?;
        let end = self.sum_below(below(last)?, EstimateRange { from: None, to }, share, levels)?;
        add(&mut sums, end, 1.0);
        let all = EstimateRange { from: None, to: None };
        // VACUUM leaves entries where they are, without rows. Where less than a third of the entries
        // have any, those that have may be on pages that were not met. So three times as many
        // children are followed, and again: the middles of thirds, of which every third one was
        // among those before.
        let (entries, live, most) = (self.entries, self.live, between.min(SPARSE * children));
        let (mut samples, mut part, mut met) = (between.min(children), [0.0; 2], HashSet::new());
        while samples > met.len() {
            for sample in 0..samples {
                let at = first + 1 + (2 * sample + 1) * between / (2 * samples);
                if met.insert(at) {
                    add(&mut part, self.sum_below(below(at)?, all, share, levels)?, 1.0);
                }
            }
            if 3 * (self.live - live) < self.entries - entries {
                samples = most.min(3 * samples);
            }
        }
        self.is_whole &= met.len() == between;
        add(&mut sums, part, between as f64 / met.len().max(1) as f64);
        Ok(sums)
    }
}

fn add(sums: &mut [f64; 2], part: [f64; 2], times: f64) {
    sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part * times);
}

/// Hands the rows from `places` of a posting tree's leaf pages to the sink.
fn sample_tree(
    index: &GinIndex,
    block: u32,
    levels: usize,
    places: usize,
    sink: &mut impl Sink,
) -> Result<()> {
    crate::memory::check();
    let damaged = |damage| index.corrupt(block, damage);
    let children: Vec<u32> = {
        let page = index.lock(block)?;
        match DataPage::parse(page.bytes()).map_err(damaged)?.content {
            DataContent::Leaf(items) => return items.for_each(&mut 0, sink).map_err(damaged),
            DataContent::Deleted => return Ok(()),
            DataContent::Inner(children) => {
                spread(children.len(), places).map(|at| children.get(at)).collect()
            }
        }
    };
    let levels = levels.checked_sub(1).ok_or_else(|| damaged(ENDLESS))?;
    children.into_iter().try_for_each(|child| sample_tree(index, child, levels, 1, sink))
}

const ENDLESS: Damage = Damage("the tree has no end");

/// About how many rows a posting tree has. The bytes of some of its leaf pages are known from their
/// headers, and one of these pages tells how many bytes a row takes.
fn estimate_tree(index: &GinIndex, root: u32) -> Result<f64> {
    let mut sample = LeafSample { index, visits: Visits::default(), fullest: None };
    let bytes = sample.bytes_below(root, DEEPEST, MEASURED_PAGES)?;
    let Some((_, block)) = sample.fullest else { return Ok(0.0) };
    let page = index.lock(block)?;
    let damaged = |damage| index.corrupt(block, damage);
    match DataPage::parse(page.bytes()).map_err(damaged)?.content {
        DataContent::Leaf(items) if items.len_in_bytes() > 0 => {
            let rows = items.count().map_err(damaged)?;
            Ok(bytes * rows as f64 / items.len_in_bytes() as f64)
        }
        // VACUUM has just emptied it.
        _ => Ok(0.0),
    }
}

/// The leaf pages of a posting tree that were looked at.
struct LeafSample<'i> {
    index: &'i GinIndex,
    visits: Visits,
    /// How many bytes the fullest one has, and its block.
    fullest: Option<(usize, u32)>,
}

impl LeafSample<'_> {
    /// About how many bytes the leaf pages below a page have, from about `places` of them all over
    /// the tree. Pages differ: VACUUM leaves some that are almost empty. The last one is always
    /// among them, since it is the one that is being filled.
    fn bytes_below(&mut self, block: u32, levels: usize, places: usize) -> Result<f64> {
        crate::memory::check();
        let index = self.index;
        let damaged = |damage| index.corrupt(block, damage);
        let (children, last, all) = {
            let page = index.lock(block)?;
            self.visits.add(index, block)?;
            match DataPage::parse(page.bytes()).map_err(damaged)?.content {
                DataContent::Deleted => return Ok(0.0),
                DataContent::Leaf(items) => {
                    let bytes = items.len_in_bytes();
                    self.fullest = self.fullest.max(Some((bytes, block)));
                    return Ok(bytes as f64);
                }
                DataContent::Inner(children) => {
                    let last = children.len() - 1;
                    let chosen = spread(last, places).map(|at| children.get(at));
                    (chosen.collect::<Vec<u32>>(), children.get(last), last)
                }
            }
        };
        let levels = levels.checked_sub(1).ok_or_else(|| damaged(ENDLESS))?;
        let share = (places / (children.len() + 1)).max(1);
        let mut bytes = 0.0;
        for &child in &children {
            bytes += self.bytes_below(child, levels, share)?;
        }
        let scale = all as f64 / children.len().max(1) as f64;
        Ok(bytes * scale + self.bytes_below(last, levels, share)?)
    }
}

/// At most `places` of the numbers below `all`, all over them.
fn spread(all: usize, places: usize) -> impl Iterator<Item = usize> {
    let places = places.min(all);
    (0..places).map(move |place| (2 * place + 1) * all / (2 * places))
}
