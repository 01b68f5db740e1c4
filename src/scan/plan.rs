//! The plan of a path: what the node is told, in PostgreSQL's own nodes, since plans are copied (copyfuncs.c).
//!
//! A path carries `custom_private = (conditions taken, numbers)`, a plan `custom_exprs = conditions` and `custom_private = numbers`, a
//! list of integers. The queries of the conditions taken are evaluated by the node, and they themselves wherever the index does not
//! say enough; the planner sees to their parameters (setrefs.c, subselect.c).
//!
//! Where rows are hidden from who asks, by a policy or a view, the other conditions are the node's too. The server would count the rows
//! that they remove, and so show in EXPLAIN ANALYZE how many hidden rows match.

use super::node;
use crate::pg::versions;
use pgrx::{PgBox, PgList, pg_guard, pg_sys};

pub const NAME: &std::ffi::CStr = c"LuceneScan";

/// A table of functions as the server wants it: in one place for as long as it runs, and never changed.
pub struct Methods<T>(pub T);

// SAFETY: there are names and functions in it, nothing that changes.
unsafe impl<T> Sync for Methods<T> {}

static PATH: Methods<pg_sys::CustomPathMethods> = Methods(pg_sys::CustomPathMethods {
    CustomName: NAME.as_ptr(),
    PlanCustomPath: Some(plan),
    ReparameterizeCustomPathByChild: None,
});

static SCAN: Methods<pg_sys::CustomScanMethods> = Methods(pg_sys::CustomScanMethods {
    CustomName: NAME.as_ptr(),
    CreateCustomScanState: Some(node::create),
});

pub fn register() {
    // SAFETY: once a process, for that is how often a library is loaded.
    unsafe { pg_sys::RegisterCustomScanMethods(&raw const SCAN.0) };
}

/// How a table is to be read.
#[derive(Clone, Copy)]
pub struct ScanInfo {
    pub index: pg_sys::Oid,
    /// The index's column of the table.
    pub column: i32,
    /// Whether no column is needed, so that the rows need only be counted.
    pub is_counted: bool,
    /// Whether the table has rows that are hidden from who asks.
    pub is_guarded: bool,
}

impl ScanInfo {
    unsafe fn list(&self) -> *mut pg_sys::List {
        let (is_counted, is_guarded) = (self.is_counted.into(), self.is_guarded.into());
        let numbers = [self.index.to_u32() as i32, self.column, is_counted, is_guarded];
        // SAFETY: a list of integers grows by them.
        numbers
            .into_iter()
            .fold(std::ptr::null_mut(), |list, number| unsafe { pg_sys::lappend_int(list, number) })
    }

    /// # Safety
    /// The plan must be one of `plan`.
    pub unsafe fn of(plan: *mut pg_sys::CustomScan) -> ScanInfo {
        // SAFETY: it has the numbers of `list`, and behind them one more.
        let number = |at| unsafe { pg_sys::list_nth_int((*plan).custom_private, at) };
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
/// As for `ScanInfo::of`.
pub unsafe fn conditions(plan: *mut pg_sys::CustomScan) -> (*mut pg_sys::List, *mut pg_sys::List) {
    // SAFETY: the last number says how many of the conditions the index answers.
    unsafe {
        let taken = pg_sys::list_nth_int((*plan).custom_private, 4);
        let all = (*plan).custom_exprs;
        let others = pg_sys::list_copy_tail(all, taken);
        (pg_sys::list_truncate(pg_sys::list_copy(all), taken), others)
    }
}

/// Fills in what makes a path one of this node.
///
/// # Safety
/// In the planner's memory.
pub unsafe fn init_path(
    path: &mut pg_sys::CustomPath,
    info: &ScanInfo,
    taken: PgList<pg_sys::RestrictInfo>,
) {
    path.methods = &raw const PATH.0;
    versions::set_projection(path);
    // SAFETY: lists of lists.
    path.custom_private = unsafe {
        let list = pg_sys::lappend(std::ptr::null_mut(), taken.into_pg().cast());
        pg_sys::lappend(list, info.list().cast())
    };
}

/// PlanCustomPath: `clauses` are all conditions of the table, in the order in which to evaluate them.
#[pg_guard]
unsafe extern "C-unwind" fn plan(
    _root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    target: *mut pg_sys::List,
    clauses: *mut pg_sys::List,
    _plans: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    // SAFETY: nodes of the planner's; the path is one that `init_path` filled in.
    unsafe {
        let taken = pg_sys::list_nth((*path).custom_private, 0).cast::<pg_sys::List>();
        let mut others = PgList::<pg_sys::RestrictInfo>::new();
        for info in PgList::<pg_sys::RestrictInfo>::from_pg(clauses).iter_ptr() {
            if !pg_sys::list_member_ptr(taken, info.cast()) {
                others.push(info);
            }
        }
        let scan = PgBox::<pg_sys::CustomScan>::alloc_node(pg_sys::NodeTag::T_CustomScan).into_pg();
        (*scan).scan.plan.targetlist = target;
        (*scan).scan.scanrelid = (*rel).relid;
        (*scan).flags = (*path).flags;
        (*scan).custom_exprs = pg_sys::extract_actual_clauses(taken, false);
        let numbers = pg_sys::list_nth((*path).custom_private, 1).cast::<pg_sys::List>();
        let count = pg_sys::list_length((*scan).custom_exprs);
        (*scan).custom_private = pg_sys::lappend_int(pg_sys::list_copy(numbers), count);
        let others = pg_sys::extract_actual_clauses(others.into_pg(), false);
        match ScanInfo::of(scan).is_guarded {
            true => (*scan).custom_exprs = pg_sys::list_concat((*scan).custom_exprs, others),
            false => (*scan).scan.plan.qual = others,
        }
        (*scan).methods = &raw const SCAN.0;
        scan.cast()
    }
}

/// The query of a condition `column @@@ query`.
///
/// # Safety
/// The clause must be an expression of the planner's.
pub unsafe fn query_of(clause: *mut pg_sys::Node) -> Option<*mut pg_sys::Node> {
    // SAFETY: an operator's expression has its arguments in a list.
    unsafe {
        if !pgrx::is_a(clause, pg_sys::NodeTag::T_OpExpr) {
            return None;
        }
        let arguments = PgList::<pg_sys::Node>::from_pg((*clause.cast::<pg_sys::OpExpr>()).args);
        if arguments.len() == 2 { arguments.get_ptr(1) } else { None }
    }
}

/// The text of a query that is a constant.
///
/// # Safety
/// The expression must be of type lucene_query.
pub unsafe fn constant<'a>(query: *mut pg_sys::Node) -> Option<&'a [u8]> {
    // SAFETY: a constant that is not null has a value of its type.
    unsafe {
        let constant = query.cast::<pg_sys::Const>();
        let is_known = pgrx::is_a(query, pg_sys::NodeTag::T_Const) && !(*constant).constisnull;
        is_known.then(|| text((*constant).constvalue))
    }
}

/// The text of a query.
///
/// # Safety
/// The datum must be a lucene_query. What is returned is in it, or in the current memory context.
pub unsafe fn text<'a>(query: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: a varlena of bytes, detoasted.
    unsafe {
        let varlena = pg_sys::pg_detoast_datum_packed(query.cast_mut_ptr());
        std::slice::from_raw_parts(
            pgrx::vardata_any(varlena).cast::<u8>(),
            pgrx::varsize_any_exhdr(varlena),
        )
    }
}
