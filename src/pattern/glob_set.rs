//! Several wildcard patterns, matched at once and character by character.

use super::glob::Glob;

/// Patterns as one nondeterministic automaton whose states are bits: the Shift-And algorithm with
/// gaps (Navarro and Raffinot, Flexible Pattern Matching in Strings, chapter 4). A character takes
/// one pass over the bits, whatever the patterns are. So matching takes linear time.
///
/// A pattern of n characters and question marks has n + 1 bits. Bit k says that what was read fits
/// the first k of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobSet {
    /// For each character of the patterns, in their order: the bits behind which it may follow.
    masks: Vec<(char, Box<[u64]>)>,
    /// The same for every other character: only question marks take it.
    other: Box<[u64]>,
    /// The bits where a star stands, which takes any character.
    stay: Box<[u64]>,
    starts: Box<[u64]>,
    ends: Box<[u64]>,
}

impl GlobSet {
    /// Prepares patterns. The memory is at most an eighth of the square of their number of
    /// characters.
    pub fn new(patterns: &[Vec<Glob>]) -> GlobSet {
        let is_single = |glob: &Glob| *glob != Glob::Any;
        let bits: usize = patterns
            .iter()
            .map(|globs| 1 + globs.iter().filter(|glob| is_single(glob)).count())
            .sum();
        let none = || vec![0; bits.div_ceil(64)].into_boxed_slice();
        let set = |bits: &mut [u64], bit: usize| bits[bit / 64] |= 1 << (bit % 64);
        let mut chars: Vec<char> = patterns
            .iter()
            .flatten()
            .filter_map(|glob| if let Glob::Char(c) = glob { Some(*c) } else { None })
            .collect();
        chars.sort_unstable();
        chars.dedup();
        let mut masks: Vec<_> = chars.into_iter().map(|c| (c, none())).collect();
        let (mut other, mut stay, mut starts, mut ends) = (none(), none(), none(), none());
        let mut bit = 0;
        for globs in patterns {
            set(&mut starts, bit);
            for glob in globs {
                match glob {
                    Glob::Any => set(&mut stay, bit),
                    Glob::One => {
                        set(&mut other, bit);
                        masks.iter_mut().for_each(|(_, mask)| set(mask, bit));
                    }
                    Glob::Char(c) => {
                        if let Ok(at) = masks.binary_search_by_key(c, |(c, _)| *c) {
                            set(&mut masks[at].1, bit);
                        }
                    }
                }
                bit += usize::from(is_single(glob));
            }
            set(&mut ends, bit);
            bit += 1;
        }
        GlobSet { masks, other, stay, starts, ends }
    }

    /// The state before anything was read.
    pub fn start(&self) -> &[u64] {
        &self.starts
    }

    /// Reads a character.
    pub fn step(&self, state: &mut [u64], c: char) {
        let mask = match self.masks.binary_search_by_key(&c, |(c, _)| *c) {
            Ok(at) => &self.masks[at].1,
            Err(_) => &self.other,
        };
        let mut carry = 0;
        for ((state, mask), stay) in state.iter_mut().zip(mask).zip(&self.stay) {
            let fits = *state & mask;
            *state = *state & stay | fits << 1 | carry;
            carry = fits >> 63;
        }
    }

    /// Whether a pattern matches what was read.
    pub fn is_match(&self, state: &[u64]) -> bool {
        state.iter().zip(&self.ends).any(|(state, ends)| state & ends != 0)
    }

    /// Whether a pattern may match what was read and something behind it.
    pub fn is_alive(state: &[u64]) -> bool {
        state.iter().any(|state| *state != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Wildcard;
    use proptest::prelude::*;

    fn globs(pattern: &str) -> Vec<Glob> {
        let glob = |c| match c {
            '*' => Glob::Any,
            '?' => Glob::One,
            c => Glob::Char(c),
        };
        pattern.chars().map(glob).collect()
    }

    proptest! {
        #[test]
        fn agrees_with_single_patterns(
            patterns in prop::collection::vec("[aé?*]{0,40}", 0..6),
            text in "[aéb]{0,60}",
        ) {
            let patterns: Vec<_> = patterns.iter().map(|pattern| globs(pattern)).collect();
            let set = GlobSet::new(&patterns);
            let mut state = set.start().to_vec();
            text.chars().for_each(|c| set.step(&mut state, c));
            let matches = patterns.iter().any(|globs| Wildcard::new(globs.clone()).is_match(&text));
            prop_assert_eq!(set.is_match(&state), matches);
            prop_assert!(!matches || GlobSet::is_alive(&state));
        }
    }
}
