//! The setting `session_store.changes_memory`.

use crate::pg::guc::work_mem;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

/// In kB.
static MEMORY: GucSetting<i32> = GucSetting::<i32>::new(16 << 10);

/// Makes the setting known to the server.
pub fn define_settings() {
    GucRegistry::define_int_guc(
        c"session_store.changes_memory",
        c"Sets how much a session remembers of what changed since VACUUM.",
        c"Once for pages that are not all-visible, once for pending lists, a quarter of it for posting lists, an eighth for ranges, and an eighth for bitmaps. 0 remembers nothing.",
        &MEMORY,
        0,
        i32::MAX / 1024,
        GucContext::Userset,
        GucFlags::UNIT_KB,
    );
}

/// Bytes that a session may remember of what changed: once of pages, and once of pending lists.
pub fn changes_memory() -> usize {
    usize::try_from(MEMORY.get()).unwrap_or(0) << 10
}

/// Bytes that a session may remember of the values at paths whose values it counts often.
pub fn values_memory() -> usize {
    match changes_memory() {
        0 => 0,
        bytes => bytes.max(work_mem()),
    }
}

/// Bytes that a session may remember of posting lists as bits. They are small beside what is
/// remembered of changes.
pub fn postings_memory() -> usize {
    changes_memory() / 4
}

/// Bytes that a session may keep for the bitmaps of later queries.
pub fn spare_memory() -> usize {
    changes_memory() / 8
}
