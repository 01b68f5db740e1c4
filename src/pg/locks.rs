//! Locks that SQL cannot take.

use pgrx::pg_sys;

unsafe extern "C-unwind" {
    // storage/predicate.h, which pgrx does not bind.
    fn PredicateLockRelation(relation: pg_sys::Relation, snapshot: pg_sys::Snapshot);
}

/// Tells the conflict detection of a serializable transaction that all of a table is being read, as a
/// sequential scan does (heapam.c, initscan). Other transactions take no such lock.
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

/// Locks a number that stands for something which has no row yet, until the transaction ends. Who wants
/// the same number waits. The numbers belong to a catalogue, which nobody else may use so.
///
/// A standby writes nothing and has no such locks, so there this does nothing.
pub fn lock_number(catalogue: pg_sys::Oid, number: u32) {
    let mode = pg_sys::ExclusiveLock as pg_sys::LOCKMODE;
    // SAFETY: any numbers may be locked (lmgr.c, LockDatabaseObject). The lock manager raises an error if
    // it has no room for one more.
    unsafe {
        if !pg_sys::RecoveryInProgress() {
            pg_sys::LockDatabaseObject(catalogue, number.into(), 0, mode);
        }
    }
}
