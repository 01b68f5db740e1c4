//! The way from the root of the entry tree down to a leaf.
//!
//! > When searching, the tree is traversed from top to bottom, so the lock on the parent page must be released before
//! > descending to the next level. Concurrent page splits move the keyspace to right, so after following a downlink, the page
//! > actually containing the key we're looking for might be somewhere to the right of the page we landed on. In that case, we
//! > follow the right-links until we find the page we're looking for. […] In the entry tree, we never delete pages. (README)
//!
//! So each page is unlocked before the next one is locked: its links hold for ever. A leaf is copied under its lock and looked at
//! without: what a split moves away later is still in the copy. A split that the parent does not know of yet
//! (GIN_INCOMPLETE_SPLIT) is walked over like any other.

use super::buffer::{GinIndex, Visits, expand};
use super::bytes::{Block, Damage, Parsed};
use super::page::{EntryKey, PageHeader, PageKind, Tuple};
use crate::error::Result;
use std::ops::Deref;

/// GIN_ROOT_BLKNO
pub const ROOT: u32 = 1;
/// No tree is so deep: inner pages have three children at least, and blocks have 32 bits.
pub const DEEPEST: usize = 32;

/// A page of the entry tree, copied or where it lies.
pub struct EntryPage<B = Box<Block>> {
    pub block: u32,
    pub bytes: B,
    pub len: usize,
    pub is_leaf: bool,
    pub right: Option<u32>,
}

/// A leaf, and what the descent to it has seen.
pub struct LeafPosition {
    pub page: EntryPage,
    /// The first entry that is not less than the key; `page.len` if all are less.
    pub at: usize,
    /// A key that is in the index, less than all keys of the page and not less than any other such key.
    pub left: Option<Vec<u8>>,
}

/// A place between keys.
#[derive(Clone, Copy)]
pub enum KeyBound<'a> {
    Before(&'a [u8]),
    /// Behind all keys, before the placeholders.
    End,
}

impl KeyBound<'_> {
    /// Whether a key lies behind the place.
    pub fn is_before(self, key: EntryKey<'_>) -> Parsed<bool> {
        match (key, self) {
            (EntryKey::Placeholder, _) => Ok(true),
            (_, KeyBound::End) => Ok(false),
            // byteacmp: as memcmp, and the shorter one first, which is how slices compare.
            (EntryKey::Plain(key), KeyBound::Before(bound)) => Ok(key >= bound),
            (EntryKey::Compressed(key), KeyBound::Before(bound)) => {
                let mut plain = Vec::new();
                expand(key, &mut plain)?;
                Ok(plain.as_slice() >= bound)
            }
        }
    }
}

impl EntryPage {
    pub fn read(index: &GinIndex, block: u32) -> Result<EntryPage> {
        crate::memory::check();
        let page = index.lock(block)?;
        let page = EntryPage::parse(block, page.bytes());
        page.map(EntryPage::copy).map_err(|damage| index.corrupt(block, damage))
    }

    /// Makes this the copy of another page.
    pub fn load(&mut self, index: &GinIndex, block: u32) -> Result<()> {
        index.copy(block, &mut self.bytes)?;
        let page = EntryPage::parse(block, &self.bytes);
        let EntryPage { len, is_leaf, right, .. } =
            page.map_err(|damage| index.corrupt(block, damage))?;
        (self.block, self.len, self.is_leaf, self.right) = (block, len, is_leaf, right);
        Ok(())
    }
}

impl<'p> EntryPage<&'p Block> {
    fn parse(block: u32, bytes: &'p Block) -> Parsed<EntryPage<&'p Block>> {
        let page = PageHeader::parse(bytes)?;
        let is_leaf = match page.kind {
            PageKind::EntryLeaf => true,
            PageKind::EntryInner => false,
            _ => return Err(Damage("it is not a page of the entry tree")),
        };
        let (len, right) = (page.tuples()?, page.right);
        // The rightmost leaf may be empty: it is the root of an index without rows.
        if len == 0 && !(is_leaf && right.is_none()) {
            return Err(Damage("it has no entries"));
        }
        Ok(EntryPage { block, bytes, len, is_leaf, right })
    }

    fn copy(self) -> EntryPage {
        let EntryPage { block, bytes, len, is_leaf, right } = self;
        EntryPage { block, bytes: Box::new(*bytes), len, is_leaf, right }
    }
}

impl<B: Deref<Target = Block>> EntryPage<B> {
    pub fn tuple(&self, at: usize) -> Parsed<Tuple<'_>> {
        Tuple::at(&self.bytes, at)
    }

    fn key(&self, at: usize) -> Parsed<EntryKey<'_>> {
        self.tuple(at)?.key()
    }

    /// A copy of a key; none of a placeholder.
    pub fn owned_key(&self, at: usize) -> Parsed<Option<Vec<u8>>> {
        Ok(match self.key(at)? {
            EntryKey::Plain(key) => Some(key.to_vec()),
            EntryKey::Compressed(key) => {
                let mut plain = Vec::new();
                expand(key, &mut plain)?;
                Some(plain)
            }
            EntryKey::Placeholder => None,
        })
    }

    /// The first tuple whose key lies behind the place; `len` if none does.
    pub fn first_behind(&self, place: KeyBound<'_>) -> Parsed<usize> {
        first_behind(&self.bytes, self.len, place)
    }

    /// The right page, if all keys of this one lie before the place. "Entry tree is "static", ie tuple never deletes from it,
    /// so we don't use right bound, we use rightmost key instead" (ginentrypage.c).
    fn right_sibling_if_past(&self, place: KeyBound<'_>) -> Parsed<Option<u32>> {
        match self.right {
            Some(right) if !place.is_before(self.key(self.len - 1)?)? => Ok(Some(right)),
            _ => Ok(None),
        }
    }

    /// The child of an inner page in which the place is. A tuple's key is the greatest of its child's, but that of the last
    /// tuple on a rightmost page is any old one and counts as infinite (entryLocateEntry). On other pages `right_sibling_if_past` has seen
    /// that the last one lies behind the place.
    pub fn child_behind(&self, place: KeyBound<'_>) -> Parsed<usize> {
        first_behind(&self.bytes, self.len.saturating_sub(1), place)
    }
}

/// The first of so many tuples of a page whose key lies behind the place; `len` if none does.
pub fn first_behind(page: &Block, len: usize, place: KeyBound<'_>) -> Parsed<usize> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if place.is_before(Tuple::at(page, middle)?.key()?)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// Finds the leaf that has, or would have, the first entry behind a place.
pub fn descend(index: &GinIndex, place: KeyBound<'_>) -> Result<LeafPosition> {
    let (mut block, mut left, mut levels, mut was_leaf) = (ROOT, None, 0, None);
    let mut visits = Visits::default();
    loop {
        crate::memory::check();
        let locked = index.lock(block)?;
        visits.add(index, block)?;
        let damaged = |damage| index.corrupt(block, damage);
        let page = EntryPage::parse(block, locked.bytes()).map_err(damaged)?;
        if was_leaf.is_some_and(|was_leaf| was_leaf != page.is_leaf) {
            return Err(damaged(Damage("its left sibling is of another level")));
        }
        // The root never has a right link.
        if let Some(right) = page.right_sibling_if_past(place).map_err(damaged)? {
            left = page.owned_key(page.len - 1).map_err(damaged)?;
            (block, was_leaf) = (right, Some(page.is_leaf));
            continue;
        }
        if page.is_leaf {
            let at = page.first_behind(place).map_err(damaged)?;
            return Ok(LeafPosition { page: page.copy(), at, left });
        }
        let child = page.child_behind(place).map_err(damaged)?;
        if child > 0 {
            // An entry with this key is, or was when the page was split, the last one of the child before: and is there
            // still, somewhere on the left.
            left = page.owned_key(child - 1).map_err(damaged)?;
        }
        levels += 1;
        if levels > DEEPEST {
            return Err(damaged(Damage("the entry tree has no end")));
        }
        (block, was_leaf) = (page.tuple(child).map_err(damaged)?.downlink(), None);
    }
}
