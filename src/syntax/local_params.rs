//! Local parameters, `{!parser name=value …}` (Solr's `QueryParsing.parseLocalParams` and
//! `StrParser`).

use crate::interrupts;
use crate::parse_error::ParseError;

/// The parameters between `{!` and `}`.
#[derive(Debug, Default, PartialEq)]
pub struct LocalParams {
    /// Names and values, in the order of the text. A name may occur several times.
    params: Vec<(String, String)>,
    /// How many bytes the parameters take, the closing brace included.
    pub length: usize,
}

impl LocalParams {
    /// Reads the parameters at the start of `text`. Positions in errors are offsets in `text`.
    pub fn parse(text: &str) -> Result<LocalParams, ParseError> {
        let mut reader = ParamReader { text, position: "{!".len() };
        let mut params = Vec::new();
        loop {
            if reader.peek() == Some('}') {
                return Ok(LocalParams { params, length: reader.position + 1 });
            }
            interrupts::spend(1);
            let name = reader.name()?;
            if reader.peek() != Some('=') {
                // {!term} is short for {!type=term}.
                params.push(("type".to_string(), name));
                continue;
            }
            reader.position += 1;
            let value = match reader.peek() {
                Some('$') => {
                    return Err(ParseError::unsupported(
                        reader.position,
                        "references to request parameters ($name) are not supported",
                    )
                    .with_hint("Write the value itself."));
                }
                Some(quote @ ('"' | '\'')) => reader.quoted(quote)?,
                _ => reader.unquoted()?,
            };
            params.push((name, value));
        }
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.params.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }
}

/// What Java's `Character.isWhitespace` takes for white space: the separators of Unicode without
/// the no-break spaces, and some control characters that Unicode does not count.
fn is_space(c: char) -> bool {
    match c {
        '\u{1c}'..='\u{1f}' => true,
        '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => false,
        c => c.is_whitespace(),
    }
}

/// Reads local parameters from a position on.
struct ParamReader<'a> {
    text: &'a str,
    position: usize,
}

impl ParamReader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let blank = self.rest().len() - self.rest().trim_start_matches(is_space).len();
        self.position += blank;
        self.rest().chars().next()
    }

    fn name(&mut self) -> Result<String, ParseError> {
        let starts = |c: char| c.is_alphabetic() || c == '_';
        let length = match self.rest().chars().next() {
            Some(c) if starts(c) => self
                .rest()
                .find(|c: char| !(starts(c) || c.is_numeric() || c == '.' || c == '$'))
                .unwrap_or(self.rest().len()),
            _ => {
                return Err(ParseError::syntax(
                    self.position,
                    "expected a parameter's name or \"}\" in the local parameters",
                )
                .with_hint("Local parameters look like {!term f=path}value."));
            }
        };
        Ok(self.take(length))
    }

    fn unquoted(&mut self) -> Result<String, ParseError> {
        let length = self.rest().find(|c: char| c == '}' || is_space(c)).ok_or_else(|| {
            ParseError::syntax(self.position, "local parameters without a closing \"}\"")
        })?;
        Ok(self.take(length))
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> String {
        let taken = self.rest().get(..length).unwrap_or_default().to_string();
        self.position += length;
        taken
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParseError> {
        let start = self.position;
        let unclosed = || ParseError::syntax(start, "a quote that is never closed");
        self.position += 1;
        // UTF-16 units, because two codes can stand for one character.
        let mut units: Vec<u16> = Vec::new();
        loop {
            let c = match self.next().ok_or_else(unclosed)? {
                '\\' => match self.next().ok_or_else(unclosed)? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'u' => {
                        units.push(self.code_unit(start)?);
                        continue;
                    }
                    c => c,
                },
                c if c == quote => return Ok(String::from_utf16_lossy(&units)),
                c => c,
            };
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }

    fn code_unit(&mut self, start: usize) -> Result<u16, ParseError> {
        let digits = self.rest().get(..4).unwrap_or_default();
        let unit = u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4).ok_or_else(
            || ParseError::syntax(start, "\\u must be followed by four hexadecimal digits"),
        )?;
        self.position += 4;
        Ok(unit)
    }

    fn next(&mut self) -> Option<char> {
        interrupts::spend(1);
        let c = self.rest().chars().next()?;
        self.position += c.len_utf8();
        Some(c)
    }
}
