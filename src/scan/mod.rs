//! A node of our own in PostgreSQL's plans (custom-scan.sgml): it reads `SELECT … FROM t WHERE
//! column @@@ q` by the executor.
//!
//! ```text
//! path          may the node read this table, and at what cost (set_rel_pathlist_hook)
//! plan          path → plan
//! methods       the tables of functions that each of our nodes hands to the server
//! scan_info     what a plan carries for the node
//! node          the plan at work: the functions that the server calls
//! state         what they share; result: what the executor answers
//! heap_pages    the table's pages that have a match; field_test: conditions of policies
//! explain       what EXPLAIN shows of the node
//!
//! count_path    count(*) of such a scan, without its rows (create_upper_paths_hook)
//! count_node    that plan at work
//! set_aside     the indexes that the planner need not look at for it
//!
//! one_row       a row that stands for a whole table, for statements over shards
//!
//! clause        a condition `column @@@ query`, as the planner has it
//! selectivity   which fraction of rows satisfies one, for any plan
//! estimate      how many rows do, by a look into the index; reservoir: a random sample
//! rights        may the user know
//! ```
//!
//! Where no column is needed above the scan (`EXISTS`, `count(*)` together with other aggregates),
//! it returns as many empty rows as the exact count says. Otherwise it reads the rows in the table's order, as the bitmap heap
//! scan does that it replaces.

mod clause;
mod count_node;
mod count_path;
mod estimate;
mod execute;
mod explain;
mod field_test;
mod heap_pages;
mod methods;
mod node;
mod one_row;
mod path;
mod plan;
mod reservoir;
mod result;
mod rights;
mod scan_info;
mod selectivity;
mod set_aside;
mod state;

pub use estimate::estimate;

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static ENABLED: GucSetting<bool> = GucSetting::<bool>::new(true);

/// Registers the node with the server, once for each process.
///
/// The server calls this when it loads the library, which may be in the middle of a session. That
/// is early enough: the planner asks for the selectivity of a table's conditions before it asks for
/// paths (allpaths.c: set_base_rel_sizes, then set_base_rel_pathlists), and the selectivity
/// function of `@@@` is in this library. No plan with the node comes from another process: plans
/// stay where they were made, and those for parallel workers have no such node.
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
    one_row::register();
    path::install();
    count_path::install();
}
