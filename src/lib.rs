//! session_store: schema-free session stores in PostgreSQL, searched with Solr's query language.
//!
//! How a query and a write flow through the modules:
//!
//! ```text
//! text ──syntax──▶ Ast ──predicate──▶ Predicate ─┬─▶ key ranges ──executor──▶ rows of a table
//!                                                ├─▶ keys ──GIN's own scan──▶ rows of a table
//!                                                ├─▶ matcher ──▶ yes or no for one document
//!                                                └─▶ SQL/JSON path, for use elsewhere
//! ops jsonb ──store──▶ INSERT, DELETE ──▶ table and, through index::opclass, GIN index
//! ```
//!
//! A module imports only modules that are declared below it. Only the last three import each other,
//! because raising an error needs memory and running out of memory is an error.
//!
//! - `api` holds the SQL functions, and `store` everything that they do to tables.
//! - `facet` counts the values of a query's matches, and computes their statistics.
//! - `scan` is a node of our own in PostgreSQL's plans for `column @@@ q`.
//! - `executor` answers a predicate from the posting lists of a table's index, for `store` and
//!   `scan`.
//! - `index` says what the index keeps of a document, and which keys a predicate needs: to
//!   PostgreSQL as an operator class, to the executor by reading the pages of the index.
//! - `matcher` tests one document. `predicate` says what a query means, and `syntax` how it is
//!   written; `habits` knows what people write out of habit from other languages; `pattern` holds wildcards, fuzzy terms and regular expressions. None of them knows
//!   PostgreSQL. They see a document as `document` shows it: as a walk over its leaves.
//! - `pg` wraps the server. `error`, `memory` and `interrupts` serve all others: what can be wrong
//!   with a call, what happens if memory runs out, and whether the query was cancelled.
//!
//! docs/ARCHITECTURE.md follows one query through all of them.

mod api;
mod store;

mod facet;

mod scan;

mod executor;
pub mod index;

pub mod matcher;
pub mod predicate;

pub mod habits;
pub mod syntax;

pub mod document;
pub mod pattern;

pub mod interrupts;
pub mod parse_error;

mod error;
// Unit tests run outside a server, on many threads and with the system's allocator.
#[cfg_attr(test, allow(dead_code))]
mod memory;
mod pg;

// For scripts/shipped-bindings alone.
#[cfg(shipped_bindings)]
#[path = "../tests/versions/inline_functions.rs"]
mod inline_functions;

::pgrx::pg_module_magic!(name, version);

pgrx::extension_sql_file!("../sql/bootstrap.sql", name = "bootstrap", bootstrap);
pgrx::extension_sql_file!("../sql/operator.sql", name = "operator", requires = ["bootstrap"]);
pgrx::extension_sql_file!("../sql/finalize.sql", name = "finalize", finalize);

#[pgrx::pg_guard]
extern "C-unwind" fn _PG_init() {
    memory::init();
    error::watch_panics();
    interrupts::install(memory::check);
    executor::define_settings();
    index::define_settings();
    scan::init();
    store::load::define_settings();
    store::progress::define_settings();
    // This comes after all definitions of settings, because it refuses the others.
    pg::versions::reserve_settings(c"session_store");
}

/// `cargo pgrx test` looks for this module at the root of the crate.
#[cfg(test)]
pub mod pg_test {
    /// Runs before the tests. Nothing is needed.
    pub fn setup(_options: Vec<&str>) {}

    /// Settings for the server that runs the tests. None are needed.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec![]
    }
}
