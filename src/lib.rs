//! session_store: schema-free session stores in PostgreSQL, searched with Solr's query language.

pub mod document;
pub mod lucene;
pub mod predicate;

::pgrx::pg_module_magic!(name, version);

/// Required at the crate's root by `cargo pgrx test`.
#[cfg(test)]
pub mod pg_test {
    pub fn setup(_options: Vec<&str>) {}

    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec![]
    }
}
