//! Repairs of values that hold special characters.

use super::brackets::value_end_of_junk;
use super::replaced;
use super::split;
use crate::habits::lexer::is_space;
use crate::habits::write;
use crate::syntax::ParseError;

/// Where the value that begins at a place ends: at a space or a parenthesis, outside quotes.
pub(super) fn value_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start_matches(is_space).len();
    let value = rest.get(blank..).unwrap_or_default();
    if let Some(first) = value.chars().next().filter(|c| matches!(c, '"' | '/'))
        && let Some(length) = crate::habits::lexer::closing_quote(value, first)
    {
        return start + blank + length;
    }
    if value.starts_with(['[', '{'])
        && let Some(close) = value.find([']', '}'])
    {
        return start + blank + close + 1;
    }
    let end = value.find(|c: char| is_space(c) || matches!(c, '(' | ')')).unwrap_or(value.len());
    start + blank + end
}

/// `path:/docs`, `/docs`
pub(super) fn slashes(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    if !tail.starts_with('/') {
        return None;
    }
    let end = value_end_of_junk(text, head.len());
    let value = text.get(head.len()..end)?;
    let instead = match value.contains('*') {
        true => write::wildcard(write::globs(value, '*', '?')),
        false => write::equal(value),
    };
    replaced(text, head.len(), end, &instead)
}

/// `user.id:f7661f25:7c49`, `url:http://x/y`, `at:12:30`, `f:a[b]`, `f:a"b"`, `f:a^b`
pub(super) fn colons(text: &str, error: &ParseError) -> Option<String> {
    let (head, _) = split(text, error)?;
    let start = head.rfind(|c: char| is_space(c) || c == '(').map_or(0, |at| at + 1);
    let start = start + text.get(start..)?.len()
        - text.get(start..)?.trim_start_matches(['+', '-', '!']).len();
    let end = value_end_of_junk(text, start);
    let word = text.get(start..end)?;
    // What joins two clauses is no part of a value.
    for operator in ["&&", "||", "&", "|"] {
        if let Some((first, second)) = word.split_once(operator)
            && first.contains(':')
            && second.contains(':')
        {
            let words = if operator.starts_with('&') { "AND" } else { "OR" };
            return replaced(text, start, end, &format!("{first} {words} {second}"));
        }
    }
    if let Some((first, second)) = word.split_once([',', ';'])
        && let ([_, value], true) =
            (&first.split(':').collect::<Vec<_>>()[..], second.contains(':'))
        && !value.is_empty()
    {
        return replaced(
            text,
            start,
            end,
            &format!("{first} AND {}", second.replace([',', ';'], " AND ")),
        );
    }
    let (field, value) = match word.split_once(':') {
        Some((field, value)) if write::is_path(field) && !value.starts_with("//") => {
            (format!("{field}:"), value)
        }
        _ => (String::new(), word),
    };
    let is_special =
        value.contains(crate::habits::lexer::is_special) || value.starts_with(['/', '-', '+', '!']);
    if value.is_empty()
        || !is_special
        || value.starts_with(['[', '{', '('])
        || value.contains('"') && (value.starts_with('"') || value.ends_with(':'))
    {
        return None;
    }
    // Of a path of Windows the backslashes are meant.
    let is_file = value.split('\\').skip(1).any(|part| part.starts_with(char::is_alphanumeric));
    let value = if is_file { value.to_string() } else { write::unescaped(value) };
    replaced(text, start, end, &format!("{field}{}", write::equal(&value)))
}

/// `f:-5`, `f:+5`, `f:!x`, `f:NOT x`
pub(super) fn signed_value(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let colon = head.trim_end().rfind(':')?;
    let sign = tail.strip_prefix(['-', '+']).map(|rest| (rest, true));
    let not = tail
        .strip_prefix("!=")
        .or_else(|| tail.strip_prefix('!'))
        .or_else(|| tail.strip_prefix("NOT "))
        .map(|rest| (rest, false));
    let (rest, is_sign) = sign.or(not)?;
    if colon + 1 != head.trim_end().len() {
        return None;
    }
    let end = value_end(text, text.len() - rest.len());
    let value = text.get(head.len()..end)?;
    let bare = text.get(text.len() - rest.len()..end)?.trim_start();
    let is_number = write::is_number(value.trim_start_matches('+'));
    if is_sign && is_number {
        return replaced(text, head.len(), end, &write::equal(value.trim_start_matches('+')));
    }
    if is_sign && let Some(time) = write::meant_time(value) {
        return replaced(text, head.len(), end, &write::equal(&time));
    }
    let start = head.rfind(|c: char| is_space(c) || c == '(').map_or(0, |at| at + 1);
    let field = text.get(start..=colon)?;
    let minus = if value.starts_with('+') { "" } else { "-" };
    replaced(text, start, end, &format!("{minus}{field}{bare}"))
}

/// `f:`, `f:()`, `f: AND b`, `:v`
pub(super) fn missing_value(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    if tail.starts_with(':') && head.trim().is_empty() {
        return replaced(text, 0, head.len() + 1, "");
    }
    for empty in ["()", "[]", "{}", "\"\""] {
        if let Some(at) = text.find(&format!(":{empty}")) {
            return replaced(text, at + 1, at + 1 + empty.len(), "*");
        }
    }
    let before = head.trim_end();
    let follows = tail.trim_start();
    let is_end = follows.is_empty()
        || follows.starts_with(')')
        || ["AND", "OR", "&&", "||"].iter().any(|word| follows.starts_with(word));
    (before.ends_with(':') && is_end).then(|| format!("{before}* {follows}").trim_end().to_string())
}
