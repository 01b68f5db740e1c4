//! Stores: everything that speaks SQL to PostgreSQL.
//!
//! [`name`] is how an identifier enters SQL, [`spi`] how a statement runs. [`catalog`] says which stores there are ([`peek`] does so
//! without a statement) and [`table`] what lies under a store's name, [`admin`] creates, renames and drops them, [`adopt`] makes one of a
//! table that is there. [`ops`] reads what session_update was given and [`update`] applies it, [`rekey`] changes
//! the identity path, [`constraint`] keeps plain SQL to it. [`search`] turns a query into an SQL condition, [`items`]
//! into a statement; [`query`] and [`stream`] run it, under [`settings`] where the planner answers: a
//! stream as [`running`], and what it holds is an [`owner`]'s.
//! [`estimate`] says how long a stream will be.

pub mod admin;
pub mod adopt;
pub mod catalog;
mod constraint;
pub mod estimate;
pub mod identity;
pub mod items;
pub mod name;
mod near;
pub mod ops;
mod owner;
mod peek;
pub mod query;
pub mod rekey;
mod running;
pub mod search;
mod settings;
pub mod spi;
pub mod stream;
mod table;
pub mod update;
