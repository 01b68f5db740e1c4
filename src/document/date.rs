//! Dates as queries write them. Unlike an instant in a document, a date may be given in part:
//! `2026-11`, `2026-11-22`, `2026-11-22T10:00`. It then stands for all instants of that month, day,
//! hour or minute, as in Solr's `DateRangeField`. Without an offset it is in UTC.

use super::instant::{fraction, number, offset};
use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use std::cmp::Ordering;

/// A single value, or all values from `first` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<T> {
    /// The single value, or the first one.
    pub first: T,
    /// The first value behind the span; none for a single value.
    pub end: Option<T>,
}

impl<T> Span<T> {
    /// A single value.
    pub fn single(value: T) -> Span<T> {
        Span { first: value, end: None }
    }

    /// The span from and to what the function makes of its ends.
    pub fn map<U>(&self, f: impl Fn(&T) -> U) -> Span<U> {
        Span { first: f(&self.first), end: self.end.as_ref().map(f) }
    }

    /// Where a value lies: before the span, in it (`Equal`), or behind it.
    pub fn locate<V: Ord + ?Sized>(&self, value: &V) -> Ordering
    where
        T: std::borrow::Borrow<V>,
    {
        let order = self.locate_by(|end| Some(value.cmp(end.borrow())));
        order.unwrap_or(Ordering::Equal)
    }

    /// The same for a value that `compare` compares with the ends. None if it cannot.
    pub fn locate_by(&self, compare: impl Fn(&T) -> Option<Ordering>) -> Option<Ordering> {
        match (compare(&self.first)?, &self.end) {
            (Ordering::Greater, Some(end)) if compare(end)? == Ordering::Less => {
                Some(Ordering::Equal)
            }
            (order, _) => Some(order),
        }
    }
}

/// The smallest unit in which a date is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// `2026`
    Year,
    /// `2026-11`
    Month,
    /// `2026-11-22`
    Day,
    /// `2026-11-22T10`
    Hour,
    /// `2026-11-22T10:00`
    Minute,
    /// `2026-11-22T10:00:00`, also with a fraction: a single instant.
    Second,
}

/// A date of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// The instants that it stands for.
    pub instants: Span<DateTime<Utc>>,
    /// How exactly it is given.
    pub precision: Precision,
}

/// The date at the beginning of a text, and the rest of the text. Of `2026-11-10DAYS`, which is
/// date math, the date is `2026-11`: no part of a date is followed by a letter or another digit.
pub fn date_prefix(text: &str) -> Option<(Date, &str)> {
    let (start, precision, rest) = local_date(text)?;
    let end = match precision {
        Precision::Year => Some(start.checked_add_months(Months::new(12))?),
        Precision::Month => Some(start.checked_add_months(Months::new(1))?),
        Precision::Day => Some(start.checked_add_days(Days::new(1))?),
        Precision::Hour => Some(start.checked_add_signed(TimeDelta::hours(1))?),
        Precision::Minute => Some(start.checked_add_signed(TimeDelta::minutes(1))?),
        Precision::Second => None,
    };
    let offset = offset(rest).filter(|(_, rest)| precision > Precision::Year && is_end(rest));
    let (offset, rest) = offset.unwrap_or((TimeDelta::zero(), rest));
    let in_utc = |local: NaiveDateTime| Some(local.checked_sub_signed(offset)?.and_utc());
    let end = end.map(|end| in_utc(end).ok_or(())).transpose().ok()?;
    Some((Date { instants: Span { first: in_utc(start)?, end }, precision }, rest))
}

/// The beginning of a date without its offset, how exactly it is given, and the rest of the text.
fn local_date(text: &str) -> Option<(NaiveDateTime, Precision, &str)> {
    let (year, rest) = number(text, 4)?;
    let date = |month, day| NaiveDate::from_ymd_opt(year as i32, month, day);
    let part = |rest: &str, before: &[char]| -> Option<(u32, usize)> {
        let (value, behind) = number(rest.strip_prefix(before)?, 2)?;
        is_end(behind).then_some((value, behind.len()))
    };
    // What is behind a part whose text is so many bytes before the end.
    let tail = |length: usize| text.get(text.len() - length..).unwrap_or_default();
    let mut found = (date(1, 1)?.and_time(NaiveTime::MIN), Precision::Year, rest);
    let Some((month, length)) = part(rest, &['-']) else { return Some(found) };
    let Some(first) = date(month, 1) else { return Some(found) };
    found = (first.and_time(NaiveTime::MIN), Precision::Month, tail(length));
    // `2026-11-05:00` is a month with an offset.
    let day = part(found.2, &['-']).filter(|(_, length)| !tail(*length).starts_with(':'));
    let Some((day, length)) = day else { return Some(found) };
    let Some(day) = date(month, day) else { return Some(found) };
    found = (day.and_time(NaiveTime::MIN), Precision::Day, tail(length));
    let Some((hour, length)) = part(found.2, &['T', ' ']) else { return Some(found) };
    let Some(start) = day.and_hms_opt(hour, 0, 0) else { return Some(found) };
    found = (start, Precision::Hour, tail(length));
    let Some((minute, length)) = part(found.2, &[':']) else { return Some(found) };
    let Some(start) = day.and_hms_opt(hour, minute, 0) else { return Some(found) };
    found = (start, Precision::Minute, tail(length));
    let Some((second, length)) = part(found.2, &[':']) else { return Some(found) };
    let Some((nanosecond, rest)) = fraction(tail(length)) else { return Some(found) };
    let start = day.and_hms_nano_opt(hour, minute, second, nanosecond);
    Some(start.map_or(found, |start| (start, Precision::Second, rest)))
}

/// Whether a part of a date ends here. `T` and `Z` can follow one.
fn is_end(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_alphanumeric() && !matches!(c, 'T' | 'Z'))
}

#[cfg(test)]
mod tests {
    use super::super::{instant, instant_prefix};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_partial_dates() {
        for (text, first, end, rest) in [
            ("2026", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", ""),
            ("2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", ""),
            ("2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", ""),
            ("2026-11Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", ""),
            ("2026-11+01:00", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", ""),
            ("2026-11-05:00", "2026-11-01T05:00:00Z", "2026-12-01T05:00:00Z", ""),
            ("2026-11-05", "2026-11-05T00:00:00Z", "2026-11-06T00:00:00Z", ""),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z", ""),
            ("2026-11-22+0100", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z", ""),
            ("2026-11-22-05:00", "2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z", ""),
            ("2026-11-22T10", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", ""),
            ("2026-11-22T10:00", "2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z", ""),
            ("2026-11-22 10:00", "2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z", ""),
            ("2026-11-22T10:00+01:00", "2026-11-22T09:00:00Z", "2026-11-22T09:01:00Z", ""),
            ("2026-11-22T10:00:30", "2026-11-22T10:00:30Z", "", ""),
            ("2026-11-22T10:00:30.25", "2026-11-22T10:00:30.250Z", "", ""),
            ("2026-11-22T10:00:30Z", "2026-11-22T10:00:30Z", "", ""),
            ("9999-12-31", "9999-12-31T00:00:00Z", "+10000-01-01T00:00:00Z", ""),
            // Date math behind a date
            ("2026-11-22/MONTH", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "/MONTH"),
            ("2026-11-10DAYS", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "-10DAYS"),
            ("2026-11DAYS", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "-11DAYS"),
            ("2026-11-22+10DAYS", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "+10DAYS"),
            ("2026-11-22+1000DAYS", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "+1000DAYS"),
            ("2026-11-22T10:00Z+1DAY", "2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z", "+1DAY"),
            // Days and times that do not exist end the date before them.
            ("2026-02-30", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "-30"),
            ("2026-13", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "-13"),
            ("2026-11-22T24:00", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "T24:00"),
            ("2026-11-22T10:60", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", ":60"),
            ("2026-11-22 x", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", " x"),
            ("2026-11Zé", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "Zé"),
        ] {
            let read = |text: &str| text.parse::<DateTime<Utc>>();
            let instants = Span { first: read(first).unwrap(), end: read(end).ok() };
            let found = date_prefix(text).map(|(date, rest)| (date.instants, rest));
            assert_eq!(found, Some((instants, rest)), "{text}");
        }
        for text in ["", "202", "NOW", "é026", "+026-11", "٢٠26-11"] {
            assert_eq!(date_prefix(text), None, "{text}");
        }
    }

    #[test]
    fn a_span_is_located() {
        let (single, span) = (Span::single(3), Span { first: 3, end: Some(5) });
        let orders = |span: Span<i32>| [2, 3, 4, 5].map(|value| span.locate(&value) as i8);
        assert_eq!((orders(single), orders(span)), ([-1, 0, 1, 1], [-1, 0, 0, 1]));
    }

    proptest! {
        /// What is an instant in a document is the same one in a query, and no text is a panic.
        #[test]
        fn instants_are_dates(at in 0usize..30, put in "[-0-9TZ:+. é💡]{0,2}", cut in 0usize..25) {
            let whole = "2024-01-01T00:00:00.123+01:00";
            let mut chars: Vec<char> = whole.chars().collect();
            let (at, cut) = (at.min(chars.len()), cut.min(chars.len()));
            chars.splice(at.min(cut)..cut, put.chars());
            let text: String = chars.into_iter().collect();
            let found = date_prefix(&text);
            if let Some(instant) = instant(&text) {
                let expected = Date { instants: Span::single(instant), precision: Precision::Second };
                prop_assert_eq!(found, Some((expected, "")), "{}", text);
            }
            prop_assert!(instant_prefix(&text).is_none() || found.is_some(), "{}", text);
        }
    }
}
