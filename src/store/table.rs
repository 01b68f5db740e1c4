//! The table of a store, found by its name.

use super::name::Name;
use crate::error::{Error, Result};
use crate::executor::{self, Obstacle};
use crate::pg::versions;
use pgrx::{pg_guard, pg_sys};
use std::ffi::{CStr, CString};

/// A table that statements of ours read: its name in SQL, and its OID.
pub struct Table {
    pub sql: String,
    pub oid: pg_sys::Oid,
    /// The path of the identity, if the shard of each document that has a value there follows from
    /// it.
    pub key: Option<String>,
}

/// A table by its OID, and its name. As everywhere in SQL, it is an error if the user may not use its
/// schema.
pub fn of_oid(oid: pg_sys::Oid) -> Result<(Name, Table)> {
    // SAFETY: these functions look into the server's caches, and return null or a copy of a name.
    let names = unsafe {
        let kind = pg_sys::get_rel_relkind(oid) as u8;
        let is_table =
            kind == pg_sys::RELKIND_RELATION || kind == pg_sys::RELKIND_PARTITIONED_TABLE;
        let names =
            [pg_sys::get_namespace_name(pg_sys::get_rel_namespace(oid)), pg_sys::get_rel_name(oid)];
        (is_table && names.iter().all(|name| !name.is_null())).then(|| {
            pg_sys::LookupExplicitNamespace(names[0], false);
            names.map(|name| CStr::from_ptr(name).to_string_lossy().into_owned())
        })
    };
    let table = format!("with OID {}", oid.to_u32());
    let [schema, name] = names.ok_or(Error::NothingToAdopt { table })?;
    let (schema, name) = (Name::new(&schema)?, Name::new(&name)?);
    let sql = format!("{}.{}", schema.quoted(), name.quoted());
    Ok((name, Table { sql, oid, key: None }))
}

/// What has the name of a store in the schema of stores.
pub enum StoreRelation {
    Missing,
    Found(pg_sys::Oid),
    /// Something that is not a table. Reading a view or a foreign table would run code of its owner
    /// with the rights of the caller.
    Other,
}

/// Finds a relation in the schema of stores and locks it. With the lock, its name stays the same
/// until the transaction ends. As everywhere in SQL, it is an error if the user may not use the
/// schema.
pub fn find(name: &Name, lock: u32) -> StoreRelation {
    look_up(name, lock, None)
}

/// Finds a table and locks it, and its partitions, as a writer of rows does. The user needs the same
/// privileges as for LOCK TABLE; PostgreSQL raises the error (lockcmds.c,
/// RangeVarCallbackForLockTable).
pub fn lock_rows(name: &Name) -> StoreRelation {
    let lock = pg_sys::RowExclusiveLock;
    let table = look_up(name, lock, Some(check_may_lock_rows));
    if let StoreRelation::Found(oid) = table {
        executor::lock_partitions(oid, lock);
    }
    table
}

/// The server calls this before it waits for the lock, and again if the name stands for another table
/// afterwards.
#[pg_guard]
unsafe extern "C-unwind" fn check_may_lock_rows(
    _named: *const pg_sys::RangeVar,
    table: pg_sys::Oid,
    _before: pg_sys::Oid,
    _argument: *mut std::ffi::c_void,
) {
    if table == pg_sys::InvalidOid {
        return;
    }
    // SAFETY: these functions look into the server's caches, or raise the error. All take any OID.
    unsafe {
        let user = pg_sys::GetUserId();
        let error = pg_sys::pg_class_aclcheck(table, user, versions::PRIVILEGES_TO_LOCK_ROWS);
        if error != pg_sys::AclResult::ACLCHECK_OK {
            let kind = pg_sys::get_relkind_objtype(pg_sys::get_rel_relkind(table));
            pg_sys::aclcheck_error(error, kind, pg_sys::get_rel_name(table));
        }
    }
}

fn look_up(name: &Name, lock: u32, check: pg_sys::RangeVarGetRelidCallback) -> StoreRelation {
    // A name contains no NUL (Name::new).
    let Ok(relation) = CString::new(name.as_str()) else { return StoreRelation::Missing };
    // SAFETY: both strings live longer than the call, and makeRangeVar only keeps pointers to them.
    // The callback may be null (namespace.h).
    let (oid, kind) = unsafe {
        let schema = c"sessions".as_ptr().cast_mut();
        let named = pg_sys::makeRangeVar(schema, relation.as_ptr().cast_mut(), -1);
        let (lock, missing_ok) = (lock as pg_sys::LOCKMODE, pg_sys::RVROption::RVR_MISSING_OK);
        let oid =
            pg_sys::RangeVarGetRelidExtended(named, lock, missing_ok, check, std::ptr::null_mut());
        (oid, pg_sys::get_rel_relkind(oid) as u8)
    };
    match kind {
        pg_sys::RELKIND_RELATION | pg_sys::RELKIND_PARTITIONED_TABLE => StoreRelation::Found(oid),
        _ if oid == pg_sys::InvalidOid => StoreRelation::Missing,
        _ => StoreRelation::Other,
    }
}

/// Whether the user may read all columns of a table.
pub fn may_read(table: pg_sys::Oid) -> bool {
    let select = pg_sys::ACL_SELECT as pg_sys::AclMode;
    // SAFETY: looks into the server's caches.
    let found = unsafe { pg_sys::pg_class_aclcheck(table, pg_sys::GetUserId(), select) };
    found == pg_sys::AclResult::ACLCHECK_OK
}

/// Only the owner of a table may change all of its rows, or what the catalogue says about it.
/// PostgreSQL itself raises the error.
pub fn check_owner(table: pg_sys::Oid) {
    // SAFETY: these functions look into the server's caches. The table is locked, so it exists.
    unsafe {
        if !versions::is_owner(table, pg_sys::GetUserId()) {
            let (error, kind) =
                (pg_sys::AclResult::ACLCHECK_NOT_OWNER, pg_sys::ObjectType::OBJECT_TABLE);
            pg_sys::aclcheck_error(error, kind, pg_sys::get_rel_name(table));
        }
    }
}

/// Refuses if the user does not see all rows, because then nothing can be checked for all of them.
pub fn refuse_row_security(table: pg_sys::Oid, store: &Name) -> Result<()> {
    match executor::check_access(table) {
        Err(Obstacle::RowSecurity) => Err(Error::RowSecurity { name: store.as_str().to_string() }),
        _ => Ok(()),
    }
}
