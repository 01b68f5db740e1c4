//! Which fraction of rows satisfies `column @@@ query`, for any plan. The index of the column says
//! so.

use super::estimate::fraction_of;
use super::rights;
use super::{clause, count_path, path, set_aside};
use crate::executor::IndexedTable;
use crate::index::{has_own_rows, query_type, recognize};
use crate::pg::fmgr::{Arguments, c_functions};
use crate::predicate::{ObjectCondition, Predicate, Test, Visitor};
use pgrx::{IntoDatum, PgList, pg_guard, pg_sys};

c_functions! {
    pg_finfo_session_store_selectivity session_store_selectivity selectivity;
}

/// The fraction if nothing is known, for example because the query is not a constant.
const UNKNOWN: f64 = 0.01;
/// (PlannerInfo *, operator, arguments, varRelid) → fraction
unsafe fn selectivity(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: PostgreSQL passes the arguments of a restriction estimator, and this passes them on
    // unchanged (selfuncs.c).
    let fraction = unsafe {
        let (root, list) = (arguments.pointer(0), arguments.pointer::<pg_sys::List>(2));
        let operator = pg_sys::Oid::from(arguments.datum(1).value() as u32);
        let relation = arguments.datum(3).value() as i32;
        // Without an index, the values that ANALYZE has sampled are tested.
        of_constant(root, operator, list, relation).unwrap_or_else(|| {
            let collation = (*arguments.0).fncollation;
            pg_sys::generic_restriction_selectivity(
                root, operator, collation, list, relation, UNKNOWN,
            )
        })
    };
    fraction.into_datum().unwrap_or(pg_sys::Datum::null())
}

/// None if the query is not known yet, or if the values that ANALYZE has sampled are better.
unsafe fn of_constant(
    root: *mut pg_sys::PlannerInfo,
    operator: pg_sys::Oid,
    arguments: *mut pg_sys::List,
    relation: i32,
) -> Option<f64> {
    // SAFETY: these are the calls that PostgreSQL's own estimators make (matchingsel and others in
    // selfuncs.c). A constant on the right side of the operator is a lucene_query.
    unsafe {
        let mut variable = pg_sys::VariableStatData::default();
        let (mut other, mut is_left) = (std::ptr::null_mut::<pg_sys::Node>(), false);
        let found = pg_sys::get_restriction_variable(
            root,
            arguments,
            relation,
            &raw mut variable,
            &raw mut other,
            &raw mut is_left,
        );
        if !found {
            return None;
        }
        if rights::has_hidden_rows(root, variable.rel) {
            withhold_indexes(variable.rel, variable.var, operator);
        }
        let query = if is_left { clause::constant(other) } else { None };
        let fraction = query.and_then(|query| {
            let predicate = query_type::predicate(query);
            if !rights::may_read_all(root, &variable) {
                return Some(predicate.visit(&mut Guess));
            }
            if !is_of_one_heap(root, variable.rel) {
                return None;
            }
            // `LuceneCount` is next. To look into the index would take as long as to count.
            if count_path::is_lone_count(root, variable.rel) && path::is_certain(root, variable.rel)
            {
                set_aside::set_aside(variable.rel);
                return Some(predicate.visit(&mut Guess));
            }
            let index = index_on(root, variable.rel, variable.var, operator)?;
            Some(fraction_of(&index, &predicate).unwrap_or_else(|error| error.raise()))
        });
        if let Some(free) = variable.freefunc.filter(|_| !variable.statsTuple.is_null()) {
            free(variable.statsTuple);
        }
        fraction
    }
}

/// Keeps PostgreSQL from using an index for a bitmap scan. If rows are hidden, EXPLAIN ANALYZE
/// would show how many of them the scan finds. Our own node takes its place and shows nothing.
/// (indxpath.c reads this flag after it has asked for the costs of a scan, and so after this
/// estimate.)
unsafe fn withhold_indexes(
    rel: *mut pg_sys::RelOptInfo,
    column: *mut pg_sys::Node,
    operator: pg_sys::Oid,
) {
    // SAFETY: the planner's lists hold nodes of the types that their names say (pathnodes.h).
    unsafe {
        for index in PgList::<pg_sys::IndexOptInfo>::from_pg((*rel).indexlist).iter_ptr() {
            if pg_sys::op_in_opfamily(operator, *(*index).opfamily)
                && pg_sys::match_index_to_operand(column, 0, index)
            {
                (*index).amhasgetbitmap = false;
            }
        }
    }
}

/// Estimates from the query alone.
struct Guess;

impl Visitor<'_> for Guess {
    type Output = f64;

    fn constant(&mut self, holds: bool) -> f64 {
        f64::from(u8::from(holds))
    }

    fn condition(&mut self, _: Option<&str>, _: &Test) -> f64 {
        UNKNOWN
    }

    fn object(&mut self, object: &ObjectCondition) -> f64 {
        object.necessary.visit(self)
    }

    fn and(&mut self, parts: &[Predicate]) -> f64 {
        parts.iter().map(|part| part.visit(self)).product()
    }

    fn or(&mut self, parts: &[Predicate]) -> f64 {
        1.0 - parts.iter().map(|part| 1.0 - part.visit(self)).product::<f64>()
    }

    fn not(&mut self, part: &Predicate) -> f64 {
        1.0 - part.visit(self)
    }
}

/// The index on just this column with the operator in its class, if there is one.
unsafe fn index_on(
    root: *mut pg_sys::PlannerInfo,
    relation: *mut pg_sys::RelOptInfo,
    column: *mut pg_sys::Node,
    operator: pg_sys::Oid,
) -> Option<IndexedTable> {
    // SAFETY: the relation was found by `is_of_one_heap`, so it has an entry in the range table.
    // The planner's lists hold nodes of the types that their names say (pathnodes.h). An index has
    // as many keys as columns.
    unsafe {
        let entry = *(*root).simple_rte_array.add((*relation).relid as usize);
        PgList::<pg_sys::IndexOptInfo>::from_pg((*relation).indexlist)
            .iter_ptr()
            .find(|&index| recognize::planner_index_answers(index, operator, column))
            .map(|index| IndexedTable {
                table: (*entry).relid,
                index: (*index).indexoid,
                column: *(*index).indexkeys,
            })
    }
}

/// Whether the indexes of a relation know all of its rows. They do not if it has child tables, or
/// if its rows are stored elsewhere.
unsafe fn is_of_one_heap(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo) -> bool {
    // SAFETY: each base relation has an entry in the range table, and has been locked since the
    // query was analysed (pathnodes.h).
    unsafe {
        let entries = (*root).simple_rte_array;
        if rel.is_null() || (*rel).relid == 0 || entries.is_null() {
            return false;
        }
        let entry = *entries.add((*rel).relid as usize);
        (*entry).rtekind == pg_sys::RTEKind::RTE_RELATION
            && !(*entry).inh
            && has_own_rows((*entry).relid)
    }
}
