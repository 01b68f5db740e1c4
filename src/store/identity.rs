//! The identity of a document: the one string or number at the store's key path.

use crate::document::{Decimal, Jsonb, Leaf};
use crate::predicate::{Predicate, Test, Value};

/// The longest identity, in bytes. The primary key is a B-tree, and three of its entries must fit
/// on a page (nbtree.h: BTMaxItemSize, 2704 bytes); the difference is for the headers of an entry.
pub const MAX_IDENTITY_BYTES: usize = 2500;

/// The identity of a document at a path. The error says, for people, what is there instead.
pub fn identity(doc: Jsonb<'_>, path: &str) -> Result<String, String> {
    let mut count = 0;
    let mut identity = Err(String::new());
    doc.leaves_at(path, &mut |leaf| {
        count += 1;
        if count == 1 {
            identity = leaf_identity(leaf);
        }
    });
    match count {
        0 => Err(format!("at \"{path}\": no value, but a string or number is needed")),
        1 => identity.map_err(|problem| format!("at \"{path}\": {problem}")),
        _ => Err(format!("at \"{path}\": {count} values, but one string or number is needed")),
    }
}

/// Whether a document may lie under an id: it is an object, and it has this identity or no value at the
/// path. Every row that is written is asked, so nothing is copied where `identity` would make a
/// string.
pub fn is_session(id: &str, doc: Jsonb<'_>, path: &str) -> bool {
    let (mut count, mut is_right) = (0, true);
    doc.leaves_at(path, &mut |leaf| {
        count += 1;
        is_right = count == 1 && has_identity(leaf, id);
    });
    doc.is_object() && is_right
}

fn has_identity(leaf: Leaf<'_>, id: &str) -> bool {
    match leaf {
        Leaf::String(text) => text == id && text.len() <= MAX_IDENTITY_BYTES,
        Leaf::Number(number) => match number.small_integer() {
            Some(integer) => is_written(integer, id),
            None => leaf_identity(leaf).is_ok_and(|identity| identity == id),
        },
        Leaf::Bool(_) => false,
    }
}

/// Whether an integer is written like this in decimals.
fn is_written(integer: u64, text: &str) -> bool {
    let (mut digits, mut rest) = (text.bytes().rev(), integer);
    loop {
        if digits.next() != Some(b'0' + (rest % 10) as u8) {
            return false;
        }
        rest /= 10;
        if rest == 0 {
            return digits.next().is_none();
        }
    }
}

/// The identity that every match has, if there is only one that matches can have. No document may
/// have another value at the path than its identity, as `is_session` has it.
pub fn of_matches<'p>(predicate: &'p Predicate, path: &str) -> Option<&'p str> {
    match predicate {
        Predicate::And(parts) => parts.iter().find_map(|part| of_matches(part, path)),
        Predicate::Object(object) => of_matches(&object.necessary, path),
        Predicate::Condition { path: Some(at), test: Test::Equal(value) } if at == path => {
            of_value(value)
        }
        Predicate::Condition { .. }
        | Predicate::All
        | Predicate::None
        | Predicate::Or(_)
        | Predicate::Not(_) => None,
    }
}

/// The identity that a value of a query stands for. Of one that reads as a date there are many texts,
/// and a string "2002.0" has another one than the number that is equal to it.
fn of_value(value: &Value) -> Option<&str> {
    let is_its_text = |number: &Decimal| plain(number).as_deref() == Some(value.text.as_str());
    let is_one = value.instants.is_none()
        && value.text.len() <= MAX_IDENTITY_BYTES
        && value.number.as_ref().is_none_or(|n| n.end.is_none() && is_its_text(&n.first));
    is_one.then_some(&value.text)
}

/// The identity that a string or number stands for. Numbers and strings share one space: 2002,
/// 2002.0 and "2002" are the same identity.
pub fn leaf_identity(leaf: Leaf<'_>) -> Result<String, String> {
    match leaf {
        Leaf::String(text) if text.len() > MAX_IDENTITY_BYTES => Err(format!(
            "a string of {} bytes, but an identity has at most {MAX_IDENTITY_BYTES}",
            text.len()
        )),
        Leaf::String(text) => Ok(text.to_string()),
        Leaf::Number(number) => {
            if let Some(integer) = number.small_integer() {
                return Ok(integer.to_string());
            }
            let plain = number.decimal().and_then(|number| plain(&number));
            let too_long = || {
                format!(
                    "a number of more than {MAX_IDENTITY_BYTES} digits, but an identity has at most {MAX_IDENTITY_BYTES} bytes"
                )
            };
            plain.filter(|text| text.len() <= MAX_IDENTITY_BYTES).ok_or_else(too_long)
        }
        Leaf::Bool(_) => Err("a boolean, but a string or number is needed".into()),
    }
}

/// A number in plain digits, as PostgreSQL shows type numeric, without superfluous zeros. None if
/// that is longer than an identity may be.
fn plain(number: &Decimal) -> Option<String> {
    let digits = std::str::from_utf8(number.digits()).ok()?;
    if digits.is_empty() {
        return Some("0".into());
    }
    if number.exponent().unsigned_abs() as usize > MAX_IDENTITY_BYTES
        || digits.len() > MAX_IDENTITY_BYTES
    {
        return None;
    }
    let sign = if number.is_negative() { "-" } else { "" };
    let (count, point) = (digits.len() as i64, number.exponent());
    Some(if point >= count {
        format!("{sign}{digits}{}", "0".repeat((point - count) as usize))
    } else if point > 0 {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{sign}{whole}.{fraction}")
    } else {
        format!("{sign}0.{}{digits}", "0".repeat(-point as usize))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::lower;
    use crate::syntax::parse;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, identity) in [
            ("2002", "2002"),
            ("2002.0", "2002"),
            ("1e3", "1000"),
            ("-0.050", "-0.05"),
            ("12.5e-4", "0.00125"),
            ("0.0", "0"),
            ("1e30", "1000000000000000000000000000000"),
        ] {
            let number = Decimal::parse(number).unwrap();
            assert_eq!(plain(&number).as_deref(), Some(identity));
        }
        assert_eq!(plain(&Decimal::parse("1e99999").unwrap()), None);
    }

    #[test]
    fn an_integer_is_written_in_one_way() {
        for integer in [0, 1, 10, 2002, u64::MAX] {
            let text = integer.to_string();
            assert!(is_written(integer, &text));
            for other in [
                format!("0{text}"),
                format!("-{text}"),
                format!("+{text}"),
                format!("{text}0"),
                format!("1{text}"),
                text.chars().skip(1).collect(),
            ] {
                assert!(!is_written(integer, &other), "{integer} {other}");
            }
        }
    }

    #[test]
    fn matches_have_one_identity_where_the_query_says_so() {
        let now = Default::default();
        let of = |query: &str| {
            let lowered = lower(&parse(query).unwrap(), now).unwrap();
            of_matches(&lowered.predicate, "a.b").map(str::to_string)
        };
        let x = "x".repeat(MAX_IDENTITY_BYTES);
        for (query, identity) in [
            ("a.b:2002", "2002"),
            ("a.b:\"2002\"", "2002"),
            ("a.b:\"-0.05\"", "-0.05"),
            ("a.b:2024", "2024"),
            ("a.b:true", "true"),
            ("a.b:\"\"", ""),
            ("a.b:Ä\\:\\ b", "Ä: b"),
            (&format!("a.b:{x}"), &x),
            ("+a.b:x^2 +c:1", "x"),
            ("c:1 AND (d:2 AND (+a.b:(x)^=3 e:4))", "x"),
            ("filter(a.b:x) AND NOT c:1", "x"),
            ("+a.b:2002.0 +a.b:2002", "2002"),
            ("{!term f=a.b}x y", "x y"),
            ("a:{b:x AND c:1}", "x"),
            ("+a.b:x a.b:y", "x"),
        ] {
            assert_eq!(of(query).as_deref(), Some(identity), "{query}");
        }
        for query in [
            "a.b:2002.0",
            "a.b:2e3",
            "a.b:02002",
            "a.b:\"+7\"",
            "a.b:\"-0\"",
            "a.b:1e99999",
            "a.b:NOW",
            "a.b:2024-01",
            "a.b:\"2024-01-01T00:00:00Z\"",
            "a.b:x*",
            "a.b:*",
            "a.b:[x TO x]",
            "a.b:x~1",
            "a.b:/x/",
            "a.b:x a.b:y",
            "a.b:x c:1",
            "-a.b:x",
            "*:* -a.b:x",
            "x",
            "a:x",
            "b:x",
            "c:{a.b:x}",
            "{!terms f=a.b}x,y",
            &format!("a.b:{x}x"),
        ] {
            assert_eq!(of(query), None, "{query}");
        }
    }
}
