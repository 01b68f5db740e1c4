//! How a value of a query compares with a leaf of each type.
//!
//! In Solr the schema says which type a field has. Here the type of each leaf decides how the value
//! is read.

use super::date;
use crate::document::{self, Decimal, Scalar, write_ordered};
use crate::syntax::DateMath;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
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
        // A leaf that is a number holds an instant as milliseconds since the epoch.
        let number = instant.map(date::milliseconds).or_else(|| Decimal::parse(text));
        let ordered = number.as_ref().map(|number| {
            let mut bytes = Vec::new();
            write_ordered(number, &mut bytes);
            bytes.into()
        });
        Value {
            text: text.to_string(),
            number,
            ordered,
            boolean: match text {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
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
                let leaf = self.instant.and_then(|_| document::instant(text));
                match self.instant.zip(leaf) {
                    Some((value, leaf)) => Some(leaf.cmp(&value)),
                    None if self.is_calculated => None,
                    None => Some(text.as_bytes().cmp(self.text.as_bytes())),
                }
            }
        }
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
        found == Some(inside) || (self.inclusive && found == Some(Ordering::Equal))
    }
}
