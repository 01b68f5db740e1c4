//! The type `lucene_query` and the operator `jsonb @@@ lucene_query`.
//!
//! A `lucene_query` is stored as the canonical text of the query, laid out as `text` is. It keeps `NOW` as such, which is read anew
//! in each transaction.

use super::parse_cache::{self, DocumentAnswer, ParsedQuery};
use crate::document::JsonbArg;
use crate::error::{self, Result};
use crate::pg::fmgr::{Arguments, c_functions};
use crate::predicate::Predicate;
use pgrx::{FromDatum, IntoDatum, PgMemoryContexts, pg_guard, pg_sys};
use std::ffi::CStr;
use std::rc::Rc;

c_functions! {
    pg_finfo_session_store_query_in session_store_query_in query_in;
    pg_finfo_session_store_query_out session_store_query_out query_out;
    pg_finfo_session_store_query_recv session_store_query_recv query_recv;
    pg_finfo_session_store_query_of_text session_store_query_of_text query_of_text;
    pg_finfo_session_store_match session_store_match matches;
}

/// What a stored query means in this transaction. Raises an error should it mean nothing, which the input function made sure of.
pub fn predicate(query: &[u8]) -> Rc<Predicate> {
    let query = parse_cache::parse_stored(query).unwrap_or_else(|error| error.raise());
    query.predicate.clone()
}

/// Whether a function of the server's is that of the operator.
pub fn is_match(function: pg_sys::Oid) -> bool {
    let mut info = pg_sys::FmgrInfo::default();
    // SAFETY: finds a function out, or raises an error where there is none.
    unsafe { pg_sys::fmgr_info(function, &raw mut info) };
    info.fn_addr
        .is_some_and(|address| std::ptr::fn_addr_eq(address, session_store_match as Function))
}

type Function = unsafe extern "C-unwind" fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum;

/// A query as it is stored: in its canonical form. Tells what is odd about it.
fn stored(text: &str, tell: bool) -> Result<pg_sys::Datum> {
    let query = parse_cache::parse_cached(text)?;
    if tell {
        query.notices.iter().for_each(|notice| error::notice(notice));
    }
    Ok((*query.canonical()?).into_datum().unwrap_or(pg_sys::Datum::null()))
}

/// (cstring) → lucene_query
unsafe fn query_in(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; the server's encoding is UTF-8.
    let text = unsafe { CStr::from_ptr(arguments.pointer(0)) }.to_string_lossy();
    stored(&text, true).unwrap_or_else(|error| {
        // SAFETY: the context of the call, which may ask for the error to be handed back (elog.h, ereturn).
        unsafe { error.raise_or_save((*arguments.0).context) };
        pg_sys::Datum::null()
    })
}

/// (StringInfo) → lucene_query: its text, as `text` has it.
unsafe fn query_recv(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; the rest of the message is the value, and pq_getmsgtext refuses what is not valid in the encoding.
    let text = unsafe {
        let message = arguments.pointer::<pg_sys::StringInfoData>(0);
        let (mut length, rest) = (0, (*message).len - (*message).cursor);
        let text = pg_sys::pq_getmsgtext(message, rest, &raw mut length);
        std::slice::from_raw_parts(text.cast::<u8>(), length as usize)
    };
    stored(&String::from_utf8_lossy(text), true).unwrap_or_else(|error| error.raise())
}

/// (text) → lucene_query. Where the text differs from row to row, only the first row is told what is odd about its query.
unsafe fn query_of_text(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared. fn_extra belongs to the called function (fmgr.h), which only asks whether it was set.
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
    // SAFETY: as declared; the layout is that of text.
    unsafe { pg_sys::Datum::from(pg_sys::text_to_cstring(arguments.pointer(0))) }
}

/// (jsonb, lucene_query) → bool
unsafe fn matches(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared. fn_extra belongs to the called function (fmgr.h), and what it points to lives as long as fn_mcxt.
    unsafe {
        let query = arguments.bytes(1);
        let function = &mut *(*arguments.0).flinfo;
        if function.fn_extra.is_null() {
            let mut context = PgMemoryContexts::For(function.fn_mcxt);
            let kept = context.leak_and_drop_on_delete(None::<Rc<ParsedQuery>>);
            function.fn_extra = kept.cast();
        }
        let kept = &mut *function.fn_extra.cast::<Option<Rc<ParsedQuery>>>();
        let Some(doc) = JsonbArg::from_datum(arguments.datum(0), false) else {
            return pg_sys::Datum::from(false);
        };
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_for(query)) {
            return pg_sys::Datum::from(kept.matches(doc.document()));
        }
        let answer = parse_cache::match_document(query, doc.document())
            .unwrap_or_else(|error| error.raise());
        pg_sys::Datum::from(match answer {
            DocumentAnswer::Answered(answer) => answer,
            DocumentAnswer::Prepared(query) => kept.insert(query).matches(doc.document()),
        })
    }
}
