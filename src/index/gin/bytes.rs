//! A page as bytes, how numbers are read from it, and the error that they make no sense.

use pgrx::pg_sys;

// Line pointers and varlena headers are bit fields, whose order follows the machine's.
const _: () = assert!(cfg!(target_endian = "little"), "written for little-endian machines");

/// The size of a page in bytes.
pub const BLCKSZ: usize = pg_sys::BLCKSZ as usize;

/// The bytes of a page.
pub type Block = [u8; BLCKSZ];

/// What is wrong with a damaged page, for the error message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Damage(pub &'static str);

/// What was read from a page, or that it is damaged.
pub type Parsed<T> = std::result::Result<T, Damage>;

/// The number in the two bytes at a place that is known to be in the slice. Beyond it the result is
/// 0, so that damaged pages cannot cause a panic.
#[inline(always)]
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |chunk| u16::from_ne_bytes(*chunk))
}

/// The number in the four bytes at a place. Beyond the slice the result is 0, so that damaged pages
/// cannot cause a panic.
#[inline(always)]
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |chunk| u32::from_ne_bytes(*chunk))
}

/// The block number in a BlockIdData: two halves, the high one first, so that it needs an alignment
/// of two bytes only.
#[inline(always)]
pub fn block_at(bytes: &[u8], at: usize) -> u32 {
    u32_at(bytes, at).rotate_left(16)
}

/// The LSN of a page (PageGetLSN) as one number. Its halves may be swapped: it is only compared for
/// equality.
pub fn lsn(page: &Block) -> u64 {
    page.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}
