//! Walks over entries in the order of their keys, upwards or downwards.

use super::buffer::{GinIndex, Visits, expand};
use super::bytes::Damage;
use super::descent::{EntryPage, KeyBound, LeafPosition, descend};
use super::page::EntryKey;
use super::postings::Postings;
use crate::error::{Error, Result};
use std::ops::ControlFlow;

/// A walk over the entries of an index. It has copied the page at hand, and between two calls holds
/// no lock, no pin and nothing else of the server. So it can be kept, and dropped, at any time.
/// Entries that come into the index during the walk may be missed; those that were there at its
/// start are not.
pub struct Entries {
    page: EntryPage,
    /// The entry that comes next. Upwards it is its number, downwards its number plus one.
    at: usize,
    direction: Direction,
    /// A key of the index to the left of the page (see [`LeafPosition`]).
    left: Option<Vec<u8>>,
    /// The key at hand, if it is compressed on the page.
    key: Vec<u8>,
    visits: Visits,
}

/// The order in which entries are walked over: that of their keys, or the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the least key to the greatest.
    Ascending,
    /// From the greatest key to the least.
    Descending,
}

/// An entry: a key, and the rows that have it.
pub struct Entry<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The rows that have it.
    pub postings: Postings<'a>,
}

impl Entries {
    /// Starts at the first key that is not less than `from`, and walks upwards.
    pub fn ascending(index: &GinIndex, from: &[u8]) -> Result<Entries> {
        let found = descend(index, KeyBound::Before(from))?;
        Ok(Entries::new(found, Direction::Ascending))
    }

    /// Starts at the last key that is less than `below`, or at the very last one, and walks
    /// downwards.
    pub fn descending(index: &GinIndex, below: Option<&[u8]>) -> Result<Entries> {
        let found = descend(index, below.map_or(KeyBound::End, KeyBound::Before))?;
        Ok(Entries::new(found, Direction::Descending))
    }

    fn new(found: LeafPosition, direction: Direction) -> Entries {
        let LeafPosition { page, at, left } = found;
        Entries { page, at, direction, left, key: Vec::new(), visits: Visits::default() }
    }

    /// The next entry. `index` must be the one in which the walk was started.
    #[inline]
    pub fn next<'a>(&'a mut self, index: &'a GinIndex) -> Result<Option<Entry<'a>>> {
        let at = match self.direction {
            Direction::Ascending => {
                while self.at >= self.page.len {
                    if !self.load_right(index)? {
                        return Ok(None);
                    }
                }
                self.at += 1;
                self.at - 1
            }
            Direction::Descending => {
                while self.at == 0 {
                    if !self.load_left(index)? {
                        return Ok(None);
                    }
                }
                self.at -= 1;
                self.at
            }
        };
        let block = self.page.block;
        let damaged = |damage| index.corrupt(block, damage);
        let tuple = self.page.tuple(at).map_err(damaged)?;
        let key = match tuple.key().map_err(damaged)? {
            EntryKey::Plain(key) => key,
            EntryKey::Compressed(key) => {
                expand(key, &mut self.key).map_err(damaged)?;
                &self.key
            }
            // Placeholders lie behind all keys. A walk downwards starts before them, so this one
            // goes upwards and is at its end.
            EntryKey::Placeholder => return Ok(None),
        };
        let content = tuple.content().map_err(damaged)?;
        Ok(Some(Entry { key, postings: Postings { index, block, content } }))
    }

    /// Visits the following entries of a walk upwards, as far as their keys are below one, until the
    /// visitor breaks. Keys are compared once a page, which makes it faster than `next`.
    pub fn each_below<E: From<Error>>(
        &mut self,
        index: &GinIndex,
        below: &[u8],
        visit: &mut impl FnMut(&[u8], &Postings<'_>) -> std::result::Result<ControlFlow<()>, E>,
    ) -> std::result::Result<(), E> {
        loop {
            let block = self.page.block;
            let damaged = |damage| index.corrupt(block, damage);
            let end = self.page.first_behind(KeyBound::Before(below)).map_err(damaged)?;
            for at in self.at..end {
                let tuple = self.page.tuple(at).map_err(damaged)?;
                let key = match tuple.key().map_err(damaged)? {
                    EntryKey::Plain(key) => key,
                    EntryKey::Compressed(key) => {
                        expand(key, &mut self.key).map_err(damaged)?;
                        &self.key
                    }
                    EntryKey::Placeholder => return Ok(()),
                };
                let content = tuple.content().map_err(damaged)?;
                if visit(key, &Postings { index, block, content })?.is_break() {
                    self.at = at + 1;
                    return Ok(());
                }
            }
            self.at = self.at.max(end);
            if end < self.page.len || !self.load_right(index)? {
                return Ok(());
            }
        }
    }

    /// Moves a walk upwards to the first key that is not less than `key`, if that lies ahead.
    pub fn seek(&mut self, index: &GinIndex, key: &[u8]) -> Result<()> {
        // The key is looked for on the page at hand, on the next one, and then from the root.
        for _ in 0..2 {
            let ahead = self.page.first_behind(KeyBound::Before(key));
            let ahead = ahead.map_err(|damage| index.corrupt(self.page.block, damage))?;
            self.at = self.at.max(ahead);
            if self.at < self.page.len || !self.load_right(index)? {
                return Ok(());
            }
        }
        let LeafPosition { page, at, .. } = descend(index, KeyBound::Before(key))?;
        (self.page, self.at) = (page, at);
        Ok(())
    }

    #[cold]
    fn load_right(&mut self, index: &GinIndex) -> Result<bool> {
        let Some(right) = self.page.right else { return Ok(false) };
        let damaged = |block| move |damage| index.corrupt(block, damage);
        let last = self.page.owned_key(self.page.len - 1).map_err(damaged(self.page.block))?;
        self.page.load(index, right)?;
        self.visits.add(index, right)?;
        let before = match last {
            Some(mut next) => {
                next.push(0); // the least key that is greater
                self.page.first_behind(KeyBound::Before(&next))
            }
            None => self.page.first_behind(KeyBound::End),
        };
        // A page with a key that is not greater would be no right sibling. Its links might lead
        // round in a circle.
        if before.map_err(damaged(right))? > 0 || !self.page.is_leaf {
            return Err(index.corrupt(right, Damage("it does not follow its left sibling")));
        }
        self.at = 0;
        Ok(true)
    }

    /// "We don't support scanning a GIN trees backwards, so we don't need left-links" (README). So
    /// the page on the left is found from the root, by its last key. Only entries that came later
    /// can lie between that key and this page.
    #[cold]
    fn load_left(&mut self, index: &GinIndex) -> Result<bool> {
        let Some(last) = self.left.take() else { return Ok(false) };
        let LeafPosition { page, at, left } = descend(index, KeyBound::Before(&last))?;
        self.visits.add(index, page.block)?;
        let is_there = at < page.len
            && page.owned_key(at).map_err(|damage| index.corrupt(page.block, damage))?.as_ref()
                == Some(&last);
        if !is_there {
            return Err(
                index.corrupt(page.block, Damage("it lacks an entry that inner pages name"))
            );
        }
        (self.page, self.at, self.left) = (page, at + 1, left);
        Ok(true)
    }
}
