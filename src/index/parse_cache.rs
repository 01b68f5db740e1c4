//! Queries made ready, kept for as long as there is room: reading, planning and running one statement ask for a query several times,
//! its rows ask again, or each for another of some, and the next statement may ask for the next rows of it.

use crate::document::Jsonb;
use crate::error::{Error, Result};
use crate::matcher::{self, Matcher};
use crate::memory;
use crate::predicate::{self, Predicate};
use crate::syntax::{self, Ast};
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use pgrx::pg_sys;
use smallvec::SmallVec;
use std::cell::{OnceCell, RefCell};
use std::hash::BuildHasher;
use std::rc::Rc;

/// A query as it was read.
pub struct ParsedQuery {
    /// As it was written.
    pub text: Rc<str>,
    pub predicate: Rc<Predicate>,
    pub notices: Rc<[String]>,
    canonical: OnceCell<Rc<str>>,
    /// What `NOW` is, if the query speaks of it.
    now: Option<pg_sys::TimestampTz>,
    /// What documents are asked by, made when the first one is.
    matcher: OnceCell<Matcher>,
}

impl ParsedQuery {
    fn new(text: &str) -> Result<ParsedQuery> {
        let now = transaction_start();
        let (ast, lowered) = parse_at(text, now)?;
        let canonical = ast.to_string();
        let uses_now = uses_now(&canonical);
        Ok(ParsedQuery {
            canonical: OnceCell::from(Rc::from(canonical)),
            ..ParsedQuery::of(text, lowered, uses_now.then_some(now))
        })
    }

    /// Of a query that was stored, and so had its canonical form when it was. Few ask for it again.
    fn stored(text: &str) -> Result<ParsedQuery> {
        let now = transaction_start();
        let (_, lowered) = parse_at(text, now)?;
        Ok(ParsedQuery::of(text, lowered, uses_now(text).then_some(now)))
    }

    fn of(
        text: &str,
        lowered: predicate::Lowered,
        now: Option<pg_sys::TimestampTz>,
    ) -> ParsedQuery {
        ParsedQuery {
            text: text.into(),
            predicate: lowered.predicate.into(),
            notices: lowered.notices.into(),
            canonical: OnceCell::new(),
            now,
            matcher: OnceCell::new(),
        }
    }

    /// The canonical form, which reads as the same.
    pub fn canonical(&self) -> Result<Rc<str>> {
        if let Some(canonical) = self.canonical.get() {
            return Ok(canonical.clone());
        }
        let (ast, _) = parse_at(&self.text, 0)?;
        Ok(self.canonical.get_or_init(|| ast.to_string().into()).clone())
    }

    /// Whether the document meets the query.
    pub fn matches(&self, document: Jsonb<'_>) -> bool {
        self.matcher.get_or_init(|| Matcher::new(&self.predicate)).matches(document)
    }

    /// Whether this is what the text means in this transaction.
    pub fn is_for(&self, text: &[u8]) -> bool {
        self.text.as_bytes() == text && self.now.is_none_or(|now| now == transaction_start())
    }

    /// About how much memory it takes. What patterns are compiled to is by far the most.
    fn bytes(&self) -> usize {
        let patterns = self.predicate.conditions().map(|(_, test)| test.pattern_memory());
        512 + 24 * self.text.len() + patterns.sum::<usize>()
    }
}

/// Queries are kept in so many sets by their hash, each with so many places. More would not help: one that is asked for now and then
/// has left the processor's caches, and its text, which comes with the row, is read sooner.
const SETS: usize = 256;
const PLACES: usize = 4;
/// So many bytes are kept.
const MAX_BYTES: usize = 16 << 20;
/// So often a query is asked for before it is kept that is read as soon.
const KEEP_AFTER: u8 = 32;
/// What takes so many bytes is kept at once.
const KEEP_AT_ONCE_BYTES: usize = 8 << 10;

/// Queries that are asked for often.
struct ParseCache {
    last: Option<Rc<ParsedQuery>>,
    sets: Vec<SmallVec<[CachedQuery; PLACES]>>,
    bytes: usize,
    hasher: RandomState,
    /// How often queries were asked for that are not kept, by their hash. Of two at one place, one is kept too soon.
    request_counts: Vec<u8>,
}

struct CachedQuery {
    hash: u64,
    query: Rc<ParsedQuery>,
    /// Whether it was asked for since another one wanted its place.
    was_used: bool,
}

thread_local! {
    static PARSE_CACHE: RefCell<ParseCache> = RefCell::new(ParseCache {
        last: None,
        sets: std::iter::repeat_with(SmallVec::new).take(SETS).collect(),
        bytes: 0,
        hasher: RandomState::default(),
        request_counts: vec![0; 16 * SETS],
    });
}

impl ParseCache {
    fn hash(&self, text: &[u8]) -> u64 {
        self.hasher.hash_one(text)
    }

    fn last(&self, text: &[u8]) -> Option<Rc<ParsedQuery>> {
        self.last.as_ref().filter(|last| last.is_for(text)).cloned()
    }

    fn set(&mut self, hash: u64) -> &mut SmallVec<[CachedQuery; PLACES]> {
        &mut self.sets[(hash >> 32) as usize % SETS]
    }

    fn find(&mut self, hash: u64, text: &[u8]) -> Option<Rc<ParsedQuery>> {
        let mut places = self.set(hash).iter_mut();
        let kept = places.find(|kept| kept.hash == hash && kept.query.is_for(text))?;
        kept.was_used = true;
        Some(kept.query.clone())
    }

    /// Whether a query that is not kept has been asked for often enough; this time counts.
    fn is_frequent(&mut self, hash: u64) -> bool {
        let place = hash as usize % self.request_counts.len();
        let times = &mut self.request_counts[place];
        *times = (*times + 1) % KEEP_AFTER;
        *times == 0
    }

    /// Whether there is a place for a query. Those that were used lately keep theirs, this time.
    fn has_room(&mut self, hash: u64) -> bool {
        let set = self.set(hash);
        if set.len() < PLACES || set.iter().any(|kept| !kept.was_used) {
            return true;
        }
        set.iter_mut().for_each(|kept| kept.was_used = false);
        false
    }

    fn keep(&mut self, hash: u64, query: &Rc<ParsedQuery>) {
        let bytes = query.bytes();
        if bytes > MAX_BYTES {
            return;
        }
        if self.bytes + bytes > MAX_BYTES {
            self.sets.iter_mut().for_each(SmallVec::clear);
            self.bytes = 0;
        }
        self.bytes += bytes;
        let kept = CachedQuery { hash, query: query.clone(), was_used: true };
        let set = self.set(hash);
        let same = set.iter().position(|old| old.hash == hash);
        let unused = || set.iter().position(|old| !old.was_used);
        let gone = match same.or_else(|| if set.len() < PLACES { None } else { unused() }) {
            Some(place) => Some(std::mem::replace(&mut set[place], kept)),
            None => {
                set.push(kept);
                None
            }
        };
        self.bytes = self.bytes.saturating_sub(gone.map_or(0, |gone| gone.query.bytes()));
    }
}

/// Reads a query; `NOW` in it is the start of the transaction, as everywhere in SQL.
pub fn parse_cached(text: &str) -> Result<Rc<ParsedQuery>> {
    find_or(text, ParsedQuery::new)
}

/// The same of a query that was stored, which its input function made sure of.
pub fn parse_stored(query: &[u8]) -> Result<Rc<ParsedQuery>> {
    find_or(&String::from_utf8_lossy(query), ParsedQuery::stored)
}

fn find_or(text: &str, read: impl Fn(&str) -> Result<ParsedQuery>) -> Result<Rc<ParsedQuery>> {
    let found = PARSE_CACHE.with_borrow_mut(|cache| {
        let last = cache.last(text.as_bytes());
        last.or_else(|| cache.find(cache.hash(text.as_bytes()), text.as_bytes()))
    });
    if let Some(found) = found {
        return Ok(found);
    }
    memory::check();
    let query = Rc::new(read(text)?);
    PARSE_CACHE.with_borrow_mut(|cache| {
        let hash = cache.hash(text.as_bytes());
        if (query.bytes() > KEEP_AT_ONCE_BYTES || cache.is_frequent(hash)) && cache.has_room(hash) {
            cache.keep(hash, &query);
        }
        cache.last = Some(query.clone());
    });
    Ok(query)
}

/// What a document is asked by.
pub enum DocumentAnswer {
    Prepared(Rc<ParsedQuery>),
    /// The answer of a query that is seldom asked for, and simple.
    Answered(bool),
}

/// Asks a document a query that was stored.
pub fn match_document(query: &[u8], document: Jsonb<'_>) -> Result<DocumentAnswer> {
    let (hash, found, is_wanted) = PARSE_CACHE.with_borrow_mut(|cache| {
        let hash = cache.hash(query);
        let found = cache.find(hash, query);
        let is_wanted = found.is_none() && cache.is_frequent(hash) && cache.has_room(hash);
        (hash, found, is_wanted)
    });
    if let Some(found) = found {
        return Ok(DocumentAnswer::Prepared(found));
    }
    let text = String::from_utf8_lossy(query);
    let answer = match is_wanted {
        true => None,
        false => matcher::ask(&text, instant(transaction_start()), document),
    };
    if let Some(answer) = answer {
        return Ok(DocumentAnswer::Answered(answer));
    }
    memory::check();
    let query = Rc::new(ParsedQuery::stored(&text)?);
    PARSE_CACHE.with_borrow_mut(|cache| {
        if is_wanted || cache.has_room(hash) {
            cache.keep(hash, &query);
        }
    });
    Ok(DocumentAnswer::Prepared(query))
}

/// About how many bytes it takes to read a query: most for its clauses, and there is something between them that is no letter.
/// Reading ends where there are too many.
fn estimate_parse_bytes(query: &str) -> usize {
    let between = query.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    16 * query.len() + 512 * between.min(4 * syntax::MAX_LEAVES)
}

/// Reads a query, with `NOW` in microseconds since 2000-01-01.
pub fn parse_at(query: &str, now: pg_sys::TimestampTz) -> Result<(Ast, predicate::Lowered)> {
    memory::afford(estimate_parse_bytes(query))?;
    let bad = |error| Error::Query { what: "query", text: query.to_string(), error };
    let ast = syntax::parse(query).map_err(bad)?;
    let lowered = predicate::lower(&ast, instant(now)).map_err(bad)?;
    Ok((ast, lowered))
}

/// Of microseconds since 2000-01-01. All timestamps of the server's are in the calendar.
fn instant(time: pg_sys::TimestampTz) -> DateTime<Utc> {
    /// timestamp.h: 2000-01-01 less 1970-01-01.
    const EPOCH_DIFFERENCE: i64 = 946_684_800_000_000;
    DateTime::from_timestamp_micros(time.saturating_add(EPOCH_DIFFERENCE)).unwrap_or_default()
}

/// Microseconds since 2000-01-01.
fn transaction_start() -> pg_sys::TimestampTz {
    // SAFETY: reads a variable of the running transaction (xact.c).
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

/// Whether what a query in its canonical form means may depend on the time.
fn uses_now(canonical: &str) -> bool {
    memchr::memmem::find(canonical.as_bytes(), b"NOW").is_some()
}
