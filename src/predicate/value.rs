//! How a value of a query compares with a leaf of each type.
//!
//! In Solr the schema says which type a field has. Here the type of each leaf decides how the value
//! is read.

use super::date;
use crate::document::{self, Base10000, Decimal, Leaf, Scalar, write_ordered};
use crate::syntax::DateMath;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use std::cell::OnceCell;
use std::cmp::Ordering;

/// A value of a query, which is read once for each type that a leaf can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The value as text.
    pub text: String,
    /// The number that the text reads as.
    pub number: Option<Decimal>,
    /// The number as bytes in the order of numbers, which are compared with those of a leaf.
    pub ordered: Option<Box<[u8]>>,
    /// The boolean that the text reads as.
    pub boolean: Option<bool>,
    /// The instant that the text reads as: ISO 8601 or date math.
    pub instant: Option<DateTime<Utc>>,
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
        let math = DateMath::parse(text);
        let instant = math.as_ref().map(|math| date::evaluate(math, now));
        let number = number(text, instant);
        let ordered = number.as_ref().map(|number| {
            let mut bytes = Vec::new();
            write_ordered(number, &mut bytes);
            bytes.into()
        });
        Value {
            text: text.to_string(),
            number,
            ordered,
            boolean: boolean(text),
            instant,
            is_calculated: math.is_some_and(|math| math.is_calculated()),
        }
    }

    /// The common beginning of all texts of the form `…T…Z` that are instants within the same
    /// second as this value.
    pub fn instant_second(&self) -> Option<String> {
        self.instant.map(|instant| start_of_text(instant, "%Y-%m-%dT%H:%M:%S"))
    }

    /// The first and the last date with which a text of this instant can begin. They are a day away
    /// on each side, since an offset from UTC is less than a day.
    pub fn instant_dates(&self) -> Option<[String; 2]> {
        const DAY: TimeDelta = TimeDelta::days(1);
        let ends = self.instant.map(|instant| {
            [
                instant.checked_sub_signed(DAY).unwrap_or(DateTime::<Utc>::MIN_UTC),
                instant.checked_add_signed(DAY).unwrap_or(DateTime::<Utc>::MAX_UTC),
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
    /// of that type. If both are instants, they are compared as instants. Other strings are
    /// compared by code point, which is the order of UTF-8, but not with the text of date math.
    pub fn compare(&self, leaf: &Scalar<'_>) -> Option<Ordering> {
        match leaf {
            Scalar::Number(bytes) => self.ordered.as_deref().map(|value| (*bytes).cmp(value)),
            Scalar::Bool(b) => self.boolean.map(|value| b.cmp(&value)),
            Scalar::String(text) => {
                compare_strings(text, &self.text, self.instant, self.is_calculated)
            }
        }
    }
}

/// Compares a string of a document with the text of a value, or with the instant that this reads as.
fn compare_strings(
    leaf: &str,
    text: &str,
    instant: Option<DateTime<Utc>>,
    is_calculated: bool,
) -> Option<Ordering> {
    match instant.and_then(|value| Some((value, document::instant(leaf)?))) {
        Some((value, leaf)) => Some(leaf.cmp(&value)),
        None if is_calculated => None,
        None => Some(leaf.as_bytes().cmp(text.as_bytes())),
    }
}

/// A value of a query that is compared with few leaves: it is read only for the types that these
/// leaves have. It compares as [`Value`] does.
pub struct UnreadValue<'q, N> {
    text: &'q str,
    now: N,
    /// The instant, and whether it was calculated.
    instant: OnceCell<Option<(DateTime<Utc>, bool)>>,
    number: OnceCell<Option<Base10000>>,
}

impl<'q, N: Fn() -> DateTime<Utc>> UnreadValue<'q, N> {
    /// A value of this text, with `now` for `NOW`.
    pub fn new(text: &'q str, now: N) -> UnreadValue<'q, N> {
        UnreadValue { text, now, instant: OnceCell::new(), number: OnceCell::new() }
    }

    /// Whether the leaf equals the value.
    pub fn equals(&self, leaf: Leaf<'_>) -> bool {
        matches!(leaf, Leaf::String(text) if text == self.text)
            || self.compare(leaf) == Some(Ordering::Equal)
    }

    /// Compares the leaf with the value. None if they cannot be compared.
    pub fn compare(&self, leaf: Leaf<'_>) -> Option<Ordering> {
        match leaf {
            Leaf::String(text) => {
                let (instant, is_calculated) = self.instant().unzip();
                compare_strings(text, self.text, instant, is_calculated.unwrap_or(false))
            }
            Leaf::Bool(b) => boolean(self.text).map(|value| b.cmp(&value)),
            Leaf::Number(number) => {
                number.compare(self.number.get_or_init(|| self.read_number()).as_ref()?)
            }
        }
    }

    fn instant(&self) -> Option<(DateTime<Utc>, bool)> {
        *self.instant.get_or_init(|| {
            let math = DateMath::parse(self.text)?;
            // Asking the server for the time takes longer than all the rest.
            let now = if math.start.is_none() { (self.now)() } else { DateTime::default() };
            Some((date::evaluate(&math, now), math.is_calculated()))
        })
    }

    fn read_number(&self) -> Option<Base10000> {
        match self.instant() {
            Some((instant, _)) => Some(Base10000::of(&date::milliseconds(instant))),
            None => Base10000::parse(self.text),
        }
    }
}

/// The number that a text reads as. A leaf that is a number holds an instant as milliseconds since
/// the epoch.
fn number(text: &str, instant: Option<DateTime<Utc>>) -> Option<Decimal> {
    instant.map(date::milliseconds).or_else(|| Decimal::parse(text))
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
            "2024-03-31T13:14:15.678Z",
            "2024-03-31T15:14:15.678+02:00",
            "2024-03-31T00:00:00Z",
            "2024-03-31T00:00:00Z+13HOURS",
            "1711890855678",
            "é",
        ];
        let mut scratch = Scratch::new();
        for text in texts {
            let (value, unread) = (Value::read(text, now), UnreadValue::new(text, || now));
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
