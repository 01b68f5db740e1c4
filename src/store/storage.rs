//! The storage parameters of a store: when autovacuum comes, and how long GIN's pending list gets.
//!
//! docs/measurements.md says how they were chosen. Whoever sets other values keeps them.

use crate::error::Result;
use crate::pg::spi::{Mode, Spi};
use pgrx::pg_sys;

/// In kilobytes, the least that PostgreSQL allows. Whoever fills the list merges it into the index,
/// and all who write meanwhile wait for him.
const PENDING_LIST_LIMIT: &str = "64";

/// Autovacuum comes once this part of a table has changed, or as much was inserted. It marks pages
/// all-visible, whose rows a query need not look at.
const VACUUM_SCALE_FACTOR: &str = "0.05";

/// Of a partitioned table and index, only the partitions have storage parameters that can be set
/// (reloptions.c, tablecmds.c).
const UNSET: &str = r#"
    WITH tables AS (
        SELECT relation.oid
        FROM pg_catalog.pg_class AS relation
        WHERE relation.relkind OPERATOR(pg_catalog.=) 'r' AND relation.oid OPERATOR(pg_catalog.=) ANY (
            SELECT $1::pg_catalog.oid
            UNION ALL
            SELECT tree.relid::pg_catalog.oid
            FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::pg_catalog.regclass) AS tree)
    ), parts AS (
        SELECT 'TABLE' AS kind, tables.oid FROM tables
        UNION ALL
        SELECT 'INDEX', index.indexrelid
        FROM tables
        JOIN pg_catalog.pg_index AS index ON index.indrelid OPERATOR(pg_catalog.=) tables.oid
        JOIN pg_catalog.pg_opclass AS class ON class.oid OPERATOR(pg_catalog.=) index.indclass[0]
        WHERE class.opcname OPERATOR(pg_catalog.=) 'jsonb_lucene_ops'
    )
    SELECT pg_catalog.format('ALTER %s %I.%I SET (%s)', part.kind, namespace.nspname, relation.relname,
        pg_catalog.string_agg(pg_catalog.concat(parameter.name, ' = ', parameter.value), ', ' ORDER BY parameter.name))
    FROM parts AS part
    JOIN pg_catalog.pg_class AS relation ON relation.oid OPERATOR(pg_catalog.=) part.oid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) relation.relnamespace
    JOIN (VALUES
        ('TABLE', 'autovacuum_vacuum_scale_factor', $2),
        ('TABLE', 'autovacuum_vacuum_insert_scale_factor', $2),
        ('INDEX', 'gin_pending_list_limit', $3)
    ) AS parameter (kind, name, value) ON parameter.kind OPERATOR(pg_catalog.=) part.kind
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_options_to_table(relation.reloptions) AS option
        WHERE option.option_name OPERATOR(pg_catalog.=) parameter.name)
    GROUP BY part.kind, part.oid, namespace.nspname, relation.relname"#;

/// Sets what is not set yet, of a store's table or of all its partitions, and of their indexes.
pub fn set_unset(spi: &Spi, table: pg_sys::Oid) -> Result<()> {
    let values = [table.into(), VACUUM_SCALE_FACTOR.into(), PENDING_LIST_LIMIT.into()];
    let statements: Vec<String> = spi.run(Mode::Write, UNSET, &values)?.column();
    statements.iter().try_for_each(|sql| spi.run(Mode::Write, sql, &[]).map(drop))
}
