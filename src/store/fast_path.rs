//! A store's row of the catalogue, looked at without a statement: running one takes longer than all the rest of a short query.

use super::name::Name;
use super::table::{self, StoreRelation};
use crate::executor;
use pgrx::{FromDatum, IntoDatum, pg_sys};

/// What `Store::find` in catalog.rs looks for.
pub struct FastPathStore {
    pub key: String,
    pub shards: i32,
    pub table: pg_sys::Oid,
}

// sql/bootstrap.sql
const NAME: i16 = 1;
const KEY: i32 = 2;
const SHARDS: i32 = 3;

/// Looks a store up under the snapshot of the calling statement. None where the store or its table is not there, and where not
/// everybody may see all of the catalogue: then a statement says what there is to say.
pub fn fast_path(name: &Name) -> Option<FastPathStore> {
    let catalogue = catalogue()?;
    executor::check_access(catalogue).ok()?;
    // SAFETY: a relation is open until it is closed, a tuple there until the scan ends, and each column of the type that
    // sql/bootstrap.sql gave it. A query is running, and so has a snapshot. Should an error pass through, its transaction closes everything.
    let (key, shards) = unsafe {
        let relation = pg_sys::try_table_open(catalogue, pg_sys::AccessShareLock as i32);
        if relation.is_null() {
            return None;
        }
        let mut wanted = pg_sys::ScanKeyData::default();
        // With the collation "C", which is the column's (scankey.c).
        pg_sys::ScanKeyInit(
            &raw mut wanted,
            NAME,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::F_TEXTEQ.into(),
            name.as_str().into_datum()?,
        );
        let index = index_on_name(relation);
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
            Some((key, i32::from_datum(column(SHARDS)?, false)?))
        });
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        found.flatten()?
    };
    match table::find(name, pg_sys::AccessShareLock) {
        StoreRelation::Found(table) => Some(FastPathStore { key, shards, table }),
        _ => None,
    }
}

/// The catalogue. As everywhere in SQL, it takes the privilege to use the schema, or is an error.
pub fn catalogue() -> Option<pg_sys::Oid> {
    // SAFETY: looks into the server's caches for C strings.
    let oid = unsafe {
        let schema = pg_sys::LookupExplicitNamespace(c"session_store".as_ptr(), true);
        pg_sys::get_relname_relid(c"store".as_ptr(), schema)
    };
    (oid != pg_sys::InvalidOid).then_some(oid)
}

/// The catalogue's primary key, unless it may lack rows that older snapshots see (README.HOT).
unsafe fn index_on_name(catalogue: pg_sys::Relation) -> Option<pg_sys::Oid> {
    // SAFETY: the relation is open, and so is its index, with its row of pg_index.
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
