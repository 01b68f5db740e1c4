//! Escapes: read as Solr reads them, and written so that a value reads back as itself.

use crate::interrupts;
use crate::parse_error::ParseError;
use crate::pattern::Glob;

/// Removes escapes: `\uXXXX` is a UTF-16 code unit, and `\c` is any other character `c` itself.
/// `offset` is the position of the text in the query. (Solr's
/// `SolrQueryParserBase.discardEscapeChar`. A surrogate without its other half becomes U+FFFD, as
/// in Lucene's `UnicodeUtil.UTF16toUTF8`.)
pub fn unescape(text: &str, offset: usize) -> Result<String, ParseError> {
    if !text.contains('\\') {
        return Ok(text.to_string());
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        interrupts::spend(1);
        let c = match c {
            '\\' => match chars.next() {
                Some((_, 'u')) => {
                    units.push(code_unit(chars.as_str(), offset + at)?);
                    chars.nth(3);
                    continue;
                }
                Some((_, escaped)) => escaped,
                None => {
                    return Err(ParseError::syntax(
                        offset + at,
                        "a backslash with nothing to escape",
                    )
                    .with_hint("Write a backslash itself as \\\\."));
                }
            },
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

fn code_unit(digits: &str, at: usize) -> Result<u16, ParseError> {
    digits
        .get(..4)
        .filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|four| u16::from_str_radix(four, 16).ok())
        .ok_or_else(|| {
            ParseError::syntax(at, "\\u must be followed by four hexadecimal digits")
                .with_hint("Write é as \\u00e9, or a backslash itself as \\\\.")
        })
}

/// Reads a wildcard pattern. A backslash makes the next character stand for itself; unlike
/// elsewhere, `\u` is not a code (Lucene's `WildcardQuery`).
pub fn unescape_globs(text: &str) -> Vec<Glob> {
    let mut chars = text.chars();
    let mut globs = Vec::with_capacity(text.len());
    while let Some(c) = chars.next() {
        globs.push(match c {
            '*' => Glob::Any,
            '?' => Glob::One,
            '\\' => Glob::Char(chars.next().unwrap_or(c)),
            c => Glob::Char(c),
        });
    }
    globs
}

/// The text of a token without its first and last byte, which are quotes or slashes.
pub fn between_quotes(token: &str) -> &str {
    token.get(1..token.len().saturating_sub(1)).unwrap_or_default()
}

/// Whether the character stands for itself at every place of a term.
pub fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | '@' | '#' | '$' | '%' | ';' | '\'')
}

/// Writes a term without quotes, such as the name of a field: special characters and the words AND,
/// OR and NOT are escaped.
pub fn write_term(f: &mut impl std::fmt::Write, term: &str) -> std::fmt::Result {
    if matches!(term, "AND" | "OR" | "NOT") {
        f.write_char('\\')?;
    }
    term.chars().try_for_each(|c| {
        interrupts::spend(1);
        write_escaped(f, c)
    })
}

/// Writes a character of a term, escaped unless it is plain. Wildcards are escaped, too.
pub fn write_escaped(f: &mut impl std::fmt::Write, c: char) -> std::fmt::Result {
    match c {
        '\0' => f.write_str("\\u0000"),
        c if is_plain(c) => f.write_char(c),
        c => f.write_char('\\').and_then(|()| f.write_char(c)),
    }
}

/// Writes a value: without quotes where that is safe, otherwise in quotes.
pub fn write_value(f: &mut impl std::fmt::Write, value: &str) -> std::fmt::Result {
    let bare = !value.is_empty()
        && value.chars().all(|c| is_plain(c) || matches!(c, '-' | '/'))
        && !value.starts_with(['-', '/'])
        && !matches!(value, "AND" | "OR" | "NOT");
    if bare {
        return f.write_str(value);
    }
    f.write_char('"')?;
    for c in value.chars() {
        interrupts::spend(1);
        match c {
            '"' | '\\' => f.write_char('\\').and_then(|()| f.write_char(c))?,
            '\0' => f.write_str("\\u0000")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Writes one end of a range. Quotes are used only where nothing inside needs an escape: Solr
/// ignores escaped backslashes when it looks for the end of a quoted bound.
pub fn write_bound(f: &mut impl std::fmt::Write, value: &str) -> std::fmt::Result {
    let is_simple = |c: char| is_plain(c) || matches!(c, '-' | '+' | ':' | '/');
    if !value.is_empty() && value != "TO" && value.chars().all(is_simple) {
        return f.write_str(value);
    }
    if !value.is_empty() && !value.contains(['"', '\\', '\0']) {
        return write!(f, "\"{value}\"");
    }
    for c in value.chars() {
        interrupts::spend(4);
        match c {
            c if is_simple(c) => f.write_char(c)?,
            '"' | '\\' => write!(f, "\\{c}")?,
            c => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|u| write!(f, "\\u{u:04x}"))?,
        }
    }
    Ok(())
}
