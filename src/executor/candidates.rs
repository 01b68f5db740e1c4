//! The rows that a search found, for whoever looks them up himself.

use super::search::{IndexSearch, ReadStats};
use super::table::IndexedTable;
use super::tid_bitmap::DocIdMap;
use crate::error::Result;
use crate::index::gin::Tid;
use crate::predicate::Predicate;

/// A row that may match, if it is visible.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    pub tid: Tid,
    /// Whether its document has to be looked at.
    pub recheck: bool,
}

/// Goes through the rows of one table, in their order there. It holds nothing of the server's.
pub struct CandidateScan {
    search: IndexSearch,
    /// The least number that comes next; none behind the last one.
    next: Option<u32>,
}

impl CandidateScan {
    /// None where the table is too large for its rows to have numbers.
    pub fn new(part: IndexedTable, predicate: &Predicate) -> Result<Option<CandidateScan>> {
        let search = IndexSearch::new(&[part], predicate)?;
        Ok(search.map(|search| CandidateScan { search, next: Some(0) }))
    }

    /// Appends up to `most` rows, none at the end.
    pub fn take(&mut self, most: usize, candidates: &mut Vec<Candidate>) -> Result<()> {
        let (Some(next), Some(rows)) = (self.next, self.search.rows.first_mut()) else {
            return Ok(());
        };
        let doc_ids: DocIdMap = rows.doc_ids;
        if rows.candidates.is_none() {
            for _ in 0..most {
                let found = match self.next {
                    Some(from) => rows.next(from)?,
                    None => None,
                };
                self.next = found.and_then(|number| number.checked_add(1));
                let Some(number) = found else { return Ok(()) };
                candidates.push(Candidate { tid: doc_ids.tid(number), recheck: false });
            }
            return Ok(());
        }
        let recheck = &rows.recheck;
        let all_sure = recheck.is_empty();
        let mut last = None;
        for number in
            rows.candidates.iter().flat_map(|candidates| candidates.range(next..)).take(most)
        {
            let recheck = !all_sure && recheck.contains(number);
            candidates.push(Candidate { tid: doc_ids.tid(number), recheck });
            last = Some(number);
        }
        self.next = last.and_then(|last| last.checked_add(1));
        Ok(())
    }

    /// Starts again with the first row.
    pub fn restart(&mut self) {
        self.next = Some(0);
    }

    pub fn counts(&self) -> ReadStats {
        self.search.counts
    }
}
