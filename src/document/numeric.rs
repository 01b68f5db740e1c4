//! PostgreSQL's binary `numeric`, read in place.

use super::decimal::Decimal;
use super::ordered;

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
    pub(super) fn new(bytes: &'a [u8]) -> Numeric<'a> {
        Numeric(bytes)
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

/// The native 32-bit word at a byte offset; none beyond the end.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
