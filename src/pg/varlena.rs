//! Values of variable length (varatt.h): text, bytea, jsonb and `lucene_query`. A header says how
//! long the value is, and whether it is compressed or kept in a TOAST table.

use pgrx::pg_sys;
use std::marker::PhantomData;

/// A value of variable length as PostgreSQL passes it: perhaps compressed, perhaps a pointer into a
/// TOAST table.
#[derive(Clone, Copy)]
pub struct Varlena<'a> {
    value: *mut pg_sys::varlena,
    memory: PhantomData<&'a ()>,
}

impl<'a> Varlena<'a> {
    /// # Safety
    /// The datum must be of a type of variable length and live as long as 'a. The memory context
    /// that is current when it is read must live that long, too.
    #[inline]
    pub unsafe fn new(datum: pg_sys::Datum) -> Varlena<'a> {
        Varlena { value: datum.cast_mut_ptr(), memory: PhantomData }
    }

    /// The bytes behind the header, at any address. If the value has to be expanded, they are a
    /// copy in the current memory context.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        // SAFETY: `new` demands a value of variable length. It is read in place if it is neither
        // compressed nor in a TOAST table; otherwise the server expands it.
        unsafe {
            // A call into the server costs more than everything else in a short match.
            let is_plain = pgrx::varatt_is_4b_u(self.value)
                || pgrx::varatt_is_1b(self.value) && !pgrx::varatt_is_1b_e(self.value);
            payload(match is_plain {
                true => self.value,
                false => pg_sys::pg_detoast_datum_packed(self.value),
            })
        }
    }

    /// The bytes behind the header, at any address. None if the value is compressed or in a TOAST
    /// table.
    #[inline]
    pub fn inline_bytes(self) -> Option<&'a [u8]> {
        // SAFETY: `new` demands a value of variable length, whose header says how it is stored.
        unsafe {
            let is_plain = pgrx::varatt_is_4b_u(self.value)
                || pgrx::varatt_is_1b(self.value) && !pgrx::varatt_is_1b_e(self.value);
            is_plain.then(|| payload(self.value))
        }
    }

    /// The bytes behind the header, at an address that is a multiple of four, as jsonb needs it. If
    /// the value is not stored like that, they are a copy in the current memory context.
    #[inline]
    pub fn aligned_bytes(self) -> &'a [u8] {
        // SAFETY: `new` demands a value of variable length. An uncompressed one with a header of
        // four bytes is aligned to four bytes (varatt.h); the server copies any other.
        unsafe {
            let is_plain = pgrx::varatt_is_4b_u(self.value);
            payload(if is_plain { self.value } else { pg_sys::pg_detoast_datum(self.value) })
        }
    }

    /// Passes the aligned bytes to `read`, and frees the copy if one was made.
    pub fn read_aligned<T>(self, read: impl FnOnce(&[u8]) -> T) -> T {
        // SAFETY: `new` demands a value of variable length. If the server has made a copy, nobody
        // else knows it, and `read` cannot keep a pointer to it.
        unsafe {
            let plain = pg_sys::pg_detoast_datum(self.value);
            let result = read(payload(plain));
            if plain != self.value {
                pg_sys::pfree(plain.cast());
            }
            result
        }
    }

    /// The value as it is stored, with its header. For a large value that is a pointer into its
    /// TOAST table.
    pub fn stored(self) -> &'a [u8] {
        // SAFETY: `new` demands a value of variable length. Its header says how many bytes it has.
        unsafe {
            std::slice::from_raw_parts(self.value.cast::<u8>(), pgrx::varsize_any(self.value))
        }
    }
}

/// # Safety
/// The value must be neither compressed nor in a TOAST table.
#[inline]
unsafe fn payload<'a>(value: *const pg_sys::varlena) -> &'a [u8] {
    // SAFETY: the header of a value that is stored whole says how many bytes follow it.
    unsafe {
        std::slice::from_raw_parts(
            pgrx::vardata_any(value).cast::<u8>(),
            pgrx::varsize_any_exhdr(value),
        )
    }
}

/// Builds a value in a memory context, with a header of four bytes, from pieces that follow each
/// other.
///
/// # Safety
/// The memory context must be alive.
pub unsafe fn build(pieces: &[&[u8]], context: pg_sys::MemoryContext) -> pg_sys::Datum {
    let bytes = 4 + pieces.iter().map(|piece| piece.len()).sum::<usize>();
    // SAFETY: the memory has room for the header and all pieces. MemoryContextAlloc raises an error
    // for a size above 1 GB.
    unsafe {
        let value = pg_sys::MemoryContextAlloc(context, bytes);
        pgrx::set_varsize_4b(value.cast(), bytes as i32);
        let mut to = value.cast::<u8>().add(4);
        for piece in pieces {
            std::ptr::copy_nonoverlapping(piece.as_ptr(), to, piece.len());
            to = to.add(piece.len());
        }
        pg_sys::Datum::from(value)
    }
}

/// A value as it is stored, with a header of four bytes (varatt.h, SET_VARSIZE_4B).
pub fn stored(payload: &[u8]) -> Vec<u8> {
    let bytes = 4 + payload.len() as u32;
    let header = if cfg!(target_endian = "little") { bytes << 2 } else { bytes };
    [&header.to_ne_bytes(), payload].concat()
}

/// Builds many short values in one piece of memory of the current context, and returns an array of
/// their datums. GIN asks for the keys of every document, and one call of palloc for each key would
/// take longer than the rest.
pub fn build_all<'v>(
    values: impl ExactSizeIterator<Item = &'v [u8]> + Clone,
) -> *mut pg_sys::Datum {
    /// In bytes, with the header (postgres.h: VARATT_SHORT_MAX). Shorter values have a header of
    /// one byte.
    const SHORT_MAX: usize = 0x7F;
    let size = |value: &[u8]| match value.len() {
        short @ ..SHORT_MAX => 1 + short,
        long => 4 + long,
    };
    let total: usize = values.clone().map(|value| size(value).next_multiple_of(4)).sum();
    // SAFETY: `allocate` raises an error for a size that is not possible. Each value takes `size`
    // bytes, rounded up to a multiple of four, and `total` is the sum of these.
    unsafe {
        let datums: *mut pg_sys::Datum = super::fmgr::allocate(values.len());
        let mut at: *mut u8 = super::fmgr::allocate(total);
        for (number, value) in values.enumerate() {
            let size = size(value);
            if value.len() < SHORT_MAX {
                pgrx::set_varsize_short(at.cast(), size as i32);
            } else {
                pgrx::set_varsize_4b(at.cast(), size as i32);
            }
            std::ptr::copy_nonoverlapping(value.as_ptr(), at.add(size - value.len()), value.len());
            *datums.add(number) = pg_sys::Datum::from(at);
            at = at.add(size.next_multiple_of(4));
        }
        datums
    }
}
