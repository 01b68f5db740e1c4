//! Scalars as byte strings whose memcmp order is the order of `sort`: numbers, then strings by code point, then booleans.

use super::Scalar;

const NUMBER: u8 = 1;
const STRING: u8 = 2;
const BOOL: u8 = 3;

/// Bytes that compare (as PostgreSQL's `bytea` does) in the order of the scalars they stand for.
///
/// A number is its sign, its exponent as a big-endian `i64` with the sign bit flipped, its digits, and a terminator below
/// every digit; for a negative number every byte behind the sign is complemented.
pub fn sort_key(value: &Scalar<'_>) -> Vec<u8> {
    match value {
        Scalar::Number(n) if n.digits().is_empty() => vec![NUMBER, 1],
        Scalar::Number(n) => {
            let mut key = vec![NUMBER, if n.is_negative() { 0 } else { 2 }];
            let magnitude = (n.exponent() as u64 ^ (1 << 63)).to_be_bytes();
            key.extend(magnitude.iter().chain(n.digits()).chain(&[0]));
            if n.is_negative() {
                key[2..].iter_mut().for_each(|byte| *byte = !*byte);
            }
            key
        }
        Scalar::String(s) => [&[STRING], s.as_bytes()].concat(),
        Scalar::Bool(b) => vec![BOOL, u8::from(*b)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Decimal;
    use proptest::prelude::*;

    #[test]
    fn types_come_in_order() {
        let number = |n: &str| Scalar::Number(Decimal::parse(n).unwrap());
        let ascending = [
            number("-1e9"),
            number("-10"),
            number("-1.5"),
            number("-1"),
            number("0"),
            number("0.5"),
            number("2"),
            number("10"),
            Scalar::String(""),
            Scalar::String("a"),
            Scalar::String("ab"),
            Scalar::String("é"),
            Scalar::Bool(false),
            Scalar::Bool(true),
        ];
        for pair in ascending.windows(2) {
            assert!(sort_key(&pair[0]) < sort_key(&pair[1]), "{:?} < {:?}", pair[0], pair[1]);
        }
    }

    proptest! {
        #[test]
        fn numbers_order_as_decimals(a in "-?[0-9]{1,5}(\\.[0-9]{1,5})?(e-?[0-9]{1,2})?", b in "-?[0-9]{1,5}(\\.[0-9]{1,5})?(e-?[0-9]{1,2})?") {
            let (a, b) = (Decimal::parse(&a).unwrap(), Decimal::parse(&b).unwrap());
            let order = a.cmp(&b);
            prop_assert_eq!(sort_key(&Scalar::Number(a)).cmp(&sort_key(&Scalar::Number(b))), order);
        }
    }
}
