//! Whether to go on, asked by code that can run long and knows nothing of the server.
//!
//! The server gives its answer as a function, once ([`install`]): it returns, or unwinds with the error of a cancelled
//! query. Without a server nothing is ever cancelled.

use std::cell::Cell;
use std::sync::OnceLock;

static CHECK: OnceLock<fn()> = OnceLock::new();

/// So many steps are taken between two questions. A step takes 100 ns at most, so that they take less than 10 ms.
const STRIDE: usize = 1 << 16;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// From now on `check` is asked; that of the first call is kept.
pub fn install(check: fn()) {
    let _ = CHECK.set(check);
}

/// Asks now: before something that takes long by itself.
pub fn check() {
    if let Some(check) = CHECK.get() {
        check();
    }
}

/// Asks now and then: for loops, with what a turn of theirs took.
#[inline]
pub fn spend(steps: usize) {
    let spent = STEPS.get().saturating_add(steps);
    if spent < STRIDE {
        return STEPS.set(spent);
    }
    STEPS.set(0);
    check();
}
