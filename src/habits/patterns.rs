//! Regular expressions as other engines write them. Lucene's cover the whole text, so `^` and `$`
//! are not needed, and stand for themselves.

use super::clauses::Typed;
use super::lexer::Kind;
use super::{Habit, write};
use crate::syntax;

/// An expression in slashes that matches the whole text, of one for another engine. If that engine
/// searches within texts, `is_whole` is false.
pub fn whole_text(source: &str, is_whole: bool) -> String {
    let (source, is_caseless) = match source.strip_prefix("(?i)") {
        Some(source) => (source, true),
        None => (source, false),
    };
    let begins = source.starts_with('^');
    let source = source.trim_start_matches('^');
    let ends = source.ends_with('$') && !source.ends_with("\\$");
    let source = source.strip_suffix('$').filter(|_| ends).unwrap_or(source);
    let is_open = |anchored: bool| !is_whole && !anchored;
    let mut inner = source.replace("(?:", "(").replace('/', "\\/").replace("\\\\/", "\\/");
    let (before, behind) = (is_open(begins), is_open(ends));
    inner = word_edges(&inner, before, behind);
    if (before || behind) && inner.contains('|') {
        inner = format!("({inner})");
    }
    let dots = |is: bool, has: bool| if is && !has { ".*" } else { "" };
    let has_before = inner.starts_with(".*") || inner.starts_with("(.*[^");
    let has_behind = inner.ends_with(".*") || inner.ends_with(".*)?");
    let pattern = format!("/{}{inner}{}/", dots(before, has_before), dots(behind, has_behind));
    if is_caseless { case_insensitive(&pattern) } else { pattern }
}

/// Replaces `\b` at the edges: something that belongs to no word, or the edge of the text.
fn word_edges(source: &str, is_open_before: bool, is_open_behind: bool) -> String {
    const NO_WORD: &str = "[^a-zA-Z0-9_]";
    let (mut inner, mut before, mut behind) = (source, String::new(), String::new());
    if let Some(rest) = inner.strip_prefix("\\b") {
        inner = rest;
        if is_open_before {
            before = format!("(.*{NO_WORD})?");
        }
    }
    if let Some(rest) = inner.strip_suffix("\\b") {
        inner = rest;
        if is_open_behind {
            behind = format!("({NO_WORD}.*)?");
        }
    }
    format!("{before}{inner}{behind}")
}

/// The same expression for upper and lower case.
pub fn case_insensitive(pattern: &str) -> String {
    let (mut written, mut in_class, mut is_escaped) = (String::new(), false, false);
    for c in pattern.chars() {
        let other = match c.is_lowercase() {
            true => c.to_uppercase().next().unwrap_or(c),
            false => c.to_lowercase().next().unwrap_or(c),
        };
        match c {
            c if is_escaped || other == c => written.push(c),
            c if in_class => written.extend([c, other]),
            c => written.extend(['[', c, other, ']']),
        }
        in_class = !is_escaped && (c == '[' || in_class && c != ']');
        is_escaped = c == '\\' && !is_escaped;
    }
    written
}

/// `f:/^foo$/`, `f:/\bfoo\b/`, `f:/(?:a|b)/`
pub fn anchors(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if typed.value_kind(number)? != Kind::Regexp {
        return None;
    }
    let place = typed.place(typed.clause(number).value);
    let source = write::inside(typed.slice(place.clone()));
    // A character, such as a letter, directly behind it is another mistake.
    let behind = typed.text.get(place.end..).and_then(|rest| rest.chars().next());
    let begins = source.starts_with('^');
    let ends = source.len() > 1 && source.ends_with('$') && !source.ends_with("\\$");
    let has_word_edge =
        source.starts_with("\\b") || source.ends_with("\\b") && !source.ends_with("\\\\b");
    let has_group = source.contains("(?:") || source.starts_with("(?i)");
    let is_simple = typed.clauses.len() < 3
        && !typed.text.contains(['\n', '\t'])
        && !source.contains("()")
        && !typed.prefix(number).contains('\\')
        && source.trim_matches(['^', '$']).contains(char::is_alphanumeric);
    if !(begins || ends || has_word_edge || has_group)
        || !is_simple
        || behind.is_some_and(|c| c.is_alphanumeric())
    {
        return None;
    }
    let means = match () {
        () if begins || ends => {
            "covers the whole text anyway, and its ^ and $ are characters of the text"
        }
        () if has_word_edge => "covers the whole text, and \\b is the letter b",
        () => "has a (?…), which Lucene's expressions do not know",
    };
    // Without anchors an expression is taken as it is: it covers the whole text, as Lucene says.
    let is_whole = !(begins || ends || has_word_edge);
    let pattern = whole_text(source, is_whole);
    Some(Habit {
        kind: "regular expressions",
        shown: typed.span(number),
        edits: vec![(place, pattern)],
        means: means.to_string(),
        purpose: "for the expression",
    })
}

/// `f:/foo/i`: an expression, and a word
pub fn flags(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let place = typed.place(typed.clause(number).value);
    let next = typed.clause(number).next?;
    let flags = typed.value(next);
    let is_flags = typed.value_kind(number)? == Kind::Regexp
        && typed.is_bare(next)
        && typed.span(next).start == place.end
        && flags.len() < 4
        && flags.chars().all(|c| "gimsu".contains(c));
    if !is_flags {
        return None;
    }
    let source = write::inside(typed.slice(place.clone()));
    let pattern = whole_text(source, true);
    let pattern = if flags.contains('i') { case_insensitive(&pattern) } else { pattern };
    let end = typed.span(next).end;
    Some(Habit {
        kind: "regular expressions",
        shown: typed.span(number).start..end,
        edits: vec![(place.start..end, pattern)],
        means: format!(
            "is an expression, and \"{flags}\" a word to look for, as there are no flags"
        ),
        purpose: "for the expression",
    })
}

/// An expression without slashes: `f:.*foo.*`, `f:\d+`, `f:^foo`.
pub fn in_word(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if !typed.is_word(number) {
        return None;
    }
    let word = typed.value(number);
    let place = typed.place(typed.clause(number).value);
    let has_class = ["\\d", "\\w", "\\s"].iter().any(|class| {
        word.split(class).skip(1).any(|rest| rest.starts_with(['+', '*']))
            || word.matches(class).count() > 1 && word.replace(class, "").is_empty()
    }) && !word.contains("\\\\");
    let is_dotted = word.starts_with(".*") || word.starts_with(".+") || word == "*.*";
    let ends = word.len() > 2 && word.ends_with('$') && word.contains(".*");
    let has_edges = word.len() > 4 && word.starts_with("\\b") && word.ends_with("\\b");
    if !has_class && !is_dotted && !ends && !has_edges {
        return None;
    }
    let instead = match word {
        ".*" | ".+" | "*.*" => match typed.clause(number).field {
            Some(_) => "*".to_string(),
            None => "*:*".to_string(),
        },
        _ => whole_text(
            &word.replace("\\d", "[0-9]").replace("\\w", "[A-Za-z0-9_]").replace("\\s", "[ \t]"),
            !has_edges,
        ),
    };
    syntax::parse(&instead).ok()?;
    Some(Habit {
        kind: "expressions without slashes",
        shown: typed.span(number),
        edits: vec![(place, instead)],
        means: match has_class || has_edges {
            true => "is a text in which a backslash makes the next letter stand for itself".into(),
            false => "is a text with wildcards, in which a dot is a dot".to_string(),
        },
        purpose: "for a regular expression",
    })
}
