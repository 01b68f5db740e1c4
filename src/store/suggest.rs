//! Suggesting a name that the caller may have meant.

use crate::pattern::Fuzzy;

/// Up to three of `names` that are similar to `name`, the most similar first: a few edits away, or
/// one of the two begins with the other.
pub fn suggest(name: &str, names: Vec<String>) -> Vec<String> {
    let limit = (name.chars().count() / 3).clamp(1, 3) as u8;
    let lower = name.to_lowercase();
    let fuzzy: Vec<Fuzzy> = (0..=limit).map(|edits| Fuzzy::new(lower.as_str(), edits)).collect();
    let mut near: Vec<(u8, String)> = names
        .into_iter()
        .filter_map(|other| {
            let lower = other.to_lowercase();
            let edits = (0..=limit).zip(&fuzzy).find(|(_, fuzzy)| fuzzy.is_match(&lower));
            let edits = edits.map(|(edits, _)| edits);
            let begins = other.starts_with(name) || name.starts_with(other.as_str());
            edits.or(begins.then_some(limit + 1)).map(|edits| (edits, other))
        })
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_beginnings() {
        let names =
            || ["stash", "Stash", "stash_2024", "clicks", "müll"].map(String::from).to_vec();
        assert_eq!(suggest("stahs", names()), ["Stash", "stash"]);
        assert_eq!(suggest("sta", names()), ["Stash", "stash", "stash_2024"][1..].to_vec());
        assert_eq!(suggest("mull", names()), ["müll"]);
        assert!(suggest("other", names()).is_empty());
    }
}
