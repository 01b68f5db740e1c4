//! Simple queries, read by hand in one pass: values, prefixes, wildcards and ranges at paths, with `+` and `-`, in parentheses. As
//! canonical forms these are most of the queries that tables hold, where each row may have another.
//!
//! What is not as simple is left to the grammar, and what is read here reads as the grammar has it; the tests compare.

use super::ast::{Ast, Bound, LeafQuery, Occur};
use super::date_math::{self, ValueKind};
use super::escape::{is_plain, unescape, unescape_globs};
use super::limits::{MAX_CONDITIONS, check_path};
use crate::interrupts;
use std::borrow::Cow;

/// Parentheses within parentheses that are simple still.
const MAX_SIMPLE_DEPTH: usize = 16;

/// What a query is made into while it is read: a tree, or an answer.
pub trait ClauseBuilder {
    /// What a query becomes.
    type Query;
    /// The clauses of one query, collected one by one.
    type Clauses: Default;

    /// The query `*:*`.
    fn all(&mut self) -> Self::Query;
    /// A form at a path or, for none, anywhere.
    fn condition(&mut self, path: Option<&str>, query: LeafQuery) -> Option<Self::Query>;
    /// Adds a clause to the others.
    fn add(&mut self, clauses: &mut Self::Clauses, occur: Occur, query: Self::Query);
    /// More than one clause, or one that is required or prohibited.
    fn group(&mut self, clauses: Self::Clauses) -> Self::Query;
    /// What stands for the next clause, if those before it have decided already, so that it is only read.
    fn decided(&self, clauses: &Self::Clauses, occur: Occur) -> Option<Self::Query>;
}

/// Reads a query; none is for the grammar, or for what `builder` gave none.
pub fn read<B: ClauseBuilder>(text: &str, builder: &mut B) -> Option<B::Query> {
    let mut reader = SimpleReader { rest: text, conditions: 0 };
    let query = reader.clauses(builder, true, 0)?;
    reader.rest.is_empty().then_some(query)
}

/// Makes the tree.
pub(super) fn parse_simple(text: &str) -> Option<Ast> {
    read(text, &mut AstBuilder)
}

struct AstBuilder;

impl ClauseBuilder for AstBuilder {
    type Query = Ast;
    type Clauses = Vec<(Occur, Ast)>;

    fn all(&mut self) -> Ast {
        Ast::All
    }

    fn condition(&mut self, path: Option<&str>, query: LeafQuery) -> Option<Ast> {
        Some(Ast::Condition { path: path.map(str::to_string), query })
    }

    fn add(&mut self, clauses: &mut Vec<(Occur, Ast)>, occur: Occur, query: Ast) {
        clauses.push((occur, query));
    }

    fn group(&mut self, clauses: Vec<(Occur, Ast)>) -> Ast {
        Ast::Boolean(clauses)
    }

    fn decided(&self, _: &Vec<(Occur, Ast)>, _: Occur) -> Option<Ast> {
        None
    }
}

struct SimpleReader<'t> {
    rest: &'t str,
    /// So many were read.
    conditions: usize,
}

/// A value as it is written.
enum Raw<'t> {
    Exists,
    Equal(&'t str),
    Prefix(&'t str),
    Wildcard(&'t str),
    /// Each end, and whether it is included.
    Range([(&'t str, bool); 2]),
}

impl<'t> SimpleReader<'t> {
    fn clauses<B: ClauseBuilder>(
        &mut self,
        builder: &mut B,
        is_needed: bool,
        depth: usize,
    ) -> Option<B::Query> {
        let mut clauses = B::Clauses::default();
        let mut is_first = true;
        loop {
            let occur = match () {
                () if self.take(b'+') => Occur::Must,
                () if self.take(b'-') => Occur::MustNot,
                () => Occur::Should,
            };
            let decided = builder.decided(&clauses, occur);
            let is_needed = is_needed && decided.is_none();
            let query = match self.take(b'(') {
                true if depth == MAX_SIMPLE_DEPTH => return None,
                true => {
                    let group = self.clauses(builder, is_needed, depth + 1)?;
                    self.take(b')').then_some(group)?
                }
                false => self.condition(builder, is_needed)?,
            };
            let query = decided.unwrap_or(query);
            if is_first && occur == Occur::Should && self.is_at_end() {
                return Some(query);
            }
            is_first = false;
            builder.add(&mut clauses, occur, query);
            if !self.take(b' ') {
                return Some(builder.group(clauses));
            }
        }
    }

    fn condition<B: ClauseBuilder>(
        &mut self,
        builder: &mut B,
        is_needed: bool,
    ) -> Option<B::Query> {
        interrupts::spend(8);
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return None;
        }
        if self.rest.as_bytes().first() == Some(&b'*')
            && let Some(rest) = self.rest.strip_prefix("*:*")
        {
            self.rest = rest;
            return self.ends_value().then(|| builder.all());
        }
        let mut path = None;
        let raw = match self.delimited() {
            Some(raw) => raw?,
            None => {
                let mut word = self.word()?;
                if self.take(b':') {
                    let name = (word.wild == 0).then(|| plain(word.text))??;
                    // Names that mean something else, or are refused.
                    if matches!(&*name, "_query_" | "_val_") || check_path(&name).is_err() {
                        return None;
                    }
                    path = Some(name);
                    match self.delimited() {
                        Some(raw) => raw?,
                        None => {
                            word = self.word()?;
                            word.raw()
                        }
                    }
                } else if word.text == "*" {
                    return self.ends_value().then(|| builder.all());
                } else {
                    word.raw()
                }
            }
        };
        // Read in full all the same: no document decides whether a query is refused.
        let query = self.ends_value().then(|| raw.leaf_query())??;
        if is_needed { builder.condition(path.as_deref(), query) } else { Some(builder.all()) }
    }

    /// What quotes or brackets enclose, if it begins here; inner none if it is not simple.
    fn delimited(&mut self) -> Option<Option<Raw<'t>>> {
        match self.rest.as_bytes().first()? {
            b'"' => Some(self.quoted()),
            b'[' | b'{' => Some(self.range()),
            _ => None,
        }
    }

    fn quoted(&mut self) -> Option<Raw<'t>> {
        let inside = self.rest.strip_prefix('"')?;
        let mut is_escaped = false;
        let end = inside.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        })?;
        let (text, rest) = inside.split_at(end);
        self.rest = rest.strip_prefix('"')?;
        Some(Raw::Equal(text))
    }

    fn range(&mut self) -> Option<Raw<'t>> {
        let opens = self.take(b'[') || !self.take(b'{');
        let lower = self.bound()?;
        self.rest = self.rest.strip_prefix(" TO ")?;
        let upper = self.bound()?;
        let closes = self.take(b']');
        (closes || self.take(b'}')).then_some(Raw::Range([(lower, opens), (upper, closes)]))
    }

    /// One end of a range.
    fn bound(&mut self) -> Option<&'t str> {
        let is_quoted = self.rest.starts_with('"');
        let (bound, rest) = match self.rest.strip_prefix('"') {
            Some(inside) => inside.split_once('"')?,
            None => {
                let ends = |byte| matches!(byte, b' ' | b']' | b'}');
                self.rest.split_at(self.rest.bytes().position(ends)?)
            }
        };
        self.rest = rest;
        let is_simple = |c: char| is_plain(c) || matches!(c, '-' | '+' | ':' | '/');
        let fits = match bound {
            "" => false,
            // In quotes, a star is not open.
            bound if is_quoted => {
                bound != "*" && !bound.contains('\\') && rest.starts_with([' ', ']', '}'])
            }
            bound => bound == "*" || bound != "TO" && bound.chars().all(is_simple),
        };
        (fits && !date_math::is_bad(bound, ValueKind::Bound)).then_some(bound)
    }

    /// Characters without special meaning, escaped ones and wildcards.
    fn word(&mut self) -> Option<Word<'t>> {
        let (mut wild, mut ends_in_star, mut end) = (0, false, self.rest.len());
        // What most are is passed by at once.
        let is_common = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
        let common = self.rest.bytes().take_while(is_common).count();
        let rest = self.rest.get(common..)?;
        let mut chars = rest.char_indices().map(|(at, c)| (common + at, c));
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

    /// Takes a character of one byte, which seldom is the next one.
    fn take(&mut self, c: u8) -> bool {
        let is_next = self.rest.as_bytes().first() == Some(&c);
        if is_next {
            self.rest = self.rest.strip_prefix(char::from(c)).unwrap_or(self.rest);
        }
        is_next
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
fn equal(text: String) -> Option<LeafQuery> {
    (!date_math::is_bad(&text, ValueKind::Value)).then_some(LeafQuery::Equal(text))
}

struct Word<'t> {
    text: &'t str,
    /// How many wildcards are in it.
    wild: usize,
    /// Whether its only wildcard is a star at its end.
    is_prefix: bool,
}

impl<'t> Word<'t> {
    fn raw(&self) -> Raw<'t> {
        match self.text {
            "*" => Raw::Exists,
            text if self.wild == 0 => Raw::Equal(text),
            text if self.is_prefix => Raw::Prefix(text.strip_suffix('*').unwrap_or(text)),
            text => Raw::Wildcard(text),
        }
    }
}

impl Raw<'_> {
    fn leaf_query(&self) -> Option<LeafQuery> {
        let end = |(text, inclusive): (&str, bool)| match text {
            "*" => Bound::Open,
            text if inclusive => Bound::Inclusive(text.to_string()),
            text => Bound::Exclusive(text.to_string()),
        };
        Some(match self {
            Raw::Exists => LeafQuery::Exists,
            Raw::Equal(text) => equal(plain(text)?.into_owned())?,
            Raw::Prefix(text) => LeafQuery::Prefix(plain(text)?.into_owned()),
            Raw::Wildcard(text) => LeafQuery::Wildcard(unescape_globs(text)),
            Raw::Range(ends) => match ends.map(end) {
                [Bound::Open, Bound::Open] => LeafQuery::Exists,
                [lower, upper] => LeafQuery::Range { lower, upper },
            },
        })
    }
}

/// Without its escapes.
fn plain(text: &str) -> Option<Cow<'_, str>> {
    match text.contains('\\') {
        true => unescape(text, 0).ok().map(Cow::Owned),
        false => Some(Cow::Borrowed(text)),
    }
}
