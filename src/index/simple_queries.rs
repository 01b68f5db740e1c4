//! Simple queries that were read, kept for a table that has another query in each row: its queries
//! come again with each document, in the same order. So they lie in the order in which they came,
//! and the one behind the last that was asked for is tried first: most of the time that another
//! query takes is for the processor to fetch it from memory, unless it is read ahead.

use super::parse_cache;
use crate::document::Jsonb;
use crate::matcher::SimpleMatcher;
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// At most 8 MB of queries are kept, about 16,000 with a range each. Then all are forgotten: those
/// that are in use come back soon.
const MAX_BYTES: usize = 8 << 20;
/// A query is kept when it is asked for the fourth time. To keep it takes longer than to read it.
const KEEP_AFTER: u8 = 4;
/// How many counters of uses there are. If two queries share one, one of them is kept too soon,
/// which does no harm.
const COUNTERS: usize = 1 << 16;
/// What the allocator and the map take for a query, beside what it holds.
const OVERHEAD_BYTES: usize = 96;

struct KeptQuery {
    text: Box<[u8]>,
    matcher: SimpleMatcher<fn() -> DateTime<Utc>>,
}

/// Takes a hash as it is.
#[derive(Default)]
struct IsHash(u64);

impl Hasher for IsHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Default)]
struct SimpleQueries {
    hasher: RandomState,
    kept: Vec<KeptQuery>,
    /// The places in `kept`, by the hash of the text. Of two queries with the same hash one is found.
    places: HashMap<u64, usize, BuildHasherDefault<IsHash>>,
    /// The place behind that of the last query that was asked for.
    next: Cell<usize>,
    bytes: usize,
    /// How often queries were asked for that are not kept.
    counters: Vec<u8>,
}

thread_local! {
    static QUERIES: RefCell<SimpleQueries> = RefCell::default();
}

/// Matches a document with a stored query, if that is kept.
#[inline]
pub fn match_kept(query: &[u8], document: Jsonb<'_>) -> Option<bool> {
    let answer = QUERIES.with_borrow(|queries| {
        let (place, kept) = queries.find(query)?;
        queries.next.set(place + 1);
        Some(kept.matcher.matches(document))
    });
    answer.or_else(|| {
        QUERIES.with_borrow_mut(|queries| queries.count(query));
        None
    })
}

impl SimpleQueries {
    fn find(&self, query: &[u8]) -> Option<(usize, &KeptQuery)> {
        let at = |place: usize| self.kept.get(place).filter(|kept| *kept.text == *query);
        let next = self.next.get();
        at(next).map(|kept| (next, kept)).or_else(|| {
            let place = *self.places.get(&self.hasher.hash_one(query))?;
            at(place).map(|kept| (place, kept))
        })
    }

    /// Counts a use of a query that is not kept, and keeps it if it was used often enough.
    #[cold]
    fn count(&mut self, query: &[u8]) {
        let hash = self.hasher.hash_one(query);
        self.counters.resize(COUNTERS, 0);
        let Some(times) = self.counters.get_mut(hash as usize % COUNTERS) else { return };
        *times = (*times + 1) % KEEP_AFTER;
        if *times == 0 && !parse_cache::may_use_now(query) {
            self.keep(hash, query);
        }
    }

    fn keep(&mut self, hash: u64, query: &[u8]) {
        let Ok(text) = std::str::from_utf8(query) else { return };
        let Some(matcher) = SimpleMatcher::new(text, parse_cache::now as fn() -> _) else { return };
        // The texts are there twice, in the worst case as digits of numbers, too.
        let bytes = OVERHEAD_BYTES + matcher.bytes() + 4 * query.len();
        if self.bytes + bytes > MAX_BYTES {
            self.kept.clear();
            self.places.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.places.insert(hash, self.kept.len());
        self.kept.push(KeptQuery { text: query.into(), matcher });
    }
}
