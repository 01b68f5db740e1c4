//! Searches a text for a long pattern with gaps of one character (`?`).
//!
//! To try each place takes time in proportion to the product of both lengths, and an automaton
//! would be too large. Instead each character of the pattern has a weight, and a gap has the weight
//! 0. Where the pattern matches, the weighted sum of the text's characters is equal to that of the
//! pattern's characters. Where it does not match, the sums are equal once in a billion times, so
//! each place that is found is checked. The sums of all places are one convolution, which
//! number-theoretic transforms compute in O(n log n) (Clifford and Clifford 2007, "Simple
//! deterministic wildcard matching").

use super::glob::{Glob, strip_globs};
use crate::interrupts;

/// A prime p such that 2^23 divides p - 1: transforms of up to 2^23 values are possible.
const PRIME: u32 = 998_244_353;
/// A primitive root modulo [`PRIME`].
const PRIMITIVE_ROOT: u32 = 3;

/// The rest of the text behind the first place where the pattern matches. The pattern has no star,
/// and at least one character.
pub(super) fn find<'a>(globs: &[Glob], text: &'a str) -> Option<&'a str> {
    let chars: Vec<u32> = text.chars().map(u32::from).collect();
    let length = globs.len();
    if length == 0 || chars.len() < length {
        return (length == 0).then_some(text);
    }
    let size = (2 * length).min(chars.len()).next_power_of_two();
    let (mut weights, mut sum) = (vec![0; size], 0);
    for (at, glob) in globs.iter().enumerate() {
        if let Glob::Char(c) = glob {
            let weight = weight(at);
            weights[length - 1 - at] = weight;
            sum = add(sum, multiply(weight, u32::from(*c)));
        }
    }
    transform(&mut weights);
    // Each part of the text gives the sums for the places where the pattern would end within the
    // part.
    for start in (0..=chars.len() - length).step_by(size - length + 1) {
        let part = &chars[start..chars.len().min(start + size)];
        let mut sums = vec![0; size];
        sums[..part.len()].copy_from_slice(part);
        transform(&mut sums);
        sums.iter_mut().zip(&weights).for_each(|(sum, weight)| *sum = multiply(*sum, *weight));
        transform_back(&mut sums);
        for (end, _) in (length - 1..part.len()).map(|end| (end, sums[end])).filter(|s| s.1 == sum)
        {
            let mut behind = text.chars();
            if start + end + 1 > length {
                behind.nth(start + end - length);
            }
            if let Some(rest) = strip_globs(globs, behind.as_str()) {
                return Some(rest);
            }
        }
    }
    None
}

/// The weight of a place of the pattern: a pseudorandom number that is not 0 (Steele, Lea and Flood
/// 2014: SplitMix).
fn weight(at: usize) -> u32 {
    let mut z = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z % u64::from(PRIME - 1)) as u32 + 1
}

fn add(a: u32, b: u32) -> u32 {
    let sum = a + b;
    if sum < PRIME { sum } else { sum - PRIME }
}

fn subtract(a: u32, b: u32) -> u32 {
    if a < b { a + PRIME - b } else { a - b }
}

fn multiply(a: u32, b: u32) -> u32 {
    (u64::from(a) * u64::from(b) % u64::from(PRIME)) as u32
}

fn power(mut base: u32, mut exponent: u32) -> u32 {
    let mut power = 1;
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = multiply(power, base);
        }
        base = multiply(base, base);
        exponent /= 2;
    }
    power
}

/// The transform. Its results are in bit-reversed order (Gentleman and Sande's butterflies).
fn transform(values: &mut [u32]) {
    let mut length = values.len();
    while length > 1 {
        let root = power(PRIMITIVE_ROOT, (PRIME - 1) / length as u32);
        butterflies(values, length, root, |a, b, factor| {
            (add(a, b), multiply(subtract(a, b), factor))
        });
        length /= 2;
    }
}

/// The inverse transform, of values in bit-reversed order (Cooley and Tukey's butterflies).
fn transform_back(values: &mut [u32]) {
    let mut length = 2;
    while length <= values.len() {
        let root = power(power(PRIMITIVE_ROOT, (PRIME - 1) / length as u32), PRIME - 2);
        butterflies(values, length, root, |a, b, factor| {
            let b = multiply(b, factor);
            (add(a, b), subtract(a, b))
        });
        length *= 2;
    }
    let inverse = power(values.len() as u32, PRIME - 2);
    values.iter_mut().for_each(|value| *value = multiply(*value, inverse));
}

/// Joins the two halves of each block of `length` values pair by pair, with the powers of a root of
/// unity.
fn butterflies(
    values: &mut [u32],
    length: usize,
    root: u32,
    join: impl Fn(u32, u32, u32) -> (u32, u32),
) {
    for block in values.chunks_exact_mut(length) {
        interrupts::spend(length / 16 + 1);
        let (left, right) = block.split_at_mut(length / 2);
        let mut factor = 1;
        for (a, b) in left.iter_mut().zip(right) {
            (*a, *b) = join(*a, *b, factor);
            factor = multiply(factor, root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_trying_each_place_finds(segment in "[aé?]{1,70}", text in "[aé💡]{0,150}") {
            let globs: Vec<Glob> =
                segment.chars().map(|c| if c == '?' { Glob::One } else { Glob::Char(c) }).collect();
            let mut starts = text.char_indices();
            let tried = starts.find_map(|(at, _)| strip_globs(&globs, text.get(at..)?));
            prop_assert_eq!(find(&globs, &text), tried);
        }
    }
}
