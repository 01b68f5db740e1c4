//! Locks that SQL cannot take.

use pgrx::pg_sys;

unsafe extern "C-unwind" {
    // storage/predicate.h, which pgrx does not bind.
    fn PredicateLockRelation(relation: pg_sys::Relation, snapshot: pg_sys::Snapshot);
}

/// Tells a serializable transaction's conflict detection that the whole table is read, as a
/// sequential scan does (heapam.c, initscan). In other transactions this does nothing.
///
/// # Safety
/// The relation must be open, and a query running.
pub unsafe fn predicate_lock_relation(relation: pg_sys::Relation) {
    // SAFETY: the caller's relation is open, and a query that is running has an active snapshot.
    unsafe {
        let snapshot = pg_sys::GetActiveSnapshot();
        pg_sys::ffi::pg_guard_ffi_boundary(|| PredicateLockRelation(relation, snapshot));
    }
}

/// Locks a number until the transaction ends. Who wants the same number waits. The number stands
/// for something that has no row yet, so that SQL has nothing to lock. It belongs to a catalogue
/// whose other numbers nobody locks.
///
/// A standby writes nothing and cannot take such locks, so there this does nothing.
pub fn lock_number(catalogue: pg_sys::Oid, number: u32) {
    let mode = pg_sys::ExclusiveLock as pg_sys::LOCKMODE;
    // SAFETY: any number may be locked (lmgr.c, LockDatabaseObject). The lock manager raises an
    // error if it has no room.
    unsafe {
        if !pg_sys::RecoveryInProgress() {
            pg_sys::LockDatabaseObject(catalogue, number.into(), 0, mode);
        }
    }
}
