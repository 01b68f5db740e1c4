//! Parsed queries, kept as long as there is room. Parsing, planning and running one statement need
//! its query several times, each of its rows needs it again, and the next statement may have the
//! same query.

use crate::document::Jsonb;
use crate::error::{Error, Result};
use crate::habits;
use crate::matcher::{self, Matcher, Scope};
use crate::memory;
use crate::predicate::{self, Predicate};
use crate::syntax::{self, Ast};
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use pgrx::pg_sys;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::hash::BuildHasher;
use std::rc::Rc;

/// A parsed query.
pub struct ParsedQuery {
    /// The query as it was written.
    pub text: Rc<str>,
    /// What it means.
    pub predicate: Rc<Predicate>,
    /// What its meaning is worth a notice for.
    meaning: Rc<[String]>,
    /// All that may be told to the client about it. It is made when somebody is told.
    notices: OnceCell<Rc<[String]>>,
    canonical: OnceCell<Rc<str>>,
    /// The value of `NOW`, if the query uses it.
    now: Option<pg_sys::TimestampTz>,
    /// Matches documents. It is made when the first document comes.
    matcher: OnceCell<Matcher>,
}

impl ParsedQuery {
    fn new(text: &str) -> Result<ParsedQuery> {
        let now = transaction_start();
        let (ast, lowered) = parse_at(text, now)?;
        let canonical = ast.to_string();
        let uses_now = may_use_now(canonical.as_bytes());
        Ok(ParsedQuery {
            canonical: OnceCell::from(Rc::from(canonical)),
            ..ParsedQuery::of(text, lowered, uses_now.then_some(now))
        })
    }

    /// Parses a stored query. Its text is in canonical form already, and few callers need that form
    /// again.
    fn stored(text: &str) -> Result<ParsedQuery> {
        let now = transaction_start();
        let (_, lowered) = parse_at(text, now)?;
        Ok(ParsedQuery::of(text, lowered, may_use_now(text.as_bytes()).then_some(now)))
    }

    fn of(
        text: &str,
        lowered: predicate::Lowered,
        now: Option<pg_sys::TimestampTz>,
    ) -> ParsedQuery {
        ParsedQuery {
            text: text.into(),
            predicate: lowered.predicate.into(),
            meaning: lowered.notices.into(),
            notices: OnceCell::new(),
            canonical: OnceCell::new(),
            now,
            matcher: OnceCell::new(),
        }
    }

    /// The canonical form, which parses to the same query.
    pub fn canonical(&self) -> Result<Rc<str>> {
        if let Some(canonical) = self.canonical.get() {
            return Ok(canonical.clone());
        }
        let (ast, _) = parse_at(&self.text, 0)?;
        Ok(self.canonical.get_or_init(|| ast.to_string().into()).clone())
    }

    /// The query as it means the same in any transaction: with the start of this one in place of `NOW`.
    pub fn at_now(&self) -> Result<Cow<'_, str>> {
        let Some(now) = self.now else { return Ok(Cow::Borrowed(&self.text)) };
        let (ast, _) = parse_at(&self.text, now)?;
        Ok(ast.at(instant(now)).to_string().into())
    }

    /// What to tell the client about the query: habits of other languages, and clauses that match
    /// nothing.
    pub fn notices(&self) -> Rc<[String]> {
        let all =
            || habits::advise(&self.text).notices.into_iter().chain(self.meaning.iter().cloned());
        self.notices.get_or_init(|| all().collect()).clone()
    }

    /// Whether the document matches the query.
    pub fn matches(&self, document: Jsonb<'_>) -> bool {
        self.matcher.get_or_init(|| Matcher::new(&self.predicate)).matches(document)
    }

    /// Whether this is what the text means in this transaction.
    pub fn is_for(&self, text: &[u8]) -> bool {
        self.text.as_bytes() == text && self.now.is_none_or(|now| now == transaction_start())
    }

    /// About how many bytes of memory it takes. Compiled patterns take by far the most.
    fn bytes(&self) -> usize {
        let patterns = self.predicate.tests().map(|test| test.pattern_memory());
        512 + 24 * self.text.len() + patterns.sum::<usize>()
    }
}

/// The hash of a query chooses one of 256 sets of 4 places each. More places would not help: a
/// query that is used only now and then has left the CPU caches, and parsing its text, which comes
/// with the row, takes less time than fetching it from memory.
const SETS: usize = 256;
const PLACES: usize = 4;
/// At most 16 MB of queries are kept, as `ParsedQuery::bytes` counts them.
const MAX_BYTES: usize = 16 << 20;
/// A query that is cheap to parse is kept after it was used so many times: keeping it costs time,
/// too.
const KEEP_AFTER: u8 = 32;
/// A query of more than 8 kB is costly to parse, and is kept at once.
const KEEP_AT_ONCE_BYTES: usize = 8 << 10;

/// Queries that are used often.
struct ParseCache {
    last: Option<Rc<ParsedQuery>>,
    sets: Vec<SmallVec<[CachedQuery; PLACES]>>,
    bytes: usize,
    hasher: RandomState,
    /// How often queries were used that are not kept, counted by hash. If two of them share a
    /// counter, one of them is kept too soon, which does no harm.
    request_counts: Vec<u8>,
}

struct CachedQuery {
    hash: u64,
    query: Rc<ParsedQuery>,
    /// Whether it was used since another query last wanted its place.
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

    /// Whether a query that is not kept has been used often enough to keep it. Counts this use.
    fn is_frequent(&mut self, hash: u64) -> bool {
        let place = hash as usize % self.request_counts.len();
        let times = &mut self.request_counts[place];
        *times = (*times + 1) % KEEP_AFTER;
        *times == 0
    }

    /// Whether there is a place for a query. If all places of its set were used lately, they are
    /// kept this time, and the next query may take one that was not used until then.
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

/// Parses a query. `NOW` in it is the start of the transaction, as everywhere in SQL.
pub fn parse_cached(text: &str) -> Result<Rc<ParsedQuery>> {
    find_or(text, ParsedQuery::new)
}

/// Parses a stored query, whose text the input function has checked.
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

/// How a query and a document were matched.
pub enum DocumentAnswer {
    /// The query is prepared, and can match any document.
    Prepared(Rc<ParsedQuery>),
    /// The answer for a simple query that is seldom used. It was not prepared for that.
    Answered(bool),
}

/// Matches a document with a simple stored query, which needs no preparation for that, and so takes
/// less time than to find the query in the cache. None for another query.
pub fn match_at_once(query: &[u8], document: Jsonb<'_>) -> Option<bool> {
    let text = std::str::from_utf8(query).ok()?;
    matcher::match_once(text, Scope::Comparisons, || instant(transaction_start()), document)
}

/// Matches a document with a stored query. A query that is repeated is prepared, if it was not yet.
pub fn match_document(
    query: &[u8],
    is_repeated: bool,
    document: Jsonb<'_>,
) -> Result<DocumentAnswer> {
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
    let answer = match is_wanted || is_repeated {
        true => None,
        false => {
            matcher::match_once(&text, Scope::Patterns, || instant(transaction_start()), document)
        }
    };
    if let Some(answer) = answer {
        return Ok(DocumentAnswer::Answered(answer));
    }
    memory::check();
    let query = Rc::new(ParsedQuery::stored(&text)?);
    PARSE_CACHE.with_borrow_mut(|cache| {
        // The caller of a repeated query keeps it.
        if is_wanted || !is_repeated && cache.has_room(hash) {
            cache.keep(hash, &query);
        }
    });
    Ok(DocumentAnswer::Prepared(query))
}

/// About how many bytes of memory parsing takes. Most are for the clauses. Two clauses have at
/// least one character between them that is no letter or digit, and parsing stops where there are
/// too many clauses.
fn estimate_parse_bytes(query: &str) -> usize {
    let between = query.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    16 * query.len() + 512 * between.min(4 * syntax::MAX_CONDITIONS)
}

/// Parses a query, with `NOW` in microseconds since 2000-01-01.
pub fn parse_at(query: &str, now: pg_sys::TimestampTz) -> Result<(Ast, predicate::Lowered)> {
    memory::afford(estimate_parse_bytes(query))?;
    let bad = |error| Error::Query { what: "query", text: query.to_string(), error };
    let ast = syntax::parse(query).map_err(|error| bad(habits::with_repairs(query, error)))?;
    let lowered = predicate::lower(&ast, instant(now)).map_err(bad)?;
    Ok((ast, lowered))
}

/// The instant of a PostgreSQL timestamp. Every such timestamp is within the range of `DateTime`.
pub fn instant(time: pg_sys::TimestampTz) -> DateTime<Utc> {
    /// Microseconds from 1970-01-01 to 2000-01-01 (timestamp.h).
    const EPOCH_DIFFERENCE: i64 = 946_684_800_000_000;
    DateTime::from_timestamp_micros(time.saturating_add(EPOCH_DIFFERENCE)).unwrap_or_default()
}

/// What `NOW` means: the start of the transaction.
pub fn now() -> DateTime<Utc> {
    instant(transaction_start())
}

/// The start of the transaction, in microseconds since 2000-01-01.
pub fn transaction_start() -> pg_sys::TimestampTz {
    // SAFETY: reads a variable of the running transaction (xact.c).
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

/// Whether the meaning of a query, given in canonical form, may depend on the time.
pub fn may_use_now(canonical: &[u8]) -> bool {
    memchr::memmem::find(canonical, b"NOW").is_some()
}
