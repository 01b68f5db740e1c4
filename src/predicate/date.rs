//! Dates and date math to instants.

use super::{Limit, Predicate, Test, Value};
use crate::document::{Decimal, Span};
use crate::syntax::{DateMath, Step, Unit};
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc,
};

/// The instants that a date or date math stands for. Steps lead from the first instant of a date to
/// a single one. The limit on them keeps it within chrono's calendar for every `now` that the server
/// can have; beyond the calendar, the result is its first or last instant.
pub fn evaluate(math: &DateMath, now: DateTime<Utc>) -> Span<DateTime<Utc>> {
    let start = math.start.unwrap_or(Span::single(now));
    if math.steps.is_empty() {
        return start;
    }
    let start = start.first.naive_utc();
    let instant = math.steps.iter().fold(start, |instant, step| match *step {
        Step::Add(count, unit) => add(instant, count, unit).unwrap_or(match count {
            ..0 => NaiveDateTime::MIN,
            0.. => NaiveDateTime::MAX,
        }),
        Step::Round(unit) => round(instant, unit).unwrap_or(instant),
    });
    Span::single(instant.and_utc())
}

/// Adds a number of units. The last day of a month becomes the last day of a shorter month, as
/// java.time adds months.
fn add(instant: NaiveDateTime, count: i32, unit: Unit) -> Option<NaiveDateTime> {
    let (magnitude, count) = (count.unsigned_abs(), i64::from(count));
    let months = |months: Months| match count {
        0.. => instant.checked_add_months(months),
        _ => instant.checked_sub_months(months),
    };
    let time = |delta: Option<TimeDelta>| instant.checked_add_signed(delta?);
    match unit {
        Unit::Year => months(Months::new(magnitude.checked_mul(12)?)),
        Unit::Month => months(Months::new(magnitude)),
        Unit::Day if count >= 0 => instant.checked_add_days(Days::new(magnitude.into())),
        Unit::Day => instant.checked_sub_days(Days::new(magnitude.into())),
        Unit::Hour => time(TimeDelta::try_hours(count)),
        Unit::Minute => time(TimeDelta::try_minutes(count)),
        Unit::Second => time(TimeDelta::try_seconds(count)),
        Unit::Milli => time(TimeDelta::try_milliseconds(count)),
    }
}

fn round(instant: NaiveDateTime, unit: Unit) -> Option<NaiveDateTime> {
    let (date, hour, minute, second) =
        (instant.date(), instant.hour(), instant.minute(), instant.second());
    match unit {
        Unit::Year => Some(date.with_ordinal(1)?.and_time(NaiveTime::MIN)),
        Unit::Month => Some(date.with_day(1)?.and_time(NaiveTime::MIN)),
        Unit::Day => Some(date.and_time(NaiveTime::MIN)),
        Unit::Hour => date.and_hms_opt(hour, 0, 0),
        Unit::Minute => date.and_hms_opt(hour, minute, 0),
        Unit::Second => date.and_hms_opt(hour, minute, second),
        Unit::Milli => instant.with_nanosecond(instant.nanosecond() / 1_000_000 * 1_000_000),
    }
}

/// The milliseconds since the epoch, exactly: a fraction of a millisecond is kept.
pub fn milliseconds(instant: DateTime<Utc>) -> Decimal {
    let whole = Decimal::from_i64(instant.timestamp_millis());
    match instant.timestamp_subsec_nanos() % 1_000_000 {
        0 => whole,
        // The nanoseconds as an integer, with the point moved six places to the left.
        nanoseconds => {
            let all = i128::from(instant.timestamp_millis()) * 1_000_000 + i128::from(nanoseconds);
            Decimal::parse(&format!("{all}e-6")).unwrap_or(whole)
        }
    }
}

impl Predicate {
    /// The dates of the conditions, each as it is written and with the instants that it stands for.
    pub fn dates(&self) -> impl Iterator<Item = (&str, Span<DateTime<Utc>>)> {
        self.tests().flat_map(Test::values).flatten().filter_map(|value| {
            let Value { text, instants, .. } = value;
            instants.map(|instants| (text.as_str(), instants))
        })
    }
}

impl Test {
    /// The values that a leaf is compared with.
    fn values(&self) -> [Option<&Value>; 2] {
        fn of(limit: &Option<Limit>) -> Option<&Value> {
            limit.as_ref().map(|limit| &limit.value)
        }
        match self {
            Test::Equal(value) => [Some(value), None],
            Test::Range { lower, upper } => [of(lower), of(upper)],
            Test::Prefix(_) | Test::Exists => [None; 2],
            Test::Wildcard(_) | Test::Regexp(_) | Test::Fuzzy(_) => [None; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::instant;

    #[test]
    fn counts_milliseconds() {
        for (text, milliseconds_since_epoch) in [
            ("1970-01-01T00:00:00Z", "0"),
            ("2021-02-05T04:06:36Z", "1612497996000"),
            ("2021-02-05T04:06:36.5Z", "1612497996500"),
            ("1969-12-31T23:59:59.9999Z", "-0.1"),
            ("2021-02-05T04:06:36.000000001Z", "1612497996000.000001"),
        ] {
            let found = instant(text).map(milliseconds);
            assert_eq!(found, Decimal::parse(milliseconds_since_epoch), "{text}");
        }
    }

    #[test]
    fn calculates() {
        let now = instant("2024-03-31T13:14:15.678Z").unwrap();
        for (math, result) in [
            ("NOW", "2024-03-31T13:14:15.678Z"),
            ("NOW/DAY", "2024-03-31T00:00:00Z"),
            ("NOW-1DAY/DAY", "2024-03-30T00:00:00Z"),
            ("NOW-1MONTH", "2024-02-29T13:14:15.678Z"),
            ("NOW/YEAR+6MONTHS-1MILLI", "2024-06-30T23:59:59.999Z"),
            ("NOW+90MINUTES/HOUR", "2024-03-31T14:00:00Z"),
            ("NOW+1YEAR/SECOND", "2025-03-31T13:14:15Z"),
            ("2021-02-23T19:18:04Z+1HOUR", "2021-02-23T20:18:04Z"),
            ("2021-02-23T19:18:04Z-2DAYS/DATE", "2021-02-21T00:00:00Z"),
            ("2021-02-23T19:18:04+02:00+1HOUR", "2021-02-23T18:18:04Z"),
            ("2021-02-23T19:18:04-1DAY", "2021-02-22T19:18:04Z"),
            ("2026-11-22/MONTH+1DAY", "2026-11-02T00:00:00Z"),
            ("2026-11+1MONTH", "2026-12-01T00:00:00Z"),
            ("2026-11-10DAYS", "2026-10-22T00:00:00Z"),
            ("2026-11-22+01:00+1HOUR", "2026-11-22T00:00:00Z"),
            ("2026+1YEAR", "2027-01-01T00:00:00Z"),
        ] {
            let found = DateMath::parse(math).map(|math| evaluate(&math, now));
            assert_eq!(found, instant(result).map(Span::single), "{math}");
        }
        for text in ["NOW+200000YEARS", "NOW-199999YEARS/YEAR+1MILLI"] {
            let found = DateMath::parse(text).map(|math| evaluate(&math, now));
            let year = found.map_or(0, |found| found.first.year());
            assert!((year - 2024).abs() > 199_990, "{text}");
        }
    }
}
