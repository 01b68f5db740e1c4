//! Lucene 9's regular expressions, written as Lucene 8's.
//!
//! Lucene 9 has predefined classes (`\d`, `\w`, `\s` and their complements) and ignores case on
//! demand. To Lucene 8 `\d` is the letter d. Both are short forms: they are written out, and the
//! result is an expression as any other.

use super::MAX_REGEXP_BYTES;
use crate::parse_error::ParseError;

/// The characters of a predefined class, as they stand within brackets (Lucene 9's
/// `RegExp.expandPreDefined`).
fn predefined(letter: char) -> Option<&'static str> {
    Some(match letter.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "A-Za-z0-9_",
        's' => " \t\n\r",
        _ => return None,
    })
}

/// The expression in the syntax of Lucene 8.
///
/// # Errors
/// `Syntax` for a class that does not exist, `TooComplex` if it becomes too long.
pub fn to_lucene_8(pattern: &str, ignore_case: bool) -> Result<String, ParseError> {
    let mut writer = Writer { rest: pattern, out: String::new(), ignore_case };
    while let Some(c) = writer.next() {
        writer.write(c)?;
        if writer.out.len() > MAX_REGEXP_BYTES {
            let message = format!("a regular expression is longer than {MAX_REGEXP_BYTES} bytes");
            return Err(ParseError::too_complex(0, message));
        }
    }
    Ok(match writer.out {
        // Between slashes neither begins an expression.
        out if out.is_empty() => "()".to_string(),
        out if out.starts_with('*') => format!("\\{out}"),
        out => out,
    })
}

struct Writer<'p> {
    rest: &'p str,
    out: String,
    ignore_case: bool,
}

impl<'p> Writer<'p> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn write(&mut self, c: char) -> Result<(), ParseError> {
        match c {
            '\\' => match self.next() {
                None => self.out.push('\\'),
                Some(letter) => match predefined(letter) {
                    Some(class) => {
                        let negation = if letter.is_ascii_uppercase() { "^" } else { "" };
                        self.out += &format!("[{negation}{class}]");
                    }
                    None => self.literal(escaped(letter)?),
                },
            },
            '[' => self.class()?,
            // What is in quotes is one unit, which a repetition repeats.
            '"' => match self.until('"') {
                None => self.out.push('"'),
                Some(text) => {
                    self.out.push('(');
                    text.chars().for_each(|c| self.literal(c));
                    self.out.push(')');
                }
            },
            '<' => match self.until('>') {
                None => self.out.push('<'),
                Some(text) => self.out += &format!("<{}>", text.replace('/', "\\/")),
            },
            c if c == '/' || self.ignore_case && c.is_alphabetic() => self.literal(c),
            c => self.out.push(c),
        }
        Ok(())
    }

    /// The text up to the next `end`, which is skipped.
    fn until(&mut self, end: char) -> Option<&'p str> {
        let (text, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(text)
    }

    /// Writes a character that stands for itself.
    fn literal(&mut self, c: char) {
        match self.cases(c) {
            cases if cases.chars().count() > 1 => self.out += &format!("[{cases}]"),
            _ => push_plain(&mut self.out, c),
        }
    }

    /// A character and, if case does not matter, the others that differ from it in case alone.
    fn cases(&self, c: char) -> String {
        let mut cases = String::from(c);
        if self.ignore_case {
            let single = |mut chars: Box<dyn Iterator<Item = char>>| {
                chars.next().filter(|_| chars.next().is_none())
            };
            let (lower, upper) = (c.to_lowercase(), c.to_uppercase());
            for other in [single(Box::new(lower)), single(Box::new(upper))].into_iter().flatten() {
                if !cases.contains(other) {
                    cases.push(other);
                }
            }
        }
        cases
    }

    /// Writes a class in brackets, of which the opening one was read.
    fn class(&mut self) -> Result<(), ParseError> {
        self.out.push('[');
        if self.rest.starts_with('^') {
            self.next();
            self.out.push('^');
        }
        let mut is_first = true;
        while let Some(c) = self.next() {
            match c {
                ']' if !is_first => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => match self.next() {
                    None => self.out.push('\\'),
                    Some(letter) => match predefined(letter) {
                        Some(class) if letter.is_ascii_lowercase() => self.out += class,
                        Some(_) => {
                            let message = format!("the class \\{letter} within brackets");
                            return Err(ParseError::syntax(0, message)
                                .with_hint("Write [^…] for what is not in a class."));
                        }
                        None => self.item(escaped(letter)?)?,
                    },
                },
                c => self.item(c)?,
            }
            is_first = false;
        }
        Ok(())
    }

    /// Writes one character of a class, or the range that begins with it.
    fn item(&mut self, start: char) -> Result<(), ParseError> {
        let end = match self.rest.strip_prefix('-') {
            Some(rest) if !rest.is_empty() && !rest.starts_with(']') => {
                self.rest = rest;
                match self.next() {
                    Some('\\') => self.next().map(escaped).transpose()?,
                    end => end,
                }
            }
            _ => None,
        };
        let Some(end) = end else {
            let cases = self.cases(start);
            cases.chars().for_each(|c| push_plain(&mut self.out, c));
            return Ok(());
        };
        let is_of = |is: fn(&char) -> bool| is(&start) && is(&end);
        let mut ranges = vec![(start, end)];
        if self.ignore_case && is_of(char::is_ascii_lowercase) {
            ranges.push((start.to_ascii_uppercase(), end.to_ascii_uppercase()));
        } else if self.ignore_case && is_of(char::is_ascii_uppercase) {
            ranges.push((start.to_ascii_lowercase(), end.to_ascii_lowercase()));
        }
        for (start, end) in ranges {
            push_plain(&mut self.out, start);
            self.out.push('-');
            push_plain(&mut self.out, end);
        }
        Ok(())
    }
}

/// An escaped character, which stands for itself unless it is a letter.
fn escaped(c: char) -> Result<char, ParseError> {
    match c.is_ascii_alphabetic() {
        false => Ok(c),
        true => Err(ParseError::syntax(0, format!("there is no class \\{c}"))
            .with_hint("The classes are \\d, \\w and \\s, and \\D, \\W and \\S for all others.")),
    }
}

/// Writes a character, escaped if it may be special.
fn push_plain(out: &mut String, c: char) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}
