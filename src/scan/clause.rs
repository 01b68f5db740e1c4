//! A condition `column @@@ query`, as the planner has it.

use crate::pg::varlena::Varlena;
use pgrx::{PgList, pg_sys};

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
    // SAFETY: a lucene_query is laid out as text is, which has variable length.
    unsafe { Varlena::new(query) }.bytes()
}
