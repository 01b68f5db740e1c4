//! Simple queries that were read, kept for a table that has another query in each row: its queries
//! come again with each document, in the same order. So they lie in the order in which they came,
//! and each knows which one was asked for after it, which is tried first: most of the time that
//! another query takes is for the processor to fetch it from memory, unless it is read ahead.

use super::parse_cache;
use crate::document::Jsonb;
use crate::matcher::{MAX_DIRECT_QUERY_BYTES, SimpleMatcher};
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::rc::Rc;

/// At most 8 MB of queries are kept, about 40,000 with a range each. Then all are forgotten: those
/// that are in use come back soon.
const MAX_BYTES: usize = 8 << 20;
/// A query is kept when it is asked for the fourth time. To keep it takes longer than to read it.
const KEEP_AFTER: u8 = 4;
/// How many counters of uses there are. If two queries share one, one of them is kept too soon,
/// which does no harm.
const COUNTERS: usize = 1 << 16;
/// What the allocator and the map take for a query, beside what it holds.
const OVERHEAD_BYTES: usize = 104;

/// A query that was asked for often enough.
struct Kept {
    meaning: Meaning,
    /// The place of the query that was asked for after this one.
    next: Cell<usize>,
}

enum Meaning {
    Simple(SimpleMatcher<fn() -> DateTime<Utc>>),
    /// A query that is not simple, so that nobody tries again to read it as one.
    Other(Box<[u8]>),
}

impl Kept {
    #[inline]
    fn query(&self) -> &[u8] {
        match &self.meaning {
            Meaning::Simple(matcher) => matcher.query(),
            Meaning::Other(query) => query,
        }
    }
}

/// What is known of a query and a document.
pub enum Known {
    /// The answer for the document.
    Answer(bool),
    /// The query is not simple.
    Other,
    /// Nothing yet.
    Nothing,
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
struct Queries {
    hasher: RandomState,
    kept: Vec<Kept>,
    /// The places in `kept`, by the hash of the text. Of two queries with the same hash one is found.
    places: HashMap<u64, usize, BuildHasherDefault<IsHash>>,
    /// The place of the last query that was asked for.
    last: Cell<usize>,
    bytes: usize,
    /// How often queries were asked for that are not kept.
    counters: Vec<u8>,
}

thread_local! {
    static QUERIES: SimpleQueries = SimpleQueries::default();
}

/// The simple queries of this session.
#[derive(Clone, Default)]
pub struct SimpleQueries(Rc<RefCell<Queries>>);

impl SimpleQueries {
    /// Those of this session.
    pub fn get() -> SimpleQueries {
        QUERIES.with(SimpleQueries::clone)
    }

    /// Matches a document with a stored query, if that is kept.
    #[inline]
    pub fn matches(&self, query: &[u8], document: Jsonb<'_>) -> Known {
        if query.len() > MAX_DIRECT_QUERY_BYTES {
            return Known::Other;
        }
        let known = self.0.borrow().matches(query, document);
        known.unwrap_or_else(|| {
            self.0.borrow_mut().count(query);
            Known::Nothing
        })
    }
}

impl Queries {
    #[inline]
    fn matches(&self, query: &[u8], document: Jsonb<'_>) -> Option<Known> {
        Some(match &self.find(query)?.meaning {
            Meaning::Simple(matcher) => Known::Answer(matcher.matches(document)),
            Meaning::Other(_) => Known::Other,
        })
    }

    #[inline]
    fn find(&self, query: &[u8]) -> Option<&Kept> {
        let at = |place: usize| self.kept.get(place).filter(|kept| kept.query() == query);
        let last = self.kept.get(self.last.get());
        if let Some(last) = last {
            if let Some(kept) = at(last.next.get()) {
                self.last.set(last.next.get());
                return Some(kept);
            }
            // The same one again, as where documents are the inner side.
            if last.query() == query {
                return Some(last);
            }
        }
        let place = *self.places.get(&self.hasher.hash_one(query))?;
        let kept = at(place)?;
        if let Some(last) = last {
            last.next.set(place);
        }
        self.last.set(place);
        Some(kept)
    }

    /// Counts a use of a query that is not kept, and keeps it if it was used often enough.
    #[cold]
    fn count(&mut self, query: &[u8]) {
        let hash = self.hasher.hash_one(query);
        self.counters.resize(COUNTERS, 0);
        let Some(times) = self.counters.get_mut(hash as usize % COUNTERS) else { return };
        *times = (*times + 1) % KEEP_AFTER;
        if *times == 0 {
            self.keep(hash, query);
        }
    }

    fn keep(&mut self, hash: u64, query: &[u8]) {
        // One with NOW is read anew for each document.
        if parse_cache::may_use_now(query) {
            return;
        }
        let Ok(text) = std::str::from_utf8(query) else { return };
        let meaning = match SimpleMatcher::new(text, parse_cache::now as fn() -> _) {
            Some(matcher) => Meaning::Simple(matcher),
            None => Meaning::Other(query.into()),
        };
        let bytes = OVERHEAD_BYTES
            + match &meaning {
                Meaning::Simple(matcher) => matcher.bytes(),
                Meaning::Other(query) => query.len(),
            };
        if self.bytes + bytes > MAX_BYTES {
            self.kept.clear();
            self.places.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.places.insert(hash, self.kept.len());
        let next = Cell::new(self.kept.len() + 1);
        self.kept.push(Kept { meaning, next });
    }
}
