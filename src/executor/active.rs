//! The active snapshot, under which rows are looked up (snapmgr.c).

use pgrx::pg_sys;

/// Makes a snapshot the active one for as long as this lives. In most calls it is active already.
pub struct Active;

impl Active {
    /// # Safety
    /// The snapshot must be registered for as long as this lives.
    pub unsafe fn push(snapshot: pg_sys::Snapshot) -> Active {
        // SAFETY: the caller says that the snapshot is registered.
        unsafe { pg_sys::PushActiveSnapshot(snapshot) };
        Active
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        // While an error is raised, its (sub)transaction pops the snapshot.
        if !std::thread::panicking() {
            // SAFETY: `push` has pushed a snapshot, and whatever was pushed later is popped by now.
            unsafe { pg_sys::PopActiveSnapshot() };
        }
    }
}
