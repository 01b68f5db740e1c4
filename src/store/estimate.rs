//! How many documents session_stream will give, for the planner (supportnodes.h, SupportRequestRows).

use super::catalog::{Operator, Store};
use super::search::StoreQuery;
use super::select::Window;
use crate::error::Result;
use crate::pg::spi::Spi;
use crate::{executor, scan};
use pgrx::{FromDatum, PgList, pg_sys};

/// So many parts are asked; as parts are by a hash, the others are taken to be like them.
const SAMPLED_PARTITIONS: usize = 8;

/// Answers a request of the planner's about a call of session_stream; false where it is another request, or nothing is known.
///
/// # Safety
/// The request must be one that a support function is called with.
pub unsafe fn answer_request(request: *mut pg_sys::Node) -> bool {
    // SAFETY: as above; a node says what it is.
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

/// The arguments of a call that are known before it is made.
struct StreamCall {
    store: String,
    query: String,
    window: Window,
}

impl StreamCall {
    /// None where the call is not one, or an argument is known only later.
    unsafe fn of(request: &pg_sys::SupportRequestRows) -> Option<StreamCall> {
        // SAFETY: a call's expression has its arguments in the order of the function's, and with its defaults, once it is planned; each
        // is of the type that the function has it.
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

    /// None where the index is not asked: there is none, or the user may not see all rows, and so must not know how many there are
    /// (executor::check_access). That something is wrong with the call is said when it is made.
    fn rows(&self) -> Option<f64> {
        let matches = self.matches().ok().flatten()?;
        let left = (matches - self.window.start() as f64).max(0.0);
        Some(self.window.rows().map_or(left, |rows| left.min(rows as f64)))
    }

    fn matches(&self) -> Result<Option<f64>> {
        let search = StoreQuery::parse(&self.query)?;
        Spi::connect(|spi| {
            let (store, operator) = (Store::find(spi, &self.store)?, Operator::find(spi)?);
            let Ok(parts) = executor::indexed_tables(store.table, operator.oid) else {
                return Ok(None);
            };
            let asked = &parts[..parts.len().min(SAMPLED_PARTITIONS)];
            let matches = asked
                .iter()
                .try_fold(0.0, |sum, part| Ok(sum + scan::estimate(part, &search.predicate)?))?;
            Ok(Some(matches * parts.len() as f64 / asked.len().max(1) as f64))
        })
    }
}
