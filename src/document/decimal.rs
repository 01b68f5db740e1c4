//! Exact decimal numbers, ordered by value.
//!
//! jsonb numbers are PostgreSQL `numeric`s; a binary float would confuse 2^53 with 2^53+1 and 0.1
//! with its neighbours.

use std::cmp::Ordering;

/// A decimal number in its one normal form: `±0.d₁d₂…dₙ × 10^exponent` with d₁ and dₙ not zero.
/// Equal values have equal forms, so equality is structural and comparing needs no arithmetic,
/// however large the exponent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    exponent: i64,
    /// ASCII digits; empty for zero.
    digits: Box<[u8]>,
}

impl Decimal {
    /// Reads an optional sign, digits with at most one point before, among or behind them, and an
    /// optional exponent of at most 18 digits. Anything else is not a number.
    pub fn parse(text: &str) -> Option<Decimal> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let Some(first) = all.iter().position(|&d| d != b'0') else {
            return Some(Decimal { negative: false, exponent: 0, digits: Box::default() });
        };
        let last = all.iter().rposition(|&d| d != b'0').unwrap_or(first);
        Some(Decimal {
            negative,
            exponent: exponent + whole.len() as i64 - first as i64,
            digits: all[first..=last].into(),
        })
    }

    /// An integer, such as milliseconds since the epoch, as a decimal number.
    pub fn from_i64(n: i64) -> Decimal {
        let mut digits = n.unsigned_abs().to_string().into_bytes();
        let exponent = if n == 0 { 0 } else { digits.len() as i64 };
        let significant = digits.iter().rposition(|&d| d != b'0').map_or(0, |last| last + 1);
        digits.truncate(significant);
        Decimal { negative: n < 0, exponent, digits: digits.into() }
    }

    /// Whether PostgreSQL's `numeric` holds this value exactly: at most 131072 digits before the
    /// point and 16383 behind it (PostgreSQL manual, "Arbitrary Precision Numbers"). No jsonb
    /// number lies outside.
    pub fn is_numeric(&self) -> bool {
        self.exponent <= 131_072 && self.digits.len() as i64 - self.exponent <= 16_383
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The exponent: the value is `0.digits × 10^exponent`.
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// Significant ASCII digits, without leading or trailing zeros; empty for zero.
    pub fn digits(&self) -> &[u8] {
        &self.digits
    }
}

/// Reads an exponent of at most 18 digits, so that adding a length to it cannot overflow.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |d: &Decimal| match (d.digits.is_empty(), d.negative) {
            (true, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let magnitude =
                self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
            if self.negative { magnitude.reverse() } else { magnitude }
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Plain notation for numbers of usual size, otherwise scientific notation. Both are valid JSON
/// numbers and jsonpath literals.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = std::str::from_utf8(&self.digits).unwrap_or_default();
        let count = digits.len() as i64;
        let sign = if self.negative { "-" } else { "" };
        match self.exponent {
            _ if digits.is_empty() => f.write_str("0"),
            e if count <= e && e <= 21 => {
                write!(f, "{sign}{digits}{}", "0".repeat((e - count) as usize))
            }
            e if 0 < e && e < count => {
                let (whole, fraction) = digits.split_at(e as usize);
                write!(f, "{sign}{whole}.{fraction}")
            }
            e if -6 < e && e <= 0 => {
                write!(f, "{sign}0.{}{digits}", "0".repeat(-e as usize))
            }
            e => {
                let (first, rest) = digits.split_at(1);
                let point = if rest.is_empty() { "" } else { "." };
                write!(f, "{sign}{first}{point}{rest}e{}", e - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn equal_values_have_one_form() {
        for (a, b) in [
            ("5", "5.0"),
            ("5", "5e0"),
            ("5", "+05."),
            (".5", "0.50"),
            ("-0", "0.000e7"),
            ("1e3", "1000"),
            ("123e-2", "1.23"),
            ("1e100000", "10e99999"),
        ] {
            assert_eq!(number(a), number(b), "{a} = {b}");
        }
    }

    #[test]
    fn orders_by_value() {
        let ascending = [
            "-1e400",
            "-10",
            "-9.99",
            "-0.1",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000001",
            "2",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e400",
        ];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "",
            ".",
            "-",
            "e5",
            "1e",
            "1e+",
            "1.2.3",
            "0x10",
            "NaN",
            "١",
            " 1",
            "1f",
            "1e9999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn displays_what_it_parses(n in any::<i64>(), e in -400i32..400) {
            let decimal = number(&format!("{n}e{e}"));
            prop_assert_eq!(number(&decimal.to_string()), decimal);
            prop_assert_eq!(Decimal::from_i64(n), number(&n.to_string()));
        }

        #[test]
        fn orders_as_integers_do(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(Decimal::from_i64(a).cmp(&Decimal::from_i64(b)), a.cmp(&b));
        }
    }
}
