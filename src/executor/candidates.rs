//! The rows that may match, for callers that look them up themselves.

use super::read_stats::ReadStats;
use super::search::IndexSearch;
use super::table::IndexedTable;
use crate::error::Result;
use crate::index::gin::Tid;
use crate::predicate::Predicate;

/// A row that may match, if it is visible.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Where the row is.
    pub tid: Tid,
    /// Whether its document has to be looked at.
    pub recheck: bool,
}

/// A walk over the candidates of one table, in the order of the table. Between two calls it holds
/// nothing of the server's.
pub struct CandidateScan {
    search: IndexSearch,
    /// The least doc ID that comes next; none behind the last row.
    next: Option<u32>,
}

impl CandidateScan {
    /// None if the table is so large that its rows have no doc IDs.
    pub fn new(table: IndexedTable, predicate: &Predicate) -> Result<Option<CandidateScan>> {
        Ok(IndexSearch::new(&[table], predicate)?.map(CandidateScan::of))
    }

    /// The candidates that a search of one table has found.
    pub(super) fn of(search: IndexSearch) -> CandidateScan {
        CandidateScan { search, next: Some(0) }
    }

    /// Appends the next rows, `most` at most, and none at the end.
    pub fn take(&mut self, most: usize, candidates: &mut Vec<Candidate>) -> Result<()> {
        let (Some(next), Some(matches)) = (self.next, self.search.partitions.first_mut()) else {
            return Ok(());
        };
        let doc_ids = matches.doc_ids;
        let Some(rows) = &matches.candidates else {
            for _ in 0..most {
                let Some(next) = self.next else { return Ok(()) };
                let doc_id = matches.next(next)?;
                self.next = doc_id.and_then(|doc_id| doc_id.checked_add(1));
                let Some(doc_id) = doc_id else { return Ok(()) };
                candidates.push(Candidate { tid: doc_ids.tid(doc_id), recheck: false });
            }
            return Ok(());
        };
        let none_rechecked = matches.recheck.is_empty();
        let mut last = None;
        for doc_id in rows.iter_from(next).take(most) {
            let recheck = !none_rechecked && matches.recheck.contains(doc_id);
            candidates.push(Candidate { tid: doc_ids.tid(doc_id), recheck });
            last = Some(doc_id);
        }
        self.next = last.and_then(|last| last.checked_add(1));
        Ok(())
    }

    /// Starts again with the first row.
    pub fn restart(&mut self) {
        self.next = Some(0);
    }

    /// What was read so far.
    pub fn stats(&self) -> ReadStats {
        self.search.stats
    }
}
