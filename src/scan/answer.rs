//! What the executor answers of a table: how many rows, or which.

use crate::error::Result;
use crate::executor::{Active, Counts, Part, Search, Steps};
use crate::index::operator;
use crate::predicate::Predicate;
use crate::versions;
use pgrx::pg_sys;

/// The table that is asked and its index, both open for as long as the plan runs, and with which snapshot.
#[derive(Clone, Copy)]
pub struct Table {
    pub part: Part,
    pub relation: pg_sys::Relation,
    /// Null where the plan is only to be explained.
    pub index: pg_sys::Relation,
    pub snapshot: pg_sys::Snapshot,
    /// Whether the number of rows is all that is wanted.
    pub is_counted: bool,
}

pub enum Answer {
    Counted(u64, Counts),
    Rows(Box<Steps>),
    /// The table has to be read: it is too large for its rows to have numbers.
    Unknown(pg_sys::TableScanDesc),
}

impl Table {
    /// The rows that match all of some queries.
    pub fn answer(&self, queries: &[Vec<u8>]) -> Result<Answer> {
        let predicates: Vec<_> = queries.iter().map(|query| operator::predicate(query)).collect();
        match predicates.as_slice() {
            [predicate] => self.find(predicate),
            all => self.find(&Predicate::all_of(all.iter().map(|part| (**part).clone()))),
        }
    }

    fn find(&self, predicate: &Predicate) -> Result<Answer> {
        // SAFETY: the snapshot is registered and the index open for as long as the plan runs.
        let _active = unsafe {
            versions::count_scan(self.index);
            Active::push(self.snapshot)
        };
        if self.is_counted {
            if let Some(found) = Search::first(&[self.part], predicate, 0)? {
                return Ok(Answer::Counted(found.len(), found.counts));
            }
        } else if let Some(steps) = Steps::new(self.part, predicate)? {
            return Ok(Answer::Rows(steps.into()));
        }
        // SAFETY: as above; and the relation is open.
        Ok(Answer::Unknown(unsafe {
            pg_sys::table_beginscan(self.relation, self.snapshot, 0, std::ptr::null_mut())
        }))
    }
}

impl Answer {
    pub fn none() -> Answer {
        Answer::Counted(0, Counts::default())
    }

    /// Begins again with the first row.
    pub fn restart(&mut self) {
        match self {
            Answer::Counted(..) => {}
            Answer::Rows(steps) => steps.restart(),
            // SAFETY: begun in `find`.
            Answer::Unknown(scan) => unsafe { pg_sys::table_rescan(*scan, std::ptr::null_mut()) },
        }
    }

    pub fn close(self) {
        if let Answer::Unknown(scan) = self {
            // SAFETY: as above.
            unsafe { pg_sys::table_endscan(scan) };
        }
    }

    /// What it took.
    pub fn counts(&self) -> Counts {
        match self {
            Answer::Counted(_, counts) => *counts,
            Answer::Rows(steps) => steps.counts(),
            Answer::Unknown(_) => Counts::default(),
        }
    }
}
