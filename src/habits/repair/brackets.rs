//! Repairs of what stands in brackets: ranges, lists and sets of letters.

use super::replaced;
use super::split;
use crate::habits::lexer::is_space;
use crate::habits::write;
use crate::syntax::ParseError;

/// The brackets around the mistake: where they open and close, and what is between.
pub(super) fn brackets<'t>(text: &'t str, error: &ParseError) -> Option<(usize, usize, &'t str)> {
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
pub(super) fn range_ends(text: &str, error: &ParseError) -> Option<String> {
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
pub(super) fn list_in_brackets(text: &str, error: &ParseError) -> Option<String> {
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
pub(super) fn brackets_of_values(text: &str, error: &ParseError) -> Option<String> {
    let (open, close, inside) = brackets(text, error)?;
    if inside.trim().is_empty() || text.get(open..)?.starts_with('(') {
        return None;
    }
    replaced(text, open, (close + 1).min(text.len()), &format!("({})", inside.trim()))
}

/// `f:[a-z]+`, `f:^foo`, `f:foo[0-9]`: an expression without slashes.
pub(super) fn expression(text: &str, error: &ParseError) -> Option<String> {
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
    replaced(
        text,
        colon + 1,
        end,
        &crate::habits::patterns::whole_text(value, !value.starts_with('^')),
    )
}

/// The end of a value with special characters: the next space, or a parenthesis that closes more
/// than the value opens.
pub(super) fn value_end_of_junk(text: &str, start: usize) -> usize {
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
