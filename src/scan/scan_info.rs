//! What a plan carries for the node, as PostgreSQL's own nodes, because the server copies plans
//! (copyfuncs.c).

use pgrx::pg_sys;

/// What EXPLAIN calls the node: `Custom Scan (LuceneScan)`.
pub const NAME: &std::ffi::CStr = c"LuceneScan";

/// How a table is read.
#[derive(Clone, Copy)]
pub struct ScanInfo {
    pub index: pg_sys::Oid,
    /// The number of the column that the index is on.
    pub column: i32,
    /// Whether no column is needed, so that rows only have to be counted.
    pub is_counted: bool,
    /// Whether the table has rows that are hidden from the user.
    pub is_guarded: bool,
}

impl ScanInfo {
    pub fn to_list(self) -> *mut pg_sys::List {
        let (is_counted, is_guarded) = (self.is_counted.into(), self.is_guarded.into());
        let numbers = [self.index.to_u32() as i32, self.column, is_counted, is_guarded];
        // SAFETY: the list is null at first, and integers are all that is appended to it.
        numbers
            .into_iter()
            .fold(std::ptr::null_mut(), |list, number| unsafe { pg_sys::lappend_int(list, number) })
    }

    /// # Safety
    /// The plan must be one that `plan` in plan.rs has made.
    pub unsafe fn of(plan: *mut pg_sys::CustomScan) -> ScanInfo {
        // SAFETY: the caller's plan has the numbers of `to_list`, and one more behind them.
        unsafe { ScanInfo::of_list((*plan).custom_private) }
    }

    /// # Safety
    /// The list must begin with the numbers of `to_list`.
    pub unsafe fn of_list(list: *mut pg_sys::List) -> ScanInfo {
        // SAFETY: the caller's list has these numbers.
        let number = |at| unsafe { pg_sys::list_nth_int(list, at) };
        ScanInfo {
            index: pg_sys::Oid::from(number(0) as u32),
            column: number(1),
            is_counted: number(2) != 0,
            is_guarded: number(3) != 0,
        }
    }
}

/// The conditions that the index answers, and those that the node evaluates for each row.
///
/// # Safety
/// The plan must be one that `plan` in plan.rs has made.
pub unsafe fn conditions(plan: *mut pg_sys::CustomScan) -> (*mut pg_sys::List, *mut pg_sys::List) {
    // SAFETY: the last number in the caller's plan says how many of the conditions the index
    // answers.
    unsafe {
        let taken = pg_sys::list_nth_int((*plan).custom_private, 4);
        let all = (*plan).custom_exprs;
        let others = pg_sys::list_copy_tail(all, taken);
        (pg_sys::list_truncate(pg_sys::list_copy(all), taken), others)
    }
}
