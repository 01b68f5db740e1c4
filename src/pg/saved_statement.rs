//! Prepared statements that are saved for later calls of the session.
//!
//! PostgreSQL keeps a saved plan right by itself: it is analysed and planned anew once a relation, a
//! type or a schema that it depends on has changed, or the role, where row-level security depends on
//! it (plancache.c, RevalidateCachedQuery). Names in it are looked up again then, so a statement is
//! known by its text, and not by the OID of its table.

use super::spi::Mode;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;

/// So many stay, those used last. Each takes some ten kilobytes of the session's memory.
const SAVED_STATEMENTS: usize = 32;

/// A plan of SPI's, freed once nobody uses it any more. A trigger may run a statement that is being
/// run, or so many others that it is no longer saved.
pub struct SavedPlan(pg_sys::SPIPlanPtr);

impl SavedPlan {
    pub fn pointer(&self) -> pg_sys::SPIPlanPtr {
        self.0
    }
}

impl Drop for SavedPlan {
    fn drop(&mut self) {
        // SAFETY: a plan that `save` made sure of outliving its connection, and that only this frees.
        unsafe { pg_sys::SPI_freeplan(self.0) };
    }
}

struct SavedStatement {
    mode: Mode,
    sql: String,
    plan: Rc<SavedPlan>,
}

thread_local! {
    /// The one used last stands at the end. Never dropped: when the process ends, it is too late to
    /// call PostgreSQL.
    static SAVED: ManuallyDrop<RefCell<Vec<SavedStatement>>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

pub fn find(mode: Mode, sql: &str) -> Option<Rc<SavedPlan>> {
    SAVED.with(|saved| {
        let mut saved = saved.borrow_mut();
        let at = saved.iter().rposition(|saved| saved.mode == mode && saved.sql == sql)?;
        saved[at..].rotate_left(1);
        saved.last().map(|saved| saved.plan.clone())
    })
}

/// Saves a plan of the current connection to SPI.
pub fn save(mode: Mode, sql: &str, plan: pg_sys::SPIPlanPtr) -> Rc<SavedPlan> {
    // SAFETY: a plan that was just prepared (spi.sgml, SPI_keepplan).
    unsafe { pg_sys::SPI_keepplan(plan) };
    let plan = Rc::new(SavedPlan(plan));
    let statement = SavedStatement { mode, sql: sql.to_string(), plan: plan.clone() };
    SAVED.with(|saved| {
        let mut saved = saved.borrow_mut();
        if saved.len() >= SAVED_STATEMENTS {
            saved.remove(0);
        }
        saved.push(statement);
    });
    plan
}
