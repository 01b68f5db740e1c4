//! Which rows a session sees on pages that are not all-visible, and what it remembers of that.
//!
//! Such a page is looked at once, under one share lock. What was seen is remembered together with
//! the page's LSN and the newest transaction that touched a row of the page. It is true for a later
//! snapshot if both of this holds:
//!
//! - The page has the same LSN. Whatever changes a page of a WAL-logged table gives it the LSN of
//!   the record of that change (src/backend/access/transam/README).
//! - The newest transaction precedes the snapshot's xmin. Then all transactions that touched the
//!   page were over before the snapshot was taken, and the snapshot knows how each of them ended.
//!   So nothing but a change of the page could change the answer.
//!
//! What could break this, and why it cannot:
//!
//! - *Hint bits* change without a record. They repeat what the commit log says, and the commit log
//!   decided what was seen.
//! - *Aborted transactions and subtransactions* have transaction IDs of their own on the page,
//!   which count like any other. A running transaction's ID is at or above every snapshot's xmin,
//!   and the IDs of its subtransactions are above its own.
//! - *SELECT FOR UPDATE* and *multixacts* that only lock a row change the page with a record, but
//!   no row's visibility. In a multixact that updates a row, the updating transaction counts.
//! - *Freezing* is a change with a record. A transaction ID never grows so old that it is compared
//!   wrongly after a wraparound: what is remembered is dropped after half a billion transactions.
//! - *A standby's snapshots* treat a transaction as running until its end was replayed, and xmin is
//!   at or below all of those. Pages have the LSNs of the primary.
//! - *Pruning* leaves the roots of HOT chains where they are.
//! - *Serializable transactions* must notice rows that others changed after their snapshot. None of
//!   those transactions precedes xmin.
//!
//! Nothing is remembered of tables that are not WAL-logged. Their pages are looked at each time.

use super::doc_id::DocIdMap;
use super::heap::Heap;
use super::heap_page::PageVisibility;
use crate::pg::versions;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, pg_sys};
use roaring::RoaringBitmap;
use std::cell::RefCell;

/// The setting `session_store.changes_memory`, in kB.
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
    /// The table that was read last comes first.
    static TABLES: RefCell<Vec<TableMemory>> = const { RefCell::new(Vec::new()) };
}

/// Transactions after which a table's memory is dropped. Transaction IDs are compared modulo 2^32,
/// so that an ID seems to lie in the future after 2^31 others; this is a quarter of that.
const MAX_AGE: u64 = 1 << 29;

/// What is remembered of a page that was looked at.
#[derive(Clone, Copy, Default)]
struct PageMemory {
    /// 0 where what was seen is true for one snapshot alone.
    lsn: u64,
    /// The newest transaction that touched a row of the page, or `NO_TRANSACTION`.
    newest: u32,
    /// The buffer that had the page.
    buffer: pg_sys::Buffer,
}

/// What is remembered of a table.
struct TableMemory {
    file: versions::FileId,
    doc_ids: DocIdMap,
    /// By block.
    pages: Vec<PageMemory>,
    /// The blocks that were looked at.
    known: RoaringBitmap,
    /// The doc IDs of these blocks whose rows are not visible, or do not exist.
    hidden: RoaringBitmap,
    /// The ID of the next transaction when the memory began.
    began: u64,
    complete: Option<Complete>,
}

/// At a position of the write-ahead log, all pages were known that are not all-visible. As long as
/// nothing is written to the log, nothing was committed, so that no page can have changed in a way
/// that a snapshot sees.
struct Complete {
    wal: u64,
    not_all_visible: RoaringBitmap,
    newest: Option<pg_sys::TransactionId>,
}

/// Removes from some rows those that the active snapshot does not see, on pages that are not
/// all-visible. Returns how many pages were read for that.
pub fn remove_hidden(
    rows: &mut RoaringBitmap,
    heap: &Heap,
    not_all_visible: &RoaringBitmap,
    doc_ids: DocIdMap,
) -> u64 {
    if not_all_visible.is_empty() || rows.is_empty() {
        return 0;
    }
    // For few rows only their pages are looked at. For many rows all pages are, so that they are
    // known to later queries too.
    let few =
        (rows.len() < not_all_visible.len()).then(|| blocks_of(rows, not_all_visible, doc_ids));
    let size = heap.blocks() as usize * size_of::<PageMemory>();
    if !heap.is_logged() || size > limit() {
        let mut table = TableMemory::new(heap, doc_ids);
        let read = table.look_at(heap, few.as_ref().unwrap_or(not_all_visible));
        *rows -= &table.hidden;
        return read;
    }
    TABLES.with_borrow_mut(|tables| {
        let file = heap.file_id();
        let (xmin, next) = (snapshot_xmin(), next_transaction());
        let is_usable = |table: &TableMemory| {
            table.doc_ids == doc_ids && next.wrapping_sub(table.began) < MAX_AGE
        };
        let known = tables.iter().position(|table| table.file == file);
        let known = known.map(|at| tables.remove(at)).filter(is_usable);
        tables.insert(0, known.unwrap_or_else(|| TableMemory::new(heap, doc_ids)));
        let mut read = 0;
        if let Some(table) = tables.first_mut() {
            table.forget_all_but(not_all_visible);
            read = match few {
                Some(blocks) => table.look_at_changed(heap, &blocks, xmin).read,
                None => table.complete(heap, not_all_visible, xmin),
            };
            *rows -= &table.hidden;
        }
        shrink(tables);
        read
    })
}

/// The blocks that have some of these rows and are in another set.
fn blocks_of(rows: &RoaringBitmap, among: &RoaringBitmap, doc_ids: DocIdMap) -> RoaringBitmap {
    let mut blocks = RoaringBitmap::new();
    for row in rows {
        blocks.insert(doc_ids.tid(row).block);
    }
    blocks & among
}

/// Bytes that a session may remember of what changed: once of pages, and once of pending lists.
pub fn limit() -> usize {
    usize::try_from(MEMORY.get()).unwrap_or(0) << 10
}

/// Forgets the tables that were read longest ago, until the others fit.
fn shrink(tables: &mut Vec<TableMemory>) {
    let mut size = 0;
    let fitting = tables.iter().take_while(|table| {
        size += table.size();
        size <= limit()
    });
    let fitting = fitting.count();
    tables.truncate(fitting);
}

/// What stands for no transaction: InvalidTransactionId.
const NO_TRANSACTION: u32 = 0;

/// What came of looking at some pages.
struct Looks {
    /// How many pages were read.
    read: u64,
    /// Whether all of what was seen can be remembered.
    is_lasting: bool,
    /// The newest transaction that touched one of the pages.
    newest: Option<pg_sys::TransactionId>,
}

impl TableMemory {
    fn new(heap: &Heap, doc_ids: DocIdMap) -> TableMemory {
        TableMemory {
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
        self.pages.capacity() * size_of::<PageMemory>()
            + self.known.serialized_size()
            + self.hidden.serialized_size()
            + self
                .complete
                .as_ref()
                .map_or(0, |complete| complete.not_all_visible.serialized_size())
    }

    /// Looks at some pages, and remembers nothing for later queries.
    fn look_at(&mut self, heap: &Heap, blocks: &RoaringBitmap) -> u64 {
        for block in blocks {
            self.put(block, &heap.page_visibility(block), None);
        }
        blocks.len()
    }

    /// Forgets pages that have become all-visible.
    fn forget_all_but(&mut self, not_all_visible: &RoaringBitmap) {
        if self.known.is_subset(not_all_visible) {
            return;
        }
        for block in &self.known - not_all_visible {
            self.hidden.remove_range(self.doc_ids.doc_ids(block..=block));
            self.known.remove(block);
            if let Some(page) = self.pages.get_mut(block as usize) {
                *page = PageMemory::default();
            }
        }
    }

    /// Looks at all pages that are not all-visible and may have changed.
    fn complete(
        &mut self,
        heap: &Heap,
        not_all_visible: &RoaringBitmap,
        xmin: pg_sys::TransactionId,
    ) -> u64 {
        // The position is read first, so that what is written meanwhile counts as later.
        let wal = wal_position();
        if let Some(complete) = &self.complete
            && complete.wal == wal
            && complete.not_all_visible == *not_all_visible
            && complete.newest.is_none_or(|newest| precedes(newest, xmin))
        {
            return 0;
        }
        self.complete = None;
        let Looks { read, is_lasting, newest } = self.look_at_changed(heap, not_all_visible, xmin);
        if is_lasting {
            self.complete =
                Some(Complete { wal, not_all_visible: not_all_visible.clone(), newest });
        }
        read
    }

    /// Looks at those of some pages that are not known, have changed, or depend on transactions
    /// that the snapshot may take for running.
    fn look_at_changed(
        &mut self,
        heap: &Heap,
        blocks: &RoaringBitmap,
        xmin: pg_sys::TransactionId,
    ) -> Looks {
        let mut looks = Looks { read: 0, is_lasting: true, newest: None };
        for block in blocks {
            let known = self.pages.get(block as usize).copied().unwrap_or_default();
            let newest = pg_sys::TransactionId::from(known.newest);
            let is_over = known.newest == NO_TRANSACTION || precedes(newest, xmin);
            let mut page = known;
            if known.lsn == 0 || !is_over || heap.lsn_in(block, known.buffer) != Some(known.lsn) {
                looks.read += 1;
                let found = heap.page_visibility(block);
                page = self.put(block, &found, Some(xmin));
            }
            looks.is_lasting &= page.lsn != 0;
            if page.newest != NO_TRANSACTION {
                let newest = pg_sys::TransactionId::from(page.newest);
                if looks.newest.is_none_or(|other| precedes(other, newest)) {
                    looks.newest = Some(newest);
                }
            }
        }
        looks
    }

    /// Takes in what was seen of a page. If it may be remembered, `xmin` is that of the snapshot.
    fn put(
        &mut self,
        block: u32,
        found: &PageVisibility,
        xmin: Option<pg_sys::TransactionId>,
    ) -> PageMemory {
        let doc_ids = self.doc_ids.doc_ids(block..=block);
        self.hidden.remove_range(doc_ids.clone());
        self.hidden.extend(
            doc_ids.filter(|doc_id| !found.visible.contains(self.doc_ids.tid(*doc_id).offset)),
        );
        self.known.insert(block);
        let is_over = |newest| xmin.is_some_and(|xmin| precedes(newest, xmin));
        let is_lasting = xmin.is_some() && found.newest.is_none_or(is_over);
        let page = PageMemory {
            lsn: if is_lasting { found.lsn } else { 0 },
            newest: found.newest.map_or(NO_TRANSACTION, |newest| newest.into_inner()),
            buffer: found.buffer,
        };
        if xmin.is_some() {
            let at = block as usize;
            if self.pages.len() <= at {
                self.pages.resize(at + 1, PageMemory::default());
            }
            self.pages[at] = page;
        }
        page
    }
}

fn precedes(a: pg_sys::TransactionId, b: pg_sys::TransactionId) -> bool {
    // SAFETY: compares two integers.
    unsafe { pg_sys::TransactionIdPrecedes(a, b) }
}

fn snapshot_xmin() -> pg_sys::TransactionId {
    // SAFETY: a query is running, so there is an active snapshot.
    unsafe { (*pg_sys::GetActiveSnapshot()).xmin }
}

/// The ID of the next transaction with its epoch, in 64 bits, which do not wrap around.
fn next_transaction() -> u64 {
    // SAFETY: reads a counter in shared memory.
    unsafe { pg_sys::ReadNextFullTransactionId().value }
}

/// How far the write-ahead log was written or, on a standby, replayed.
fn wal_position() -> u64 {
    // SAFETY: reads counters in shared memory.
    unsafe {
        if pg_sys::RecoveryInProgress() {
            pg_sys::GetXLogReplayRecPtr(std::ptr::null_mut())
        } else {
            pg_sys::GetXLogInsertRecPtr()
        }
    }
}
