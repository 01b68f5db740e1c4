//! Instants and Solr's date math (org.apache.solr.util.DateMathParser): `NOW-1DAY/DAY`, `2021-02-23T19:18:04Z+1HOUR`.

use crate::document::Decimal;
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc,
};

/// `YYYY-MM-DDThh:mm:ss[.fraction]Z`: an instant in UTC, as java.time's ISO_INSTANT writes it. The fraction has one to
/// nine digits.
pub fn parse_iso(text: &str) -> Option<DateTime<Utc>> {
    let bytes = text.as_bytes();
    // Most strings are turned away here.
    if bytes.len() < 20 || bytes[bytes.len() - 1] != b'Z' || bytes[10] != b'T' {
        return None;
    }
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = shape.iter().zip(bytes).all(|(shape, byte)| match shape {
        b'd' => byte.is_ascii_digit(),
        _ => shape == byte,
    });
    let fraction = &text[19..text.len() - 1];
    let fraction = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => "0",
        Some(digits) if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    if !fits || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().ok();
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    let date = NaiveDate::from_ymd_opt(number(0..4)? as i32, number(5..7)?, number(8..10)?)?;
    date.and_hms_nano_opt(number(11..13)?, number(14..16)?, number(17..19)?, nanoseconds)
        .map(|instant| instant.and_utc())
}

/// An instant or `NOW`, and any number of steps: `+2DAYS`, `-1MONTH`, `/YEAR` (round down). None if the text is anything
/// else, or leaves the calendar.
pub fn parse_math(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (start, math) = match text.strip_prefix("NOW") {
        Some(math) => (now, math),
        None => {
            let end = text.find('Z')? + 1;
            (parse_iso(&text[..end])?, &text[end..])
        }
    };
    let mut instant = start.naive_utc();
    let mut rest = math;
    while let Some(operator) = rest.chars().next() {
        rest = &rest[operator.len_utf8()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (count, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        rest = after;
        instant = match operator {
            '/' if count.is_empty() => round(instant, unit)?,
            '+' => add(instant, count.parse::<i32>().ok()?.into(), unit)?,
            '-' => add(instant, -i64::from(count.parse::<i32>().ok()?), unit)?,
            _ => return None,
        };
    }
    Some(instant.and_utc())
}

/// DateMathParser.CALENDAR_UNITS
fn unit_name(unit: &str) -> &str {
    match unit {
        "YEARS" => "YEAR",
        "MONTHS" => "MONTH",
        "DAYS" | "DATE" => "DAY",
        "HOURS" => "HOUR",
        "MINUTES" => "MINUTE",
        "SECONDS" => "SECOND",
        "MILLIS" | "MILLISECOND" | "MILLISECONDS" => "MILLI",
        other => other,
    }
}

/// A month's last day stays the last day of a shorter one, as java.time adds months.
fn add(instant: NaiveDateTime, count: i64, unit: &str) -> Option<NaiveDateTime> {
    let magnitude = u32::try_from(count.unsigned_abs()).ok()?;
    let months = |months: Months| match count {
        0.. => instant.checked_add_months(months),
        _ => instant.checked_sub_months(months),
    };
    let time = |delta: Option<TimeDelta>| instant.checked_add_signed(delta?);
    match unit_name(unit) {
        "YEAR" => months(Months::new(magnitude.checked_mul(12)?)),
        "MONTH" => months(Months::new(magnitude)),
        "DAY" if count >= 0 => instant.checked_add_days(Days::new(magnitude.into())),
        "DAY" => instant.checked_sub_days(Days::new(magnitude.into())),
        "HOUR" => time(TimeDelta::try_hours(count)),
        "MINUTE" => time(TimeDelta::try_minutes(count)),
        "SECOND" => time(TimeDelta::try_seconds(count)),
        "MILLI" => time(TimeDelta::try_milliseconds(count)),
        _ => None,
    }
}

fn round(instant: NaiveDateTime, unit: &str) -> Option<NaiveDateTime> {
    let (date, hour, minute, second) =
        (instant.date(), instant.hour(), instant.minute(), instant.second());
    match unit_name(unit) {
        "YEAR" => NaiveDate::from_ymd_opt(date.year(), 1, 1)?.and_hms_opt(0, 0, 0),
        "MONTH" => date.with_day(1)?.and_hms_opt(0, 0, 0),
        "DAY" => date.and_hms_opt(0, 0, 0),
        "HOUR" => date.and_hms_opt(hour, 0, 0),
        "MINUTE" => date.and_hms_opt(hour, minute, 0),
        "SECOND" => date.and_hms_opt(hour, minute, second),
        "MILLI" => instant.with_nanosecond(instant.nanosecond() / 1_000_000 * 1_000_000),
        _ => None,
    }
}

/// Milliseconds since the epoch, exactly: a fraction of one stays.
pub fn milliseconds(instant: DateTime<Utc>) -> Decimal {
    let whole = Decimal::from_i64(instant.timestamp_millis());
    match instant.timestamp_subsec_nanos() % 1_000_000 {
        0 => whole,
        // Nanoseconds as an integer, six places to the right.
        nanoseconds => {
            let all = i128::from(instant.timestamp_millis()) * 1_000_000 + i128::from(nanoseconds);
            Decimal::parse(&format!("{all}e-6")).unwrap_or(whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_instants() {
        for (text, milliseconds_since_epoch) in [
            ("1970-01-01T00:00:00Z", "0"),
            ("2021-02-05T04:06:36Z", "1612497996000"),
            ("2021-02-05T04:06:36.5Z", "1612497996500"),
            ("1969-12-31T23:59:59.9999Z", "-0.1"),
            ("2021-02-05T04:06:36.000000001Z", "1612497996000.000001"),
        ] {
            let instant = parse_iso(text).unwrap_or_else(|| panic!("{text} is an instant"));
            assert_eq!(
                Some(milliseconds(instant)),
                Decimal::parse(milliseconds_since_epoch),
                "{text}"
            );
        }
        for text in [
            "2021-02-05T04:06:36",
            "2021-02-05 04:06:36Z",
            "2021-02-30T00:00:00Z",
            "2021-02-05T24:00:00Z",
            "2021-02-05T04:06:36.Z",
            "2021-02-05T04:06:36.1234567890Z",
            "2021-2-5T4:6:36Z",
            "éééééTééééééééZ",
        ] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }

    #[test]
    fn calculates() {
        let now = parse_iso("2024-03-31T13:14:15.678Z").unwrap();
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
        ] {
            assert_eq!(parse_math(math, now), parse_iso(result), "{math}");
        }
        for text in [
            "NOWHERE",
            "NOW+",
            "NOW+1",
            "NOW+DAY",
            "NOW/1DAY",
            "NOW+1WEEK",
            "NOW 1DAY",
            "now",
            "NOW-99999999999DAYS",
            "NOW+999999999YEARS",
            "Zürich",
            "",
        ] {
            assert_eq!(parse_math(text, now), None, "{text}");
        }
    }
}
