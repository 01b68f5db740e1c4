//! The plan at work (nodeCustom.c). When the first row is fetched, the queries are evaluated and
//! the executor answers them. Then the rows are returned one by one.

use super::clause;
use super::execute::execute;
use super::field_test::FieldTests;
use super::heap_pages::HeapPages;
use super::methods::{Execution, Methods};
use super::result::{ScanResult, ScanTarget};
use super::scan_info::{self, NAME, ScanInfo};
use super::state::{LuceneScanState, Scan, scan_of};
use crate::executor::{IndexedTable, ReadStats};
use crate::memory;
use pgrx::{PgList, PgMemoryContexts, pg_guard, pg_sys};

static EXECUTION: Methods<pg_sys::CustomExecMethods> =
    Methods::of_state(NAME, Execution { begin, next, rescan, end })
        .explained(super::explain::explain);

/// CreateCustomScanState
#[pg_guard]
pub unsafe extern "C-unwind" fn create(_plan: *mut pg_sys::CustomScan) -> *mut pg_sys::Node {
    // SAFETY: the type is what `new_state` asks for; zero is false, and a null pointer.
    unsafe { EXECUTION.new_state::<LuceneScanState>() }
}

/// BeginCustomScan
#[pg_guard]
unsafe extern "C-unwind" fn begin(
    node: *mut pg_sys::CustomScanState,
    estate: *mut pg_sys::EState,
    flags: std::ffi::c_int,
) {
    // SAFETY: ExecInitCustomScan calls this with a node of `create` and its plan, and the relation
    // is open.
    unsafe {
        let ss = &raw mut (*node).ss;
        let plan = (*ss).ps.plan.cast::<pg_sys::CustomScan>();
        let relation = (*ss).ss_currentRelation;
        let columns = (*relation).rd_att;

        // ExecInitCustomScan has assumed that rows are virtual, but those of a table are not, and
        // expressions are compiled for one kind of row. So this repeats what it did, as
        // nodeBitmapHeapscan.c has it. From PostgreSQL 16 on, slotOps could say it in advance.
        let rows = pg_sys::table_slot_callbacks(relation);
        pg_sys::ExecInitScanTupleSlot(estate, ss, columns, rows);
        pg_sys::ExecAssignScanProjectionInfo(ss);
        (*ss).ps.subPlan = std::ptr::null_mut();
        (*ss).ps.qual = pg_sys::ExecInitQual((*plan).scan.plan.qual, &raw mut (*ss).ps);

        let (conditions, others) = scan_info::conditions(plan);
        let queries = PgList::<pg_sys::Node>::from_pg(conditions)
            .iter_ptr()
            .filter_map(|condition| clause::query_of(condition))
            .map(|query| pg_sys::ExecInitExpr(query.cast(), &raw mut (*ss).ps))
            .collect();
        let ScanInfo { index, column, is_counted, .. } = ScanInfo::of(plan);
        // Like the index scans of the server, the node keeps the index open until it ends, so that
        // nobody drops or rebuilds it.
        let is_explained = flags & pg_sys::EXEC_FLAG_EXPLAIN_ONLY as i32 != 0;
        let lock = pg_sys::AccessShareLock as i32;
        let target = ScanTarget {
            indexed: IndexedTable { table: (*relation).rd_id, index, column },
            relation,
            index: match is_explained {
                true => std::ptr::null_mut(),
                false => pg_sys::index_open(index, lock),
            },
            snapshot: (*estate).es_snapshot,
            is_counted: is_counted && !may_be_asked_for_place(estate),
        };
        let state = &mut *node.cast::<LuceneScanState>();
        // Nothing is computed from the rows, and nobody asks where they are.
        let is_empty_row_enough = (*plan).scan.plan.targetlist.is_null()
            && (*ss).ps.qual.is_null()
            && (*estate).es_epq_active.is_null()
            && !may_be_asked_for_place(estate);
        let field_tests = FieldTests::new(others, column, columns, &raw mut (*ss).ps);
        state.returns_empty_slot =
            is_empty_row_enough && (others.is_null() || field_tests.is_some());
        let scan = Scan {
            target,
            queries,
            conditions: pg_sys::ExecInitQual(conditions, &raw mut (*ss).ps),
            others: pg_sys::ExecInitQual(others, &raw mut (*ss).ps),
            field_tests,
            counts_matches: is_empty_row_enough,
            current_queries: (None, None),
            is_current: false,
            result: ScanResult::none(),
            passing: 0,
            findings: None,
            earlier: ReadStats::default(),
            pages: HeapPages::new(target.relation, target.snapshot),
            removed: 0,
        };
        state.scan = PgMemoryContexts::For((*estate).es_query_cxt).leak_and_drop_on_delete(scan);
        state.empty = pg_sys::ExecInitExtraTupleSlot(
            estate,
            pg_sys::CreateTemplateTupleDesc(0),
            &raw const pg_sys::TTSOpsVirtual,
        );
    }
}

/// Whether `WHERE CURRENT OF` may ask where the last row lies, which is unknown if rows are only
/// counted. It may if a named cursor is being opened (pquery.c, PortalStart) with a plan that
/// execCurrent.c looks into.
unsafe fn may_be_asked_for_place(estate: *mut pg_sys::EState) -> bool {
    // SAFETY: ActivePortal is null, or the portal that is being started or run. The plan of a
    // statement has the nodes that their types say.
    unsafe {
        let portal = pg_sys::ActivePortal;
        if portal.is_null()
            || (*portal).status != pg_sys::PortalStatus::PORTAL_DEFINED
            || *(*portal).name == 0
        {
            return false;
        }
        let mut plan = (*(*estate).es_plannedstmt).planTree;
        loop {
            plan = match (*plan).type_ {
                pg_sys::NodeTag::T_Result | pg_sys::NodeTag::T_Limit => (*plan).lefttree,
                pg_sys::NodeTag::T_SubqueryScan => (*plan.cast::<pg_sys::SubqueryScan>()).subplan,
                // A count is a row of no table.
                pg_sys::NodeTag::T_CustomScan => {
                    return (*plan.cast::<pg_sys::Scan>()).scanrelid != 0;
                }
                pg_sys::NodeTag::T_Append | pg_sys::NodeTag::T_MergeAppend => return true,
                _ => return false,
            };
            if plan.is_null() {
                return false;
            }
        }
    }
}

// pgrx binds this too, but puts a guard around each call, which takes time.
unsafe extern "C-unwind" {
    fn ExecScan(
        node: *mut pg_sys::ScanState,
        access: pg_sys::ExecScanAccessMtd,
        recheck: pg_sys::ExecScanRecheckMtd,
    ) -> *mut pg_sys::TupleTableSlot;
}

/// ExecCustomScan. This function and `access` have no guard, which would double their time. If the
/// server raises an error, for example in a condition, it passes both, and they have nothing to
/// drop.
unsafe extern "C-unwind" fn next(
    node: *mut pg_sys::CustomScanState,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the server calls this with a node that `begin` has set up.
    unsafe {
        let state = node.cast::<LuceneScanState>();
        if (*state).returns_empty_slot && (*state).left > 0 {
            (*state).left -= 1;
            return (*state).empty;
        }
        ExecScan(&raw mut (*node).ss, Some(access), Some(recheck))
    }
}

/// The number of rows that a plan has left, if it is this node and only counts. They are taken as
/// returned, also for EXPLAIN ANALYZE.
///
/// # Safety
/// The state must be that of a plan that was initialized.
pub unsafe fn take_count(node: *mut pg_sys::PlanState) -> Option<u64> {
    // SAFETY: the caller's state is of a plan at work, and if it has these methods, of `create`.
    unsafe {
        if !EXECUTION.is_of(node) {
            return None;
        }
        let state = &mut *node.cast::<LuceneScanState>();
        let scan = &mut *state.scan;
        let instrument = (*node).instrument;
        if !state.returns_empty_slot || !scan.target.is_counted {
            return None;
        }
        if !scan.is_current {
            if !instrument.is_null() {
                pg_sys::InstrStartNode(instrument);
            }
            let done = execute(state, scan);
            if !instrument.is_null() {
                pg_sys::InstrStopNode(instrument, state.left as f64);
            }
            done.unwrap_or_else(|error| error.raise());
        }
        matches!(scan.result, ScanResult::Counted(..)).then(|| std::mem::take(&mut state.left))
    }
}

/// The number of rows that a plan has counted and not yet returned, if it is this node and nobody
/// computes anything from its rows. They are taken as returned.
///
/// # Safety
/// The state must be that of a plan that was initialized.
pub unsafe fn take_left(node: *mut pg_sys::PlanState) -> u64 {
    // SAFETY: the caller's state is of a plan at work, and if it has these methods, of `create`.
    unsafe {
        let state = node.cast::<LuceneScanState>();
        // EXPLAIN ANALYZE counts the rows as they are returned.
        match EXECUTION.is_of(node) && (*node).instrument.is_null() && (*state).returns_empty_slot {
            true => std::mem::take(&mut (*state).left),
            false => 0,
        }
    }
}

/// The next row. ExecScan evaluates the other conditions for it, and computes what the plan
/// returns.
unsafe extern "C-unwind" fn access(ss: *mut pg_sys::ScanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: ExecScan calls this with the node that was passed to it.
    unsafe {
        let scan = (*ss.cast::<LuceneScanState>()).scan;
        match (*scan).others.is_null() && (*scan).pages.next_on_page((*ss).ss_ScanTupleSlot) {
            true => (*ss).ss_ScanTupleSlot,
            false => next_slow(ss),
        }
    }
}

/// The next row if it is not on the pinned page.
#[pg_guard]
unsafe extern "C-unwind" fn next_slow(ss: *mut pg_sys::ScanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: `access` passes on the node that ExecScan has passed to it.
    memory::watched(|| unsafe { next_row(ss) })
}

unsafe fn next_row(ss: *mut pg_sys::ScanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the node is one that `begin` has set up. The server runs one function of a node at a
    // time.
    unsafe {
        let state = &mut *ss.cast::<LuceneScanState>();
        let scan = &mut *state.scan;
        if !scan.is_current {
            execute(state, scan).unwrap_or_else(|error| error.raise());
        }
        loop {
            let mut slot = (*ss).ss_ScanTupleSlot;
            if let (true, Some(tests), ScanResult::Rows(candidates)) =
                (scan.counts_matches, &scan.field_tests, &mut scan.result)
            {
                if state.left > 0 {
                    state.left -= 1;
                    return state.empty;
                }
                let findings = &mut scan.findings;
                let check = |root, tuple: &mut _| {
                    let answer = tests.check(tuple);
                    if let (Some(findings), Some(passes)) = (findings.as_mut(), answer) {
                        findings.add(root, passes);
                    }
                    answer
                };
                match scan.pages.count_matches(candidates, check) {
                    Ok(0) => {}
                    Ok(matching) => {
                        state.left = matching - 1;
                        return state.empty;
                    }
                    Err(error) => error.raise(),
                }
            }
            let needs_recheck = match &mut scan.result {
                ScanResult::Counted(..) => {
                    if state.left == 0 {
                        return std::ptr::null_mut();
                    }
                    state.left -= 1;
                    slot = state.empty;
                    false
                }
                ScanResult::Rows(candidates) => match scan.pages.next(candidates, slot) {
                    Ok(Some(needs_recheck)) => needs_recheck,
                    Ok(None) => {
                        let found = scan.findings.take().map(|found| scan.target.remember(found));
                        found.transpose().unwrap_or_else(|error| error.raise());
                        return pg_sys::ExecClearTuple(slot);
                    }
                    Err(error) => error.raise(),
                },
                ScanResult::Unknown(table) => {
                    let forward = pg_sys::ScanDirection::ForwardScanDirection;
                    if !pg_sys::table_scan_getnextslot(*table, forward, slot) {
                        return pg_sys::ExecClearTuple(slot);
                    }
                    true
                }
            };
            if needs_recheck && !meets(ss, scan.conditions, slot) {
                scan.removed += 1;
            } else if meets(ss, scan.others, slot) {
                return slot;
            }
            memory::check();
        }
    }
}

/// Whether the newest version of a row satisfies the conditions, for EvalPlanQual.
#[pg_guard]
unsafe extern "C-unwind" fn recheck(
    ss: *mut pg_sys::ScanState,
    slot: *mut pg_sys::TupleTableSlot,
) -> bool {
    // SAFETY: ExecScan calls this with the node that was passed to it, and a slot for rows of the
    // table.
    unsafe {
        let scan = (*ss.cast::<LuceneScanState>()).scan;
        memory::watched(|| meets(ss, (*scan).conditions, slot) && meets(ss, (*scan).others, slot))
    }
}

/// Whether a row satisfies some conditions.
unsafe fn meets(
    ss: *mut pg_sys::ScanState,
    conditions: *mut pg_sys::ExprState,
    slot: *mut pg_sys::TupleTableSlot,
) -> bool {
    // SAFETY: the conditions were compiled for this node, or are null if there are none.
    // ExecQualAndReset frees what one row has allocated.
    unsafe {
        if conditions.is_null() {
            return true;
        }
        let context = (*ss).ps.ps_ExprContext;
        (*context).ecxt_scantuple = slot;
        pg_sys::ExecQualAndReset(conditions, context)
    }
}

/// ReScanCustomScan. Parameters may have changed, so the queries have to be evaluated again.
#[pg_guard]
unsafe extern "C-unwind" fn rescan(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the server calls this with a node that `begin` has set up.
    unsafe {
        let state = &mut *node.cast::<LuceneScanState>();
        let scan = &mut *state.scan;
        (scan.is_current, state.left) = (false, 0);
        scan.pages.release();
        pg_sys::ExecScanReScan(&raw mut (*node).ss);
    }
}

/// EndCustomScan
#[pg_guard]
unsafe extern "C-unwind" fn end(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the server calls this with a node that `begin` has set up. `begin` has opened the
    // index; the server clears the slots and closes the relation afterwards.
    unsafe {
        let scan = scan_of(node);
        scan.close();
        if !scan.target.index.is_null() {
            pg_sys::index_close(scan.target.index, pg_sys::NoLock as i32);
        }
    }
}
