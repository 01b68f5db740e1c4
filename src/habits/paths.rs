//! Paths as other languages write them: `$.a.b`, `a->b`, `a/b`, `a.0.b`, `f.keyword`.

use super::clauses::Typed;
use super::lexer::{Kind, is_space};
use super::scanner::Scanner;
use super::{Habit, write};

/// `q=f:x`, as in a URL
pub fn request_parameter(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let place = typed.place(typed.clause(number).field?);
    let name = typed.slice(place.clone());
    let rest = name.trim_start_matches('?');
    let rest = ["q=", "fq=", "query="].iter().find_map(|begin| rest.strip_prefix(begin))?;
    if number != 0 || place.start != 0 || rest.is_empty() {
        return None;
    }
    let length = name.len() - rest.len();
    Some(Habit {
        kind: "parameters",
        shown: typed.span(number),
        edits: vec![(0..length, String::new())],
        means: format!("looks at the path \"{}\"", super::excerpt(name)),
        purpose: "without the parameter's name",
    })
}

/// Whether what begins at a place stands directly behind something else, as only in a text that is
/// no query of anybody.
fn is_behind_another(typed: &Typed<'_>, start: usize) -> bool {
    let before = typed.text.get(..start).and_then(|before| before.chars().next_back());
    before.is_some_and(|c| !is_space(c) && !"(){}+-!".contains(c))
}

/// `path:/docs/x`, an expression and a word
pub fn adjacent_to_regexp(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if typed.value_kind(number)? != Kind::Regexp {
        return None;
    }
    let clause = typed.clause(number);
    let place = typed.place(clause.value);
    let rest = typed.text.get(place.end..)?;
    if is_behind_another(typed, typed.span(number).start) {
        return None;
    }
    // Behind an expression a flag may stand.
    let is_flag = rest.starts_with(['i', 'g', 'm', 's', 'u'])
        && rest.chars().nth(1).is_none_or(|c| is_space(c) || c == ')');
    if rest.is_empty() || is_flag || rest.starts_with(|c: char| is_space(c) || "()^~:".contains(c))
    {
        return None;
    }
    let end = rest.find(|c: char| is_space(c) || matches!(c, '(' | ')')).unwrap_or(rest.len());
    let text = typed.slice(place.start..place.end + end);
    if !text.chars().all(|c| c.is_alphanumeric() || "/_-.*:%@".contains(c)) {
        return None;
    }
    if clause.field.is_some() && text.contains(':') && !text.starts_with("//") {
        return None;
    }
    let is_path = text.split_once(':').filter(|_| clause.field.is_none());
    let instead = match is_path {
        Some((path, value)) => format!("{}:{value}", path.trim_matches('/').replace('/', ".")),
        None if text.contains('*') => write::wildcard(write::globs(text, '*', '?')),
        None => write::equal(text),
    };
    let place = place.start..place.end + end;
    Some(Habit {
        kind: "texts with slashes",
        shown: typed.span(number).start..place.end,
        edits: vec![(place, instead)],
        means: format!(
            "is the regular expression {}, and what follows is another clause",
            typed.value(number)
        ),
        purpose: if is_path.is_some() { "for the path" } else { "for the text" },
    })
}

/// The path as documents have it; none if it is written so.
fn spelled(name: &str) -> Option<(String, &'static str)> {
    let plain = name.replace('\\', "");
    if plain.contains("->") || plain.starts_with("$.") || plain.starts_with('.') {
        let mut scanner = Scanner { text: &plain, at: 0 };
        let path = scanner.path().filter(|_| scanner.rest().is_empty())?;
        return Some((path, "has signs that documents do not have"));
    }
    for quote in ['\'', '`'] {
        if let Some(inner) = plain.strip_prefix(quote).and_then(|p| p.strip_suffix(quote)) {
            return write::is_path(inner).then(|| (inner.to_string(), "has quotes in its name"));
        }
    }
    for end in [".keyword", ".raw", ".text"] {
        if let Some(path) = plain.strip_suffix(end).filter(|path| write::is_path(path)) {
            return Some((
                path.to_string(),
                "names a subfield that only an index of Elasticsearch has",
            ));
        }
    }
    if plain == "_all" {
        return Some(("*".to_string(), "names all fields of an index of Elasticsearch"));
    }
    if let Some(path) = plain.strip_prefix("_source.") {
        return Some((path.to_string(), "names the document itself"));
    }
    if plain.contains('/') && !name.contains('\\') {
        let parts: Vec<&str> = plain.split('/').collect();
        let fits = parts.iter().all(|part| write::is_path(part));
        return fits.then(|| (parts.join("."), "has slashes, where paths have dots"));
    }
    if plain.contains("::") {
        return None;
    }
    let parts: Vec<&str> = plain.split('.').collect();
    let is_index = |part: &&str| {
        !part.is_empty() && part.len() < 5 && part.bytes().all(|b| b.is_ascii_digit())
    };
    let kept: Vec<&str> = parts.iter().filter(|part| !is_index(part)).copied().collect();
    let fits = kept.len() < parts.len() && !kept.is_empty() && write::is_path(&kept.join("."));
    let begins = parts.first().is_some_and(|part| !is_index(part));
    (fits && begins)
        .then(|| (kept.join("."), "has the place of an array's element, which paths leave out"))
}

/// A field that is written in the way of another language
pub fn spelling(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let place = typed.place(typed.clause(number).field?);
    if is_behind_another(typed, place.start) {
        return None;
    }
    let has_suffix = typed.tokens.iter().any(|token| token.kind == Kind::Suffix);
    let (path, reason) = spelled(typed.slice(place.clone())).filter(|_| !has_suffix)?;
    let end = match typed.value_kind(number) {
        Some(Kind::Open) => place.end,
        _ => typed.span(number).end,
    };
    Some(Habit {
        kind: "paths",
        shown: place.start..end,
        edits: vec![(place, path)],
        means: reason.to_string(),
        purpose: "for the path",
    })
}
