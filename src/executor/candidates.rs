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
    pub is_unsure: bool,
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
        let numbering: DocIdMap = rows.numbering;
        if rows.any.is_none() {
            for _ in 0..most {
                let found = match self.next {
                    Some(from) => rows.next(from)?,
                    None => None,
                };
                self.next = found.and_then(|number| number.checked_add(1));
                let Some(number) = found else { return Ok(()) };
                candidates.push(Candidate { tid: numbering.tid(number), is_unsure: false });
            }
            return Ok(());
        }
        let unsure = &rows.unsure;
        let all_sure = unsure.is_empty();
        let mut last = None;
        for number in rows.any.iter().flat_map(|any| any.range(next..)).take(most) {
            let is_unsure = !all_sure && unsure.contains(number);
            candidates.push(Candidate { tid: numbering.tid(number), is_unsure });
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
