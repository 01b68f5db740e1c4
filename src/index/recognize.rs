//! Which indexes this library can read, and which of them answer an operator. The one place that
//! knows.
//!
//! An index is readable if it is a GIN index of one column with keys of type bytea. It answers an
//! operator if it is also of the operator's family, and has entries for all rows of its table.

use pgrx::{FromDatum, pg_sys};

/// The properties that decide. Both an open index and one in the planner's list have them.
struct IndexTraits {
    oid: pg_sys::Oid,
    access_method: pg_sys::Oid,
    columns: i32,
    /// The operator family of the first column.
    family: pg_sys::Oid,
    /// Whether rows can be missing, because the index has a predicate (`CREATE INDEX … WHERE …`).
    is_partial: bool,
}

impl IndexTraits {
    /// # Safety
    /// The index must be open.
    unsafe fn of_relation(relation: pg_sys::Relation) -> IndexTraits {
        // SAFETY: the caller's index is open. So it has its row of pg_class, and an operator family
        // for each of its key columns, of which every index has one at least.
        unsafe {
            let class = &*(*relation).rd_rel;
            IndexTraits {
                oid: (*relation).rd_id,
                access_method: class.relam,
                columns: i32::from(class.relnatts),
                family: *(*relation).rd_opfamily,
                is_partial: !pg_sys::RelationGetIndexPredicate(relation).is_null(),
            }
        }
    }

    /// # Safety
    /// The index must be one of the planner's.
    unsafe fn of_planner(index: *mut pg_sys::IndexOptInfo) -> IndexTraits {
        // SAFETY: the planner's lists hold what their names say (pathnodes.h), and it has an
        // operator family for each key column, of which every index has one at least.
        unsafe {
            IndexTraits {
                oid: (*index).indexoid,
                access_method: (*index).relam,
                columns: (*index).nkeycolumns,
                family: *(*index).opfamily,
                is_partial: !(*index).indpred.is_null(),
            }
        }
    }

    fn is_readable(&self) -> bool {
        // SAFETY: looks into the server's caches, which say 0 where there is no such index. Its
        // first attribute has the type of the keys that it stores.
        let key_type = || unsafe { pg_sys::get_atttype(self.oid, 1) };
        self.access_method == pg_sys::GIN_AM_OID
            && self.columns == 1
            && key_type() == pg_sys::BYTEAOID
    }

    fn answers(&self, operator: pg_sys::Oid) -> bool {
        // SAFETY: looks into the server's caches, which know of any OID whether it is there.
        let is_of_family = || unsafe { pg_sys::op_in_opfamily(operator, self.family) };
        self.is_readable() && !self.is_partial && is_of_family()
    }
}

/// Whether an index is one of GIN, without opening it.
pub fn is_gin(index: pg_sys::Oid) -> bool {
    let cache = pg_sys::SysCacheIdentifier::RELOID as i32;
    // SAFETY: this looks into the server's cache of pg_class (syscache.h). The entry is pinned while
    // it is read.
    unsafe {
        let entry = pg_sys::SearchSysCache1(cache, index.into());
        if entry.is_null() {
            return false;
        }
        let (column, mut is_null) = (pg_sys::Anum_pg_class_relam as i16, true);
        let method = pg_sys::SysCacheGetAttr(cache, entry, column, &raw mut is_null);
        pg_sys::ReleaseSysCache(entry);
        pg_sys::Oid::from_datum(method, is_null) == Some(pg_sys::GIN_AM_OID)
    }
}

/// Whether an index can be read: GIN, of one column, with keys of type bytea.
///
/// # Safety
/// The index must be open.
pub unsafe fn is_readable(relation: pg_sys::Relation) -> bool {
    // SAFETY: the caller says that the index is open.
    unsafe { IndexTraits::of_relation(relation) }.is_readable()
}

/// Whether an open index answers an operator on a column of its table.
///
/// # Safety
/// The index must be open.
pub unsafe fn relation_answers(
    relation: pg_sys::Relation,
    operator: pg_sys::Oid,
    column: i32,
) -> bool {
    // SAFETY: the caller says that the index is open. So it has its row of pg_index, with at least
    // one key, which is the number of a column, or 0 of an expression.
    unsafe {
        i32::from(*(*(*relation).rd_index).indkey.values.as_ptr()) == column
            && IndexTraits::of_relation(relation).answers(operator)
    }
}

/// Whether one of the planner's indexes answers an operator on a column or expression. One that an
/// extension has made up for EXPLAIN (`hypothetical`) has no pages.
///
/// # Safety
/// The index and the expression must be the planner's, of one table.
pub unsafe fn planner_index_answers(
    index: *mut pg_sys::IndexOptInfo,
    operator: pg_sys::Oid,
    column: *mut pg_sys::Node,
) -> bool {
    // SAFETY: the caller says that both are the planner's.
    unsafe {
        !(*index).hypothetical
            && IndexTraits::of_planner(index).answers(operator)
            && pg_sys::match_index_to_operand(column, 0, index)
    }
}
