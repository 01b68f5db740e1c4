//! Objects of another language: JSON, MongoDB, Loki.

use super::clauses::Typed;
use super::{Habit, write};
use crate::syntax::ParseError;

/// `{"a": {"$gt": 5}}`, `{a: 1}`
pub fn object(text: &str) -> Option<String> {
    let trimmed = text.trim();
    if !trimmed.starts_with('{') || !trimmed.ends_with('}') {
        return None;
    }
    let value: serde_json::Value = match serde_json::from_str(trimmed) {
        Ok(value) => value,
        Err(_) => serde_json::from_str(&with_quoted_keys(trimmed)).ok()?,
    };
    let mut clauses = Vec::new();
    members("", &value, &mut clauses, 0)?;
    Some(clauses.join(" AND ")).filter(|query| !query.is_empty())
}

/// `f: {$gte: 400}`
pub fn operators(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let path = typed.token(clause.field?);
    let closes = typed.closing(number)?;
    let place = typed.place(clause.value).start..typed.place(closes).end;
    let inside = typed.slice(place.clone());
    if !inside.starts_with('{') || !inside.contains('$') {
        return None;
    }
    let value = serde_json::from_str(&with_quoted_keys(inside)).ok()?;
    let mut clauses = Vec::new();
    members(path, &value, &mut clauses, 0)?;
    let instead = match &clauses[..] {
        [] => return None,
        [one] => one.clone(),
        _ => format!("({})", clauses.join(" AND ")),
    };
    let span = typed.span(number).start..place.end;
    Some(Habit {
        kind: "comparisons",
        shown: span.clone(),
        edits: vec![(span, instead)],
        means: format!("asks for an object at {} with such keys", super::excerpt(path)),
        purpose: "for the condition",
    })
}

/// `f:{$in: [1, 2]}`, which no braces of a query may hold
pub fn list_in_braces(text: &str, _: &ParseError) -> Option<String> {
    let at = text.find("{$").or_else(|| text.find("{ $"))?;
    let head = text.get(..at)?.trim_end().strip_suffix(':')?;
    let start = head.rfind(|c: char| c.is_whitespace() || c == '(').map_or(0, |space| space + 1);
    let path = head.get(start..).filter(|path| write::is_path(path))?;
    let mut depth = 0;
    let end = text.get(at..)?.char_indices().find_map(|(place, c)| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        (depth == 0).then_some(at + place + 1)
    })?;
    let value = serde_json::from_str(&with_quoted_keys(text.get(at..end)?)).ok()?;
    let mut clauses = Vec::new();
    members(path, &value, &mut clauses, 0)?;
    Some(format!("{}{}{}", text.get(..start)?, clauses.join(" AND "), text.get(end..)?))
}

/// JSON with its keys and values in quotes, of an object as JavaScript has it.
fn with_quoted_keys(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text.replace('\'', "\"");
    while let Some(at) = rest.find(|c: char| c.is_alphanumeric() || "_$\"-".contains(c)) {
        let (head, tail) = rest.split_at(at);
        written += head;
        if tail.starts_with('"') {
            let end = super::lexer::closing_quote(tail, '"').unwrap_or(tail.len());
            written += tail.get(..end).unwrap_or_default();
            rest = tail.get(end..).unwrap_or_default().to_string();
            continue;
        }
        let end = tail
            .find(|c: char| !(c.is_alphanumeric() || "_$.-@".contains(c)))
            .unwrap_or(tail.len());
        let word = tail.get(..end).unwrap_or_default();
        match write::is_number(word) || matches!(word, "true" | "false" | "null") {
            true => written += word,
            false => written += &format!("\"{word}\""),
        }
        rest = tail.get(end..).unwrap_or_default().to_string();
    }
    written + &rest
}

/// The clauses of an object of conditions, as MongoDB has them.
fn members(
    path: &str,
    value: &serde_json::Value,
    clauses: &mut Vec<String>,
    depth: usize,
) -> Option<()> {
    use serde_json::Value;
    if depth > 16 {
        return None;
    }
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let bound = || scalar(value);
                let all = |values: &Value| -> Option<Vec<String>> {
                    values.as_array()?.iter().map(|v| scalar(v).map(|v| write::equal(&v))).collect()
                };
                let said = match key.as_str() {
                    "$gt" | "gt" => write::range(Some((&bound()?, false)), None),
                    "$gte" | "gte" => write::range(Some((&bound()?, true)), None),
                    "$lt" | "lt" => write::range(None, Some((&bound()?, false))),
                    "$lte" | "lte" => write::range(None, Some((&bound()?, true))),
                    "$eq" => write::equal(&bound()?),
                    "$in" => format!("({})", all(value)?.join(" OR ")),
                    "$regex" => super::patterns::whole_text(&bound()?, false),
                    "$exists" => match value {
                        Value::Bool(false) => {
                            clauses.push(format!("(*:* -{path}:*)"));
                            continue;
                        }
                        _ => "*".to_string(),
                    },
                    "$ne" => {
                        clauses.push(format!("(*:* -{path}:{})", write::equal(&bound()?)));
                        continue;
                    }
                    "$nin" => {
                        clauses.push(format!("(*:* -{path}:({}))", all(value)?.join(" OR ")));
                        continue;
                    }
                    "$and" | "$or" => {
                        let mut parts = Vec::new();
                        for value in value.as_array()? {
                            let mut inner = Vec::new();
                            members(path, value, &mut inner, depth + 1)?;
                            parts.push(match inner.len() {
                                1 => inner.remove(0),
                                _ => format!("({})", inner.join(" AND ")),
                            });
                        }
                        let joint = if key == "$or" { " OR " } else { " AND " };
                        clauses.push(format!("({})", parts.join(joint)));
                        continue;
                    }
                    "query" | "bool" | "term" | "match" | "range" | "filter" | "must"
                        if value.is_object() =>
                    {
                        members(path, value, clauses, depth + 1)?;
                        continue;
                    }
                    key if key.starts_with('$') => return None,
                    key => {
                        let path =
                            if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                        members(&path, value, clauses, depth + 1)?;
                        continue;
                    }
                };
                clauses.push(format!("{path}:{said}"));
            }
            Some(())
        }
        _ if path.is_empty() => None,
        Value::Null => {
            clauses.push(format!("(*:* -{path}:*)"));
            Some(())
        }
        Value::Array(values) => {
            let values: Option<Vec<String>> =
                values.iter().map(|v| scalar(v).map(|v| write::equal(&v))).collect();
            clauses.push(format!("{path}:({})", values?.join(" AND ")));
            Some(())
        }
        value => {
            clauses.push(format!("{path}:{}", write::equal(&scalar(value)?)));
            Some(())
        }
    }
}

/// `{app="foo"} |= "err"`, as Loki and Prometheus select
pub fn selector(text: &str) -> Option<String> {
    let open = text.find('{')?;
    let name = text.get(..open)?.trim();
    let is_metric = name.is_empty() || write::is_path(name);
    let (inside, behind) = text.get(open + 1..)?.split_once('}')?;
    if !is_metric || !inside.contains('=') {
        return None;
    }
    let labels = inside.replace("\", ", "\" AND ").replace("\",", "\" AND ");
    Some(format!("{labels}{behind}").trim().to_string())
}

/// `{a b}` without a field
pub fn in_braces(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let is_one = !inside.is_empty() && !inside.contains(['{', '}', '[', ']', '"']);
    is_one.then(|| inside.to_string())
}

/// `[a b]` without a field, and `{…}` with more in it
pub fn without_braces(text: &str, _: &ParseError) -> Option<String> {
    let inside = text.trim().strip_prefix(['{', '['])?.strip_suffix(['}', ']'])?;
    Some(inside.trim().to_string())
}
