//! session_stats and session_histogram.

use super::calendar::{Calendar, Starts, to_timestamp};
use super::catalog::{Operator, Store};
use super::facets::Target;
use super::search::StoreQuery;
use crate::document::Decimal;
use crate::error::{Error, Result};
use crate::executor::{Edge, Instants, MILLISECONDS, ValueSource};
use crate::facet::{self, Asked, Statistic};
use crate::habits::excerpt;
use crate::index::parse_cache;
use crate::pg::spi::Spi;
use crate::predicate::evaluate_date_math;
use crate::syntax::{DateMath, date_math_hint};
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
        let table = &store.source(spi, &search.predicate)?;
        work(&Target { spi, table, operator, search: &search })
    })
}

/// The ends of a histogram as the caller gave them.
fn end_of(what: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = text else { return Ok(None) };
    let math = DateMath::parse(text.trim()).or_else(|| DateMath::year(text.trim()));
    let Some(math) = math else {
        return Err(Error::NoInstant {
            place: what.to_string(),
            text: excerpt(text).to_string(),
            hint: date_math_hint(text.trim()),
        });
    };
    let instant = evaluate_date_math(&math, parse_cache::now()).first;
    let (first, last) = MILLISECONDS;
    if !(first..last).contains(&instant.timestamp_millis()) {
        let problem = format!("\"{}\" is not within the range of timestamps", excerpt(text));
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
        let calendar = Calendar::read(target.spi, step, zone)?;
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
        let edges = |instants: Instants| -> Result<(Starts, Vec<Edge>)> {
            let first = since.or(instants.map(|(first, _)| first));
            let last = until.and_then(before).or(instants.map(|(_, last)| last));
            let (Some(first), Some(last)) = (first, last) else { return Ok(Default::default()) };
            if first > last {
                return Ok(Default::default());
            }
            let labels = calendar.edges(target.spi, first, last)?;
            let mut edges = labels.to_vec();
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
        let edge = (numeric(&first)? / step.clone()).floor() * step.clone();
        let mut start = decimal("step", &edge)?;
        // A quotient has so many digits, and may have been rounded up to the next number.
        if start > first {
            start = decimal("step", &(edge - step))?;
        }
        let mut labels = facet::number_edges(start, &last, &width)?;
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
