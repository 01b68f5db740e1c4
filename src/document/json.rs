//! `serde_json` values as documents. Tests use them, and compare the reader of binary jsonb with
//! them.

use super::container::{Container, Item};
use super::leaf::{Leaf, Number};
use serde_json::Value;

type JsonElements<'a> =
    std::iter::Map<std::slice::Iter<'a, Value>, fn(&'a Value) -> Item<'a, &'a Value>>;
type Member<'a> = (&'a str, Item<'a, &'a Value>);
type JsonMembers<'a> = std::iter::Map<
    std::iter::Flatten<std::option::IntoIter<&'a serde_json::Map<String, Value>>>,
    fn((&'a String, &'a Value)) -> Member<'a>,
>;

impl<'a> Container<'a> for &'a Value {
    type Elements = JsonElements<'a>;
    type Members = JsonMembers<'a>;

    fn elements(self) -> JsonElements<'a> {
        let elements = match self {
            Value::Array(elements) => elements.as_slice(),
            Value::Object(_) => &[],
            scalar => std::slice::from_ref(scalar),
        };
        elements.iter().map(item)
    }

    fn members(self) -> JsonMembers<'a> {
        self.as_object().into_iter().flatten().map(|(key, value)| (key, item(value)))
    }

    fn member_count(self) -> usize {
        self.as_object().map_or(0, serde_json::Map::len)
    }

    fn member(self, key: &str) -> Option<Item<'a, Self>> {
        self.as_object()?.get(key).map(item)
    }

    fn has_dotted_key(self) -> bool {
        self.members().any(|(key, _)| key.contains('.'))
    }
}

fn item(value: &Value) -> Item<'_, &Value> {
    match value {
        Value::Null => Item::Null,
        Value::Bool(value) => Item::Leaf(Leaf::Bool(*value)),
        Value::Number(number) => Item::Leaf(Leaf::Number(Number::Text(number.as_str()))),
        Value::String(text) => Item::Leaf(Leaf::String(text)),
        container => Item::Container(container),
    }
}
