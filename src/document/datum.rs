//! jsonb on its way in and out of SQL functions, never converted to text or to `serde_json` (which would cost time, and
//! the scale of a number: 1.0 must not come back as 1).

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
        // SAFETY: the caller vouches for a jsonb datum, which has variable length. It, and the memory context that the
        // function is called in, outlive 'fcx.
        let bytes = unsafe { Varlena::new(datum) }.aligned_bytes();
        // SAFETY: jsonb_in takes valid text of the server's encoding alone, and that is UTF-8 (sql/bootstrap.sql).
        Some(JsonbArg(unsafe { Jsonb::new(bytes) }))
    }
}

// SAFETY: only jsonb is unboxed, as the SQL declaration generated from the next impl says.
unsafe impl<'fcx> ArgAbi<'fcx> for JsonbArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: as above; a null never gets here, because PostgreSQL does not call a strict function with one and an
        // optional argument goes through `unbox_nullable_arg`.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(JsonbArg(Jsonb::empty()))
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        // SAFETY: as above.
        unsafe { arg.unbox_arg_using_from_datum() }.into()
    }
}

pgrx::impl_sql_translatable!(JsonbArg<'_>, "jsonb");

/// A jsonb value of PostgreSQL's making, handed on untouched.
pub struct JsonbDatum(pg_sys::Datum);

impl JsonbDatum {
    /// # Safety
    /// The datum must be a jsonb that lives in the memory context the SQL function returns its result in.
    pub unsafe fn new(datum: pg_sys::Datum) -> JsonbDatum {
        JsonbDatum(datum)
    }

    /// A value of this payload, which is given in pieces.
    ///
    /// # Safety
    /// The payload must be one of jsonb (see `Jsonb`), and the memory context that which the SQL function returns its result in.
    pub unsafe fn from_payload(payload: &[&[u8]], context: pg_sys::MemoryContext) -> JsonbDatum {
        // SAFETY: the caller says that the context is that of the function's result.
        JsonbDatum(unsafe { varlena::build(payload, context) })
    }
}

// SAFETY: `new` demands a jsonb datum of the right lifetime.
unsafe impl BoxRet for JsonbDatum {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

pgrx::impl_sql_translatable!(JsonbDatum, "jsonb");
