//! Tells the planner how many documents session_stream will return (supportnodes.h,
//! SupportRequestRows), and session_list how many there are.

use super::catalog::{Operator, Store};
use super::search::StoreQuery;
use super::select::Window;
use crate::error::Result;
use crate::pg::spi::Spi;
use crate::predicate::Predicate;
use crate::{executor, scan};
use pgrx::{FromDatum, PgList, pg_sys};

/// How many partitions are looked into: more would make planning slow. A hash distributes the
/// documents, so the other partitions are like these.
const SAMPLED_PARTITIONS: usize = 8;

/// Answers a request of the planner about a call of session_stream. Returns false if it is another
/// request, or if nothing is known about the call.
///
/// # Safety
/// The request must be one that the planner passes to a support function.
pub unsafe fn answer_request(request: *mut pg_sys::Node) -> bool {
    // SAFETY: the caller says that the planner has passed this node. Every node begins with its
    // type, which is checked before the node is read as such.
    unsafe {
        if !pgrx::is_a(request, pg_sys::NodeTag::T_SupportRequestRows) {
            return false;
        }
        let request = &mut *request.cast::<pg_sys::SupportRequestRows>();
        let Some(rows) = StreamCall::of(request).and_then(|arguments| arguments.rows()) else {
            return false;
        };
        request.rows = rows;
        true
    }
}

/// The arguments of a call, as far as they are known before it is made.
struct StreamCall {
    store: String,
    query: String,
    window: Window,
}

impl StreamCall {
    /// None if the node is not a call, or if an argument is not known yet.
    unsafe fn of(request: &pg_sys::SupportRequestRows) -> Option<StreamCall> {
        // SAFETY: a planned call has all arguments of the function in their order, defaults
        // included, and a constant has the type that the function declares for it.
        unsafe {
            if !pgrx::is_a(request.node, pg_sys::NodeTag::T_FuncExpr) {
                return None;
            }
            let arguments = (*request.node.cast::<pg_sys::FuncExpr>()).args;
            let arguments = PgList::<pg_sys::Node>::from_pg(arguments);
            let constant = |number| {
                let argument = arguments.get_ptr(number)?;
                let value = pg_sys::estimate_expression_value(request.root, argument);
                pgrx::is_a(value, pg_sys::NodeTag::T_Const).then(|| &*value.cast::<pg_sys::Const>())
            };
            let text = |number| {
                let value: &pg_sys::Const = constant(number)?;
                String::from_datum(value.constvalue, value.constisnull)
            };
            let number = |number| {
                let value: &pg_sys::Const = constant(number)?;
                Some(i64::from_datum(value.constvalue, value.constisnull))
            };
            let window = Window::new(number(3)?.unwrap_or(0), number(4)?).ok()?;
            Some(StreamCall { store: text(0)?, query: text(1)?, window })
        }
    }

    /// None if the index is not used: if there is none, or if the user may not see all rows and so
    /// must not know how many there are (executor::check_access). An error in the arguments is not
    /// raised here but when the call is made.
    fn rows(&self) -> Option<f64> {
        let matches = self.matches().ok().flatten()?;
        let left = (matches - self.window.start() as f64).max(0.0);
        Some(self.window.rows().map_or(left, |rows| left.min(rows as f64)))
    }

    fn matches(&self) -> Result<Option<f64>> {
        let search = StoreQuery::parse(&self.query)?;
        let table = Spi::connect(|spi| Store::find(spi, &self.store))?.table;
        matches_of(table, &search.predicate)
    }
}

/// About how many documents a store's table has, from a few pages of its index. None if the index is
/// not used, as above.
pub fn documents(table: pg_sys::Oid) -> Option<i64> {
    matches_of(table, &Predicate::All).ok().flatten().map(|documents| documents.round() as i64)
}

fn matches_of(table: pg_sys::Oid, predicate: &Predicate) -> Result<Option<f64>> {
    let Ok(parts) = executor::indexed_tables(table, Operator::find()?.oid) else {
        return Ok(None);
    };
    let asked = &parts[..parts.len().min(SAMPLED_PARTITIONS)];
    let matches =
        asked.iter().try_fold(0.0, |sum, part| Ok(sum + scan::estimate(part, predicate)?))?;
    Ok(Some(matches * parts.len() as f64 / asked.len().max(1) as f64))
}
