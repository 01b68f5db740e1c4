//! What every GIN page has, and the tuples on the pages of the entry tree and of the pending list
//! (bufpage.h, itup.h, ginblock.h). Pure functions over bytes that may be damaged: they return
//! [`Damage`] and never panic.

use super::bytes::{BLCKSZ, Block, Damage, Parsed, block_at, u16_at, u32_at};
use super::posting_list::PostingList;
use pgrx::pg_sys;

/// SizeOfPageHeaderData, which is aligned.
const HEADER: usize = 24;
/// MAXALIGN(sizeof(GinPageOpaqueData))
const OPAQUE: usize = 8;
/// Where a page's contents end, and its GinPageOpaqueData starts, in bytes.
pub const SPECIAL: usize = BLCKSZ - OPAQUE;
/// Where contents start that are not line pointers (PageGetContents), in bytes.
pub const CONTENTS: usize = HEADER;

const DATA: u16 = 1 << 0;
const LEAF: u16 = 1 << 1;
const DELETED: u16 = 1 << 2;
const META: u16 = 1 << 3;
const LIST: u16 = 1 << 4;
const COMPRESSED: u16 = 1 << 7;

/// What a page is for, and where it is in its level or list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageHeader {
    /// What the page is for.
    pub kind: PageKind,
    /// The next page of the level or list. None at its end.
    pub right: Option<u32>,
    /// pd_lower: where the line pointers end, or the compressed posting lists.
    pub lower: usize,
    /// The number of PostingItems (inner) or uncompressed items (leaf) of a posting tree's page.
    pub maxoff: usize,
}

/// What a page is for, from its flags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PageKind {
    Meta,
    EntryInner,
    EntryLeaf,
    DataInner,
    DataLeaf {
        compressed: bool,
    },
    /// A deleted page of a posting tree. Its right link still leads on.
    DataDeleted,
    List,
}

impl PageHeader {
    #[inline]
    pub fn parse(page: &Block) -> Parsed<PageHeader> {
        let lower = usize::from(u16_at(page, 12));
        if usize::from(u16_at(page, 16)) != SPECIAL || u16_at(page, 18) & 0xff00 != BLCKSZ as u16 {
            return Err(Damage("it is not a page of a GIN index"));
        }
        let flags = u16_at(page, SPECIAL + 6);
        let kind = match flags & (DATA | LEAF | DELETED | META | LIST) {
            META => PageKind::Meta,
            LIST => PageKind::List,
            0 => PageKind::EntryInner,
            LEAF => PageKind::EntryLeaf,
            DATA => PageKind::DataInner,
            f if f == DATA | LEAF => PageKind::DataLeaf { compressed: flags & COMPRESSED != 0 },
            f if f & !LEAF == DATA | DELETED => PageKind::DataDeleted,
            _ => return Err(Damage("its flags contradict one another")),
        };
        let right = u32_at(page, SPECIAL);
        Ok(PageHeader {
            kind,
            right: (right != pg_sys::InvalidBlockNumber).then_some(right),
            lower,
            maxoff: usize::from(u16_at(page, SPECIAL + 4)),
        })
    }

    /// The part of the page with the tuples, from pd_upper on.
    pub fn used<'p>(&self, page: &'p Block) -> &'p [u8] {
        page.get(usize::from(u16_at(page, 14))..).unwrap_or_default()
    }

    /// How many line pointers there are.
    #[inline]
    pub fn tuples(&self) -> Parsed<usize> {
        if (HEADER..=SPECIAL).contains(&self.lower) {
            Ok((self.lower - HEADER) / 4)
        } else {
            Err(Damage("its line pointers do not end within the page"))
        }
    }

    /// The head of the pending list, from the metapage.
    pub fn pending_head(&self, page: &Block) -> Parsed<Option<u32>> {
        if self.kind != PageKind::Meta {
            return Err(Damage("it is not the metapage"));
        }
        let head = u32_at(page, CONTENTS);
        Ok((head != pg_sys::InvalidBlockNumber).then_some(head))
    }

    /// How many pages the pending list has, from the metapage (GinMetaPageData: nPendingPages).
    pub fn pending_pages(&self, page: &Block) -> Parsed<usize> {
        if self.kind != PageKind::Meta {
            return Err(Damage("it is not the metapage"));
        }
        Ok(u32_at(page, CONTENTS + 12) as usize)
    }
}

/// An index tuple.
#[derive(Clone, Copy)]
pub struct Tuple<'a>(&'a [u8]);

/// An entry's key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EntryKey<'a> {
    Plain(&'a [u8]),
    /// A varlena that index_form_tuple has compressed, as it does with keys of more than a
    /// sixteenth of a page.
    Compressed(&'a [u8]),
    /// An entry for rows without a key, or with a null one. They sort after all keys.
    Placeholder,
}

/// What a leaf entry says of the rows that have its key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EntryContent<'a> {
    List(PostingList<'a>),
    /// The root page of a posting tree.
    Tree(u32),
}

/// sizeof(IndexTupleData), which is aligned.
const TUPLE_HEADER: usize = 8;
const TUPLE_SIZE: u16 = 0x1fff;
const TUPLE_HAS_NULLS: u16 = 0x8000;
/// GIN_TREE_POSTING
const TREE_POSTING: u16 = 0xffff;
/// GIN_ITUP_COMPRESSED
const LIST_COMPRESSED: u32 = 1 << 31;

impl<'a> Tuple<'a> {
    /// The tuple of a line pointer. Line pointers are counted from 0.
    #[inline(always)]
    pub fn at(page: &'a Block, index: usize) -> Parsed<Tuple<'a>> {
        const LP_NORMAL: u32 = 1;
        let pointer = u32_at(page, HEADER + 4 * index);
        let start = (pointer & 0x7fff) as usize;
        let length = (pointer >> 17) as usize;
        let bytes = match page.get(start..start + length) {
            Some(bytes) if pointer >> 15 & 3 == LP_NORMAL && length >= TUPLE_HEADER => bytes,
            _ => return Err(Damage("a line pointer leads nowhere")),
        };
        match bytes.get(..usize::from(u16_at(bytes, 6) & TUPLE_SIZE)) {
            Some(tuple) if tuple.len() > TUPLE_HEADER => Ok(Tuple(tuple)),
            _ => Err(Damage("a tuple does not have the size that it says")),
        }
    }

    #[inline(always)]
    pub fn key(&self) -> Parsed<EntryKey<'a>> {
        if u16_at(self.0, 6) & TUPLE_HAS_NULLS != 0 {
            return Ok(EntryKey::Placeholder);
        }
        // A varlena (varatt.h). In a tuple's first column it lies right behind the header.
        const TOO_LONG: Damage = Damage("a key does not end within its tuple");
        let datum = &self.0[TUPLE_HEADER..];
        let header = datum[0];
        if header & 1 == 1 {
            // The length, including this byte, is in one byte. 0 would be a pointer to a TOAST
            // table.
            return match datum.get(1..usize::from(header >> 1)) {
                Some(key) => Ok(EntryKey::Plain(key)),
                None => Err(TOO_LONG),
            };
        }
        let datum = datum.get(..(u32_at(datum, 0) >> 2) as usize).ok_or(TOO_LONG)?;
        match datum.get(4..) {
            Some(key) if header & 3 == 0 => Ok(EntryKey::Plain(key)),
            Some(rest) if rest.len() > 4 => Ok(EntryKey::Compressed(datum)),
            _ => Err(Damage("a key is shorter than its header")),
        }
    }

    /// t_tid as it is stored: in the pending list it is the row of the entry.
    #[inline(always)]
    pub fn tid(&self) -> (u32, u16) {
        (block_at(self.0, 0), u16_at(self.0, 4))
    }

    /// The page one level below. Only tuples of inner pages have one.
    #[inline]
    pub fn downlink(&self) -> u32 {
        self.tid().0
    }

    /// What a leaf entry says of its rows.
    #[inline(always)]
    pub fn content(&self) -> Parsed<EntryContent<'a>> {
        let (place, count) = self.tid();
        if count == TREE_POSTING {
            return Ok(EntryContent::Tree(place));
        }
        match self.0.get((place & !LIST_COMPRESSED) as usize..) {
            Some(bytes) => Ok(EntryContent::List(PostingList {
                count,
                compressed: place & LIST_COMPRESSED != 0,
                bytes,
            })),
            None => Err(Damage("a posting list does not start within its tuple")),
        }
    }
}

/// The content of a leaf's tuple, as [`Tuple::at`] and [`Tuple::content`] read it, but with as few
/// checks as possible. Where values are distinct, this alone decides how fast a range is read.
#[inline(always)]
pub fn content(page: &Block, index: usize) -> Parsed<EntryContent<'_>> {
    const LP_NORMAL: u32 = 1;
    let pointer = u32_at(page, HEADER + 4 * index);
    let start = (pointer & 0x7fff) as usize;
    let header: Option<&[u8; TUPLE_HEADER]> = page.get(start..).and_then(|rest| rest.first_chunk());
    let (Some(header), LP_NORMAL) = (header, pointer >> 15 & 3) else {
        return Err(Damage("a line pointer leads nowhere"));
    };
    let header = u64::from_le_bytes(*header);
    let (place, count) = ((header as u32).rotate_left(16), (header >> 32) as u16);
    if count == TREE_POSTING {
        return Ok(EntryContent::Tree(place));
    }
    let list = start + (place & !LIST_COMPRESSED) as usize;
    let end = start + usize::from((header >> 48) as u16 & TUPLE_SIZE);
    match page.get(list..end) {
        Some(bytes) => Ok(EntryContent::List(PostingList {
            count,
            compressed: place & LIST_COMPRESSED != 0,
            bytes,
        })),
        None => Err(Damage("a posting list does not start within its tuple")),
    }
}
