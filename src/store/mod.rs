//! Stores: everything that speaks SQL to PostgreSQL.
//!
//! [`name`] is how an identifier enters SQL, [`spi`] how a statement runs. [`catalog`] says which stores there are ([`fast_path`] does so
//! without a statement) and [`table`] what lies under a store's name, [`admin`] creates, renames and drops them, [`adopt`] makes one of a
//! table that is there. [`ops`] reads what session_update was given and [`update`] applies it, [`rekey`] changes
//! the identity path, [`constraint`] keeps plain SQL to it. [`search`] turns a query into an SQL condition, [`items`]
//! into a statement; [`query`] and [`stream`] run it, under [`settings`] where the planner answers: a
//! stream as [`running`], and what it holds is an [`owner`]'s.
//! [`estimate`] says how long a stream will be.

pub mod admin;
pub mod adopt;
pub mod catalog;
pub mod change_key;
mod constraint;
pub mod estimate;
mod fast_path;
pub mod identity;
pub mod name;
pub mod ops;
mod owner;
pub mod query;
mod running;
pub mod search;
pub mod select;
pub mod stream;
mod suggest;
mod table;
pub mod update;
