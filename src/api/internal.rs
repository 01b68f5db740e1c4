//! Functions of schema `session_store`. The statements and constraints that this extension makes
//! call them. Users may call them too, but their names and arguments may change in any version.

use super::given;
use crate::document::JsonbArg;
use crate::error::Error;
use crate::pg::fmgr::{Arguments, c_functions};
use crate::store::{estimate, identity, load, search, shard_page, shard_values};
use pgrx::datum::Internal;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use std::num::NonZeroUsize;

#[pg_schema]
mod session_store {
    use super::*;

    /// The smallest or largest value at a path, as bytes in the order of `sort`.
    ///
    /// ```sql
    /// SELECT id FROM sessions.stash ORDER BY session_store.sort_key(doc, 'session.start', false);
    /// ```
    #[pg_extern(immutable, strict, parallel_safe, cost = 50)]
    fn sort_key(doc: JsonbArg<'_>, path: &str, largest: bool) -> Option<Vec<u8>> {
        crate::document::extreme(doc.document(), path, largest, &mut Default::default())
    }

    /// The identity of a document at a path; null if there is none.
    ///
    /// ```sql
    /// SELECT session_store.identity('{"session": {"id": 2002.0}}', 'session.id');  -- 2002
    /// ```
    #[pg_extern(immutable, strict, parallel_safe, cost = 20)]
    fn identity(doc: JsonbArg<'_>, key: &str) -> Option<String> {
        identity::identity(doc.document(), key).ok()
    }

    /// Whether a document may lie under an id: it is an object, and it has this identity at a path or
    /// no value. The constraint `session_identity` of each store asks this.
    ///
    /// ```sql
    /// SELECT session_store.is_session('2002', '{"session": {"id": 2002.0}}', 'session.id');  -- true
    /// ```
    #[pg_extern(immutable, strict, parallel_safe, cost = 20)]
    fn is_session(id: &str, doc: JsonbArg<'_>, key: &str) -> bool {
        identity::is_session(id, doc.document(), key)
    }

    /// A query as the text of a JSON path, which `session_jsonpath` casts to jsonpath.
    ///
    /// ```sql
    /// SELECT session_store.jsonpath_text('a.b:1');
    /// ```
    #[pg_extern(immutable, parallel_safe, cost = 100)]
    fn jsonpath_text(q: Option<&str>) -> Result<String, ErrorReport> {
        Ok(search::jsonpath(given("q", q)?)?)
    }

    /// What a shard of a distributed table answers: the number of matches, and its window of them.
    ///
    /// ```sql
    /// SELECT session_store.shard_page(tableoid, '["a.b:1", null, null, {"*": [0, 10, 1]}, 10000, null]')
    /// FROM sessions.stash WHERE session_store.one_row(id);
    /// ```
    #[pg_extern(stable, parallel_restricted, cost = 10000)]
    fn shard_page(
        shard: Option<pgrx::pg_sys::Oid>,
        asked: Option<&str>,
    ) -> Result<Vec<Option<String>>, ErrorReport> {
        Ok(shard_page::page(given("shard", shard)?, given("asked", asked)?)?)
    }

    /// What a shard of a distributed table answers about the values of its matches.
    ///
    /// ```sql
    /// SELECT session_store.shard_values(tableoid, 'a.b:1', '{"facet": {"n": "sum(a.c)"}}', now(), 10000)
    /// FROM sessions.stash WHERE session_store.one_row(id);
    /// ```
    #[pg_extern(stable, parallel_restricted, cost = 10000)]
    fn shard_values(
        shard: Option<pgrx::pg_sys::Oid>,
        q: Option<&str>,
        asked: Option<&str>,
        now: Option<TimestampWithTimeZone>,
        bytes: Option<i64>,
    ) -> Result<Vec<u8>, ErrorReport> {
        let (shard, q) = (given("shard", shard)?, given("q", q)?);
        let (asked, now) = (given("asked", asked)?, given("now", now)?);
        Ok(shard_values::of_shard(shard, q, asked, now, bytes.unwrap_or(0))?)
    }

    /// Tells the planner how many rows session_stream will return (CREATE FUNCTION … SUPPORT). SQL
    /// cannot call it.
    #[pg_extern(stable, strict, parallel_restricted)]
    fn stream_support(request: Internal) -> Internal {
        let node: *mut pg_sys::Node =
            request.unwrap().map_or(std::ptr::null_mut(), |node| node.cast_mut_ptr());
        // SAFETY: only the planner can call a function with an argument of type internal, and it
        // passes a node. A null pointer says that the request is not answered.
        let is_answered = unsafe { !node.is_null() && estimate::answer_request(node) };
        Internal::from(Some(if is_answered { node.into() } else { pg_sys::Datum::null() }))
    }

    /// Version 0.1.0 had this function. Its symbol stays, because pg_upgrade creates the functions
    /// of a database as they are in it. Whoever calls it is told to update the extension.
    #[pg_extern(sql = false)]
    fn shape() -> Result<(), ErrorReport> {
        Err(Error::Outdated.into())
    }

    /// Version 0.1.0 had this function, too; see `shape`.
    #[pg_extern(sql = false)]
    fn matches() -> Result<(), ErrorReport> {
        Err(Error::Outdated.into())
    }
}

// Not by #[pg_trigger], which answers errors and calls by hand with words about a panic.
c_functions! {
    pg_finfo_load_line_wrapper load_line_wrapper load_line;
}

/// The triggers of the view `session_store.load`: begins with a statement, reads a line, and writes at
/// the end of the statement what was read.
///
/// ```sql
/// SET session_store.load_into = 'stash';
/// INSERT INTO session_store.load VALUES ('{"session": {"id": 2002}}');
/// ```
unsafe fn load_line(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: the call is the server's, and outlives this function.
    let trigger = unsafe { PgTrigger::from_fcinfo(&*arguments.0) };
    let trigger = trigger.unwrap_or_else(|_| Error::NotTrigger.raise());
    let row = trigger.new();
    let done = match (&row, trigger.when()) {
        (Some(line), _) => load::add(line.get_by_index(NonZeroUsize::MIN).unwrap_or(None)),
        (None, Ok(PgTriggerWhen::Before)) => load::begin(),
        (None, _) => load::finish(),
    };
    done.unwrap_or_else(|error| error.raise());
    // A trigger returns a null pointer for no row, and never the null of SQL.
    row.and_then(PgHeapTuple::into_trigger_datum).unwrap_or(pg_sys::Datum::null())
}
