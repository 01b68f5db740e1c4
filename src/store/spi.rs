//! Running statements inside the server: PostgreSQL's SPI (doc/src/sgml/spi.sgml), as little of it as is needed.
//!
//! pgrx's own client decides by itself whether a statement is read-only: as soon as the transaction has written, its reads take
//! a new snapshot. A STABLE function must see what its calling statement sees, so here the caller says which it is.

use crate::error::{Error, Result};
use pgrx::datum::DatumWithOid;
use pgrx::{FromDatum, pg_sys};
use std::ffi::{CStr, CString};
use std::marker::PhantomData;

/// A connection to SPI. What SPI allocates, results included, is freed with it.
pub struct Spi(());

/// How a statement is planned and what it sees.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// Sees what the calling statement sees; planned for these very parameters.
    Read,
    /// As `Read`, and rows come in the table's own order: without parallel workers, who would mix them.
    ReadInOrder,
    /// Sees everything done so far, and may write; planned once, whatever the parameters.
    Write,
}

impl Mode {
    fn is_read_only(self) -> bool {
        self != Mode::Write
    }

    fn cursor_options(self) -> i32 {
        (match self {
            Mode::Read => pg_sys::CURSOR_OPT_CUSTOM_PLAN | pg_sys::CURSOR_OPT_PARALLEL_OK,
            Mode::ReadInOrder => pg_sys::CURSOR_OPT_CUSTOM_PLAN,
            Mode::Write => pg_sys::CURSOR_OPT_GENERIC_PLAN,
        }) as i32
    }
}

/// Parameters as the C functions want them: three parallel arrays.
struct Parameters {
    types: Vec<pg_sys::Oid>,
    values: Vec<pg_sys::Datum>,
    nulls: Vec<std::ffi::c_char>,
}

impl Parameters {
    fn new(parameters: &[DatumWithOid<'_>]) -> Parameters {
        let value = |p: &DatumWithOid<'_>| p.datum().map(|datum| datum.sans_lifetime());
        Parameters {
            types: parameters.iter().map(|p| p.oid()).collect(),
            values: parameters.iter().map(|p| value(p).unwrap_or(pg_sys::Datum::null())).collect(),
            nulls: parameters
                .iter()
                .map(|p| if value(p).is_some() { b' ' } else { b'n' } as std::ffi::c_char)
                .collect(),
        }
    }
}

impl Spi {
    /// Opens a connection, runs `work` and closes it, also when an error of PostgreSQL's own passes through.
    pub fn connect<T>(work: impl FnOnce(&Spi) -> Result<T>) -> Result<T> {
        // SAFETY: called from an SQL function, hence in a transaction.
        check("SPI_connect", unsafe { pg_sys::SPI_connect() })?;
        work(&Spi(()))
    }

    /// Prepares a statement for as long as the connection lasts.
    pub fn prepare(&self, mode: Mode, sql: &str, types: &[pg_sys::Oid]) -> Result<Statement<'_>> {
        let sql = c_string(sql)?;
        let mut types = types.to_vec();
        // SAFETY: the pointers are to a C string and to as many types as said.
        let plan = unsafe {
            pg_sys::SPI_prepare_cursor(
                sql.as_ptr(),
                types.len() as i32,
                types.as_mut_ptr(),
                mode.cursor_options(),
            )
        };
        if plan.is_null() {
            // SAFETY: a global of the server's one thread.
            return Err(Error::Spi { doing: "SPI_prepare", code: unsafe { pg_sys::SPI_result } });
        }
        Ok(Statement { plan, mode, spi: PhantomData })
    }

    /// Runs one statement.
    pub fn run(&self, mode: Mode, sql: &str, parameters: &[DatumWithOid<'_>]) -> Result<Rows<'_>> {
        let types: Vec<_> = parameters.iter().map(|p| p.oid()).collect();
        self.prepare(mode, sql, &types)?.run(parameters)
    }

    /// Reads with a snapshot of this moment, even where the transaction's isolation level has an older one: for what must
    /// be known as it is, such as after taking a lock.
    pub fn run_now(&self, sql: &str, parameters: &[DatumWithOid<'_>]) -> Result<Rows<'_>> {
        // SAFETY: in an SQL function a first snapshot exists, which GetLatestSnapshot (snapmgr.c) asks for. After an error
        // the aborting (sub)transaction pops the snapshot.
        unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
        let rows = self.run(Mode::Read, sql, parameters)?;
        // SAFETY: pushed above; the statement is complete and its rows are copies.
        unsafe { pg_sys::PopActiveSnapshot() };
        Ok(rows)
    }

    /// Opens a cursor that outlives the connection, until it is closed or the transaction ends.
    pub fn open_cursor(
        &self,
        mode: Mode,
        sql: &str,
        parameters: &[DatumWithOid<'_>],
    ) -> Result<Cursor> {
        let sql = c_string(sql)?;
        let mut p = Parameters::new(parameters);
        // SAFETY: the pointers are to a C string and to arrays as long as said; SPI copies the parameters into the portal.
        // It raises an error rather than return null.
        let name = unsafe {
            let portal = pg_sys::SPI_cursor_open_with_args(
                std::ptr::null(),
                sql.as_ptr(),
                p.types.len() as i32,
                p.types.as_mut_ptr(),
                p.values.as_mut_ptr(),
                p.nulls.as_ptr(),
                mode.is_read_only(),
                mode.cursor_options() | pg_sys::CURSOR_OPT_NO_SCROLL as i32,
            );
            CStr::from_ptr((*portal).name).to_owned()
        };
        Ok(Cursor { name })
    }
}

impl Drop for Spi {
    fn drop(&mut self) {
        // SAFETY: closes the connection opened by `connect`, the innermost one. Its status can only say that there is none.
        unsafe { pg_sys::SPI_finish() };
    }
}

/// A prepared statement.
pub struct Statement<'spi> {
    plan: pg_sys::SPIPlanPtr,
    mode: Mode,
    spi: PhantomData<&'spi Spi>,
}

impl<'spi> Statement<'spi> {
    /// Runs the statement to its end.
    pub fn run(&self, parameters: &[DatumWithOid<'_>]) -> Result<Rows<'spi>> {
        let mut p = Parameters::new(parameters);
        // SAFETY: the plan lives as long as the connection 'spi, and the parameters are those it was prepared for: a
        // mismatch is a mistake in this crate that any test of the statement finds.
        let status = unsafe {
            pg_sys::SPI_execute_plan(
                self.plan,
                p.values.as_mut_ptr(),
                p.nulls.as_ptr(),
                self.mode.is_read_only(),
                0,
            )
        };
        check("SPI_execute_plan", status)?;
        Ok(Rows::take())
    }
}

/// The rows a statement returned, or the number of those it wrote.
pub struct Rows<'spi> {
    table: *mut pg_sys::SPITupleTable,
    count: usize,
    spi: PhantomData<&'spi Spi>,
}

impl<'spi> Rows<'spi> {
    fn take() -> Rows<'spi> {
        // SAFETY: globals of the server's one thread, set by the statement just run.
        unsafe {
            Rows {
                table: pg_sys::SPI_tuptable,
                count: pg_sys::SPI_processed as usize,
                spi: PhantomData,
            }
        }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// A column's value as PostgreSQL holds it; columns count from 1. None for NULL, and for a row that is not there.
    pub fn datum(&self, row: usize, column: i32) -> Option<pg_sys::Datum> {
        if self.table.is_null() || row >= self.count {
            return None;
        }
        let mut is_null = true;
        // SAFETY: the table lives until the connection closes, that is longer than 'spi, and has `count` rows.
        let datum = unsafe {
            let tuple = *(*self.table).vals.add(row);
            pg_sys::SPI_getbinval(tuple, (*self.table).tupdesc, column, &raw mut is_null)
        };
        (!is_null).then_some(datum)
    }

    /// A column's value. `T` must be the Rust side of the column's type.
    pub fn get<T: FromDatum>(&self, row: usize, column: i32) -> Option<T> {
        let datum = self.datum(row, column)?;
        // SAFETY: every statement of this crate reads its columns with the types it selected them with.
        unsafe { T::from_datum(datum, false) }
    }

    /// The first column of every row.
    pub fn column<T: FromDatum>(&self) -> Vec<T> {
        (0..self.count).filter_map(|row| self.get(row, 1)).collect()
    }
}

/// An open cursor, held by its name: unlike a pointer, a name says safely that it is gone.
pub struct Cursor {
    name: CString,
}

impl Cursor {
    /// Up to `count` further rows of the cursor; none at its end.
    pub fn fetch<'spi>(&self, _spi: &'spi Spi, count: i64) -> Option<Rows<'spi>> {
        // SAFETY: a portal found by name is alive; SPI is connected, as `_spi` proves.
        unsafe {
            let portal = pg_sys::SPI_cursor_find(self.name.as_ptr());
            if portal.is_null() {
                return None;
            }
            pg_sys::SPI_cursor_fetch(portal, true, count as std::ffi::c_long);
        }
        Some(Rows::take())
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        // SAFETY: outside of a running transaction (one that is aborting, above all) portals are not to be touched:
        // PostgreSQL removes them itself. Portal names of SPI's making are never used twice in a session.
        unsafe {
            if pg_sys::IsTransactionState() {
                let portal = pg_sys::SPI_cursor_find(self.name.as_ptr());
                if !portal.is_null() {
                    pg_sys::SPI_cursor_close(portal);
                }
            }
        }
    }
}

fn c_string(sql: &str) -> Result<CString> {
    CString::new(sql).map_err(|_| Error::NameNul)
}

fn check(doing: &'static str, status: i32) -> Result<()> {
    if status < 0 { Err(Error::Spi { doing, code: status }) } else { Ok(()) }
}
