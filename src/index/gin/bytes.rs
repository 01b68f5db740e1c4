//! A page as bytes, how numbers are read from it, and what is said when they make no sense.

use pgrx::pg_sys;

// Line pointers and varlena headers are bit fields, whose order follows the machine's.
const _: () = assert!(cfg!(target_endian = "little"), "written for little-endian machines");

pub const BLCKSZ: usize = pg_sys::BLCKSZ as usize;

/// A page's bytes.
pub type Block = [u8; BLCKSZ];

/// What is wrong with a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Damage(pub &'static str);

pub type Parsed<T> = std::result::Result<T, Damage>;

/// The two bytes at a place that is known to be in the slice; 0 beyond it, which keeps this free of panics.
#[inline(always)]
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |chunk| u16::from_ne_bytes(*chunk))
}

/// As [`u16_at`].
#[inline(always)]
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |chunk| u32::from_ne_bytes(*chunk))
}

/// A BlockIdData: two halves, the high one first, so that it needs an alignment of two bytes only.
#[inline(always)]
pub fn block_at(bytes: &[u8], at: usize) -> u32 {
    u32_at(bytes, at).rotate_left(16)
}

/// PageGetLSN, whatever its order of bytes.
pub fn lsn(page: &Block) -> u64 {
    page.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}
