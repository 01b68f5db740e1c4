//! The state of the node: what the server knows of it, and what Rust owns.

use super::heap_pages::HeapPages;
use super::result::{ScanResult, ScanTarget};
use crate::executor::ReadStats;
use pgrx::pg_sys;

/// The state of the node, as the server knows it.
#[repr(C)]
pub struct LuceneScanState {
    pub custom: pg_sys::CustomScanState,
    /// How many empty rows are still to be handed out.
    pub left: u64,
    /// An empty row.
    pub empty: *mut pg_sys::TupleTableSlot,
    /// Whether it is handed out as it is: nothing is computed from it.
    pub returns_empty_slot: bool,
    pub scan: *mut Scan,
}

/// What Rust owns of it: memory alone, freed when the query's memory context is, be it after an error.
pub struct Scan {
    pub target: ScanTarget,
    /// The queries, and the conditions that they belong to.
    pub queries: Vec<*mut pg_sys::ExprState>,
    pub conditions: *mut pg_sys::ExprState,
    /// What else a row must meet where rows are hidden; null for nothing.
    pub others: *mut pg_sys::ExprState,
    /// The queries' texts, and their answer; none before they were current_queries, or since they may have changed.
    pub current_queries: Option<Vec<Vec<u8>>>,
    pub is_current: bool,
    pub result: ScanResult,
    /// What answers before this one took.
    pub earlier: ReadStats,
    pub pages: HeapPages,
    /// Rows that turned out not to match.
    pub removed: u64,
}

impl Scan {
    /// What all answers took: of a scan that is begun again, with other queries, there are several.
    pub fn read_stats(&self) -> ReadStats {
        let mut counts = self.earlier;
        counts += self.result.read_stats();
        counts
    }

    /// Ends what the server has to do with it.
    pub fn close(&mut self) {
        self.pages.release();
        self.earlier = self.read_stats();
        std::mem::replace(&mut self.result, ScanResult::none()).close();
    }
}

/// # Safety
/// The state must be one of `create`, begun.
pub unsafe fn scan_of<'a>(node: *mut pg_sys::CustomScanState) -> &'a mut Scan {
    // SAFETY: as `begin` has left it. The server runs one function of a node at a time.
    unsafe { &mut *(*node.cast::<LuceneScanState>()).scan }
}
