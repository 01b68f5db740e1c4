//! A session's memory of which rows it sees on pages that are not all-visible.
//!
//! Such a page is looked at once, under one share lock, and what was seen is remembered with the
//! page's LSN and with the newest transaction that touched a row of it. It holds for every later
//! snapshot
//!
//! - as long as the page has the same LSN: whatever changes a page of a WAL-logged table gives it the
//!   LSN of the change's record (src/backend/access/transam/README), and
//! - if that transaction precedes the snapshot's xmin: then all transactions that touched the page
//!   were over before the snapshot was taken, and the snapshot knows how each of them ended. Only the
//!   page itself could change the answer.
//!
//! What could break this, and why it cannot:
//!
//! - *Hint bits* change without a record. They say what the commit log says, which is what decided.
//! - *Aborted transactions and subtransactions* have transaction numbers of their own on the page,
//!   which count like any other. A running transaction's number is at or above every snapshot's xmin,
//!   and its subtransactions' numbers are above its own.
//! - *SELECT FOR UPDATE* and *multixacts* that only lock a row change the page with a record, and no
//!   row's visibility. Of a multixact that updates, the updating transaction counts.
//! - *Freezing* is a change with a record. A number never grows so old that it is compared wrongly
//!   after a wraparound: what is remembered is dropped after half a billion transactions.
//! - *A standby's snapshots* take transactions as running until their end was replayed, and xmin is
//!   at or below all of those. Pages have the LSNs of the primary.
//! - *Pruning* leaves the roots of HOT chains where they are.
//! - *Serializable transactions* must notice rows that others changed after their snapshot. None of
//!   those transactions precedes xmin.
//!
//! Tables that are unlogged, temporary or not yet logged have no memory, and are looked at each time.

use super::doc_id::DocIdMap;
use super::heap::Heap;
use super::heap_page::PageVisibility;
use crate::pg::versions;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, pg_sys};
use roaring::RoaringBitmap;
use std::cell::RefCell;

/// In kB.
static MEMORY: GucSetting<i32> = GucSetting::<i32>::new(16 << 10);

/// Makes the setting known to the server.
pub fn define_settings() {
    GucRegistry::define_int_guc(
        c"session_store.changes_memory",
        c"Sets how much a session remembers of what changed since VACUUM.",
        c"Once for pages that are not all-visible, and once for pending lists. 0 remembers nothing.",
        &MEMORY,
        0,
        i32::MAX / 1024,
        GucContext::Userset,
        GucFlags::UNIT_KB,
    );
}

thread_local! {
    /// The table that was asked last comes first.
    static TABLES: RefCell<Vec<Table>> = const { RefCell::new(Vec::new()) };
}

/// Transaction numbers are compared in a circle of 2^32: after a quarter of it all is forgotten.
const MAX_AGE: u64 = 1 << 29;

/// A page that was looked at.
#[derive(Clone, Copy, Default)]
struct Page {
    /// 0 where what is known held for one snapshot alone.
    lsn: u64,
    newest: u32,
    buffer: pg_sys::Buffer,
}

/// What is remembered of a table.
struct Table {
    file: versions::FileId,
    doc_ids: DocIdMap,
    /// By block.
    pages: Vec<Page>,
    /// The blocks that were looked at.
    known: RoaringBitmap,
    /// Of these blocks, the numbers of rows that are not visible, or not there.
    hidden: RoaringBitmap,
    /// The next transaction's number when the memory began.
    began: u64,
    complete: Option<Complete>,
}

/// All open pages were known, and could be remembered, at a place of the write-ahead log. As long as
/// nothing is written to it, no page can have changed in a way that a snapshot sees: that takes a
/// commit.
struct Complete {
    wal: u64,
    open: RoaringBitmap,
    newest: Option<pg_sys::TransactionId>,
}

/// Removes from some rows those that the active snapshot does not see, on pages that are not
/// all-visible. Returns how many pages were read for that.
pub fn remove_hidden(
    rows: &mut RoaringBitmap,
    heap: &Heap,
    open: &RoaringBitmap,
    doc_ids: DocIdMap,
) -> u64 {
    if open.is_empty() || rows.is_empty() {
        return 0;
    }
    // Of few rows the pages are looked at, of many all: those that come next time are known then.
    let few = (rows.len() < open.len()).then(|| blocks_of(rows, open, doc_ids));
    let size = heap.blocks() as usize * size_of::<Page>();
    if !heap.is_logged() || size > limit() {
        let mut table = Table::new(heap, doc_ids);
        let read = table.look_at(heap, few.as_ref().unwrap_or(open));
        *rows -= &table.hidden;
        return read;
    }
    TABLES.with_borrow_mut(|tables| {
        let file = heap.file_id();
        let (xmin, next) = (snapshot_xmin(), next_transaction());
        let is_usable =
            |table: &Table| table.doc_ids == doc_ids && next.wrapping_sub(table.began) < MAX_AGE;
        let known = tables.iter().position(|table| table.file == file);
        let known = known.map(|at| tables.remove(at)).filter(is_usable);
        tables.insert(0, known.unwrap_or_else(|| Table::new(heap, doc_ids)));
        let mut read = 0;
        if let Some(table) = tables.first_mut() {
            table.forget_all_but(open);
            read = match few {
                Some(blocks) => table.look_at_changed(heap, &blocks, xmin).read,
                None => table.complete(heap, open, xmin),
            };
            *rows -= &table.hidden;
        }
        shrink(tables);
        read
    })
}

/// The pages of some rows that are among others.
fn blocks_of(rows: &RoaringBitmap, among: &RoaringBitmap, doc_ids: DocIdMap) -> RoaringBitmap {
    let mut blocks = RoaringBitmap::new();
    for row in rows {
        blocks.insert(doc_ids.tid(row).block);
    }
    blocks & among
}

/// Bytes that a session may remember of what changed, once for each kind of memory.
pub fn limit() -> usize {
    usize::try_from(MEMORY.get()).unwrap_or(0) << 10
}

/// Forgets the tables that were asked longest ago until the others fit.
fn shrink(tables: &mut Vec<Table>) {
    let mut size = 0;
    let fitting = tables.iter().take_while(|table| {
        size += table.size();
        size <= limit()
    });
    let fitting = fitting.count();
    tables.truncate(fitting);
}

/// A number on a page that is not a transaction's.
const NONE: u32 = 0;

struct Look {
    read: u64,
    /// Whether all of it can be remembered, and the newest transaction of it.
    is_lasting: bool,
    newest: Option<pg_sys::TransactionId>,
}

impl Table {
    fn new(heap: &Heap, doc_ids: DocIdMap) -> Table {
        Table {
            file: heap.file_id(),
            doc_ids,
            pages: Vec::new(),
            known: RoaringBitmap::new(),
            hidden: RoaringBitmap::new(),
            began: next_transaction(),
            complete: None,
        }
    }

    fn size(&self) -> usize {
        self.pages.capacity() * size_of::<Page>()
            + self.known.serialized_size()
            + self.hidden.serialized_size()
            + self.complete.as_ref().map_or(0, |complete| complete.open.serialized_size())
    }

    /// Looks at some pages.
    fn look_at(&mut self, heap: &Heap, blocks: &RoaringBitmap) -> u64 {
        for block in blocks {
            self.put(block, &heap.page_visibility(block), None);
        }
        blocks.len()
    }

    /// Pages that became all-visible are not to be looked up here.
    fn forget_all_but(&mut self, open: &RoaringBitmap) {
        if self.known.is_subset(open) {
            return;
        }
        for block in &self.known - open {
            self.hidden.remove_range(self.doc_ids.doc_ids(block..=block));
            self.known.remove(block);
            if let Some(page) = self.pages.get_mut(block as usize) {
                *page = Page::default();
            }
        }
    }

    /// Looks at all open pages of which something may have changed.
    fn complete(&mut self, heap: &Heap, open: &RoaringBitmap, xmin: pg_sys::TransactionId) -> u64 {
        // The place in the log comes first: what is written meanwhile counts as later.
        let wal = wal_position();
        if let Some(complete) = &self.complete
            && complete.wal == wal
            && complete.open == *open
            && complete.newest.is_none_or(|newest| precedes(newest, xmin))
        {
            return 0;
        }
        self.complete = None;
        let Look { read, is_lasting, newest } = self.look_at_changed(heap, open, xmin);
        if is_lasting {
            self.complete = Some(Complete { wal, open: open.clone(), newest });
        }
        read
    }

    /// Looks at those of some pages that are not known, have changed, or depend on transactions that
    /// the snapshot may take for running.
    fn look_at_changed(
        &mut self,
        heap: &Heap,
        blocks: &RoaringBitmap,
        xmin: pg_sys::TransactionId,
    ) -> Look {
        let mut look = Look { read: 0, is_lasting: true, newest: None };
        for block in blocks {
            let known = self.pages.get(block as usize).copied().unwrap_or_default();
            let newest = pg_sys::TransactionId::from(known.newest);
            let is_over = known.newest == NONE || precedes(newest, xmin);
            let mut page = known;
            if known.lsn == 0 || !is_over || heap.lsn_in(block, known.buffer) != Some(known.lsn) {
                look.read += 1;
                let found = heap.page_visibility(block);
                page = self.put(block, &found, Some(xmin));
            }
            look.is_lasting &= page.lsn != 0;
            if page.newest != NONE {
                let newest = pg_sys::TransactionId::from(page.newest);
                if look.newest.is_none_or(|other| precedes(other, newest)) {
                    look.newest = Some(newest);
                }
            }
        }
        look
    }

    /// Takes in what a page said; `xmin` is that of the snapshot, where it may be remembered.
    fn put(
        &mut self,
        block: u32,
        found: &PageVisibility,
        xmin: Option<pg_sys::TransactionId>,
    ) -> Page {
        let numbers = self.doc_ids.doc_ids(block..=block);
        self.hidden.remove_range(numbers.clone());
        self.hidden.extend(
            numbers.filter(|number| !found.visible.contains(self.doc_ids.tid(*number).offset)),
        );
        self.known.insert(block);
        let is_over = |newest| xmin.is_some_and(|xmin| precedes(newest, xmin));
        let is_lasting = xmin.is_some() && found.newest.is_none_or(is_over);
        let page = Page {
            lsn: if is_lasting { found.lsn } else { 0 },
            newest: found.newest.map_or(NONE, |newest| newest.into_inner()),
            buffer: found.buffer,
        };
        if xmin.is_some() {
            let at = block as usize;
            if self.pages.len() <= at {
                self.pages.resize(at + 1, Page::default());
            }
            self.pages[at] = page;
        }
        page
    }
}

fn precedes(a: pg_sys::TransactionId, b: pg_sys::TransactionId) -> bool {
    // SAFETY: a comparison of numbers.
    unsafe { pg_sys::TransactionIdPrecedes(a, b) }
}

fn snapshot_xmin() -> pg_sys::TransactionId {
    // SAFETY: a query is running, and so has a snapshot.
    unsafe { (*pg_sys::GetActiveSnapshot()).xmin }
}

/// 64 bits, which do not wrap around.
fn next_transaction() -> u64 {
    // SAFETY: a look at a counter in shared memory.
    unsafe { pg_sys::ReadNextFullTransactionId().value }
}

/// How far the write-ahead log is written, or on a standby replayed.
fn wal_position() -> u64 {
    // SAFETY: looks at counters in shared memory.
    unsafe {
        if pg_sys::RecoveryInProgress() {
            pg_sys::GetXLogReplayRecPtr(std::ptr::null_mut())
        } else {
            pg_sys::GetXLogInsertRecPtr()
        }
    }
}
