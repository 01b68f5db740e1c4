//! How the text of a value reads for a leaf of each type.
//!
//! Solr asks its schema for a field's type; here the leaf's own type decides, one leaf at a time.

use super::date;
use crate::document::{Decimal, Scalar, write_ordered};
use chrono::{DateTime, Datelike, Utc};
use std::cmp::Ordering;

/// A value of a query, read once for every type that a leaf can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    pub text: String,
    pub number: Option<Decimal>,
    /// The number's bytes in order, as a number leaf is compared.
    pub ordered: Option<Box<[u8]>>,
    pub boolean: Option<bool>,
    /// An instant, from ISO-8601 or date math.
    pub instant: Option<DateTime<Utc>>,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    pub value: Value,
    pub inclusive: bool,
}

impl Value {
    /// `now` is what `NOW` stands for.
    pub fn read(text: &str, now: DateTime<Utc>) -> Value {
        let instant = date::parse_math(text, now);
        // A number leaf holds an instant as milliseconds since the epoch.
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
        }
    }

    /// How every text begins that is an instant within this value's second. Beyond the years that such texts have, something
    /// before or behind all of them.
    pub fn instant_second(&self) -> Option<String> {
        self.instant.map(|instant| match instant.year() {
            0..=9999 => instant.format("%Y-%m-%dT%H:%M:%S").to_string(),
            ..0 => String::new(),
            _ => ":".to_string(),
        })
    }

    pub fn equals(&self, leaf: &Scalar<'_>) -> bool {
        matches!(leaf, Scalar::String(text) if *text == self.text)
            || self.compare(leaf) == Some(Ordering::Equal)
    }

    /// The leaf against this value, as the leaf's type orders them; none where the value is none of that type. Strings
    /// that are instants compare as instants with an instant, all others by code point, which is the order of UTF-8.
    pub fn compare(&self, leaf: &Scalar<'_>) -> Option<Ordering> {
        match leaf {
            Scalar::Number(bytes) => self.ordered.as_deref().map(|value| (*bytes).cmp(value)),
            Scalar::Bool(b) => self.boolean.map(|value| b.cmp(&value)),
            Scalar::String(text) => {
                let instants = self.instant.zip(self.instant.and_then(|_| date::parse_iso(text)));
                Some(match instants {
                    Some((value, leaf)) => leaf.cmp(&value),
                    None => text.as_bytes().cmp(self.text.as_bytes()),
                })
            }
        }
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
