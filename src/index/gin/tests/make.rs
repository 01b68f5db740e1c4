//! Makes posting lists and pages, as PostgreSQL does.

use super::super::bytes::{BLCKSZ, Block};
use super::super::page::SPECIAL;
use super::super::posting_list::Tid;

/// An ItemPointerData.
pub fn item(tid: Tid) -> Vec<u8> {
    let halves = [(tid.block >> 16) as u16, tid.block as u16, tid.offset];
    halves.iter().flat_map(|half| half.to_ne_bytes()).collect()
}

/// A GinPostingList.
pub fn pack(tids: &[Tid]) -> Vec<u8> {
    let mut packed = Vec::new();
    for pair in tids.windows(2) {
        let mut delta = pair[1].to_integer() - pair[0].to_integer();
        while delta > 0x7f {
            packed.push(0x80 | (delta & 0x7f) as u8);
            delta >>= 7;
        }
        packed.push(delta as u8);
    }
    let mut list = item(tids[0]);
    list.extend((packed.len() as u16).to_ne_bytes());
    packed.resize(packed.len().next_multiple_of(2), 0);
    list.extend(packed);
    list
}

/// Makes a page of contents that start behind its header, and of what its special space says.
pub fn page(contents: &[u8], lower: usize, flags: u16, maxoff: u16) -> Box<Block> {
    let mut page = Box::new([0; BLCKSZ]);
    page[24..24 + contents.len()].copy_from_slice(contents);
    let mut put = |at: usize, value: u16| page[at..at + 2].copy_from_slice(&value.to_ne_bytes());
    put(12, lower as u16);
    put(14, SPECIAL as u16);
    put(16, SPECIAL as u16);
    put(18, BLCKSZ as u16 | 4);
    put(SPECIAL, 0xffff);
    put(SPECIAL + 2, 0xffff);
    put(SPECIAL + 4, maxoff);
    put(SPECIAL + 6, flags);
    page
}

/// An entry tree's leaf with these keys, each of which has these rows.
pub fn entry_leaf(keys: &[Vec<u8>], tids: &[Tid]) -> Box<Block> {
    let mut leaf = page(&[], 24 + 4 * keys.len(), 2, 0);
    let mut end = SPECIAL;
    for (number, key) in keys.iter().enumerate() {
        let mut tuple = vec![0; 8];
        tuple.push((key.len() as u8 + 1) << 1 | 1);
        tuple.extend(key);
        tuple.resize(tuple.len().next_multiple_of(8), 0);
        let offset = tuple.len();
        tuple.extend(pack(tids));
        tuple.resize(tuple.len().next_multiple_of(8), 0);
        let head = Tid { block: offset as u32 | 1 << 31, offset: tids.len() as u16 };
        tuple[..6].copy_from_slice(&item(head));
        let size = tuple.len() as u16 | 0x4000;
        tuple[6..8].copy_from_slice(&size.to_ne_bytes());
        end -= tuple.len();
        leaf[end..end + tuple.len()].copy_from_slice(&tuple);
        let pointer = end as u32 | 1 << 15 | (tuple.len() as u32) << 17;
        leaf[24 + 4 * number..][..4].copy_from_slice(&pointer.to_ne_bytes());
    }
    leaf
}
