//! Everything that wraps the server in safe types: its function calls, its SQL, its settings, and what differs between its
//! versions.

pub mod fmgr;
pub mod guc;
pub mod resource_owner;
pub mod spi;
pub mod versions;
