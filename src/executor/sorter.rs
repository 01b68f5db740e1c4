//! Sorts rows by their values as PostgreSQL sorts (utils/sort/tuplesort.c): in work_mem, and in
//! temporary files if that does not suffice.

use super::doc_address::DocAddress;
use crate::pg::varlena::Varlena;
use crate::pg::versions;
use pgrx::pg_sys;

/// The values that a row is sorted by, whole: one for each sort key, none where the row has no
/// value at the path.
pub type SortValues = Vec<Option<Vec<u8>>>;

/// Takes rows, then hands out their addresses in order. What it holds of the server's must not
/// outlive the call in which it was made.
pub struct Sorter {
    state: *mut pg_sys::Tuplesortstate,
    columns: pg_sys::TupleDesc,
    /// A row on its way in, and one on its way out. The columns are the values, each a bytea, and
    /// the address, an int8.
    given: *mut pg_sys::TupleTableSlot,
    sorted: *mut pg_sys::TupleTableSlot,
    /// The number of values.
    values: usize,
}

/// How often the sorted rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Once, at most so many of them.
    Once(usize),
    /// Again and again.
    Repeated,
}

impl Sorter {
    /// A sort by some values, of which those are given that descend.
    pub fn new(descending: &[bool], reading: Reading) -> Sorter {
        /// pg_operator.dat: `bytea > bytea`, which has no name of its own there.
        const BYTEA_GREATER: u32 = 1959;
        let operator = |descends: &bool| match descends {
            true => BYTEA_GREATER,
            false => pg_sys::ByteaLessOperator,
        };
        let operators = descending.iter().map(operator).chain([pg_sys::Int8LessOperator]);
        let mut operators: Vec<pg_sys::Oid> = operators.map(pg_sys::Oid::from).collect();
        let count = operators.len();
        let mut numbers: Vec<pg_sys::AttrNumber> = (1..).take(count).collect();
        let mut collations = vec![pg_sys::InvalidOid; count];
        // A row that has no value at the path comes last, in either direction.
        let mut nulls_first = vec![false; count];
        // SAFETY: the descriptor is made for `count` columns and gets as many, of types that are
        // always there; the four arrays have that length too.
        unsafe {
            let columns = pg_sys::CreateTemplateTupleDesc(count as i32);
            for &number in &numbers {
                let is_address = usize::from(number.unsigned_abs()) == count;
                let kind = if is_address { pg_sys::INT8OID } else { pg_sys::BYTEAOID };
                pg_sys::TupleDescInitEntry(columns, number, std::ptr::null(), kind, -1, 0);
            }
            let state = versions::begin_sort(
                columns,
                &mut numbers,
                &mut operators,
                &mut collations,
                &mut nulls_first,
                reading == Reading::Repeated,
            );
            if let Reading::Once(most) = reading {
                pg_sys::tuplesort_set_bound(state, most as i64);
            }
            let (given, sorted) =
                (&raw const pg_sys::TTSOpsVirtual, &raw const pg_sys::TTSOpsMinimalTuple);
            Sorter {
                state,
                columns,
                given: pg_sys::MakeSingleTupleTableSlot(columns, given),
                sorted: pg_sys::MakeSingleTupleTableSlot(columns, sorted),
                values: descending.len(),
            }
        }
    }

    /// Takes a row.
    pub fn put(&mut self, values: &SortValues, address: DocAddress) {
        // SAFETY: the slot has a column for each value and one more. The sort copies the values, so
        // they can be freed afterwards.
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
            (to[self.values], nulls[self.values]) = (address.to_integer().into(), false);
            pg_sys::ExecStoreVirtualTuple(self.given);
            pg_sys::tuplesort_puttupleslot(self.state, self.given);
            pg_sys::ExecClearTuple(self.given);
            for (value, _) in to.iter().zip(values).filter(|(_, value)| value.is_some()) {
                pg_sys::pfree(value.cast_mut_ptr());
            }
        }
    }

    /// Sorts the rows that were put. After that no more can be put, and `next` returns them.
    pub fn sort(&mut self) {
        // SAFETY: the sort was begun in `new`, and ends when this is dropped.
        unsafe { pg_sys::tuplesort_performsort(self.state) };
    }

    /// Goes back to the first row. The sort must be one that is read repeatedly.
    pub fn rewind(&mut self) {
        // SAFETY: the sort was performed, and made so that it can be read again.
        unsafe { pg_sys::tuplesort_rescan(self.state) };
    }

    /// The next row.
    pub fn next(&mut self) -> Option<DocAddress> {
        // SAFETY: the sort was begun in `new`, and performed by `sort`. A slot that holds a row has
        // all of its columns after slot_getsomeattrs.
        unsafe {
            let (forward, copy) = (true, false);
            let null = std::ptr::null_mut();
            if !pg_sys::tuplesort_gettupleslot(self.state, forward, copy, self.sorted, null) {
                return None;
            }
            pg_sys::slot_getsomeattrs_int(self.sorted, self.values as i32 + 1);
            Some(DocAddress::from_integer(
                (*(*self.sorted).tts_values.add(self.values)).value() as i64
            ))
        }
    }

    /// The values of the row that was returned last.
    pub fn values(&self) -> SortValues {
        let value = |at: usize| {
            // SAFETY: `next` has read all columns of the slot. A value is a bytea that was put
            // detoasted.
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
        // While an error is raised, the aborting transaction frees everything.
        if !std::thread::panicking() {
            // SAFETY: all four were made in `new`, and nothing else refers to them. The slots go
            // first: one of them may point into the sort's memory, and both use the descriptor.
            unsafe {
                pg_sys::ExecDropSingleTupleTableSlot(self.given);
                pg_sys::ExecDropSingleTupleTableSlot(self.sorted);
                pg_sys::tuplesort_end(self.state);
                pg_sys::FreeTupleDesc(self.columns);
            }
        }
    }
}
