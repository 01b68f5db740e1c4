//! Where the intervals of a histogram begin and end. PostgreSQL has the calendar and the zones; what
//! it said is remembered, since to ask it takes longer than to count.

use crate::error::{Error, Result};
use crate::facet::{self, MAX_BUCKETS};
use crate::pg::guc::{self, NO_JIT, with_gucs};
use crate::pg::spi::{Mode, Spi};
use chrono::{DateTime, TimeDelta, Utc};
use pgrx::datum::TimestampWithTimeZone;
use std::cell::RefCell;
use std::rc::Rc;

/// Histograms whose edges are remembered, and how many edges one may have for that.
const MAX_KNOWN: usize = 16;
const MAX_EDGES: usize = 10_000;

/// Settings on which it depends how a step and a zone are read.
const READ_BY: [&std::ffi::CStr; 3] = [c"intervalstyle", c"timezone", c"timezone_abbreviations"];

thread_local! {
    /// What was asked for last comes first.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// Where intervals begin, and behind them where the last one ends.
pub(super) type Starts = Rc<Vec<DateTime<Utc>>>;

/// The steps of a histogram in the calendar of a zone.
pub(super) struct Calendar<'c> {
    step: &'c str,
    zone: &'c str,
    /// The settings under which it was read.
    settings: [Option<String>; READ_BY.len()],
    unit: Unit,
}

/// Edges that PostgreSQL has made.
struct Known {
    step: String,
    zone: String,
    settings: [Option<String>; READ_BY.len()],
    unit: Unit,
    ends: (DateTime<Utc>, DateTime<Utc>),
    edges: Starts,
}

impl<'c> Calendar<'c> {
    /// Reads a step; the zone is read with the first edges.
    pub(super) fn read(spi: &Spi, step: &'c str, zone: &'c str) -> Result<Calendar<'c>> {
        let settings = READ_BY.map(guc::current);
        let known = KNOWN.with_borrow(|known| {
            let is_same = |one: &&Known| one.step == step && one.settings == settings;
            known.iter().find(is_same).map(|one| one.unit)
        });
        let unit = match known {
            Some(unit) => unit,
            None => Unit::read(spi, step)?,
        };
        Ok(Calendar { step, zone, settings, unit })
    }

    /// The edges of the intervals, from the one that holds the first instant to the end of the one
    /// that holds the last.
    pub(super) fn edges(
        &self,
        spi: &Spi,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
    ) -> Result<Starts> {
        let known = KNOWN.with_borrow_mut(|known| {
            let at = known.iter().position(|one| {
                (one.step.as_str(), one.zone.as_str()) == (self.step, self.zone)
                    && one.ends == (first, last)
                    && one.settings == self.settings
            })?;
            let edges = Rc::clone(&known.get(at)?.edges);
            known.get_mut(..=at)?.rotate_right(1);
            Some(edges)
        });
        if let Some(edges) = known {
            return Ok(edges);
        }
        let edges = Rc::new(self.unit.edges(spi, self.step, self.zone, first, last)?);
        if edges.len() <= MAX_EDGES {
            KNOWN.with_borrow_mut(|known| {
                known.truncate(MAX_KNOWN - 1);
                let one = Known {
                    step: self.step.to_string(),
                    zone: self.zone.to_string(),
                    settings: self.settings.clone(),
                    unit: self.unit,
                    ends: (first, last),
                    edges: Rc::clone(&edges),
                };
                known.insert(0, one);
            });
        }
        Ok(edges)
    }
}

/// How the steps of a histogram lie in the calendar.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Months or years, counted from the year 0 on, and centuries.
    Months,
    /// Days, or more than an hour: they begin at times of the zone's clocks.
    Days,
    /// An hour or less. Where a clock is set back by hours, these come twice.
    Time,
}

/// A step of a histogram.
#[derive(Clone, Copy)]
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
            // The first month whose number is a multiple of those of a step. Centuries begin with the year 1.
            Kind::Months => "
                SELECT pg_catalog.timezone($2, edge.local) FROM (
                    SELECT pg_catalog.timezone($2, $3) AS local, pg_catalog.timezone($2, $4) AS last,
                        (pg_catalog.date_part('year', $1::pg_catalog.interval) OPERATOR(pg_catalog.*) 12::pg_catalog.float8
                            OPERATOR(pg_catalog.+) pg_catalog.date_part('month', $1::pg_catalog.interval))::pg_catalog.int4 AS months
                ) AS ends
                CROSS JOIN LATERAL (
                    SELECT (pg_catalog.date_part('year', ends.local) OPERATOR(pg_catalog.*) 12::pg_catalog.float8
                        OPERATOR(pg_catalog.+) pg_catalog.date_part('month', ends.local) OPERATOR(pg_catalog.-)
                            CASE ends.months OPERATOR(pg_catalog.%) 1200 WHEN 0 THEN 13 ELSE 1 END::pg_catalog.float8)::pg_catalog.int4 AS month
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
            // The clock's offset is that of the first instant. The other column is where the interval would begin by the
            // offset that the clock has at the edge.
            Kind::Time => "
                SELECT edge, edge OPERATOR(pg_catalog.-) (pg_catalog.timezone($2, edge) OPERATOR(pg_catalog.-) pg_catalog.date_bin(
                    $1::pg_catalog.interval, pg_catalog.timezone($2, edge), '2001-01-01'::pg_catalog.timestamp))
                FROM pg_catalog.generate_series(
                    $3 OPERATOR(pg_catalog.-) $1::pg_catalog.interval OPERATOR(pg_catalog.-) (pg_catalog.timezone($2, $3) OPERATOR(pg_catalog.-)
                        pg_catalog.date_bin($1::pg_catalog.interval, pg_catalog.timezone($2, $3), '2001-01-01'::pg_catalog.timestamp)),
                    $4 OPERATOR(pg_catalog.+) $1::pg_catalog.interval OPERATOR(pg_catalog.+) $1::pg_catalog.interval,
                    $1::pg_catalog.interval) AS edge",
        };
        let (from, to) = (to_timestamp(first)?, to_timestamp(last)?);
        let parameters = [step.into(), zone.into(), from.into(), to.into()];
        let rows = with_gucs(&[NO_JIT], || spi.run(Mode::ReadInOrder, sql, &parameters))?;
        let mut edges: Vec<DateTime<Utc>> = Vec::new();
        // Where a clock is set forward, some of its times do not exist. Those before the first
        // instant are there because of a clock that was set back.
        let mut push = |edge: DateTime<Utc>| {
            if edges.last().is_none_or(|last| *last < edge) {
                edges.push(edge);
            }
        };
        let mut known: Option<(DateTime<Utc>, TimeDelta)> = None;
        for row in 0..rows.len() {
            let at = |column| rows.get::<TimestampWithTimeZone>(row, column).map(from_timestamp);
            let Some(edge) = at(1) else { continue };
            let begin = at(2).unwrap_or(edge);
            let late = edge - begin;
            // A clock that is set by less than a step begins anew.
            if let Some((before, _)) = known.filter(|(_, was_late)| *was_late != late) {
                push(set_clock(spi, zone, before, edge)?);
            }
            push(begin);
            known = Some((edge, late));
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

/// When the clock of a zone is set between two instants, to the second.
fn set_clock(
    spi: &Spi,
    zone: &str,
    before: DateTime<Utc>,
    behind: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    let sql = "
        SELECT pg_catalog.min(at) FROM pg_catalog.generate_series(pg_catalog.date_trunc('second', $2), $3, '1 second') AS at
        WHERE (pg_catalog.timezone($1, at) OPERATOR(pg_catalog.-) pg_catalog.timezone('UTC', at)) OPERATOR(pg_catalog.=)
            (pg_catalog.timezone($1, $3) OPERATOR(pg_catalog.-) pg_catalog.timezone('UTC', $3))";
    let parameters = [zone.into(), to_timestamp(before)?.into(), to_timestamp(behind)?.into()];
    let rows = with_gucs(&[NO_JIT], || spi.run(Mode::Read, sql, &parameters))?;
    Ok(rows.get::<TimestampWithTimeZone>(0, 1).map_or(behind, from_timestamp))
}

/// Microseconds from 1970-01-01 to 2000-01-01 (timestamp.h).
const EPOCH_DIFFERENCE: i64 = 946_684_800_000_000;

/// The timestamp of an instant. What it has beyond microseconds is cut off.
pub(super) fn to_timestamp(instant: DateTime<Utc>) -> Result<TimestampWithTimeZone> {
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
