//! Everything that wraps the server in safe types.
//!
//! ```text
//! fmgr             functions that the server calls, and their arguments
//! varlena          values of variable length
//! saved_statement  SQL statements that stay prepared
//! spi              SQL statements
//! guc              settings
//! error_data       errors of the server, on their way through Rust
//! locks            locks that SQL cannot take
//! resource_owner   who gives back what is held between two calls
//! prefetch         pages on their way into the cache of the CPU
//! transactions     transaction IDs
//! versions         what differs between PostgreSQL 14 and 18
//! ```

pub mod error_data;
pub mod fmgr;
pub mod guc;
pub mod locks;
pub mod prefetch;
pub mod resource_owner;
mod saved_statement;
pub mod spi;
pub mod transactions;
pub mod varlena;
pub mod versions;
