//! A facet by intervals of numbers or instants.

use super::answer::add_inner;
use super::json::number;
use super::request::Facets;
use super::room::{BUCKET, Room};
use super::sum::Sum;
use crate::document::Decimal;
use crate::error::Error;
use crate::executor::{Domain, Edge, ReadResult, ValueSource};
use crate::predicate::{Predicate, Test, evaluate_date_math};
use crate::syntax::DateMath;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// Buckets that a facet has at most.
const MAX_BUCKETS: usize = 100_000;

/// A facet by intervals.
#[derive(Debug)]
pub struct RangeFacet {
    pub(super) path: String,
    buckets: Vec<RangeBucket>,
    /// The edges of the buckets, if each begins with its own and ends before the next.
    pub(super) edges: Option<Vec<Edge>>,
    /// The buckets beside them: `before`, `after`, `between`.
    others: Vec<(&'static str, RangeBucket)>,
    pub(super) mincount: u64,
    pub(super) inner: Facets,
}

#[derive(Debug)]
struct RangeBucket {
    label: Value,
    predicate: Predicate,
}

/// What is wrong with a facet: with which option, and what; or which option is not supported.
pub(super) struct RangeError {
    option: &'static str,
    problem: String,
    kind: ErrorKind,
}

enum ErrorKind {
    Wrong,
    TooLarge,
}

impl RangeError {
    fn wrong(option: &'static str, problem: String) -> RangeError {
        RangeError { option, problem, kind: ErrorKind::Wrong }
    }

    /// The error, at a place of the request.
    pub(super) fn at(self, place: &str) -> Error {
        let RangeError { option, problem, kind } = self;
        let place = format!("{place}.{option}");
        match kind {
            ErrorKind::Wrong => Error::Request { place, problem },
            ErrorKind::TooLarge => {
                Error::RequestTooLarge { problem: format!("{place}: {problem}") }
            }
        }
    }
}

fn read_edge(
    option: &'static str,
    text: &str,
    now: DateTime<Utc>,
) -> std::result::Result<Edge, RangeError> {
    if let Some(number) = Decimal::parse(text) {
        return Ok(Edge::Number(number));
    }
    let math = DateMath::parse(text).ok_or_else(|| {
        let problem = format!("\"{text}\" is neither a number nor an instant or date math");
        RangeError::wrong(option, problem)
    })?;
    Ok(Edge::Instant(evaluate_date_math(&math, now).first))
}

fn label(edge: &Edge) -> Value {
    match edge {
        Edge::Number(decimal) => number(&decimal.to_string()),
        Edge::Instant(instant) => {
            Value::String(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        }
    }
}

/// What is added to an end to reach the next one.
enum Gap {
    Number(Decimal),
    Steps(DateMath),
}

impl Gap {
    fn read(text: &str, start: &Edge) -> std::result::Result<Gap, RangeError> {
        let wrong = |problem: String| RangeError::wrong("gap", problem);
        match start {
            Edge::Number(_) => Decimal::parse(text)
                .map(Gap::Number)
                .ok_or_else(|| wrong(format!("\"{text}\" is no number"))),
            Edge::Instant(_) => match DateMath::parse(&format!("NOW{text}")) {
                Some(math) if !math.steps.is_empty() => Ok(Gap::Steps(math)),
                _ => Err(wrong(format!("\"{text}\" is no date math such as \"+1DAY\""))),
            },
        }
    }

    fn add(&self, edge: &Edge) -> Option<Edge> {
        match (self, edge) {
            (Gap::Number(gap), Edge::Number(number)) => {
                Some(Edge::Number(Sum::of_steps(number, gap, 1)))
            }
            (Gap::Steps(math), Edge::Instant(instant)) => {
                Some(Edge::Instant(evaluate_date_math(math, *instant).first))
            }
            _ => None,
        }
    }

    /// Whether there are more intervals of numbers than a facet may have. It is told before any is
    /// made, since the edges of a tiny gap have many digits.
    fn is_too_small(&self, start: &Edge, end: &Edge) -> bool {
        match (self, start, end) {
            (Gap::Number(gap), Edge::Number(start), Edge::Number(end)) => {
                *gap > Decimal::from_i64(0) && Sum::of_steps(start, gap, MAX_BUCKETS as u64) < *end
            }
            _ => false,
        }
    }
}

/// Which ends belong to the intervals (FacetParams.FacetRangeInclude).
#[derive(Default)]
struct Include {
    lower: bool,
    upper: bool,
    edge: bool,
    outer: bool,
}

impl Include {
    fn read(words: &[String]) -> std::result::Result<Include, RangeError> {
        let mut include = Include { lower: words.is_empty(), ..Include::default() };
        for word in words {
            match word.to_ascii_lowercase().as_str() {
                "lower" => include.lower = true,
                "upper" => include.upper = true,
                "edge" => include.edge = true,
                "outer" => include.outer = true,
                "all" => include = Include { lower: true, upper: true, edge: true, outer: true },
                _ => {
                    let problem =
                        format!("expected lower, upper, edge, outer or all, found \"{word}\"");
                    return Err(RangeError::wrong("include", problem));
                }
            }
        }
        Ok(include)
    }
}

impl RangeFacet {
    /// The facet over a path. `edges`: start, end and gap.
    pub(super) fn new(
        path: &str,
        [start, end, gap]: [String; 3],
        hardend: bool,
        include: &[String],
        other: &[String],
        now: DateTime<Utc>,
    ) -> std::result::Result<RangeFacet, RangeError> {
        let (start, end) = (read_edge("start", &start, now)?, read_edge("end", &end, now)?);
        if matches!(start, Edge::Number(_)) != matches!(end, Edge::Number(_)) {
            let problem = "start and end are not both numbers or both instants".to_string();
            return Err(RangeError::wrong("end", problem));
        }
        let gap = Gap::read(&gap, &start)?;
        let include = Include::read(include)?;
        let bucket = |label: Value, low: Option<(&Edge, bool)>, high: Option<(&Edge, bool)>| {
            let limit = |end: Option<(&Edge, bool)>| end.map(|(edge, inside)| edge.limit(inside));
            let test = Test::Range { lower: limit(low), upper: limit(high) };
            let predicate = Predicate::Condition { path: Some(path.to_string()), test };
            RangeBucket { label, predicate }
        };
        let is_half_open = include.lower && !include.upper && !include.edge;
        let too_many = || {
            let problem = format!("there would be more than {MAX_BUCKETS} buckets");
            RangeError { option: "gap", problem, kind: ErrorKind::TooLarge }
        };
        if gap.is_too_small(&start, &end) {
            return Err(too_many());
        }
        let mut edges = vec![start.clone()];
        let (mut buckets, mut low, mut last) = (Vec::new(), start.clone(), end.clone());
        while low < end {
            crate::interrupts::check();
            let mut high = gap.add(&low).filter(|high| *high > low).ok_or_else(|| {
                let problem = "it is not above 0, or too small beside start and end".to_string();
                RangeError::wrong("gap", problem)
            })?;
            if end < high {
                match hardend {
                    true => high = end.clone(),
                    false => last = high.clone(),
                }
            }
            let lower = include.lower || include.edge && low == start;
            let upper = include.upper || include.edge && high == end;
            buckets.push(bucket(label(&low), Some((&low, lower)), Some((&high, upper))));
            if buckets.len() > MAX_BUCKETS {
                return Err(too_many());
            }
            edges.push(high.clone());
            low = high;
        }
        // FacetRangeProcessor: buildBeforeRange, buildAfterRange, buildBetweenRange
        let before = || {
            let upper = include.outer || !(include.lower || include.edge);
            bucket(json!("before"), None, Some((&start, upper)))
        };
        let after = || {
            let lower = include.outer || !(include.upper || include.edge);
            bucket(json!("after"), Some((&last, lower)), None)
        };
        let between = || {
            let (lower, upper) = (include.lower || include.edge, include.upper || include.edge);
            bucket(json!("between"), Some((&start, lower)), Some((&last, upper)))
        };
        let mut others = Vec::new();
        let words: Vec<String> = other.iter().map(|word| word.to_ascii_lowercase()).collect();
        for word in &words {
            if !["before", "after", "between", "all", "none"].contains(&word.as_str()) {
                let problem =
                    format!("expected before, after, between, all or none, found \"{word}\"");
                return Err(RangeError::wrong("other", problem));
            }
        }
        let wants = |name: &str| words.iter().any(|word| word == name || word == "all");
        // "no matter what other values are listed, we don't do anything if none is specified"
        if !words.iter().any(|word| word == "none") {
            others.extend(wants("before").then(|| ("before", before())));
            others.extend(wants("after").then(|| ("after", after())));
            others.extend(wants("between").then(|| ("between", between())));
        }
        let (path, edges) = (path.to_string(), is_half_open.then_some(edges));
        Ok(RangeFacet { path, buckets, edges, others, mincount: 0, inner: Facets::default() })
    }

    /// How many intervals there are, without those beside them.
    pub(super) fn intervals(&self) -> usize {
        self.buckets.len()
    }

    pub(super) fn predicates(&self) -> impl Iterator<Item = &Predicate> {
        let others = self.others.iter().map(|(_, bucket)| bucket);
        self.buckets.iter().chain(others).map(|bucket| &bucket.predicate)
    }

    /// The answer, over some documents.
    pub(super) fn answer(
        &self,
        source: &mut dyn ValueSource,
        within: &Domain,
        room: &mut Room,
    ) -> ReadResult<Value> {
        let mut answer = Map::new();
        let mut buckets = Vec::new();
        let counts = match &self.edges {
            Some(edges) if self.inner.is_empty() => {
                source.counts_between(&self.path, edges, within)?
            }
            _ => Vec::new(),
        };
        for (number, bucket) in self.buckets.iter().enumerate() {
            let (count, mut members) = match counts.get(number) {
                Some(count) => (*count, Map::from_iter([("count".to_string(), json!(count))])),
                None => self.bucket(source, &bucket.predicate, within, self.mincount, room)?,
            };
            if count >= self.mincount {
                room.take(BUCKET)?;
                members.insert("val".to_string(), bucket.label.clone());
                buckets.push(Value::Object(members));
            }
        }
        answer.insert("buckets".to_string(), Value::Array(buckets));
        // "we don't skip these buckets based on mincount"
        for (name, bucket) in &self.others {
            let (_, members) = self.bucket(source, &bucket.predicate, within, 0, room)?;
            answer.insert(name.to_string(), Value::Object(members));
        }
        Ok(Value::Object(answer))
    }

    /// A bucket with its count; and with what is asked of each, if it has so many documents.
    fn bucket(
        &self,
        source: &mut dyn ValueSource,
        predicate: &Predicate,
        within: &Domain,
        mincount: u64,
        room: &mut Room,
    ) -> ReadResult<(u64, Map<String, Value>)> {
        crate::memory::check();
        let mut members = Map::new();
        let count = match self.inner.is_empty() {
            true => source.count(predicate, within)?,
            false => {
                let rows = source.matching(predicate, within)?;
                if !rows.is_empty() && rows.len() >= mincount {
                    add_inner(source, &self.inner, &rows, room, &mut members)?;
                }
                rows.len()
            }
        };
        members.insert("count".to_string(), json!(count));
        Ok((count, members))
    }
}
