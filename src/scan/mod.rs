//! `SELECT … FROM t WHERE column @@@ q`, answered by `executor`: a node of its own in PostgreSQL's plans (custom-scan.sgml).
//!
//! ```text
//! path      which table, which index, at what cost        set_rel_pathlist_hook
//! plan      path → plan, and what is carried in it
//! node      the plan at work: counted rows, or those of `pages`
//! answer    what it asks of the executor
//! pages     the table's pages that have a match
//! explain   what EXPLAIN says of it
//!
//! selectivity   how many rows meet a condition `column @@@ q`, for any plan; reservoir: a sample of them
//! rights        whether who asks may know
//! ```
//!
//! Where no column is needed above the scan (`count(*)`, `EXISTS`) it hands out as many empty rows as the exact count says. Else it
//! reads the rows in the table's order, as a bitmap heap scan does, which it takes the place of.

mod explain;
mod node;
mod pages;
mod path;
mod plan;
mod reservoir;
mod result;
mod rights;
mod selectivity;

pub use selectivity::estimate;

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static ENABLED: GucSetting<bool> = GucSetting::<bool>::new(true);

/// Makes the node known to the server, once a process.
///
/// This is called when the library is loaded, which need not be at the server's start: the planner asks for paths only after it
/// asked for the selectivity of the table's conditions (allpaths.c: set_base_rel_sizes, then set_base_rel_pathlists), and that of
/// `@@@` is asked of this library. Nor can a plan with the node get into a process by other ways: plans are kept where they were
/// made, and those sent to parallel workers have no such node.
pub fn init() {
    GucRegistry::define_bool_guc(
        c"session_store.enable_scan",
        c"Enables the planner's use of the scan that answers @@@ from posting lists.",
        c"Where it is off, PostgreSQL's own bitmap heap scan reads the same indexes.",
        &ENABLED,
        GucContext::Userset,
        GucFlags::EXPLAIN,
    );
    plan::register();
    path::install();
}
