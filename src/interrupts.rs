//! Cancellation for code that can run long and knows nothing of the server.
//!
//! The server's check is installed once ([`install`]). It returns, or it unwinds with the error of
//! a cancelled query. Without a server nothing is ever cancelled.

use std::cell::Cell;
use std::sync::OnceLock;

static CHECK: OnceLock<fn()> = OnceLock::new();

/// Steps between two checks. A step takes at most 100 ns, so a check comes about every 10 ms.
const STRIDE: usize = 1 << 16;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Installs the check. Only the first call has an effect.
pub fn install(check: fn()) {
    let _ = CHECK.set(check);
}

/// Checks now. For use before something that takes long by itself.
pub fn check() {
    if let Some(check) = CHECK.get() {
        check();
    }
}

/// Checks about every 10 ms. For loops: `steps` is what one turn of the loop took.
#[inline]
pub fn spend(steps: usize) {
    let spent = STEPS.get().saturating_add(steps);
    if spent < STRIDE {
        return STEPS.set(spent);
    }
    STEPS.set(0);
    check();
}

/// Sorts, and checks meanwhile if there are many.
pub fn sort_unstable<T: Ord>(items: &mut [T]) {
    if items.len() < STRIDE {
        return items.sort_unstable();
    }
    items.sort_unstable_by(|a, b| {
        spend(1);
        a.cmp(b)
    });
}
