//! A statement whose rows are read as they are asked for.
//!
//! It runs without a portal. A cursor's would be its own to end: with the subtransaction that it was opened in (portalmem.c,
//! AtSubAbort_Portals), be that long before the calling statement ends; and whoever closes it while the server goes through all
//! portals, as it does at a COMMIT within a loop (HoldPinnedPortals), takes away the one that is next. Run by the executor alone, as
//! functions.c does for functions in SQL, it is part of what the calling statement runs.

use crate::error::Result;
use crate::executor::{Active, Stored};
use crate::pg::spi::{Mode, Planned, Spi};
use crate::pg::versions;
use pgrx::datum::DatumWithOid;
use pgrx::{PgMemoryContexts, pg_guard, pg_sys};

/// A query of one column of type jsonb. What it takes is the current resource owner's, which is to be the same in each call. Dropped
/// without `close`, after an error, it leaves everything to that owner and to its memory's parent.
pub struct RunningQuery {
    query: *mut pg_sys::QueryDesc,
    memory: pg_sys::MemoryContext,
    is_over: bool,
}

impl RunningQuery {
    /// Starts a query that sees what the calling statement sees. Its memory is a part of `parent`.
    pub fn start(
        spi: &Spi,
        parent: pg_sys::MemoryContext,
        sql: &str,
        parameters: &[DatumWithOid<'_>],
    ) -> Result<RunningQuery> {
        let types: Vec<_> = parameters.iter().map(|p| p.oid()).collect();
        let statement = spi.prepare(Mode::ReadInOrder, sql, &types)?;
        // SAFETY: the parent lives as long as the calling plan node, and so longer than this.
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
        // SAFETY: plan, text and parameters are in that memory. A query is running, and so has a snapshot, which is registered.
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

    /// Copies of up to so many further rows; less only at the end.
    pub fn fetch(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut receiver = Receiver::new();
        // A plan that came to its end is not to be asked again.
        if !self.is_over && count > 0 {
            // SAFETY: the query was started, its snapshot is registered, and the receiver stays until it is taken back. Should an error
            // pass through, nobody asks the query for more.
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
        // SAFETY: started in `start`, in memory of its own.
        unsafe {
            pg_sys::ExecutorFinish(self.query);
            pg_sys::ExecutorEnd(self.query);
            pg_sys::FreeQueryDesc(self.query);
            pg_sys::MemoryContextDelete(self.memory);
        }
    }
}

/// Takes rows from the executor (dest.h).
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
    // SAFETY: the receiver is one of `fetch`, and the row has a column, of type jsonb (tuptable.h, slot_getattr).
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
