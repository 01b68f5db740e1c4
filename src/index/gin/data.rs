//! The pages of a posting tree: "a B-tree structure, where the ItemPointer is used as the key" (README). Pure functions.

use super::bytes::{Block, Damage, Parsed, block_at};
use super::page::{CONTENTS, PageHeader, PageKind, SPECIAL};
use super::page_summary::PageSummary;
use super::posting_list::{self, ITEM, Sink, Tid};

/// GinDataPageGetData: behind the page's right bound, MAXALIGN(sizeof(ItemPointerData)) bytes long.
const START: usize = CONTENTS + 8;
/// sizeof(PostingItem): the child's block, and the child's right bound.
const CHILD: usize = 4 + ITEM;

/// A page of a posting tree.
#[derive(Debug)]
pub struct DataPage<'a> {
    pub right: Option<u32>,
    bound: Tid,
    pub content: DataContent<'a>,
}

#[derive(Debug)]
pub enum DataContent<'a> {
    Inner(Children<'a>),
    Leaf(LeafItems<'a>),
    /// Nothing is on it; the right link still leads on.
    Deleted,
}

#[derive(Debug, Clone, Copy)]
pub struct Children<'a>(&'a [u8]);

#[derive(Debug, Clone, Copy)]
pub struct LeafItems<'a> {
    compressed: bool,
    bytes: &'a [u8],
}

impl DataPage<'_> {
    #[inline]
    pub fn parse(page: &Block) -> Parsed<DataPage<'_>> {
        const TOO_LONG: Damage = Damage("its items do not end within the page");
        let head = PageHeader::parse(page)?;
        // "Before version 9.4, we didn't set pd_lower on data pages" (ginblock.h): only compressed leaves have it for sure.
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

    /// Not less than any item of the page, and less than any of the pages to its right; of no meaning if there are none.
    #[inline]
    pub fn bound(page: &Block) -> Tid {
        Tid::read(&page[CONTENTS..])
    }

    /// Of a leaf.
    pub fn summary(&self) -> Parsed<PageSummary> {
        let DataContent::Leaf(items) = self.content else { return Err(Damage("it is no leaf")) };
        let first = if items.bytes.len() < ITEM { u32::MAX } else { block_at(items.bytes, 0) };
        let last = self.right.map_or(u32::MAX, |_| self.bound.block);
        let (items, right) = (items.count()? as u32, self.right);
        Ok(PageSummary { first, last, items, entries: 0, right })
    }
}

impl Children<'_> {
    pub fn len(&self) -> usize {
        self.0.len() / CHILD
    }

    /// The block of a child, by its number from 0.
    pub fn get(&self, index: usize) -> u32 {
        block_at(self.0, index * CHILD)
    }
}

impl LeafItems<'_> {
    /// The items in ascending order, all greater than `last`, which becomes the last of them, or one before it.
    #[inline]
    pub fn for_each(&self, last: &mut u64, sink: &mut impl Sink) -> Parsed<()> {
        if self.compressed {
            posting_list::segments(self.bytes, last, sink)?;
        } else {
            posting_list::plain(self.bytes, last, sink)?;
        }
        Ok(())
    }

    pub fn count(&self) -> Parsed<usize> {
        if self.compressed {
            posting_list::count_segments(self.bytes)
        } else {
            Ok(self.bytes.len() / ITEM)
        }
    }
}
