//! The snapshot that rows are looked up under is the active one (snapmgr.c).

use pgrx::pg_sys;

/// Makes a snapshot the active one, for as long as this lives. As a rule it is so already.
pub struct Active;

impl Active {
    /// # Safety
    /// The snapshot must be registered.
    pub unsafe fn push(snapshot: pg_sys::Snapshot) -> Active {
        // SAFETY: as above.
        unsafe { pg_sys::PushActiveSnapshot(snapshot) };
        Active
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        // While an error passes through, its (sub)transaction pops it.
        if !std::thread::panicking() {
            // SAFETY: pushed above.
            unsafe { pg_sys::PopActiveSnapshot() };
        }
    }
}
