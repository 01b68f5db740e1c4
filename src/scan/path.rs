//! Whether a table can be asked through the node, and what that costs: paths for the planner to choose from.

use super::plan::{self, Ways};
use super::rights;
use super::selectivity::answers;
use crate::index::{has_own_rows, operator};
use crate::predicate::Predicate;
use pgrx::{PgBox, PgList, pg_guard, pg_sys};
use std::sync::OnceLock;

/// Who was asked before: other extensions.
static PREVIOUS: OnceLock<pg_sys::set_rel_pathlist_hook_type> = OnceLock::new();

pub fn install() {
    // SAFETY: a global of the server's one thread, meant to be set by libraries as they are loaded (paths.h).
    unsafe {
        PREVIOUS.get_or_init(|| {
            let previous = pg_sys::set_rel_pathlist_hook;
            pg_sys::set_rel_pathlist_hook = Some(add_paths);
            previous
        });
    }
}

/// The hook: called for each relation of a query once all of PostgreSQL's own paths are there.
#[pg_guard]
unsafe extern "C-unwind" fn add_paths(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    rti: pg_sys::Index,
    rte: *mut pg_sys::RangeTblEntry,
) {
    // SAFETY: as the planner calls it (allpaths.c, set_rel_pathlist).
    unsafe {
        if let Some(previous) = PREVIOUS.get().copied().flatten() {
            previous(root, rel, rti, rte);
        }
        if super::ENABLED.get() && is_plain(rel, rte) {
            for (index, taken) in choices(rel) {
                pg_sys::add_path(rel, path(root, rel, index, taken));
            }
        }
    }
}

/// A table, or a partition or child of one, to be read by itself: not as the root of a family, not sampled, and with nothing in
/// its rows that comes from other tables.
unsafe fn is_plain(rel: *mut pg_sys::RelOptInfo, rte: *mut pg_sys::RangeTblEntry) -> bool {
    // SAFETY: nodes of the planner's; the relation is locked since the query was analysed.
    unsafe {
        let is_candidate = (*rte).rtekind == pg_sys::RTEKind::RTE_RELATION
            && !(*rte).inh
            && (*rte).tablesample.is_null()
            && !(*rel).indexlist.is_null()
            && !(*rel).baserestrictinfo.is_null()
            && (*rel).lateral_relids.is_null()
            // A relation that is known to be empty has a path that says so, which must stay the only one.
            && !pg_sys::is_dummy_rel(rel);
        is_candidate && has_own_rows((*rte).relid)
    }
}

/// For each column that is asked: an index on it, and the conditions that it answers together.
unsafe fn choices(
    rel: *mut pg_sys::RelOptInfo,
) -> Vec<(*mut pg_sys::IndexOptInfo, PgList<pg_sys::RestrictInfo>)> {
    // SAFETY: the planner's lists hold what their names say (pathnodes.h). An index has as many keys as columns.
    unsafe {
        let clauses: Vec<_> = PgList::<pg_sys::RestrictInfo>::from_pg((*rel).baserestrictinfo)
            .iter_ptr()
            .filter_map(|info| Some((info, column_asked(rel, info)?)))
            .collect();
        let mut choices: Vec<(*mut pg_sys::IndexOptInfo, PgList<_>)> = Vec::new();
        if clauses.is_empty() {
            return choices;
        }
        // get_relation_info (plancat.c) left out indexes that are not valid, or newer than the snapshot.
        for index in PgList::<pg_sys::IndexOptInfo>::from_pg((*rel).indexlist).iter_ptr() {
            let column = *(*index).indexkeys;
            let is_new = choices.iter().all(|(other, _)| *(**other).indexkeys != column);
            if (*index).ncolumns != 1 || column <= 0 || !is_new {
                continue;
            }
            let mut taken = PgList::new();
            for &(info, (column, oid)) in &clauses {
                if answers(index, oid, column) && operator::is_match(pg_sys::get_opcode(oid)) {
                    taken.push(info);
                }
            }
            if !taken.is_empty() {
                choices.push((index, taken));
            }
        }
        choices
    }
}

/// The column, and the operator, of a condition `column @@@ query` that may be asked first, with a query that is the same for all
/// rows: what the planner asks of an index's condition (indxpath.c: match_clause_to_index, match_opclause_to_indexcol).
unsafe fn column_asked(
    rel: *mut pg_sys::RelOptInfo,
    info: *mut pg_sys::RestrictInfo,
) -> Option<(*mut pg_sys::Node, pg_sys::Oid)> {
    // SAFETY: a condition's expression; an operator's has the arguments that it is declared with.
    unsafe {
        let clause = (*info).clause.cast::<pg_sys::Node>();
        if !pgrx::is_a(clause, pg_sys::NodeTag::T_OpExpr) {
            return None;
        }
        let query = plan::query_of(clause)?;
        let may_ask = pg_sys::restriction_is_securely_promotable(info, rel)
            && !pg_sys::contain_var_clause(query)
            && !pg_sys::contain_volatile_functions(query);
        let clause = clause.cast::<pg_sys::OpExpr>();
        may_ask.then(|| (pg_sys::list_nth((*clause).args, 0).cast(), (*clause).opno))
    }
}

/// The path, with its costs.
unsafe fn path(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    index: *mut pg_sys::IndexOptInfo,
    taken: PgList<pg_sys::RestrictInfo>,
) -> *mut pg_sys::Path {
    // SAFETY: nodes of the planner's, in its memory.
    unsafe {
        let mut others = PgList::<pg_sys::RestrictInfo>::new();
        for info in PgList::<pg_sys::RestrictInfo>::from_pg((*rel).baserestrictinfo).iter_ptr() {
            if !pg_sys::list_member_ptr(taken.as_ptr(), info.cast()) {
                others.push(info);
            }
        }
        // System columns and whole rows, as for locks and updates, are Vars in the target too.
        let is_counted = (*(*rel).reltarget).exprs.is_null()
            && others.iter_ptr().all(|info| !pg_sys::contain_var_clause((*info).clause.cast()));
        let ways = Ways {
            index: (*index).indexoid,
            column: *(*index).indexkeys,
            is_counted,
            is_guarded: rights::has_hidden_rows(root, rel),
        };
        let costs = Costs::new(root, rel, index, &taken, others.into_pg(), is_counted);
        let path = PgBox::<pg_sys::CustomPath>::alloc_node(pg_sys::NodeTag::T_CustomPath).into_pg();
        (*path).path.pathtype = pg_sys::NodeTag::T_CustomScan;
        (*path).path.parent = rel;
        (*path).path.pathtarget = (*rel).reltarget;
        (*path).path.rows = (*rel).rows;
        (*path).path.startup_cost = costs.startup;
        (*path).path.total_cost = costs.total;
        plan::fill(&mut *path, &ways, taken);
        path.cast()
    }
}

struct Costs {
    startup: f64,
    total: f64,
}

impl Costs {
    /// In the terms of cost_bitmap_heap_scan (costsize.c): as many pages of the table are visited, but no condition that the index
    /// answers is evaluated again, and to count, only pages are visited that are not all-visible.
    unsafe fn new(
        root: *mut pg_sys::PlannerInfo,
        rel: *mut pg_sys::RelOptInfo,
        index: *mut pg_sys::IndexOptInfo,
        taken: &PgList<pg_sys::RestrictInfo>,
        others: *mut pg_sys::List,
        is_counted: bool,
    ) -> Costs {
        // SAFETY: nodes of the planner's, and its settings: globals of the server's one thread.
        unsafe {
            let part = pg_sys::clauselist_selectivity(
                root,
                taken.as_ptr(),
                0,
                pg_sys::JoinType::JOIN_INNER,
                std::ptr::null_mut(),
            );
            let found = pg_sys::clamp_row_est(part * (*rel).tuples);
            let (mut random, mut sequential) = (0.0, 0.0);
            let space = (*rel).reltablespace;
            pg_sys::get_tablespace_page_costs(space, &raw mut random, &raw mut sequential);

            let table = f64::from((*rel).pages).max(1.0);
            let mut pages = (2.0 * table * found / (2.0 * table + found)).min(table);
            let (mut looked_at, mut handed_out) = (found, 0.0);
            if is_counted {
                let open = 1.0 - (*rel).allvisfrac;
                (pages, looked_at, handed_out) = (pages * open, found * open, found);
            }
            let pages = pages.ceil();
            let a_page = match pages {
                2.0.. => random - (random - sequential) * (pages / table).sqrt(),
                _ => random,
            };
            let mut quals = pg_sys::QualCost::default();
            pg_sys::cost_qual_eval(&raw mut quals, others, root);
            let target = &(*(*rel).reltarget).cost;

            let start = index_cost(rel, index, taken, found) + quals.startup + target.startup;
            // A row that is only counted costs about as much as an operator.
            let rows = pages * a_page + looked_at * pg_sys::cpu_tuple_cost;
            let each = handed_out * pg_sys::cpu_operator_cost
                + found * quals.per_tuple
                + (*rel).rows * target.per_tuple;
            // All is counted before the first row is handed out.
            Costs {
                startup: start + if is_counted { rows } else { 0.0 },
                total: start + rows + each,
            }
        }
    }
}

/// To read the index: a way from the root down for each key or interval, and the postings, of which one takes half as long as an
/// operator's call does.
unsafe fn index_cost(
    rel: *mut pg_sys::RelOptInfo,
    index: *mut pg_sys::IndexOptInfo,
    taken: &PgList<pg_sys::RestrictInfo>,
    found: f64,
) -> f64 {
    // SAFETY: as above; a constant of the operator's right side is a lucene_query.
    unsafe {
        let (mut leaves, mut postings) = (0, found);
        for info in taken.iter_ptr() {
            match plan::query_of((*info).clause.cast()).and_then(|query| plan::constant(query)) {
                Some(query) => {
                    let predicate = operator::predicate(query);
                    leaves += count_leaves(&predicate);
                    // How much is ruled out is not to be seen from what is left.
                    if !predicate.is_monotone() {
                        postings = (*rel).tuples;
                    }
                }
                None => leaves += 1,
            }
        }
        // As GIN estimates its own (selfuncs.c, gincostestimate), but for fewer levels.
        let depth = f64::from((*index).pages).powf(0.1).round().max(1.0);
        let (mut random, mut sequential) = (0.0, 0.0);
        let space = (*index).reltablespace;
        pg_sys::get_tablespace_page_costs(space, &raw mut random, &raw mut sequential);
        leaves.max(1) as f64 * depth * random + postings * pg_sys::cpu_operator_cost / 2.0
    }
}

/// How many tests a predicate has.
pub fn count_leaves(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::All | Predicate::None | Predicate::Leaf { .. } => 1,
        Predicate::Not(part) => count_leaves(part),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().map(count_leaves).sum(),
    }
}
