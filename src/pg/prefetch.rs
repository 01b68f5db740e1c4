//! Fetching pages of the buffer cache into the cache of the CPU.

use pgrx::pg_sys;

/// Fetches a shared buffer's descriptor and the beginning of its page, which has the LSN. A walk
/// over many pages spends most of its time on waiting for those.
#[inline]
pub fn prefetch(buffer: pg_sys::Buffer) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the addresses are computed only: the buffer is or was a shared one, and those stay where
    // they are.
    unsafe {
        prefetch_line(pg_sys::BufferGetPage(buffer).cast());
        prefetch_line(pg_sys::BufferDescriptors.wrapping_add(buffer as usize - 1).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = buffer;
}

/// Fetches the cache line of an address.
#[inline]
pub fn prefetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching is a hint to the CPU that reads nothing and cannot fault.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
