//! Documents as the query language sees them: a set of leaves, each a scalar at a dotted path.
//!
//! A leaf's path is the object keys on the way to it joined with dots; arrays are transparent at any depth, and a key
//! that itself holds a dot gives the same path as nesting would. `null`, `{}` and `[]` are no leaves.

mod datum;
mod decimal;
mod jsonb;
mod sort_key;
#[cfg(any(test, feature = "pg_test"))]
mod tests;

pub use datum::{JsonbArg, JsonbDatum};
pub use decimal::Decimal;
pub use jsonb::{Item, Jsonb, Leaf};
pub use sort_key::sort_key;

/// The value of a leaf.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    Number(Decimal),
    String(&'a str),
    Bool(bool),
}

/// Anything whose leaves can be walked: PostgreSQL's binary jsonb, or `serde_json::Value` in tests.
pub trait Document {
    /// Calls `leaf` with the path and value of every leaf, in the document's own order.
    fn walk(&self, leaf: &mut dyn FnMut(&str, Scalar<'_>));
}

impl Document for serde_json::Value {
    fn walk(&self, leaf: &mut dyn FnMut(&str, Scalar<'_>)) {
        walk_value(self, &mut String::new(), true, leaf);
    }
}

fn walk_value(
    value: &serde_json::Value,
    path: &mut String,
    root: bool,
    leaf: &mut dyn FnMut(&str, Scalar<'_>),
) {
    use serde_json::Value;
    match value {
        Value::Null => {}
        Value::Bool(b) => leaf(path, Scalar::Bool(*b)),
        Value::Number(n) => {
            if let Some(n) = Decimal::parse(&n.to_string()) {
                leaf(path, Scalar::Number(n));
            }
        }
        Value::String(s) => leaf(path, Scalar::String(s)),
        Value::Array(items) => items.iter().for_each(|item| walk_value(item, path, root, leaf)),
        Value::Object(members) => {
            for (key, member) in members {
                let length = path.len();
                if !root {
                    path.push('.');
                }
                path.push_str(key);
                walk_value(member, path, false, leaf);
                path.truncate(length);
            }
        }
    }
}

#[cfg(test)]
mod walk_tests {
    use super::*;

    #[test]
    fn arrays_are_transparent_and_dots_join() {
        let doc: serde_json::Value = serde_json::from_str(
            r#"{"a":[{"b":1},[[{"b":"x"}]],null,{}],"c.d":true,"c":{"d":2.50},"":{"":0}}"#,
        )
        .unwrap();
        let mut leaves = Vec::new();
        doc.walk(&mut |path, value| leaves.push(format!("{path}={value:?}")));
        leaves.sort();
        let number = |n| format!("{:?}", Scalar::Number(Decimal::parse(n).unwrap()));
        let mut expected = vec![
            format!("a.b={}", number("1")),
            "a.b=String(\"x\")".to_string(),
            "c.d=Bool(true)".to_string(),
            format!("c.d={}", number("2.5")),
            format!(".={}", number("0")),
        ];
        expected.sort();
        assert_eq!(leaves, expected);
    }
}
