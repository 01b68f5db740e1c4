//! The state of the node: the part that the server knows, and the part that Rust owns.

use super::field_test::FieldTests;
use super::heap_pages::HeapPages;
use super::result::{ScanResult, ScanTarget};
use crate::executor::{Findings, ReadStats};
use pgrx::pg_sys;

/// The state of the node as the server knows it. The server's own part comes first.
#[repr(C)]
pub struct LuceneScanState {
    pub custom: pg_sys::CustomScanState,
    /// How many empty rows remain to be returned.
    pub left: u64,
    /// An empty row.
    pub empty: *mut pg_sys::TupleTableSlot,
    /// Whether the empty row is returned as it is, because nothing is computed from it. There may be
    /// conditions in `field_tests`.
    pub returns_empty_slot: bool,
    pub scan: *mut Scan,
}

/// The part that Rust owns. It holds only memory, which is freed with the query's memory context,
/// also after an error.
pub struct Scan {
    pub target: ScanTarget,
    /// The queries, and the conditions that they belong to.
    pub queries: Vec<*mut pg_sys::ExprState>,
    pub conditions: *mut pg_sys::ExprState,
    /// What else a row must satisfy if rows are hidden from the user; null for nothing.
    pub others: *mut pg_sys::ExprState,
    /// The same conditions, if they have a form that can be tested faster.
    pub field_tests: Option<FieldTests>,
    /// Whether rows that `field_tests` decides are only counted.
    pub counts_matches: bool,
    /// The texts of the queries that `result` answers, and the identity of the test if only those
    /// rows are there that have to be tested. None if nothing was run yet, or if a query was null.
    pub current_queries: (Option<Vec<Vec<u8>>>, Option<Vec<u8>>),
    pub is_current: bool,
    pub result: ScanResult,
    /// Rows that match beside those of `result`: what the session remembers of `field_tests`.
    pub passing: u64,
    /// What `field_tests` says of the rows of `result`; none if it is not to be remembered.
    pub findings: Option<Findings>,
    /// What earlier results took.
    pub earlier: ReadStats,
    pub pages: HeapPages,
    /// Rows that were rechecked and did not match.
    pub removed: u64,
}

impl Scan {
    /// What all results took. If a scan is started again with other queries, there are several.
    pub fn read_stats(&self) -> ReadStats {
        let mut counts = self.earlier;
        counts += self.result.read_stats();
        counts
    }

    /// Releases what the server holds for it.
    pub fn close(&mut self) {
        self.pages.release();
        self.earlier = self.read_stats();
        (self.passing, self.findings) = (0, None);
        std::mem::replace(&mut self.result, ScanResult::none()).close();
    }
}

/// # Safety
/// The state must be one of `create` in node.rs, and begun.
pub unsafe fn scan_of<'a>(node: *mut pg_sys::CustomScanState) -> &'a mut Scan {
    // SAFETY: `begin` in node.rs has set `scan`. The server runs one function of a node at a time,
    // so there is no other reference.
    unsafe { &mut *(*node.cast::<LuceneScanState>()).scan }
}
