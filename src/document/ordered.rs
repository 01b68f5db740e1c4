//! Numbers as bytes: their memcmp order is exactly the order of the numbers.
//!
//! A number has the digits of PostgreSQL's `numeric`: `0.D₁D₂D₃… × 10000^(weight + 1)`, where
//! neither the first nor the last digit is zero. A head for the sign and the weight comes first.
//! Each digit follows as a big-endian `u16`, plus 256, so that its first byte is never 0. For a
//! negative number all bytes are complemented, and a last byte that is greater than the first byte
//! of any complemented digit follows: -0.12 is greater than -0.125.

use super::decimal::Decimal;
use smallvec::SmallVec;

const ZERO: u8 = 0x80;
/// The weights whose head is one byte. These are the most common ones.
const ONE_BYTE_WEIGHTS: std::ops::RangeInclusive<i64> = -0x28..=0x28;
/// The head of a positive number of weight 0.
const HEAD_OF_WEIGHT_0: i64 = 0xC0;
/// The heads of smaller and of larger weights. The weight follows as an `i16` with its sign bit
/// flipped.
const SMALL_HEAD: u8 = 0x90;
const LARGE_HEAD: u8 = 0xF0;
/// The heads of numbers that only a query can have, since `numeric` cannot hold them: closer to
/// zero than all others, and further from zero than all others.
const TINIEST_HEAD: u8 = 0x81;
const LARGEST_HEAD: u8 = 0xFF;
/// The last byte of a negative number.
const NEGATIVE_END: u8 = 0xFF;

/// Writes a number. The digits have base 10000; zero has none.
pub fn write(
    negative: bool,
    weight: i64,
    digits: impl Iterator<Item = u16>,
    out: &mut impl Extend<u8>,
) {
    let mut digits = digits.peekable();
    if digits.peek().is_none() {
        return out.extend([ZERO]);
    }
    let flip = if negative { 0xFF } else { 0 };
    let far = |head: u8, weight: i16| {
        let [high, low] = (weight as u16 ^ 0x8000).to_be_bytes();
        [head ^ flip, high ^ flip, low ^ flip]
    };
    match (weight, i16::try_from(weight)) {
        _ if ONE_BYTE_WEIGHTS.contains(&weight) => {
            out.extend([(HEAD_OF_WEIGHT_0 + weight) as u8 ^ flip])
        }
        (..0, Ok(weight)) => out.extend(far(SMALL_HEAD, weight)),
        (_, Ok(weight)) => out.extend(far(LARGE_HEAD, weight)),
        (..0, Err(_)) => return out.extend([TINIEST_HEAD ^ flip]),
        (_, Err(_)) => return out.extend([LARGEST_HEAD ^ flip]),
    }
    for digit in digits {
        let [high, low] = (digit + 0x100).to_be_bytes();
        out.extend([high ^ flip, low ^ flip]);
    }
    if negative {
        out.extend([NEGATIVE_END]);
    }
}

/// Writes a decimal number with the digits that `numeric` would give it.
pub fn write_decimal(number: &Decimal, out: &mut impl Extend<u8>) {
    let (weight, digits) = digits(number);
    write(number.is_negative(), weight, digits.into_iter(), out);
}

/// The digits that `numeric` would give a decimal number, and the weight of the first one.
pub fn digits(number: &Decimal) -> (i64, SmallVec<[u16; 8]>) {
    // Zeros in front move the point between two digits of base 10000.
    let zeros = (-number.exponent()).rem_euclid(4);
    let weight = (number.exponent() + zeros) / 4 - 1;
    let padded: SmallVec<[u8; 32]> =
        std::iter::repeat_n(b'0', zeros as usize).chain(number.digits().iter().copied()).collect();
    let digit = |group: &[u8]| {
        (0..4).fold(0, |value, at| value * 10 + u16::from(group.get(at).unwrap_or(&b'0') - b'0'))
    };
    let groups = if number.digits().is_empty() { &[] } else { &padded[..] };
    (weight, groups.chunks(4).map(digit).collect())
}

/// A number that was read from its bytes: `0.D₁D₂D₃… × 10000^(weight + 1)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedNumber {
    /// Whether it is below zero.
    pub negative: bool,
    /// The first digit counts 10000 to the power of it.
    pub weight: i64,
    /// Digits of base 10000; none for zero.
    pub digits: smallvec::SmallVec<[u16; 8]>,
}

/// Reads the bytes of a number. None if they are no whole number, or one that `numeric` cannot
/// hold.
pub fn read(bytes: &[u8]) -> Option<OrderedNumber> {
    let (&head, rest) = bytes.split_first()?;
    let mut number = OrderedNumber { negative: false, weight: 0, digits: Default::default() };
    if head == ZERO {
        return rest.is_empty().then_some(number);
    }
    number.negative = head < ZERO;
    let flip = if number.negative { 0xFF } else { 0 };
    let mut rest = rest;
    if number.negative {
        rest = rest.strip_suffix(&[NEGATIVE_END])?;
    }
    let one_byte = i64::from(head ^ flip) - HEAD_OF_WEIGHT_0;
    number.weight = match head ^ flip {
        SMALL_HEAD | LARGE_HEAD => {
            let (weight, behind) = rest.split_first_chunk::<2>()?;
            rest = behind;
            i64::from((u16::from_be_bytes(weight.map(|byte| byte ^ flip)) ^ 0x8000) as i16)
        }
        _ if ONE_BYTE_WEIGHTS.contains(&one_byte) => one_byte,
        _ => return None,
    };
    let (digits, []) = rest.as_chunks::<2>() else { return None };
    for digit in digits {
        let digit = u16::from_be_bytes(digit.map(|byte| byte ^ flip)).checked_sub(0x100)?;
        number.digits.push(digit);
    }
    Some(number)
}

impl OrderedNumber {
    /// The number as a decimal.
    pub fn decimal(&self) -> Option<Decimal> {
        let mut text = String::with_capacity(8 + 4 * self.digits.len());
        text.push_str(if self.negative { "-0." } else { "0." });
        for digit in &self.digits {
            text.push_str(&format!("{digit:04}"));
        }
        // A number without digits is zero, and needs one to be read.
        text.push_str(&format!("0e{}", 4 * (self.weight + 1)));
        Decimal::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(number: &Decimal) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_decimal(number, &mut bytes);
        bytes
    }

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn numbers_near_each_other_stay_apart() {
        let ascending = [
            "-1e999999",
            "-1e400",
            "-9007199254740993",
            "-9007199254740992",
            "-12.00005",
            "-12",
            "-1",
            "-0.125",
            "-0.12",
            "-1e-400",
            "-1e-999999",
            "0",
            "1e-999999",
            "1e-400",
            "1e-5",
            "0.0001",
            "0.00010001",
            "0.12",
            "0.125",
            "1",
            "9999",
            "10000",
            "10000.1",
            "9007199254740992",
            "9007199254740993",
            "1e160",
            "1e164",
            "1e168",
            "1e131071",
            "1e999999",
        ];
        for pair in ascending.windows(2) {
            assert!(bytes(&number(pair[0])) < bytes(&number(pair[1])), "{} < {}", pair[0], pair[1]);
        }
    }

    proptest! {
        #[test]
        fn bytes_are_read(a in "-?[0-9]{1,30}(\\.[0-9]{1,9})?(e-?[0-9]{1,4})?") {
            let number = number(&a);
            prop_assert_eq!(read(&bytes(&number)).and_then(|read| read.decimal()), Some(number));
        }

        /// Damaged bytes are read, or refused.
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..9)) {
            if let Some(number) = read(&bytes) {
                prop_assert!(number.digits.len() <= 4);
            }
        }

        #[test]
        fn bytes_order_as_decimals(
            a in "-?[0-9]{1,9}(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?",
            b in "-?[0-9]{1,9}(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?",
        ) {
            let (a, b) = (number(&a), number(&b));
            prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), a.cmp(&b));
        }
    }
}
