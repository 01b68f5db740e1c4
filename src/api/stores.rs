//! Creating, changing, removing and listing stores.

use super::given;
use crate::store::{admin, adopt, change_key, distributed, grant, list};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// Creates an empty store.
///
/// ```sql
/// SELECT session_add('stash', key => 'session.id', shards => 4);
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_add(
    store: Option<&str>,
    key: default!(Option<&str>, "'session.id'"),
    shards: default!(Option<i32>, 1),
    replicas: default!(Option<i32>, 1),
) -> Result<(), ErrorReport> {
    let (shards, replicas) = (given("shards", shards)?, given("replicas", replicas)?);
    Ok(admin::add(given("store", store)?, given("key", key)?, shards, replicas)?)
}

/// Moves a store's identity to another path and gives every document its new id, all or none.
///
/// ```sql
/// SELECT session_key('stash', 'user.id');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_key(store: Option<&str>, key: Option<&str>) -> Result<(), ErrorReport> {
    Ok(change_key::change_key(given("store", store)?, given("key", key)?)?)
}

/// Renames a store.
///
/// ```sql
/// SELECT session_rename('stash', 'stash_2024');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_rename(store: Option<&str>, name: Option<&str>) -> Result<(), ErrorReport> {
    Ok(admin::rename(given("store", store)?, given("name", name)?)?)
}

/// Distributes a store's documents over the servers of a Citus cluster.
///
/// ```sql
/// SELECT session_distribute('stash', shards => 32);
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_distribute(
    store: Option<&str>,
    shards: default!(Option<i32>, 32),
) -> Result<(), ErrorReport> {
    Ok(distributed::distribute(given("store", store)?, given("shards", shards)?)?)
}

/// Removes a store and its documents.
///
/// ```sql
/// SELECT session_drop('stash');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_drop(store: Option<&str>) -> Result<(), ErrorReport> {
    Ok(admin::drop_store(given("store", store)?)?)
}

/// Makes a store of a table that is not in the catalogue, for example after restoring a dump of
/// schema sessions alone.
///
/// ```sql
/// SELECT session_adopt('stash', key => 'session.id');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_adopt(
    store: Option<&str>,
    key: default!(Option<&str>, "'session.id'"),
) -> Result<(), ErrorReport> {
    Ok(adopt::adopt(given("store", store)?, given("key", key)?)?)
}

/// Gives a role a right on a store: sessionQuery, sessionUpdate, get or admin.
///
/// ```sql
/// SELECT session_grant('stash', 'reader', 'sessionQuery');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_grant(
    store: Option<&str>,
    role: Option<&str>,
    right: Option<&str>,
) -> Result<(), ErrorReport> {
    Ok(grant::grant(given("store", store)?, given("role", role)?, given("right", right)?)?)
}

/// Takes a right on a store from a role.
///
/// ```sql
/// SELECT session_revoke('stash', 'reader', 'sessionQuery');
/// ```
#[pg_extern(volatile, parallel_unsafe, cost = 10000)]
fn session_revoke(
    store: Option<&str>,
    role: Option<&str>,
    right: Option<&str>,
) -> Result<(), ErrorReport> {
    Ok(grant::revoke(given("store", store)?, given("role", role)?, given("right", right)?)?)
}

/// Lists the stores by name.
///
/// ```sql
/// SELECT name, documents, pg_size_pretty(bytes) FROM session_list();
/// ```
#[pg_extern(stable, parallel_restricted, cost = 10000)]
#[allow(clippy::type_complexity)]
fn session_list() -> Result<
    TableIterator<
        'static,
        (
            name!(name, String),
            name!(key, String),
            name!(shards, i32),
            name!(replicas, i32),
            name!(copies, Option<i32>),
            name!(documents, Option<i64>),
            name!(bytes, Option<i64>),
            name!(created, TimestampWithTimeZone),
        ),
    >,
    ErrorReport,
> {
    let row = |s: list::Listed| {
        (s.name, s.key, s.shards, s.replicas, s.copies, s.documents, s.bytes, s.created)
    };
    Ok(TableIterator::new(list::list()?.into_iter().map(row)))
}
