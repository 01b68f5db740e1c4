//! The way from the root of the entry tree down to a leaf page.
//!
//! > When searching, the tree is traversed from top to bottom, so the lock on the parent page must
//! > be released before descending to the next level. Concurrent page splits move the keyspace to
//! > right, so after following a downlink, the page actually containing the key we're looking for
//! > might be somewhere to the right of the page we landed on. In that case, we follow the
//! > right-links until we find the page we're looking for. […] In the entry tree, we never delete
//! > pages. (README)
//!
//! So each page is unlocked before the next one is locked: its links hold for ever. A leaf page is
//! copied under its lock and looked at without it: what a split moves away later is still in the
//! copy. A split that the parent does not know of yet (GIN_INCOMPLETE_SPLIT) is walked over like
//! any other.

use super::buffer::{GinIndex, Visits, expand};
use super::bytes::{Block, Damage, Parsed};
use super::page::{EntryKey, PageHeader, PageKind, Tuple};
use crate::error::Result;
use std::ops::Deref;

/// GIN_ROOT_BLKNO
pub const ROOT: u32 = 1;
/// More levels than any tree has: inner pages have at least three children, and block numbers have
/// 32 bits.
pub const DEEPEST: usize = 32;

/// A page of the entry tree, copied or in place.
pub struct EntryPage<B = Box<Block>> {
    /// Its block number.
    pub block: u32,
    /// Its bytes.
    pub bytes: B,
    /// How many tuples it has.
    pub len: usize,
    /// Whether it is a leaf page.
    pub is_leaf: bool,
    /// The next page of the level.
    pub right: Option<u32>,
}

/// A leaf page, and what the descent to it has seen.
pub struct LeafPosition {
    /// A copy of the page.
    pub page: EntryPage,
    /// The first entry that is not less than the key. It is `page.len` if all are less.
    pub at: usize,
    /// A key of the index that is less than all keys of the page, and the greatest of those seen on
    /// the way. None if the page is the leftmost.
    pub left: Option<Vec<u8>>,
}

/// A place between keys.
#[derive(Clone, Copy)]
pub enum KeyBound<'a> {
    /// Right before this key.
    Before(&'a [u8]),
    /// Behind all keys, and before the placeholders.
    End,
}

impl KeyBound<'_> {
    /// Whether a key lies behind this place.
    pub fn is_before(self, key: EntryKey<'_>) -> Parsed<bool> {
        match (key, self) {
            (EntryKey::Placeholder, _) => Ok(true),
            (_, KeyBound::End) => Ok(false),
            // byteacmp compares as memcmp, and of two with the same beginning the shorter one is
            // less. Slices compare in the same way.
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
    /// Copies a page.
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
        // The rightmost leaf page may be empty: it is the root of an index without rows.
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
    /// A tuple of the page, counted from 0.
    pub fn tuple(&self, at: usize) -> Parsed<Tuple<'_>> {
        Tuple::at(&self.bytes, at)
    }

    fn key(&self, at: usize) -> Parsed<EntryKey<'_>> {
        self.tuple(at)?.key()
    }

    /// A copy of a key. None if it is a placeholder.
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

    /// The first tuple whose key lies behind the bound. It is `len` if there is none.
    pub fn first_behind(&self, bound: KeyBound<'_>) -> Parsed<usize> {
        first_behind(&self.bytes, self.len, bound)
    }

    /// The right page, if all keys of this one lie before the bound. "Entry tree is "static", ie
    /// tuple never deletes from it, so we don't use right bound, we use rightmost key instead"
    /// (ginentrypage.c).
    fn right_sibling_if_past(&self, bound: KeyBound<'_>) -> Parsed<Option<u32>> {
        match self.right {
            Some(right) if !bound.is_before(self.key(self.len - 1)?)? => Ok(Some(right)),
            _ => Ok(None),
        }
    }

    /// The child of an inner page in which the bound lies. A tuple's key is the greatest one of its
    /// child. But that of the last tuple on a rightmost page can be any old key, and counts as
    /// infinite (entryLocateEntry). On other pages, `right_sibling_if_past` has seen that the last
    /// key lies behind the bound.
    pub fn child_behind(&self, bound: KeyBound<'_>) -> Parsed<usize> {
        first_behind(&self.bytes, self.len.saturating_sub(1), bound)
    }
}

/// The first of `len` tuples of a page whose key lies behind the bound. It is `len` if there is
/// none.
pub fn first_behind(page: &Block, len: usize, bound: KeyBound<'_>) -> Parsed<usize> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if bound.is_before(Tuple::at(page, middle)?.key()?)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// Finds the leaf page that has, or would have, the first entry behind a bound.
pub fn descend(index: &GinIndex, bound: KeyBound<'_>) -> Result<LeafPosition> {
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
        if let Some(right) = page.right_sibling_if_past(bound).map_err(damaged)? {
            left = page.owned_key(page.len - 1).map_err(damaged)?;
            (block, was_leaf) = (right, Some(page.is_leaf));
            continue;
        }
        if page.is_leaf {
            let at = page.first_behind(bound).map_err(damaged)?;
            return Ok(LeafPosition { page: page.copy(), at, left });
        }
        let child = page.child_behind(bound).map_err(damaged)?;
        if child > 0 {
            // An entry with this key is, or was when the page was split, the last one of the child
            // before this one. Entries are never deleted, so it is still somewhere to the left.
            left = page.owned_key(child - 1).map_err(damaged)?;
        }
        levels += 1;
        if levels > DEEPEST {
            return Err(damaged(Damage("the entry tree has no end")));
        }
        (block, was_leaf) = (page.tuple(child).map_err(damaged)?.downlink(), None);
    }
}
