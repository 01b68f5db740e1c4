//! Dates, and Solr's date math (org.apache.solr.util.DateMathParser): `NOW-1DAY/DAY`,
//! `2021-02-23T19:18:04Z+1HOUR`, `2021-02/YEAR`.
//!
//! Solr reads date math where the schema says that a field holds dates, and refuses everything else
//! there. Here no schema says so. A text that looks like wrong date math is refused: compared as
//! text it would match everything or nothing. Any other text is taken as text.

use crate::document::{Date, Precision, Span, date_prefix, instant_prefix, is_plain_instant};
use crate::parse_error::ParseError;
use chrono::{DateTime, Utc};

/// A date or `NOW`, and the steps from there.
#[derive(Debug, Clone, PartialEq)]
pub struct DateMath {
    /// The date to start from; none is `NOW`.
    pub start: Option<Span<DateTime<Utc>>>,
    /// The steps, in the order in which they are applied.
    pub steps: Vec<Step>,
}

/// One step of date math.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// `+2DAYS`, `-1MONTH`
    Add(i32, Unit),
    /// `/YEAR`: back to the beginning of the year.
    Round(Unit),
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A calendar year.
    Year,
    /// A calendar month.
    Month,
    /// A day.
    Day,
    /// An hour.
    Hour,
    /// A minute.
    Minute,
    /// A second.
    Second,
    /// A millisecond.
    Milli,
}

/// What a text is in a query: a value or one bound of a range. More texts are refused as a bound,
/// since a bound is seldom a word or a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Value,
    Bound,
}

/// How many years all steps together may go. Beyond about 262,000 years from now chrono's calendar
/// ends.
const MAX_YEARS: i64 = 200_000;

/// The hint about units.
const UNITS: &str = "Units are YEAR, MONTH, DAY or DATE, HOUR, MINUTE, SECOND and MILLI or \
                     MILLISECOND, in capital letters, also in the plural.";

impl DateMath {
    /// Reads a date or date math; none if the text is anything else. A year alone is a number.
    pub fn parse(text: &str) -> Option<DateMath> {
        let (start, rest) = may_begin(text).then(|| start(text))??;
        let steps = steps(rest).ok()?;
        let is_year = start.is_some_and(|date| date.precision == Precision::Year);
        let start = start.map(|date| date.instants);
        (!is_year || !steps.is_empty()).then_some(DateMath { start, steps })
    }

    /// Reads a year, `2026`, where it is known to be none of the numbers.
    pub fn year(text: &str) -> Option<DateMath> {
        let (date, rest) = date_prefix(text)?;
        let is_year = date.precision == Precision::Year && rest.is_empty();
        is_year.then(|| DateMath { start: Some(date.instants), steps: vec![] })
    }

    /// Whether it is more than a date: it has steps, or starts from `NOW`.
    pub fn is_calculated(&self) -> bool {
        self.start.is_none() || !self.steps.is_empty()
    }
}

impl Unit {
    /// The unit of a name (DateMathParser.CALENDAR_UNITS).
    fn named(name: &str) -> Option<Unit> {
        Some(match name {
            "YEAR" | "YEARS" => Unit::Year,
            "MONTH" | "MONTHS" => Unit::Month,
            "DAY" | "DAYS" | "DATE" => Unit::Day,
            "HOUR" | "HOURS" => Unit::Hour,
            "MINUTE" | "MINUTES" => Unit::Minute,
            "SECOND" | "SECONDS" => Unit::Second,
            "MILLI" | "MILLIS" | "MILLISECOND" | "MILLISECONDS" => Unit::Milli,
            _ => return None,
        })
    }

    /// What somebody means by the name of a unit that Solr does not have: a number and the unit to
    /// write instead, in the singular. Upper and lower case are the same, except that `m` is a
    /// minute and `M` a month, as in Elasticsearch and Grafana.
    fn meant(name: &str) -> Option<(i32, &'static str)> {
        let lower = name.to_ascii_lowercase();
        Some(match lower.as_str() {
            "m" if name == "M" => (1, "MONTH"),
            "y" | "yr" | "yrs" | "year" | "years" => (1, "YEAR"),
            "q" | "quarter" | "quarters" => (3, "MONTH"),
            "mo" | "mon" | "mons" | "month" | "months" => (1, "MONTH"),
            "w" | "wk" | "wks" | "week" | "weeks" => (7, "DAY"),
            "fortnight" | "fortnights" => (14, "DAY"),
            "d" | "day" | "days" | "date" | "dates" => (1, "DAY"),
            "h" | "hr" | "hrs" | "hour" | "hours" => (1, "HOUR"),
            "m" | "min" | "mins" | "minute" | "minutes" => (1, "MINUTE"),
            "s" | "sec" | "secs" | "second" | "seconds" => (1, "SECOND"),
            "ms" | "msec" | "milli" | "millis" | "millisecond" | "milliseconds" => (1, "MILLI"),
            _ => return None,
        })
    }

    /// The longest duration of the unit, in milliseconds.
    fn milliseconds(self) -> i64 {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        match self {
            Unit::Year => 366 * DAY,
            Unit::Month => 31 * DAY,
            Unit::Day => DAY,
            Unit::Hour => 60 * 60 * 1000,
            Unit::Minute => 60 * 1000,
            Unit::Second => 1000,
            Unit::Milli => 1,
        }
    }
}

/// The start of date math (none is `NOW`), and the text behind it.
fn start(text: &str) -> Option<(Option<Date>, &str)> {
    match text.strip_prefix("NOW") {
        Some(rest) => Some((None, rest)),
        None => date_prefix(text).map(|(date, rest)| (Some(date), rest)),
    }
}

/// Reads the steps; the error says in plain words what is wrong with them.
fn steps(mut rest: &str) -> Result<Vec<Step>, String> {
    let (mut steps, mut reach) = (Vec::new(), 0i64);
    while let Some(operator) = rest.chars().next() {
        let Some(behind) = rest.strip_prefix(['+', '-', '/']) else {
            return Err(format!("expected +, - or /, found \"{}\"", shortened(rest)));
        };
        let (digits, behind) = split(behind, |c| c.is_ascii_digit());
        let (name, behind) = split(behind, char::is_alphabetic);
        rest = behind;
        if name.is_empty() {
            return Err(format!("a unit is missing behind \"{operator}{}\"", shortened(digits)));
        }
        let unit =
            Unit::named(name).ok_or_else(|| format!("there is no unit \"{}\"", shortened(name)))?;
        let count = match (operator, digits.parse::<i32>()) {
            ('/', _) if digits.is_empty() => {
                steps.push(Step::Round(unit));
                continue;
            }
            ('/', _) => return Err("a number behind \"/\", which rounds to one unit".to_string()),
            _ if digits.is_empty() => return Err(format!("a number is missing before {name}")),
            (_, Err(_)) => return Err(format!("{} is too large a number", shortened(digits))),
            ('-', Ok(count)) => -count,
            (_, Ok(count)) => count,
        };
        reach = reach.saturating_add(i64::from(count).abs().saturating_mul(unit.milliseconds()));
        if reach > MAX_YEARS * Unit::Year.milliseconds() {
            return Err(format!("it goes further than {MAX_YEARS} years"));
        }
        steps.push(Step::Add(count, unit));
    }
    Ok(steps)
}

/// Splits a text behind its first characters that satisfy the condition.
fn split(text: &str, is_within: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_within(c)).unwrap_or(text.len()))
}

/// The beginning of a text, as long as a message shows it.
fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_string(),
    }
}

/// Refuses a text that looks like wrong date math. `at` is its position in the query.
pub(super) fn check(text: &str, place: ValueKind, at: usize) -> Result<(), ParseError> {
    if !is_bad(text, place) {
        return Ok(());
    }
    let problem = match start(text) {
        Some((_, rest)) => steps(rest).err(),
        None => Some("NOW is written in capital letters".to_string()),
    };
    let shown = shortened(text);
    let message = format!("\"{shown}\" is not valid date math: {}", problem.unwrap_or_default());
    let otherwise = match place {
        ValueKind::Value => format!(" {{!term f=path}}{shown} looks for the text itself."),
        ValueKind::Bound => String::new(),
    };
    Err(ParseError::syntax(at, message).with_hint(format!("{}{otherwise}", how_to_write(text))))
}

/// What to write in place of wrong date math.
fn how_to_write(text: &str) -> String {
    let repair = repaired(text).map_or(String::new(), |repair| format!("Write {repair}. "));
    format!("{repair}{UNITS}")
}

/// What to write in place of a text where only an instant or date math can stand.
pub fn hint(text: &str) -> String {
    match is_bad(text, ValueKind::Bound) {
        true => how_to_write(text),
        false => {
            "Write an instant such as 2026-11-22T10:00:00Z, or date math such as NOW-1DAY.".into()
        }
    }
}

/// Whether a text looks like date math, but has an error.
#[inline]
pub(super) fn is_bad(text: &str, place: ValueKind) -> bool {
    may_begin(text)
        && !is_plain_instant(text)
        && DateMath::parse(text).is_none()
        && is_meant(text, place)
}

/// Whether a text may begin with `NOW`, in upper or lower case, or with a year and something behind
/// it. Most texts do not, and this check is fast.
#[inline]
fn may_begin(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.first(), Some(b'N' | b'n')) || matches!(bytes.get(4), Some(b'-' | b'+' | b'/'))
}

/// Whether a text looks like date math. Words and sentences do not: `NOWHERE`, `now-playing`, "NOW
/// or never", or a line of a log behind its instant.
fn is_meant(text: &str, place: ValueKind) -> bool {
    let is_sentence = |rest: &str| {
        rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with(char::is_alphabetic)
    };
    if let Some(rest) = text.strip_prefix("NOW") {
        let is_word = rest.starts_with(|c: char| c.is_alphabetic() || c == '_');
        return !is_word && (place == ValueKind::Bound || !is_sentence(rest));
    }
    if let Some(rest) = strip_now(text) {
        let behind = rest.trim_start().strip_prefix(['+', '-']).unwrap_or_default();
        let has_count = behind.trim_start().starts_with(|c: char| c.is_ascii_digit());
        return match rest {
            "" => place == ValueKind::Bound,
            _ => has_count || repaired(text).is_some(),
        };
    }
    if let Some((_, rest)) = instant_prefix(text) {
        return !is_sentence(rest);
    }
    // A month and what looks like steps may be a number of a part or an invoice: `2024-01-3d`.
    let least = match place {
        ValueKind::Value => Precision::Day,
        ValueKind::Bound => Precision::Month,
    };
    let has_steps =
        |(date, rest): (Date, &str)| date.precision >= least && rest.starts_with(['+', '-', '/']);
    date_prefix(text).is_some_and(has_steps) && repaired(text).is_some()
}

/// The text behind `NOW`, in upper or lower case.
fn strip_now(text: &str) -> Option<&str> {
    let (now, rest) = text.split_at_checked(3)?;
    now.eq_ignore_ascii_case("NOW").then_some(rest)
}

/// The date math that the text probably means, written correctly.
pub fn repaired(text: &str) -> Option<String> {
    let with_start = |start: String, rest| repaired_steps(start, rest);
    if let Some(rest) = strip_now(text) {
        return with_start("NOW".to_string(), rest);
    }
    let (_, rest) = date_prefix(text)?;
    with_start(text.strip_suffix(rest).unwrap_or_default().to_string(), rest)
}

fn repaired_steps(start: String, rest: &str) -> Option<String> {
    let (mut written, mut rest) = (start, rest.trim());
    while let Some(operator) = rest.chars().next() {
        let behind = rest.strip_prefix(['+', '-', '/'])?.trim_start();
        let (digits, behind) = split(behind, |c| c.is_ascii_digit());
        let (name, behind) = split(behind.trim_start(), char::is_alphabetic);
        let (factor, unit) = Unit::meant(name)?;
        let count = match digits {
            "" => 1,
            digits => digits.parse::<i32>().ok()?,
        };
        written.push(operator);
        match (operator, count.checked_mul(factor)?) {
            ('/', 1) => written += unit,
            ('/', _) => return None,
            (_, 1) => written += &format!("1{unit}"),
            (_, count) => written += &format!("{count}{unit}S"),
        }
        rest = behind.trim_start();
    }
    DateMath::parse(&written).map(|_| written)
}

#[cfg(test)]
mod tests;
