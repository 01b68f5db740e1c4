//! Stores: everything that this extension does to tables, as SQL statements.
//!
//! ```text
//! name         an identifier on its way into SQL
//! catalog      which stores there are; fast_path: without a statement; suggest: similar names
//! list         session_list
//! table        what lies under a store's name; constraint: a document lies under its own identity
//! admin        creates, renames and drops stores
//! adopt        makes a store of a table that is there
//! grant        rights on a store, as privileges
//! distributed  what Citus does for stores whose tables it distributes
//! storage      storage parameters: autovacuum, GIN's pending list
//! change_key   moves the identity to another path; identity: the identity of a document
//! rekey_shards the same for a store that is distributed
//! ops          what session_update was given; update applies it, with another limit of the pending_list
//! load         documents line by line, from COPY; progress: NOTICEs about work that takes long
//! search       text → predicate, and the condition `doc @@@ $1`; select: the statement around it
//! matches      a window of a query's matches in one table, from the index or through the planner
//! shards       the same of a distributed table; shard_page: what one of its shards answers, and
//!              shard_answers all of them; shard_window: which rows of which shard are in the window;
//!              known_windows: where earlier ones were
//! query        count, query and explain
//! facets       facets and statistics of a query's matches
//! shard_values the same of a distributed table: what a shard answers, and how answers add up
//! histogram    session_stats and session_histogram; calendar: where intervals begin
//! why          what keeps documents out of an answer, and what is near
//! stream       rows one by one; running: a statement that is read as rows are asked for
//! estimate     how many rows a stream will return, for the planner
//! ```

pub mod admin;
pub mod adopt;
mod calendar;
mod catalog;
pub mod change_key;
mod constraint;
pub mod distributed;
pub mod estimate;
pub mod facets;
mod fast_path;
pub mod grant;
pub mod histogram;
pub mod identity;
mod known_windows;
pub mod list;
pub mod load;
mod matches;
pub mod name;
pub mod ops;
pub mod paths;
mod pending_list;
pub mod progress;
pub mod query;
mod rekey_shards;
mod running;
pub mod search;
pub mod select;
mod shard_answers;
pub mod shard_page;
pub mod shard_values;
mod shard_window;
mod shards;
mod storage;
pub mod stream;
mod suggest;
mod table;
pub mod update;
pub mod why;
