//! Transaction IDs.

use pgrx::pg_sys;

/// Whether a transaction ID is older than another one (transam.c, TransactionIdPrecedes): modulo
/// 2^32, but for the permanent ones, which are older than all others. It is written anew here since
/// a call of the server takes several times as long with its guard, and each page needs some.
pub fn precedes(a: u32, b: u32) -> bool {
    let first_normal = pg_sys::FirstNormalTransactionId.into_inner();
    match a < first_normal || b < first_normal {
        true => a < b,
        false => (a.wrapping_sub(b) as i32) < 0,
    }
}

/// What stands for no transaction: InvalidTransactionId.
pub const NO_TRANSACTION: u32 = 0;

/// Whether a transaction, if it is one, was over before a snapshot with this xmin was taken.
pub fn is_over(transaction: u32, xmin: pg_sys::TransactionId) -> bool {
    transaction == NO_TRANSACTION || precedes(transaction, xmin.into_inner())
}

/// The newer one of two transactions, of which each may be none.
pub fn newer(a: u32, b: u32) -> u32 {
    if b == NO_TRANSACTION || a != NO_TRANSACTION && precedes(b, a) { a } else { b }
}

/// The ID of the next transaction with its epoch, in 64 bits, which do not wrap around.
pub fn next_transaction() -> u64 {
    // SAFETY: reads a counter in shared memory.
    unsafe { pg_sys::ReadNextFullTransactionId().value }
}

#[cfg(test)]
mod tests {
    use super::precedes;

    #[test]
    fn compares_as_the_server_does() {
        assert!(precedes(3, 4) && !precedes(4, 3) && !precedes(4, 4));
        // After a wraparound, great numbers are older.
        assert!(precedes(u32::MAX, 3) && !precedes(3, u32::MAX));
        assert!(precedes(3, (1 << 31) + 2) && !precedes(3, (1 << 31) + 4));
        // FrozenTransactionId is older than all normal ones.
        assert!(precedes(2, u32::MAX) && precedes(2, 3) && !precedes(u32::MAX, 2));
    }
}
