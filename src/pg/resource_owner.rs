//! A resource owner of one's own, for what a function keeps from one call to its next (src/backend/utils/resowner/README).

use pgrx::{pg_guard, pg_sys};
use std::cell::Cell;

/// Owns what is taken within `run`. It is a child of the owner that was current when it was made: if that is released, as the owner
/// of a subtransaction is that is rolled back, this one is released before, with all that it owns.
pub struct ResourceOwner {
    /// Null once it was released. Its address is what the callback knows.
    owner: Box<Cell<pg_sys::ResourceOwner>>,
}

impl ResourceOwner {
    pub fn new() -> ResourceOwner {
        // SAFETY: in an SQL function there is a current owner. The callback is taken back before the memory is freed.
        unsafe {
            let parent = pg_sys::CurrentResourceOwner;
            let owner = pg_sys::ResourceOwnerCreate(parent, c"session_store".as_ptr());
            let owner = Box::new(Cell::new(owner));
            pg_sys::RegisterResourceReleaseCallback(Some(released), address(&owner));
            ResourceOwner { owner }
        }
    }

    /// Whether what it owns is still there.
    pub fn is_alive(&self) -> bool {
        !self.owner.get().is_null()
    }

    /// Does some work as the current owner, which it must be alive for.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: a global of the server's one thread.
        let _previous = unsafe {
            let previous = Previous(pg_sys::CurrentResourceOwner);
            pg_sys::CurrentResourceOwner = self.owner.get();
            previous
        };
        work()
    }

    /// Ends it, once nothing is left in it but locks. These go to its parent, as those of a query do when it ends.
    pub fn release(&self) {
        use pg_sys::ResourceReleasePhase::*;
        let owner = self.owner.replace(std::ptr::null_mut());
        for phase in
            [RESOURCE_RELEASE_BEFORE_LOCKS, RESOURCE_RELEASE_LOCKS, RESOURCE_RELEASE_AFTER_LOCKS]
        {
            // SAFETY: it was alive, and is not the current one.
            unsafe { pg_sys::ResourceOwnerRelease(owner, phase, true, false) };
        }
        // SAFETY: as above, and now it is empty.
        unsafe { pg_sys::ResourceOwnerDelete(owner) };
    }
}

impl Drop for ResourceOwner {
    /// Memory is all that this frees: dropped while it is alive, that is after an error, it is the parent's to release.
    fn drop(&mut self) {
        // SAFETY: registered in `new`.
        unsafe {
            pg_sys::UnregisterResourceReleaseCallback(Some(released), address(&self.owner));
        }
    }
}

fn address(owner: &Cell<pg_sys::ResourceOwner>) -> *mut std::ffi::c_void {
    std::ptr::from_ref(owner).cast_mut().cast()
}

/// The owner that was current before.
struct Previous(pg_sys::ResourceOwner);

impl Drop for Previous {
    fn drop(&mut self) {
        // SAFETY: a global of the server's one thread. Whoever made it current waits for this call to return, or to raise an error.
        unsafe { pg_sys::CurrentResourceOwner = self.0 };
    }
}

/// Called for each owner that is released: it is the current one meanwhile (resowner.c, ResourceOwnerReleaseInternal).
#[pg_guard]
unsafe extern "C-unwind" fn released(
    phase: pg_sys::ResourceReleasePhase::Type,
    _is_commit: bool,
    _is_top_level: bool,
    owner: *mut std::ffi::c_void,
) {
    // SAFETY: the address that was registered; and a global of the server's one thread.
    unsafe {
        let owner = &*owner.cast::<Cell<pg_sys::ResourceOwner>>();
        if phase == pg_sys::ResourceReleasePhase::RESOURCE_RELEASE_BEFORE_LOCKS
            && owner.get() == pg_sys::CurrentResourceOwner
        {
            owner.set(std::ptr::null_mut());
        }
    }
}
