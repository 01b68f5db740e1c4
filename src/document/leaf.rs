//! Leaves: the scalars of a document.

use super::decimal::Decimal;
use super::numeric::{Base10000, Numeric, Parts};
use super::ordered::write_decimal;
use std::cmp::Ordering;

/// A scalar. A number is not decoded yet, since most numbers of a document are not compared.
#[derive(Clone, Copy)]
pub enum Leaf<'a> {
    /// A string.
    String(&'a str),
    /// A number.
    Number(Number<'a>),
    /// A boolean.
    Bool(bool),
}

/// A number as a document holds it.
#[derive(Clone, Copy)]
pub enum Number<'a> {
    /// A number of binary jsonb.
    Numeric(Numeric<'a>),
    /// A number as JSON text has it.
    Text(&'a str),
}

/// The value of a leaf, ready for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// The number as bytes in the order of numbers (see ordered.rs).
    Number(&'a [u8]),
    /// A string.
    String(&'a str),
    /// A boolean.
    Bool(bool),
}

/// A buffer for the bytes of a number while it is compared. Numbers of usual length fit into it and
/// need no heap.
pub type Scratch = smallvec::SmallVec<[u8; 32]>;

impl<'a> Leaf<'a> {
    /// The value of the leaf. The bytes of a number are written to `scratch`. None if the number is
    /// not finite.
    pub fn scalar<'s>(self, scratch: &'s mut Scratch) -> Option<Scalar<'s>>
    where
        'a: 's,
    {
        Some(match self {
            Leaf::String(text) => Scalar::String(text),
            Leaf::Bool(value) => Scalar::Bool(value),
            Leaf::Number(number) => {
                scratch.clear();
                if !number.write_ordered(scratch) {
                    return None;
                }
                Scalar::Number(scratch)
            }
        })
    }
}

impl Number<'_> {
    /// Compares it with another number. None if it is not finite, or its exponent is too long.
    #[inline]
    #[must_use]
    pub fn compare(self, other: Parts<'_>) -> Option<Ordering> {
        match self {
            Number::Numeric(numeric) => numeric.compare(other),
            Number::Text(text) => Base10000::parse(text).map(|number| number.compare(other)),
        }
    }

    /// Writes the number as bytes in the order of numbers (see ordered.rs). False, and nothing, if it
    /// is not finite, or its exponent is too long.
    #[inline]
    pub fn write_ordered(self, out: &mut impl Extend<u8>) -> bool {
        match self {
            Number::Numeric(numeric) => numeric.write_ordered(out),
            Number::Text(text) => match Decimal::parse(text) {
                Some(number) => {
                    write_decimal(&number, out);
                    true
                }
                None => false,
            },
        }
    }

    /// The number, if it is whole, not negative and below 10^16, as most identities are.
    #[must_use]
    pub fn small_integer(self) -> Option<u64> {
        match self {
            Number::Numeric(numeric) => numeric.small_integer(),
            Number::Text(_) => None,
        }
    }

    /// The value of the number. None if it is not finite, or its exponent is too long.
    pub fn decimal(self) -> Option<Decimal> {
        match self {
            Number::Numeric(numeric) => numeric.decimal(),
            Number::Text(text) => Decimal::parse(text),
        }
    }
}

/// The tag of numbers. The tag is the first byte of a value's bytes; the tags are in the order in
/// which `sort` sorts the types.
pub const NUMBER: u8 = 1;
/// The tag of strings.
pub const STRING: u8 = 2;
/// The tag of booleans.
pub const BOOLEAN: u8 = 3;
/// All tags.
pub const TYPES: [u8; 3] = [NUMBER, STRING, BOOLEAN];

impl Scalar<'_> {
    /// Writes the value as bytes. Their memcmp order is the order of `sort`: numbers, then strings
    /// by code point, then booleans.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Scalar::Number(bytes) => {
                out.push(NUMBER);
                out.extend_from_slice(bytes);
            }
            Scalar::String(text) => {
                out.push(STRING);
                out.extend_from_slice(text.as_bytes());
            }
            Scalar::Bool(value) => out.extend([BOOLEAN, u8::from(*value)]),
        }
    }

    /// The value as bytes, whose order is the order of values.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }
}
