//! jsonb arguments and results of SQL functions. They are never converted to text or to `serde_json`:
//! that would take time and lose the scale of numbers, but 1.0 must not come back as 1.

use super::jsonb::Jsonb;
use crate::pg::varlena::{self, Varlena};
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::nullable::Nullable;
use pgrx::{FromDatum, pg_sys};

/// A jsonb argument, detoasted.
#[derive(Clone, Copy)]
pub struct JsonbArg<'fcx>(Jsonb<'fcx>);

impl<'fcx> JsonbArg<'fcx> {
    /// The document.
    pub fn document(self) -> Jsonb<'fcx> {
        self.0
    }
}

impl FromDatum for JsonbArg<'_> {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller guarantees a jsonb datum, which is a varlena. The datum and the memory
        // context of the function call outlive 'fcx.
        let bytes = unsafe { Varlena::new(datum) }.aligned_bytes();
        // SAFETY: jsonb_in accepts only valid text of the server's encoding, which is UTF-8
        // (sql/bootstrap.sql refuses others), so the strings of a jsonb are UTF-8.
        Some(JsonbArg(unsafe { Jsonb::new(bytes) }))
    }
}

// SAFETY: the SQL declaration that pgrx generates from `impl_sql_translatable` below says jsonb, so
// only jsonb arguments are unboxed.
unsafe impl<'fcx> ArgAbi<'fcx> for JsonbArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the argument is declared as jsonb, and it is not null: PostgreSQL does not call a
        // strict function with a null, and an optional argument goes through `unbox_nullable_arg`.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(JsonbArg(Jsonb::empty()))
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        // SAFETY: the argument is declared as jsonb, and `from_polymorphic_datum` handles a null.
        unsafe { arg.unbox_arg_using_from_datum() }.into()
    }
}

pgrx::impl_sql_translatable!(JsonbArg<'_>, "jsonb");

/// The payload of JSON as binary jsonb.
pub fn jsonb_payload(json: serde_json::Value) -> Vec<u8> {
    let datum = pgrx::IntoDatum::into_datum(pgrx::JsonB(json));
    // SAFETY: the datum is one of jsonb, which jsonb_in has just made in the current context.
    datum.map_or(Vec::new(), |datum| unsafe { Varlena::new(datum) }.aligned_bytes().to_vec())
}

/// The payload of a text as binary jsonb. The server raises an error if the text is not JSON.
pub fn read_jsonb(text: &str) -> crate::error::Result<Vec<u8>> {
    let Ok(text) = std::ffi::CString::new(text) else {
        return Ok(Vec::new()); // PostgreSQL's text has no NUL.
    };
    let mut payload = Vec::new();
    // SAFETY: jsonb_in takes a C string, and makes a jsonb in the current memory context, which
    // nobody else knows.
    unsafe {
        let text = pg_sys::Datum::from(text.as_ptr());
        let datum = pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text)]);
        let Some(datum) = datum else { return Ok(payload) };
        let bytes = Varlena::new(datum).aligned_bytes();
        crate::memory::reserve(&mut payload, bytes.len())?;
        payload.extend_from_slice(bytes);
        pg_sys::pfree(datum.cast_mut_ptr());
    }
    Ok(payload)
}

/// The text of a jsonb value, as the server shows it. The inverse of `read_jsonb`.
///
/// # Safety
/// The payload must be one of jsonb (see `Jsonb`).
pub unsafe fn json_text(payload: &[u8]) -> crate::error::Result<String> {
    let mut text = Vec::new();
    // SAFETY: the caller's payload, behind a header in the current memory context, is a jsonb value.
    // jsonb_out makes a C string in that context. Nobody else knows either.
    unsafe {
        let datum = varlena::build(&[payload], pg_sys::CurrentMemoryContext);
        let shown = pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(datum)]);
        pg_sys::pfree(datum.cast_mut_ptr());
        let Some(shown) = shown else { return Ok(String::new()) };
        let bytes = std::ffi::CStr::from_ptr(shown.cast_mut_ptr()).to_bytes();
        crate::memory::reserve(&mut text, bytes.len())?;
        text.extend_from_slice(bytes);
        pg_sys::pfree(shown.cast_mut_ptr());
    }
    String::from_utf8(text).map_err(|_| crate::error::Error::ShardAnswer)
}

/// A jsonb value as the result of a SQL function.
pub struct JsonbDatum(pg_sys::Datum);

impl JsonbDatum {
    /// A result that PostgreSQL made.
    ///
    /// # Safety
    /// The datum must be a jsonb value in the memory context of the SQL function's result.
    pub unsafe fn new(datum: pg_sys::Datum) -> JsonbDatum {
        JsonbDatum(datum)
    }

    /// A jsonb value with this payload, which is given in pieces.
    ///
    /// # Safety
    /// The payload must be one of jsonb (see `Jsonb`), and the memory context must be that of the SQL
    /// function's result.
    pub unsafe fn from_payload(payload: &[&[u8]], context: pg_sys::MemoryContext) -> JsonbDatum {
        // SAFETY: the caller guarantees that the context is that of the function's result, which is
        // alive.
        JsonbDatum(unsafe { varlena::build(payload, context) })
    }
}

// SAFETY: `new` and `from_payload` make sure that the datum is a jsonb value in the memory context of
// the result, which is what a function that returns jsonb must return.
unsafe impl BoxRet for JsonbDatum {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the datum is a jsonb value in the memory context of the result, as `new` and
        // `from_payload` demand.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

pgrx::impl_sql_translatable!(JsonbDatum, "jsonb");
