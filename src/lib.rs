//! session_store: schema-free session stores in PostgreSQL, searched with Solr's query language.
//!
//! The way of a query, and the modules in its order; each imports only what stands behind it.
//!
//! ```text
//! q text ──lucene──▶ Ast ──predicate──▶ Predicate ──┬─▶ index keys ──executor──▶ rows of a store: counts, order, documents
//!                                                   ├─▶ index keys ──scan, or PostgreSQL itself──▶ `doc @@@ q` on any table
//!                                                   ├─▶ Matcher ───▶ one document: what the index leaves open, and without one
//!                                                   └─▶ JSON path ─▶ `doc @? path`, for use elsewhere
//! ops jsonb ──store──▶ rows of sessions.<name>      names ──store──▶ tables and the catalogue
//! ```
//!
//! `api` holds the SQL functions and `store` everything they do to tables. `scan` is what plans of plain SQL have in place of a bitmap
//! heap scan. `executor` answers from the posting lists of a table's index, for both. `index` says what the index keeps of a document
//! and is asked for a predicate: the operator class for PostgreSQL, the reading of its pages for the executor. `lucene` and `predicate`
//! know nothing of PostgreSQL, and see a document as `document` has it: a walk over leaves. `interrupts` asks for them whether
//! the query was cancelled.

mod api;
mod store;

mod scan;

mod executor;
pub mod index;

pub mod matcher;
pub mod predicate;

pub mod document;
pub mod pattern;
pub mod syntax;

mod error;
pub mod interrupts;
pub mod parse_error;
mod pg;
// Tests run outside of a server, on many threads and with the system's allocator.
#[cfg_attr(test, allow(dead_code))]
mod memory;

::pgrx::pg_module_magic!(name, version);

pgrx::extension_sql_file!("../sql/bootstrap.sql", name = "bootstrap", bootstrap);
pgrx::extension_sql_file!("../sql/operator.sql", name = "operator", requires = ["bootstrap"]);
pgrx::extension_sql_file!("../sql/finalize.sql", name = "finalize", finalize);

#[pgrx::pg_guard]
extern "C-unwind" fn _PG_init() {
    memory::init();
    error::keep_backtraces_out();
    interrupts::install(memory::check);
    executor::define_settings();
    scan::init();
    // Behind all that define settings.
    pg::versions::reserve_settings(c"session_store");
}

/// Required at the crate's root by `cargo pgrx test`.
#[cfg(test)]
pub mod pg_test {
    pub fn setup(_options: Vec<&str>) {}

    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec![]
    }
}
