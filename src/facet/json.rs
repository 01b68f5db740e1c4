//! JSON of requests and answers.

use crate::document::{BOOLEAN, Container, Item, Jsonb, Leaf, NUMBER, STRING, read_ordered};
use crate::error::{Error, Result};
use serde_json::{Map, Number, Value};

/// How deep a request may be nested.
const MAX_DEPTH: usize = 64;
/// How many bytes a request may have.
const MAX_BYTES: usize = 1 << 20;

/// A request as JSON.
pub fn request_to_json(request: Jsonb<'_>) -> Result<Value> {
    if request.bytes().len() > MAX_BYTES {
        let problem = format!("the request has more than {MAX_BYTES} bytes");
        return Err(Error::RequestTooLarge { problem });
    }
    container(request, MAX_DEPTH)
}

fn container(of: Jsonb<'_>, depth: usize) -> Result<Value> {
    let Some(depth) = depth.checked_sub(1) else {
        let problem = format!("the request is nested deeper than {MAX_DEPTH}");
        return Err(Error::RequestTooLarge { problem });
    };
    let value = |item: Item<'_, Jsonb<'_>>| match item {
        Item::Null => Ok(Value::Null),
        Item::Leaf(Leaf::String(text)) => Ok(Value::String(text.to_string())),
        Item::Leaf(Leaf::Bool(value)) => Ok(Value::Bool(value)),
        Item::Leaf(Leaf::Number(found)) => {
            Ok(found.decimal().map_or(Value::Null, |decimal| number(&decimal.to_string())))
        }
        Item::Container(inner) => container(inner, depth),
    };
    if of.is_object() {
        let mut members = Map::new();
        for (key, item) in of.members() {
            members.insert(key.to_string(), value(item)?);
        }
        return Ok(Value::Object(members));
    }
    if of.is_array() {
        return Ok(Value::Array(of.elements().map(value).collect::<Result<_>>()?));
    }
    of.elements().next().map_or(Ok(Value::Null), value)
}

/// A number, from a text that is one.
pub fn number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// A value, its type in front, as JSON. Numbers come in their one normal form.
pub fn value_to_json(value: &[u8]) -> Value {
    match value.split_first() {
        Some((&NUMBER, bytes)) => read_ordered(bytes)
            .and_then(|number| number.decimal())
            .map_or(Value::Null, |decimal| number(&decimal.to_string())),
        Some((&STRING, bytes)) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        Some((&BOOLEAN, bytes)) => Value::Bool(bytes == [1]),
        _ => Value::Null,
    }
}
