//! Queries made ready, kept for as long as there is room: reading, planning and running one statement ask for a query several times,
//! its rows ask again, or each for another of some, and the next statement may ask for the next rows of it.

use crate::document::Jsonb;
use crate::error::{Error, Result};
use crate::lucene::{self, Ast};
use crate::memory;
use crate::predicate::{self, Matcher, Predicate, Test};
use chrono::DateTime;
use pgrx::pg_sys;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// A query as it was read.
pub struct Understood {
    /// As it was written.
    pub text: Rc<str>,
    pub predicate: Rc<Predicate>,
    pub notices: Rc<[String]>,
    canonical: OnceCell<Rc<str>>,
    /// What `NOW` is, if the query speaks of it.
    now: Option<pg_sys::TimestampTz>,
    /// Whether a document was asked, and what the next ones are asked by.
    was_asked: Cell<bool>,
    matcher: OnceCell<Matcher>,
}

impl Understood {
    fn new(text: &str) -> Result<Understood> {
        let now = transaction_start();
        let (ast, lowered) = read_at(text, now)?;
        let canonical = ast.to_string();
        let speaks_of_now = speaks_of_now(&canonical);
        Ok(Understood {
            canonical: OnceCell::from(Rc::from(canonical)),
            ..Understood::of(text, lowered, speaks_of_now.then_some(now))
        })
    }

    /// Of a query that was stored, and so had its canonical form when it was. Few ask for it again.
    fn stored(text: &str) -> Result<Understood> {
        let now = transaction_start();
        let (_, lowered) = read_at(text, now)?;
        Ok(Understood::of(text, lowered, speaks_of_now(text).then_some(now)))
    }

    fn of(text: &str, lowered: predicate::Lowered, now: Option<pg_sys::TimestampTz>) -> Understood {
        Understood {
            text: text.into(),
            predicate: lowered.predicate.into(),
            notices: lowered.notices.into(),
            canonical: OnceCell::new(),
            now,
            was_asked: Cell::new(false),
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

    /// Whether the document meets the query. Where each row has a query of its own, most are asked once.
    pub fn matches(&self, document: Jsonb<'_>) -> bool {
        if self.matcher.get().is_none()
            && !self.was_asked.replace(true)
            && self.predicate.is_small()
        {
            return self.predicate.matches_once(document);
        }
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
                Predicate::Leaf { test, .. } => match test {
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
const MOST: usize = 1 << 10;
const MOST_BYTES: usize = 8 << 20;

/// The queries asked for of late: when the young ones are as many as may be, they become the old ones, and those before them go.
#[derive(Default)]
struct Cache {
    last: Option<Rc<Understood>>,
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    queries: HashMap<Rc<str>, Rc<Understood>>,
    bytes: usize,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

impl Cache {
    fn find(&mut self, text: &str) -> Option<Rc<Understood>> {
        let is_right = |found: &&Rc<Understood>| found.is_for(text.as_bytes());
        if let Some(last) = self.last.as_ref().filter(is_right) {
            return Some(last.clone());
        }
        if let Some(young) = self.young.queries.get(text).filter(is_right) {
            return Some(self.last.insert(young.clone()).clone());
        }
        let old = self.old.queries.remove(text)?;
        let old = Some(old).filter(|old| is_right(&old))?;
        self.keep(old.clone());
        Some(old)
    }

    fn keep(&mut self, query: Rc<Understood>) {
        self.last = Some(query.clone());
        let bytes = query.bytes();
        if bytes > MOST_BYTES {
            return;
        }
        if self.young.queries.len() == MOST || self.young.bytes + bytes > MOST_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += bytes;
        if let Some(stale) = self.young.queries.insert(query.text.clone(), query) {
            self.young.bytes -= stale.bytes();
        }
    }
}

/// Reads a query; `NOW` in it is the start of the transaction, as everywhere in SQL.
pub fn understand(text: &str) -> Result<Rc<Understood>> {
    find_or(text, Understood::new)
}

/// The same of a query that was stored, which its input function made sure of.
pub fn understand_stored(query: &[u8]) -> Result<Rc<Understood>> {
    find_or(&String::from_utf8_lossy(query), Understood::stored)
}

fn find_or(text: &str, read: impl Fn(&str) -> Result<Understood>) -> Result<Rc<Understood>> {
    if let Some(found) = CACHE.with_borrow_mut(|cache| cache.find(text)) {
        return Ok(found);
    }
    memory::check();
    let query = Rc::new(read(text)?);
    CACHE.with_borrow_mut(|cache| cache.keep(query.clone()));
    Ok(query)
}

/// About how many bytes it takes to read a query: most for its clauses, and there is something between them that is no letter.
/// Reading ends where there are too many.
fn reading(query: &str) -> usize {
    let between = query.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    16 * query.len() + 512 * between.min(4 * lucene::MAX_LEAVES)
}

/// Reads a query, with `NOW` in microseconds since 2000-01-01.
pub fn read_at(query: &str, now: pg_sys::TimestampTz) -> Result<(Ast, predicate::Lowered)> {
    /// timestamp.h: 2000-01-01 less 1970-01-01.
    const EPOCH_DIFFERENCE: i64 = 946_684_800_000_000;
    memory::afford(reading(query))?;
    let bad = |error| Error::Query { what: "query", text: query.to_string(), error };
    let ast = lucene::parse(query).map_err(bad)?;
    // All timestamps of the server's are in the calendar.
    let now =
        DateTime::from_timestamp_micros(now.saturating_add(EPOCH_DIFFERENCE)).unwrap_or_default();
    let lowered = predicate::lower(&ast, now).map_err(bad)?;
    Ok((ast, lowered))
}

/// Microseconds since 2000-01-01.
fn transaction_start() -> pg_sys::TimestampTz {
    // SAFETY: reads a variable of the running transaction (xact.c).
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

/// Whether what a query in its canonical form means may depend on the time.
fn speaks_of_now(canonical: &str) -> bool {
    memchr::memmem::find(canonical.as_bytes(), b"NOW").is_some()
}
