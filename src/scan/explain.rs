//! What EXPLAIN shows of the node.

use super::clause;
use super::scan_info::{self, ScanInfo};
use super::state::scan_of;
use pgrx::{PgList, pg_guard, pg_sys};
use std::ffi::{CStr, CString};

/// ExplainCustomScan
#[pg_guard]
pub unsafe extern "C-unwind" fn explain(
    node: *mut pg_sys::CustomScanState,
    ancestors: *mut pg_sys::List,
    es: *mut pg_sys::ExplainState,
) {
    // SAFETY: explain.c calls this with a node of ours, in a memory context of its own.
    unsafe {
        let plan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
        let info = ScanInfo::of(plan);
        let index = pg_sys::get_rel_name(info.index);
        if !index.is_null() {
            pg_sys::ExplainPropertyText(c"Index Name".as_ptr(), index, es);
        }
        let (taken, others) = scan_info::conditions(plan);
        if let Ok(query) = CString::new(queries(plan, taken, ancestors, es)) {
            pg_sys::ExplainPropertyText(c"Query".as_ptr(), query.as_ptr(), es);
        }
        if !others.is_null() {
            let filter = sql(plan, pg_sys::make_ands_explicit(others).cast(), ancestors, es);
            pg_sys::ExplainPropertyText(c"Filter".as_ptr(), filter, es);
        }
        if info.is_counted {
            pg_sys::ExplainPropertyBool(c"Counts Only".as_ptr(), true, es);
        }
        // If rows are hidden from the user, their number must be hidden, too.
        if !(*es).analyze || info.is_guarded {
            return;
        }
        let scan = scan_of(node);
        let stats = scan.read_stats();
        let number = |label: &CStr, number: u64| {
            pg_sys::ExplainPropertyUInteger(label.as_ptr(), std::ptr::null(), number, es);
        };
        number(c"Index Keys", stats.keys);
        number(c"Index Postings", stats.postings + stats.counted);
        number(c"Heap Blocks", stats.heap_pages + scan.pages.visited);
        if scan.removed > 0 {
            // PostgreSQL shows the average over all loops.
            let loops = (*node).ss.ps.instrument.as_ref().map_or(1.0, |spent| spent.nloops);
            pg_sys::ExplainPropertyFloat(
                c"Rows Removed by Index Recheck".as_ptr(),
                std::ptr::null(),
                scan.removed as f64 / loops.max(1.0),
                0,
                es,
            );
        }
    }
}

/// A constant query in its canonical form, any other as SQL.
unsafe fn queries(
    plan: *mut pg_sys::CustomScan,
    conditions: *mut pg_sys::List,
    ancestors: *mut pg_sys::List,
    es: *mut pg_sys::ExplainState,
) -> Vec<u8> {
    // SAFETY: the conditions are those of the plan, and their queries are of type lucene_query.
    unsafe {
        let queries: Vec<*mut pg_sys::Node> = PgList::<pg_sys::Node>::from_pg(conditions)
            .iter_ptr()
            .filter_map(|condition| clause::query_of(condition))
            .collect();
        if let [query] = *queries
            && let Some(text) = clause::constant(query)
        {
            return text.to_vec();
        }
        let sql = |query| CStr::from_ptr(sql(plan, query, ancestors, es)).to_bytes().to_vec();
        queries.into_iter().map(sql).collect::<Vec<_>>().join(&b" AND "[..])
    }
}

/// An expression of the plan as SQL.
unsafe fn sql(
    plan: *mut pg_sys::CustomScan,
    expression: *mut pg_sys::Node,
    ancestors: *mut pg_sys::List,
    es: *mut pg_sys::ExplainState,
) -> *const std::ffi::c_char {
    // SAFETY: these are the calls of show_scan_qual (explain.c), with the nodes that explain.c has
    // passed. The result is a C string.
    unsafe {
        let plan = plan.cast::<pg_sys::Plan>();
        let context = pg_sys::set_deparse_context_plan((*es).deparse_cxt, plan, ancestors);
        pg_sys::deparse_expression(expression, context, (*es).verbose, false)
    }
}
