//! The type `lucene_query` and the operator `jsonb @@@ lucene_query`.
//!
//! A `lucene_query` is stored as the canonical text of the query, in the layout of `text`. It keeps
//! `NOW` as a word, whose value is that of each transaction.

use super::parse_cache::{self, DocumentAnswer, ParsedQuery};
use super::simple_queries::{Known, SimpleQueries};
use crate::document::Jsonb;
use crate::error::{Error, Result};
use crate::pg::fmgr::{Arguments, c_functions};
use crate::predicate::Predicate;
use pgrx::{IntoDatum, PgMemoryContexts, pg_guard, pg_sys};
use std::ffi::CStr;
use std::rc::Rc;

c_functions! {
    pg_finfo_session_store_query_in session_store_query_in query_in;
    pg_finfo_session_store_query_out session_store_query_out query_out;
    pg_finfo_session_store_query_recv session_store_query_recv query_recv;
    pg_finfo_session_store_query_of_text session_store_query_of_text query_of_text;
    pg_finfo_session_store_match session_store_match matches;
    pg_finfo_session_store_match_always session_store_match_always matches_always;
    pg_finfo_session_store_query_at_now session_store_query_at_now query_at_now;
}

/// What a stored query means in this transaction. Raises an error if it means nothing, which the
/// input function rules out.
pub fn predicate(query: &[u8]) -> Rc<Predicate> {
    let query = parse_cache::parse_stored(query).unwrap_or_else(|error| error.raise());
    query.predicate.clone()
}

/// The operators that an index answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `@@@`
    Match,
    /// `@@@@`, which refuses a query with `NOW`.
    MatchAlways,
}

impl Operator {
    /// The operator of a function of the server.
    pub fn of(function: pg_sys::Oid) -> Option<Operator> {
        let mut info = pg_sys::FmgrInfo::default();
        // SAFETY: fmgr_info fills in what is known of a function, or raises an error where there is
        // none.
        unsafe { pg_sys::fmgr_info(function, &raw mut info) };
        let address = info.fn_addr?;
        let is = |function: Function| std::ptr::fn_addr_eq(address, function);
        if is(session_store_match) {
            Some(Operator::Match)
        } else if is(session_store_match_always) {
            Some(Operator::MatchAlways)
        } else {
            None
        }
    }
}

/// Refuses a stored query that means something else at another time.
pub fn refuse_now(query: &[u8]) -> Result<()> {
    if parse_cache::may_use_now(query) {
        let text = String::from_utf8_lossy(query);
        if parse_cache::parse_at(&text, 0)?.0.depends_on_now() {
            return Err(Error::DependsOnNow { query: text.into_owned() });
        }
    }
    Ok(())
}

type Function = unsafe extern "C-unwind" fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum;

/// A query in its canonical form, as it is stored. With `tell`, the notices about the query are
/// sent to the client.
fn stored(text: &str, tell: bool) -> Result<pg_sys::Datum> {
    let query = parse_cache::parse_cached(text)?;
    if tell {
        super::tell(&query);
    }
    Ok((*query.canonical()?).into_datum().unwrap_or(pg_sys::Datum::null()))
}

/// (cstring) → lucene_query
unsafe fn query_in(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: the function is declared to take a cstring, and is strict.
    let text = unsafe { CStr::from_ptr(arguments.pointer(0)) }.to_string_lossy();
    stored(&text, true).unwrap_or_else(|error| {
        // SAFETY: the server calls with a valid context, or null. It may ask for the error to be
        // handed back instead of raised (elog.h, ereturn).
        unsafe { error.raise_or_save((*arguments.0).context) };
        pg_sys::Datum::null()
    })
}

/// (StringInfo) → lucene_query: its text, as `text` has it.
unsafe fn query_recv(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: the function is declared to take a StringInfo (internal). The rest of the message is
    // the value, and pq_getmsgtext refuses text that is not valid in the encoding.
    let text = unsafe {
        let message = arguments.pointer::<pg_sys::StringInfoData>(0);
        let (mut length, rest) = (0, (*message).len - (*message).cursor);
        let text = pg_sys::pq_getmsgtext(message, rest, &raw mut length);
        std::slice::from_raw_parts(text.cast::<u8>(), length as usize)
    };
    stored(&String::from_utf8_lossy(text), true).unwrap_or_else(|error| error.raise())
}

/// (text) → lucene_query. Where the text differs from row to row, notices are sent for the first
/// row only.
unsafe fn query_of_text(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: the function is declared to take a text, and is strict. fn_extra belongs to the
    // called function (fmgr.h), and this one only looks whether it is null.
    unsafe {
        let text = String::from_utf8_lossy(arguments.bytes(0));
        let function = (*arguments.0).flinfo;
        let is_first = function.is_null() || (*function).fn_extra.is_null();
        let query = stored(&text, is_first).unwrap_or_else(|error| error.raise());
        if is_first && !function.is_null() {
            (*function).fn_extra = function.cast();
        }
        query
    }
}

/// (lucene_query) → cstring
unsafe fn query_out(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: the function is declared to take a lucene_query, which has the layout of text.
    unsafe { pg_sys::Datum::from(pg_sys::text_to_cstring(arguments.pointer(0))) }
}

/// (lucene_query) → lucene_query, with the start of the transaction written out in place of NOW.
unsafe fn query_at_now(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: the function is declared to take a lucene_query, and is strict.
    let text = String::from_utf8_lossy(unsafe { arguments.bytes(0) });
    let (ast, _) = parse_cache::parse_at(&text, 0).unwrap_or_else(|error| error.raise());
    ast.at(parse_cache::now()).to_string().into_datum().unwrap_or(pg_sys::Datum::null())
}

/// What a call of the operator's function keeps for the next one.
struct PreviousCall {
    simple_queries: SimpleQueries,
    /// The last query that was not among those.
    query: Vec<u8>,
    /// How many such calls in a row had this query.
    calls: usize,
    prepared: Option<Rc<ParsedQuery>>,
}

/// After how many calls in a row with the same query it is prepared. That takes about as long as so
/// many calls without.
const PREPARE_AFTER: usize = 16;
/// The same for a simple query, which takes little longer without.
const PREPARE_SIMPLE_AFTER: usize = 128;

impl PreviousCall {
    fn new() -> PreviousCall {
        let simple_queries = SimpleQueries::get();
        PreviousCall { simple_queries, query: Vec::new(), calls: 0, prepared: None }
    }

    fn matches(&mut self, query: &[u8], document: Jsonb<'_>) -> Result<bool> {
        if let Some(prepared) = self.prepared.as_ref().filter(|prepared| prepared.is_for(query)) {
            return Ok(prepared.matches(document));
        }
        let is_simple = match self.simple_queries.matches(query, document) {
            Known::Answer(answer) => return Ok(answer),
            Known::Nothing => true,
            Known::Other => false,
        };
        if self.query != query {
            self.query.clear();
            self.query.extend_from_slice(query);
            self.calls = 0;
        }
        self.calls += 1;
        if is_simple
            && self.calls <= PREPARE_SIMPLE_AFTER
            && let Some(answer) = parse_cache::match_at_once(query, document)
        {
            return Ok(answer);
        }
        let is_repeated = self.calls > PREPARE_AFTER;
        Ok(match parse_cache::match_document(query, is_repeated, document)? {
            DocumentAnswer::Answered(answer) => answer,
            DocumentAnswer::Prepared(query) => self.prepared.insert(query).matches(document),
        })
    }
}

/// (jsonb, lucene_query) → bool, for a query without NOW
unsafe fn matches_always(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: the function is declared to take a jsonb and a lucene_query, and is strict.
    unsafe {
        let query = arguments.bytes(1);
        refuse_now(query).unwrap_or_else(|error| error.raise());
        matches(arguments)
    }
}

/// (jsonb, lucene_query) → bool
unsafe fn matches(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: fn_extra belongs to the called function (fmgr.h). It is null or points to the value that
    // this function leaked into fn_mcxt, and so lives as long as that context.
    let previous = unsafe {
        let function = &mut *(*arguments.0).flinfo;
        if function.fn_extra.is_null() {
            let mut context = PgMemoryContexts::For(function.fn_mcxt);
            function.fn_extra = context.leak_and_drop_on_delete(PreviousCall::new()).cast();
        }
        &mut *function.fn_extra.cast::<PreviousCall>()
    };
    // SAFETY: the function is declared to take a jsonb and a lucene_query, and is strict. The strings
    // of a jsonb are valid in the server's encoding, which is UTF-8 (sql/bootstrap.sql).
    let (query, document) = unsafe { (arguments.bytes(1), Jsonb::new(arguments.bytes(0))) };
    let answer = previous.matches(query, document).unwrap_or_else(|error| error.raise());
    pg_sys::Datum::from(answer)
}
