//! What a query that is refused was probably meant to be.
//!
//! Each repair changes the text at the mistake. A text that is still refused is no repair, so every
//! one that is suggested can be run.

use super::clauses::Typed;
use super::lexer::{Kind, is_space};
use super::{rewrite, write};
use crate::syntax::{self, ParseError, ParseErrorKind};

/// How many repairs are suggested.
const MOST: usize = 3;

/// Beyond so many bytes nothing is suggested. Each repair is parsed.
const MAX_BYTES: usize = 2 << 10;

type Repair = fn(&str, &ParseError) -> Option<String>;

/// The most likely repairs first.
const REPAIRS: &[Repair] = &[
    bracketed_keys,
    quoted_field,
    wildcard_path,
    expression,
    range_ends,
    list_in_brackets,
    brackets_of_values,
    slashes,
    signed_value,
    missing_value,
    operators,
    closing_quote,
    closing_parenthesis,
    colons,
    escaped_quote,
    extra_parenthesis,
    backslash,
    without_braces,
];

/// The same error, with the repairs in its hint.
pub fn with_repairs(text: &str, mut error: ParseError) -> ParseError {
    let repairs = repairs(text, &error);
    if repairs.is_empty() {
        return error;
    }
    // The parser's hint is about a part of the text.
    let hint = error.hint.take().filter(|_| whole(text).is_none());
    let others = hint.map_or(String::new(), |hint| format!(" {hint}"));
    error.hint = Some(format!("Did you mean {}?{others}", repairs.join(", or ")));
    error
}

/// Queries that were probably meant by a text that is refused.
pub fn repairs(text: &str, error: &ParseError) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let is_readable = text.len() <= MAX_BYTES && !text.trim().is_empty() && !text.starts_with("{!");
    if error.kind != ParseErrorKind::Syntax || !is_readable {
        return found;
    }
    // All other repairs would look for the text itself.
    if error.message.contains("is not valid date math") {
        let query = date_math(text, error);
        return query.and_then(|query| parsed(meant(query))).into_iter().collect();
    }
    if let Some(query) = whole(text) {
        return vec![query];
    }
    let mut add = |repaired: String| {
        // A repair may show another habit, which its suggestion shows no more.
        let repaired = meant(repaired);
        let is_new =
            repaired != text && !found.contains(&repaired) && super::excerpt(&repaired) == repaired;
        if is_new && found.len() < MOST && syntax::parse(&repaired).is_ok() {
            found.push(repaired);
        }
    };
    let has_stray = Typed::read(text)
        .is_some_and(|typed| typed.tokens.iter().any(|token| token.kind == Kind::Stray));
    let rewritten = rewrite(text);
    if let Some(rewritten) = rewritten.as_ref().filter(|_| !has_stray) {
        add(rewritten.clone());
    }
    for repair in REPAIRS {
        let Some(once) = repair(text, error) else { continue };
        match syntax::parse(&once) {
            Ok(_) => add(once),
            // The same mistake, or a second one, somewhere else
            Err(error) => {
                REPAIRS.iter().filter_map(|again| again(&once, &error)).for_each(&mut add)
            }
        }
    }
    // Both a habit and a mistake
    if found.is_empty()
        && let Some(rewritten) = rewritten
        && let Err(error) = syntax::parse(&rewritten)
    {
        let repairs: Vec<String> = REPAIRS.iter().filter_map(|r| r(&rewritten, &error)).collect();
        repairs.into_iter().filter_map(parsed).take(MOST).for_each(|r| found.push(r));
    }
    if found.is_empty() {
        found.extend(whole_text(text).and_then(parsed));
    }
    found
}

/// The query of a text that is in another form as a whole. Repairs of its parts would keep the rest
/// of that form.
fn whole(text: &str) -> Option<String> {
    let query = object(text).or_else(|| selector(text)).or_else(|| in_braces(text))?;
    parsed(meant(query))
}

/// The query without the habits that it shows.
fn meant(query: String) -> String {
    rewrite(&query).filter(|meant| syntax::parse(meant).is_ok()).unwrap_or(query)
}

/// The query, if it is one.
fn parsed(query: String) -> Option<String> {
    syntax::parse(&query).is_ok().then_some(query)
}

/// Splits a text at the mistake.
fn split<'t>(text: &'t str, error: &ParseError) -> Option<(&'t str, &'t str)> {
    text.split_at_checked(error.position?.min(text.len()))
}

/// Replaces a part of a text.
fn replaced(text: &str, start: usize, end: usize, with: &str) -> Option<String> {
    Some(format!("{}{with}{}", text.get(..start)?, text.get(end..)?))
}

/// Times in other words, wherever they are
fn date_math(text: &str, error: &ParseError) -> Option<String> {
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

/// `{"a": {"$gt": 5}}`, `{a: 1}`
fn object(text: &str) -> Option<String> {
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

/// `a[0].b:v`, `a['b']:v`, `a[*].b:v`
fn bracketed_keys(text: &str, error: &ParseError) -> Option<String> {
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
fn quoted_field(text: &str, _: &ParseError) -> Option<String> {
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
    (!edits.is_empty()).then(|| super::apply(text, 0..text.len(), edits))
}

/// `a.*:v`, `*.b:v`, `a*:v`: values are found at one path, or at every path.
fn wildcard_path(text: &str, error: &ParseError) -> Option<String> {
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

/// Where the value that begins at a place ends: at a space or a parenthesis, outside quotes.
fn value_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start_matches(is_space).len();
    let value = rest.get(blank..).unwrap_or_default();
    if let Some(first) = value.chars().next().filter(|c| matches!(c, '"' | '/'))
        && let Some(length) = super::lexer::closing_quote(value, first)
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

/// The brackets around the mistake: where they open and close, and what is between.
fn brackets<'t>(text: &'t str, error: &ParseError) -> Option<(usize, usize, &'t str)> {
    let at = error.position?.min(text.len());
    let head = text.get(..at)?;
    let open = match text.get(at..)?.starts_with(['[', '{', '(']) {
        true => at,
        false => head.rfind(['[', '{']).or_else(|| head.rfind('('))?,
    };
    // Behind a word they are a part of it.
    let behind = text.get(..open)?.chars().next_back();
    if behind.is_some_and(|c| !is_space(c) && !matches!(c, ':' | '(')) {
        return None;
    }
    let inside = text.get(open + 1..)?;
    let close = inside.find([']', '}', ')']).map_or(text.len(), |end| open + 1 + end);
    Some((open, close, text.get(open + 1..close)?))
}

/// `[1 to 5]`, `[1, 5]`, `[1..5]`, `[1-5]`, `[1 5]`, `[1 TO]`, `[TO 5]`, `(1 TO 5]`
fn range_ends(text: &str, error: &ParseError) -> Option<String> {
    let (open, close, inside) = brackets(text, error)?;
    let trimmed = inside.trim();
    let lower = trimmed.to_ascii_lowercase();
    let word = |at: usize| {
        let before = trimmed.get(..at).unwrap_or_default();
        let behind = trimmed.get(at + 2..).unwrap_or_default();
        let is_edge =
            |text: &str, edge: Option<char>| text.is_empty() || edge.is_some_and(is_space);
        is_edge(before, before.chars().next_back()) && is_edge(behind, behind.chars().next())
    };
    let to = lower.match_indices("to").map(|(at, _)| at).find(|&at| word(at));
    let (first, second) = match to {
        Some(at) => (trimmed.get(..at)?, trimmed.get(at + 2..)?),
        None => trimmed
            .split_once("...")
            .or_else(|| trimmed.split_once(".."))
            .or_else(|| trimmed.split_once(','))
            .or_else(|| trimmed.split_once(" - "))
            .or_else(|| trimmed.split_once(['–', '—']))
            .or_else(|| trimmed.split_once(" and "))
            .or_else(|| trimmed.split_once(" AND "))
            .or_else(|| trimmed.split_once(';'))
            .or_else(|| {
                let mut words = trimmed.split(is_space);
                let (first, to, second) = (words.next()?, words.next()?, words.next()?);
                let is_word = !to.is_empty() && to.len() < 8 && to.chars().all(char::is_alphabetic);
                (is_word && words.next().is_none()).then_some((first, second))
            })
            .or_else(|| {
                let (a, b) = trimmed.split_once('-').or_else(|| trimmed.split_once(is_space))?;
                (write::is_number(a) || a.contains('-') || b.contains('-')).then_some((a, b))
            })?,
    };
    let bound = |text: &str| {
        let text = text.trim().trim_matches(['"', '\'']).trim_start_matches(['<', '>', '=']).trim();
        (!matches!(text, "" | "*")).then(|| text.to_string())
    };
    let (first, second) = (bound(first), bound(second));
    let is_item = |text: &Option<String>| {
        text.as_deref().is_none_or(|text| {
            write::is_number(text)
                || to.is_some()
                || text.starts_with(|c: char| c.is_ascii_digit())
                || write::meant_time(text).is_some()
        })
    };
    if !is_item(&first) || !is_item(&second) || first.is_none() && second.is_none() {
        return None;
    }
    let opens = !text.get(open..)?.starts_with(['{', '(']);
    let closes = !text.get(close..)?.starts_with(['}', ')']);
    let pair = |text: &'_ Option<String>, is: bool| text.clone().map(|text| (text, is));
    let (low, high) = (pair(&first, opens), pair(&second, closes));
    let range = write::range(
        low.as_ref().map(|(text, is)| (text.as_str(), *is)),
        high.as_ref().map(|(text, is)| (text.as_str(), *is)),
    );
    replaced(text, open, (close + 1).min(text.len()), &range)
}

/// `f:[a, b]`, `f:["a","b"]`, `f:{a, b}`
fn list_in_brackets(text: &str, error: &ParseError) -> Option<String> {
    let (open, close, inside) = brackets(text, error)?;
    if text.get(open..)?.starts_with('(') {
        return None;
    }
    let items: Vec<String> = inside
        .split([',', '|'])
        .map(|item| item.trim().trim_matches(['"', '\'']).trim())
        .filter(|item| !item.is_empty())
        .map(write::equal)
        .collect();
    if items.is_empty() || items.len() == 1 && inside.contains(is_space) {
        return None;
    }
    let instead = match &items[..] {
        [one] => one.clone(),
        _ => format!("({})", items.join(" OR ")),
    };
    replaced(text, open, (close + 1).min(text.len()), &instead)
}

/// `f:[a b]`, `{a b}`: groups are in parentheses.
fn brackets_of_values(text: &str, error: &ParseError) -> Option<String> {
    let (open, close, inside) = brackets(text, error)?;
    if inside.trim().is_empty() || text.get(open..)?.starts_with('(') {
        return None;
    }
    replaced(text, open, (close + 1).min(text.len()), &format!("({})", inside.trim()))
}

/// `f:[a-z]+`, `f:^foo`, `f:foo[0-9]`: an expression without slashes.
fn expression(text: &str, error: &ParseError) -> Option<String> {
    let (head, _) = split(text, error)?;
    let colon = head.rfind(':')?;
    let end = value_end_of_junk(text, colon + 1);
    let value = text.get(colon + 1..end)?.trim();
    let is_expression = value.starts_with('^')
        || ["a-z", "A-Z", "0-9", "[^"].iter().any(|class| value.contains(class))
            && value.contains(']');
    if !is_expression || value.contains([' ', '"', '/', ',']) {
        return None;
    }
    replaced(text, colon + 1, end, &super::patterns::whole_text(value, !value.starts_with('^')))
}

/// The end of a value with special characters: the next space, or a parenthesis that closes more
/// than the value opens.
fn value_end_of_junk(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut depth = 0usize;
    for (at, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return start + at,
            ')' => depth -= 1,
            c if is_space(c) && at > 0 => return start + at,
            _ => {}
        }
    }
    text.len()
}

/// `path:/docs`, `/docs`
fn slashes(text: &str, error: &ParseError) -> Option<String> {
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
fn colons(text: &str, error: &ParseError) -> Option<String> {
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
    if let Some((first, second)) = word.split_once(',')
        && let ([_, value], true) =
            (&first.split(':').collect::<Vec<_>>()[..], second.contains(':'))
        && !value.is_empty()
    {
        return replaced(
            text,
            start,
            end,
            &format!("{first} AND {}", second.replace(',', " AND ")),
        );
    }
    let (field, value) = match word.split_once(':') {
        Some((field, value)) if write::is_path(field) && !value.starts_with("//") => {
            (format!("{field}:"), value)
        }
        _ => (String::new(), word),
    };
    let is_special =
        value.contains(super::lexer::is_special) || value.starts_with(['/', '-', '+', '!']);
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
fn signed_value(text: &str, error: &ParseError) -> Option<String> {
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
fn missing_value(text: &str, error: &ParseError) -> Option<String> {
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

/// `AND a`, `a AND`, `a AND OR b`, `a OR OR b`
fn operators(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let tail = tail.trim_start_matches('(');
    let words = ["AND", "OR", "&&", "||", "NOT", "and", "or", "-", "+", "!"];
    let before = head.trim_end();
    if tail.trim_start().is_empty() || tail.trim_start().starts_with(')') {
        let word = words.iter().find(|word| before.ends_with(*word))?;
        let kept = before.strip_suffix(word).filter(|kept| kept.ends_with(is_space))?.trim_end();
        return (!kept.is_empty()).then(|| format!("{kept}{}", tail.trim_start()));
    }
    let word = words.iter().find(|word| tail.starts_with(*word))?;
    let behind = tail.strip_prefix(word)?;
    Some(format!("{head}{}", behind.trim_start()))
}

/// A quote that is never closed
fn closing_quote(text: &str, error: &ParseError) -> Option<String> {
    let (_, tail) = split(text, error)?;
    let is_quote = tail.starts_with('"') && !tail.get(1..)?.contains('"') && tail.len() > 1;
    is_quote.then(|| format!("{}\"", text.trim_end()))
}

/// A quote inside a value
fn escaped_quote(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let rest = tail.strip_prefix('"')?;
    Some(match rest.is_empty() || rest.starts_with(is_space) {
        true => format!("{head}{rest}"),
        false => format!("{head}\\\"{rest}"),
    })
}

/// A parenthesis that is never closed
fn closing_parenthesis(text: &str, error: &ParseError) -> Option<String> {
    let is_open = error.message.contains("never closed")
        && split(text, error)?.1.starts_with(['(', 'f', '{']);
    is_open.then(|| {
        let typed = Typed::read(text);
        let count = |kind| {
            typed.as_ref().map_or(0, |typed| typed.tokens.iter().filter(|t| t.kind == kind).count())
        };
        let missing = count(Kind::Open).saturating_sub(count(Kind::Close)).clamp(1, 64);
        format!("{}{}", text.trim_end(), ")".repeat(missing))
    })
}

/// A parenthesis that was never opened
fn extra_parenthesis(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let rest = tail.strip_prefix([')', ']', '}'])?;
    Some(format!("{head}{rest}"))
}

/// `{app="foo"} |= "err"`, as Loki and Prometheus select
fn selector(text: &str) -> Option<String> {
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

/// A backslash at the end, or one before no code
fn backslash(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let rest = tail.strip_prefix('\\')?;
    Some(format!("{head}\\\\{rest}"))
}

/// `{a b}` without a field
fn in_braces(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let is_one = !inside.is_empty() && !inside.contains(['{', '}', '[', ']', '"']);
    is_one.then(|| inside.to_string())
}

/// `[a b]` without a field, and `{…}` with more in it
fn without_braces(text: &str, _: &ParseError) -> Option<String> {
    let inside = text.trim().strip_prefix(['{', '['])?.strip_suffix(['}', ']'])?;
    Some(inside.trim().to_string())
}

/// The whole text as one value
fn whole_text(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() <= 200).then(|| write::equal(text))
}
