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

use super::bits::Bits;
use super::doc_id::DocIdMap;
use super::heap::Heap;
use super::heap_page::{PAGES_TOGETHER, PageVisibility};
use super::hidden_rows::HiddenRows;
use super::page_memory::{PageMemories, PageMemory};
use super::rows::Rows;
use super::settings::changes_memory;
use crate::error::Result;
use crate::pg::transactions::{NO_TRANSACTION, is_over, newer, next_transaction};
use crate::pg::versions;
use pgrx::pg_sys;
use std::cell::RefCell;

thread_local! {
    /// The table that was read last comes first.
    static TABLES: RefCell<Vec<TableMemory>> = const { RefCell::new(Vec::new()) };
}

/// Transactions after which a table's memory is dropped. Transaction IDs are compared modulo 2^32,
/// so that an ID seems to lie in the future after 2^31 others; this is a quarter of that.
const MAX_AGE: u64 = 1 << 29;

/// Pages whose LSNs are fetched from memory at the same time.
const TOGETHER: usize = 32;

/// Some pages, each with the buffer that had it.
struct Pages {
    pages: [(u32, pg_sys::Buffer); TOGETHER],
    count: usize,
}

/// What is remembered of a table.
struct TableMemory {
    file: versions::FileId,
    /// The number of the column of documents.
    column: i32,
    doc_ids: DocIdMap,
    pages: PageMemories,
    /// The blocks that were looked at.
    known: Bits,
    /// The doc IDs of these blocks whose rows are not visible, or do not exist.
    hidden: HiddenRows,
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
    blocks: Bits,
    /// The newest transaction that touched one of the pages, or `NO_TRANSACTION`.
    newest: u32,
}

/// All rows that have a document and are visible. For pages that are not all-visible they are kept
/// up to date with what is remembered of those. The others are the pages that were all-visible when
/// the rows were found, as long as no bit of the visibility map has been set since: that would have
/// changed the LSN of its page of the map. (If bits were cleared, those pages are not all-visible.)
struct Documents {
    map_lsns: Vec<u64>,
    rows: Rows,
}

/// Removes from some rows those that the active snapshot does not see, on pages that are not
/// all-visible. Returns how many pages were read for that.
pub fn remove_hidden(
    rows: &mut Rows,
    heap: &Heap,
    not_all_visible: &Bits,
    doc_ids: DocIdMap,
) -> Result<u64> {
    if not_all_visible.is_empty() || rows.is_empty() {
        return Ok(0);
    }
    let found = with_memory(heap, doc_ids, |table| {
        table.forget_all_but(not_all_visible);
        let xmin = snapshot_xmin();
        let mut blocks = table.unchecked(not_all_visible, xmin);
        leave_out_others(&mut blocks, rows, not_all_visible, doc_ids);
        let read = table.look_at_changed(heap, &blocks, xmin);
        table.hidden.remove_from(rows)?;
        Ok(read)
    });
    found.unwrap_or_else(|| {
        let mut table = TableMemory::new(heap, doc_ids);
        let mut blocks = not_all_visible.clone();
        leave_out_others(&mut blocks, rows, not_all_visible, doc_ids);
        let read = table.look_at(heap, &blocks);
        table.hidden.remove_from(rows)?;
        Ok(read)
    })
}

/// For few rows only their pages are looked at. For many rows all pages are, so that they are known
/// to later queries too.
fn leave_out_others(blocks: &mut Bits, rows: &Rows, not_all_visible: &Bits, doc_ids: DocIdMap) {
    if !blocks.is_empty() && rows.len() < not_all_visible.len() {
        blocks.intersect(&rows.blocks(doc_ids));
    }
}

/// All rows that have a document and that the active snapshot sees, and how many pages were read to
/// find them; none if they are not remembered. `map_lsns` are the LSNs of the visibility map, which
/// was read before the index and afterwards.
pub fn visible_documents(
    heap: &Heap,
    not_all_visible: &Bits,
    doc_ids: DocIdMap,
    map_lsns: &[u64],
) -> Option<(Rows, u64)> {
    let found = with_memory(heap, doc_ids, |table| {
        table.documents.take_if(|known| known.map_lsns != map_lsns);
        table.forget_all_but(not_all_visible);
        table.documents.as_ref()?;
        let xmin = snapshot_xmin();
        let blocks = table.unchecked(not_all_visible, xmin);
        let read = table.look_at_changed(heap, &blocks, xmin);
        table.documents.as_ref().map(|known| (known.rows.clone(), read))
    });
    found.flatten()
}

/// Remembers rows for `visible_documents`. `remove_hidden` has just looked at their pages.
pub fn remember_documents(heap: &Heap, doc_ids: DocIdMap, map_lsns: &[u64], rows: &Rows) {
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
            pages: PageMemories::default(),
            known: Bits::default(),
            hidden: HiddenRows::default(),
            began: next_transaction(),
            checked: Checked::default(),
            documents: None,
        }
    }

    fn size(&self) -> usize {
        self.pages.size()
            + self.known.size()
            + self.hidden.size()
            + self.checked.blocks.size()
            + self.documents.as_ref().map_or(0, |known| known.rows.size())
    }

    /// Looks at some pages, and remembers nothing for later queries.
    fn look_at(&mut self, heap: &Heap, blocks: &Bits) -> u64 {
        let mut looks = Looks::default();
        for block in blocks.iter() {
            looks.add(self, heap, block, None);
        }
        looks.finish(self, heap, None)
    }

    /// Forgets pages that have become all-visible.
    fn forget_all_but(&mut self, not_all_visible: &Bits) {
        if self.known.is_within(not_all_visible) {
            return;
        }
        self.documents = None;
        let mut closed = self.known.clone();
        closed.subtract(not_all_visible);
        for block in closed.iter() {
            self.hidden.forget_page(self.doc_ids, block);
            self.pages.forget(block);
        }
        self.known.subtract(&closed);
        self.checked.blocks.subtract(&closed);
    }

    /// Those of some pages that may have changed since they were looked at, if they were.
    fn unchecked(&mut self, not_all_visible: &Bits, xmin: pg_sys::TransactionId) -> Bits {
        // The position is read before the pages, so that what is written meanwhile counts as later.
        let wal = wal_position();
        if self.checked.wal != wal || !is_over(self.checked.newest, xmin) {
            self.checked = Checked { wal, ..Checked::default() };
        }
        let mut unchecked = not_all_visible.clone();
        unchecked.subtract(&self.checked.blocks);
        unchecked
    }

    /// Looks at those of some unchecked pages that are not known, have changed, or depend on
    /// transactions that the snapshot may take for running. Returns how many those are.
    fn look_at_changed(
        &mut self,
        heap: &Heap,
        unchecked: &Bits,
        xmin: pg_sys::TransactionId,
    ) -> u64 {
        let (mut blocks, mut looks) = (unchecked.iter(), Looks::default());
        let mut next = self.next_pages(heap, &mut blocks);
        while next.count > 0 {
            // While these pages are compared, the next ones are on their way.
            let pages = std::mem::replace(&mut next, self.next_pages(heap, &mut blocks));
            let (pages, mut lsns) = (&pages.pages[..pages.count], [0; TOGETHER]);
            heap.lsns_in(pages, &mut lsns);
            for ((block, _), lsn) in pages.iter().zip(lsns) {
                let page = self.pages.get(*block);
                if page.lsn == 0 || page.lsn != lsn || !is_over(page.newest, xmin) {
                    looks.add(self, heap, *block, Some(xmin));
                } else {
                    self.checked.add(*block, &page);
                }
            }
        }
        looks.finish(self, heap, Some(xmin))
    }

    /// The next pages, whose LSNs it begins to fetch.
    fn next_pages(&self, heap: &Heap, blocks: &mut impl Iterator<Item = u32>) -> Pages {
        let mut next = Pages { pages: [(0, 0); TOGETHER], count: 0 };
        for (page, block) in next.pages.iter_mut().zip(blocks) {
            *page = (block, self.pages.get(block).buffer);
            next.count += 1;
        }
        heap.prefetch_lsns(&next.pages[..next.count]);
        next
    }

    /// Takes in what was seen of a page. If it may be remembered, `xmin` is that of the snapshot.
    fn put(&mut self, block: u32, found: &PageVisibility, xmin: Option<pg_sys::TransactionId>) {
        self.hidden.put_page(self.doc_ids, block, &found.visible);
        self.known.insert(block);
        // A row without a doc ID: the index is read, and so it is met there and the map made wider.
        if u32::from(found.documents.last()) > 1 << self.doc_ids.offset_bits() {
            self.documents = None;
        }
        if let Some(known) = &mut self.documents {
            known.rows.put_page(self.doc_ids, block, &found.documents);
        }
        let newest = found.newest.map_or(NO_TRANSACTION, |newest| newest.into_inner());
        let is_lasting = xmin.is_some_and(|xmin| is_over(newest, xmin));
        let lsn = if is_lasting { found.lsn } else { 0 };
        let page = PageMemory { lsn, newest, buffer: found.buffer };
        if xmin.is_some() {
            self.pages.put(block, page);
            self.checked.add(block, &page);
        }
    }
}

impl Checked {
    fn add(&mut self, block: u32, page: &PageMemory) {
        if page.lsn != 0 {
            self.blocks.insert(block);
            self.newest = newer(self.newest, page.newest);
        }
    }
}

/// Pages that wait to be looked at together.
#[derive(Default)]
struct Looks {
    blocks: [u32; PAGES_TOGETHER],
    waiting: usize,
    /// How many were looked at.
    done: u64,
}

impl Looks {
    fn add(
        &mut self,
        table: &mut TableMemory,
        heap: &Heap,
        block: u32,
        xmin: Option<pg_sys::TransactionId>,
    ) {
        self.blocks[self.waiting] = block;
        self.waiting += 1;
        if self.waiting == PAGES_TOGETHER {
            self.look(table, heap, xmin);
        }
    }

    fn look(&mut self, table: &mut TableMemory, heap: &Heap, xmin: Option<pg_sys::TransactionId>) {
        let blocks = &self.blocks[..self.waiting];
        for (block, seen) in blocks.iter().zip(&heap.page_visibilities(blocks)) {
            table.put(*block, seen, xmin);
        }
        self.done += self.waiting as u64;
        self.waiting = 0;
    }

    /// Looks at the last ones. Returns how many there were in all.
    fn finish(
        mut self,
        table: &mut TableMemory,
        heap: &Heap,
        xmin: Option<pg_sys::TransactionId>,
    ) -> u64 {
        self.look(table, heap, xmin);
        self.done
    }
}

fn snapshot_xmin() -> pg_sys::TransactionId {
    // SAFETY: a query is running, so there is an active snapshot.
    unsafe { (*pg_sys::GetActiveSnapshot()).xmin }
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
