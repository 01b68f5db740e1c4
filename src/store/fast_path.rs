//! Reads a store's row of the catalogue without an SQL statement, because running a statement takes
//! longer than everything else in a short query.

use super::name::Name;
use crate::executor;
use crate::index::is_distributed;
use pgrx::{FromDatum, IntoDatum, pg_sys};

/// What the catalogue says of a store.
pub struct FastPathStore {
    pub key: String,
    pub shards: i32,
}

// The columns of session_store.store, in the order of sql/bootstrap.sql.
const NAME: i16 = 1;
const KEY: i32 = 2;
const SHARDS: i32 = 3;

/// Looks a store up under the active snapshot. None if it does not exist, or if the user may not see
/// all of the catalogue: then the caller runs a statement, which says what is wrong.
pub fn fast_path(name: &Name) -> Option<FastPathStore> {
    let catalogue = catalogue()?;
    executor::check_access(catalogue).ok()?;
    // Then what lies here is not the catalogue's.
    if is_distributed(catalogue) {
        return None;
    }
    // SAFETY: the relation is open until it is closed here, and the tuple is valid until the scan
    // ends. Each column has the type that sql/bootstrap.sql gives it. A query is running, so there
    // is an active snapshot. If an error is raised, the transaction closes everything.
    unsafe {
        let relation = pg_sys::try_table_open(catalogue, pg_sys::AccessShareLock as i32);
        if relation.is_null() {
            return None;
        }
        let mut wanted = pg_sys::ScanKeyData::default();
        // ScanKeyInit compares with collation "C", which is the column's (scankey.c).
        pg_sys::ScanKeyInit(
            &raw mut wanted,
            NAME,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::F_TEXTEQ.into(),
            name.as_str().into_datum()?,
        );
        // A catalogue of one page is read sooner than its index is opened. But a serializable
        // transaction must not look like one that has read every row.
        let is_short =
            pg_sys::RelationGetNumberOfBlocksInFork(relation, pg_sys::ForkNumber::MAIN_FORKNUM)
                <= 1
                && pg_sys::XactIsoLevel != pg_sys::XACT_SERIALIZABLE as i32;
        let index = if is_short { None } else { index_on_name(relation) };
        let scan = pg_sys::systable_beginscan(
            relation,
            index.unwrap_or(pg_sys::InvalidOid),
            index.is_some(),
            pg_sys::GetActiveSnapshot(),
            1,
            &raw mut wanted,
        );
        let row = pg_sys::systable_getnext(scan);
        let column = |number| {
            let mut is_null = true;
            let value = pg_sys::heap_getattr(row, number, (*relation).rd_att, &mut is_null);
            (!is_null).then_some(value)
        };
        let found = (!row.is_null()).then(|| {
            let key = String::from_datum(column(KEY)?, false)?;
            Some(FastPathStore { key, shards: i32::from_datum(column(SHARDS)?, false)? })
        });
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        found.flatten()
    }
}

/// The catalogue. As everywhere in SQL, it is an error if the user may not use its schema.
pub fn catalogue() -> Option<pg_sys::Oid> {
    // SAFETY: both functions look C strings up in the server's caches.
    let oid = unsafe {
        let schema = pg_sys::LookupExplicitNamespace(c"session_store".as_ptr(), true);
        pg_sys::get_relname_relid(c"store".as_ptr(), schema)
    };
    (oid != pg_sys::InvalidOid).then_some(oid)
}

/// The primary key of the catalogue, unless it may lack rows that older snapshots see (README.HOT).
unsafe fn index_on_name(catalogue: pg_sys::Relation) -> Option<pg_sys::Oid> {
    // SAFETY: the caller's relation is open. The index is open while its row of pg_index is read.
    unsafe {
        #[cfg(feature = "pg18")]
        let oid = pg_sys::RelationGetPrimaryKeyIndex(catalogue, false);
        #[cfg(not(feature = "pg18"))]
        let oid = pg_sys::RelationGetPrimaryKeyIndex(catalogue);
        if oid == pg_sys::InvalidOid {
            return None;
        }
        let index = pg_sys::index_open(oid, pg_sys::AccessShareLock as i32);
        let is_complete = !(*(*index).rd_index).indcheckxmin;
        pg_sys::index_close(index, pg_sys::NoLock as i32);
        is_complete.then_some(oid)
    }
}
