//! Queries made ready, kept for as long as there is room: reading, planning and running one statement ask for a query several times,
//! its rows ask again, or each for another of some, and the next statement may ask for the next rows of it.

use crate::document::Jsonb;
use crate::error::{Error, Result};
use crate::matcher::{self, Matcher};
use crate::memory;
use crate::predicate::{self, Predicate, Test};
use crate::syntax::{self, Ast};
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use pgrx::pg_sys;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
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
        let (ast, lowered) = read_at(text, now)?;
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
        let (_, lowered) = read_at(text, now)?;
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
        let (ast, _) = read_at(&self.text, 0)?;
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
        fn patterns(predicate: &Predicate) -> usize {
            match predicate {
                Predicate::All | Predicate::None => 0,
                Predicate::Not(part) => patterns(part),
                Predicate::And(parts) | Predicate::Or(parts) => parts.iter().map(patterns).sum(),
                Predicate::Condition { test, .. } => match test {
                    Test::Regexp(regexp) => regexp.memory(),
                    Test::Wildcard(wildcard) => wildcard.memory(),
                    Test::Fuzzy(fuzzy) => fuzzy.memory(),
                    _ => 0,
                },
            }
        }
        512 + 24 * self.text.len() + patterns(&self.predicate)
    }
}

/// So many queries, and bytes, a generation holds.
const MOST: usize = 1 << 12;
const MOST_BYTES: usize = 8 << 20;
/// So often a query is asked for before it is kept: until then, preparing it would cost more than it saves.
const OFTEN: u8 = 4;

/// The queries asked for of late: when the young ones are as many as may be, they become the old ones, and those before them go.
struct Cache {
    last: Option<Rc<ParsedQuery>>,
    young: Generation,
    old: Generation,
    hasher: RandomState,
    /// How often queries were asked for that are not kept, each at a place by its hash, of which a part tells it from others.
    seldom: Vec<(u16, u8)>,
}

/// By the hash of the text. Of two with one hash the later is kept.
#[derive(Default)]
struct Generation {
    queries: HashMap<u64, Rc<ParsedQuery>, RandomState>,
    bytes: usize,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::new(Cache {
        last: None,
        young: Generation::default(),
        old: Generation::default(),
        hasher: RandomState::default(),
        seldom: vec![(0, 0); MOST],
    });
}

impl Cache {
    fn hash(&self, text: &[u8]) -> u64 {
        self.hasher.hash_one(text)
    }

    fn last(&self, text: &[u8]) -> Option<Rc<ParsedQuery>> {
        self.last.as_ref().filter(|last| last.is_for(text)).cloned()
    }

    fn find(&mut self, hash: u64, text: &[u8]) -> Option<Rc<ParsedQuery>> {
        if let Some(young) = self.young.queries.get(&hash).filter(|young| young.is_for(text)) {
            return Some(young.clone());
        }
        let old = self.old.queries.remove(&hash).filter(|old| old.is_for(text))?;
        self.keep(hash, old.clone());
        Some(old)
    }

    /// Whether a query that is not kept has been asked for often enough; this time counts.
    fn is_frequent(&mut self, hash: u64) -> bool {
        let (tag, place) = (hash as u16, (hash >> 16) as usize % MOST);
        let Some((known, times)) = self.seldom.get_mut(place) else { return true };
        if *known != tag {
            (*known, *times) = (tag, 0);
        }
        *times += 1;
        let is_frequent = *times >= OFTEN;
        *times %= OFTEN;
        is_frequent
    }

    fn keep(&mut self, hash: u64, query: Rc<ParsedQuery>) {
        let bytes = query.bytes();
        if bytes > MOST_BYTES {
            return;
        }
        if self.young.queries.len() == MOST || self.young.bytes + bytes > MOST_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += bytes;
        if let Some(stale) = self.young.queries.insert(hash, query) {
            self.young.bytes -= stale.bytes();
        }
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
    let found = CACHE.with_borrow_mut(|cache| {
        let last = cache.last(text.as_bytes());
        last.or_else(|| cache.find(cache.hash(text.as_bytes()), text.as_bytes()))
    });
    if let Some(found) = found {
        return Ok(found);
    }
    memory::check();
    let query = Rc::new(read(text)?);
    CACHE.with_borrow_mut(|cache| {
        let hash = cache.hash(text.as_bytes());
        if cache.is_frequent(hash) {
            cache.keep(hash, query.clone());
        }
        cache.last = Some(query.clone());
    });
    Ok(query)
}

/// What a document is asked by.
pub enum Answer {
    Prepared(Rc<ParsedQuery>),
    /// The answer of a query that is seldom asked for, and simple.
    Answered(bool),
}

/// Asks a document a query that was stored.
pub fn ask(query: &[u8], document: Jsonb<'_>) -> Result<Answer> {
    let (hash, found, is_frequent) = CACHE.with_borrow_mut(|cache| {
        let hash = cache.hash(query);
        let found = cache.find(hash, query);
        let is_frequent = found.is_none() && cache.is_frequent(hash);
        (hash, found, is_frequent)
    });
    if let Some(found) = found {
        return Ok(Answer::Prepared(found));
    }
    let text = String::from_utf8_lossy(query);
    if is_frequent {
        memory::check();
        let query = Rc::new(ParsedQuery::stored(&text)?);
        CACHE.with_borrow_mut(|cache| cache.keep(hash, query.clone()));
        return Ok(Answer::Prepared(query));
    }
    match matcher::ask(&text, instant(transaction_start()), document) {
        Some(answer) => Ok(Answer::Answered(answer)),
        None => find_or(&text, ParsedQuery::stored).map(Answer::Prepared),
    }
}

/// About how many bytes it takes to read a query: most for its clauses, and there is something between them that is no letter.
/// Reading ends where there are too many.
fn reading(query: &str) -> usize {
    let between = query.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    16 * query.len() + 512 * between.min(4 * syntax::MAX_LEAVES)
}

/// Reads a query, with `NOW` in microseconds since 2000-01-01.
pub fn read_at(query: &str, now: pg_sys::TimestampTz) -> Result<(Ast, predicate::Lowered)> {
    memory::afford(reading(query))?;
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
