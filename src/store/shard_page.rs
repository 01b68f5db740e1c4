//! What one shard of a distributed table answers: how many rows match, and a window of them. The
//! coordinator (shards.rs) asks each shard for it, in one statement that Citus sends to all of them.
//!
//! The answer is an array of texts ([`HEAD`]), then the documents. The documents are JSON, which
//! only those that come into the merged window are read from: most of them do not.

use super::catalog::Operator;
use super::matches::{Matches, TOO_MANY_ROWS};
use super::search::{self, StoreQuery};
use super::select::Window;
use super::table;
use crate::document::{self, Jsonb, MAX_JSONB_BYTES, Projection, extreme};
use crate::error::{Error, Result};
use crate::executor::{self, SortValues};
use crate::index::gin::Tid;
use crate::memory;
use crate::pg::spi::Spi;
use crate::syntax::SortKey;
use pgrx::pg_sys;
use std::collections::HashMap;

/// What separates the sort keys of a row, and the rows.
pub const BETWEEN_KEYS: char = ',';
pub const BETWEEN_ROWS: char = ';';
/// The sort key of a row without a value.
pub const NO_KEY: &str = "-";

/// What stands before the documents: the name of the shard, the number of matches, the sort keys of
/// the window's rows, where these are if no documents are sent and the index knows, which sort keys no
/// document has, and why the planner was asked, or null.
pub const HEAD: usize = 6;

/// Rows by their places, as [`place`] has them: of each shard, and none of those that are not named.
pub type Places = HashMap<String, Vec<u64>>;

/// The place of a row as one number.
fn place(tid: Tid) -> u64 {
    u64::from(tid.block) << u16::BITS | u64::from(tid.offset)
}

fn tid(place: u64) -> Option<Tid> {
    let (block, offset) = (place >> u16::BITS, place as u16);
    Some(Tid { block: block.try_into().ok()?, offset })
}

/// The span of each shard: `{"name": [start, rows, step]}`. `*` stands for all others.
pub type Spans = HashMap<String, (u64, u64, u64)>;
pub const ALL_SHARDS: &str = "*";

/// The matches of one shard that are asked for: of `rows` from `start` on, every `step`-th.
#[derive(Clone, Copy)]
pub struct Span {
    pub start: u64,
    pub rows: u64,
    pub step: u64,
}

impl Span {
    /// That of a shard.
    pub fn of(spans: &Spans, shard: &str) -> Span {
        let span = spans.get(shard).or_else(|| spans.get(ALL_SHARDS));
        let &(start, rows, step) = span.unwrap_or(&(0, 0, 1));
        Span { start, rows, step }
    }

    pub fn numbers(self) -> (u64, u64, u64) {
        (self.start, self.rows, self.step)
    }
}

/// What a shard is asked: `[query, sort, fields, spans, bytes, places]`. It is one text, because a
/// statement of one constant is sooner written, read and planned than one of six. Documents are sent
/// until they have `bytes` bytes together, if every row is asked for; the sort keys of all rows of the
/// span are. If places are not null, only the matches there are of interest, and nothing is counted.
type Asked = (String, Option<String>, Option<String>, Spans, i64, Option<Places>);

/// The answer of a table to a query.
pub fn page(shard: pg_sys::Oid, asked: &str) -> Result<Vec<Option<String>>> {
    let asked: Asked = serde_json::from_str(asked).map_err(|_| Error::Request {
        place: "asked".to_string(),
        problem: "expected [query, sort, fields, spans, bytes, places] in JSON".to_string(),
    })?;
    let (query, sort, fl, spans, bytes, places) = asked;
    let search = StoreQuery::parse(&query)?;
    let sort = search::parse_sort(sort.as_deref())?;
    let fields = search::parse_fields(fl.as_deref())?;
    let (name, table) = table::of_oid(shard)?;
    let span = Span::of(&spans, name.as_str());
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let window = Window::new(number(span.start), Some(number(span.rows)))?;
    Spi::connect(|spi| {
        let operator = Operator::find()?;
        let matches =
            Matches { spi, table: &table, operator, search: &search, sort: &sort, window };
        let mut page =
            Page { fields: fields.as_ref(), sort: &sort, left: bytes, ..Page::default() };
        // This checks the privileges of the user, and the planner does where it refuses.
        let parts = executor::indexed_tables(shard, operator.oid);
        if let Some(places) = places {
            if let (Ok([part]), Some(places)) = (parts.as_deref(), places.get(name.as_str())) {
                let rows = places.iter().copied().filter_map(tid);
                executor::each_matching(part, &search.predicate, rows, &mut |doc| {
                    page.take(doc).map(drop)
                })?;
            }
            return Ok(page.answer(name.as_str(), 0, String::new(), None));
        }
        let by_index = match &parts {
            Ok(parts) if bytes > 0 && span.step <= 1 => {
                matches.by_index(parts, &mut |doc| page.take(doc))?.map(|(count, _)| count)
            }
            Ok(parts) => {
                let is_one = parts.len() == 1;
                matches.keys_by_index(parts, span.step, &mut |values, tid| {
                    page.add_keys(values)?;
                    if is_one {
                        page.add_place(tid)?;
                    }
                    Ok(())
                })?
            }
            Err(_) => None,
        };
        let (count, planner) = match by_index {
            Some(count) => (count, None),
            None => {
                let obstacle = parts.as_ref().err().map(ToString::to_string);
                let mut rows = 0..;
                let mut is_asked =
                    || rows.next().is_some_and(|row: u64| row.is_multiple_of(span.step.max(1)));
                let count = matches.by_planner(&mut |doc| Ok(!is_asked() || page.take(doc)?))?;
                (count, Some(obstacle.unwrap_or_else(|| TOO_MANY_ROWS.to_string())))
            }
        };
        let mut lacks = String::new();
        if let Ok(parts) = &parts {
            for (key, has_value) in sort.iter().take(search::NAMED).zip(page.has_value) {
                let lacks_path = !has_value && executor::lacks_path(parts, &key.path)?;
                lacks.push(if lacks_path { '1' } else { '0' });
            }
        }
        Ok(page.answer(name.as_str(), count, lacks, planner))
    })
}

/// The window, as far as it was read.
#[derive(Default)]
struct Page<'p> {
    fields: Option<&'p Projection>,
    sort: &'p [SortKey],
    documents: Vec<String>,
    /// How many bytes the documents have as jsonb.
    bytes: usize,
    keys: String,
    places: String,
    /// Whether some row has a value for each of the first sort keys.
    has_value: [bool; search::NAMED],
    /// How many bytes of documents may still be sent.
    left: i64,
}

impl Page<'_> {
    /// See [`HEAD`].
    fn answer(
        self,
        name: &str,
        count: u64,
        lacks: String,
        planner: Option<String>,
    ) -> Vec<Option<String>> {
        let (name, count) = (name.to_string(), count.to_string());
        let texts = [name, count, self.keys, self.places, lacks].map(Some);
        let head: [_; HEAD - 1] = texts;
        head.into_iter().chain([planner]).chain(self.documents.into_iter().map(Some)).collect()
    }

    fn add_place(&mut self, tid: Tid) -> Result<()> {
        let (place, room) = (place(tid).to_string(), u64::BITS as usize);
        memory::try_reserve(self.places.len() + room, || self.places.try_reserve(room))?;
        if !self.places.is_empty() {
            self.places.push(BETWEEN_ROWS);
        }
        self.places.push_str(&place);
        Ok(())
    }

    fn take(&mut self, doc: Jsonb<'_>) -> Result<bool> {
        memory::check();
        let value = |key: &SortKey| extreme(doc, &key.path, key.largest, &mut Default::default());
        self.add_keys(&self.sort.iter().map(value).collect())?;
        if self.left > 0 {
            let part = self.fields.map(|fields| fields.apply(doc)).transpose()?;
            let bytes = part.as_deref().unwrap_or(doc.bytes());
            self.left -= bytes.len() as i64;
            self.bytes += bytes.len();
            // All of them are to become one jsonb.
            if self.bytes > MAX_JSONB_BYTES {
                return Err(Error::AnswerTooLarge { most: MAX_JSONB_BYTES });
            }
            // SAFETY: it is the payload of a stored document, or of a part of one.
            self.documents.push(unsafe { document::json_text(bytes)? });
        }
        Ok(self.left > 0 || !self.sort.is_empty())
    }

    /// Bytes as hexadecimal digits have the same order as the bytes.
    fn add_keys(&mut self, values: &SortValues) -> Result<()> {
        memory::check();
        for (at, value) in values.iter().enumerate() {
            if !self.keys.is_empty() {
                self.keys.push(if at == 0 { BETWEEN_ROWS } else { BETWEEN_KEYS });
            }
            let Some(value) = value else {
                self.keys.push_str(NO_KEY);
                continue;
            };
            if let Some(has_value) = self.has_value.get_mut(at) {
                *has_value = true;
            }
            let room = 2 * value.len() + 2;
            memory::try_reserve(self.keys.len() + room, || self.keys.try_reserve(room))?;
            let digit = |digit: u8| char::from(if digit < 10 { b'0' } else { b'a' - 10 } + digit);
            let digits = value.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
            self.keys.extend(digits);
        }
        Ok(())
    }
}
