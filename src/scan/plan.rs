//! Turns a path into a plan.
//!
//! A path has `custom_private = (conditions, numbers)`. A plan has `custom_exprs = conditions` and
//! `custom_private = numbers`, a list of integers. The node evaluates the queries of these
//! conditions, and the conditions themselves where the index does not say enough. The planner
//! handles parameters in them (setrefs.c, subselect.c).
//!
//! If a policy or a view hides rows from the user, the node evaluates all other conditions, too.
//! Otherwise the server would count the rows that they remove, and EXPLAIN ANALYZE would show how
//! many hidden rows match.

use super::methods::Methods;
use super::node;
use super::scan_info::{NAME, ScanInfo};
use crate::pg::versions;
use pgrx::{PgBox, PgList, pg_guard, pg_sys};

static PATH: Methods<pg_sys::CustomPathMethods> = Methods::of_path(NAME, plan);

static SCAN: Methods<pg_sys::CustomScanMethods> = Methods::of_plan(NAME, node::create);

pub fn register() {
    SCAN.register();
}

/// Fills in what makes a path one of this node.
///
/// # Safety
/// This must run in the planner's memory context.
pub unsafe fn init_path(
    path: &mut pg_sys::CustomPath,
    info: &ScanInfo,
    taken: PgList<pg_sys::RestrictInfo>,
) {
    path.methods = &raw const PATH.0;
    versions::set_projection(path);
    // SAFETY: all elements of the lists are lists, in the planner's memory context.
    path.custom_private = unsafe {
        let list = pg_sys::lappend(std::ptr::null_mut(), taken.into_pg().cast());
        pg_sys::lappend(list, info.to_list().cast())
    };
}

/// Whether a path is one of this node that returns nothing but empty rows.
///
/// # Safety
/// The path must be one of the planner's.
pub unsafe fn returns_count(path: *mut pg_sys::Path) -> bool {
    // SAFETY: the node says that it is a custom path, and its methods that `init_path` has filled it
    // in.
    unsafe {
        let custom = path.cast::<pg_sys::CustomPath>();
        pgrx::is_a(path.cast(), pg_sys::NodeTag::T_CustomPath)
            && (*custom).methods == &raw const PATH.0
            && ScanInfo::of_list(pg_sys::list_nth((*custom).custom_private, 1).cast()).is_counted
    }
}

/// Whether a path is one of this node that returns empty rows, of which it tests some itself since
/// others are hidden from the user.
///
/// # Safety
/// The path must be one of the planner's.
pub unsafe fn returns_tested_count(path: *mut pg_sys::Path) -> bool {
    // SAFETY: as for `returns_count`. A path has a target.
    unsafe {
        let custom = path.cast::<pg_sys::CustomPath>();
        pgrx::is_a(path.cast(), pg_sys::NodeTag::T_CustomPath)
            && (*custom).methods == &raw const PATH.0
            && (*(*path).pathtarget).exprs.is_null()
            && ScanInfo::of_list(pg_sys::list_nth((*custom).custom_private, 1).cast()).is_guarded
    }
}

/// PlanCustomPath. `clauses` are all conditions of the table, in the order in which they are to be
/// evaluated.
#[pg_guard]
unsafe extern "C-unwind" fn plan(
    _root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    target: *mut pg_sys::List,
    clauses: *mut pg_sys::List,
    _plans: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    // SAFETY: the nodes are the planner's, and `init_path` has filled in the path.
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
