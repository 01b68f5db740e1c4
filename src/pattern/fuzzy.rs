//! Edit distance: insertions, deletions, substitutions and swaps of neighbours count 1 each, and no
//! place is edited twice (optimal string alignment, as Lucene's `LevenshteinAutomata` with
//! transpositions).

use super::dead_prefix::DeadPrefix;
use crate::interrupts;

/// The most edits that are counted. Solr's language has at most 2.
const MAX_EDITS: usize = 3;

/// A text, and how many edits of single code points other texts may differ by.
#[derive(Debug, Clone, PartialEq)]
pub struct Fuzzy {
    text: String,
    chars: Vec<char>,
    edits: u8,
}

impl Fuzzy {
    /// Prepares a text. More than three edits are taken for three.
    pub fn new(text: impl Into<String>, edits: u8) -> Fuzzy {
        let text = text.into();
        Fuzzy { chars: text.chars().collect(), text, edits: edits.min(MAX_EDITS as u8) }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many edits are allowed.
    pub fn edits(&self) -> u8 {
        self.edits
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        size_of::<Fuzzy>() + self.text.len() + size_of_val(&self.chars[..])
    }

    /// Whether the other text is within the allowed edits.
    pub fn is_match(&self, other: &str) -> bool {
        // A character has one to four bytes.
        let (length, edits) = (self.chars.len(), usize::from(self.edits));
        other.len() + edits >= length
            && other.len() <= 4 * (length + edits)
            && self.check(other) == Ok(true)
    }

    /// Whether the other text is within the allowed edits. The error is the beginning of the text
    /// that no text within the edits has, if there is one.
    pub fn check(&self, other: &str) -> Result<bool, DeadPrefix> {
        let (chars, edits) = (&self.chars[..], usize::from(self.edits));
        // The rows of the distance table, one for each character of the other text. Only a band
        // around the diagonal can stay within the limit: place d of row j is column j + d - edits.
        // Everything beside the band counts as too far.
        let far = edits + 1;
        let mut before_last = [far; 2 * MAX_EDITS + 2];
        let mut last = before_last;
        for column in 0..=edits.min(chars.len()) {
            last[column + edits] = column;
        }
        let mut count = 0;
        let mut previous = None;
        for (at, c) in other.char_indices() {
            let dead = DeadPrefix(at + c.len_utf8());
            interrupts::spend(1);
            count += 1;
            if count > chars.len() + edits {
                return Err(dead);
            }
            let mut row = [far; 2 * MAX_EDITS + 2];
            let mut least = far;
            for d in edits.saturating_sub(count)
                ..=(chars.len() + edits).saturating_sub(count).min(2 * edits)
            {
                row[d] = match (count + d - edits).checked_sub(1) {
                    None => count,
                    Some(column) => {
                        let mut distance =
                            (last[d] + usize::from(chars[column] != c)).min(last[d + 1] + 1);
                        if d > 0 {
                            distance = distance.min(row[d - 1] + 1);
                        }
                        let is_swap = column > 0 && chars[column - 1] == c;
                        if is_swap && previous == Some(chars[column]) {
                            distance = distance.min(before_last[d] + 1);
                        }
                        distance.min(far)
                    }
                };
                least = least.min(row[d]);
            }
            if least > edits {
                return Err(dead);
            }
            (before_last, last, previous) = (last, row, Some(c));
        }
        Ok(last.get(chars.len() + edits - count).is_some_and(|distance| *distance <= edits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_edits() {
        for (a, b, distance) in [
            ("roam", "roam", 0),
            ("roam", "foam", 1),
            ("roam", "roams", 1),
            ("roam", "raom", 1),
            ("roam", "omar", 3),
            ("ca", "abc", 3),
            ("", "ab", 2),
            ("naïve", "naive", 1),
            ("💡", "x", 1),
        ] {
            for edits in 0..4 {
                assert_eq!(
                    Fuzzy::new(a, edits).is_match(b),
                    distance <= edits,
                    "{a} {b} within {edits}"
                );
            }
        }
    }

    /// The whole table, without bands or limits.
    fn distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (0, n) | (n, 0) => n,
                    _ => {
                        let cost = usize::from(a[i - 1] != b[j - 1]);
                        let mut least = (table[i - 1][j - 1] + cost)
                            .min(table[i - 1][j] + 1)
                            .min(table[i][j - 1] + 1);
                        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                            least = least.min(table[i - 2][j - 2] + 1);
                        }
                        least
                    }
                }
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn agrees_with_the_whole_table(a in "[abc]{0,7}", b in "[abc]{0,7}", edits in 0u8..4, more in "[abc]{0,4}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            let fuzzy = Fuzzy::new(a.as_str(), edits);
            prop_assert_eq!(fuzzy.is_match(&b), distance(&chars(&a), &chars(&b)) <= usize::from(edits));
            if let Err(DeadPrefix(length)) = fuzzy.check(&b) {
                let other = b.get(..length).unwrap_or_default().to_string() + &more;
                prop_assert!(distance(&chars(&a), &chars(&other)) > usize::from(edits), "{}", other);
            }
        }
    }
}
