//! Escapes: reading them as Solr does, and writing values so that they read back.

use crate::parse_error::ParseError;
use crate::pattern::Glob;

/// Removes escapes: `\uXXXX` is a UTF-16 code unit, `\c` any other character as it is. `offset` is the text's place in
/// the query. (Solr's `SolrQueryParserBase.discardEscapeChar`; a surrogate without its other half becomes U+FFFD, as
/// Lucene's `UnicodeUtil.UTF16toUTF8` makes it.)
pub fn unescape(text: &str, offset: usize) -> Result<String, ParseError> {
    if !text.contains('\\') {
        return Ok(text.to_string());
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
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

/// A backslash makes the next character itself, and unlike elsewhere `\u` is no code (Lucene's `WildcardQuery`).
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

/// What stands between the first and the last byte of a token, which are quotes or slashes.
pub fn between_quotes(token: &str) -> &str {
    token.get(1..token.len().saturating_sub(1)).unwrap_or_default()
}

/// Whether the character stands for itself wherever it is in a term.
pub fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | '@' | '#' | '$' | '%' | ';' | '\'')
}

/// A term without quotes, such as a field's name: special characters and words are escaped.
pub fn write_term(f: &mut impl std::fmt::Write, term: &str) -> std::fmt::Result {
    if matches!(term, "AND" | "OR" | "NOT") {
        f.write_char('\\')?;
    }
    term.chars().try_for_each(|c| write_escaped(f, c))
}

/// A character of a term, wildcards included, escaped unless it is plain.
pub fn write_escaped(f: &mut impl std::fmt::Write, c: char) -> std::fmt::Result {
    match c {
        '\0' => f.write_str("\\u0000"),
        c if is_plain(c) => f.write_char(c),
        c => write!(f, "\\{c}"),
    }
}

/// A value: bare where that is safe, else in quotes.
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
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\0' => f.write_str("\\u0000")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// One end of a range. In quotes only where nothing inside needs an escape: Solr finds the end of a quoted bound without
/// regard to escaped backslashes.
pub fn write_bound(f: &mut impl std::fmt::Write, value: &str) -> std::fmt::Result {
    let is_simple = |c: char| is_plain(c) || matches!(c, '-' | '+' | ':' | '/');
    if !value.is_empty() && value != "TO" && value.chars().all(is_simple) {
        return f.write_str(value);
    }
    if !value.is_empty() && !value.contains(['"', '\\', '\0']) {
        return write!(f, "\"{value}\"");
    }
    for c in value.chars() {
        match c {
            c if is_simple(c) => f.write_char(c)?,
            '"' | '\\' => write!(f, "\\{c}")?,
            c => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|u| write!(f, "\\u{u:04x}"))?,
        }
    }
    Ok(())
}
