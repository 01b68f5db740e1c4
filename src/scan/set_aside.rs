//! Indexes that the planner does not look at, because a path of ours is certain to answer from one
//! of them. What GIN would take for a bitmap scan takes longer to find out than a short count.
//!
//! They look like partial ones that the query does not allow to use. So the planner passes over
//! them when it makes its own paths (indxpath.c, create_index_paths).

use super::methods::Methods;
use pgrx::{PgList, pg_sys};

/// The condition of such an index: no row satisfies it. No other index has this node.
static NO_ROW: Methods<pg_sys::Const> = Methods(pg_sys::Const {
    xpr: pg_sys::Expr { type_: pg_sys::NodeTag::T_Const },
    consttype: pg_sys::BOOLOID,
    consttypmod: -1,
    constcollid: pg_sys::InvalidOid,
    constlen: 1,
    constvalue: pg_sys::Datum::null(),
    constisnull: false,
    constbyval: true,
    location: -1,
});

/// Sets all indexes of a relation aside that are not partial.
///
/// # Safety
/// The relation must be one of the planner's, whose memory context is the current one.
pub unsafe fn set_aside(rel: *mut pg_sys::RelOptInfo) {
    // SAFETY: the planner's lists hold nodes of the types that their names say (pathnodes.h). It
    // only reads the conditions of indexes.
    unsafe {
        for index in PgList::<pg_sys::IndexOptInfo>::from_pg((*rel).indexlist).iter_ptr() {
            if (*index).indpred.is_null() {
                let no_row = (&raw const NO_ROW.0).cast_mut();
                (*index).indpred = pg_sys::lappend(std::ptr::null_mut(), no_row.cast());
                (*index).predOK = false;
            }
        }
    }
}

/// Makes the indexes again what they were. Returns whether one was set aside.
///
/// # Safety
/// The relation must be one of the planner's.
pub unsafe fn put_back(rel: *mut pg_sys::RelOptInfo) -> bool {
    let mut is_any = false;
    // SAFETY: as above. A list that is not null has a first element.
    unsafe {
        for index in PgList::<pg_sys::IndexOptInfo>::from_pg((*rel).indexlist).iter_ptr() {
            let condition = (*index).indpred;
            if !condition.is_null()
                && std::ptr::eq(pg_sys::list_nth(condition, 0).cast(), &raw const NO_ROW.0)
            {
                (*index).indpred = std::ptr::null_mut();
                is_any = true;
            }
        }
    }
    is_any
}
