//! Whether the node may read a table, and what that costs: paths for the planner to choose from.

use super::clause;
use super::estimate::count_conditions;
use super::scan_info::ScanInfo;
use super::{one_row, plan, rights, set_aside};
use crate::index::recognize::planner_index_answers;
use crate::index::{has_own_rows, query_type};
use crate::memory;
use pgrx::{PgBox, PgList, pg_guard, pg_sys};
use std::sync::OnceLock;

/// The hook that another extension had set before.
static PREVIOUS: OnceLock<pg_sys::set_rel_pathlist_hook_type> = OnceLock::new();

pub fn install() {
    // SAFETY: set_rel_pathlist_hook is a global that only the server's one thread uses. Libraries
    // set it when they are loaded (paths.h).
    unsafe {
        PREVIOUS.get_or_init(|| {
            let previous = pg_sys::set_rel_pathlist_hook;
            pg_sys::set_rel_pathlist_hook = Some(add_paths);
            previous
        });
    }
}

/// The hook. The planner calls it for each relation of a query after it has made its own paths.
#[pg_guard]
unsafe extern "C-unwind" fn add_paths(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    rti: pg_sys::Index,
    rte: *mut pg_sys::RangeTblEntry,
) {
    // SAFETY: the planner calls this with nodes of its own (allpaths.c, set_rel_pathlist). The
    // relation has been locked since the query was analysed.
    unsafe {
        let is_certain = set_aside::put_back(rel);
        if let Some(previous) = PREVIOUS.get().copied().flatten() {
            previous(root, rel, rti, rte);
        }
        if one_row::replace_paths(root, rel, rte) {
            return;
        }
        if is_certain || super::ENABLED.get() && is_plain(rel, rte) {
            memory::watched(|| {
                let choices = choices(root, rel);
                if is_certain || !choices.is_empty() && has_own_rows((*rte).relid) {
                    for choice in choices {
                        pg_sys::add_path(rel, path(root, rel, choice));
                    }
                }
            });
        }
    }
}

/// Whether the hook is going to add a path.
///
/// # Safety
/// The nodes must be the planner's, when it knows the conditions of the relation.
pub unsafe fn is_certain(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo) -> bool {
    // SAFETY: as the caller says. The planner's array has a place for each relation, which has been
    // locked since the query was analysed.
    unsafe {
        let rte = *(*root).simple_rte_array.add((*rel).relid as usize);
        super::ENABLED.get()
            && is_plain(rel, rte)
            && !choices(root, rel).is_empty()
            && has_own_rows((*rte).relid)
    }
}

/// Whether a relation is a table, or a partition or child of one, that is read by itself: not the
/// root of an inheritance tree, not sampled, and with nothing in its rows that comes from other
/// tables. Whether it has rows of its own takes a look into catalogues, so that is asked last, where
/// there is something to answer.
unsafe fn is_plain(rel: *mut pg_sys::RelOptInfo, rte: *mut pg_sys::RangeTblEntry) -> bool {
    // SAFETY: the nodes are the planner's.
    unsafe {
        (*rte).rtekind == pg_sys::RTEKind::RTE_RELATION
            && !(*rte).inh
            && (*rte).tablesample.is_null()
            && !(*rel).indexlist.is_null()
            && (*rel).lateral_relids.is_null()
            // A relation that is known to be empty has a path that says so, which must stay its
            // only one.
            && !pg_sys::is_dummy_rel(rel)
    }
}

/// An index, the conditions that it answers together, and the tables whose rows their queries come
/// from (null if there are none).
struct Choice {
    index: *mut pg_sys::IndexOptInfo,
    taken: PgList<pg_sys::RestrictInfo>,
    outer: pg_sys::Relids,
}

/// A condition `column @@@ query` that an index may answer.
struct IndexClause {
    info: *mut pg_sys::RestrictInfo,
    column: *mut pg_sys::Node,
    operator: pg_sys::Oid,
    outer: pg_sys::Relids,
}

/// For each column with conditions, an index on it, together with the conditions whose queries are
/// the same for all rows. For each set of other tables that queries come from, the same index with
/// these conditions, too.
unsafe fn choices(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo) -> Vec<Choice> {
    // SAFETY: the planner's lists hold nodes of the types that their names say (pathnodes.h). An
    // index has as many keys as columns.
    unsafe {
        let infos = PgList::<pg_sys::RestrictInfo>::from_pg((*rel).baserestrictinfo);
        let mut clauses: Vec<IndexClause> =
            infos.iter_ptr().filter_map(|info| index_clause(root, rel, info, false)).collect();
        let infos = PgList::<pg_sys::RestrictInfo>::from_pg((*rel).joininfo);
        clauses.extend(infos.iter_ptr().filter_map(|info| index_clause(root, rel, info, true)));
        let mut choices: Vec<Choice> = Vec::new();
        if clauses.is_empty() {
            return choices;
        }
        let mut columns = Vec::new();
        // get_relation_info (plancat.c) has left out indexes that are not valid, or newer than the
        // snapshot.
        for index in PgList::<pg_sys::IndexOptInfo>::from_pg((*rel).indexlist).iter_ptr() {
            let column = *(*index).indexkeys;
            if (*index).ncolumns != 1 || column <= 0 || columns.contains(&column) {
                continue;
            }
            let answered: Vec<&IndexClause> = clauses
                .iter()
                .filter(|clause| planner_index_answers(index, clause.operator, clause.column))
                .filter(|clause| may_answer(clause))
                .collect();
            let mut outers: Vec<pg_sys::Relids> = Vec::new();
            for clause in &answered {
                if outers.iter().all(|outer| !pg_sys::bms_equal(*outer, clause.outer)) {
                    outers.push(clause.outer);
                }
            }
            for outer in outers {
                let mut taken = PgList::new();
                for clause in &answered {
                    if pg_sys::bms_is_subset(clause.outer, outer) {
                        taken.push(clause.info);
                    }
                }
                columns.push(column);
                choices.push(Choice { index, taken, outer });
            }
        }
        choices
    }
}

/// Whether the operator is one of ours. `@@@@` must refuse a query with `NOW`, which is known here
/// of a constant. PostgreSQL's own index scan refuses it when it begins.
unsafe fn may_answer(clause: &IndexClause) -> bool {
    // SAFETY: the condition is the planner's, of an operator with a query to its right.
    unsafe {
        match query_type::Operator::of(pg_sys::get_opcode(clause.operator)) {
            Some(query_type::Operator::Match) => true,
            Some(query_type::Operator::MatchAlways) => {
                clause::query_of((*clause.info).clause.cast())
                    .and_then(|query| clause::constant(query))
                    .is_some_and(|query| query_type::refuse_now(query).is_ok())
            }
            None => false,
        }
    }
}

/// Returns a condition if an index may answer it before the others are evaluated. Its query must be
/// the same for all rows, or for all rows that are joined with one row of other tables. The planner
/// demands the same of an index condition (indxpath.c: match_join_clauses_to_index,
/// match_opclause_to_indexcol).
unsafe fn index_clause(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    info: *mut pg_sys::RestrictInfo,
    is_joined: bool,
) -> Option<IndexClause> {
    // SAFETY: the planner's list holds conditions. The expression says that it is an operator's,
    // which has two arguments here.
    unsafe {
        let clause = (*info).clause.cast::<pg_sys::Node>();
        if !pgrx::is_a(clause, pg_sys::NodeTag::T_OpExpr) {
            return None;
        }
        let query = clause::query_of(clause)?;
        let may_ask = match is_joined {
            false => !pg_sys::contain_var_clause(query),
            true => {
                pg_sys::join_clause_is_movable_to(info, rel)
                    && !pg_sys::bms_overlap(pg_sys::pull_varnos(root, query), (*rel).relids)
            }
        } && pg_sys::restriction_is_securely_promotable(info, rel)
            && !pg_sys::contain_volatile_functions(query);
        let clause = clause.cast::<pg_sys::OpExpr>();
        may_ask.then(|| IndexClause {
            info,
            column: pg_sys::list_nth((*clause).args, 0).cast(),
            operator: (*clause).opno,
            outer: match is_joined {
                false => std::ptr::null_mut(),
                true => pg_sys::bms_difference((*info).clause_relids, (*rel).relids),
            },
        })
    }
}

/// Makes the path, with its costs.
unsafe fn path(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    choice: Choice,
) -> *mut pg_sys::Path {
    // SAFETY: the nodes are the planner's, and this runs in its memory context.
    unsafe {
        let Choice { index, taken, outer } = choice;
        let mut others = PgList::<pg_sys::RestrictInfo>::new();
        let mut leave = |infos: *mut pg_sys::List| {
            for info in PgList::<pg_sys::RestrictInfo>::from_pg(infos).iter_ptr() {
                if !pg_sys::list_member_ptr(taken.as_ptr(), info.cast()) {
                    others.push(info);
                }
            }
        };
        leave((*rel).baserestrictinfo);
        let mut parameters = std::ptr::null_mut();
        if !outer.is_null() {
            parameters = pg_sys::get_baserel_parampathinfo(root, rel, outer);
            leave((*parameters).ppi_clauses);
        }
        // System columns and whole rows are Vars in the target, too. Locks and updates need them.
        let is_counted = (*(*rel).reltarget).exprs.is_null()
            && others.iter_ptr().all(|info| !pg_sys::contain_var_clause((*info).clause.cast()));
        let info = ScanInfo {
            index: (*index).indexoid,
            column: *(*index).indexkeys,
            is_counted,
            is_guarded: rights::has_hidden_rows(root, rel),
        };
        let costs = Costs::new(root, rel, index, &taken, others.into_pg(), is_counted, parameters);
        let path = PgBox::<pg_sys::CustomPath>::alloc_node(pg_sys::NodeTag::T_CustomPath).into_pg();
        (*path).path.pathtype = pg_sys::NodeTag::T_CustomScan;
        (*path).path.parent = rel;
        (*path).path.pathtarget = (*rel).reltarget;
        (*path).path.param_info = parameters;
        (*path).path.rows = costs.rows;
        (*path).path.startup_cost = costs.startup;
        (*path).path.total_cost = costs.total;
        plan::init_path(&mut *path, &info, taken);
        path.cast()
    }
}

/// How often, at least, the rows of other tables start the scan again (indxpath.c, get_loop_count).
unsafe fn loops(root: *mut pg_sys::PlannerInfo, outer: pg_sys::Relids) -> f64 {
    // SAFETY: the set holds numbers of relations, and the array has a place for each. From 16 on,
    // outer joins have numbers too, and a null pointer in the array.
    unsafe {
        let (mut least, mut number) = (f64::INFINITY, -1);
        loop {
            number = pg_sys::bms_next_member(outer, number);
            if number < 0 {
                return if least.is_finite() { least.max(1.0) } else { 1.0 };
            }
            let rel = *(*root).simple_rel_array.add(number as usize);
            if !rel.is_null() && (*rel).rows > 0.0 {
                least = least.min((*rel).rows);
            }
        }
    }
}

struct Costs {
    rows: f64,
    startup: f64,
    total: f64,
}

impl Costs {
    /// The costs in the terms of cost_bitmap_heap_scan (costsize.c). As many pages of the table are
    /// read, but conditions that the index answers are not evaluated again. And counting reads only
    /// pages that are not all-visible.
    unsafe fn new(
        root: *mut pg_sys::PlannerInfo,
        rel: *mut pg_sys::RelOptInfo,
        index: *mut pg_sys::IndexOptInfo,
        taken: &PgList<pg_sys::RestrictInfo>,
        others: *mut pg_sys::List,
        is_counted: bool,
        parameters: *mut pg_sys::ParamPathInfo,
    ) -> Costs {
        // SAFETY: the nodes are the planner's. Its settings are globals that only the server's one
        // thread uses.
        unsafe {
            let part = pg_sys::clauselist_selectivity(
                root,
                taken.as_ptr(),
                // Values that come from other tables count as constants.
                (*rel).relid as i32,
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
                let not_all_visible = 1.0 - (*rel).allvisfrac;
                (pages, looked_at, handed_out) =
                    (pages * not_all_visible, found * not_all_visible, found);
            }
            let mut rows = (*rel).rows;
            if !parameters.is_null() {
                rows = (*parameters).ppi_rows;
                let loops = loops(root, (*parameters).ppi_req_outer);
                // A later loop finds in the cache what an earlier one has read
                // (cost_bitmap_heap_scan).
                let all = pg_sys::index_pages_fetched(
                    found * loops,
                    (*rel).pages,
                    f64::from((*index).pages),
                    root,
                );
                pages = pages.min(all / loops);
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
            // Counting a row costs about as much as an operator call.
            let read = pages * a_page + looked_at * pg_sys::cpu_tuple_cost;
            let each = handed_out * pg_sys::cpu_operator_cost
                + found * quals.per_tuple
                + rows * target.per_tuple;
            // All rows are counted before the first one is returned.
            Costs {
                rows,
                startup: start + if is_counted { read } else { 0.0 },
                total: start + read + each,
            }
        }
    }
}

/// What reading the index costs: a descent from the root for each condition, and the postings. One
/// posting takes half as long as an operator call.
unsafe fn index_cost(
    rel: *mut pg_sys::RelOptInfo,
    index: *mut pg_sys::IndexOptInfo,
    taken: &PgList<pg_sys::RestrictInfo>,
    found: f64,
) -> f64 {
    // SAFETY: the nodes are the planner's. A constant on the right side of the operator is a
    // lucene_query.
    unsafe {
        let (mut leaves, mut postings) = (0, found);
        for info in taken.iter_ptr() {
            match clause::query_of((*info).clause.cast()).and_then(|query| clause::constant(query))
            {
                Some(query) => {
                    let predicate = query_type::predicate(query);
                    leaves += count_conditions(&predicate);
                    // A negation reads what it excludes, which may be any number of postings. How
                    // many is not visible in the result.
                    if !predicate.is_monotone() {
                        postings = (*rel).tuples;
                    }
                }
                None => leaves += 1,
            }
        }
        // GIN estimates its descents in the same way, but with more levels (selfuncs.c,
        // gincostestimate).
        let depth = f64::from((*index).pages).powf(0.1).round().max(1.0);
        let (mut random, mut sequential) = (0.0, 0.0);
        let space = (*index).reltablespace;
        pg_sys::get_tablespace_page_costs(space, &raw mut random, &raw mut sequential);
        leaves.max(1) as f64 * depth * random + postings * pg_sys::cpu_operator_cost / 2.0
    }
}
