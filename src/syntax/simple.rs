//! A fast reader for simple queries: values, prefixes, wildcards and ranges at paths, with `+` and
//! `-`, in parentheses. The canonical forms of most queries are simple, and a table may hold
//! another query in each row, so reading must be fast.
//!
//! All other queries are left to the grammar. A query that is read here gives the same tree as by
//! the grammar; the tests compare both.

use super::ast::{Ast, Bound, LeafQuery, Occur};
use super::date_math::{self, ValueKind};
use super::escape::{is_plain, unescape, unescape_globs};
use super::limits::{MAX_CONDITIONS, check_path};
use crate::interrupts;
use std::borrow::Cow;

/// How many parentheses may be within each other in a simple query. This reader is recursive, and
/// deeper queries are rare.
const MAX_SIMPLE_DEPTH: usize = 16;

/// What is built of a query while it is read: a tree, or the answer for one document.
pub trait ClauseBuilder {
    /// What becomes of a query or of one clause.
    type Query;
    /// The clauses of one group as far as they were read.
    type Clauses: Default;

    /// `*:*`
    fn all(&mut self) -> Self::Query;
    /// A condition on the leaves at a path or, without a path, on all leaves. None if the grammar
    /// must read the query.
    fn condition(&mut self, path: Option<&str>, test: SimpleTest<'_>) -> Option<Self::Query>;
    /// Adds a clause to its group.
    fn add(&mut self, clauses: &mut Self::Clauses, occur: Occur, query: Self::Query);
    /// A group of several clauses, or of one that is required or prohibited.
    fn group(&mut self, clauses: Self::Clauses) -> Self::Query;
    /// What to take for the next clause if its result does not matter any more. The clause is then
    /// read but not built.
    fn decided(&self, clauses: &Self::Clauses, occur: Occur) -> Option<Self::Query>;
}

/// The test of a condition of a simple query. It borrows from the query what has no escapes.
pub enum SimpleTest<'t> {
    /// `*`
    Exists,
    /// A value that a leaf must equal.
    Equal(Cow<'t, str>),
    /// How a string must begin.
    Prefix(Cow<'t, str>),
    /// A wildcard pattern as it is written.
    Wildcard(&'t str),
    /// The lower and the upper bound, each with whether it is in the range. None is an open bound,
    /// and at most one of them is open.
    Range([Option<(&'t str, bool)>; 2]),
}

impl From<SimpleTest<'_>> for LeafQuery {
    fn from(test: SimpleTest<'_>) -> LeafQuery {
        let bound = |bound: Option<(&str, bool)>| match bound {
            None => Bound::Open,
            Some((text, true)) => Bound::Inclusive(text.to_string()),
            Some((text, false)) => Bound::Exclusive(text.to_string()),
        };
        match test {
            SimpleTest::Exists => LeafQuery::Exists,
            SimpleTest::Equal(text) => LeafQuery::Equal(text.into_owned()),
            SimpleTest::Prefix(text) => LeafQuery::Prefix(text.into_owned()),
            SimpleTest::Wildcard(text) => LeafQuery::Wildcard(unescape_globs(text)),
            SimpleTest::Range([lower, upper]) => {
                LeafQuery::Range { lower: bound(lower), upper: bound(upper) }
            }
        }
    }
}

/// Reads a query. None if it is not simple, or if the builder returned none.
pub fn read<B: ClauseBuilder>(text: &str, builder: &mut B) -> Option<B::Query> {
    let mut reader = SimpleReader { rest: text, conditions: 0 };
    let query = reader.clauses(builder, true, 0)?;
    reader.rest.is_empty().then_some(query)
}

/// Reads a simple query into a syntax tree; none if it is not simple.
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

    fn condition(&mut self, path: Option<&str>, test: SimpleTest<'_>) -> Option<Ast> {
        Some(Ast::Condition { path: path.map(str::to_string), query: test.into() })
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
    /// What is not read yet.
    rest: &'t str,
    /// How many conditions were read.
    conditions: usize,
}

/// What stands behind the path, as it is written.
enum Raw<'t> {
    Exists,
    Equal(&'t str),
    Prefix(&'t str),
    Wildcard(&'t str),
    /// The two bounds, and whether each is in the range.
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
                    // Solr's magic fields, and names that are refused.
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
        // The value is checked even if it is not needed: whether a query has an error must not
        // depend on the document.
        let test = self.ends_value().then(|| raw.test())??;
        if is_needed { builder.condition(path.as_deref(), test) } else { Some(builder.all()) }
    }

    /// The quoted value or the range that begins here, if one begins here. The inner value is none
    /// if it is not simple.
    #[inline]
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
        let [b' ', b'T', b'O', b' ', ..] = self.rest.as_bytes() else { return None };
        self.rest = self.rest.get(4..)?;
        let upper = self.bound()?;
        let closes = self.take(b']');
        (closes || self.take(b'}')).then_some(Raw::Range([(lower, opens), (upper, closes)]))
    }

    /// One end of a range.
    #[inline]
    fn bound(&mut self) -> Option<&'t str> {
        let is_quoted = self.take(b'"');
        let ends = |byte| match is_quoted {
            true => byte == b'"',
            false => matches!(byte, b' ' | b']' | b'}'),
        };
        let (bound, rest) = self.rest.split_at(self.rest.bytes().position(ends)?);
        let rest = if is_quoted { rest.get(1..)? } else { rest };
        self.rest = rest;
        // Most bounds are ASCII, and are tested faster byte by byte.
        let are_simple = |bound: &str| {
            bound.bytes().all(|byte| is_common(&byte) || matches!(byte, b'-' | b'+' | b':' | b'/'))
                || bound.chars().all(|c| is_plain(c) || matches!(c, '-' | '+' | ':' | '/'))
        };
        let fits = match bound {
            "" => false,
            // A star in quotes is no open bound.
            bound if is_quoted => {
                bound != "*" && !bound.contains('\\') && rest.starts_with([' ', ']', '}'])
            }
            bound => bound == "*" || bound != "TO" && are_simple(bound),
        };
        (fits && !date_math::is_bad(bound, ValueKind::Bound)).then_some(bound)
    }

    /// Reads plain and escaped characters and wildcards.
    #[inline]
    fn word(&mut self) -> Option<Word<'t>> {
        let (mut wild, mut ends_in_star, mut end) = (0, false, self.rest.len());
        // Most characters are these, and are skipped at once.
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

    /// Skips the character if it is the next one, and says so.
    #[inline]
    fn take(&mut self, c: u8) -> bool {
        let is_next = self.rest.as_bytes().first() == Some(&c);
        if is_next {
            self.rest = self.rest.get(1..).unwrap_or(self.rest);
        }
        is_next
    }

    /// Whether the value that was just read ends here.
    #[inline]
    fn ends_value(&self) -> bool {
        matches!(self.rest.as_bytes().first(), None | Some(b' ' | b')'))
    }

    #[inline]
    fn is_at_end(&self) -> bool {
        matches!(self.rest.as_bytes().first(), None | Some(b')'))
    }
}

/// Whether a byte is a character that has no special meaning anywhere. Most bytes are such.
#[inline]
fn is_common(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')
}

struct Word<'t> {
    /// As it is written.
    text: &'t str,
    /// How many wildcards it has.
    wild: usize,
    /// Whether its only wildcard is a star at the end.
    is_prefix: bool,
}

impl<'t> Word<'t> {
    #[inline]
    fn raw(&self) -> Raw<'t> {
        match self.text {
            "*" => Raw::Exists,
            text if self.wild == 0 => Raw::Equal(text),
            text if self.is_prefix => Raw::Prefix(text.strip_suffix('*').unwrap_or(text)),
            text => Raw::Wildcard(text),
        }
    }
}

impl<'t> Raw<'t> {
    fn test(&self) -> Option<SimpleTest<'t>> {
        Some(match *self {
            Raw::Exists => SimpleTest::Exists,
            Raw::Equal(text) => {
                let text = plain(text)?;
                // Wrong date math is left to the grammar, which reports it.
                (!date_math::is_bad(&text, ValueKind::Value)).then_some(SimpleTest::Equal(text))?
            }
            Raw::Prefix(text) => SimpleTest::Prefix(plain(text)?),
            Raw::Wildcard(text) => SimpleTest::Wildcard(text),
            Raw::Range([("*", _), ("*", _)]) => SimpleTest::Exists,
            Raw::Range(bounds) => {
                SimpleTest::Range(bounds.map(|bound| (bound.0 != "*").then_some(bound)))
            }
        })
    }
}

/// The text without its escapes.
fn plain(text: &str) -> Option<Cow<'_, str>> {
    match text.contains('\\') {
        true => unescape(text, 0).ok().map(Cow::Owned),
        false => Some(Cow::Borrowed(text)),
    }
}
