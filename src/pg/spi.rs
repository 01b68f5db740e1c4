//! Running SQL statements inside the server: as much of PostgreSQL's SPI (doc/src/sgml/spi.sgml) as
//! is needed here.
//!
//! pgrx has a client of its own, which decides by itself whether a statement is read-only: once the
//! transaction has written, its reads take a new snapshot. But a STABLE function must see what its
//! calling statement sees. So here the caller says how to read.

use super::saved_statement::{self, SavedPlan};
use crate::error::{Error, Result};
use crate::memory;
use pgrx::datum::DatumWithOid;
use pgrx::{FromDatum, PgMemoryContexts, pg_sys};
use std::ffi::CString;
use std::marker::PhantomData;
use std::rc::Rc;

/// A connection to SPI. When it closes, all memory that SPI has allocated is freed, results
/// included.
pub struct Spi(());

/// How a statement is planned and what it sees.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// Sees what the calling statement sees. The plan is made for these parameters.
    Read,
    /// Like `Read`, but the plan is made once, for any parameters.
    ReadPlanned,
    /// Like `Read`, but without parallel workers, which would mix the rows: they come in the order
    /// of the table.
    ReadInOrder,
    /// Sees everything done so far, and may write. The plan is made once, for any parameters.
    Write,
    /// Like `Write`, but the plan is made for these parameters: it leaves out the partitions that
    /// they exclude.
    WritePruned,
}

impl Mode {
    fn is_read_only(self) -> bool {
        !matches!(self, Mode::Write | Mode::WritePruned)
    }

    fn cursor_options(self) -> i32 {
        (match self {
            Mode::Read => pg_sys::CURSOR_OPT_CUSTOM_PLAN | pg_sys::CURSOR_OPT_PARALLEL_OK,
            Mode::ReadInOrder | Mode::WritePruned => pg_sys::CURSOR_OPT_CUSTOM_PLAN,
            Mode::ReadPlanned | Mode::Write => pg_sys::CURSOR_OPT_GENERIC_PLAN,
        }) as i32
    }
}

/// Parameters as the C functions expect them: three parallel arrays.
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
    /// Opens a connection, runs `work` and closes the connection, also if PostgreSQL raises an
    /// error meanwhile.
    pub fn connect<T>(work: impl FnOnce(&Spi) -> Result<T>) -> Result<T> {
        memory::check();
        memory::watched(|| {
            // SAFETY: this runs within a SQL function, so a transaction is open.
            check("SPI_connect", unsafe { pg_sys::SPI_connect() })?;
            work(&Spi(()))
        })
    }

    /// Prepares a statement that lives as long as the connection.
    pub fn prepare(&self, mode: Mode, sql: &str, types: &[pg_sys::Oid]) -> Result<Statement<'_>> {
        let sql = c_string(sql)?;
        let mut types = types.to_vec();
        // SAFETY: `sql` is a C string, and `types` has as many elements as its length says.
        let plan = unsafe {
            pg_sys::SPI_prepare_cursor(
                sql.as_ptr(),
                types.len() as i32,
                types.as_mut_ptr(),
                mode.cursor_options(),
            )
        };
        if plan.is_null() {
            // SAFETY: SPI_result is a global that only the server's one thread uses.
            return Err(Error::Spi { doing: "SPI_prepare", code: unsafe { pg_sys::SPI_result } });
        }
        Ok(Statement { plan, mode, _saved: None, spi: PhantomData })
    }

    /// As `prepare`, but the statement is saved for later calls of the session. A plan that is made once
    /// is used again while the table grows: this is for statements with only one good plan.
    pub fn prepare_saved(
        &self,
        mode: Mode,
        sql: &str,
        types: &[pg_sys::Oid],
    ) -> Result<Statement<'_>> {
        let saved = match saved_statement::find(mode.cursor_options(), sql) {
            Some(saved) => saved,
            None => saved_statement::save(
                mode.cursor_options(),
                sql,
                self.prepare(mode, sql, types)?.plan,
            ),
        };
        let plan = saved.pointer();
        Ok(Statement { plan, mode, _saved: Some(saved), spi: PhantomData })
    }

    /// Runs one statement.
    pub fn run(&self, mode: Mode, sql: &str, parameters: &[DatumWithOid<'_>]) -> Result<Rows<'_>> {
        let types: Vec<_> = parameters.iter().map(|p| p.oid()).collect();
        self.prepare(mode, sql, &types)?.run(parameters)
    }

    /// Reads with a new snapshot, even if the isolation level of the transaction prescribes an
    /// older one. Use it for what must be known as it is now, for example after taking a lock.
    pub fn run_now(&self, sql: &str, parameters: &[DatumWithOid<'_>]) -> Result<Rows<'_>> {
        with_latest_snapshot(|| self.run(Mode::Read, sql, parameters))
    }
}

/// Does some work with a new snapshot as the active one. The work must not keep the snapshot.
pub fn with_latest_snapshot<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: GetLatestSnapshot (snapmgr.c) needs a first snapshot, which exists while a SQL
    // function runs. After an error, the aborting (sub)transaction pops the snapshot.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
    let result = work();
    // SAFETY: this function pushed the snapshot, and the work has left the stack as it was.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}

impl Drop for Spi {
    fn drop(&mut self) {
        // SAFETY: `connect` has opened this connection, and it is the innermost one. The status
        // that is returned could only say that there is none.
        unsafe { pg_sys::SPI_finish() };
    }
}

/// A prepared statement.
pub struct Statement<'spi> {
    plan: pg_sys::SPIPlanPtr,
    mode: Mode,
    /// Keeps the plan of a saved statement.
    _saved: Option<Rc<SavedPlan>>,
    spi: PhantomData<&'spi Spi>,
}

impl<'spi> Statement<'spi> {
    /// Runs the statement to its end.
    pub fn run(&self, parameters: &[DatumWithOid<'_>]) -> Result<Rows<'spi>> {
        let mut p = Parameters::new(parameters);
        // SAFETY: the plan lives as long as the connection 'spi or as `_saved`. The parameters are those
        // that it was prepared for; any test that runs the statement would find a mismatch.
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

    /// Plans the statement for some parameters, to be run elsewhere. The result is copied into
    /// `memory`.
    pub fn plan(
        &self,
        parameters: &[DatumWithOid<'_>],
        memory: pg_sys::MemoryContext,
    ) -> Result<Planned> {
        let p = Parameters::new(parameters);
        // SAFETY: an SPI plan has one source for each of its statements, here one. makeParamList
        // allocates room for as many parameters as it is told.
        unsafe {
            let list = pg_sys::makeParamList(p.types.len() as i32);
            let room = (*list).params.as_mut_slice(p.types.len());
            for (at, parameter) in room.iter_mut().enumerate() {
                *parameter = pg_sys::ParamExternData {
                    value: p.values[at],
                    isnull: p.nulls[at] != b' ' as std::ffi::c_char,
                    pflags: pg_sys::PARAM_FLAG_CONST as u16,
                    ptype: p.types[at],
                };
            }
            let source = pg_sys::list_nth(pg_sys::SPI_plan_get_plan_sources(self.plan), 0);
            let (nobody, nowhere) = (std::ptr::null_mut(), std::ptr::null_mut());
            let cached = pg_sys::GetCachedPlan(source.cast(), list, nobody, nowhere);
            let planned = PgMemoryContexts::For(memory).switch_to(|_| Planned {
                plan: pg_sys::copyObjectImpl(pg_sys::list_nth((*cached).stmt_list, 0)).cast(),
                parameters: pg_sys::copyParamList(list),
                sql: pg_sys::pstrdup((*source.cast::<pg_sys::CachedPlanSource>()).query_string),
            });
            pg_sys::ReleaseCachedPlan(cached, nobody);
            Ok(planned)
        }
    }
}

/// A plan with its parameters and the SQL text that it was made from.
pub struct Planned {
    pub plan: *mut pg_sys::PlannedStmt,
    pub parameters: pg_sys::ParamListInfo,
    pub sql: *const std::ffi::c_char,
}

/// The rows that a statement returned, or the number of rows that it wrote.
pub struct Rows<'spi> {
    table: *mut pg_sys::SPITupleTable,
    count: usize,
    spi: PhantomData<&'spi Spi>,
}

impl<'spi> Rows<'spi> {
    fn take() -> Rows<'spi> {
        // SAFETY: SPI_tuptable and SPI_processed are globals that only the server's one thread
        // uses. The statement that has just ended has set them.
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

    /// The value of a column, which is counted from 1. None if it is NULL or there is no such row.
    pub fn datum(&self, row: usize, column: i32) -> Option<pg_sys::Datum> {
        if self.table.is_null() || row >= self.count {
            return None;
        }
        let mut is_null = true;
        // SAFETY: the table lives until the connection closes, and 'spi ends before that. `row` was
        // compared with the number of its rows.
        let datum = unsafe {
            let tuple = *(*self.table).vals.add(row);
            pg_sys::SPI_getbinval(tuple, (*self.table).tupdesc, column, &raw mut is_null)
        };
        (!is_null).then_some(datum)
    }

    /// The value of a column. `T` must be the Rust type for the SQL type of the column.
    pub fn get<T: FromDatum>(&self, row: usize, column: i32) -> Option<T> {
        let datum = self.datum(row, column)?;
        // SAFETY: every statement of this crate reads a column with the type that it selects it
        // with.
        unsafe { T::from_datum(datum, false) }
    }

    /// The first column of every row.
    pub fn column<T: FromDatum>(&self) -> Vec<T> {
        (0..self.count).filter_map(|row| self.get(row, 1)).collect()
    }
}

fn c_string(sql: &str) -> Result<CString> {
    CString::new(sql).map_err(|_| Error::NameNul)
}

fn check(doing: &'static str, status: i32) -> Result<()> {
    if status < 0 { Err(Error::Spi { doing, code: status }) } else { Ok(()) }
}
