//! Rows of a query that must also pass a test, as that of a policy of row-level security, and what
//! a session remembers of such tests.
//!
//! The index does not decide a test like `doc ->> 'tenant' = 'a'`: the string and an array that
//! holds it have the same keys. So each row that the index names is looked at. What that found is
//! remembered for rows on all-visible pages, and the next question counts these rows without
//! looking at them.
//!
//! It stays true as long as no bit of the visibility map is set, which changes the LSN of the map's
//! page (visibilitymap_set): a page that is all-visible now, with the LSNs that the map had when its
//! rows were looked at, was all-visible in between, so nothing has changed on it. Whoever changes a
//! page clears its bit first, and the page is then looked at again. It does not matter who asks: a
//! fact about a row is the same for every role, and its test is a part of what is remembered.

use super::candidates::CandidateScan;
use super::doc_id::DocIdMap;
use super::heap::Heap;
use super::rows::Rows;
use super::search::IndexSearch;
use super::settings::changes_memory;
use super::table::IndexedTable;
use super::visibility_map::VisibilityMap;
use crate::error::Result;
use crate::index::gin::Tid;
use crate::pg::versions;
use crate::predicate::Predicate;
use roaring::RoaringBitmap;
use std::borrow::Cow;
use std::cell::RefCell;

/// A test that a row passes or not, whoever asks and whenever.
pub struct RowTest<'p> {
    /// What tells it from all other tests of the column.
    pub identity: Vec<u8>,
    /// What every document matches whose row passes; none if nothing is known.
    pub necessary: Option<&'p Predicate>,
}

/// The candidates of a query without those that a session knows about.
pub struct TestedScan {
    /// The rows that have to be looked at.
    pub candidates: CandidateScan,
    /// How many other rows match and pass, and are visible.
    pub passing: u64,
    /// What is found out about the candidates; none if it may not be remembered.
    pub findings: Option<Findings>,
}

/// What was found out about rows, until it is remembered.
pub struct Findings {
    table: IndexedTable,
    test: Known,
    /// Whether any row was looked at.
    is_more: bool,
}

/// What is remembered of one test of a table.
struct Known {
    file: versions::FileId,
    column: i32,
    doc_ids: DocIdMap,
    identity: Vec<u8>,
    map_lsns: Vec<u64>,
    /// The rows that may pass by the index. It is asked from the second question on.
    possible: Option<RoaringBitmap>,
    /// The rows that were looked at, and those of them that pass.
    tested: RoaringBitmap,
    passing: RoaringBitmap,
    /// The rows that may pass and were not looked at.
    untested: Option<RoaringBitmap>,
}

/// Tests that are remembered at most.
const MAX_TESTS: usize = 64;

thread_local! {
    /// The test that was asked for last comes first.
    static TESTS: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

impl TestedScan {
    /// Finds the rows that match a predicate and may pass a test. None if the table is so large
    /// that its rows have no doc IDs.
    pub fn new(
        table: IndexedTable,
        predicate: &Predicate,
        test: &RowTest<'_>,
    ) -> Result<Option<TestedScan>> {
        match TestedScan::with_memory(table, predicate, test)? {
            Some(scan) => Ok(Some(scan)),
            None => {
                let both = [Some(predicate), test.necessary].into_iter().flatten().cloned();
                let candidates = CandidateScan::new(table, &Predicate::all_of(both))?;
                Ok(candidates.map(|candidates| TestedScan {
                    candidates,
                    passing: 0,
                    findings: None,
                }))
            }
        }
    }

    /// None if nothing may be remembered, or if the map of visible pages changes meanwhile.
    fn with_memory(
        table: IndexedTable,
        predicate: &Predicate,
        test: &RowTest<'_>,
    ) -> Result<Option<TestedScan>> {
        let heap = Heap::of(&table);
        let blocks = heap.blocks();
        let before = VisibilityMap::read(&heap, blocks)?;
        let Some(lsns) = before.lsns().filter(|_| changes_memory() > 0) else { return Ok(None) };
        let known = take(&heap, &test.identity, lsns);
        // All documents have no list. Those that may pass have one.
        let (predicate, necessary) = match (predicate, test.necessary) {
            (Predicate::All, Some(necessary)) => (necessary, None),
            (Predicate::All, None) => return Ok(None),
            (predicate, necessary) => (predicate, necessary),
        };
        // In the first question, the index looks for both at once, which reads less.
        let both = match (&known, necessary) {
            (None, Some(necessary)) => {
                Some(Predicate::all_of([predicate.clone(), necessary.clone()]))
            }
            _ => None,
        };
        let Some(mut search) = IndexSearch::new(&[table], both.as_ref().unwrap_or(predicate))?
        else {
            return Ok(None);
        };
        let Some(matches) = search.partitions.first_mut() else { return Ok(None) };
        let Some(Rows::Compressed(found)) = &matches.candidates else { return Ok(None) };
        let doc_ids = matches.doc_ids;
        let known = known.filter(|known| known.doc_ids == doc_ids);
        let is_known = known.is_some();
        let mut test = known.unwrap_or_else(|| Known {
            file: heap.file_id(),
            column: heap.column(),
            doc_ids,
            identity: test.identity.clone(),
            map_lsns: lsns.to_vec(),
            possible: None,
            tested: RoaringBitmap::new(),
            passing: RoaringBitmap::new(),
            untested: None,
        });
        if let (true, None, Some(necessary)) = (is_known, &test.possible, necessary) {
            let search = IndexSearch::new(&[table], necessary)?;
            let mut partitions = search.map(|search| search.partitions).unwrap_or_default();
            let matches = partitions.pop().filter(|matches| matches.doc_ids == doc_ids);
            let Some(matches) = matches else { return Ok(None) };
            test.possible = matches.candidates.map(Rows::bitmap);
            test.untested = test.possible.as_ref().map(|possible| possible - &test.tested);
        }
        let after = VisibilityMap::read(&heap, blocks)?;
        if after.lsns() != Some(lsns) {
            return Ok(None);
        }
        // Rows on pages that are not all-visible, or that were added meanwhile, are looked at.
        let closed = closed(found, &before.and(&after)?, doc_ids);
        let sure = match matches.recheck.is_empty() {
            true => Cow::Borrowed(closed.as_ref()),
            false => Cow::Owned(closed.as_ref() - &matches.recheck),
        };
        let passing = sure.intersection_len(&test.passing);
        let rest = match &test.untested {
            // Most often none is left, which takes less time to see than to put nothing together.
            Some(untested) if sure.len() == matches.count => match found.is_disjoint(untested) {
                true => RoaringBitmap::new(),
                false => found & untested,
            },
            _ => {
                let mut rest = found - &(sure.as_ref() & &test.tested);
                if let Some(possible) = &test.possible {
                    rest -= closed.as_ref() - possible;
                }
                rest
            }
        };
        matches.recheck &= &rest;
        matches.count = rest.len();
        matches.candidates = Some(Rows::Compressed(rest));
        let findings = Some(Findings { table, test, is_more: false });
        Ok(Some(TestedScan { candidates: CandidateScan::of(search), passing, findings }))
    }
}

impl Findings {
    /// Takes in whether a row passes. It must be visible.
    pub fn add(&mut self, tid: Tid, passes: bool) {
        let Some(doc_id) = self.test.doc_ids.doc_id(tid) else { return };
        self.is_more = true;
        self.test.tested.insert(doc_id);
        if passes {
            self.test.passing.insert(doc_id);
        }
    }

    /// Remembers what was found, as far as it is true of all-visible pages.
    pub fn remember(self) -> Result<()> {
        let Findings { table, mut test, is_more } = self;
        if !is_more {
            put_back(test);
            return Ok(());
        }
        let heap = Heap::of(&table);
        let map = VisibilityMap::read(&heap, heap.blocks())?;
        if map.lsns() != Some(test.map_lsns.as_slice()) || heap.file_id() != test.file {
            return Ok(());
        }
        test.tested = closed(&test.tested, &map, test.doc_ids).into_owned();
        test.passing &= &test.tested;
        test.untested = test.possible.as_ref().map(|possible| possible - &test.tested);
        put_back(test);
        Ok(())
    }
}

/// Remembers a test, as the one that was asked for last.
fn put_back(test: Known) {
    TESTS.with_borrow_mut(|tests| {
        tests.retain(|known| !known.is_same(&test));
        tests.insert(0, test);
        tests.truncate(MAX_TESTS);
        let mut size = 0;
        let fitting = tests.iter().take_while(|test| {
            size += test.size();
            size <= changes_memory()
        });
        let fitting = fitting.count();
        tests.truncate(fitting);
    });
}

impl Known {
    fn is_of(&self, heap: &Heap, identity: &[u8]) -> bool {
        self.file == heap.file_id() && self.column == heap.column() && self.identity == identity
    }

    fn is_same(&self, other: &Known) -> bool {
        self.file == other.file && self.column == other.column && self.identity == other.identity
    }

    fn size(&self) -> usize {
        let bitmaps = [&self.tested, &self.passing].into_iter();
        let bitmaps = bitmaps.chain(&self.possible).chain(&self.untested);
        bitmaps.map(RoaringBitmap::serialized_size).sum::<usize>()
            + self.identity.len()
            + 8 * self.map_lsns.len()
    }
}

/// Takes out what is remembered of a test, if the map of visible pages still has these LSNs. It is
/// put back when the question is answered: two of them at a time do not share it.
fn take(heap: &Heap, identity: &[u8], lsns: &[u64]) -> Option<Known> {
    TESTS.with_borrow_mut(|tests| {
        let at = tests.iter().position(|known| known.is_of(heap, identity))?;
        Some(tests.remove(at)).filter(|known| known.map_lsns == lsns)
    })
}

/// Those of some rows that lie on pages which are all-visible in a map of so many blocks.
fn closed<'r>(
    rows: &'r RoaringBitmap,
    map: &VisibilityMap,
    doc_ids: DocIdMap,
) -> Cow<'r, RoaringBitmap> {
    let open = map.not_all_visible();
    let end = *doc_ids.doc_ids(map.blocks()..=map.blocks()).start();
    if open.is_empty() && rows.max().is_none_or(|last| last < end) {
        return Cow::Borrowed(rows);
    }
    let mut closed = rows.clone();
    for block in open.iter() {
        closed.remove_range(doc_ids.doc_ids(block..=block));
    }
    closed.remove_range(end..);
    Cow::Owned(closed)
}
