//! Leaves: the scalars of a document.

use super::decimal::Decimal;
use super::numeric::Numeric;
use super::ordered::write_decimal;

/// A scalar whose number is not decoded yet: most numbers met on a walk are not the ones looked for.
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

/// The value of a leaf, ready to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// Bytes that compare as the number does (see `ordered`).
    Number(&'a [u8]),
    /// A string.
    String(&'a str),
    /// A boolean.
    Bool(bool),
}

/// Where the bytes of a number are put while it is compared: more than nine digits in ten need no heap.
pub type Scratch = smallvec::SmallVec<[u8; 32]>;

impl<'a> Leaf<'a> {
    /// The leaf's value; a number's bytes go to `scratch`.
    pub fn scalar<'s>(self, scratch: &'s mut Scratch) -> Option<Scalar<'s>>
    where
        'a: 's,
    {
        Some(match self {
            Leaf::String(text) => Scalar::String(text),
            Leaf::Bool(value) => Scalar::Bool(value),
            Leaf::Number(number) => {
                scratch.clear();
                match number {
                    Number::Numeric(numeric) if numeric.write_ordered(scratch) => {}
                    Number::Numeric(_) => return None,
                    Number::Text(text) => write_decimal(&Decimal::parse(text)?, scratch),
                }
                Scalar::Number(scratch)
            }
        })
    }
}

impl Number<'_> {
    /// Its value. None if it is not finite, or too long.
    pub fn decimal(self) -> Option<Decimal> {
        match self {
            Number::Numeric(numeric) => numeric.decimal(),
            Number::Text(text) => Decimal::parse(text),
        }
    }
}

/// The types of values, in the order of `sort`, as the first byte of a value's bytes.
pub const NUMBER: u8 = 1;
/// The tag of strings.
pub const STRING: u8 = 2;
/// The tag of booleans.
pub const BOOLEAN: u8 = 3;

impl Scalar<'_> {
    /// Writes the value as bytes whose memcmp order is that of `sort`: numbers, then strings by code point, then booleans.
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
