//! Comparisons: `status >= 400`, `f:>10`, `f IN (…)`, `f LIKE 'x%'`.

use super::clauses::Typed;
use super::lexer::{Kind, is_not, joins};
use super::patterns::{case_insensitive, whole_text};
use super::scanner::{Operand, Operator, Scanner};
use super::{Habit, write};

/// A condition in Solr's language: what stands behind the field, and whether it must not hold.
struct Condition {
    text: String,
    is_negative: bool,
}

/// A path, an operator and a value, or an operator and a value behind a field.
pub fn comparison(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let kind = typed.value_kind(number)?;
    let has_field = typed.field(number).is_some();
    let start = typed.place(clause.value).start;
    let mut scanner = Scanner { text: typed.text, at: start };
    let (path, condition) = match has_field {
        true => {
            let is_listed = clause.field.is_none();
            if !matches!(kind, Kind::Word | Kind::Not) || is_listed && !typed.is_plain {
                return None;
            }
            (None, behind_path(&mut scanner, true)?)
        }
        false => match kind {
            Kind::Word => match reversed(&mut scanner.clone(), &mut scanner) {
                Some((path, text)) => (Some(path), Condition { text, is_negative: false }),
                None => {
                    scanner.at = start;
                    // "and exists(f)" has no path "and".
                    if joins(typed.value(number)).is_some() || is_not(typed.value(number)) {
                        return None;
                    }
                    (Some(scanner.path()?), behind_path(&mut scanner, false)?)
                }
            },
            // SQL's quoted identifiers.
            Kind::Quoted => {
                let path = write::inside(typed.token(clause.value));
                scanner.at = typed.place(clause.value).end;
                let mut ahead = scanner.clone();
                ahead.spaces();
                ahead.sign()?;
                (
                    write::is_path(path).then(|| Some(path.to_string()))?,
                    behind_path(&mut scanner, false)?,
                )
            }
            _ => return None,
        },
    };
    let mut end = scanner.at;
    // With a boost or edits it is a value.
    if scanner.rest().starts_with(['^', '~']) {
        return None;
    }
    if scanner.take(";") && scanner.rest().trim().is_empty() {
        end = scanner.at;
    }
    let prefix = match (&path, clause.field) {
        (Some(path), _) => format!("{path}:"),
        (None, Some(_)) => typed.prefix(number),
        (None, None) => String::new(),
    };
    let positive = format!("{prefix}{}", condition.text);
    let edit = match condition.is_negative {
        true => write::negated(typed, number, &positive, end),
        false => (typed.span(number).start..end, positive),
    };
    let shown = edit.0.clone();
    let means = meaning(typed, number, end, path.is_some());
    Some(Habit {
        kind: "comparisons",
        shown,
        means,
        purpose: match compares_numbers(&condition.text) {
            true => "to compare numbers",
            false => "for the condition",
        },
        edits: vec![edit],
    })
}

/// Whether a condition is a range of numbers.
fn compares_numbers(condition: &str) -> bool {
    let inside = condition.strip_prefix(['[', '{']).map(|range| range.trim_end_matches([']', '}']));
    inside.is_some_and(|range| range.split(" TO ").all(|end| end == "*" || write::is_number(end)))
}

/// `f:>5` behind local parameters, whose writer knows the rest of Solr's language
pub fn behind_colon(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let is_simple = typed.clauses.len() < 3 && clause.group.is_none() && typed.is_word(number);
    let sign = typed.value(number).trim_start_matches(['<', '>', '=']);
    (is_simple && typed.text.starts_with("{!") && clause.field.is_some() && write::is_number(sign))
        .then(|| comparison(typed, number))
        .flatten()
}

/// What Solr's language reads.
fn meaning(typed: &Typed<'_>, number: usize, end: usize, is_path: bool) -> String {
    let start = typed.place(typed.clause(number).value).start;
    let read = typed.slice(start..end);
    let is_one = !read.contains(super::lexer::is_special);
    match (is_one, is_path) {
        (true, true) => format!("looks for the text \"{}\" at every path", super::excerpt(read)),
        (true, false) => format!("looks for the text \"{}\"", super::excerpt(read)),
        (false, true) => "looks for each of these words at every path".to_string(),
        (false, false) => format!(
            "looks for the text \"{}\", and for what follows it at every path",
            super::excerpt(typed.value(number))
        ),
    }
}

/// A number.
pub fn number(scanner: &mut Scanner<'_>) -> Option<String> {
    let rest = scanner.rest();
    let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-')));
    let number = rest.get(..end.unwrap_or(rest.len()))?;
    scanner.at += number.len();
    write::is_number(number).then(|| number.to_string())
}

/// `>400<500`, from behind the first sign: the range.
fn between(scanner: &mut Scanner<'_>, operator: Operator) -> Option<String> {
    use Operator as Op;
    let is_below = matches!(operator, Op::Less | Op::LessOrEqual);
    let first = number(scanner)?;
    scanner.spaces();
    let (other, is_negative) = scanner.sign()?;
    scanner.spaces();
    let second = number(scanner)?;
    let is_opposite = match other {
        Op::Less | Op::LessOrEqual => !is_below,
        Op::Greater | Op::GreaterOrEqual => is_below,
        _ => false,
    };
    if !is_opposite || is_negative {
        return None;
    }
    let is_closed = |operator| matches!(operator, Op::LessOrEqual | Op::GreaterOrEqual);
    let near = Some((first.as_str(), is_closed(operator)));
    let far = Some((second.as_str(), is_closed(other)));
    Some(if is_below { write::range(far, near) } else { write::range(near, far) })
}

/// `400 <= status`, `400<=status<500`: the path and the range.
fn reversed(scanner: &mut Scanner<'_>, result: &mut Scanner<'_>) -> Option<(String, String)> {
    let first = number(scanner)?;
    scanner.spaces();
    let (operator, is_negative) = scanner.sign()?;
    scanner.spaces();
    if operator == Operator::Equal && !is_negative && scanner.take(&first) {
        result.at = scanner.at;
        return Some(("*".to_string(), "*".to_string()));
    }
    let path = scanner.path()?;
    result.at = scanner.at;
    use Operator as Op;
    let near = (first.as_str(), matches!(operator, Op::LessOrEqual | Op::GreaterOrEqual));
    let is_below = matches!(operator, Op::Less | Op::LessOrEqual);
    if !is_below && !matches!(operator, Op::Greater | Op::GreaterOrEqual) {
        return (operator == Op::Equal && !is_negative).then_some((path, first.clone()));
    }
    scanner.spaces();
    let other = scanner.sign().and_then(|(operator, _)| {
        scanner.spaces();
        let other = number(scanner)?;
        result.at = scanner.at;
        Some((other, matches!(operator, Op::LessOrEqual | Op::GreaterOrEqual)))
    });
    let far = other.as_ref().map(|(text, inclusive)| (text.as_str(), *inclusive));
    let range = match is_below {
        true => write::range(Some(near), far),
        false => write::range(far, Some(near)),
    };
    Some((path, range))
}

/// An operator and its value, behind a path or behind a field's colon.
fn behind_path(scanner: &mut Scanner<'_>, has_colon: bool) -> Option<Condition> {
    let is_apart = scanner.spaces() || has_colon;
    let (operator, is_negative) = match scanner.sign() {
        Some(found) => found,
        None if is_apart && scanner.rest().starts_with(['~']) => {
            scanner.at += 1;
            scanner.spaces();
            if !scanner.rest().starts_with(['"', '\'', '/']) {
                return None;
            }
            (Operator::Searches, false)
        }
        None if !is_apart && is_search(scanner.rest()) => {
            scanner.at += 1;
            (Operator::Searches, false)
        }
        None if is_apart => return worded(scanner),
        None => return None,
    };
    scanner.spaces();
    let is_inequality = !matches!(
        operator,
        Operator::Equal | Operator::Matches | Operator::Searches | Operator::SearchesAnyCase
    );
    let mut ahead = scanner.clone();
    if is_inequality && let Some(text) = between(&mut ahead, operator) {
        scanner.at = ahead.at;
        return Some(Condition { text, is_negative });
    }
    let operand = scanner.operand()?;
    if matches!(&operand, Operand::Word(word) if !word.contains(|c: char| c.is_alphanumeric() || c == '*') || word.ends_with('@'))
    {
        return None;
    }
    condition(operator, &operand)
        .map(|(text, opposite)| Condition { text, is_negative: is_negative != opposite })
}

/// `~bob` directly behind a path, which asks for edits and then for a word.
fn is_search(rest: &str) -> bool {
    let word = rest.strip_prefix('~').unwrap_or_default();
    let behind = word.trim_start_matches(|c: char| c.is_alphanumeric() || "_.-@".contains(c));
    word.starts_with(char::is_alphabetic) && !behind.starts_with([':', '~', '^'])
}

/// An operator in words, and its value. Words of plain language need a value that makes sure.
fn worded(scanner: &mut Scanner<'_>) -> Option<Condition> {
    let before = scanner.at;
    let (operator, is_negative) = scanner.words()?;
    let word = scanner.text.get(before..scanner.at)?;
    let is_capital = !word.contains(|c: char| c.is_lowercase());
    let word = word.to_ascii_lowercase();
    // The space behind a condition that ends here separates it from what follows.
    if matches!(operator, Operator::IsNull | Operator::Exists) {
        let opposite = operator == Operator::IsNull;
        return (!scanner.rest().starts_with('('))
            .then_some(Condition { text: "*".into(), is_negative: is_negative != opposite });
    }
    let is_apart = scanner.spaces();
    let found = |text: String, opposite: bool| {
        Some(Condition { text, is_negative: is_negative != opposite })
    };
    match operator {
        Operator::In => {
            if let Some((.., length)) = super::lexer::bounds(scanner.rest()) {
                let range = scanner.rest().get(..length)?.to_string();
                scanner.at += length;
                return found(range, false);
            }
            let values = scanner.list().or_else(|| scanner.listed_word())?;
            let values: Vec<String> = values.iter().map(|value| write::equal(value)).collect();
            match &values[..] {
                [one] => found(one.clone(), false),
                _ => found(format!("({})", values.join(" OR ")), false),
            }
        }
        Operator::Between => {
            let lower = scanner.operand()?;
            scanner.spaces();
            if !scanner.take_words("and") && !scanner.take("&&") && !scanner.take(",") {
                return None;
            }
            scanner.spaces();
            let upper = scanner.operand()?;
            let bounds = [lower.text(), upper.text()].map(|text| Some((text, true)));
            found(write::range(bounds[0], bounds[1]), false)
        }
        _ => {
            if !is_apart && !scanner.rest().starts_with(['\'', '"', '(']) {
                return None;
            }
            let operand = scanner.operand()?;
            let is_sure = match &operand {
                Operand::Text(_) | Operand::Regexp(_) => true,
                Operand::Group(_) => false,
                Operand::Word(text) => match operator {
                    // In capital letters it is no word of plain language.
                    Operator::Like | Operator::LikeAnyCase => {
                        text.contains(['%', '*', '_']) || is_capital
                    }
                    Operator::Begins | Operator::Ends | Operator::Contains => true,
                    Operator::Equal if word == "is" || word == "is not" => {
                        write::is_number(text) || matches!(text.as_str(), "true" | "false")
                    }
                    Operator::Equal if matches!(word.as_str(), "eq" | "neq" | "equals") => true,
                    _ => write::is_number(text) || write::meant_time(text).is_some(),
                },
            };
            let (text, opposite) = condition(operator, &operand).filter(|_| is_sure)?;
            found(text, opposite)
        }
    }
}

/// The number of a price or of a measure: `$12`, `10KB`, `5s`. Documents have numbers alone.
fn number_alone(word: &str) -> Option<&str> {
    const UNITS: [&str; 17] = [
        "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "ns", "us", "ms", "s", "sec", "min", "m",
        "h", "%",
    ];
    let plain = word.trim_start_matches(['$', '€', '£', '¥']);
    let end = plain.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(plain.len());
    let (number, unit) = plain.split_at_checked(end)?;
    let is_unit = unit.is_empty() || UNITS.iter().any(|known| unit.eq_ignore_ascii_case(known));
    (number.len() < word.len() && is_unit && write::is_number(number)).then_some(number)
}

/// The condition, and whether it is the opposite of what is meant.
pub fn condition(operator: Operator, operand: &Operand) -> Option<(String, bool)> {
    use Operator::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let plain = match (operator, operand) {
        (Less | LessOrEqual | Greater | GreaterOrEqual, Operand::Word(word)) => number_alone(word),
        _ => None,
    };
    let text = plain.unwrap_or(operand.text());
    if let Operand::Group(group) = operand {
        let is_list = operator == Operator::Equal && !group.contains(['"', ':', '<', '>', '=']);
        return is_list.then(|| (group.clone(), false));
    }
    let said = match operator {
        Operator::Less => write::range(None, Some((text, false))),
        Operator::LessOrEqual => write::range(None, Some((text, true))),
        Operator::Greater => write::range(Some((text, false)), None),
        Operator::GreaterOrEqual => write::range(Some((text, true)), None),
        Operator::Equal => match operand {
            Operand::Word(word) if super::values::is_null(word) => return Some(("*".into(), true)),
            Operand::Word(word) if word.contains(['*', '?']) => word.clone(),
            Operand::Word(word) => match write::meant_time(word) {
                Some(time) => write::equal(&time),
                None => write::equal(word),
            },
            Operand::Regexp(source) => format!("/{source}/"),
            _ => write::equal(text),
        },
        Operator::Matches => whole_text(text, true),
        Operator::Searches => whole_text(text, false),
        Operator::SearchesAnyCase => case_insensitive(&whole_text(text, false)),
        Operator::Like => write::wildcard(like(text)),
        Operator::LikeAnyCase => case_insensitive(&like_regexp(text)),
        Operator::Contains => write::within(true, text, true),
        Operator::Begins => write::within(false, text, true),
        Operator::Ends => write::within(true, text, false),
        Operator::In | Operator::Between | Operator::IsNull | Operator::Exists => return None,
    };
    Some((said, false))
}

/// The wildcards of a pattern of LIKE. Without any of them, people expect those of shells.
fn like(text: &str) -> Vec<crate::pattern::Glob> {
    match text.contains('%') {
        true => write::globs(text, '%', '_'),
        false if text.contains('*') => write::globs(text, '*', '?'),
        false => write::globs(text, '%', '_'),
    }
}

/// The same as a regular expression.
fn like_regexp(text: &str) -> String {
    use crate::pattern::Glob;
    let source: String = like(text)
        .into_iter()
        .map(|glob| match glob {
            Glob::Any => ".*".to_string(),
            Glob::One => ".".to_string(),
            Glob::Char(c) if c.is_alphanumeric() || c == ' ' || c == '_' => c.to_string(),
            Glob::Char(c) => format!("\\{c}"),
        })
        .collect();
    format!("/{source}/")
}
