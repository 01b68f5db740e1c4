//! Values of variable length (varatt.h): text, bytea, jsonb and `lucene_query` behind a header that says
//! how long they are, and whether they are compressed or kept elsewhere (TOAST).

use pgrx::pg_sys;
use std::marker::PhantomData;

/// A value of variable length as PostgreSQL hands it around: perhaps compressed, perhaps a pointer to a
/// TOAST table.
#[derive(Clone, Copy)]
pub struct Varlena<'a> {
    value: *mut pg_sys::varlena,
    memory: PhantomData<&'a ()>,
}

impl<'a> Varlena<'a> {
    /// # Safety
    /// The datum must be of a type of variable length, and live as long as 'a. So must the memory
    /// context that is current when it is read.
    #[inline]
    pub unsafe fn new(datum: pg_sys::Datum) -> Varlena<'a> {
        Varlena { value: datum.cast_mut_ptr(), memory: PhantomData }
    }

    /// The bytes behind the header, where they lie: at any address. What has to be expanded for that is
    /// a copy in the current memory context.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        // SAFETY: `new` demands a value of variable length. It is read in place unless it is compressed or
        // elsewhere, and else expanded by the server.
        unsafe {
            // A call into the server costs more than the rest of a short match.
            let is_plain = pgrx::varatt_is_4b_u(self.value)
                || pgrx::varatt_is_1b(self.value) && !pgrx::varatt_is_1b_e(self.value);
            payload(match is_plain {
                true => self.value,
                false => pg_sys::pg_detoast_datum_packed(self.value),
            })
        }
    }

    /// The bytes behind the header at an address that is a multiple of four, which is what jsonb needs. A
    /// value that does not lie so is a copy in the current memory context.
    #[inline]
    pub fn aligned_bytes(self) -> &'a [u8] {
        // SAFETY: `new` demands a value of variable length. One with a header of four bytes that is not
        // compressed is aligned to four bytes (varatt.h); any other is copied by the server.
        unsafe {
            let is_plain = pgrx::varatt_is_4b_u(self.value);
            payload(if is_plain { self.value } else { pg_sys::pg_detoast_datum(self.value) })
        }
    }

    /// Reads the aligned bytes, and frees the copy if there had to be one.
    pub fn read_aligned<T>(self, read: impl FnOnce(&[u8]) -> T) -> T {
        // SAFETY: `new` demands a value of variable length. A copy that the server has made belongs to
        // nobody else, and nothing points to it once `read` has returned.
        unsafe {
            let plain = pg_sys::pg_detoast_datum(self.value);
            let result = read(payload(plain));
            if plain != self.value {
                pg_sys::pfree(plain.cast());
            }
            result
        }
    }

    /// The value as it is, its header included: of a large one that is a pointer to its TOAST rows.
    pub fn stored(self) -> &'a [u8] {
        // SAFETY: `new` demands a value of variable length, which has as many bytes as its header says.
        unsafe {
            std::slice::from_raw_parts(self.value.cast::<u8>(), pgrx::varsize_any(self.value))
        }
    }
}

/// # Safety
/// The value must be neither compressed nor elsewhere.
#[inline]
unsafe fn payload<'a>(value: *const pg_sys::varlena) -> &'a [u8] {
    // SAFETY: the header of such a value says how many bytes follow it.
    unsafe {
        std::slice::from_raw_parts(
            pgrx::vardata_any(value).cast::<u8>(),
            pgrx::varsize_any_exhdr(value),
        )
    }
}

/// A new value in a memory context, with a header of four bytes. Its bytes are given in pieces.
///
/// # Safety
/// The context must live.
pub unsafe fn build(pieces: &[&[u8]], context: pg_sys::MemoryContext) -> pg_sys::Datum {
    let bytes = 4 + pieces.iter().map(|piece| piece.len()).sum::<usize>();
    // SAFETY: the memory has room for the header and all pieces. A size past 1 GB is an error that
    // MemoryContextAlloc raises.
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

/// Short values as one array of datums, in one piece of memory of the current context: shorter than
/// palloc for each, which GIN's support functions call for every document.
pub fn build_all<'v>(
    values: impl ExactSizeIterator<Item = &'v [u8]> + Clone,
) -> *mut pg_sys::Datum {
    /// postgres.h: VARATT_SHORT_MAX. Shorter values have a header of one byte.
    const SHORT_MAX: usize = 0x7F;
    let size = |value: &[u8]| match value.len() {
        short @ ..SHORT_MAX => 1 + short,
        long => 4 + long,
    };
    let total: usize = values.clone().map(|value| size(value).next_multiple_of(4)).sum();
    // SAFETY: a size that is not possible is an error that palloc raises. Each value takes its size and is
    // followed by at most three bytes, so all lie within what was allocated.
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
