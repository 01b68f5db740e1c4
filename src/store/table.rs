//! The table of a store, found by its name.

use super::name::Name;
use crate::error::{Error, Result};
use crate::executor::{self, Obstacle};
use crate::pg::versions;
use pgrx::pg_sys;
use std::ffi::CString;

/// What lies under a store's name in the stores' schema.
pub enum StoreRelation {
    Missing,
    Found(pg_sys::Oid),
    /// Something that is no table. Reading a view or a foreign table would run what its owner has
    /// put into it, with the rights of the caller.
    Other,
}

/// Finds a relation in the stores' schema and takes a lock on it, after which its name stays with
/// it while the transaction lasts. As everywhere in SQL, it takes the privilege to use the schema,
/// or is an error.
pub fn find(name: &Name, lock: u32) -> StoreRelation {
    // A name has no NUL (Name::new).
    let Ok(relation) = CString::new(name.as_str()) else { return StoreRelation::Missing };
    // SAFETY: C strings, which makeRangeVar keeps pointers to for the time of the call; the
    // callback may be left out (namespace.h).
    let (oid, kind) = unsafe {
        let schema = c"sessions".as_ptr().cast_mut();
        let named = pg_sys::makeRangeVar(schema, relation.as_ptr().cast_mut(), -1);
        let (lock, missing_ok) = (lock as pg_sys::LOCKMODE, pg_sys::RVROption::RVR_MISSING_OK);
        let oid =
            pg_sys::RangeVarGetRelidExtended(named, lock, missing_ok, None, std::ptr::null_mut());
        (oid, pg_sys::get_rel_relkind(oid) as u8)
    };
    match kind {
        pg_sys::RELKIND_RELATION | pg_sys::RELKIND_PARTITIONED_TABLE => StoreRelation::Found(oid),
        _ if oid == pg_sys::InvalidOid => StoreRelation::Missing,
        _ => StoreRelation::Other,
    }
}

/// Only a table's owner may do what changes every row, and what the catalogue says of it. The error
/// is PostgreSQL's own.
pub fn check_owner(table: pg_sys::Oid) {
    // SAFETY: looks into the server's caches; the table is locked, and so there.
    unsafe {
        if !versions::is_owner(table, pg_sys::GetUserId()) {
            let (error, kind) =
                (pg_sys::AclResult::ACLCHECK_NOT_OWNER, pg_sys::ObjectType::OBJECT_TABLE);
            pg_sys::aclcheck_error(error, kind, pg_sys::get_rel_name(table));
        }
    }
}

/// Refuses where the user does not see all rows: what is to hold for each could not be made sure
/// of.
pub fn refuse_row_security(table: pg_sys::Oid, store: &Name) -> Result<()> {
    match executor::check_access(table) {
        Err(Obstacle::RowSecurity) => Err(Error::RowSecurity { name: store.as_str().to_string() }),
        _ => Ok(()),
    }
}
