//! Lucene's regular expressions (org.apache.lucene.util.automaton.RegExp, all its operators switched on).
//!
//! They always match a whole value, and know neither anchors nor `\d`. Written out for the `regex` crate, they are in the
//! part of its syntax that PostgreSQL's `like_regex` shares.

use super::error::Error;
use std::fmt::Write;

/// Groups within groups that one expression may hold.
const MAX_DEPTH: usize = 100;

/// A regular expression, read, checked and compiled.
#[derive(Debug, Clone)]
pub struct Regexp {
    source: String,
    tree: Node,
    compiled: regex::Regex,
}

/// Expressions are the same if they are written the same.
impl PartialEq for Regexp {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// The parts of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `()`
    Empty,
    /// `#`, or a repetition such as `{3,2}`
    Nothing,
    /// `.`: any character, line ends included
    AnyChar,
    /// `@`
    AnyString,
    /// Characters as they are; from `"…"` or one by one
    Literal(String),
    Class {
        negated: bool,
        items: Vec<ClassItem>,
    },
    Concat(Vec<Node>),
    Union(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
    },
}

/// A range of characters, both ends included.
pub type ClassItem = (char, char);

impl Regexp {
    /// Reads what stands between the slashes; `offset` is its place in the query.
    pub fn parse(source: &str, offset: usize) -> Result<Regexp, Error> {
        let mut parser = Parser { source, position: 0, offset, depth: 0 };
        let tree = if source.is_empty() { Node::Empty } else { parser.union()? };
        if parser.peek().is_some() {
            return Err(parser.error("a parenthesis that closes nothing in the regular expression"));
        }
        let compiled = regex::Regex::new(&format!("(?s){}", anchored(&tree))).map_err(|_| {
            Error::too_complex(offset, "the regular expression is too large")
                .with_hint("Use smaller repetition counts.")
        })?;
        // A backslash before the closing slash would read as an escape of it where another slash follows.
        let source = match source.strip_suffix("\\\\") {
            Some(start) => format!("{start}[\\\\]"),
            None => source.to_string(),
        };
        Ok(Regexp { source, tree, compiled })
    }

    /// As it stands between the slashes.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn tree(&self) -> &Node {
        &self.tree
    }

    /// Whether it matches the whole of the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }

    /// The same expression for a regular expression engine that searches, anchored at both ends; to be read such that
    /// `.` matches line ends.
    pub fn pattern(&self) -> String {
        anchored(&self.tree)
    }
}

struct Parser<'a> {
    source: &'a str,
    position: usize,
    offset: usize,
    depth: usize,
}

/// One method for each of RegExp's, under its name there without "parse" and "Exp".
impl Parser<'_> {
    fn union(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::too_complex(
                self.offset + self.position,
                format!("a regular expression with more than {MAX_DEPTH} groups within each other"),
            ));
        }
        let mut branches = vec![self.concat()?];
        while self.take('|') {
            branches.push(self.concat()?);
        }
        self.depth -= 1;
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Union(branches) })
    }

    fn concat(&mut self) -> Result<Node, Error> {
        let mut parts = vec![self.repeat()?];
        loop {
            match self.peek() {
                None | Some(')' | '|') => break,
                Some('&') => return Err(self.unsupported("intersection (&)")),
                Some(_) => parts.push(self.repeat()?),
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Concat(parts) })
    }

    fn repeat(&mut self) -> Result<Node, Error> {
        let mut node = self.char_class()?;
        loop {
            let (min, max) = match self.peek() {
                Some('?') => (0, Some(1)),
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('{') => {
                    self.next()?;
                    let counts = self.counts()?;
                    if self.peek() != Some('}') {
                        return Err(self.error("expected \"}\" in the regular expression"));
                    }
                    counts
                }
                _ => return Ok(node),
            };
            self.next()?;
            node = match max {
                Some(max) if max < min => Node::Nothing,
                _ => Node::Repeat { node: Box::new(node), min, max },
            };
        }
    }

    /// `3`, `3,` or `3,5`
    fn counts(&mut self) -> Result<(u32, Option<u32>), Error> {
        let min = self.count()?;
        if !self.take(',') {
            return Ok((min, Some(min)));
        }
        match self.peek() {
            Some('0'..='9') => Ok((min, Some(self.count()?))),
            _ => Ok((min, None)),
        }
    }

    fn count(&mut self) -> Result<u32, Error> {
        let start = self.position;
        while matches!(self.peek(), Some('0'..='9')) {
            self.position += 1;
        }
        self.source[start..self.position]
            .parse::<i32>()
            .map(i32::unsigned_abs)
            .map_err(|_| self.error("expected a count in the regular expression"))
    }

    fn char_class(&mut self) -> Result<Node, Error> {
        if !self.take('[') {
            return self.simple();
        }
        let negated = self.take('^');
        let mut items = vec![self.class_item()?];
        while !matches!(self.peek(), None | Some(']')) {
            items.push(self.class_item()?);
        }
        if !self.take(']') {
            return Err(self.error("expected \"]\" in the regular expression"));
        }
        Ok(Node::Class { negated, items })
    }

    fn class_item(&mut self) -> Result<ClassItem, Error> {
        let start = self.character()?;
        if !self.take('-') {
            return Ok((start, start));
        }
        let end = self.character()?;
        if start > end {
            return Err(self.error("a range of characters from a later to an earlier one"));
        }
        Ok((start, end))
    }

    /// What is reserved elsewhere is a character as it is where an expression begins, as in RegExp.
    fn simple(&mut self) -> Result<Node, Error> {
        match self.peek() {
            Some('.') => self.next().map(|_| Node::AnyChar),
            Some('#') => self.next().map(|_| Node::Nothing),
            Some('@') => self.next().map(|_| Node::AnyString),
            Some('~') => Err(self.unsupported("complement (~)")),
            Some('<') => Err(self.unsupported("numeric interval (<…>)")),
            Some('"') => {
                self.next()?;
                let start = self.position;
                while !matches!(self.peek(), None | Some('"')) {
                    self.next()?;
                }
                let text = self.source[start..self.position].to_string();
                if !self.take('"') {
                    return Err(self.error("expected a closing quote in the regular expression"));
                }
                Ok(Node::Literal(text))
            }
            Some('(') => {
                self.next()?;
                if self.take(')') {
                    return Ok(Node::Empty);
                }
                let inner = self.union()?;
                if !self.take(')') {
                    return Err(self.error("expected \")\" in the regular expression"));
                }
                Ok(inner)
            }
            _ => self.character().map(|c| Node::Literal(c.to_string())),
        }
    }

    fn character(&mut self) -> Result<char, Error> {
        self.take('\\');
        self.next()
    }

    fn peek(&self) -> Option<char> {
        self.source[self.position..].chars().next()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.position += c.len_utf8();
        }
        found
    }

    fn next(&mut self) -> Result<char, Error> {
        let c = self.peek().ok_or_else(|| self.error("the regular expression ends too early"))?;
        self.position += c.len_utf8();
        Ok(c)
    }

    fn error(&self, message: &str) -> Error {
        Error::syntax(self.offset + self.position, message)
            .with_hint("Escape a reserved character with a backslash.")
    }

    fn unsupported(&self, operator: &str) -> Error {
        Error::unsupported(
            self.offset + self.position,
            format!("the regular expression operator {operator} is not supported yet"),
        )
        .with_hint("If the character itself is meant, escape it with a backslash.")
    }
}

fn anchored(tree: &Node) -> String {
    let mut pattern = String::from("^(?:");
    write_node(&mut pattern, tree);
    pattern.push_str(")$");
    pattern
}

fn write_node(out: &mut String, node: &Node) {
    match node {
        Node::Empty => out.push_str("(?:)"),
        Node::Nothing => out.push_str("[^\\x00-\\x{10ffff}]"),
        Node::AnyChar => out.push('.'),
        Node::AnyString => out.push_str(".*"),
        Node::Literal(text) => text.chars().for_each(|c| write_char(out, c)),
        Node::Class { negated, items } => {
            out.push_str(if *negated { "[^" } else { "[" });
            for (start, end) in items {
                write_char(out, *start);
                if start != end {
                    out.push('-');
                    write_char(out, *end);
                }
            }
            out.push(']');
        }
        Node::Concat(parts) => parts.iter().for_each(|part| write_node(out, part)),
        Node::Union(branches) => {
            out.push_str("(?:");
            for (at, branch) in branches.iter().enumerate() {
                out.push_str(if at > 0 { "|" } else { "" });
                write_node(out, branch);
            }
            out.push(')');
        }
        Node::Repeat { node, min, max } => {
            out.push_str("(?:");
            write_node(out, node);
            // Writing to a String cannot fail.
            let _ = match (min, max) {
                (0, Some(1)) => write!(out, ")?"),
                (0, None) => write!(out, ")*"),
                (1, None) => write!(out, ")+"),
                (min, None) => write!(out, "){{{min},}}"),
                (min, Some(max)) => write!(out, "){{{min},{max}}}"),
            };
        }
    }
}

/// A character as itself, inside brackets or outside. (`\<` and `\>` are word boundaries to the `regex` crate.)
pub fn write_char(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !matches!(c, '_' | '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}
