//! Reads comparisons of other languages: a path, an operator and a value.

use super::lexer::{closing_quote, is_space};
use super::write;

/// Reads a text from a position on.
#[derive(Clone)]
pub struct Scanner<'t> {
    pub text: &'t str,
    pub at: usize,
}

/// An operator, in all its spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    /// An expression that must match the whole text.
    Matches,
    /// An expression that must match somewhere in the text.
    Searches,
    /// The same, in upper or lower case.
    SearchesAnyCase,
    Like,
    LikeAnyCase,
    Contains,
    Begins,
    Ends,
    In,
    Between,
    /// `IS NULL`
    IsNull,
    /// `IS NOT NULL`, `EXISTS`
    Exists,
}

/// What an operator compares with.
#[derive(Debug, Clone)]
pub enum Operand {
    /// In quotes of some kind.
    Text(String),
    Word(String),
    /// In slashes.
    Regexp(String),
    /// In parentheses, with them.
    Group(String),
}

impl Operand {
    pub fn text(&self) -> &str {
        match self {
            Operand::Text(text)
            | Operand::Word(text)
            | Operand::Regexp(text)
            | Operand::Group(text) => text,
        }
    }
}

use Operator as Op;

/// Signs, longest first; whether they negate.
const SIGNS: &[(&str, Op, bool)] = &[
    ("!==", Op::Equal, true),
    ("===", Op::Equal, false),
    ("!~*", Op::SearchesAnyCase, true),
    ("=~", Op::Matches, false),
    ("!~", Op::Matches, true),
    ("~*", Op::SearchesAnyCase, false),
    ("==", Op::Equal, false),
    ("!=", Op::Equal, true),
    ("<>", Op::Equal, true),
    (">=", Op::GreaterOrEqual, false),
    ("<=", Op::LessOrEqual, false),
    ("~=", Op::Searches, false),
    ("*=", Op::Contains, false),
    ("$=", Op::Ends, false),
    ("=:", Op::Equal, false),
    ("@>", Op::Equal, false),
    ("=<", Op::LessOrEqual, false),
    ("=>", Op::GreaterOrEqual, false),
    ("=!", Op::Equal, true),
    ("≥", Op::GreaterOrEqual, false),
    ("≤", Op::LessOrEqual, false),
    ("≠", Op::Equal, true),
    ("=", Op::Equal, false),
    (">", Op::Greater, false),
    ("<", Op::Less, false),
];

/// Words, the longest of those with the same beginning first; whether they negate.
const WORDS: &[(&str, Op, bool)] = &[
    ("is not null", Op::Exists, false),
    ("is not missing", Op::Exists, false),
    ("is not none", Op::Exists, false),
    ("is not empty", Op::Exists, false),
    ("is null", Op::IsNull, false),
    ("is empty", Op::IsNull, false),
    ("is missing", Op::IsNull, false),
    ("is none", Op::IsNull, false),
    ("isnull", Op::IsNull, false),
    ("notnull", Op::Exists, false),
    ("not exists", Op::IsNull, false),
    ("does not exist", Op::IsNull, false),
    ("exists", Op::Exists, false),
    ("not in", Op::In, true),
    ("in", Op::In, false),
    ("one of", Op::In, false),
    ("any of", Op::In, false),
    ("anyof", Op::In, false),
    ("any", Op::In, false),
    ("not ilike", Op::LikeAnyCase, true),
    ("ilike", Op::LikeAnyCase, false),
    ("not like", Op::Like, true),
    ("like", Op::Like, false),
    ("not between", Op::Between, true),
    ("between", Op::Between, false),
    ("similar to", Op::Like, false),
    ("rlike", Op::Searches, false),
    ("regexp", Op::Searches, false),
    ("matches", Op::Searches, false),
    ("not contains", Op::Contains, true),
    ("does not contain", Op::Contains, true),
    ("contains", Op::Contains, false),
    ("starts with", Op::Begins, false),
    ("startswith", Op::Begins, false),
    ("begins with", Op::Begins, false),
    ("ends with", Op::Ends, false),
    ("endswith", Op::Ends, false),
    ("equals", Op::Equal, false),
    ("is not", Op::Equal, true),
    ("is", Op::Equal, false),
    ("eq", Op::Equal, false),
    ("neq", Op::Equal, true),
    ("ne", Op::Equal, true),
    ("gte", Op::GreaterOrEqual, false),
    ("ge", Op::GreaterOrEqual, false),
    ("gt", Op::Greater, false),
    ("lte", Op::LessOrEqual, false),
    ("le", Op::LessOrEqual, false),
    ("lt", Op::Less, false),
];

impl<'t> Scanner<'t> {
    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn spaces(&mut self) -> bool {
        let trimmed = self.rest().trim_start_matches(is_space);
        let skipped = self.rest().len() - trimmed.len();
        self.at += skipped;
        skipped > 0
    }

    pub fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Words, in upper or lower case, with any space between them.
    pub fn take_words(&mut self, words: &str) -> bool {
        let start = self.at;
        for (number, word) in words.split(' ').enumerate() {
            if number > 0 && !self.spaces() {
                self.at = start;
                return false;
            }
            let found = self.rest().get(..word.len());
            let ends =
                |behind: &str| !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let behind = self.rest().get(word.len()..);
            if !found.is_some_and(|f| f.eq_ignore_ascii_case(word)) || !behind.is_some_and(ends) {
                self.at = start;
                return false;
            }
            self.at += word.len();
        }
        true
    }

    /// A path as other languages write it: `a.b`, `$.a.b`, `a->>'b'`, `a[0].b`, `a['b']`.
    pub fn path(&mut self) -> Option<String> {
        let mut path = String::new();
        // The column that holds the documents is no part of a path.
        if self.rest().starts_with("doc->") {
            self.at += "doc".len();
        }
        loop {
            let rest = self.rest();
            let is_arrow = rest.starts_with("->");
            let ident: &str = match rest.find(|c: char| {
                !(c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '$' | '-' | '#'))
            }) {
                Some(end) => rest.get(..end).unwrap_or_default(),
                None => rest,
            };
            if is_arrow {
                self.at += if rest.starts_with("->>") { 3 } else { 2 };
                let quote = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"'));
                let length = match quote {
                    Some(quote) => closing_quote(self.rest(), quote)?,
                    None => self
                        .rest()
                        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                        .unwrap_or(self.rest().len()),
                };
                let key = self.rest().get(..length)?;
                self.at += length;
                let key = key.trim_matches(['\'', '"']);
                if key.is_empty() {
                    return None;
                }
                if !key.bytes().all(|b| b.is_ascii_digit()) {
                    path.push('.');
                    path += key;
                }
                continue;
            }
            if rest.starts_with('[') && !path.is_empty() {
                let end = rest.find(']')?;
                let key = rest.get(1..end)?.trim_matches(['\'', '"']);
                self.at += end + 1;
                if !matches!(key, "" | "*") && !key.bytes().all(|b| b.is_ascii_digit()) {
                    path.push('.');
                    path += key;
                }
                continue;
            }
            let ident = match ident.find("->").or_else(|| {
                let behind = rest.get(ident.len()..).unwrap_or_default();
                let is_sign = ident.ends_with('-') && behind.starts_with('>')
                    || ident.ends_with('$') && behind.starts_with('=');
                is_sign.then(|| ident.len() - 1)
            }) {
                Some(end) => ident.get(..end).unwrap_or_default(),
                None => ident,
            };
            if ident.is_empty() {
                break;
            }
            self.at += ident.len();
            path += ident;
        }
        let path = path.trim_start_matches("$.").trim_start_matches('.');
        write::is_path(path).then(|| path.to_string())
    }

    /// A comparison written with signs.
    pub fn sign(&mut self) -> Option<(Operator, bool)> {
        let (sign, operator, is_negative) =
            SIGNS.iter().find(|(sign, ..)| self.rest().starts_with(sign))?;
        self.at += sign.len();
        Some((*operator, *is_negative))
    }

    /// A comparison written with words.
    pub fn words(&mut self) -> Option<(Operator, bool)> {
        let (_, operator, is_negative) = WORDS.iter().find(|(words, ..)| self.take_words(words))?;
        Some((*operator, *is_negative))
    }

    /// A value.
    pub fn operand(&mut self) -> Option<Operand> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        match first {
            '"' | '\'' | '`' => {
                let length = closing_quote(rest, first)?;
                self.at += length;
                Some(Operand::Text(write::unescaped(write::inside(rest.get(..length)?))))
            }
            '/' => {
                let behind = rest.get(1..)?;
                let close = behind.find('/')?;
                self.at += close + 2;
                Some(Operand::Regexp(behind.get(..close)?.to_string()))
            }
            '(' => {
                let close = rest.find(')')?;
                self.at += close + 1;
                Some(Operand::Group(rest.get(..=close)?.to_string()))
            }
            _ => self.word().map(Operand::Word),
        }
    }

    fn word(&mut self) -> Option<String> {
        if let Some(time) = self.time() {
            return Some(time);
        }
        let rest = self.rest();
        let mut end =
            rest.find(|c: char| is_space(c) || "()[]{},;\"^~|&".contains(c)).unwrap_or(rest.len());
        // A colon belongs to a time of day.
        if let Some(colon) = rest.get(..end)?.find(':') {
            let is_time = rest.get(..colon)?.ends_with(|c: char| c.is_ascii_digit());
            end = if is_time { end } else { colon };
        }
        let word = rest.get(..end)?;
        let starts = |c: char| c.is_alphanumeric() || "-+.$@*_%#".contains(c);
        if !word.starts_with(starts) || word.contains(['<', '>', '=', '≤', '≥', '≠']) {
            return None;
        }
        self.at += end;
        Some(word.to_string())
    }

    /// `now() - interval '7 days'`, `now - 7d`, `ago(7d)`
    fn time(&mut self) -> Option<String> {
        let start = self.at;
        if let Some(behind) = self.rest().strip_prefix("ago(")
            && let Some((steps, _)) = behind.split_once(')')
            && let Some(time) = write::meant_time(&format!("now-{}", steps.trim()))
        {
            self.at += "ago()".len() + steps.len();
            return Some(time);
        }
        let mut names = ["current_timestamp", "current_date", "now"].into_iter();
        names.find(|name| self.take_words(name))?;
        let name = self.text.get(start..self.at)?.to_string();
        self.take("()");
        let behind = self.at;
        let steps = (|| {
            self.spaces();
            let sign = ["-", "+"].into_iter().find(|sign| self.take(sign))?;
            self.spaces();
            self.take_words("interval");
            self.spaces();
            let quote = ["'", "\""].into_iter().find(|quote| self.take(quote));
            let count = self.rest().len()
                - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let count = self.rest().get(..count).filter(|count| !count.is_empty())?;
            self.at += count.len();
            self.spaces();
            let unit =
                self.rest().len() - self.rest().trim_start_matches(char::is_alphabetic).len();
            let unit = self.rest().get(..unit).filter(|unit| !unit.is_empty())?;
            self.at += unit.len();
            if quote.is_some_and(|quote| !self.take(quote)) {
                return None;
            }
            write::meant_time(&format!("now{sign}{count}{unit}"))
        })();
        if steps.is_none() {
            self.at = behind;
        }
        // `now/d`, `now-1d/d` and words that only begin so are read as words.
        let rest = self.rest();
        if rest.starts_with(['/', '-', '+', '.', '*']) {
            self.at = start;
            return None;
        }
        steps.or_else(|| write::meant_time(&name))
    }

    /// The values of a list in one word: `a,b`.
    pub fn listed_word(&mut self) -> Option<Vec<String>> {
        let rest = self.rest();
        let end = rest.find(is_space).unwrap_or(rest.len());
        let word = rest.get(..end)?;
        let values: Vec<String> = word.split(',').map(str::to_string).collect();
        let is_value = |c: char| c.is_alphanumeric() || "_-.@".contains(c);
        let is_list =
            values.len() > 1 && values.iter().all(|v| !v.is_empty() && v.chars().all(is_value));
        self.at += if is_list { end } else { 0 };
        is_list.then_some(values)
    }

    /// The values of a list in parentheses or brackets.
    pub fn list(&mut self) -> Option<Vec<String>> {
        let close = match () {
            () if self.take("(") => ")",
            () if self.take("[") => "]",
            () => return None,
        };
        let mut values = Vec::new();
        loop {
            self.spaces();
            if self.take(close) {
                return (!values.is_empty()).then_some(values);
            }
            if self.take(",") {
                continue;
            }
            self.take_words("or");
            self.spaces();
            match self.operand()? {
                Operand::Text(value) | Operand::Word(value) => values.push(value),
                Operand::Regexp(_) | Operand::Group(_) => return None,
            }
        }
    }
}
