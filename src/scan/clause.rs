//! A condition `column @@@ query`, as the planner has it.

use crate::pg::varlena::Varlena;
use pgrx::{PgList, pg_sys};

/// The query of a condition `column @@@ query`.
///
/// # Safety
/// The clause must be an expression of the planner.
pub unsafe fn query_of(clause: *mut pg_sys::Node) -> Option<*mut pg_sys::Node> {
    // SAFETY: the node says that it is an operator's expression, whose arguments are a list of
    // nodes.
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
    // SAFETY: the node says that it is a constant. One that is not null holds a value of its type,
    // here lucene_query.
    unsafe {
        let constant = query.cast::<pg_sys::Const>();
        let is_known = pgrx::is_a(query, pg_sys::NodeTag::T_Const) && !(*constant).constisnull;
        is_known.then(|| text((*constant).constvalue))
    }
}

/// The text of a query.
///
/// # Safety
/// The datum must be a lucene_query. The result points into it, or into the current memory context.
pub unsafe fn text<'a>(query: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: the caller says that the datum is a lucene_query. It is stored like text, which has
    // variable length.
    unsafe { Varlena::new(query) }.bytes()
}
