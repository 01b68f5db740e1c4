//! Parts of queries, written so that they mean what was meant.

use super::clauses::Typed;
use super::lexer::{self, Kind};
use crate::document::Decimal;
use crate::pattern::Glob;
use crate::syntax::{self, Bound, LeafQuery};
use std::ops::Range;

/// A value that must be equal, in quotes where it needs them.
pub fn equal(text: &str) -> String {
    LeafQuery::Equal(text.to_string()).to_string()
}

/// A text with wildcards, as it must be written outside quotes.
pub fn wildcard(globs: Vec<Glob>) -> String {
    match globs.iter().all(|glob| matches!(glob, Glob::Char(_))) {
        true => equal(
            &globs
                .iter()
                .filter_map(|g| if let Glob::Char(c) = g { Some(*c) } else { None })
                .collect::<String>(),
        ),
        false => LeafQuery::Wildcard(globs).to_string(),
    }
}

/// A text with something around it: "*text*".
pub fn within(before: bool, text: &str, behind: bool) -> String {
    let star = |is: bool| is.then_some(Glob::Any);
    wildcard(
        star(before).into_iter().chain(text.chars().map(Glob::Char)).chain(star(behind)).collect(),
    )
}

/// The wildcards of a text in which `any` stands for any characters and `one` for one.
pub fn globs(text: &str, any: char, one: char) -> Vec<Glob> {
    let mut chars = text.chars();
    let mut globs = Vec::new();
    while let Some(c) = chars.next() {
        globs.push(match c {
            '\\' => Glob::Char(chars.next().unwrap_or(c)),
            c if c == any => Glob::Any,
            c if c == one => Glob::One,
            c => Glob::Char(c),
        });
    }
    globs
}

/// A range. A bound is a text, and whether it belongs to the range itself.
pub fn range(lower: Option<(&str, bool)>, upper: Option<(&str, bool)>) -> String {
    let bound = |bound: Option<(&str, bool)>| match bound {
        None | Some(("*", _)) => Bound::Open,
        Some((text, true)) => Bound::Inclusive(moment(text)),
        Some((text, false)) => Bound::Exclusive(moment(text)),
    };
    LeafQuery::Range { lower: bound(lower), upper: bound(upper) }.to_string()
}

/// A bound as date math, where it is a time in other words.
pub fn moment(text: &str) -> String {
    meant_time(text).unwrap_or_else(|| text.to_string())
}

/// The date math that a text means: `now-1d`, `-7d`, `today`, `2024-01-01||/M`, `31.1.2024`.
pub fn meant_time(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let plain = lower.replace("()", "");
    match plain.as_str() {
        "now" | "current_timestamp" | "localtimestamp" | "getdate" | "sysdate" | "$__timeto" => {
            return Some("NOW".into());
        }
        "today" | "current_date" | "curdate" => return Some("NOW/DAY".into()),
        "yesterday" => return Some("NOW-1DAY/DAY".into()),
        "tomorrow" => return Some("NOW+1DAY/DAY".into()),
        _ => {}
    }
    if let Some((start, steps)) =
        text.split_once("||").filter(|_| text.starts_with(|c: char| c.is_ascii_digit()))
    {
        let start = match start.len() {
            4 => format!("{start}-01-01T00:00:00Z"),
            7 => format!("{start}-01T00:00:00Z"),
            10 => format!("{start}T00:00:00Z"),
            _ => start.to_string(),
        };
        return match steps {
            "" => Some(start),
            _ => syntax::meant_date_math(&format!("{start}{steps}"))
                .or_else(|| syntax::meant_date_math(&format!("{start}Z{steps}"))),
        };
    }
    if let Some(date) = calendar_date(text) {
        return Some(date);
    }
    if plain.starts_with("now") {
        return syntax::meant_date_math(&text.replace("()", ""))
            .filter(|meant| meant != text || text == "NOW");
    }
    let steps = text.strip_prefix(['-', '+'])?;
    let digits = steps.chars().take_while(char::is_ascii_digit).count();
    let (_, unit) = steps.split_at_checked(digits)?;
    // A number with one of Grafana's and Splunk's units.
    if digits == 0 || digits > 6 || !unit.starts_with(char::is_alphabetic) {
        return None;
    }
    syntax::meant_date_math(&format!("NOW{}", text.replace('@', "/")))
}

/// A date in the order of ISO 8601: of `2024/01/31`, `2024.01.31`, `31.01.2024`, `31/01/2024` and
/// `01/31/2024`. Where either number may be the month, the first is, unless there are dots.
fn calendar_date(text: &str) -> Option<String> {
    let separator = ['/', '.'].into_iter().find(|separator| text.contains(*separator))?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [first, second, third] = parts[..] else { return None };
    let number = |text: &str| -> Option<u32> {
        let is_plain = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_plain.then(|| text.parse().ok()).flatten()
    };
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    let (year, month, day) = match (first.len(), third.len()) {
        (4, 1..=2) => (a, b, c),
        (1..=2, 4) if separator == '.' || a > 12 => (c, b, a),
        (1..=2, 4) => (c, a, b),
        _ => return None,
    };
    let date = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    (1900..2200).contains(&year).then(|| date.format("%Y-%m-%d").to_string())
}

pub fn is_number(text: &str) -> bool {
    Decimal::parse(text).is_some()
}

/// Whether a text looks like a path, and not like a number or a sentence.
pub fn is_path(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '$'))
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '$' | '-'))
        && !text.ends_with(['-', '.'])
        && !text.contains("..")
}

/// A text without its escapes.
pub fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut plain = String::new();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    plain
}

/// What stands between the quotes of a token, or between its slashes.
pub fn inside(token: &str) -> &str {
    let mut chars = token.chars();
    chars.next();
    chars.next_back();
    chars.as_str()
}

/// How to write that a condition does not hold, for a clause of a query: the place that changes,
/// and the text. Where a prohibited clause would have nothing to take away from, it gets all
/// documents.
pub fn negated(
    typed: &Typed<'_>,
    number: usize,
    positive: &str,
    end: usize,
) -> (Range<usize>, String) {
    let clause = typed.clause(number);
    let start = typed.whole(number).start;
    let is_not = clause.modifier.is_some_and(|at| typed.kind(at) == Some(Kind::Not));
    // "not" is read as a word.
    let word = clause.prev.filter(|&prev| {
        clause.modifier.is_none()
            && clause.conjunction.is_none()
            && typed.is_bare(prev)
            && lexer::is_not(typed.value(prev))
    });
    let start = word.map_or(start, |word| typed.span(word).start);
    let text = match () {
        () if is_not || word.is_some() => positive.to_string(),
        () if clause.group.is_none() && typed.is_conjunct(number, end) => format!("-{positive}"),
        () => format!("(*:* -{positive})"),
    };
    (start..end, text)
}
