//! Names that were perhaps meant.

/// Up to three of `names` that are near `name`: few edits away, or one the beginning of the other; nearest first.
pub fn near(name: &str, names: Vec<String>) -> Vec<String> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    let mut near: Vec<(usize, String)> = names
        .into_iter()
        .map(|other| (distance(&name.to_lowercase(), &other.to_lowercase()), other))
        .filter(|(edits, other)| {
            *edits <= limit || other.starts_with(name) || name.starts_with(other.as_str())
        })
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_beginnings() {
        let names =
            || ["stash", "Stash", "stash_2024", "clicks", "müll"].map(String::from).to_vec();
        assert_eq!(near("stahs", names()), ["Stash", "stash"]);
        assert_eq!(near("sta", names()), ["Stash", "stash", "stash_2024"][1..].to_vec());
        assert_eq!(near("mull", names()), ["müll"]);
        assert!(near("other", names()).is_empty());
    }

    #[test]
    fn counts_edits() {
        for (a, b, edits) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("é", "e", 1), ("a", "a", 0)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
