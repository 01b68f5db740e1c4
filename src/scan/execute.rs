//! What the node asks the executor: its queries, and the tests that the rows must pass besides.

use super::clause;
use super::result::ScanResult;
use super::state::{LuceneScanState, Scan};
use crate::error::Result;
use pgrx::pg_sys;

/// Evaluates the queries, and runs them if they are not the same as before.
///
/// # Safety
/// `begin` in node.rs must have set up the state.
pub unsafe fn execute(state: &mut LuceneScanState, scan: &mut Scan) -> Result<()> {
    // SAFETY: `begin` has compiled the queries and the values of conditions for this node.
    let mut queries = unsafe { evaluate(state, scan) };
    let mut tests = Vec::new();
    let mut identity = None;
    if let (Some(queries), Some(conditions)) = (&mut queries, &mut scan.field_tests) {
        // SAFETY: likewise.
        unsafe { conditions.evaluate(state.custom.ss.ps.ps_ExprContext) };
        identity = conditions.identity().filter(|_| scan.counts_matches);
        match identity {
            Some(_) => tests.extend(conditions.queries()),
            None => queries.extend(conditions.queries()),
        }
    }
    scan.is_current = true;
    let asked = (queries, identity);
    if scan.current_queries == asked {
        scan.result.restart();
    } else {
        scan.close();
        if let (Some(queries), Some(identity)) = &asked {
            (scan.result, scan.passing, scan.findings) =
                scan.target.execute_tested(queries, identity.clone(), &tests)?;
        } else if let (Some(queries), None) = &asked {
            scan.result = scan.target.execute_all(queries)?;
        }
        scan.current_queries = asked;
    }
    state.left = match scan.result {
        ScanResult::Counted(count, _) => count,
        ScanResult::Rows(_) => scan.passing,
        ScanResult::Unknown(_) => 0,
    };
    // SAFETY: the empty slot has no columns, so no value has to be set.
    unsafe {
        pg_sys::ExecClearTuple(state.empty);
        pg_sys::ExecStoreVirtualTuple(state.empty);
    }
    Ok(())
}

/// The texts of the queries. None if one of them is null, since then no row matches.
unsafe fn evaluate(state: &LuceneScanState, scan: &Scan) -> Option<Vec<Vec<u8>>> {
    // SAFETY: the expressions are of type lucene_query, were compiled for this node, and need no
    // row.
    unsafe {
        let context = state.custom.ss.ps.ps_ExprContext;
        let evaluate = |query: &*mut pg_sys::ExprState| {
            let mut is_null = false;
            let datum = pg_sys::ExecEvalExprSwitchContext(*query, context, &raw mut is_null);
            (!is_null).then(|| clause::text(datum).to_vec())
        };
        let queries = scan.queries.iter().map(evaluate).collect();
        pg_sys::MemoryContextReset((*context).ecxt_per_tuple_memory);
        queries
    }
}
