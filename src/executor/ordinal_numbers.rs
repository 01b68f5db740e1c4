//! Values by ordinal as integers, and as seconds: what sums and histograms are calculated from.

use super::instants::second_of;
use crate::document::OrderedNumber;
use crate::error::Result;
use crate::index::string_code::{Unpacked, unpack};
use crate::{interrupts, memory};
use std::ops::Range;

/// The numbers among the values as integers: each stands for itself × 10000^weight.
pub struct Integers {
    pub weight: i64,
    /// By ordinal, from that of the first number on.
    pub integers: Vec<i64>,
}

/// Integers are less than this, so that the squares of 2^32 of them can be added up in 128 bits.
const MAX_INTEGER: i128 = 1 << 47;

/// The seconds of the strings.
pub struct Seconds {
    /// By ordinal, as far as strings reach; [`NO_INSTANT`] for other values.
    pub of: Vec<i64>,
    /// Whether every string is an instant `…T…Z`, so that the seconds of the strings ascend.
    pub ascend: bool,
}

/// Stands for a value that is no instant `…T…Z`.
pub const NO_INSTANT: i64 = i64::MIN;

impl Integers {
    /// The numbers with these ordinals. None if they are too large or too different for that.
    pub fn of(
        numbers: Range<usize>,
        number: impl Fn(usize) -> Option<OrderedNumber>,
    ) -> Option<Integers> {
        let mut weight = 0;
        for ordinal in numbers.clone() {
            interrupts::spend(1);
            let number = number(ordinal)?;
            weight = weight.min(number.weight + 1 - number.digits.len() as i64);
        }
        let mut integers = Vec::new();
        memory::reserve(&mut integers, numbers.len()).ok()?;
        for ordinal in numbers {
            interrupts::spend(1);
            integers.push(integer(&number(ordinal)?, weight)?);
        }
        Some(Integers { weight, integers })
    }
}

impl Seconds {
    /// The strings with these ordinals, in the form in which keys hold them.
    pub fn of<'s>(strings: Range<usize>, stored: impl Fn(usize) -> &'s [u8]) -> Result<Seconds> {
        let (mut of, mut ascend, mut unpacked) = (Vec::new(), true, Unpacked::new());
        memory::reserve(&mut of, strings.end)?;
        of.resize(strings.start, NO_INSTANT);
        for ordinal in strings {
            interrupts::spend(1);
            let second = second_of(unpack(stored(ordinal), &mut unpacked));
            ascend = ascend && second.is_some();
            of.push(second.unwrap_or(NO_INSTANT));
        }
        Ok(Seconds { of, ascend })
    }
}

/// A number × 10000^-weight, if it is an integer that is not too large.
fn integer(number: &OrderedNumber, weight: i64) -> Option<i64> {
    let mut integer: i128 = 0;
    let places = number.weight - weight;
    if places > 12 {
        return None;
    }
    for at in 0..=places {
        let digit = usize::try_from(at).ok().and_then(|at| number.digits.get(at));
        integer = integer * 10_000 + i128::from(digit.copied().unwrap_or(0));
        if integer >= MAX_INTEGER {
            return None;
        }
    }
    Some(if number.negative { -(integer as i64) } else { integer as i64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Decimal, read_ordered, write_ordered};

    #[test]
    fn scales_numbers() {
        let number = |text: &str| {
            let mut bytes: Vec<u8> = Vec::new();
            write_ordered(&Decimal::parse(text).unwrap(), &mut bytes);
            read_ordered(&bytes).unwrap()
        };
        assert_eq!(integer(&number("0"), -1), Some(0));
        assert_eq!(integer(&number("12345.678"), -1), Some(123_456_780));
        assert_eq!(integer(&number("-12345.678"), -2), Some(-1_234_567_800_000));
        assert_eq!(integer(&number("0.0001"), -1), Some(1));
        assert_eq!(integer(&number("140737488355327"), 0), Some((1 << 47) - 1));
        assert_eq!(integer(&number("140737488355328"), 0), None);
        assert_eq!(integer(&number("1e300"), 0), None);
    }
}
