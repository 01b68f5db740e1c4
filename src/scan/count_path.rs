//! `SELECT count(*) FROM t WHERE column @@@ q` without a row for each match: a path for the
//! planner that takes the counts of scans which have nothing but a count to return.
//!
//! The plan is `LuceneCount` with the scans below it: one, or one for each partition. Scans of
//! another kind, as of a partition without an index, are read row by row.

use super::count_node;
use super::methods::Methods;
use super::plan;
use crate::memory;
use crate::pg::versions;
use pgrx::{PgBox, PgList, pg_guard, pg_sys};
use std::sync::OnceLock;

/// What EXPLAIN calls the node: `Custom Scan (LuceneCount)`.
pub const NAME: &std::ffi::CStr = c"LuceneCount";

static PATH: Methods<pg_sys::CustomPathMethods> = Methods::of_path(NAME, plan_count);

static SCAN: Methods<pg_sys::CustomScanMethods> = Methods::of_plan(NAME, count_node::create);

/// The hook that another extension had set before.
static PREVIOUS: OnceLock<pg_sys::create_upper_paths_hook_type> = OnceLock::new();

pub fn install() {
    SCAN.register();
    // SAFETY: create_upper_paths_hook is a global that only the server's one thread uses. Libraries
    // set it when they are loaded (planner.h), which happens once in a process.
    unsafe {
        PREVIOUS.get_or_init(|| {
            let previous = pg_sys::create_upper_paths_hook;
            pg_sys::create_upper_paths_hook = Some(add_paths);
            previous
        });
    }
}

/// The hook. The planner calls it for each step above the scans and joins of a query after it has
/// made its own paths.
#[pg_guard]
unsafe extern "C-unwind" fn add_paths(
    root: *mut pg_sys::PlannerInfo,
    stage: pg_sys::UpperRelationKind::Type,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
    extra: *mut std::ffi::c_void,
) {
    // SAFETY: the planner calls this with nodes of its own (planner.c, create_grouping_paths).
    unsafe {
        if let Some(previous) = PREVIOUS.get().copied().flatten() {
            previous(root, stage, input, output, extra);
        }
        if stage == pg_sys::UpperRelationKind::UPPERREL_GROUP_AGG {
            memory::watched(|| {
                if let Some(path) = path(root, input, output) {
                    pg_sys::add_path(output, path);
                }
            });
        }
    }
}

/// The path, if the query counts the rows of one table and does nothing else with them.
unsafe fn path(
    root: *mut pg_sys::PlannerInfo,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
) -> Option<*mut pg_sys::Path> {
    // SAFETY: the nodes are the planner's, and this runs in its memory context.
    unsafe {
        let query = &*(*root).parse;
        let is_one_table = (*input).reloptkind == pg_sys::RelOptKind::RELOPT_BASEREL
            && (*input).rtekind == pg_sys::RTEKind::RTE_RELATION;
        let is_one_group = query.hasAggs
            && query.groupClause.is_null()
            && query.groupingSets.is_null()
            && query.havingQual.is_null();
        if !is_one_table || !is_one_group {
            return None;
        }
        let scans = PgList::<pg_sys::Path>::from_pg((*input).pathlist)
            .iter_ptr()
            .find_map(|path| counted_scans(path))?;
        let target = (*output).reltarget;
        counts((*target).exprs)?;

        let mut cost = (*target).cost.startup;
        for scan in PgList::<pg_sys::Path>::from_pg(scans).iter_ptr() {
            cost += match () {
                () if plan::returns_count(scan) => (*scan).startup_cost,
                () if plan::returns_tested_count(scan) => (*scan).total_cost,
                () => (*scan).total_cost + (*scan).rows * pg_sys::cpu_operator_cost,
            };
        }
        let path = PgBox::<pg_sys::CustomPath>::alloc_node(pg_sys::NodeTag::T_CustomPath).into_pg();
        (*path).path.pathtype = pg_sys::NodeTag::T_CustomScan;
        (*path).path.parent = output;
        (*path).path.pathtarget = target;
        (*path).path.rows = 1.0;
        (*path).path.startup_cost = cost;
        (*path).path.total_cost = cost + pg_sys::cpu_tuple_cost + (*target).cost.per_tuple;
        (*path).custom_paths = scans;
        (*path).methods = &raw const PATH.0;
        versions::set_projection(&mut *path);
        Some(path.cast())
    }
}

/// Whether a query counts the rows of one table that meet one condition, and does nothing else. How
/// many those are then makes no difference to any other part of the plan.
///
/// # Safety
/// The nodes must be the planner's, when it knows the conditions of the relation.
pub unsafe fn is_lone_count(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo) -> bool {
    // SAFETY: as the caller says. A relation that is scanned has a target.
    unsafe {
        let query = &*(*root).parse;
        super::ENABLED.get()
            && query.hasAggs
            && query.groupClause.is_null()
            && query.groupingSets.is_null()
            && query.havingQual.is_null()
            && !query.jointree.is_null()
            && pg_sys::list_length((*query.jointree).fromlist) == 1
            && pgrx::is_a(
                pg_sys::list_nth((*query.jointree).fromlist, 0).cast(),
                pg_sys::NodeTag::T_RangeTblRef,
            )
            && pg_sys::list_length((*rel).baserestrictinfo) == 1
            && (*(*rel).reltarget).exprs.is_null()
            && counts((*root).processed_tlist).is_some()
    }
}

/// The scans that a path consists of, if a count is all that one of them has to return.
unsafe fn counted_scans(path: *mut pg_sys::Path) -> Option<*mut pg_sys::List> {
    // SAFETY: the node says which kind of path it is.
    unsafe {
        if !(*path).param_info.is_null() {
            return None;
        }
        if plan::returns_count(path) || plan::returns_tested_count(path) {
            return Some(pg_sys::lappend(std::ptr::null_mut(), path.cast()));
        }
        if !pgrx::is_a(path.cast(), pg_sys::NodeTag::T_AppendPath)
            || (*path).parallel_aware
            || (*path).parallel_workers > 0
        {
            return None;
        }
        let parts = (*path.cast::<pg_sys::AppendPath>()).subpaths;
        let all = PgList::<pg_sys::Path>::from_pg(parts);
        let is_counted = all
            .iter_ptr()
            .any(|part| plan::returns_count(part) || plan::returns_tested_count(part));
        is_counted.then(|| pg_sys::list_copy(parts))
    }
}

/// The aggregates in expressions, if all of them count rows and nothing else comes from these.
unsafe fn counts(expressions: *mut pg_sys::List) -> Option<*mut pg_sys::List> {
    // SAFETY: pull_var_clause returns a list of nodes, and each says what it is.
    unsafe {
        let found = pg_sys::pull_var_clause(
            expressions.cast(),
            (pg_sys::PVC_INCLUDE_AGGREGATES
                | pg_sys::PVC_INCLUDE_WINDOWFUNCS
                | pg_sys::PVC_INCLUDE_PLACEHOLDERS) as i32,
        );
        let all = PgList::<pg_sys::Node>::from_pg(found);
        let are_counts = !all.is_empty() && all.iter_ptr().all(|node| counts_rows(node));
        are_counts.then_some(found)
    }
}

/// Whether a node is `count(*)`, or `count` of a constant that is not null.
unsafe fn counts_rows(node: *mut pg_sys::Node) -> bool {
    // SAFETY: the node says what it is. The arguments of an aggregate are target entries.
    unsafe {
        if !pgrx::is_a(node, pg_sys::NodeTag::T_Aggref) {
            return false;
        }
        let aggregate = &*node.cast::<pg_sys::Aggref>();
        let is_plain = aggregate.aggfilter.is_null()
            && aggregate.aggdistinct.is_null()
            && aggregate.aggorder.is_null()
            && aggregate.agglevelsup == 0
            && aggregate.aggsplit == pg_sys::AggSplit::AGGSPLIT_SIMPLE;
        let function = aggregate.aggfnoid.to_u32();
        is_plain
            && (function == pg_sys::F_COUNT_
                || function == pg_sys::F_COUNT_ANY && {
                    let entry = pg_sys::list_nth(aggregate.args, 0).cast::<pg_sys::TargetEntry>();
                    let value = (*entry).expr.cast::<pg_sys::Const>();
                    pgrx::is_a(value.cast(), pg_sys::NodeTag::T_Const) && !(*value).constisnull
                })
    }
}

/// PlanCustomPath. The row that the node makes has a column for each aggregate, all of the same
/// value. The server computes what the query returns from that row.
#[pg_guard]
unsafe extern "C-unwind" fn plan_count(
    _root: *mut pg_sys::PlannerInfo,
    _rel: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    target: *mut pg_sys::List,
    _clauses: *mut pg_sys::List,
    plans: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    // SAFETY: the nodes are the planner's. `path` above has looked at the same expressions.
    unsafe {
        let plan = PgBox::<pg_sys::CustomScan>::alloc_node(pg_sys::NodeTag::T_CustomScan).into_pg();
        let aggregates = counts((*(*path).path.pathtarget).exprs).unwrap_or(std::ptr::null_mut());
        let mut columns = PgList::<pg_sys::TargetEntry>::new();
        for aggregate in PgList::<pg_sys::Expr>::from_pg(aggregates).iter_ptr() {
            let number = columns.len() as i16 + 1;
            let name = std::ptr::null_mut();
            columns.push(pg_sys::makeTargetEntry(aggregate, number, name, false));
        }
        (*plan).scan.plan.targetlist = target;
        (*plan).custom_scan_tlist = columns.into_pg();
        (*plan).custom_plans = plans;
        (*plan).flags = (*path).flags;
        (*plan).methods = &raw const SCAN.0;
        plan.cast()
    }
}
