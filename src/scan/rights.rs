//! Whether the user who plans a query may read all rows of a column. Only then may an estimate
//! depend on the values in it. Otherwise a hidden value would show in the plan (CVE-2017-7484,
//! CVE-2019-10130, CVE-2025-8713).
//!
//! PostgreSQL lets a leakproof operator see its statistics anyway. These are a sample, and as old
//! as the last ANALYZE. An index, however, knows every row, the newest included. So no operator is
//! exempt here.

use pgrx::{PgList, pg_sys};

/// Whether the user may read all rows of the column, or of the columns in an expression.
///
/// # Safety
/// The variable must be one that the planner has examined (selfuncs.c, examine_variable).
pub unsafe fn may_read_all(
    root: *mut pg_sys::PlannerInfo,
    variable: &pg_sys::VariableStatData,
) -> bool {
    // SAFETY: the nodes are the planner's, and it has examined the variable.
    unsafe {
        if is_within_barrier(root) {
            return false;
        }
        let rel = variable.rel;
        if rel.is_null() || (*rel).rtekind != pg_sys::RTEKind::RTE_RELATION {
            // PostgreSQL finds statistics through a subquery, and has checked the rights on the
            // table that they belong to.
            return variable.acl_ok;
        }
        may_read_table(root, rel, variable.var)
    }
}

/// Whether the query that is planned belongs to a view with security_barrier. Leakproof conditions
/// are moved into such a view, where they look like conditions on a plain table. It is not visible
/// from here whether this query or one beside it is the view's, so both count.
unsafe fn is_within_barrier(root: *mut pg_sys::PlannerInfo) -> bool {
    // SAFETY: the nodes are the planner's. A query that is planned has a range table.
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

/// Whether conditions of a policy or a view stand between the rows of a table and the user.
///
/// # Safety
/// The relation must be one of the query, or null.
pub unsafe fn has_hidden_rows(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
) -> bool {
    // SAFETY: the nodes are the planner's, and its arrays have a place for each relation.
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

/// Follows all_rows_selectable in selfuncs.c of version 18; before, examine_simple_variable looks
/// at a child by itself. What counts is the table that the query names: for a partition or child,
/// its topmost parent. The rights are those of the role for which the query reads, for example the
/// owner of a view.
unsafe fn may_read_table(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    expression: *mut pg_sys::Node,
) -> bool {
    // SAFETY: the nodes are the planner's, and its arrays have a place for each relation.
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

/// The parent of a child table, and the number of the parent's column for each of the child's
/// columns. Parts of a flattened UNION ALL have a parent that is not a table.
unsafe fn parent<'p>(
    root: *mut pg_sys::PlannerInfo,
    number: pg_sys::Index,
) -> Option<(pg_sys::Index, &'p [i16])> {
    // SAFETY: the nodes are the planner's, and its arrays have a place for each relation.
    // parent_colnos has as many elements as num_child_cols says.
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

/// The numbers of the columns that an expression reads. 0 stands for the whole row.
unsafe fn columns_of(expression: *mut pg_sys::Node, number: pg_sys::Index) -> Vec<i32> {
    // SAFETY: pull_varattnos adds to a set, which is empty at first. It shifts the numbers so that
    // those of system columns, which are negative, fit in.
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
