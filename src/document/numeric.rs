//! PostgreSQL's binary `numeric`, read in place.

use super::decimal::Decimal;
use super::ordered;
use smallvec::SmallVec;
use std::cmp::Ordering;

/// A `numeric` as it is stored in a jsonb value, with its length word.
#[derive(Clone, Copy)]
pub struct Numeric<'a>(&'a [u8]);

// numeric.c: n_header
const NUMERIC_SPECIAL: u16 = 0xC000;
const NUMERIC_NEGATIVE: u16 = 0x4000;
const NUMERIC_SHORT: u16 = 0x8000;
const NUMERIC_SHORT_NEGATIVE: u16 = 0x2000;
const NUMERIC_SHORT_WEIGHT_SIGN: u16 = 0x0040;
const NUMERIC_SHORT_WEIGHT: u16 = 0x003F;

impl<'a> Numeric<'a> {
    /// A numeric of these bytes, which begin with its length word.
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Numeric<'a> {
        Numeric(bytes)
    }

    /// The bytes, which begin with the length word.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The exact value. None for NaN and the infinities, which jsonb never holds.
    pub fn decimal(self) -> Option<Decimal> {
        let (negative, weight, digits) = self.parts()?;
        let mut text = String::with_capacity(digits.len() * 2 + 16);
        text.push_str(if negative { "-.0" } else { ".0" });
        for digit in digits.chunks_exact(2) {
            text.push_str(&format!("{:04}", u16::from_ne_bytes([digit[0], digit[1]])));
        }
        // A zero was written behind the point above, so that the number 0, which has no digits, can
        // be read, too.
        text.push_str(&format!("e{}", 4 * (weight + 1) + 1));
        Decimal::parse(&text)
    }

    /// Writes the exact value as bytes in the order of numbers (see ordered.rs). False for NaN and
    /// the infinities.
    pub fn write_ordered(self, out: &mut impl Extend<u8>) -> bool {
        let Some((negative, weight, digits)) = self.parts() else { return false };
        let digits = digits.chunks_exact(2).map(|d| u16::from_ne_bytes([d[0], d[1]]));
        ordered::write(negative, weight, digits, out);
        true
    }

    /// The number, if it is whole, not negative and below 10^16.
    pub fn small_integer(self) -> Option<u64> {
        let (negative, weight, digits) = self.parts()?;
        let digits = digits.chunks_exact(2).map(|d| u16::from_ne_bytes([d[0], d[1]]));
        if digits.len() == 0 {
            return Some(0);
        }
        // Digits behind the one that counts 10000^0 are a fraction.
        let zeros = u32::try_from(weight + 1 - digits.len() as i64).ok()?;
        if negative || weight > 3 {
            return None;
        }
        let value = digits.fold(0, |value, digit| value * 10_000 + u64::from(digit));
        Some(value * 10_000u64.pow(zeros))
    }

    /// Compares it with another number. None if it is not finite.
    #[inline]
    pub fn compare(self, other: Parts<'_>) -> Option<Ordering> {
        let (negative, weight, digits) = self.parts()?;
        let digits = digits.chunks_exact(2).map(|d| u16::from_ne_bytes([d[0], d[1]]));
        Some(compare(negative, weight, digits, other))
    }

    /// The sign, the weight and the digits. numeric.c: a digit has base 10000 and is a native
    /// int16. The first digit counts 10000^weight. Neither the first nor the last digit is zero
    /// (make_result).
    fn parts(self) -> Option<(bool, i64, &'a [u8])> {
        let half = |at: usize| Some(u16::from_ne_bytes(self.0.get(at..at + 2)?.try_into().ok()?));
        let header = half(4)?;
        let (negative, weight, digits) = match header & NUMERIC_SPECIAL {
            NUMERIC_SPECIAL => return None,
            NUMERIC_SHORT => {
                let magnitude = (header & NUMERIC_SHORT_WEIGHT) as i16;
                let below = header & NUMERIC_SHORT_WEIGHT_SIGN != 0;
                let weight =
                    if below { magnitude | !(NUMERIC_SHORT_WEIGHT as i16) } else { magnitude };
                (header & NUMERIC_SHORT_NEGATIVE != 0, i64::from(weight), 6)
            }
            sign => (sign == NUMERIC_NEGATIVE, i64::from(half(6)? as i16), 8),
        };
        Some((negative, weight, self.0.get(digits..self.length()?)?))
    }

    /// The length in bytes, with the length word. postgres.h: an uncompressed varlena header of
    /// four bytes.
    fn length(self) -> Option<usize> {
        let word = word(self.0, 0)?;
        Some(if cfg!(target_endian = "little") { word >> 2 } else { word & 0x3FFF_FFFF } as usize)
    }
}

/// A number with the digits of a `numeric`: `0.D₁D₂D₃… × 10000^(weight + 1)`. Neither the first nor
/// the last digit is zero.
#[derive(Debug)]
pub struct Base10000 {
    negative: bool,
    weight: i64,
    digits: SmallVec<[u16; 8]>,
}

/// The sign, the weight and the digits of a number.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    negative: bool,
    weight: i64,
    digits: &'a [u16],
}

/// A number of few digits, in few bytes.
#[derive(Debug, Clone, Copy)]
pub struct ShortNumber {
    negative: bool,
    length: u8,
    weight: i16,
    digits: [u16; 5],
}

impl ShortNumber {
    /// The same number; none if it has too many digits.
    #[must_use]
    pub fn of(number: &Base10000) -> Option<ShortNumber> {
        let mut digits = [0; 5];
        digits.get_mut(..number.digits.len())?.copy_from_slice(&number.digits);
        let (length, weight) = (number.digits.len() as u8, number.weight.try_into().ok()?);
        Some(ShortNumber { negative: number.negative, length, weight, digits })
    }

    /// Its parts.
    #[inline]
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        let digits = self.digits.get(..self.length.into()).unwrap_or(&self.digits);
        Parts { negative: self.negative, weight: self.weight.into(), digits }
    }
}

impl Base10000 {
    /// Its parts.
    #[inline]
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        Parts { negative: self.negative, weight: self.weight, digits: &self.digits }
    }

    /// Reads a number as `Decimal::parse` does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Base10000> {
        Base10000::parse_short(text).or_else(|| Some(Base10000::of(&Decimal::parse(text)?)))
    }

    /// The same number.
    #[must_use]
    pub fn of(number: &Decimal) -> Base10000 {
        let (weight, digits) = ordered::digits(number);
        Base10000 { negative: number.is_negative(), weight, digits }
    }

    /// Reads what most numbers are: at most 16 digits, or 15 and a point, and no exponent.
    fn parse_short(text: &str) -> Option<Base10000> {
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if !(1..=16).contains(&unsigned.len()) {
            return None;
        }
        let (mut value, mut digits, mut after_point) = (0u64, 0, None);
        for byte in unsigned {
            match byte {
                b'0'..=b'9' => {
                    value = 10 * value + u64::from(byte - b'0');
                    digits += 1;
                    after_point = after_point.map(|count| count + 1);
                }
                b'.' if after_point.is_none() => after_point = Some(0u32),
                _ => return None,
            }
        }
        if digits == 0 {
            return None;
        }
        // Zeros are added until the point is between two digits of base 10000. That makes 19 decimal
        // digits at most, so the value fits.
        let places = after_point.unwrap_or(0);
        value *= 10u64.pow(places.next_multiple_of(4) - places);
        let mut lowest = -i64::from(places.div_ceil(4));
        while value != 0 && value.is_multiple_of(10_000) {
            value /= 10_000;
            lowest += 1;
        }
        let mut digits = SmallVec::new();
        while value != 0 {
            digits.insert(0, (value % 10_000) as u16);
            value /= 10_000;
        }
        let weight = lowest + digits.len() as i64 - 1;
        Some(Base10000 { negative: negative && !digits.is_empty(), weight, digits })
    }

    /// Compares two numbers.
    #[must_use]
    pub fn compare(&self, other: Parts<'_>) -> Ordering {
        compare(self.negative, self.weight, self.digits.iter().copied(), other)
    }
}

/// Compares two numbers as numeric.c does (cmp_var_common).
#[inline]
fn compare(
    negative: bool,
    weight: i64,
    digits: impl ExactSizeIterator<Item = u16>,
    other: Parts<'_>,
) -> Ordering {
    let sign = |is_zero, negative| match (is_zero, negative) {
        (true, _) => 0,
        (_, true) => -1,
        (_, false) => 1,
    };
    let (one, two) =
        (sign(digits.len() == 0, negative), sign(other.digits.is_empty(), other.negative));
    match one.cmp(&two) {
        Ordering::Equal if one == 0 => Ordering::Equal,
        Ordering::Equal => {
            let magnitude =
                weight.cmp(&other.weight).then_with(|| digits.cmp(other.digits.iter().copied()));
            if negative { magnitude.reverse() } else { magnitude }
        }
        unequal => unequal,
    }
}

/// The native 32-bit word at a byte offset; none beyond the end.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As numeric.c's make_result lays it out, with the long header.
    fn stored(negative: bool, weight: i16, digits: &[u16]) -> Vec<u8> {
        let length = 8 + 2 * digits.len() as u32;
        let word = if cfg!(target_endian = "little") { length << 2 } else { length };
        let sign = if negative { NUMERIC_NEGATIVE } else { 0 };
        let mut bytes = word.to_ne_bytes().to_vec();
        bytes.extend(sign.to_ne_bytes());
        bytes.extend(weight.to_ne_bytes());
        bytes.extend(digits.iter().flat_map(|digit| digit.to_ne_bytes()));
        bytes
    }

    proptest! {
        /// A small integer is the number, and each number that can be one is one.
        #[test]
        fn small_integers_are_exact(
            negative: bool,
            weight in -2i16..6,
            mut digits in proptest::collection::vec(prop_oneof![Just(0u16), 0u16..10_000], 0..6),
        ) {
            while digits.first() == Some(&0) {
                digits.remove(0);
            }
            while digits.last() == Some(&0) {
                digits.pop();
            }
            let negative = negative && !digits.is_empty();
            let bytes = stored(negative, weight, &digits);
            let (integer, decimal) =
                (Numeric::new(&bytes).small_integer(), Numeric::new(&bytes).decimal());
            let is_whole = digits.len() as i16 <= weight + 1;
            let is_small = digits.is_empty() || is_whole && weight <= 3 && !negative;
            prop_assert_eq!(integer.is_some(), is_small);
            if let Some(integer) = integer {
                prop_assert_eq!(Decimal::parse(&integer.to_string()), decimal);
            }
        }
    }
}
