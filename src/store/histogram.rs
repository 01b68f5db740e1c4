//! session_stats and session_histogram.

use super::catalog::{Operator, Store};
use super::facets::Target;
use super::search::StoreQuery;
use crate::document::Decimal;
use crate::error::{Error, Result};
use crate::executor::{Edge, Instants, MILLISECONDS, ValueSource};
use crate::facet::{self, Asked, MAX_BUCKETS, Statistic};
use crate::index::parse_cache;
use crate::pg::guc::{NO_JIT, with_gucs};
use crate::pg::spi::{Mode, Spi};
use crate::predicate::evaluate_date_math;
use crate::syntax::DateMath;
use chrono::{DateTime, Utc};
use pgrx::AnyNumeric;
use pgrx::datum::TimestampWithTimeZone;
use serde_json::Value;

/// The statistics of the values at a path.
pub fn stats(store: &str, query: &str, path: &str, percentiles: &[f64]) -> Result<Value> {
    if let Some(wrong) = percentiles.iter().find(|p| !(0.0..=100.0).contains(*p)) {
        let problem = format!("a percentile is a number from 0 to 100, not {wrong}");
        return Err(Error::Request { place: "percentiles".to_string(), problem });
    }
    Statistic::check_percentiles(percentiles.len(), "percentiles")?;
    with_target(store, query, |target| {
        target.with_facets(path, &facet::request_summary(path), &mut |source| {
            facet::summary(source, path, percentiles)
        })
    })
}

/// Does some work with a query's matches.
fn with_target<T>(
    store: &str,
    query: &str,
    work: impl FnOnce(&Target<'_>) -> Result<T>,
) -> Result<T> {
    let search = StoreQuery::parse(query)?;
    search.notify();
    Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        work(&Target { spi, table: &store.source(), operator, search: &search })
    })
}

/// The ends of a histogram as the caller gave them.
fn end_of(what: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = text else { return Ok(None) };
    let math = DateMath::parse(text.trim()).or_else(|| DateMath::year(text.trim()));
    let Some(math) = math else {
        let problem = format!("\"{text}\" is no instant and no date math");
        return Err(Error::Request { place: what.to_string(), problem });
    };
    let instant = evaluate_date_math(&math, parse_cache::now()).first;
    let (first, last) = MILLISECONDS;
    if !(first..last).contains(&instant.timestamp_millis()) {
        let problem = format!("\"{text}\" is not within the range of timestamps");
        return Err(Error::Request { place: what.to_string(), problem });
    }
    Ok(Some(instant))
}

/// How many documents have an instant at a path in each unit of the calendar of a zone.
pub fn by_time(
    store: &str,
    query: &str,
    path: &str,
    (step, zone): (&str, &str),
    (since, until): (Option<&str>, Option<&str>),
) -> Result<Vec<(TimestampWithTimeZone, i64)>> {
    let (since, until) = (end_of("since", since)?, end_of("until", until)?);
    if since.zip(until).is_some_and(|(since, until)| since >= until) {
        return Ok(Vec::new());
    }
    with_target(store, query, |target| {
        let unit = Unit::read(target.spi, step)?;
        // The first instant and the last one, where they matter.
        let ends = |source: &mut dyn ValueSource| match (since, until) {
            (Some(_), Some(_)) => Ok(None),
            _ => {
                let matches = source.matches();
                source.instants(path, &matches)
            }
        };
        // The starts of the intervals, and their edges: the first interval begins at `since`, and
        // the last one ends at `until`.
        let edges = |instants: Instants| -> Result<(Vec<DateTime<Utc>>, Vec<Edge>)> {
            let first = since.or(instants.map(|(first, _)| first));
            let last = until.and_then(before).or(instants.map(|(_, last)| last));
            let (Some(first), Some(last)) = (first, last) else { return Ok(Default::default()) };
            if first > last {
                return Ok(Default::default());
            }
            let labels = unit.edges(target.spi, step, zone, first, last)?;
            let mut edges = labels.clone();
            if let (Some(edge), Some(since)) = (edges.first_mut(), since) {
                *edge = since.max(*edge);
            }
            if let (Some(edge), Some(until)) = (edges.last_mut(), until) {
                *edge = until.min(*edge);
            }
            Ok((labels, edges.into_iter().map(Edge::Instant).collect()))
        };
        let known = target.with_index(&mut |source| {
            let (labels, edges) = edges(ends(source)?)?;
            let matches = source.matches();
            let counts = source.counts_between(path, &edges, &matches)?;
            Ok((labels, counts))
        })?;
        let (labels, counts) = match known {
            Some(known) => known,
            // Other ways must know the edges before it reads the documents.
            None => {
                let instants =
                    target.with_values(&Asked::Ends { path }, &mut |source| ends(source))?;
                let (labels, edges) = edges(instants)?;
                (labels, target.counts_between(path, &edges)?)
            }
        };
        let bucket =
            |(label, count): (&DateTime<Utc>, u64)| Ok((to_timestamp(*label)?, count as i64));
        labels.iter().zip(counts).map(bucket).collect()
    })
}

/// The instant before another one: no document has a more exact one.
fn before(instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    instant.checked_sub_signed(chrono::TimeDelta::nanoseconds(1))
}

/// How the steps of a histogram lie in the calendar.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Months or years, counted from the year 0 on.
    Months,
    /// Days, or more than an hour: they begin at times of the zone's clocks.
    Days,
    /// An hour or less. Where a clock is set back, its hours come twice.
    Time,
}

/// A step of a histogram.
struct Unit {
    kind: Kind,
    /// About how long it is.
    seconds: f64,
}

impl Unit {
    fn read(spi: &Spi, step: &str) -> Result<Unit> {
        // Operators written so are all of one precedence.
        let sql = "
            SELECT pg_catalog.date_part('year', i) OPERATOR(pg_catalog.*) 12::pg_catalog.float8
                    OPERATOR(pg_catalog.+) pg_catalog.date_part('month', i),
                (pg_catalog.date_part('day', i) OPERATOR(pg_catalog.*) 86400::pg_catalog.float8)
                    OPERATOR(pg_catalog.+) (pg_catalog.date_part('hour', i) OPERATOR(pg_catalog.*) 3600::pg_catalog.float8)
                    OPERATOR(pg_catalog.+) (pg_catalog.date_part('minute', i) OPERATOR(pg_catalog.*) 60::pg_catalog.float8)
                    OPERATOR(pg_catalog.+) pg_catalog.date_part('second', i),
                pg_catalog.date_part('day', i)
            FROM (SELECT $1::pg_catalog.interval) AS _(i)";
        let rows = spi.run(Mode::Read, sql, &[step.into()])?;
        let number = |column| rows.get::<f64>(0, column).unwrap_or(0.0);
        let (months, seconds, days) = (number(1), number(2), number(3));
        let wrong = |problem: &str| {
            let problem = format!("\"{step}\" {problem}");
            Err(Error::Request { place: "step".to_string(), problem })
        };
        match (months, seconds) {
            (0.0, 0.0) => wrong("is no length of time"),
            (months, seconds) if months < 0.0 || seconds < 0.0 => wrong("is below zero"),
            (0.0, ..=3600.0) if days == 0.0 => Ok(Unit { kind: Kind::Time, seconds }),
            (0.0, _) => Ok(Unit { kind: Kind::Days, seconds }),
            (_, 0.0) => Ok(Unit { kind: Kind::Months, seconds: months * 2_629_746.0 }),
            _ => wrong("has both months and days or a time"),
        }
    }

    /// The edges of the intervals, from the one that holds the first instant to the end of the one
    /// that holds the last. PostgreSQL has the calendar and the zones.
    fn edges(
        &self,
        spi: &Spi,
        step: &str,
        zone: &str,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>> {
        // The server keeps what generate_series returns, so too many edges are refused before.
        if (last - first).as_seconds_f64() / self.seconds > MAX_BUCKETS as f64 {
            return Err(facet::too_many());
        }
        let sql = match self.kind {
            // The first month whose number is a multiple of those of a step.
            Kind::Months => "
                SELECT pg_catalog.timezone($2, edge.local) FROM (
                    SELECT pg_catalog.timezone($2, $3) AS local, pg_catalog.timezone($2, $4) AS last,
                        (pg_catalog.date_part('year', $1::pg_catalog.interval) OPERATOR(pg_catalog.*) 12::pg_catalog.float8
                            OPERATOR(pg_catalog.+) pg_catalog.date_part('month', $1::pg_catalog.interval))::pg_catalog.int4 AS months
                ) AS ends
                CROSS JOIN LATERAL (
                    SELECT (pg_catalog.date_part('year', ends.local) OPERATOR(pg_catalog.*) 12::pg_catalog.float8
                        OPERATOR(pg_catalog.+) pg_catalog.date_part('month', ends.local) OPERATOR(pg_catalog.-) 1::pg_catalog.float8)::pg_catalog.int4 AS month
                ) AS number
                CROSS JOIN LATERAL pg_catalog.generate_series(
                    pg_catalog.date_trunc('month', ends.local) OPERATOR(pg_catalog.-) pg_catalog.make_interval(months =>
                        ((number.month OPERATOR(pg_catalog.%) ends.months) OPERATOR(pg_catalog.+) ends.months) OPERATOR(pg_catalog.%) ends.months),
                    ends.last OPERATOR(pg_catalog.+) $1::pg_catalog.interval, $1::pg_catalog.interval) AS edge(local)",
            // 2001-01-01 was a Monday, so weeks begin on Mondays, as with date_trunc.
            Kind::Days => "
                SELECT pg_catalog.timezone($2, edge.local) FROM pg_catalog.generate_series(
                    pg_catalog.date_bin($1::pg_catalog.interval, pg_catalog.timezone($2, $3), '2001-01-01'::pg_catalog.timestamp),
                    pg_catalog.timezone($2, $4) OPERATOR(pg_catalog.+) $1::pg_catalog.interval OPERATOR(pg_catalog.+) '1 day'::pg_catalog.interval,
                    $1::pg_catalog.interval) AS edge(local)",
            // The clock's offset is that of the first instant.
            Kind::Time => "
                SELECT edge FROM pg_catalog.generate_series(
                    $3 OPERATOR(pg_catalog.-) (pg_catalog.timezone($2, $3) OPERATOR(pg_catalog.-) pg_catalog.date_bin(
                        $1::pg_catalog.interval, pg_catalog.timezone($2, $3), '2001-01-01'::pg_catalog.timestamp)),
                    $4 OPERATOR(pg_catalog.+) $1::pg_catalog.interval, $1::pg_catalog.interval) AS edge",
        };
        let (from, to) = (to_timestamp(first)?, to_timestamp(last)?);
        let parameters = [step.into(), zone.into(), from.into(), to.into()];
        let rows = with_gucs(&[NO_JIT], || spi.run(Mode::ReadInOrder, sql, &parameters))?;
        let mut edges: Vec<DateTime<Utc>> = Vec::new();
        for edge in rows.column::<TimestampWithTimeZone>() {
            let edge = from_timestamp(edge);
            // Where a clock is set forward, some of its times do not exist. Those before the first
            // instant are there because of a clock that was set back.
            if edges.last().is_none_or(|last| *last < edge) {
                edges.push(edge);
            }
        }
        let before = edges.partition_point(|edge| *edge <= first);
        edges.drain(..before.saturating_sub(1));
        let behind = edges.partition_point(|edge| *edge <= last);
        edges.truncate(behind + 1);
        if edges.len() > MAX_BUCKETS + 1 || edges.last().is_none_or(|edge| *edge <= last) {
            return Err(facet::too_many());
        }
        Ok(edges)
    }
}

/// Microseconds from 1970-01-01 to 2000-01-01 (timestamp.h).
const EPOCH_DIFFERENCE: i64 = 946_684_800_000_000;

/// The timestamp of an instant. What it has beyond microseconds is cut off.
fn to_timestamp(instant: DateTime<Utc>) -> Result<TimestampWithTimeZone> {
    let time = instant.timestamp_micros().saturating_sub(EPOCH_DIFFERENCE);
    TimestampWithTimeZone::try_from(time).map_err(|_| Error::Request {
        place: "path".to_string(),
        problem: "an instant is not within the range of timestamps".to_string(),
    })
}

fn from_timestamp(timestamp: TimestampWithTimeZone) -> DateTime<Utc> {
    let time = i64::from(timestamp);
    DateTime::from_timestamp_micros(time.saturating_add(EPOCH_DIFFERENCE)).unwrap_or_default()
}

/// How many documents have a number at a path in each interval of a length.
pub fn by_number(
    store: &str,
    query: &str,
    path: &str,
    step: AnyNumeric,
    (since, until): (Option<AnyNumeric>, Option<AnyNumeric>),
) -> Result<Vec<(AnyNumeric, i64)>> {
    let decimal = |what: &str, number: &AnyNumeric| {
        Decimal::parse(&number.to_string()).ok_or_else(|| Error::Request {
            place: what.to_string(),
            problem: format!("{number} is no finite number"),
        })
    };
    let width = decimal("step", &step)?;
    if width <= Decimal::from_i64(0) {
        let problem = format!("expected a number above 0, found {step}");
        return Err(Error::Request { place: "step".to_string(), problem });
    }
    let since_end = since.as_ref().map(|since| decimal("since", since)).transpose()?;
    let until_end = until.as_ref().map(|until| decimal("until", until)).transpose()?;
    with_target(store, query, |target| {
        let extremes = target.with_values(&Asked::Ends { path }, &mut |source| {
            let matches = source.matches();
            if since_end.is_some() && until_end.is_some() {
                return Ok(None);
            }
            facet::number_extremes(source, path, &matches)
        })?;
        let first = since_end.clone().or(extremes.as_ref().map(|(least, _)| least.clone()));
        let last = until_end.clone().or(extremes.map(|(_, greatest)| greatest));
        let (Some(first), Some(last)) = (first, last) else { return Ok(Vec::new()) };
        if first > last || until_end.is_some() && first == last {
            return Ok(Vec::new());
        }
        let numeric = |decimal: &Decimal| {
            decimal.to_string().parse::<AnyNumeric>().map_err(|_| Error::NumericOverflow)
        };
        // The greatest multiple of the step that is not above the first number.
        let edge = (numeric(&first)? / step.clone()).floor() * step;
        let mut labels = facet::number_edges(decimal("step", &edge)?, &last, &width)?;
        // An interval that begins at `until` has no number in it.
        if until_end.is_some() {
            let behind = labels.partition_point(|edge| *edge < last);
            labels.truncate(behind + 1);
        }
        let mut edges = labels.clone();
        if let (Some(edge), Some(since)) = (edges.first_mut(), since_end) {
            *edge = since.max(edge.clone());
        }
        if let (Some(edge), Some(until)) = (edges.last_mut(), until_end) {
            *edge = until.min(edge.clone());
        }
        let edges: Vec<Edge> = edges.into_iter().map(Edge::Number).collect();
        let counts = target.counts_between(path, &edges)?;
        let bucket = |(label, count): (&Decimal, u64)| Ok((numeric(label)?, count as i64));
        labels.iter().zip(counts).map(bucket).collect()
    })
}
