//! The tokens of a query as it was typed, mistakes included.
//!
//! The grammar (`syntax/grammar.pest`) refuses a text at its first mistake, and its tree no longer
//! shows what was typed. This lexer reads any text, has a place for each token, and takes what the
//! grammar accepts in the same way.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `AND`, `&&`
    And,
    /// `OR`, `||`
    Or,
    /// `NOT`, and `-` and `!` before something
    Not,
    /// `+` before something
    Plus,
    /// `+`, `-` or `!` before a space: a term
    Lone,
    /// `(`, `filter(`, and `{` behind a field
    Open,
    /// What closes a group
    Close,
    Colon,
    Quoted,
    Regexp,
    Range,
    /// `{!…}` and the text that it reads
    Params,
    /// `^2`, `~1`
    Suffix,
    Word,
    /// What is an error in the grammar
    Stray,
}

/// A part of the text, by the positions of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

/// Whether a character ends a word.
pub fn is_special(c: char) -> bool {
    matches!(c, '(' | ')' | ':' | '^' | '[' | ']' | '"' | '{' | '}' | '~') || is_space(c)
}

/// What a bare word is that joins what is around it: `and`, `or`, `&`, `|`.
pub fn joins(word: &str) -> Option<&'static str> {
    match word {
        "and" | "And" | "aND" | "AnD" | "&" => Some("AND"),
        "or" | "Or" | "oR" | "|" => Some("OR"),
        _ => None,
    }
}

/// Whether a word negates what follows it, if it is an operator.
pub fn is_not(word: &str) -> bool {
    word.eq_ignore_ascii_case("not")
}

/// Reads all tokens of a text, from a position on.
pub fn tokens(text: &str, from: usize) -> Vec<Token> {
    let mut lexer = Lexer { text, at: from, braces: Vec::new(), tokens: Vec::new() };
    while lexer.token() {
        crate::interrupts::spend(4);
    }
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Which of the open groups are in braces.
    braces: Vec<bool>,
    tokens: Vec<Token>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let (start, end) = (self.at, self.at + length);
        self.tokens.push(Token { kind, start, end });
        self.at = end;
    }

    fn last(&self) -> Option<Kind> {
        self.tokens.last().map(|token| token.kind)
    }

    /// Reads one token, and says whether there was one.
    fn token(&mut self) -> bool {
        self.skip();
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return false };
        let next = rest.chars().nth(1);
        match c {
            '(' => {
                self.braces.push(false);
                self.push(Kind::Open, 1);
            }
            ')' => {
                self.braces.pop();
                self.push(Kind::Close, 1);
            }
            ':' => self.push(Kind::Colon, 1),
            '"' => match closing_quote(rest, '"') {
                Some(end) => self.push(Kind::Quoted, end),
                None => self.push(Kind::Stray, 1),
            },
            '{' if next == Some('!') => self.push(Kind::Params, params(rest)),
            '[' | '{' => match range(rest) {
                Some(length) => self.push(Kind::Range, length),
                // The clauses of an object, behind a path or in a group that has one.
                None if c == '{'
                    && (self.last() == Some(Kind::Colon) || !self.braces.is_empty()) =>
                {
                    self.braces.push(true);
                    self.push(Kind::Open, 1);
                }
                None => self.push(Kind::Stray, 1),
            },
            '}' if self.braces.last() == Some(&true) => {
                self.braces.pop();
                self.push(Kind::Close, 1);
            }
            ']' | '}' => self.push(Kind::Stray, 1),
            '^' | '~' => {
                let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '=' | '-');
                let behind = rest.get(1..).unwrap_or_default();
                self.push(Kind::Suffix, 1 + behind.len() - behind.trim_start_matches(number).len());
            }
            '/' => match closing_slash(rest) {
                Some(end) => self.push(Kind::Regexp, end),
                None => self.push(Kind::Stray, 1),
            },
            '+' | '-' | '!' => match (next.is_none_or(is_space), c) {
                (true, _) => self.push(Kind::Lone, 1),
                (false, '+') => self.push(Kind::Plus, 1),
                (false, _) => self.push(Kind::Not, 1),
            },
            _ if rest.starts_with("filter(") => {
                self.braces.push(false);
                self.push(Kind::Open, "filter(".len());
            }
            _ => {
                let length = word(rest);
                let kind = match rest.get(..length).unwrap_or_default() {
                    "AND" | "&&" => Kind::And,
                    "OR" | "||" => Kind::Or,
                    "NOT" => Kind::Not,
                    _ => Kind::Word,
                };
                self.push(kind, length);
            }
        }
        true
    }

    /// Skips space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(is_space);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("/*") {
                return;
            }
            let mut depth = 0usize;
            while let Some(c) = self.rest().chars().next() {
                let two = self.rest().get(..2);
                match two {
                    Some("/*") => depth += 1,
                    Some("*/") => depth -= 1,
                    _ => {
                        self.at += c.len_utf8();
                        continue;
                    }
                }
                self.at += 2;
                if depth == 0 {
                    break;
                }
            }
        }
    }
}

/// The length of a quoted text that begins here; none if it is not closed.
pub fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    let inside = text.get(quote.len_utf8()..)?;
    let end = inside.char_indices().find(|&(_, c)| {
        let closes = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        closes
    });
    end.map(|(at, _)| at + 2 * quote.len_utf8())
}

fn closing_slash(text: &str) -> Option<usize> {
    let mut before = '/';
    let (at, _) = text.char_indices().skip(1).find(|&(at, c)| {
        let closes = c == '/' && before != '\\' && at > 1;
        before = c;
        closes
    })?;
    Some(at + 1)
}

/// The length of the word that begins here.
fn word(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().find(|&(_, c)| {
        let ends = !is_escaped && is_special(c);
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// The length of local parameters and the value behind them.
fn params(text: &str) -> usize {
    let Some(close) = params_end(text) else { return text.len() };
    let behind = text.get(close..).unwrap_or_default();
    let ends = |c: char| is_space(c) || matches!(c, ')' | '{' | '^');
    close + behind.find(ends).unwrap_or(behind.len())
}

/// The length of local parameters alone; none if they are not closed.
pub fn params_end(text: &str) -> Option<usize> {
    let (mut quote, mut is_escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at + 1),
            (None, _) => {}
        }
    }
    None
}

/// The length of a range that the grammar reads; none if it is none.
fn range(text: &str) -> Option<usize> {
    bounds(text).map(|(_, _, length)| length)
}

/// The two bounds of a range as they are written, and its length.
pub fn bounds(text: &str) -> Option<(&str, &str, usize)> {
    let inside = text.strip_prefix(['[', '{'])?;
    let (lower, rest) = bound(inside.trim_start_matches(is_space))?;
    let rest = rest.trim_start_matches(is_space).strip_prefix("TO")?;
    if !rest.starts_with(is_space) {
        return None;
    }
    let (upper, rest) = bound(rest.trim_start_matches(is_space))?;
    let rest = rest.trim_start_matches(is_space).strip_prefix([']', '}'])?;
    Some((lower, upper, text.len() - rest.len()))
}

fn bound(text: &str) -> Option<(&str, &str)> {
    let end = match text.starts_with('"') {
        true => closing_quote(text, '"')?,
        false => text.find([' ', ']', '}'])?,
    };
    (end > 0).then(|| text.split_at_checked(end)).flatten()
}
