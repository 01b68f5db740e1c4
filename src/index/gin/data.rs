//! The pages of a posting tree: "a B-tree structure, where the ItemPointer is used as the key"
//! (README). Pure functions.

use super::bytes::{Block, Damage, Parsed, block_at};
use super::page::{CONTENTS, PageHeader, PageKind, SPECIAL};
use super::page_summary::PageSummary;
use super::posting_list::{self, ITEM, Sink, Tid};

/// Where the items start, in bytes: behind the page's right bound, which has
/// MAXALIGN(sizeof(ItemPointerData)) bytes (GinDataPageGetData).
const START: usize = CONTENTS + 8;
/// sizeof(PostingItem): the child's block, and the child's right bound.
const CHILD: usize = 4 + ITEM;

/// A page of a posting tree.
#[derive(Debug)]
pub struct DataPage<'a> {
    /// The next page of the level.
    pub right: Option<u32>,
    bound: Tid,
    /// What is on the page.
    pub content: DataContent<'a>,
}

/// What is on a page of a posting tree.
#[derive(Debug)]
pub enum DataContent<'a> {
    Inner(Children<'a>),
    Leaf(LeafItems<'a>),
    /// The page has no items. Its right link still leads on.
    Deleted,
}

/// The children of an inner page.
#[derive(Debug, Clone, Copy)]
pub struct Children<'a>(&'a [u8]);

/// The items of a leaf page.
#[derive(Debug, Clone, Copy)]
pub struct LeafItems<'a> {
    compressed: bool,
    bytes: &'a [u8],
}

impl DataPage<'_> {
    /// Reads a page of a posting tree.
    #[inline]
    pub fn parse(page: &Block) -> Parsed<DataPage<'_>> {
        const TOO_LONG: Damage = Damage("its items do not end within the page");
        let head = PageHeader::parse(page)?;
        // "Before version 9.4, we didn't set pd_lower on data pages" (ginblock.h). So pd_lower is
        // certain only on compressed leaf pages.
        let upto = |end: usize| page.get(START..end).filter(|_| end <= SPECIAL).ok_or(TOO_LONG);
        let content = match head.kind {
            PageKind::DataInner => {
                let items = upto(START + head.maxoff * CHILD)?;
                if items.is_empty() {
                    return Err(Damage("it has no children"));
                }
                DataContent::Inner(Children(items))
            }
            PageKind::DataLeaf { compressed: true } => {
                DataContent::Leaf(LeafItems { compressed: true, bytes: upto(head.lower)? })
            }
            PageKind::DataLeaf { compressed: false } => DataContent::Leaf(LeafItems {
                compressed: false,
                bytes: upto(START + head.maxoff * ITEM)?,
            }),
            PageKind::DataDeleted => DataContent::Deleted,
            _ => return Err(Damage("it is not a page of a posting tree")),
        };
        Ok(DataPage { right: head.right, bound: DataPage::bound(page), content })
    }

    /// The right bound: no item of the page is greater, and all items on the pages to its right
    /// are. It has no meaning on the rightmost page.
    #[inline]
    pub fn bound(page: &Block) -> Tid {
        Tid::read(&page[CONTENTS..])
    }

    /// The summary of a leaf page.
    pub fn summary(&self) -> Parsed<PageSummary> {
        let DataContent::Leaf(items) = self.content else { return Err(Damage("it is no leaf")) };
        let first = if items.bytes.len() < ITEM { u32::MAX } else { block_at(items.bytes, 0) };
        let last = self.right.map_or(u32::MAX, |_| self.bound.block);
        let (items, right) = (items.count()? as u32, self.right);
        Ok(PageSummary { first, last, items, entries: 0, filled: 0, right })
    }
}

impl Children<'_> {
    /// How many children there are.
    pub fn len(&self) -> usize {
        self.0.len() / CHILD
    }

    /// The block of a child. Children are counted from 0.
    pub fn get(&self, index: usize) -> u32 {
        block_at(self.0, index * CHILD)
    }
}

impl LeafItems<'_> {
    /// The items that some bytes hold.
    #[cfg(test)]
    pub fn new(compressed: bool, bytes: &[u8]) -> LeafItems<'_> {
        LeafItems { compressed, bytes }
    }

    /// Hands the items to the sink, in ascending order. All are greater than `last`, which becomes
    /// the last of them, or an item before it.
    #[inline]
    pub fn for_each(&self, last: &mut u64, sink: &mut impl Sink) -> Parsed<()> {
        if self.compressed {
            posting_list::segments(self.bytes, last, sink)?;
        } else {
            posting_list::plain(self.bytes, last, sink)?;
        }
        Ok(())
    }

    /// How many bytes they take.
    pub fn len_in_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many items there are.
    pub fn count(&self) -> Parsed<usize> {
        if self.compressed {
            posting_list::count_segments(self.bytes)
        } else {
            Ok(self.bytes.len() / ITEM)
        }
    }
}
