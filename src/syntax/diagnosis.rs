//! Why the grammar refuses a text, in plain words.

use super::grammar::Rule;
use crate::parse_error::ParseError;
use pest::error::{ErrorVariant, InputLocation};

/// The error of the grammar in plain words: what it expected and what it found.
pub(super) fn syntax_error(text: &str, error: &pest::error::Error<Rule>) -> ParseError {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rest = text.get(at..).unwrap_or_default();
    match rest.chars().next() {
        Some('"') => {
            return ParseError::syntax(
                at,
                "a quote that is never closed, or stands inside a value",
            )
            .with_hint("Escape a quote inside a value with a backslash.");
        }
        Some('\\') if rest.len() == 1 => {
            return ParseError::syntax(at, "a backslash with nothing to escape")
                .with_hint("Write a backslash itself as \\\\.");
        }
        Some('/') => {
            return ParseError::syntax(at, "a regular expression that is never closed")
                .with_hint("Put a value that begins with a slash in quotes.");
        }
        _ => {}
    }
    let mut expected: Vec<&str> = Vec::new();
    if let ErrorVariant::ParsingError { positives, .. } = &error.variant {
        for words in positives.iter().filter_map(|rule| in_words(*rule)) {
            if !expected.contains(&words) {
                expected.push(words);
            }
        }
    }
    expected.sort_unstable();
    if rest.starts_with(')') && expected.contains(&"the end") {
        return ParseError::syntax(at, "a parenthesis that was never opened")
            .with_hint("Escape a parenthesis inside a value with a backslash.");
    }
    let found = match rest.split_whitespace().next().filter(|_| !rest.trim().is_empty()) {
        None => "the end".to_string(),
        Some(word) => {
            let letters = word.chars().take_while(|c| c.is_alphanumeric()).count();
            let shown: String = word.chars().take(letters.clamp(1, 20)).collect();
            format!("\"{shown}\"")
        }
    };
    let message = match expected.split_last() {
        None => format!("unexpected {found}"),
        Some((last, [])) => format!("expected {last}, found {found}"),
        Some((last, others)) => format!("expected {} or {last}, found {found}", others.join(", ")),
    };
    let special = rest.starts_with([')', ']', '}', ':', '^', '~', '[', '{', '(', '+', '-', '!']);
    match special {
        true => ParseError::syntax(at, message).with_hint(
            "Put a value that holds special characters in quotes, or escape each with a backslash.",
        ),
        false => ParseError::syntax(at, message),
    }
}

/// What a rule is called in messages; none for what is not worth mentioning.
fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::bound | Rule::bound_bare | Rule::bound_quoted => "a bound",
        Rule::to => "TO",
        Rule::closing => "\"]\" or \"}\"",
        Rule::number => "a number",
        Rule::sort_key | Rule::sort_path | Rule::selected | Rule::function | Rule::argument => {
            "a path"
        }
        Rule::list_field | Rule::list_name => "a path",
        Rule::smallest | Rule::largest => "min or max",
        Rule::ascending | Rule::descending => "asc or desc",
        Rule::boost
        | Rule::fuzzy
        | Rule::conjunction
        | Rule::modifier
        | Rule::and
        | Rule::or
        | Rule::required
        | Rule::prohibited
        | Rule::close
        | Rule::close_object
        | Rule::sort_comma => return None,
        Rule::EOI => "the end",
        _ => "a clause",
    })
}
