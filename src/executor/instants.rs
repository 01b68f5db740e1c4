//! Instants among the string values.

use crate::document::{STRING, instant};

/// The length of `2024-03-31T12:00:00Z`.
pub const SECOND_LENGTH: usize = 20;

/// The text of a string value.
pub fn text_of(value: &[u8]) -> Option<&str> {
    value.strip_prefix(&[STRING]).and_then(|text| std::str::from_utf8(text).ok())
}

/// The second, since 1970, of a string value that is an instant of the form `…T…Z`.
pub fn second_of(value: &[u8]) -> Option<i64> {
    let at = is_ordered_instant(value).then(|| text_of(value).and_then(instant)).flatten()?;
    Some(at.timestamp())
}

/// Whether a string value is an instant of the form `…T…Z`. Most of them are recognized by their
/// digits alone.
#[inline]
pub fn is_ordered_instant(value: &[u8]) -> bool {
    let [_, text @ ..] = value else { return false };
    if text.last() != Some(&b'Z') || text.get(10) != Some(&b'T') {
        return false;
    }
    let pair = |at: usize| match text.get(at..at + 2) {
        Some(&[a @ b'0'..=b'9', b @ b'0'..=b'9']) => Some((a - b'0') * 10 + (b - b'0')),
        _ => None,
    };
    let parts = [0, 2, 5, 8, 11, 14, 17].map(pair);
    if let [Some(_), Some(_), Some(1..=12), Some(1..=28), Some(0..=23), Some(0..=59), Some(0..=59)] =
        parts
        && text.len() == SECOND_LENGTH
        && [text[4], text[7], text[13], text[16]] == *b"--::"
    {
        return true;
    }
    text_of(value).and_then(instant).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Scalar;

    #[test]
    fn knows_ordered_instants() {
        for (text, expected) in [
            ("2024-03-31T12:00:00Z", true),
            ("2024-02-29T23:59:59Z", true),
            ("2024-03-31T12:00:00.25Z", true),
            ("2023-02-29T12:00:00Z", false),
            ("2024-13-01T12:00:00Z", false),
            ("2024-03-31T24:30:00Z", false),
            ("2024-03-31 12:00:00Z", false),
            ("2024-03-31T12:00:00+01", false),
            ("2024-03-31T12-00:00Z", false),
            ("", false),
        ] {
            assert_eq!(is_ordered_instant(&Scalar::String(text).to_bytes()), expected, "{text}");
        }
    }
}
