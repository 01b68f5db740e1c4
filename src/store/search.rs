//! A query as an SQL condition over `doc`, with the query's text in parameters only.

use super::spi;
use crate::document::{JsonbArg, sort_key};
use crate::error::{self, Error, Result};
use crate::lucene::{self, Ast, SortKey};
use crate::predicate::{self, Matcher, Predicate};
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use pgrx::pg_sys;
use std::cell::RefCell;

/// A query, understood.
pub struct Search {
    text: String,
    pub ast: Ast,
    pub predicate: Predicate,
    pub notices: Vec<String>,
    /// The query as JSON path, or why it cannot be one.
    pub jsonpath: std::result::Result<String, String>,
    /// Whether the index on `doc` is to find the candidates.
    pub is_narrowed: bool,
}

/// `@?` uses the index on `doc`, and answers for documents whose every leaf JSON path sees. The few others, irregular ones, have an
/// index of their own (store/admin.rs) and are left to the matcher. Where nothing is negated, JSON path can only miss an irregular
/// document, not find one wrongly, and the two sets may overlap.
const MONOTONE: &str = "
    (doc OPERATOR(pg_catalog.@?) $1::pg_catalog.jsonpath
        OR (session_store.shape(doc) = 'irregular' AND session_store.matches(doc, $2, $3)))";

const NEGATED: &str = "
    ((doc OPERATOR(pg_catalog.@?) $1::pg_catalog.jsonpath AND session_store.shape(doc) <> 'irregular')
        OR (session_store.shape(doc) = 'irregular' AND session_store.matches(doc, $2, $3)))";

/// What JSON path cannot say, and what it takes long to say: it asks one thing of a document after the other and keeps what it
/// finds until it is done with the document, where the matcher walks it once and looks values up.
const MATCHER: &str = "session_store.matches(doc, $2, $3)";

/// So many things JSON path is asked at most: of every document, and of those that the index finds.
const MANY_LEAVES: usize = 32;
const MANY_NARROWED_LEAVES: usize = 1024;

impl Search {
    /// Reads a query; `NOW` in it is the start of the transaction, as everywhere in SQL.
    pub fn parse(query: &str) -> Result<Search> {
        let (ast, lowered) = understand(query, transaction_start())?;
        let jsonpath = lowered.predicate.jsonpath().map_err(|unsayable| unsayable.to_string());
        let leaves = lowered.predicate.leaf_count();
        let is_narrowed =
            jsonpath.is_ok() && leaves <= MANY_NARROWED_LEAVES && lowered.predicate.is_narrowed();
        Ok(Search {
            text: query.to_string(),
            ast,
            predicate: lowered.predicate,
            notices: lowered.notices,
            jsonpath,
            is_narrowed,
        })
    }

    /// Tells the caller what is odd about the query.
    pub fn notify(&self) {
        self.notices.iter().for_each(|notice| error::notice(notice));
    }

    /// The condition, over `doc` and the first three parameters.
    pub fn condition(&self) -> &'static str {
        match self.jsonpath {
            _ if self.predicate == Predicate::All => "true",
            _ if self.predicate == Predicate::None => "false",
            Err(_) => MATCHER,
            Ok(_) if !self.is_narrowed && self.predicate.leaf_count() > MANY_LEAVES => MATCHER,
            Ok(_) if self.predicate.is_monotone() => MONOTONE,
            Ok(_) => NEGATED,
        }
    }

    /// Does what plans a statement with this condition, under the settings it needs.
    ///
    /// Nobody knows the selectivity of `@?`; PostgreSQL takes one document in a hundred for a match, and then rather reads a
    /// table from its start than an index if only a few matches are wanted: all of the table, where there are no more. And to
    /// it, a path is one comparison, be it of ten thousand clauses. So where the index narrows a query, it is used.
    pub fn planning<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_narrowed { spi::with_setting(c"enable_seqscan", c"off", work) } else { work() }
    }

    /// JSON path, query and time: the parameters of `condition`.
    pub fn parameters(&self) -> Vec<DatumWithOid<'_>> {
        let now = pg_sys::Datum::from(transaction_start());
        // SAFETY: timestamptz is passed by value, as an int64 (timestamp.h).
        let now = unsafe { DatumWithOid::new(now, pg_sys::TIMESTAMPTZOID) };
        vec![self.jsonpath.as_deref().ok().into(), self.text.as_str().into(), now]
    }
}

/// Microseconds since 2000-01-01.
fn transaction_start() -> pg_sys::TimestampTz {
    // SAFETY: reads a variable of the running transaction (xact.c).
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

fn understand(query: &str, now: pg_sys::TimestampTz) -> Result<(Ast, predicate::Lowered)> {
    /// timestamp.h: 2000-01-01 less 1970-01-01.
    const EPOCH_DIFFERENCE_MS: i64 = 946_684_800_000;
    let ast = lucene::parse(query).map_err(|error| bad("query", query, error))?;
    let lowered = predicate::lower(&ast, now.div_euclid(1000) + EPOCH_DIFFERENCE_MS);
    Ok((ast, lowered))
}

fn bad(what: &'static str, text: &str, error: lucene::Error) -> Error {
    Error::Query { what, text: text.to_string(), error }
}

/// Reads the sort order of a call; none sorts by nothing.
pub fn parse_sort(sort: Option<&str>) -> Result<Vec<SortKey>> {
    let text = sort.unwrap_or_default();
    lucene::parse_sort(text).map_err(|error| bad("sort", text, error))
}

/// The query as text of a JSON path, by itself: no store, no time.
pub fn jsonpath(query: &str) -> Result<String> {
    let (_, lowered) = understand(query, 0)?;
    lowered
        .predicate
        .jsonpath()
        .map_err(|unsayable| Error::Unsayable { reason: unsayable.to_string() })
}

thread_local! {
    /// The query this backend matched last: a statement calls `matches` with the same one for document after document.
    static LAST: RefCell<Option<(String, pg_sys::TimestampTz, Matcher)>> = const { RefCell::new(None) };
}

/// Whether a document matches a query at a moment.
pub fn matches(doc: JsonbArg<'_>, query: &str, now: TimestampWithTimeZone) -> Result<bool> {
    let now = now.into_inner();
    LAST.with_borrow_mut(|last| {
        let matcher = match last {
            Some((text, moment, matcher)) if *moment == now && text == query => matcher,
            _ => {
                let matcher = Matcher::new(&understand(query, now)?.1.predicate);
                &mut last.insert((query.to_string(), now, matcher)).2
            }
        };
        Ok(matcher.matches(&doc.document()))
    })
}

/// The smallest or largest value at a path, as bytes that order as sort does.
pub fn extreme_key(doc: JsonbArg<'_>, path: &str, largest: bool) -> Option<Vec<u8>> {
    let mut extreme: Option<Vec<u8>> = None;
    doc.document().leaves_at(path, &mut |leaf| {
        let Some(key) = leaf.scalar().as_ref().map(sort_key) else { return };
        let better =
            extreme.as_ref().is_none_or(|best| if largest { key > *best } else { key < *best });
        if better {
            extreme = Some(key);
        }
    });
    extreme
}
