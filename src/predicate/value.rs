//! How a value of a query compares with a leaf of each type.
//!
//! In Solr the schema says which type a field has. Here the type of each leaf decides how the value
//! is read.

use super::date;
use crate::document::{self, Base10000, Decimal, Leaf, Scalar, Span, write_ordered};
use crate::syntax::DateMath;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use std::cell::OnceCell;
use std::cmp::Ordering;

/// A value of a query, which is read once for each type that a leaf can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The value as text.
    pub text: String,
    /// The number that the text reads as. A date reads as milliseconds since the epoch.
    pub number: Option<Span<Decimal>>,
    /// The number as bytes in the order of numbers, which are compared with those of a leaf.
    pub ordered: Option<Span<Box<[u8]>>>,
    /// The boolean that the text reads as.
    pub boolean: Option<bool>,
    /// The instants that the text reads as: a date, which may be partial, or date math.
    pub instants: Option<Span<DateTime<Utc>>>,
    /// Whether the instant was calculated by date math. The text is then not compared with strings
    /// that are not instants.
    pub is_calculated: bool,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The value at this end of the range.
    pub value: Value,
    /// Whether the value itself is in the range.
    pub inclusive: bool,
}

impl Value {
    /// Reads a text. `now` is the time that `NOW` stands for.
    pub fn read(text: &str, now: DateTime<Utc>) -> Value {
        Value::of(text, read_date(text, false), now)
    }

    /// Reads a text that is compared beside a date, as the other end of its range. There `2026` is a
    /// year. Everywhere else it is a number.
    pub fn read_beside_date(text: &str, now: DateTime<Utc>) -> Value {
        Value::of(text, read_date(text, true), now)
    }

    fn of(text: &str, math: Option<DateMath>, now: DateTime<Utc>) -> Value {
        let instants = math.as_ref().map(|math| date::evaluate(math, now));
        let milliseconds = instants.map(|instants| instants.map(|at| date::milliseconds(*at)));
        let number = milliseconds.or_else(|| Decimal::parse(text).map(Span::single));
        let bytes = |number: &Decimal| {
            let mut bytes = Vec::new();
            write_ordered(number, &mut bytes);
            bytes.into()
        };
        Value {
            text: text.to_string(),
            ordered: number.as_ref().map(|number| number.map(bytes)),
            number,
            boolean: boolean(text),
            instants,
            is_calculated: math.is_some_and(|math| math.is_calculated()),
        }
    }

    /// A number, which no string compares with.
    pub fn of_number(number: Decimal) -> Value {
        let mut ordered = Vec::new();
        write_ordered(&number, &mut ordered);
        Value {
            text: number.to_string(),
            number: Some(Span::single(number)),
            ordered: Some(Span::single(ordered.into())),
            boolean: None,
            instants: None,
            is_calculated: true,
        }
    }

    /// An instant, with which other instants and numbers of milliseconds compare alone.
    pub fn of_instant(instant: DateTime<Utc>) -> Value {
        let text = instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        let value = Value::of_number(date::milliseconds(instant));
        Value { text, instants: Some(Span::single(instant)), ..value }
    }

    /// The last instant that the value stands for.
    fn last_instant(&self) -> Option<DateTime<Utc>> {
        // No instant of a document is more exact than a nanosecond.
        let before = |end: DateTime<Utc>| end.checked_sub_signed(TimeDelta::nanoseconds(1));
        self.instants.map(|Span { first, end }| end.and_then(before).unwrap_or(first))
    }

    /// The beginnings of the first and the last texts of the form `…T…Z` that are instants within
    /// the same seconds as this value.
    pub fn instant_seconds(&self) -> Option<[String; 2]> {
        let ends = self.instants.map(|instants| instants.first).zip(self.last_instant());
        ends.map(|(first, last)| [first, last].map(|end| start_of_text(end, "%Y-%m-%dT%H:%M:%S")))
    }

    /// The first and the last date with which a text of these instants can begin. They are a day
    /// away on each side, since an offset from UTC is less than a day.
    pub fn instant_dates(&self) -> Option<[String; 2]> {
        const DAY: TimeDelta = TimeDelta::days(1);
        let ends = self.instants.map(|instants| instants.first).zip(self.last_instant());
        let ends = ends.map(|(first, last)| {
            [
                first.checked_sub_signed(DAY).unwrap_or(DateTime::<Utc>::MIN_UTC),
                last.checked_add_signed(DAY).unwrap_or(DateTime::<Utc>::MAX_UTC),
            ]
        });
        ends.map(|ends| ends.map(|end| start_of_text(end, "%Y-%m-%d")))
    }

    /// Whether a leaf equals this value.
    pub fn equals(&self, leaf: &Scalar<'_>) -> bool {
        matches!(leaf, Scalar::String(text) if *text == self.text)
            || self.compare(leaf) == Some(Ordering::Equal)
    }

    /// Compares the leaf with this value, in the order of the leaf's type. None if the value is not
    /// of that type. If both are instants, they are compared as instants, and all instants of a
    /// partial date are equal to it. Other strings are compared by code point, which is the order of
    /// UTF-8, but not with the text of date math.
    pub fn compare(&self, leaf: &Scalar<'_>) -> Option<Ordering> {
        match leaf {
            Scalar::Number(bytes) => self.ordered.as_ref().map(|value| value.locate(*bytes)),
            Scalar::Bool(b) => self.boolean.map(|value| b.cmp(&value)),
            Scalar::String(text) => {
                compare_strings(text, &self.text, self.instants, self.is_calculated)
            }
        }
    }
}

/// Compares a string of a document with the text of a value, or with the instants that this reads
/// as.
fn compare_strings(
    leaf: &str,
    text: &str,
    instants: Option<Span<DateTime<Utc>>>,
    is_calculated: bool,
) -> Option<Ordering> {
    match instants.and_then(|value| Some((value, document::instant(leaf)?))) {
        Some((value, leaf)) => Some(value.locate(&leaf)),
        None if is_calculated => None,
        None => Some(leaf.as_bytes().cmp(text.as_bytes())),
    }
}

/// Whether a text reads as a date or as date math. A year alone does not.
pub fn is_date(text: &str) -> bool {
    DateMath::parse(text).is_some()
}

/// The dates or the date math that a text reads as, or a year beside another date.
fn read_date(text: &str, is_beside_date: bool) -> Option<DateMath> {
    DateMath::parse(text).or_else(|| is_beside_date.then(|| DateMath::year(text))?)
}

/// A value of a query that is compared with few leaves: it is read only for the types that these
/// leaves have. It compares as [`Value`] does.
#[derive(Debug)]
pub struct UnreadValue<T, N> {
    text: T,
    /// As for [`Value::read_beside_date`].
    is_beside_date: bool,
    now: N,
    /// The instants, and whether they were calculated.
    instants: OnceCell<Option<(Span<DateTime<Utc>>, bool)>>,
    number: OnceCell<Option<Span<Base10000>>>,
}

impl<T: AsRef<str>, N: Fn() -> DateTime<Utc>> UnreadValue<T, N> {
    /// A value of this text, with `now` for `NOW`.
    pub fn new(text: T, now: N) -> UnreadValue<T, N> {
        let (instants, number) = (OnceCell::new(), OnceCell::new());
        UnreadValue { text, is_beside_date: false, now, instants, number }
    }

    /// A bound of this text, which may be beside a date.
    pub fn bound(text: T, is_beside_date: bool, now: N) -> UnreadValue<T, N> {
        UnreadValue { is_beside_date, ..UnreadValue::new(text, now) }
    }

    /// Whether the leaf equals the value.
    pub fn equals(&self, leaf: Leaf<'_>) -> bool {
        matches!(leaf, Leaf::String(text) if text == self.text.as_ref())
            || self.compare(leaf) == Some(Ordering::Equal)
    }

    /// Compares the leaf with the value. None if they cannot be compared.
    pub fn compare(&self, leaf: Leaf<'_>) -> Option<Ordering> {
        match leaf {
            Leaf::String(text)
                if document::is_plain_instant(text)
                    && document::is_plain_instant(self.text.as_ref()) =>
            {
                Some(text.as_bytes().cmp(self.text.as_ref().as_bytes()))
            }
            Leaf::String(text) => {
                let (instants, is_calculated) = self.instants().unzip();
                compare_strings(text, self.text.as_ref(), instants, is_calculated.unwrap_or(false))
            }
            Leaf::Bool(b) => boolean(self.text.as_ref()).map(|value| b.cmp(&value)),
            Leaf::Number(number) => {
                let value = self.number.get_or_init(|| self.read_number()).as_ref()?;
                value.locate_by(|value| number.compare(value.parts()))
            }
        }
    }

    /// The number that the text reads as, if it is one number. A date reads as milliseconds since the
    /// epoch.
    pub fn number(&self) -> Option<Base10000> {
        self.read_number().filter(|number| number.end.is_none()).map(|number| number.first)
    }

    /// Whether the text reads as an instant.
    pub fn is_instant(&self) -> bool {
        self.instants().is_some()
    }

    fn instants(&self) -> Option<(Span<DateTime<Utc>>, bool)> {
        *self.instants.get_or_init(|| {
            let math = read_date(self.text.as_ref(), self.is_beside_date)?;
            // Asking the server for the time takes longer than all the rest.
            let now = if math.start.is_none() { (self.now)() } else { DateTime::default() };
            Some((date::evaluate(&math, now), math.is_calculated()))
        })
    }

    fn read_number(&self) -> Option<Span<Base10000>> {
        match self.instants() {
            Some((instants, _)) => {
                Some(instants.map(|instant| Base10000::of(&date::milliseconds(*instant))))
            }
            None => Base10000::parse(self.text.as_ref()).map(Span::single),
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The beginning of an instant's text. If the year is not one that texts can have, the result is
/// before or behind all texts of instants.
fn start_of_text(instant: DateTime<Utc>, format: &str) -> String {
    match instant.year() {
        0..=9999 => instant.format(format).to_string(),
        ..0 => String::new(),
        _ => ":".to_string(),
    }
}

impl Limit {
    /// Whether the leaf is not below this lower end.
    pub fn admits_from_below(&self, leaf: &Scalar<'_>) -> bool {
        self.admits(self.value.compare(leaf), Ordering::Greater)
    }

    /// Whether the leaf is not above this upper end.
    pub fn admits_from_above(&self, leaf: &Scalar<'_>) -> bool {
        self.admits(self.value.compare(leaf), Ordering::Less)
    }

    fn admits(&self, found: Option<Ordering>, inside: Ordering) -> bool {
        is_admitted(found, inside, self.inclusive)
    }
}

/// Whether a bound admits a leaf that compares so with it. `inside` is how a leaf within the range
/// compares.
pub fn is_admitted(found: Option<Ordering>, inside: Ordering, inclusive: bool) -> bool {
    found == Some(inside) || (inclusive && found == Some(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Number, Scratch};

    #[test]
    fn unread_values_compare_as_read_ones() {
        let now: DateTime<Utc> = "2024-03-31T13:14:15.678Z".parse().unwrap_or_default();
        let texts = [
            "",
            "x",
            "true",
            "false",
            "N",
            "NOW",
            "now",
            "NOW-1DAY",
            "NOW/DAY",
            "0",
            "-0",
            "7",
            "07",
            "7.0",
            "-7.25",
            "7e2",
            ".5",
            "5.",
            "+1",
            "1e-400",
            "123456789012345678901234567890.5",
            "NaN",
            "2024-03-31",
            "2024-03",
            "2024",
            "2024-03-31T13:14",
            "2024-03/MONTH+30DAYS",
            "2024-03-31T13:14:15.678Z",
            "2024-03-31T15:14:15.678+02:00",
            "2024-03-31T00:00:00Z",
            "2024-03-31T00:00:00Z+13HOURS",
            "1711890855678",
            "é",
        ];
        let mut scratch = Scratch::new();
        for text in texts {
            for is_beside_date in [false, true] {
                let (value, unread) = (
                    Value::of(text, read_date(text, is_beside_date), now),
                    UnreadValue::bound(text, is_beside_date, || now),
                );
                let strings = texts.map(Leaf::String);
                let numbers = texts.map(|text| Leaf::Number(Number::Text(text)));
                let booleans = [true, false].map(Leaf::Bool);
                for leaf in strings.into_iter().chain(numbers).chain(booleans) {
                    let scalar = leaf.scalar(&mut scratch);
                    let compared = scalar.and_then(|scalar| value.compare(&scalar));
                    assert_eq!(unread.compare(leaf), compared, "{text} {scalar:?}");
                    let equals = scalar.is_some_and(|scalar| value.equals(&scalar));
                    assert_eq!(unread.equals(leaf), equals, "{text} {scalar:?}");
                }
            }
        }
    }
}
