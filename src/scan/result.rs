//! What the executor answers for a table: how many rows match, or which.

use crate::error::Result;
use crate::executor::{
    Active, CandidateScan, Findings, IndexSearch, IndexedTable, ReadStats, RowTest, TestedScan,
};
use crate::index::query_type;
use crate::predicate::Predicate;
use pgrx::pg_sys;

/// The table and its index, both open as long as the plan runs, and the snapshot.
#[derive(Clone, Copy)]
pub struct ScanTarget {
    pub indexed: IndexedTable,
    pub relation: pg_sys::Relation,
    /// Null if the plan is only explained.
    pub index: pg_sys::Relation,
    pub snapshot: pg_sys::Snapshot,
    /// Whether only the number of rows is needed.
    pub is_counted: bool,
}

pub enum ScanResult {
    Counted(u64, ReadStats),
    Rows(Box<CandidateScan>),
    /// The whole table has to be read and rechecked, because it is too large for document ids.
    Unknown(pg_sys::TableScanDesc),
}

impl ScanTarget {
    /// Returns the rows that match all of some queries.
    pub fn execute_all(&self, queries: &[Vec<u8>]) -> Result<ScanResult> {
        let predicates: Vec<_> = queries.iter().map(|query| query_type::predicate(query)).collect();
        match predicates.as_slice() {
            [predicate] => self.execute(predicate),
            all => self.execute(&Predicate::all_of(all.iter().map(|part| (**part).clone()))),
        }
    }

    /// Returns the rows that match all of some queries and have to be tested, and what is known of
    /// the others. `necessary` are queries that all rows match which pass the test.
    pub fn execute_tested(
        &self,
        queries: &[Vec<u8>],
        identity: Vec<u8>,
        necessary: &[Vec<u8>],
    ) -> Result<(ScanResult, u64, Option<Findings>)> {
        let all_of = |queries: &[Vec<u8>]| {
            Predicate::all_of(queries.iter().map(|query| (*query_type::predicate(query)).clone()))
        };
        let (predicate, necessary) =
            (all_of(queries), (!necessary.is_empty()).then(|| all_of(necessary)));
        // SAFETY: the snapshot is registered as long as the plan runs.
        let _active = unsafe { Active::push(self.snapshot) };
        let test = RowTest { identity, necessary: necessary.as_ref() };
        Ok(match TestedScan::new(self.indexed, &predicate, &test)? {
            Some(TestedScan { candidates, passing, findings }) => {
                (ScanResult::Rows(candidates.into()), passing, findings)
            }
            None => (self.read_table(), 0, None),
        })
    }

    /// Remembers what a test says of rows.
    pub fn remember(&self, findings: Findings) -> Result<()> {
        // SAFETY: the snapshot is registered as long as the plan runs.
        let _active = unsafe { Active::push(self.snapshot) };
        findings.remember()
    }

    fn execute(&self, predicate: &Predicate) -> Result<ScanResult> {
        // SAFETY: the snapshot is registered as long as the plan runs.
        let _active = unsafe { Active::push(self.snapshot) };
        if self.is_counted {
            if let Some(found) = IndexSearch::first(&[self.indexed], predicate, 0)? {
                return Ok(ScanResult::Counted(found.len(), found.stats));
            }
        } else if let Some(candidates) = CandidateScan::new(self.indexed, predicate)? {
            return Ok(ScanResult::Rows(candidates.into()));
        }
        Ok(self.read_table())
    }

    fn read_table(&self) -> ScanResult {
        // SAFETY: the relation is open and the snapshot registered as long as the plan runs.
        ScanResult::Unknown(unsafe {
            pg_sys::table_beginscan(self.relation, self.snapshot, 0, std::ptr::null_mut())
        })
    }
}

impl ScanResult {
    pub fn none() -> ScanResult {
        ScanResult::Counted(0, ReadStats::default())
    }

    /// Starts again with the first row.
    pub fn restart(&mut self) {
        match self {
            ScanResult::Counted(..) => {}
            ScanResult::Rows(candidates) => candidates.restart(),
            // SAFETY: `execute` has begun this scan, and `close` consumes it.
            ScanResult::Unknown(scan) => unsafe {
                pg_sys::table_rescan(*scan, std::ptr::null_mut())
            },
        }
    }

    pub fn close(self) {
        if let ScanResult::Unknown(scan) = self {
            // SAFETY: `execute` has begun this scan, and this consumes it.
            unsafe { pg_sys::table_endscan(scan) };
        }
    }

    /// What the answer took.
    pub fn read_stats(&self) -> ReadStats {
        match self {
            ScanResult::Counted(_, stats) => *stats,
            ScanResult::Rows(candidates) => candidates.stats(),
            ScanResult::Unknown(_) => ReadStats::default(),
        }
    }
}
