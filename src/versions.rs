//! What differs between PostgreSQL 14 and 18.

use pgrx::pg_sys;

#[cfg(any(feature = "pg14", feature = "pg15"))]
type Locator = pg_sys::RelFileNode;
#[cfg(not(any(feature = "pg14", feature = "pg15")))]
type Locator = pg_sys::RelFileLocator;

unsafe extern "C-unwind" {
    // As pgrx has it, but without a guard around each call.
    fn ReadRecentBuffer(
        relation: Locator,
        fork: pg_sys::ForkNumber::Type,
        block: pg_sys::BlockNumber,
        buffer: pg_sys::Buffer,
    ) -> bool;
}

/// Pins a buffer that had a block of a relation, if it still has.
///
/// # Safety
/// The relation must be open and its buffers shared ones, and the call guarded (pg_guard_ffi_boundary).
pub unsafe fn pin_recent(relation: pg_sys::Relation, block: u32, buffer: pg_sys::Buffer) -> bool {
    // SAFETY: as above.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let locator = (*relation).rd_node;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let locator = (*relation).rd_locator;
        ReadRecentBuffer(locator, pg_sys::ForkNumber::MAIN_FORKNUM, block, buffer)
    }
}

/// Says that the node computes a path's target by itself. Before 15, the planner takes every such node to do so.
pub fn set_projection(_path: &mut pg_sys::CustomPath) {
    #[cfg(not(feature = "pg14"))]
    {
        _path.flags |= pg_sys::CUSTOMPATH_SUPPORT_PROJECTION;
    }
}

/// Counts a scan of an index for pg_stat_user_indexes, as its access method does for PostgreSQL's own scans (pgstat.h:
/// pgstat_count_index_scan).
///
/// # Safety
/// The index must be open.
pub unsafe fn count_scan(index: pg_sys::Relation) {
    // SAFETY: as above; where statistics are kept, the relation has a place for them, or gets one.
    unsafe {
        #[cfg(not(feature = "pg14"))]
        if (*index).pgstat_info.is_null() && (*index).pgstat_enabled {
            pg_sys::pgstat_assoc_relation(index);
        }
        let Some(statistics) = (*index).pgstat_info.as_mut() else { return };
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        {
            statistics.t_counts.t_numscans += 1;
        }
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        {
            statistics.counts.numscans += 1;
        }
    }
}
