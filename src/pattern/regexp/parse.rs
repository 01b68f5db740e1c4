//! Source to syntax tree, as Lucene's RegExp reads it.

use super::interval;
use super::tree::{ClassItem, RegexpNode};
use crate::interrupts;
use crate::parse_error::ParseError;

/// How many groups and complements may be within each other: the parser and all walks over the tree
/// are recursive.
const MAX_REGEXP_DEPTH: usize = 100;
/// How many repetitions may follow each other, as in `a?*+`: each one nests the tree one level
/// deeper.
const MAX_REPETITIONS: usize = 10;

pub(super) struct Parser<'a> {
    source: &'a str,
    /// How much of the source was read, in bytes.
    position: usize,
    /// Where the source begins in the query.
    offset: usize,
    depth: usize,
}

/// The methods are those of RegExp, under their names without "parse" and "Exp".
impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a str, offset: usize) -> Self {
        Parser { source, position: 0, offset, depth: 0 }
    }

    pub(super) fn whole(mut self) -> Result<RegexpNode, ParseError> {
        let tree = if self.source.is_empty() { RegexpNode::Empty } else { self.union()? };
        match self.peek() {
            None => Ok(tree),
            Some(_) => Err(self
                .error("a closing parenthesis without an opening one in the regular expression")),
        }
    }

    fn union(&mut self) -> Result<RegexpNode, ParseError> {
        self.separated('|', Self::inter, RegexpNode::Union)
    }

    fn inter(&mut self) -> Result<RegexpNode, ParseError> {
        self.separated('&', Self::concat, RegexpNode::Intersection)
    }

    fn separated(
        &mut self,
        separator: char,
        part: fn(&mut Self) -> Result<RegexpNode, ParseError>,
        together: fn(Vec<RegexpNode>) -> RegexpNode,
    ) -> Result<RegexpNode, ParseError> {
        let mut parts = vec![part(self)?];
        while self.take(separator) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { together(parts) })
    }

    fn concat(&mut self) -> Result<RegexpNode, ParseError> {
        let mut parts = vec![self.repeat()?];
        while !matches!(self.peek(), None | Some(')' | '|' | '&')) {
            interrupts::spend(1);
            // Characters in a row become one node: a node for each would take a hundred times as
            // much memory.
            match (self.repeat()?, parts.last_mut()) {
                (RegexpNode::Literal(next), Some(RegexpNode::Literal(text))) => {
                    text.push_str(&next)
                }
                (part, _) => parts.push(part),
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { RegexpNode::Concat(parts) })
    }

    fn repeat(&mut self) -> Result<RegexpNode, ParseError> {
        let mut node = self.compl()?;
        for _ in 0..=MAX_REPETITIONS {
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
                Some(max) if max < min => RegexpNode::Nothing,
                _ => RegexpNode::Repeat { node: Box::new(node), min, max },
            };
        }
        Err(self.too_complex(format!("more than {MAX_REPETITIONS} repetitions of a repetition")))
    }

    /// `3`, `3,` or `3,5`
    fn counts(&mut self) -> Result<(u32, Option<u32>), ParseError> {
        let min = self.count()?;
        if !self.take(',') {
            return Ok((min, Some(min)));
        }
        match self.peek() {
            Some('0'..='9') => Ok((min, Some(self.count()?))),
            _ => Ok((min, None)),
        }
    }

    fn count(&mut self) -> Result<u32, ParseError> {
        let start = self.position;
        while matches!(self.peek(), Some('0'..='9')) {
            self.position += 1;
        }
        let digits = self.source.get(start..self.position).unwrap_or_default();
        digits
            .parse::<i32>()
            .map(i32::unsigned_abs)
            .map_err(|_| self.error("expected a count in the regular expression"))
    }

    fn compl(&mut self) -> Result<RegexpNode, ParseError> {
        match self.take('~') {
            true => Ok(RegexpNode::Complement(Box::new(self.nested(Self::compl)?))),
            false => self.char_class(),
        }
    }

    fn nested(
        &mut self,
        inner: fn(&mut Self) -> Result<RegexpNode, ParseError>,
    ) -> Result<RegexpNode, ParseError> {
        self.depth += 1;
        if self.depth > MAX_REGEXP_DEPTH {
            return Err(self.too_complex(format!(
                "a regular expression with more than {MAX_REGEXP_DEPTH} groups within each other"
            )));
        }
        let node = inner(self);
        self.depth -= 1;
        node
    }

    fn char_class(&mut self) -> Result<RegexpNode, ParseError> {
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
        Ok(RegexpNode::Class { negated, items })
    }

    fn class_item(&mut self) -> Result<ClassItem, ParseError> {
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

    /// At the beginning of an expression, characters that are reserved elsewhere stand for
    /// themselves, as in RegExp.
    fn simple(&mut self) -> Result<RegexpNode, ParseError> {
        match self.peek() {
            Some('.') => self.next().map(|_| RegexpNode::AnyChar),
            Some('#') => self.next().map(|_| RegexpNode::Nothing),
            Some('@') => self.next().map(|_| RegexpNode::AnyString),
            Some('"') => self
                .enclosed('"', "expected a closing quote in the regular expression")
                .map(|text| RegexpNode::Literal(text.to_string())),
            Some('<') => {
                let text = self.enclosed('>', "expected \">\" in the regular expression")?;
                self.interval(text)
            }
            Some('(') => {
                self.next()?;
                if self.take(')') {
                    return Ok(RegexpNode::Empty);
                }
                let inner = self.nested(Self::union)?;
                if !self.take(')') {
                    return Err(self.error("expected \")\" in the regular expression"));
                }
                Ok(inner)
            }
            _ => self.character().map(|c| RegexpNode::Literal(c.to_string())),
        }
    }

    /// The text between the next character and the next `end`.
    fn enclosed(&mut self, end: char, otherwise: &str) -> Result<&'a str, ParseError> {
        self.next()?;
        let rest = self.rest();
        let Some((text, _)) = rest.split_once(end) else {
            self.position = self.source.len();
            return Err(self.error(otherwise));
        };
        self.position += text.len() + end.len_utf8();
        Ok(text)
    }

    /// `<1-99>` or `<99-1>`. If both numbers have the same number of digits, all numbers must have
    /// it.
    fn interval(&self, text: &str) -> Result<RegexpNode, ParseError> {
        let Some((first, last)) = text.split_once('-') else {
            return Err(self.error(&format!("there is no automaton named \"{text}\"")));
        };
        // The numbers are Java's integers; a second dash is an error.
        let number = |text: &str| text.parse::<i32>().ok().and_then(|n| u32::try_from(n).ok());
        let (Some(a), Some(b)) = (number(first), number(last)) else {
            return Err(self.error("expected an interval such as <1-99>"));
        };
        let digits = (first.len() == last.len()).then_some(first.len());
        Ok(interval::numbers(a.min(b), a.max(b), digits))
    }

    fn character(&mut self) -> Result<char, ParseError> {
        self.take('\\');
        self.next()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.position..).unwrap_or_default()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.position += c.len_utf8();
        }
        found
    }

    fn next(&mut self) -> Result<char, ParseError> {
        let c = self.peek().ok_or_else(|| self.error("the regular expression ends too early"))?;
        self.position += c.len_utf8();
        Ok(c)
    }

    fn error(&self, message: &str) -> ParseError {
        ParseError::syntax(self.offset + self.position, message)
            .with_hint("Escape a reserved character with a backslash.")
    }

    fn too_complex(&self, message: String) -> ParseError {
        ParseError::too_complex(self.offset + self.position, message)
    }
}
