//! Repairs of what is missing or too much: operators, quotes, parentheses.

use super::split;
use crate::habits::clauses::Typed;
use crate::habits::lexer::Kind;
use crate::habits::lexer::is_space;
use crate::habits::write;
use crate::syntax::ParseError;

/// `AND a`, `a AND`, `a AND OR b`, `a OR OR b`
pub(super) fn operators(text: &str, error: &ParseError) -> Option<String> {
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
pub(super) fn closing_quote(text: &str, error: &ParseError) -> Option<String> {
    let (_, tail) = split(text, error)?;
    let is_quote = tail.starts_with('"') && !tail.get(1..)?.contains('"') && tail.len() > 1;
    is_quote.then(|| format!("{}\"", text.trim_end()))
}

/// A quote inside a value
pub(super) fn escaped_quote(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let rest = tail.strip_prefix('"')?;
    Some(match rest.is_empty() || rest.starts_with(is_space) {
        true => format!("{head}{rest}"),
        false => format!("{head}\\\"{rest}"),
    })
}

/// A parenthesis that is never closed
pub(super) fn closing_parenthesis(text: &str, error: &ParseError) -> Option<String> {
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
pub(super) fn extra_parenthesis(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let rest = tail.strip_prefix([')', ']', '}'])?;
    Some(format!("{head}{rest}"))
}

/// A backslash at the end, or one before no code
pub(super) fn backslash(text: &str, error: &ParseError) -> Option<String> {
    let (head, tail) = split(text, error)?;
    let rest = tail.strip_prefix('\\')?;
    Some(format!("{head}\\\\{rest}"))
}

/// The whole text as one value
pub(super) fn whole_text(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() <= 200).then(|| write::equal(text))
}
