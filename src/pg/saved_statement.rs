//! Prepared statements that are saved for later calls of the session.
//!
//! PostgreSQL itself keeps a saved plan correct: it analyses and plans the statement again if a
//! relation, type or schema that it depends on has changed, or the role if row-level security depends
//! on it (plancache.c, RevalidateCachedQuery). It then looks names up again, so a statement is found
//! by its text, and not by the OID of its table.

use pgrx::pg_sys;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;

/// How many statements are saved, the last used ones. Each takes about ten kilobytes of the session's
/// memory, so all of them take less than half a megabyte.
const SAVED_STATEMENTS: usize = 32;

/// An SPI plan, which is freed when nobody uses it any more. While it runs, a trigger may run the same
/// statement, or so many others that it is no longer saved.
pub struct SavedPlan(pg_sys::SPIPlanPtr);

impl SavedPlan {
    pub fn pointer(&self) -> pg_sys::SPIPlanPtr {
        self.0
    }
}

impl Drop for SavedPlan {
    fn drop(&mut self) {
        // SAFETY: `save` has made the plan outlive its connection, and only this frees it.
        unsafe { pg_sys::SPI_freeplan(self.0) };
    }
}

struct SavedStatement {
    cursor_options: i32,
    sql: String,
    plan: Rc<SavedPlan>,
}

thread_local! {
    /// The last used statement is at the end. The list is never dropped, because PostgreSQL cannot be
    /// called any more when the process ends.
    static SAVED: ManuallyDrop<RefCell<Vec<SavedStatement>>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// Finds a statement by its text and by the options that it was prepared with.
pub fn find(cursor_options: i32, sql: &str) -> Option<Rc<SavedPlan>> {
    SAVED.with(|saved| {
        let mut saved = saved.borrow_mut();
        let at = saved
            .iter()
            .rposition(|saved| saved.cursor_options == cursor_options && saved.sql == sql)?;
        saved[at..].rotate_left(1);
        saved.last().map(|saved| saved.plan.clone())
    })
}

/// Saves a plan of the current SPI connection.
pub fn save(cursor_options: i32, sql: &str, plan: pg_sys::SPIPlanPtr) -> Rc<SavedPlan> {
    // SAFETY: the plan was prepared in the current connection and is not saved yet (spi.sgml,
    // SPI_keepplan).
    unsafe { pg_sys::SPI_keepplan(plan) };
    let plan = Rc::new(SavedPlan(plan));
    let statement = SavedStatement { cursor_options, sql: sql.to_string(), plan: plan.clone() };
    SAVED.with(|saved| {
        let mut saved = saved.borrow_mut();
        if saved.len() >= SAVED_STATEMENTS {
            saved.remove(0);
        }
        saved.push(statement);
    });
    plan
}
