//! Whether who plans a query may read all rows of a column. Only then may the planner's estimates depend on what is in them: else a
//! hidden value would show in the plan (CVE-2017-7484, CVE-2019-10130, CVE-2025-8713).
//!
//! PostgreSQL lets an operator that is leakproof look into its statistics all the same. They are a sample, and as old as the last
//! ANALYZE; an index knows each row that was stored just now. So here no operator may.

use pgrx::{PgList, pg_sys};

/// Whether all rows of the column, or of the expression over columns, may be read.
///
/// # Safety
/// The variable must be one that the planner has examined (selfuncs.c, examine_variable).
pub unsafe fn may_read_all(
    root: *mut pg_sys::PlannerInfo,
    variable: &pg_sys::VariableStatData,
) -> bool {
    // SAFETY: nodes of the planner's.
    unsafe {
        if is_within_barrier(root) {
            return false;
        }
        let rel = variable.rel;
        if rel.is_null() || (*rel).rtekind != pg_sys::RTEKind::RTE_RELATION {
            // Statistics are found through a subquery by PostgreSQL, which looks at the rights to the table that they are of.
            return variable.acl_ok;
        }
        may_read_table(root, rel, variable.var)
    }
}

/// Whether the query that is planned is, or is part of, the one of a view that must not let conditions see other rows than its own.
/// Conditions that are leakproof are moved into such a view: there they are those of a plain table. That this query and not another
/// one beside it is the view's is not to be seen from here.
unsafe fn is_within_barrier(root: *mut pg_sys::PlannerInfo) -> bool {
    // SAFETY: as above; a query that is planned has its range table.
    unsafe {
        let mut above = (*root).parent_root;
        while !above.is_null() {
            let entries = PgList::<pg_sys::RangeTblEntry>::from_pg((*(*above).parse).rtable);
            if entries.iter_ptr().any(|entry| (*entry).security_barrier) {
                return true;
            }
            above = (*above).parent_root;
        }
        false
    }
}

/// Whether conditions of a policy or a view stand between a table's rows and who asks.
///
/// # Safety
/// The relation must be one of the query's, or null.
pub unsafe fn has_hidden_rows(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
) -> bool {
    // SAFETY: nodes of the planner's; its arrays have a place for each relation.
    unsafe {
        if rel.is_null() || (*rel).rtekind != pg_sys::RTEKind::RTE_RELATION {
            return false;
        }
        let mut number = (*rel).relid;
        while let Some((parent, _)) = parent(root, number) {
            number = parent;
        }
        let entry = *(*root).simple_rte_array.add(number as usize);
        !(*entry).securityQuals.is_null() || is_within_barrier(root)
    }
}

/// As selfuncs.c, all_rows_selectable (18; before, examine_simple_variable looks at a child by itself). What counts is the table that the
/// query names: of a partition or child, the topmost parent. The rights are those of whom the query asks for, a view's owner perhaps.
unsafe fn may_read_table(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    expression: *mut pg_sys::Node,
) -> bool {
    // SAFETY: nodes of the planner's; its arrays have a place for each relation.
    unsafe {
        let mut number = (*rel).relid;
        let mut columns = columns_of(expression, number);
        while let Some((parent, numbers)) = parent(root, number) {
            number = parent;
            for column in &mut columns {
                let at = usize::try_from(*column - 1).ok();
                match at.and_then(|at| numbers.get(at)) {
                    Some(&known) if known > 0 => *column = known.into(),
                    _ => return false,
                }
            }
        }
        let entry = *(*root).simple_rte_array.add(number as usize);
        if !(*entry).securityQuals.is_null() {
            return false;
        }
        let user = match (*rel).userid {
            pg_sys::InvalidOid => pg_sys::GetUserId(),
            user => user,
        };
        let (table, select) = ((*entry).relid, pg_sys::ACL_SELECT as pg_sys::AclMode);
        let may = pg_sys::AclResult::ACLCHECK_OK;
        pg_sys::pg_class_aclcheck(table, user, select) == may
            || !columns.is_empty()
                && columns.iter().all(|&column| {
                    column != 0
                        && pg_sys::pg_attribute_aclcheck(table, column as i16, user, select) == may
                })
    }
}

/// The parent of a child table, and for each of the child's columns the number of the parent's. The parts of a flattened UNION ALL
/// have none that is a table.
unsafe fn parent<'p>(
    root: *mut pg_sys::PlannerInfo,
    number: pg_sys::Index,
) -> Option<(pg_sys::Index, &'p [i16])> {
    // SAFETY: as above; the numbers are as many as the child has columns.
    unsafe {
        let infos = (*root).append_rel_array;
        let info = if infos.is_null() { infos.cast() } else { *infos.add(number as usize) };
        let info = info.as_ref()?;
        let entry = *(*root).simple_rte_array.add(info.parent_relid as usize);
        let numbers = match info.num_child_cols {
            0 => &[][..],
            count => std::slice::from_raw_parts(info.parent_colnos, count as usize),
        };
        ((*entry).rtekind == pg_sys::RTEKind::RTE_RELATION).then_some((info.parent_relid, numbers))
    }
}

/// The numbers of the columns that an expression reads; 0 for all of them.
unsafe fn columns_of(expression: *mut pg_sys::Node, number: pg_sys::Index) -> Vec<i32> {
    // SAFETY: pull_varattnos adds to a set that is empty at first; its members are offset so that those of system columns fit.
    unsafe {
        let (mut set, mut columns, mut last) = (std::ptr::null_mut(), Vec::new(), -1);
        pg_sys::pull_varattnos(expression, number, &raw mut set);
        loop {
            last = pg_sys::bms_next_member(set, last);
            if last < 0 {
                return columns;
            }
            columns.push(last + pg_sys::FirstLowInvalidHeapAttributeNumber);
        }
    }
}
