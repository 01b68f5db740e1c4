//! Simple queries, read by hand in one pass: values, prefixes, wildcards and ranges at paths, with `+` and `-`, in parentheses. As
//! canonical forms these are most of the queries that tables hold, where each row may have another.
//!
//! What is not as simple is left to the grammar, and what is read here reads as the grammar has it; the tests compare.

use super::ast::{Ast, Bound, Form, Occur};
use super::date_math::{self, Place};
use super::escape::{is_plain, unescape};
use super::limits::{MAX_LEAVES, check_path};
use super::operand::globs;
use crate::interrupts;

/// Parentheses within parentheses that are simple still.
const MAX_DEPTH: usize = 16;

/// None is for the grammar.
pub(super) fn read(text: &str) -> Option<Ast> {
    let mut reader = Reader { rest: text, leaves: 0 };
    let query = reader.clauses(0)?;
    reader.rest.is_empty().then_some(query)
}

struct Reader<'t> {
    rest: &'t str,
    /// So many were read.
    leaves: usize,
}

impl<'t> Reader<'t> {
    fn clauses(&mut self, depth: usize) -> Option<Ast> {
        let mut list = Vec::new();
        loop {
            let occur = match () {
                () if self.take('+') => Occur::Must,
                () if self.take('-') => Occur::MustNot,
                () => Occur::Should,
            };
            let clause = match self.take('(') {
                true if depth == MAX_DEPTH => return None,
                true => {
                    let group = self.clauses(depth + 1)?;
                    self.take(')').then_some(group)?
                }
                false => self.leaf()?,
            };
            if list.is_empty() && occur == Occur::Should && self.is_at_end() {
                return Some(clause);
            }
            list.push((occur, clause));
            if !self.take(' ') {
                return Some(Ast::Boolean(list));
            }
        }
    }

    fn leaf(&mut self) -> Option<Ast> {
        interrupts::spend(8);
        self.leaves += 1;
        if self.leaves > MAX_LEAVES {
            return None;
        }
        if let Some(rest) = self.rest.strip_prefix("*:*") {
            self.rest = rest;
            return self.ends_value().then_some(Ast::All);
        }
        let mut path = None;
        if let Some(form) = self.delimited() {
            return self.ends_value().then_some(Ast::Leaf { path, form: form? });
        }
        let mut word = self.word()?;
        if self.take(':') {
            let name = (word.wild == 0).then(|| unescape(word.text, 0).ok())??;
            // Names that mean something else, or are refused.
            if matches!(name.as_str(), "_query_" | "_val_") || check_path(&name).is_err() {
                return None;
            }
            path = Some(name);
            if let Some(form) = self.delimited() {
                return self.ends_value().then_some(Ast::Leaf { path, form: form? });
            }
            word = self.word()?;
        }
        let form = match word.text {
            "*" if path.is_none() => return self.ends_value().then_some(Ast::All),
            "*" => Form::Exists,
            text if word.wild == 0 => equal(unescape(text, 0).ok()?)?,
            text if word.is_prefix => Form::Prefix(unescape(text.strip_suffix('*')?, 0).ok()?),
            text => Form::Wildcard(globs(text)),
        };
        self.ends_value().then_some(Ast::Leaf { path, form })
    }

    /// What quotes or brackets enclose, if it begins here; inner none if it is not simple.
    fn delimited(&mut self) -> Option<Option<Form>> {
        match self.rest.as_bytes().first()? {
            b'"' => Some(self.quoted().and_then(equal)),
            b'[' | b'{' => Some(self.range()),
            _ => None,
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let inside = self.rest.strip_prefix('"')?;
        let mut is_escaped = false;
        let end = inside.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        })?;
        let (text, rest) = inside.split_at(end);
        self.rest = rest.strip_prefix('"')?;
        unescape(text, 0).ok()
    }

    fn range(&mut self) -> Option<Form> {
        let opens = self.take('[') || !self.take('{');
        let lower = self.bound()?;
        self.rest = self.rest.strip_prefix(" TO ")?;
        let upper = self.bound()?;
        let closes = self.take(']');
        if !closes && !self.take('}') {
            return None;
        }
        let end = |text: Option<&str>, inclusive| match text {
            None => Bound::Open,
            Some(text) if inclusive => Bound::Inclusive(text.to_string()),
            Some(text) => Bound::Exclusive(text.to_string()),
        };
        Some(match (end(lower, opens), end(upper, closes)) {
            (Bound::Open, Bound::Open) => Form::Exists,
            (lower, upper) => Form::Range { lower, upper },
        })
    }

    /// One end of a range; inner none if it is open.
    fn bound(&mut self) -> Option<Option<&'t str>> {
        let (bound, rest) = match self.rest.strip_prefix('"') {
            Some(inside) => inside.split_once('"')?,
            None => self.rest.split_at(self.rest.find([' ', ']', '}'])?),
        };
        let is_quoted = self.rest.starts_with('"');
        self.rest = rest;
        let is_simple = |c: char| is_plain(c) || matches!(c, '-' | '+' | ':' | '/');
        let ends = rest.starts_with([' ', ']', '}']);
        if date_math::is_bad(bound, Place::Bound) {
            return None;
        }
        match bound {
            "*" if !is_quoted => Some(None),
            "" => None,
            _ if is_quoted => (ends && !bound.contains('\\')).then_some(Some(bound)),
            "TO" => None,
            _ => bound.chars().all(is_simple).then_some(Some(bound)),
        }
    }

    /// Characters without special meaning, escaped ones and wildcards.
    fn word(&mut self) -> Option<Word<'t>> {
        let (mut wild, mut ends_in_star, mut end) = (0, false, self.rest.len());
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            let is_star = c == '*';
            match c {
                c if is_plain(c) => {}
                '-' | '/' if at > 0 => {}
                '\\' => drop(chars.next()?),
                '?' | '*' => wild += 1,
                _ => {
                    end = at;
                    break;
                }
            }
            ends_in_star = is_star;
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let is_word = !matches!(text, "" | "AND" | "OR" | "NOT");
        is_word.then_some(Word { text, wild, is_prefix: ends_in_star && wild == 1 })
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whether nothing follows that would belong to the value just read.
    fn ends_value(&self) -> bool {
        matches!(self.rest.as_bytes().first(), None | Some(b' ' | b')'))
    }

    fn is_at_end(&self) -> bool {
        matches!(self.rest.as_bytes().first(), None | Some(b')'))
    }
}

/// Whoever reads with the grammar says what is wrong with a date.
fn equal(text: String) -> Option<Form> {
    (!date_math::is_bad(&text, Place::Value)).then_some(Form::Equal(text))
}

struct Word<'t> {
    text: &'t str,
    /// How many wildcards are in it.
    wild: usize,
    /// Whether its only wildcard is a star at its end.
    is_prefix: bool,
}
