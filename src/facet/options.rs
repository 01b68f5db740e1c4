//! The options of one facet of a request, each read as its type.

use super::statistic::Statistic;
use super::terms::{Order, OrderBy};
use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// The options of a facet.
#[derive(Clone, Copy)]
pub(super) struct Options<'o> {
    pub members: &'o Map<String, Value>,
    pub place: &'o str,
}

impl<'o> Options<'o> {
    /// Refuses all options but these.
    pub fn only(self, known: &[&str]) -> Result<()> {
        match self.members.keys().find(|key| !known.contains(&key.as_str())) {
            Some(other) => {
                let what = format!("the option \"{other}\"");
                Err(Error::Unsupported { place: format!("{}.{other}", self.place), what })
            }
            None => Ok(()),
        }
    }

    pub fn wrong(self, name: &str, problem: String) -> Error {
        wrong(&format!("{}.{name}", self.place), problem)
    }

    pub fn missing(self, name: &str) -> Error {
        wrong(self.place, format!("\"{name}\" is missing"))
    }

    pub fn get(self, name: &str) -> Option<&'o Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// An option that has two names. Solr ignores the second one beside the first.
    pub fn text_by(self, name: &str, other: &str) -> Result<Option<&'o str>> {
        match self.text(name)? {
            None => self.text(other),
            Some(_) if self.get(other).is_some() => {
                let problem = format!("there is \"{name}\", which is the same option");
                Err(self.wrong(other, problem))
            }
            found => Ok(found),
        }
    }

    pub fn text(self, name: &str) -> Result<Option<&'o str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, expected("a string", other))),
        }
    }

    pub fn flag(self, name: &str) -> Result<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(self.wrong(name, expected("true or false", other))),
        }
    }

    pub fn integer(self, name: &str) -> Result<Option<i64>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) if number.as_i64().is_some() => Ok(number.as_i64()),
            Some(other) => Err(self.wrong(name, expected("an integer", other))),
        }
    }

    pub fn at_least_0(self, name: &str, value: i64, or: &str) -> Result<u64> {
        u64::try_from(value)
            .map_err(|_| self.wrong(name, format!("expected at least 0{or}, found {value}")))
    }

    /// A list of words: an array of strings, or a string with commas.
    pub fn list(self, name: &str) -> Result<Vec<String>> {
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.trim().to_string()),
            other => Err(self.wrong(name, expected("a list of words", other))),
        };
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(words)) => words.iter().map(text).collect(),
            Some(Value::String(words)) if words.is_empty() => Ok(Vec::new()),
            Some(Value::String(words)) => {
                Ok(words.split(',').map(|word| word.trim().to_string()).collect())
            }
            Some(other) => Err(self.wrong(name, expected("a list of words", other))),
        }
    }
}

/// Reads `"count desc"`, `"index"` or `{"total": "desc"}`; the most frequent first by default.
pub(super) fn sort(options: Options<'_>, statistics: &[(String, Statistic)]) -> Result<Order> {
    let (by, direction) = match options.get("sort") {
        None => return Ok(Order { by: OrderBy::Count, descending: true }),
        Some(Value::String(text)) => match text.trim().rsplit_once(' ') {
            Some((by, direction)) => (by.trim(), Some(direction)),
            None => (text.trim(), None),
        },
        Some(Value::Object(members)) if members.len() == 1 => match members.iter().next() {
            Some((by, Value::String(direction))) => (by.as_str(), Some(direction.as_str())),
            _ => return Err(options.wrong("sort", "expected \"asc\" or \"desc\"".to_string())),
        },
        Some(other) => return Err(options.wrong("sort", expected("a string", other))),
    };
    let by_name = match by {
        "count" => OrderBy::Count,
        "index" => OrderBy::Value,
        name => {
            let found = statistics.iter().position(|(known, _)| known == name);
            OrderBy::Statistic(found.ok_or_else(|| {
                let problem =
                    format!("\"{name}\" is neither count, index nor a statistic of the facet");
                options.wrong("sort", problem)
            })?)
        }
    };
    let descending = match direction {
        None => by_name != OrderBy::Value,
        Some("asc") => false,
        Some("desc") => true,
        Some(other) => {
            let problem = format!("expected asc or desc, found \"{other}\"");
            return Err(options.wrong("sort", problem));
        }
    };
    Ok(Order { by: by_name, descending })
}

pub(super) fn wrong(place: &str, problem: String) -> Error {
    Error::Request { place: place.to_string(), problem }
}

pub(super) fn unsupported(place: &str, what: &str) -> Error {
    Error::Unsupported { place: place.to_string(), what: what.to_string() }
}

/// What was expected, and what was found instead.
pub(super) fn expected(what: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "null".to_string(),
        Value::Bool(_) => "a boolean".to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a string".to_string(),
        Value::Array(_) => "an array".to_string(),
        Value::Object(_) => "an object".to_string(),
    };
    format!("expected {what}, found {found}")
}
