//! Exact sums of decimal numbers.

use crate::document::{Decimal, OrderedNumber};
use crate::interrupts;

/// Exponents that are summed up: those that PostgreSQL's `numeric` has, and their double, for
/// products. Numbers beyond are not met, since jsonb holds none.
const MAX_WEIGHT: i64 = 1 << 17;

/// A sum, as digits of base 10000 that have not been carried yet. A digit holds far more than a
/// store's documents can add up to, so that nothing overflows.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// The power of 10000 that the first of the digits counts.
    lowest: i64,
    digits: Vec<i128>,
}

impl Sum {
    /// Adds a number so many times.
    pub fn add(&mut self, number: &OrderedNumber, times: u64) {
        if let Some((integer, weight)) = short(number, 4) {
            return self.add_digit(weight, integer * i128::from(times));
        }
        let times = i128::from(times) * if number.negative { -1 } else { 1 };
        for (at, digit) in (0..).zip(&number.digits) {
            self.add_digit(number.weight - at, i128::from(*digit) * times);
        }
    }

    /// Adds the square of a number so many times.
    pub fn add_square(&mut self, number: &OrderedNumber, times: u64) {
        if let Some((integer, weight)) = short(number, 3) {
            return self.add_digit(2 * weight, integer * integer * i128::from(times));
        }
        for (at, a) in (0..).zip(&number.digits) {
            interrupts::spend(1 + number.digits.len() / 8);
            for (behind, b) in (0..).zip(&number.digits) {
                let product = i128::from(*a) * i128::from(*b) * i128::from(times);
                self.add_digit(2 * number.weight - at - behind, product);
            }
        }
    }

    /// Adds a decimal number.
    pub fn add_decimal(&mut self, number: &Decimal) {
        self.add_decimals(number, 1);
    }

    /// Adds a decimal number so many times.
    fn add_decimals(&mut self, number: &Decimal, times: u64) {
        let mut bytes: Vec<u8> = Vec::new();
        crate::document::write_ordered(number, &mut bytes);
        if let Some(number) = crate::document::read_ordered(&bytes) {
            self.add(&number, times);
        }
    }

    /// A number and so many steps from there.
    pub fn of_steps(first: &Decimal, step: &Decimal, times: u64) -> Decimal {
        let mut sum = Sum::default();
        sum.add_decimal(first);
        sum.add_decimals(step, times);
        sum.decimal()
    }

    /// Adds an integer × 10000^weight.
    pub fn add_integer(&mut self, integer: i128, weight: i64) {
        self.add_digit(weight, integer);
    }

    fn add_digit(&mut self, weight: i64, digit: i128) {
        if weight.abs() > MAX_WEIGHT {
            return;
        }
        if self.digits.is_empty() {
            self.lowest = weight;
        }
        if weight < self.lowest {
            let more = (self.lowest - weight) as usize;
            self.digits.splice(0..0, std::iter::repeat_n(0, more));
            self.lowest = weight;
        }
        let at = (weight - self.lowest) as usize;
        if self.digits.len() <= at {
            self.digits.resize(at + 1, 0);
        }
        if let Some(sum) = self.digits.get_mut(at) {
            *sum += digit;
        }
    }

    /// The sum.
    pub fn decimal(&self) -> Decimal {
        let (digits, negative) = match carried(self.digits.iter().copied()) {
            Some(digits) => (digits, false),
            None => (carried(self.digits.iter().map(|digit| -digit)).unwrap_or_default(), true),
        };
        let mut text = String::with_capacity(16 + 4 * digits.len());
        text.push_str(if negative { "-0" } else { "0" });
        for digit in digits.iter().rev() {
            text.push_str(&format!("{digit:04}"));
        }
        text.push_str(&format!("e{}", 4 * self.lowest));
        Decimal::parse(&text).unwrap_or_else(|| Decimal::from_i64(0))
    }
}

/// A number of few digits as an integer, and the power of 10000 that it counts. Even the square of
/// three digits has only 80 bits, so that 2^47 of them can be summed up.
fn short(number: &OrderedNumber, most: usize) -> Option<(i128, i64)> {
    let length = number.digits.len();
    if length > most {
        return None;
    }
    let integer = number.digits.iter().fold(0, |all, digit| all * 10_000 + i64::from(*digit));
    let integer = if number.negative { -integer } else { integer };
    Some((i128::from(integer), number.weight + 1 - length as i64))
}

/// The digits with all carries done, the lowest first. None if the number is below zero.
fn carried(digits: impl Iterator<Item = i128>) -> Option<Vec<i128>> {
    let (mut carry, mut carried) = (0, Vec::new());
    for digit in digits {
        let sum = digit + carry;
        carried.push(sum.rem_euclid(10_000));
        carry = sum.div_euclid(10_000);
    }
    while carry > 0 {
        carried.push(carry % 10_000);
        carry /= 10_000;
    }
    (carry == 0).then_some(carried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{read_ordered, write_ordered};
    use proptest::prelude::*;

    fn number(text: &str) -> OrderedNumber {
        let mut bytes: Vec<u8> = Vec::new();
        write_ordered(&Decimal::parse(text).unwrap(), &mut bytes);
        read_ordered(&bytes).unwrap()
    }

    fn sum(numbers: &[(&str, u64)]) -> String {
        let mut sum = Sum::default();
        numbers.iter().for_each(|(text, times)| sum.add(&number(text), *times));
        sum.decimal().to_string()
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(sum(&[]), "0");
        assert_eq!(sum(&[("0.1", 3)]), "0.3");
        assert_eq!(sum(&[("9999", 1), ("1", 1)]), "10000");
        assert_eq!(sum(&[("1e20", 1), ("0.0001", 1), ("-1e20", 1)]), "0.0001");
        assert_eq!(sum(&[("-5", 2), ("3.5", 1)]), "-6.5");
        assert_eq!(sum(&[("9007199254740993", 1000)]), "9007199254740993000");
        assert_eq!(sum(&[("1", u64::MAX), ("-1", u64::MAX)]), "0");
    }

    proptest! {
        #[test]
        fn sums_integers(numbers in proptest::collection::vec((any::<i32>(), 0u64..9), 0..20)) {
            let (mut all, mut squares) = (Sum::default(), Sum::default());
            for (n, times) in &numbers {
                all.add(&number(&n.to_string()), *times);
                squares.add_square(&number(&n.to_string()), *times);
            }
            let total: i64 = numbers.iter().map(|(n, times)| i64::from(*n) * *times as i64).sum();
            let square: i128 =
                numbers.iter().map(|(n, times)| i128::from(*n).pow(2) * i128::from(*times)).sum();
            prop_assert_eq!(all.decimal(), Decimal::from_i64(total));
            prop_assert_eq!(Some(squares.decimal()), Decimal::parse(&square.to_string()));
        }
    }
}
