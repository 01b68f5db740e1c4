//! Values as other languages write them: `null`, 'single quotes', wildcards in quotes, dates.

use super::clauses::Typed;
use super::lexer::{Kind, bounds, closing_quote};
use super::{Habit, write};
use crate::pattern::Glob;
use std::ops::Range;

pub fn is_null(word: &str) -> bool {
    matches!(word, "null" | "NULL" | "Null" | "nil" | "None" | "undefined")
}

/// A habit that replaces the value of a clause.
fn of_value(
    typed: &Typed<'_>,
    number: usize,
    kind: &'static str,
    instead: String,
    means: String,
    purpose: &'static str,
) -> Habit {
    let place = typed.place(typed.clause(number).value);
    Habit { kind, shown: typed.span(number), edits: vec![(place, instead)], means, purpose }
}

fn looks_for(text: &str) -> String {
    format!("looks for the text \"{}\"", super::excerpt(text))
}

/// `_exists_:f`, `_missing_:f`, `has:f`
pub fn existence(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let field = typed.token(typed.clause(number).field?);
    let is_missing = match field {
        "_exists_" | "_exist_" | "exists" | "has" => false,
        "_missing_" => true,
        _ => return None,
    };
    let value = match typed.value_kind(number)? {
        Kind::Word => typed.value(number).to_string(),
        Kind::Quoted => write::inside(typed.value(number)).to_string(),
        _ => return None,
    };
    if !write::is_path(&value) || matches!(value.as_str(), "true" | "false" | "yes" | "no") {
        return None;
    }
    let span = typed.span(number);
    let positive = format!("{value}:*");
    let edit = match is_missing {
        true => write::negated(typed, number, &positive, span.end),
        false => (span, positive),
    };
    Some(Habit {
        kind: "questions for paths",
        shown: edit.0.clone(),
        means: format!("{} at the path \"{field}\"", looks_for(&value)),
        purpose: match is_missing {
            true => "for documents without the path",
            false => "for documents with the path",
        },
        edits: vec![edit],
    })
}

/// `f:null`
pub fn null(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    clause.field?;
    if !typed.is_word(number) || !is_null(typed.value(number)) {
        return None;
    }
    let positive = format!("{}*", typed.prefix(number));
    let edit = write::negated(typed, number, &positive, typed.span(number).end);
    Some(Habit {
        kind: "nulls",
        shown: edit.0.clone(),
        means: format!("{}, and null is no value that is found", looks_for(typed.value(number))),
        purpose: match edit.1.starts_with(['-', '(']) {
            true => "for documents without a value there",
            false => "for documents with a value there",
        },
        edits: vec![edit],
    })
}

/// `f:'Ann Lee'`
pub fn single_quotes(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if !typed.is_word(number) {
        return None;
    }
    let place = typed.place(typed.clause(number).value);
    let rest = typed.text.get(place.start..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '`'))?;
    let length = closing_quote(rest, quote)?;
    let behind = rest.get(length..)?.chars().next();
    if behind.is_some_and(|c| c.is_alphanumeric() || c == quote || c == ':') {
        return None;
    }
    let quoted = write::inside(rest.get(..length)?);
    if quoted.is_empty() {
        return None;
    }
    let end = place.start + length;
    let is_pattern = quoted.contains(['*', '%']) && !quoted.contains(' ');
    let instead = match is_pattern {
        true => write::wildcard(write::globs(&quoted.replace('%', "*"), '*', '?')),
        false => format!("\"{}\"", quoted.replace('"', "\\\"")),
    };
    Some(Habit {
        kind: "single quotes",
        shown: typed.span(number).start..end,
        edits: vec![(place.start..end, instead)],
        means: format!(
            "{}: such quotes are characters like others",
            looks_for(typed.value(number))
        ),
        purpose: "for what is in them",
    })
}

/// `f:True`
pub fn boolean(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let word = typed.value(number);
    let lower = word.to_ascii_lowercase();
    let is_meant = matches!(lower.as_str(), "true" | "false") && lower != word;
    if !is_meant || !typed.is_word(number) || typed.field(number).is_none() {
        return None;
    }
    let means = looks_for(word);
    Some(of_value(typed, number, "booleans", lower, means, "for the boolean"))
}

/// `f:now`, `f:today`, `f:-7d`, `f:2024-01-01||/M`, `f:2024/01/31`, `f:31.1.2024`
pub fn date(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let word = typed.value(number);
    if !typed.is_word(number) || word == "NOW" || word.starts_with("NOW") {
        return None;
    }
    let purpose = "for the time";
    typed.field(number)?;
    let day = |from: &str, to: &str| write::range(Some((from, true)), Some((to, false)));
    let lower = word.to_ascii_lowercase();
    let instead = match lower.as_str() {
        "today" => day("NOW/DAY", "NOW+1DAY/DAY"),
        "yesterday" => day("NOW-1DAY/DAY", "NOW/DAY"),
        "tomorrow" => day("NOW+1DAY/DAY", "NOW+2DAYS/DAY"),
        _ => write::equal(&write::meant_time(word)?),
    };
    let purpose = match lower.as_str() {
        "now" => "for the time of the query",
        _ => purpose,
    };
    let means = looks_for(word);
    Some(of_value(typed, number, "words", instead, means, purpose))
}

/// `f:1,000`, `f:1_000`, `f:$12.50`
pub fn number(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let word = typed.value(number);
    if !typed.is_word(number) || typed.field(number).is_none() {
        return None;
    }
    let bare = word.trim_start_matches(['$', '€', '£', '¥']);
    let is_price = bare.len() < word.len() && bare.contains('.') && write::is_number(bare);
    let plain = grouped(bare).or_else(|| is_price.then(|| bare.to_string()))?;
    let means = looks_for(word);
    Some(of_value(typed, number, "numbers", plain, means, "for the number"))
}

/// `status:4xx`
pub fn status_class(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let word = typed.value(number);
    let class = word.strip_suffix("xx").or_else(|| word.strip_suffix("XX"))?;
    let is_class = matches!(class, "1" | "2" | "3" | "4" | "5");
    if !is_class || !typed.is_word(number) || typed.field(number).is_none() {
        return None;
    }
    let (lower, upper) = (format!("{class}00"), format!("{class}99"));
    let instead = write::range(Some((&lower, true)), Some((&upper, true)));
    let means = looks_for(word);
    Some(of_value(typed, number, "numbers", instead, means, "for these numbers"))
}

/// `ip:10.0.0.0/8`
pub fn network(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let word = typed.value(number);
    let (address, bits) = word.split_once('/')?;
    let parts: Vec<&str> = address.split('.').collect();
    let is_part = |part: &&str| part.parse::<u8>().is_ok();
    let kept = match bits {
        "8" => 1,
        "16" => 2,
        "24" => 3,
        "32" => 4,
        _ => return None,
    };
    let is_network = parts.len() == 4 && parts.iter().all(is_part) && typed.is_word(number);
    if !is_network || typed.field(number).is_none() {
        return None;
    }
    let address = parts.get(..kept)?.join(".");
    let instead = if kept == 4 { address } else { format!("{address}.*") };
    let means = looks_for(word);
    Some(of_value(typed, number, "networks", instead, means, "for the addresses of the network"))
}

/// `name:Ann%20Lee`
pub fn encoded(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let word = typed.value(number);
    let mut rest = word.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        decoded.push(match byte {
            b'%' => u8::try_from(16 * digit()? + digit()?).ok()?,
            byte => byte,
        });
    }
    let decoded = String::from_utf8(decoded).ok().filter(|decoded| decoded != word)?;
    if !typed.is_word(number) || typed.field(number).is_none() {
        return None;
    }
    let means = looks_for(word);
    Some(of_value(typed, number, "encodings", write::equal(&decoded), means, "for what it encodes"))
}

/// A number whose digits are in groups of three.
pub fn grouped(word: &str) -> Option<String> {
    let (whole, fraction) = word.split_once('.').map_or((word, ""), |(w, f)| (w, f));
    let separator = if whole.contains('_') { '_' } else { ',' };
    let mut groups = whole.split(separator);
    let first = groups.next()?;
    let is = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let rest: Vec<&str> = groups.collect();
    let fits = !rest.is_empty()
        && (1..=3).contains(&first.len())
        && is(first)
        && is(fraction)
        && rest.iter().all(|group| group.len() == 3 && is(group));
    let dot = if fraction.is_empty() { "" } else { "." };
    fits.then(|| format!("{first}{}{dot}{fraction}", rest.concat()))
}

/// What is in the quotes of a clause, and where the quotes are.
fn quoted<'t>(typed: &Typed<'t>, number: usize) -> Option<(&'t str, Range<usize>)> {
    let clause = typed.clause(number);
    let is_plain = typed.value_kind(number)? == Kind::Quoted && clause.last == clause.value;
    is_plain.then(|| (write::inside(typed.token(clause.value)), typed.place(clause.value)))
}

/// `f:"foo*"`
pub fn wildcard_in_quotes(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let (text, place) = quoted(typed, number)?;
    let globs = write::globs(text, '*', '?');
    let inner = |at: usize| at > 0 && at + 1 < globs.len();
    let is_letter = |at: usize| matches!(globs.get(at), Some(Glob::Char(c)) if c.is_alphanumeric());
    let is_meant = globs.iter().enumerate().any(|(at, glob)| match glob {
        Glob::Any => true,
        Glob::One => inner(at) && is_letter(at - 1) && is_letter(at + 1),
        Glob::Char(_) => false,
    });
    // Text with stars, such as Markdown or an expression, is text.
    let is_pattern = text.chars().all(|c| c.is_alphanumeric() || " *?-_./@".contains(c))
        && text != "*"
        && !(text.starts_with('/') && text.ends_with('/'));
    if !is_meant
        || !is_pattern
        || text.contains("**")
        || text.contains("/*")
        || text.contains("*/")
        || text.contains("* ") && text.contains(" *")
    {
        return None;
    }
    Some(Habit {
        kind: "wildcards in quotes",
        shown: typed.span(number),
        edits: vec![(place, write::wildcard(globs))],
        means: format!("{}: in quotes, wildcards are characters", looks_for(text)),
        purpose: "for the pattern",
    })
}

/// `f:"[1 TO 5]"`, `f:"/fo+/"`, `f:">5"`, `"f:v"`, `f:"a OR b"`
pub fn syntax_in_quotes(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let (text, place) = quoted(typed, number)?;
    if !typed.is_plain || typed.clauses.len() > 3 {
        return None;
    }
    let has_field = typed.field(number).is_some();
    let is_range = bounds(text).is_some_and(|(.., length)| length == text.len());
    let regexp = text.len() > 2
        && text.starts_with('/')
        && text.ends_with('/')
        && text.contains(['*', '+', '[', '|', '('])
        && !text.contains(' ');
    let sign = text.trim_start_matches(['<', '>', '=']);
    let is_comparison = has_field && sign.len() < text.len() && write::is_number(sign);
    let alternatives: Vec<&str> = text.split(" OR ").collect();
    let is_list = has_field
        && alternatives.len() > 1
        && alternatives.iter().all(|word| !word.contains(' ') && !word.is_empty());
    let clause = text.split_once(':').is_some_and(|(path, value)| {
        !has_field
            && write::is_path(path)
            && path.contains('.')
            && !value.is_empty()
            && value.chars().all(|c| c.is_alphanumeric() || c == '_')
    });
    let instead = match () {
        () if is_range || regexp || clause => text.to_string(),
        () if is_comparison => {
            let operator = text.strip_suffix(sign)?;
            match operator {
                ">" => write::range(Some((sign, false)), None),
                ">=" => write::range(Some((sign, true)), None),
                "<" => write::range(None, Some((sign, false))),
                "<=" => write::range(None, Some((sign, true))),
                _ => sign.to_string(),
            }
        }
        () if is_list => {
            let words: Vec<String> = alternatives.into_iter().map(write::equal).collect();
            format!("({})", words.join(" OR "))
        }
        () => return None,
    };
    Some(Habit {
        kind: "conditions in quotes",
        shown: typed.span(number),
        edits: vec![(place, instead)],
        means: format!("{}: quotes make all of it one text", looks_for(text)),
        purpose: "for the condition",
    })
}

/// `f:"ann lee"~3`
pub fn slop(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let suffix = typed.token(clause.last);
    let is_slop = typed.value_kind(number)? == Kind::Quoted
        && clause.last == clause.value + 1
        && suffix.starts_with('~')
        && !suffix.starts_with("~0");
    let text = write::inside(typed.token(clause.value));
    if !is_slop || !text.trim().contains(' ') {
        return None;
    }
    let mut globs = vec![Glob::Any];
    for word in text.split_whitespace() {
        globs.extend(word.chars().map(Glob::Char));
        globs.push(Glob::Any);
    }
    let place = typed.place(clause.value).start..typed.place(clause.last).end;
    Some(Habit {
        kind: "distances",
        shown: typed.span(number),
        edits: vec![(place, write::wildcard(globs))],
        means: format!("{} alone: values are whole texts, not words", looks_for(text)),
        purpose: "for a text with these words in this order",
    })
}

/// `f:foo%`
pub fn like_pattern(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let word = typed.value(number);
    let core = word.trim_matches('%');
    let is_meant = core.len() < word.len()
        && core.starts_with(char::is_alphabetic)
        && core.chars().all(|c| c.is_alphanumeric() || "_-.@%".contains(c));
    if !typed.is_word(number) || typed.field(number).is_none() || !is_meant {
        return None;
    }
    let instead = write::wildcard(write::globs(word, '%', '\0'));
    let means = looks_for(word);
    Some(of_value(typed, number, "patterns of LIKE", instead, means, "for the pattern"))
}
