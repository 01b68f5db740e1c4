//! Wildcard patterns: `?` is one character, `*` any number of them.

use crate::lucene::Glob;

/// Whether the pattern matches the whole text. On a mismatch only the last `*` seen is given one character more, which is
/// enough because an earlier one could gain nothing that the last cannot.
pub fn is_match(pattern: &[Glob], text: &str) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    // Where to go on after a mismatch: the place behind the last star, and what of the text it has not taken.
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        match pattern.get(at) {
            Some(Glob::Any) => {
                at += 1;
                retry = Some((at, rest.clone()));
                continue;
            }
            None if rest.as_str().is_empty() => return true,
            expected => match (expected, rest.next()) {
                (Some(Glob::One), Some(_)) => {
                    at += 1;
                    continue;
                }
                (Some(Glob::Char(c)), Some(found)) if *c == found => {
                    at += 1;
                    continue;
                }
                // Behind the end of the text no star can help.
                (Some(_), None) => return false,
                _ => {}
            },
        }
        let Some((behind, untaken)) = &mut retry else { return false };
        if untaken.next().is_none() {
            return false;
        }
        (at, rest) = (*behind, untaken.clone());
    }
}

/// What every text begins with that matches.
pub fn literal_prefix(pattern: &[Glob]) -> String {
    pattern
        .iter()
        .map_while(|glob| if let Glob::Char(c) = glob { Some(*c) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn globs(pattern: &str) -> Vec<Glob> {
        let glob = |c| match c {
            '*' => Glob::Any,
            '?' => Glob::One,
            c => Glob::Char(c),
        };
        pattern.chars().map(glob).collect()
    }

    #[test]
    fn matches_whole_texts() {
        for (pattern, text, expected) in [
            ("te?t", "test", true),
            ("te?t", "tet", false),
            ("te*", "te", true),
            ("*st", "test", true),
            ("*st", "tests", false),
            ("*a*b*", "xxaxxbxx", true),
            ("a*a*a", "aa", false),
            ("?", "💡", true),
            ("**", "", true),
            ("?*", "", false),
            ("a*b", "a\nb", true),
        ] {
            assert_eq!(is_match(&globs(pattern), text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_regular_expression(pattern in "[ab?*]{0,8}", text in "[ab]{0,10}") {
            let regex = pattern.replace('?', ".").replace('*', ".*");
            let regex = regex::Regex::new(&format!("^(?:{regex})$")).unwrap();
            prop_assert_eq!(is_match(&globs(&pattern), &text), regex.is_match(&text));
        }
    }
}
