//! A resource owner of our own, for what a function keeps from one call to the next
//! (src/backend/utils/resowner/README).

use pgrx::{pg_guard, pg_sys};
use std::cell::Cell;

/// Owns the resources that are taken within `run`. Its parent is the owner that was current in
/// `new`. If the parent is released, for example because a subtransaction is rolled back, this one
/// is released first, with everything that it owns.
pub struct ResourceOwner {
    /// Null after the release. The callback knows this value by its address, so it is in a box.
    owner: Box<Cell<pg_sys::ResourceOwner>>,
}

impl ResourceOwner {
    pub fn new() -> ResourceOwner {
        // SAFETY: a SQL function runs with a current owner. `drop` unregisters the callback before
        // the memory at the address is freed.
        unsafe {
            let parent = pg_sys::CurrentResourceOwner;
            let owner = pg_sys::ResourceOwnerCreate(parent, c"session_store".as_ptr());
            let owner = Box::new(Cell::new(owner));
            pg_sys::RegisterResourceReleaseCallback(Some(released), address(&owner));
            ResourceOwner { owner }
        }
    }

    /// Whether its resources are still there.
    pub fn is_alive(&self) -> bool {
        !self.owner.get().is_null()
    }

    /// Runs `work` with this as the current owner. It must be alive.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: CurrentResourceOwner is a global that only the server's one thread uses.
        let _previous = unsafe {
            let previous = Previous(pg_sys::CurrentResourceOwner);
            pg_sys::CurrentResourceOwner = self.owner.get();
            previous
        };
        work()
    }

    /// Releases it. By now it must own nothing but locks. These pass to its parent, as the locks of
    /// a query do when it ends.
    pub fn release(&self) {
        use pg_sys::ResourceReleasePhase::*;
        let owner = self.owner.replace(std::ptr::null_mut());
        for phase in
            [RESOURCE_RELEASE_BEFORE_LOCKS, RESOURCE_RELEASE_LOCKS, RESOURCE_RELEASE_AFTER_LOCKS]
        {
            // SAFETY: the owner is alive, and is not the current one.
            unsafe { pg_sys::ResourceOwnerRelease(owner, phase, true, false) };
        }
        // SAFETY: the owner was released in this function and is empty now.
        unsafe { pg_sys::ResourceOwnerDelete(owner) };
    }
}

impl Drop for ResourceOwner {
    /// Frees memory only. An owner that is still alive here was left behind by an error, and its
    /// parent releases it.
    fn drop(&mut self) {
        // SAFETY: `new` has registered this callback with this address.
        unsafe {
            pg_sys::UnregisterResourceReleaseCallback(Some(released), address(&self.owner));
        }
    }
}

fn address(owner: &Cell<pg_sys::ResourceOwner>) -> *mut std::ffi::c_void {
    std::ptr::from_ref(owner).cast_mut().cast()
}

/// The owner that was current before, to be restored.
struct Previous(pg_sys::ResourceOwner);

impl Drop for Previous {
    fn drop(&mut self) {
        // SAFETY: CurrentResourceOwner is a global that only the server's one thread uses. The
        // previous owner is alive, since the code that made it current is still waiting for this
        // call to return or to raise an error.
        unsafe { pg_sys::CurrentResourceOwner = self.0 };
    }
}

/// The server calls this for each owner that it releases, which is the current owner at that time
/// (resowner.c, ResourceOwnerReleaseInternal).
#[pg_guard]
unsafe extern "C-unwind" fn released(
    phase: pg_sys::ResourceReleasePhase::Type,
    _is_commit: bool,
    _is_top_level: bool,
    owner: *mut std::ffi::c_void,
) {
    // SAFETY: `owner` is the address that `new` registered, and `drop` unregisters it before it
    // becomes invalid. CurrentResourceOwner is a global that only the server's one thread uses.
    unsafe {
        let owner = &*owner.cast::<Cell<pg_sys::ResourceOwner>>();
        if phase == pg_sys::ResourceReleasePhase::RESOURCE_RELEASE_BEFORE_LOCKS
            && owner.get() == pg_sys::CurrentResourceOwner
        {
            owner.set(std::ptr::null_mut());
        }
    }
}
