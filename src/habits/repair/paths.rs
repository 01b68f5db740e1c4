//! Repairs of paths and dates that are written as elsewhere.

use super::replaced;
use super::split;
use super::values::value_end;
use crate::habits::clauses::Typed;
use crate::habits::lexer::Kind;
use crate::habits::lexer::is_space;
use crate::habits::write;
use crate::syntax;
use crate::syntax::ParseError;

/// Times in other words, wherever they are
pub(super) fn date_math(text: &str, error: &ParseError) -> Option<String> {
    let mut text = text.to_string();
    let mut at = error.position?;
    // As many as somebody types.
    for _ in 0..4 {
        let tail = text.get(at..)?;
        let quoted = tail.strip_prefix('"').and_then(|inside| inside.split_once('"'));
        let value = match quoted {
            Some((value, _)) => value,
            None => tail.split(|c: char| is_space(c) || "])}".contains(c)).next()?,
        };
        let meant = write::meant_time(value).or_else(|| syntax::meant_date_math(value))?;
        let end = at + value.len() + if quoted.is_some() { 2 } else { 0 };
        // In a range only a space needs quotes, in a value a colon does, too.
        let is_bound = text.get(..at)?.ends_with(['[', '{']) || text.get(..at)?.ends_with(" TO ");
        let meant = if is_bound { meant } else { write::equal(&meant) };
        text = replaced(&text, at, end, &meant)?;
        match syntax::parse(&text) {
            Ok(_) => return Some(text),
            Err(error) => at = error.position?,
        }
    }
    None
}

/// `a[0].b:v`, `a['b']:v`, `a[*].b:v`
pub(super) fn bracketed_keys(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let open = if tail.starts_with('[') { head.len() } else { head.rfind('[')? };
    let close = open + text.get(open..)?.find(']')?;
    let key = text.get(open + 1..close)?;
    let is_behind_path =
        text.get(..open)?.ends_with(|c: char| c.is_alphanumeric() || "_]-".contains(c));
    let rest = text.get(close + 1..)?;
    let continues = rest.starts_with(['.', ':', '[']) || rest.trim_start().starts_with(':');
    if !is_behind_path || !continues {
        return None;
    }
    let key = key.trim_matches(['\'', '"', '`']);
    let is_place = matches!(key, "" | "*") || key.bytes().all(|b| b.is_ascii_digit() || b == b':');
    let with = if is_place { String::new() } else { format!(".{key}") };
    let once = replaced(text, open, close + 1, &with)?;
    // The others of the same path
    match syntax::parse(&once) {
        Err(error) if once.contains('[') => bracketed_keys(&once, &error).or(Some(once)),
        _ => Some(once),
    }
}

/// `"a.b":v`
pub(super) fn quoted_field(text: &str, _: &ParseError) -> Option<String> {
    let typed = Typed::read(text)?;
    let mut edits = Vec::new();
    for pair in typed.tokens.windows(2) {
        if let [quoted, colon] = pair
            && quoted.kind == Kind::Quoted
            && colon.kind == Kind::Colon
        {
            let name = write::inside(typed.slice(quoted.start..quoted.end));
            let mut path = String::new();
            for c in name.chars() {
                if !(c.is_alphanumeric() || "_.-@$".contains(c)) {
                    path.push('\\');
                }
                path.push(c);
            }
            edits.push((quoted.start..quoted.end, path));
        }
    }
    (!edits.is_empty()).then(|| crate::habits::apply(text, 0..text.len(), edits))
}

/// `a.*:v`, `*.b:v`, `a*:v`: values are found at one path, or at every path.
pub(super) fn wildcard_path(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let behind = tail.trim_start().strip_prefix(':')?;
    let start = head.trim_end().rfind(|c: char| is_space(c) || c == '(').map_or(0, |at| at + 1);
    let path = text.get(start..head.trim_end().len())?;
    let above = path.split(['*', '?']).next()?.trim_end_matches('.');
    let value_start = text.len() - behind.len();
    let end = value_end(text, value_start);
    let value = text.get(value_start..end)?.trim_start();
    if !path.contains(['*', '?']) || value.is_empty() {
        return None;
    }
    let instead = match write::is_path(above) {
        true => format!("({above}:* AND *:{value})"),
        false => format!("*:{value}"),
    };
    let instead = match start == 0 && end == text.len() {
        true => instead.trim_start_matches('(').trim_end_matches(')').to_string(),
        false => instead,
    };
    replaced(text, start, end, &instead)
}
