//! Instants that documents hold as strings.
//!
//! `2024-03-31T12:00:00.123456+02:00`: a date, `T` or a space, a time with seconds and optionally a
//! fraction of one to nine digits, and then `Z` or the offset from UTC (`+02`, `+0200`, `+02:00`,
//! or with seconds). RFC 3339, PostgreSQL (as JSON and as text), Python's `isoformat` and Java's
//! `Instant` write instants like this. A time without an offset is not an instant, since it depends
//! on the time zone.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// The instant that the whole text stands for; none if it is not an instant.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    // Most strings fail this check, which is fast.
    let is_like = |bytes: &[u8]| bytes.len() >= 20 && bytes[4] == b'-' && bytes[13] == b':';
    is_like(text.as_bytes())
        .then(|| instant_prefix(text))?
        .and_then(|(instant, rest)| rest.is_empty().then_some(instant))
}

/// Whether a text is an instant of the form `2024-03-31T12:00:00Z`. Two such instants are in the
/// order of their texts, so neither has to be calculated.
pub fn is_plain_instant(text: &str) -> bool {
    let bytes: &[u8; 20] = match text.as_bytes().try_into() {
        Ok(bytes) => bytes,
        Err(_) => return false,
    };
    let &[a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n, b'Z'] = bytes
    else {
        return false;
    };
    let digits = [a, b, c, d, e, f, g, h, i, j, k, l, m, n];
    let two = |tens: u8, ones: u8| 10 * u32::from(tens - b'0') + u32::from(ones - b'0');
    digits.iter().all(u8::is_ascii_digit)
        && two(i, j) < 24
        && two(k, l) < 60
        && two(m, n) < 60
        && match (two(e, f), two(g, h)) {
            (1..=12, 1..=28) => true,
            (month, day) => {
                let year = 100 * two(a, b) + two(c, d);
                NaiveDate::from_ymd_opt(year as i32, month, day).is_some()
            }
        }
}

/// The instant that a text stands for, unless the text has the form `…T…Z`. Texts of that form are
/// sorted as their instants are, apart from fractions of a second; other texts are not.
pub fn unordered_instant(text: &str) -> Option<DateTime<Utc>> {
    let is_ordered = text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    if is_ordered { None } else { instant(text) }
}

/// The instant at the beginning of a text, and the rest of the text.
pub fn instant_prefix(text: &str) -> Option<(DateTime<Utc>, &str)> {
    let (local, rest) = local_time(text)?;
    let (offset, rest) = offset(rest)?;
    Some((local.checked_sub_signed(offset)?.and_utc(), rest))
}

/// The date and time at the beginning of a text, and the rest of the text, which must begin with an
/// offset if the text is an instant.
fn local_time(text: &str) -> Option<(NaiveDateTime, &str)> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(after(rest, [b'-'])?, 2)?;
    let (day, rest) = number(after(rest, [b'-'])?, 2)?;
    let (hour, rest) = number(after(rest, [b'T', b' '])?, 2)?;
    let (minute, rest) = number(after(rest, [b':'])?, 2)?;
    let (second, rest) = number(after(rest, [b':'])?, 2)?;
    let (nanosecond, rest) = fraction(rest)?;
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    Some((date.and_hms_nano_opt(hour, minute, second, nanosecond)?, rest))
}

/// The rest of a text that begins with one of these ASCII bytes.
#[inline]
fn after<const N: usize>(text: &str, ascii: [u8; N]) -> Option<&str> {
    let first = text.as_bytes().first()?;
    ascii.iter().any(|byte| byte == first).then(|| text.get(1..))?
}

/// A number of exactly `count` digits (at most nine), and the rest of the text.
#[inline]
pub(super) fn number(text: &str, count: usize) -> Option<(u32, &str)> {
    let mut value = 0;
    for byte in text.as_bytes().get(..count)? {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = 10 * value + u32::from(byte - b'0');
    }
    Some((value, text.get(count..)?))
}

/// The fraction of a second in nanoseconds, and the rest of the text.
pub(super) fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = after(text, [b'.']) else { return Some((0, text)) };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    number(digits, count).map(|(value, rest)| (value * 10u32.pow(9 - count as u32), rest))
}

/// The offset from UTC, which is less than a day, and the rest of the text.
pub(super) fn offset(text: &str) -> Option<(TimeDelta, &str)> {
    if let Some(rest) = after(text, [b'Z']) {
        return Some((TimeDelta::zero(), rest));
    }
    let is_negative = text.starts_with('-');
    let (hours, mut rest) = number(after(text, [b'+', b'-'])?, 2)?;
    if hours >= 24 {
        return None;
    }
    let mut seconds = i64::from(hours) * 3600;
    let has_colons = rest.starts_with(':');
    for unit in [60, 1] {
        let part = if has_colons { rest.strip_prefix(':') } else { Some(rest) };
        let Some((value @ 0..60, after_part)) = part.and_then(|part| number(part, 2)) else {
            break;
        };
        seconds += i64::from(value) * unit;
        rest = after_part;
    }
    let offset = TimeDelta::seconds(seconds);
    Some((if is_negative { -offset } else { offset }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_instants() {
        for (text, in_utc) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2021-02-05T04:06:36.5Z", "2021-02-05T04:06:36.500Z"),
            ("2021-02-05T04:06:36.000000001Z", "2021-02-05T04:06:36.000000001Z"),
            ("2021-02-05T04:06:36.123456+00:00", "2021-02-05T04:06:36.123456Z"),
            ("2021-02-05T04:06:36+01:00", "2021-02-05T03:06:36Z"),
            ("2021-02-05T04:06:36-0330", "2021-02-05T07:36:36Z"),
            ("2021-02-05 04:06:36.25+01", "2021-02-05T03:06:36.250Z"),
            ("2021-02-05 04:06:36Z", "2021-02-05T04:06:36Z"),
            ("1880-01-01T00:53:28+00:53:28", "1880-01-01T00:00:00Z"),
            ("1880-01-01T00:53:28+005328", "1880-01-01T00:00:00Z"),
            ("2021-12-31T23:59:59-23:59", "2022-01-01T23:58:59Z"),
            ("0000-01-01T00:00:00+14:00", "-0001-12-31T10:00:00Z"),
        ] {
            let expected: DateTime<Utc> = in_utc.parse().unwrap();
            assert_eq!(instant(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "unknown",
            "2021-02-05",
            "2021-02-05T04:06:36",
            "2021-02-05T04:06Z",
            "2021-02-30T00:00:00Z",
            "2021-02-05T24:00:00Z",
            "2021-02-05T04:06:36.Z",
            "2021-02-05T04:06:36.1234567890Z",
            "2021-2-5T4:6:36Z",
            "2021-02-05T04:06:36+1",
            "2021-02-05T04:06:36+24:00",
            "2021-02-05T04:06:36+01:60",
            "2021-02-05T04:06:36+01:",
            "2021-02-05T04:06:36+01:00:",
            "2021-02-05T04:06:36+01:0000",
            "2021-02-05T04:06:36ZZ",
            "+021-02-05T04:06:36Z",
            "٢٠21-02-05T04:06:36Z",
            "éééééTééééééééZ",
            "2024-01-01T00:00:0éZ",
            "2024-01-01T00:00:00é",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    proptest! {
        /// Plain instants are those that are instants, and have the order of their texts.
        #[test]
        fn plain_instants_are_ordered(
            texts in proptest::array::uniform2("(0000|1999|2000|2023|2024|2100|9999)-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z"),
        ) {
            let instants = texts.each_ref().map(|text| instant(text));
            for (text, instant) in texts.iter().zip(instants) {
                prop_assert_eq!(is_plain_instant(text), instant.is_some(), "{}", text);
            }
            if let [Some(a), Some(b)] = instants {
                prop_assert_eq!(a.cmp(&b), texts[0].cmp(&texts[1]), "{:?}", texts);
            }
        }

        /// An instant with some characters replaced, removed or added is read without a panic, and
        /// as chrono reads it if both accept it.
        #[test]
        fn any_text_is_read(at in 0usize..30, put in "[-0-9TZ:+. é💡\u{0}]{0,2}", length in 0usize..2) {
            for text in ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.123456+01:00"] {
                let mut chars: Vec<char> = text.chars().collect();
                let at = at.min(chars.len());
                let end = (at + length).min(chars.len());
                chars.splice(at..end, put.chars());
                let text: String = chars.into_iter().collect();
                let by_chrono = DateTime::parse_from_rfc3339(&text).map(|instant| instant.to_utc());
                if let (Some(ours), Ok(theirs)) = (instant(&text), by_chrono) {
                    prop_assert_eq!(ours, theirs, "{}", text);
                }
                let is_plain = instant(&text).is_some()
                    && text.len() == 20
                    && text.ends_with('Z')
                    && text.contains('T');
                prop_assert_eq!(is_plain_instant(&text), is_plain, "{}", text);
            }
        }
    }
}
