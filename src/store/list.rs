//! session_list: what there is of each store.

use super::catalog::COPIES;
use super::{distributed, estimate};
use crate::error::Result;
use crate::index::is_distributed;
use crate::pg::guc::{NO_JIT, with_gucs};
use crate::pg::spi::{Mode, Spi};
use pgrx::pg_sys;

/// One store as session_list shows it.
pub struct Listed {
    pub name: String,
    pub key: String,
    pub shards: i32,
    pub replicas: i32,
    pub copies: Option<i32>,
    pub documents: Option<i64>,
    pub bytes: Option<i64>,
    pub created: pgrx::datum::TimestampWithTimeZone,
}

/// pg_partition_tree returns no row for a plain table, so the table itself is added. `reltuples` is
/// what the last VACUUM or ANALYZE has seen, on `relpages` pages. The table is assumed to be as
/// dense on the pages that it has now, as the planner does (plancat.c, estimate_rel_size). If
/// neither was run since the table was filled, nothing is known of it.
const LIST: &str = r#"
    SELECT store.name, store.key, store.shards, store.replicas, copies.copies,
        size.documents, size.bytes, store.created, named.oid::pg_catalog.oid, size.unknown
    FROM session_store.store AS store
    CROSS JOIN (/*copies*/) AS copies
    CROSS JOIN LATERAL (
        SELECT pg_catalog.to_regclass(pg_catalog.concat('sessions.', pg_catalog.quote_ident(store.name))) AS oid
    ) AS named
    CROSS JOIN LATERAL (
        SELECT pg_catalog.sum(relation.reltuples::pg_catalog.float8 OPERATOR(pg_catalog.*) table_size.pages
                    OPERATOR(pg_catalog./) relation.relpages)
                FILTER (WHERE relation.reltuples OPERATOR(pg_catalog.>=) 0 AND relation.relpages OPERATOR(pg_catalog.>) 0)
                ::pg_catalog.int8 AS documents,
            pg_catalog.bool_or(relation.reltuples OPERATOR(pg_catalog.<) 0 OR relation.relpages OPERATOR(pg_catalog.=) 0) AS unknown,
            pg_catalog.sum(pg_catalog.pg_total_relation_size(relation.oid))::pg_catalog.int8 AS bytes
        FROM pg_catalog.pg_class AS relation
        CROSS JOIN LATERAL (
            SELECT pg_catalog.pg_relation_size(relation.oid)
                OPERATOR(pg_catalog./) pg_catalog.current_setting('block_size')::pg_catalog.int8 AS pages
        ) AS table_size
        WHERE relation.relkind OPERATOR(pg_catalog.=) 'r' AND relation.oid OPERATOR(pg_catalog.=) ANY (
            SELECT named.oid::pg_catalog.oid
            UNION ALL
            SELECT tree.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(named.oid) AS tree)
    ) AS size
    ORDER BY store.name COLLATE pg_catalog."C""#;

/// All stores, ordered by name.
pub fn list() -> Result<Vec<Listed>> {
    Spi::connect(|spi| {
        let sql = LIST.replace("/*copies*/", COPIES);
        let rows = with_gucs(&[NO_JIT], || spi.run(Mode::Read, &sql, &[]))?;
        let listed = |row| -> Option<Listed> {
            let table: Option<pg_sys::Oid> = rows.get(row, 9);
            let unknown = table.filter(|_| rows.get(row, 10) == Some(true));
            Some(Listed {
                name: rows.get(row, 1)?,
                key: rows.get(row, 2)?,
                shards: rows.get(row, 3)?,
                replicas: rows.get(row, 4)?,
                copies: rows.get(row, 5),
                documents: unknown.and_then(estimate::documents).or_else(|| rows.get(row, 6)),
                bytes: rows.get(row, 7),
                created: rows.get(row, 8)?,
            })
        };
        let mut stores = Vec::new();
        for row in 0..rows.len() {
            let Some(mut store) = listed(row) else { continue };
            if let Some(table) = rows.get(row, 9).filter(|&table| is_distributed(table)) {
                let size = distributed::size(spi, table)?;
                store.shards = size.shards.unwrap_or(store.shards);
                (store.documents, store.bytes) = (size.documents, size.bytes);
            }
            stores.push(store);
        }
        Ok(stores)
    })
}
