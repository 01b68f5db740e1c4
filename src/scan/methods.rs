//! The tables of functions that each custom node of ours hands to the server (nodes/extensible.h),
//! and what such nodes have in common.

use pgrx::{pg_guard, pg_sys};
use std::ffi::CStr;

/// A table of functions for the server: at one address as long as the process runs.
pub struct Methods<T>(pub T);

// SAFETY: these tables hold names and functions, which never change.
unsafe impl<T> Sync for Methods<T> {}

impl Methods<pg_sys::CustomPathMethods> {
    /// `plan` makes the plan of a path.
    pub const fn of_path(
        name: &'static CStr,
        plan: unsafe extern "C-unwind" fn(
            *mut pg_sys::PlannerInfo,
            *mut pg_sys::RelOptInfo,
            *mut pg_sys::CustomPath,
            *mut pg_sys::List,
            *mut pg_sys::List,
            *mut pg_sys::List,
        ) -> *mut pg_sys::Plan,
    ) -> Self {
        Methods(pg_sys::CustomPathMethods {
            CustomName: name.as_ptr(),
            PlanCustomPath: Some(plan),
            ReparameterizeCustomPathByChild: None,
        })
    }
}

impl Methods<pg_sys::CustomScanMethods> {
    /// `create` makes the state of a plan.
    pub const fn of_plan(
        name: &'static CStr,
        create: unsafe extern "C-unwind" fn(*mut pg_sys::CustomScan) -> *mut pg_sys::Node,
    ) -> Self {
        Methods(pg_sys::CustomScanMethods {
            CustomName: name.as_ptr(),
            CreateCustomScanState: Some(create),
        })
    }

    /// Lets the server read plans with these methods, for example in parallel workers.
    pub fn register(&'static self) {
        // SAFETY: the server loads a library once in a process, and so this runs once for a name.
        unsafe { pg_sys::RegisterCustomScanMethods(&raw const self.0) };
    }
}

/// What a node of ours does when it runs: the functions of nodeCustom.c that have no default here.
pub struct Execution {
    pub begin: unsafe extern "C-unwind" fn(*mut pg_sys::CustomScanState, *mut pg_sys::EState, i32),
    pub next:
        unsafe extern "C-unwind" fn(*mut pg_sys::CustomScanState) -> *mut pg_sys::TupleTableSlot,
    pub rescan: unsafe extern "C-unwind" fn(*mut pg_sys::CustomScanState),
    pub end: unsafe extern "C-unwind" fn(*mut pg_sys::CustomScanState),
}

impl Methods<pg_sys::CustomExecMethods> {
    pub const fn of_state(name: &'static CStr, does: Execution) -> Self {
        Methods(pg_sys::CustomExecMethods {
            CustomName: name.as_ptr(),
            BeginCustomScan: Some(does.begin),
            ExecCustomScan: Some(does.next),
            EndCustomScan: Some(does.end),
            ReScanCustomScan: Some(does.rescan),
            MarkPosCustomScan: None,
            RestrPosCustomScan: None,
            EstimateDSMCustomScan: None,
            InitializeDSMCustomScan: None,
            ReInitializeDSMCustomScan: None,
            InitializeWorkerCustomScan: None,
            ShutdownCustomScan: None,
            ExplainCustomScan: None,
        })
    }

    /// The same, with what EXPLAIN shows of the node.
    pub const fn explained(
        mut self,
        explain: unsafe extern "C-unwind" fn(
            *mut pg_sys::CustomScanState,
            *mut pg_sys::List,
            *mut pg_sys::ExplainState,
        ),
    ) -> Self {
        self.0.ExplainCustomScan = Some(explain);
        self
    }

    /// A state with these methods, all zero behind the server's part.
    ///
    /// # Safety
    /// The type must be repr(C), begin with the server's CustomScanState, and be valid if the rest of
    /// it is zero.
    pub unsafe fn new_state<T>(&'static self) -> *mut pg_sys::Node {
        // SAFETY: palloc0 returns zeroed memory of the right size, which is how the server makes
        // nodes. The caller's type begins with the server's.
        unsafe {
            let node = pg_sys::palloc0(size_of::<T>()).cast::<pg_sys::CustomScanState>();
            (*node).ss.ps.type_ = pg_sys::NodeTag::T_CustomScanState;
            (*node).methods = &raw const self.0;
            node.cast()
        }
    }

    /// Whether a state was made by `new_state` of these methods.
    ///
    /// # Safety
    /// The state must be that of a plan that was initialized.
    pub unsafe fn is_of(&'static self, node: *mut pg_sys::PlanState) -> bool {
        // SAFETY: a node that says that it is a custom one has methods.
        unsafe {
            pgrx::is_a(node.cast(), pg_sys::NodeTag::T_CustomScanState)
                && (*node.cast::<pg_sys::CustomScanState>()).methods == &raw const self.0
        }
    }
}

/// Stores the same value in each column of a node's slot: null for none.
///
/// # Safety
/// The slot must be one for virtual rows, and its columns of a type that is passed by value and that
/// the value has.
pub unsafe fn store_row(slot: *mut pg_sys::TupleTableSlot, value: Option<pg_sys::Datum>) {
    // SAFETY: a slot has as many values as its descriptor has columns.
    unsafe {
        pg_sys::ExecClearTuple(slot);
        for column in 0..(*(*slot).tts_tupleDescriptor).natts as usize {
            *(*slot).tts_values.add(column) = value.unwrap_or_else(pg_sys::Datum::null);
            *(*slot).tts_isnull.add(column) = value.is_none();
        }
        pg_sys::ExecStoreVirtualTuple(slot);
    }
}

/// For nodes whose row is in no table, and in which EvalPlanQual has nothing to check.
#[pg_guard]
pub unsafe extern "C-unwind" fn no_recheck(
    _ss: *mut pg_sys::ScanState,
    _slot: *mut pg_sys::TupleTableSlot,
) -> bool {
    true
}
