//! Sorting rows by their values as PostgreSQL sorts (utils/sort/tuplesort.c): in work_mem, and what is more in temporary files.

use super::sorted_rows::{Place, Values};
use crate::pg::varlena::Varlena;
use crate::pg::versions;
use crate::syntax::SortKey;
use pgrx::pg_sys;

/// Takes rows, then hands out their places in order. What it holds of the server's must not outlive the call it was made in.
pub struct Sorter {
    state: *mut pg_sys::Tuplesortstate,
    columns: pg_sys::TupleDesc,
    /// A row on its way in, and one on its way out: the values, each a bytea, and the place.
    given: *mut pg_sys::TupleTableSlot,
    sorted: *mut pg_sys::TupleTableSlot,
    values: usize,
}

impl Sorter {
    /// `most`: no more rows than that will be asked for.
    pub fn new(sort: &[SortKey], most: usize) -> Sorter {
        /// pg_operator.dat: `bytea > bytea`, which has no name of its own there.
        const BYTEA_GREATER: u32 = 1959;
        let operator = |key: &SortKey| match key.descending {
            true => BYTEA_GREATER,
            false => pg_sys::ByteaLessOperator,
        };
        let operators = sort.iter().map(operator).chain([pg_sys::Int8LessOperator]);
        let mut operators: Vec<pg_sys::Oid> = operators.map(pg_sys::Oid::from).collect();
        let count = operators.len();
        let mut numbers: Vec<pg_sys::AttrNumber> = (1..).take(count).collect();
        let mut collations = vec![pg_sys::InvalidOid; count];
        // A row without a value comes last, whatever the direction.
        let mut nulls_first = vec![false; count];
        // SAFETY: a descriptor with as many columns as it is made for, of types that are always there; and four arrays of that length.
        unsafe {
            let columns = pg_sys::CreateTemplateTupleDesc(count as i32);
            for &number in &numbers {
                let is_place = usize::from(number.unsigned_abs()) == count;
                let kind = if is_place { pg_sys::INT8OID } else { pg_sys::BYTEAOID };
                pg_sys::TupleDescInitEntry(columns, number, std::ptr::null(), kind, -1, 0);
            }
            let state = versions::begin_sort(
                columns,
                &mut numbers,
                &mut operators,
                &mut collations,
                &mut nulls_first,
            );
            pg_sys::tuplesort_set_bound(state, most as i64);
            let (given, sorted) =
                (&raw const pg_sys::TTSOpsVirtual, &raw const pg_sys::TTSOpsMinimalTuple);
            Sorter {
                state,
                columns,
                given: pg_sys::MakeSingleTupleTableSlot(columns, given),
                sorted: pg_sys::MakeSingleTupleTableSlot(columns, sorted),
                values: sort.len(),
            }
        }
    }

    /// Takes a row.
    pub fn put(&mut self, values: &Values, place: Place) {
        // SAFETY: the slot has as many columns as values and one more; the sort copies them, so that they can be freed behind.
        unsafe {
            pg_sys::ExecClearTuple(self.given);
            let to = std::slice::from_raw_parts_mut((*self.given).tts_values, self.values + 1);
            let nulls = std::slice::from_raw_parts_mut((*self.given).tts_isnull, self.values + 1);
            for ((to, is_null), value) in to.iter_mut().zip(nulls.iter_mut()).zip(values) {
                *is_null = value.is_none();
                *to = value.as_ref().map_or(pg_sys::Datum::null(), |value| {
                    pgrx::rust_byte_slice_to_bytea(value).into_pg().into()
                });
            }
            (to[self.values], nulls[self.values]) = (place.to_integer().into(), false);
            pg_sys::ExecStoreVirtualTuple(self.given);
            pg_sys::tuplesort_puttupleslot(self.state, self.given);
            pg_sys::ExecClearTuple(self.given);
            for (value, _) in to.iter().zip(values).filter(|(_, value)| value.is_some()) {
                pg_sys::pfree(value.cast_mut_ptr());
            }
        }
    }

    /// Sorts what was put: now no more may be, and all can be had.
    pub fn sort(&mut self) {
        // SAFETY: begun in `new`.
        unsafe { pg_sys::tuplesort_performsort(self.state) };
    }

    /// The next row.
    pub fn next(&mut self) -> Option<Place> {
        // SAFETY: as above, and sorted. A row that is there has all columns once they are asked for.
        unsafe {
            let (forward, copy) = (true, false);
            let null = std::ptr::null_mut();
            if !pg_sys::tuplesort_gettupleslot(self.state, forward, copy, self.sorted, null) {
                return None;
            }
            pg_sys::slot_getsomeattrs_int(self.sorted, self.values as i32 + 1);
            Some(Place::from_integer((*(*self.sorted).tts_values.add(self.values)).value() as i64))
        }
    }

    /// The values of the row that came last.
    pub fn values(&self) -> Values {
        let value = |at: usize| {
            // SAFETY: as above; a value is a bytea, detoasted as it was put.
            unsafe {
                if *(*self.sorted).tts_isnull.add(at) {
                    return None;
                }
                Some(Varlena::new(*(*self.sorted).tts_values.add(at)).bytes().to_vec())
            }
        };
        (0..self.values).map(value).collect()
    }
}

impl Drop for Sorter {
    fn drop(&mut self) {
        // While an error passes through, its transaction frees everything.
        if !std::thread::panicking() {
            // SAFETY: made in `new`; the slots do not outlive the sort, which one of them may point into, nor their descriptor.
            unsafe {
                pg_sys::ExecDropSingleTupleTableSlot(self.given);
                pg_sys::ExecDropSingleTupleTableSlot(self.sorted);
                pg_sys::tuplesort_end(self.state);
                pg_sys::FreeTupleDesc(self.columns);
            }
        }
    }
}
