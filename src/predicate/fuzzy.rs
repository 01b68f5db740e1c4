//! Edit distance: insertions, deletions, substitutions and swaps of neighbours, each 1, no place edited twice (optimal
//! string alignment, as Lucene's `LevenshteinAutomata` with transpositions).

/// Whether the texts are at most so many edits of single code points apart.
pub fn is_within(a: &str, b: &str, edits: usize) -> bool {
    let a: Vec<char> = a.chars().collect();
    // A text that is too long is not read to its end.
    let b: Vec<char> = b.chars().take(a.len() + edits + 1).collect();
    if a.len().abs_diff(b.len()) > edits {
        return false;
    }
    // Rows of the distance table, the one before the last included, for swaps. Only a band around the diagonal can stay
    // within the limit; what lies beside the band reads as too far.
    let far = edits + 1;
    let mut before_last = vec![far; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).map(|j| j.min(far)).collect();
    let mut row = vec![far; b.len() + 1];
    for i in 1..=a.len() {
        let (start, end) = (i.saturating_sub(edits).max(1), (i + edits).min(b.len()));
        row[start - 1] = if start == 1 { i.min(far) } else { far };
        let mut least = row[start - 1];
        for j in start..=end {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut distance = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                distance = distance.min(before_last[j - 2] + 1);
            }
            row[j] = distance.min(far);
            least = least.min(row[j]);
        }
        if least > edits {
            return false;
        }
        if let Some(beside) = row.get_mut(end + 1) {
            *beside = far;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()] <= edits
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
                assert_eq!(is_within(a, b, edits), distance <= edits, "{a} {b} within {edits}");
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
        fn agrees_with_the_whole_table(a in "[abc]{0,7}", b in "[abc]{0,7}", edits in 0usize..4) {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(is_within(&a, &b, edits), distance(&chars(&a), &chars(&b)) <= edits);
        }
    }
}
