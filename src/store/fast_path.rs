//! Reads a store's row of the catalogue without an SQL statement, because running a statement takes
//! longer than everything else in a short query.

use super::name::Name;
use crate::executor;
use crate::index::is_distributed;
use crate::pg::versions;
use pgrx::{FromDatum, IntoDatum, itemptr, pg_sys};
use std::cell::Cell;

/// What the catalogue says of a store.
pub struct FastPathStore {
    pub key: String,
    pub shards: i32,
}

/// Where a row of the catalogue was found.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    offset: u16,
    buffer: pg_sys::Buffer,
}

const NOWHERE: Place = Place { block: 0, offset: 0, buffer: 0 };

thread_local! {
    /// Where the rows of the last stores were found, by the hash of the name. Another row may be there
    /// by now, or none.
    static PLACES: [Cell<Place>; 16] = const { [const { Cell::new(NOWHERE) }; 16] };
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
    // SAFETY: the relation is open until it is closed here. A query is running, so there is an
    // active snapshot. If an error is raised, the transaction closes everything.
    unsafe {
        let relation = pg_sys::try_table_open(catalogue, pg_sys::AccessShareLock as i32);
        if relation.is_null() {
            return None;
        }
        let found = find_again(relation, name).or_else(|| find(relation, name));
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        found
    }
}

/// The row of a store, if it lies where it was found before and the active snapshot sees it there. No
/// snapshot sees two rows of a name. That is sooner known than a scan is begun.
///
/// # Safety
/// The relation must be the catalogue, open and locked. There must be an active snapshot.
unsafe fn find_again(catalogue: pg_sys::Relation, name: &Name) -> Option<FastPathStore> {
    let Place { block, offset, buffer } = PLACES.with(|places| places[slot(name)].get());
    // SAFETY: the caller's relation is open. While its block is in a buffer and the relation is
    // locked, VACUUM cannot cut the block off, so that heap_fetch finds it. heap_fetch checks that
    // the row is there and visible, and pins its page, where it is valid until the pin is released.
    unsafe {
        if buffer <= 0
            || !pg_sys::ffi::pg_guard_ffi_boundary(|| {
                versions::pin_recent(catalogue, block, buffer)
            })
        {
            return None;
        }
        let mut row = pg_sys::HeapTupleData::default();
        itemptr::item_pointer_set_all(&mut row.t_self, block, offset);
        let snapshot = pg_sys::GetActiveSnapshot();
        let mut pinned = pg_sys::InvalidBuffer as pg_sys::Buffer;
        let mut found = None;
        if versions::heap_fetch(catalogue, snapshot, &raw mut row, &raw mut pinned) {
            let column = column(catalogue, &raw mut row, NAME.into());
            if column.is_some_and(|column| <&str>::from_datum(column, false) == Some(name.as_str()))
            {
                found = read(catalogue, &raw mut row);
            }
            pg_sys::ReleaseBuffer(pinned);
        }
        pg_sys::ReleaseBuffer(buffer);
        found
    }
}

/// Remembers where a row is, if the catalogue is a heap. Only there a row lies at its TID, in a shared
/// buffer.
///
/// # Safety
/// The relation must be the catalogue, open, and the row one of it.
unsafe fn remember(catalogue: pg_sys::Relation, row: pg_sys::HeapTuple, name: &Name) {
    // SAFETY: the caller's relation and row are valid. The block of the row exists.
    unsafe {
        if (*(*catalogue).rd_rel).relam != pg_sys::HEAP_TABLE_AM_OID {
            return;
        }
        let (block, offset) = itemptr::item_pointer_get_both((*row).t_self);
        let buffer = pg_sys::ReadBuffer(catalogue, block);
        pg_sys::ReleaseBuffer(buffer);
        PLACES.with(|places| places[slot(name)].set(Place { block, offset, buffer }));
    }
}

fn slot(name: &Name) -> usize {
    name.hash() as usize % 16
}

/// The row of a store that the active snapshot sees.
///
/// # Safety
/// The relation must be the catalogue, open and locked. There must be an active snapshot.
unsafe fn find(relation: pg_sys::Relation, name: &Name) -> Option<FastPathStore> {
    // SAFETY: the caller's relation is open, and the row is valid until the scan ends.
    unsafe {
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
        let found = (!row.is_null()).then(|| {
            remember(relation, row, name);
            read(relation, row)
        });
        pg_sys::systable_endscan(scan);
        found.flatten()
    }
}

/// # Safety
/// The relation must be the catalogue, open, and the row one of it.
unsafe fn read(catalogue: pg_sys::Relation, row: pg_sys::HeapTuple) -> Option<FastPathStore> {
    // SAFETY: each column has the type that sql/bootstrap.sql gives it.
    unsafe {
        let key = String::from_datum(column(catalogue, row, KEY)?, false)?;
        let shards = i32::from_datum(column(catalogue, row, SHARDS)?, false)?;
        Some(FastPathStore { key, shards })
    }
}

/// # Safety
/// The relation must be open, and the row one of it.
unsafe fn column(
    relation: pg_sys::Relation,
    row: pg_sys::HeapTuple,
    number: i32,
) -> Option<pg_sys::Datum> {
    let mut is_null = true;
    // SAFETY: the caller's relation and row are valid.
    let value = unsafe { pg_sys::heap_getattr(row, number, (*relation).rd_att, &mut is_null) };
    (!is_null).then_some(value)
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
