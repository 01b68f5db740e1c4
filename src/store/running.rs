//! A statement whose rows are read as they are needed.
//!
//! It runs without a portal. A portal ends with the subtransaction in which it was opened
//! (portalmem.c, AtSubAbort_Portals), which may be long before the calling statement ends. And if
//! it is closed while the server walks over all portals, as it does for a COMMIT within a loop
//! (HoldPinnedPortals), the walk loses its place. So the executor runs it directly, as functions.c
//! does for functions in SQL, as a part of the calling statement.

use crate::error::Result;
use crate::executor::{Active, Stored};
use crate::pg::spi::{Mode, Planned, Spi};
use crate::pg::versions;
use pgrx::datum::DatumWithOid;
use pgrx::{PgMemoryContexts, pg_guard, pg_sys};

/// How many rows of a plan are read at once. A row takes at most a page of memory here, because
/// larger documents are pointers into a TOAST table: at most 100 × 8 kB.
pub const ROW_BATCH: usize = 100;

/// A query with one column of type jsonb. The current resource owner owns what it takes, and must
/// be the same in each call. If it is dropped without `close`, after an error, that owner and the
/// parent of its memory context release everything.
pub struct RunningQuery {
    query: *mut pg_sys::QueryDesc,
    memory: pg_sys::MemoryContext,
    is_over: bool,
}

impl RunningQuery {
    /// Starts a query that sees what the calling statement sees. Its memory context is a child of
    /// `parent`.
    pub fn start(
        spi: &Spi,
        parent: pg_sys::MemoryContext,
        sql: &str,
        parameters: &[DatumWithOid<'_>],
    ) -> Result<RunningQuery> {
        let types: Vec<_> = parameters.iter().map(|p| p.oid()).collect();
        let statement = spi.prepare(Mode::ReadInOrder, sql, &types)?;
        // SAFETY: the parent lives as long as the calling plan node, which is longer than this.
        let memory = unsafe {
            pg_sys::AllocSetContextCreateExtended(
                parent,
                c"session_store query".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            )
        };
        let Planned { plan, parameters, sql } = statement.plan(parameters, memory)?;
        // SAFETY: plan, text and parameters are in `memory`. A query is running, so there is an
        // active snapshot, and CreateQueryDesc registers it.
        let query = unsafe {
            PgMemoryContexts::For(memory).switch_to(|_| {
                let query = pg_sys::CreateQueryDesc(
                    plan,
                    sql,
                    pg_sys::GetActiveSnapshot(),
                    std::ptr::null_mut(),
                    pg_sys::None_Receiver,
                    parameters,
                    std::ptr::null_mut(),
                    0,
                );
                pg_sys::ExecutorStart(query, 0);
                query
            })
        };
        Ok(RunningQuery { query, memory, is_over: false })
    }

    /// Copies of the next rows, at most `count`. Fewer come only at the end.
    pub fn fetch(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut receiver = Receiver::new();
        // A plan that has come to its end must not be run again.
        if !self.is_over && count > 0 {
            // SAFETY: the query was started and its snapshot is registered. The receiver lives
            // until the query's destination is set back. If an error is raised, nobody runs the
            // query again.
            unsafe {
                let _active = Active::push((*self.query).snapshot);
                (*self.query).dest = (&raw mut receiver).cast();
                versions::run(self.query, count as u64);
                (*self.query).dest = pg_sys::None_Receiver;
            }
            self.is_over = receiver.received < count;
        }
        receiver.rows
    }

    pub fn close(self) {
        // SAFETY: `start` has started the query and created its memory context.
        unsafe {
            pg_sys::ExecutorFinish(self.query);
            pg_sys::ExecutorEnd(self.query);
            pg_sys::FreeQueryDesc(self.query);
            pg_sys::MemoryContextDelete(self.memory);
        }
    }
}

/// Receives rows from the executor (dest.h).
#[repr(C)]
struct Receiver {
    destination: pg_sys::DestReceiver,
    received: usize,
    rows: Vec<Vec<u8>>,
}

impl Receiver {
    fn new() -> Receiver {
        let destination = pg_sys::DestReceiver {
            receiveSlot: Some(receive),
            rStartup: Some(start_up),
            rShutdown: Some(shut_down),
            rDestroy: Some(shut_down),
            mydest: pg_sys::CommandDest::DestNone,
        };
        Receiver { destination, received: 0, rows: Vec::new() }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn receive(
    slot: *mut pg_sys::TupleTableSlot,
    receiver: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: the receiver is the one that `fetch` has set, and rows have one column of type jsonb
    // (tuptable.h, slot_getattr).
    unsafe {
        let receiver = &mut *receiver.cast::<Receiver>();
        receiver.received += 1;
        if (*slot).tts_nvalid < 1 {
            pg_sys::slot_getsomeattrs_int(slot, 1);
        }
        if !*(*slot).tts_isnull {
            receiver.rows.push(Stored::new(*(*slot).tts_values).copy());
        }
    }
    true
}

#[pg_guard]
unsafe extern "C-unwind" fn start_up(
    _receiver: *mut pg_sys::DestReceiver,
    _operation: std::ffi::c_int,
    _columns: pg_sys::TupleDesc,
) {
}

#[pg_guard]
unsafe extern "C-unwind" fn shut_down(_receiver: *mut pg_sys::DestReceiver) {}
