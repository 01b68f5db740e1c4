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
use super::settings::changes_memory;
use crate::pg::versions;
use pgrx::pg_sys;
use roaring::RoaringBitmap;
use std::cell::RefCell;

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

/// What stands for no transaction: InvalidTransactionId.
const NO_TRANSACTION: u32 = 0;

/// What is remembered of a table.
struct TableMemory {
    file: versions::FileId,
    /// The number of the column of documents.
    column: i32,
    doc_ids: DocIdMap,
    /// By block.
    pages: Vec<PageMemory>,
    /// The blocks that were looked at.
    known: RoaringBitmap,
    /// The doc IDs of these blocks whose rows are not visible, or do not exist.
    hidden: RoaringBitmap,
    /// The ID of the next transaction when the memory began.
    began: u64,
    checked: Checked,
    documents: Option<Documents>,
}

/// Pages that are remembered and were found unchanged at a position of the write-ahead log. As long
/// as nothing more is written to the log, nothing is committed, so that no page can have changed in
/// a way that a snapshot sees.
#[derive(Default)]
struct Checked {
    wal: u64,
    blocks: RoaringBitmap,
    /// The newest transaction that touched one of the pages, or `NO_TRANSACTION`.
    newest: u32,
}

/// All rows that have a document and are visible. For pages that are not all-visible they are kept
/// up to date with what is remembered of those. The others are the pages that were all-visible when
/// the rows were found, as long as no bit of the visibility map has been set since: that would have
/// changed the LSN of its page of the map. (If bits were cleared, those pages are not all-visible.)
struct Documents {
    map_lsns: Vec<u64>,
    rows: RoaringBitmap,
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
    let blocks = few.as_ref().unwrap_or(not_all_visible);
    let read = with_memory(heap, doc_ids, |table| {
        table.forget_all_but(not_all_visible);
        let read = table.look_at_changed(heap, blocks);
        *rows -= &table.hidden;
        read
    });
    read.unwrap_or_else(|| {
        let mut table = TableMemory::new(heap, doc_ids);
        let read = table.look_at(heap, blocks);
        *rows -= &table.hidden;
        read
    })
}

/// All rows that have a document and that the active snapshot sees, and how many pages were read to
/// find them; none if they are not remembered. `map_lsns` are the LSNs of the visibility map, which
/// was read before the index and afterwards.
pub fn visible_documents(
    heap: &Heap,
    not_all_visible: &RoaringBitmap,
    doc_ids: DocIdMap,
    map_lsns: &[u64],
) -> Option<(RoaringBitmap, u64)> {
    let found = with_memory(heap, doc_ids, |table| {
        table.documents.take_if(|known| known.map_lsns != map_lsns);
        table.forget_all_but(not_all_visible);
        table.documents.as_ref()?;
        let read = table.look_at_changed(heap, not_all_visible);
        table.documents.as_ref().map(|known| (known.rows.clone(), read))
    });
    found.flatten()
}

/// Remembers rows for `visible_documents`. `remove_hidden` has just looked at their pages.
pub fn remember_documents(heap: &Heap, doc_ids: DocIdMap, map_lsns: &[u64], rows: &RoaringBitmap) {
    with_memory(heap, doc_ids, |table| {
        table.documents = Some(Documents { map_lsns: map_lsns.to_vec(), rows: rows.clone() });
    });
}

/// Does some work with what is remembered of a table. None if nothing may be remembered of it.
fn with_memory<T>(
    heap: &Heap,
    doc_ids: DocIdMap,
    work: impl FnOnce(&mut TableMemory) -> T,
) -> Option<T> {
    let size = heap.blocks() as usize * size_of::<PageMemory>();
    if !heap.is_logged() || size > changes_memory() {
        return None;
    }
    TABLES.with_borrow_mut(|tables| {
        let (file, column, next) = (heap.file_id(), heap.column(), next_transaction());
        let is_usable = |table: &TableMemory| {
            table.doc_ids == doc_ids && next.wrapping_sub(table.began) < MAX_AGE
        };
        let known = tables.iter().position(|table| table.file == file && table.column == column);
        let known = known.map(|at| tables.remove(at)).filter(is_usable);
        tables.insert(0, known.unwrap_or_else(|| TableMemory::new(heap, doc_ids)));
        let done = tables.first_mut().map(work);
        shrink(tables);
        done
    })
}

/// The blocks that have some of these rows and are in another set.
fn blocks_of(rows: &RoaringBitmap, among: &RoaringBitmap, doc_ids: DocIdMap) -> RoaringBitmap {
    let mut blocks: Vec<u32> = rows.iter().map(|row| doc_ids.tid(row).block).collect();
    blocks.dedup();
    RoaringBitmap::from_sorted_iter(blocks).unwrap_or_default() & among
}

/// Forgets the tables that were read longest ago, until the others fit.
fn shrink(tables: &mut Vec<TableMemory>) {
    let mut size = 0;
    let fitting = tables.iter().take_while(|table| {
        size += table.size();
        size <= changes_memory()
    });
    let fitting = fitting.count();
    tables.truncate(fitting);
}

impl TableMemory {
    fn new(heap: &Heap, doc_ids: DocIdMap) -> TableMemory {
        TableMemory {
            file: heap.file_id(),
            column: heap.column(),
            doc_ids,
            pages: Vec::new(),
            known: RoaringBitmap::new(),
            hidden: RoaringBitmap::new(),
            began: next_transaction(),
            checked: Checked::default(),
            documents: None,
        }
    }

    fn size(&self) -> usize {
        self.pages.capacity() * size_of::<PageMemory>()
            + self.known.serialized_size()
            + self.hidden.serialized_size()
            + self.checked.blocks.serialized_size()
            + self.documents.as_ref().map_or(0, |known| known.rows.serialized_size())
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
        self.documents = None;
        for block in &self.known - not_all_visible {
            self.hidden.remove_range(self.doc_ids.doc_ids(block..=block));
            self.known.remove(block);
            if let Some(page) = self.pages.get_mut(block as usize) {
                *page = PageMemory::default();
            }
        }
        self.checked.blocks &= &self.known;
    }

    /// Looks at those of some pages that are not known, have changed, or depend on transactions
    /// that the snapshot may take for running. Returns how many those are.
    fn look_at_changed(&mut self, heap: &Heap, blocks: &RoaringBitmap) -> u64 {
        /// Pages whose LSNs are fetched from memory at the same time.
        const TOGETHER: usize = 32;
        let xmin = snapshot_xmin();
        // The position is read first, so that what is written meanwhile counts as later.
        let wal = wal_position();
        if self.checked.wal != wal || !is_over(self.checked.newest, xmin) {
            self.checked = Checked { wal, ..Checked::default() };
        }
        let unchecked = blocks - &self.checked.blocks;
        let (mut left, mut read, mut checked) = (unchecked.iter(), 0, Vec::new());
        loop {
            let (mut pages, mut lsns) = ([(0, 0); TOGETHER], [0; TOGETHER]);
            let mut count = 0;
            for (page, block) in pages.iter_mut().zip(left.by_ref()) {
                *page = (block, self.page(block).buffer);
                count += 1;
            }
            if count == 0 {
                break;
            }
            heap.lsns_in(&pages[..count], &mut lsns);
            for ((block, _), lsn) in pages[..count].iter().zip(lsns) {
                let mut page = self.page(*block);
                if page.lsn == 0 || page.lsn != lsn || !is_over(page.newest, xmin) {
                    read += 1;
                    page = self.put(*block, &heap.page_visibility(*block), Some(xmin));
                }
                if page.lsn != 0 {
                    checked.push(*block);
                    self.checked.newest = newer(self.checked.newest, page.newest);
                }
            }
        }
        self.checked.blocks |= RoaringBitmap::from_sorted_iter(checked).unwrap_or_default();
        read
    }

    fn page(&self, block: u32) -> PageMemory {
        self.pages.get(block as usize).copied().unwrap_or_default()
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
        let offset = |doc_id| self.doc_ids.tid(doc_id).offset;
        let hidden = |doc_id: &u32| !found.visible.contains(offset(*doc_id));
        self.hidden.extend(doc_ids.clone().filter(hidden));
        self.known.insert(block);
        // A row without a doc ID: the index is read, and so it is met there and the map made wider.
        if u32::from(found.documents.last()) > 1 << self.doc_ids.offset_bits() {
            self.documents = None;
        }
        if let Some(known) = &mut self.documents {
            known.rows.remove_range(doc_ids.clone());
            known.rows.extend(doc_ids.filter(|id| found.documents.contains(offset(*id))));
        }
        let newest = found.newest.map_or(NO_TRANSACTION, |newest| newest.into_inner());
        let is_lasting = xmin.is_some_and(|xmin| is_over(newest, xmin));
        let lsn = if is_lasting { found.lsn } else { 0 };
        let page = PageMemory { lsn, newest, buffer: found.buffer };
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

fn precedes(a: u32, b: u32) -> bool {
    let id = pg_sys::TransactionId::from;
    // SAFETY: compares two integers.
    unsafe { pg_sys::TransactionIdPrecedes(id(a), id(b)) }
}

/// Whether a transaction, if it is one, was over before a snapshot with this xmin was taken.
fn is_over(transaction: u32, xmin: pg_sys::TransactionId) -> bool {
    transaction == NO_TRANSACTION || precedes(transaction, xmin.into_inner())
}

/// The newer one of two transactions, of which each may be none.
fn newer(a: u32, b: u32) -> u32 {
    if b == NO_TRANSACTION || a != NO_TRANSACTION && precedes(b, a) { a } else { b }
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
pub fn wal_position() -> u64 {
    // SAFETY: reads counters in shared memory.
    unsafe {
        if pg_sys::RecoveryInProgress() {
            pg_sys::GetXLogReplayRecPtr(std::ptr::null_mut())
        } else {
            pg_sys::GetXLogInsertRecPtr()
        }
    }
}
