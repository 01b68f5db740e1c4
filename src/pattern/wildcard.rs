//! Wildcard patterns: `?` is one character, `*` any number of them.

use super::dead_prefix::DeadPrefix;
use super::gapped;
use super::glob::{Glob, strip_globs};
use super::regexp::{DenseDfa, write_char as write_regexp_char};
use crate::interrupts;
use memchr::memmem::Finder;

/// A wildcard pattern that is prepared for matching many texts.
#[derive(Debug, Clone)]
pub struct Wildcard {
    globs: Vec<Glob>,
    /// The part before the first star.
    first: Segment,
    /// The parts between two stars.
    inner: Vec<Segment>,
    /// The part behind the last star, if there is a star.
    last: Option<Segment>,
    /// The whole pattern as a DFA, where that is faster: searches for several literals begin again
    /// too often.
    dfa: Option<DenseDfa>,
}

/// A part of a pattern without a star in it.
#[derive(Debug, Clone)]
enum Segment {
    /// Plain characters.
    Literal(Box<Finder<'static>>),
    /// Characters and question marks.
    Gapped(Vec<Glob>),
}

/// The longest pattern that may become a DFA, in characters and wildcards: most longer ones would be
/// too large.
const MAX_DFA_GLOBS: usize = 64;

/// From this length on, in characters and wildcards, a segment with question marks is searched by a
/// convolution. To try it at each place of a text would take too long.
const MIN_CONVOLUTION_GLOBS: usize = 256;

impl PartialEq for Wildcard {
    fn eq(&self, other: &Self) -> bool {
        self.globs == other.globs
    }
}

impl Wildcard {
    /// Prepares a pattern.
    pub fn new(globs: Vec<Glob>) -> Wildcard {
        let wildcard = Wildcard::without_dfa(globs);
        let is_simple = matches!(wildcard.inner[..], [] | [Segment::Literal(_)]);
        let dfa = match is_simple || wildcard.globs.len() > MAX_DFA_GLOBS {
            true => None,
            false => DenseDfa::new(&byte_pattern(&wildcard.globs)),
        };
        Wildcard { dfa, ..wildcard }
    }

    /// Prepares a pattern without a DFA, which takes less memory and matches more slowly.
    pub fn without_dfa(globs: Vec<Glob>) -> Wildcard {
        interrupts::spend(globs.len());
        let mut parts = globs.split(|glob| *glob == Glob::Any);
        let first = Segment::new(parts.next().unwrap_or_default());
        let (mut inner, mut last) = (Vec::new(), parts.next());
        for part in parts {
            interrupts::spend(8);
            // Two stars in a row mean the same as one.
            inner.extend(last.replace(part).filter(|part| !part.is_empty()).map(Segment::new));
        }
        let last = last.map(Segment::new);
        Wildcard { first, inner, last, dfa: None, globs }
    }

    /// About how many bytes of memory a pattern takes without its DFA.
    pub fn memory_without_dfa(globs: &[Glob]) -> usize {
        let segments = globs.iter().filter(|glob| **glob == Glob::Any).count() + 1;
        2 * size_of_val(globs) + segments * (size_of::<Segment>() + size_of::<Finder<'_>>())
    }

    /// About how many bytes of memory the pattern takes with its DFA.
    pub fn memory(&self) -> usize {
        Wildcard::memory_without_dfa(&self.globs) + self.dfa.as_ref().map_or(0, DenseDfa::memory)
    }

    /// The pattern as a regular expression over bytes, and whether that must match the beginning of a
    /// text instead of the whole text. None if it would make the DFA of several patterns too large.
    pub fn simple_pattern(&self) -> Option<(String, bool)> {
        let is_empty = |segment: &Segment| match segment {
            Segment::Literal(text) => text.needle().is_empty(),
            Segment::Gapped(globs) => globs.is_empty(),
        };
        let stars = self.globs.iter().filter(|glob| **glob == Glob::Any).count();
        match self.globs.strip_suffix(&[Glob::Any]) {
            // `a*`, `*a*`
            Some(globs) if stars == 1 || stars == 2 && is_empty(&self.first) => {
                Some((byte_pattern(globs), true))
            }
            // `a?b`, `*a`
            None if stars == 0 || stars == 1 && is_empty(&self.first) => {
                Some((byte_pattern(&self.globs), false))
            }
            _ => None,
        }
    }

    /// The pattern as it was given.
    pub fn globs(&self) -> &[Glob] {
        &self.globs
    }

    /// Whether it matches the whole text. Each part between two stars is taken where it is found
    /// first, which leaves the most text to the parts behind it.
    pub fn is_match(&self, text: &str) -> bool {
        self.check(text) == Ok(true)
    }

    /// Whether it matches the whole text. The error is the beginning of the text that no match has,
    /// if the DFA sees one.
    pub fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        match &self.dfa {
            Some(dfa) => dfa.check(text),
            None => Ok(self.finds_in(text)),
        }
    }

    fn finds_in(&self, text: &str) -> bool {
        let Some(rest) = self.first.strip_start(text) else { return false };
        let Some(last) = &self.last else { return rest.is_empty() };
        let Some(rest) = last.strip_end(rest) else { return false };
        self.inner.iter().try_fold(rest, |rest, segment| segment.find(rest)).is_some()
    }

    /// The plain characters that each match begins with.
    pub fn literal_prefix(&self) -> String {
        literal_prefix(&self.globs)
    }

    /// Whether a text that begins with these bytes may match. The last character may be incomplete.
    /// False is certain, true is not.
    pub fn could_start(&self, prefix: &[u8]) -> bool {
        let valid = prefix.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let cut = &prefix[valid.len()..];
        let mut chars = valid.chars();
        for glob in &self.globs {
            match (glob, chars.next()) {
                (Glob::Any, _) | (Glob::One, None) => return true,
                (Glob::Char(c), None) => {
                    return c.encode_utf8(&mut [0; 4]).as_bytes().starts_with(cut);
                }
                (Glob::Char(expected), Some(found)) if *expected != found => return false,
                (_, Some(_)) => {}
            }
        }
        chars.as_str().is_empty() && cut.is_empty()
    }
}

/// The plain characters that each match of the pattern begins with.
pub fn literal_prefix(pattern: &[Glob]) -> String {
    let chars = pattern.iter().map_while(|glob| match glob {
        Glob::Char(c) => Some(*c),
        Glob::One | Glob::Any => None,
    });
    chars.collect()
}

/// The pattern as a regular expression without anchors. `.` must match line ends there.
pub fn pattern(globs: &[Glob]) -> String {
    written(globs, ".*")
}

/// The pattern as a regular expression over the bytes of valid texts. A star may end within a
/// character: what follows it begins with a whole character, and none begins within another one.
/// The DFA of such an expression is a tenth as large.
pub fn byte_pattern(globs: &[Glob]) -> String {
    written(globs, "(?s-u:.*)")
}

fn written(globs: &[Glob], any: &str) -> String {
    let mut pattern = String::new();
    for glob in globs {
        match glob {
            Glob::Char(c) => write_regexp_char(&mut pattern, *c),
            Glob::One => pattern.push('.'),
            Glob::Any => pattern.push_str(any),
        }
    }
    pattern
}

impl Segment {
    fn new(globs: &[Glob]) -> Segment {
        match globs.contains(&Glob::One) {
            true => Segment::Gapped(globs.to_vec()),
            false => Segment::Literal(Box::new(Finder::new(&literal_prefix(globs)).into_owned())),
        }
    }

    /// The rest of the text behind the segment, if the text begins with it.
    fn strip_start<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Segment::Literal(literal) if text.as_bytes().starts_with(literal.needle()) => {
                text.get(literal.needle().len()..)
            }
            Segment::Literal(_) => None,
            Segment::Gapped(globs) => strip_globs(globs, text),
        }
    }

    /// The text before the segment, if the text ends with it.
    fn strip_end<'a>(&self, text: &'a str) -> Option<&'a str> {
        let at = match self {
            Segment::Literal(literal) => text
                .as_bytes()
                .ends_with(literal.needle())
                .then(|| text.len() - literal.needle().len()),
            // Each part of the segment matches one character.
            Segment::Gapped(globs) => {
                let start = text.char_indices().rev().nth(globs.len() - 1).map(|(at, _)| at);
                start.filter(|at| starts_at(globs, text, *at).is_some())
            }
        };
        at.and_then(|at| text.get(..at))
    }

    /// The rest of the text behind the first place where the segment matches.
    fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Segment::Literal(literal) => {
                interrupts::spend(text.len() / 64);
                literal.find(text.as_bytes()).and_then(|at| text.get(at + literal.needle().len()..))
            }
            Segment::Gapped(globs) if globs.len() < MIN_CONVOLUTION_GLOBS => {
                text.char_indices().find_map(|(at, _)| starts_at(globs, text, at))
            }
            Segment::Gapped(globs) => gapped::find(globs, text),
        }
    }
}

/// The rest of the text behind a segment, if the segment matches at this byte offset.
fn starts_at<'a>(globs: &[Glob], text: &'a str, at: usize) -> Option<&'a str> {
    text.get(at..).and_then(|text| strip_globs(globs, text))
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
            assert_eq!(Wildcard::new(globs(pattern)).is_match(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn beginnings() {
        for (pattern, start, expected) in [
            ("te?t*", "", true),
            ("te?t*", "tex", true),
            ("te?t*", "textile", true),
            ("te?t*", "tesx", false),
            ("te?t", "testx", false),
            ("*x", "anything", true),
        ] {
            let wildcard = Wildcard::new(globs(pattern));
            assert_eq!(wildcard.could_start(start.as_bytes()), expected, "{pattern} {start}");
        }
        // The first two bytes of "💡"
        let cut = "💡".as_bytes()[..2].to_vec();
        for (pattern, expected) in [("💡", true), ("?", true), ("é", false), ("", false)] {
            assert_eq!(Wildcard::new(globs(pattern)).could_start(&cut), expected, "{pattern}");
        }
        assert_eq!(literal_prefix(&globs("te?t*")), "te");
        assert_eq!(literal_prefix(&globs("*x")), "");
    }

    #[test]
    fn long_patterns_take_no_quadratic_time() {
        let wildcard = Wildcard::new(globs(&format!("*{}b*", "a?".repeat(50_000))));
        let start = cpu_time::ThreadTime::now();
        assert!(!wildcard.is_match(&"a".repeat(150_000)));
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn agrees_with_a_regular_expression(pattern in "[aé?*]{0,8}", text in "[aé💡]{0,10}", more in "[aé💡]{0,4}") {
            let regex = pattern.replace('?', ".").replace('*', ".*");
            let regex = regex::Regex::new(&format!("^(?:{regex})$")).unwrap();
            let wildcard = Wildcard::new(globs(&pattern));
            let matches = wildcard.is_match(&text);
            prop_assert_eq!(Wildcard { dfa: None, ..wildcard.clone() }.is_match(&text), matches);
            prop_assert_eq!(matches, regex.is_match(&text));
            if let Err(DeadPrefix(length)) = wildcard.check(&text)
                && let Some(start) = text.get(..length)
            {
                let other = start.to_string() + &more;
                prop_assert!(!regex.is_match(&other), "{}", other);
            }
            if matches {
                prop_assert!(text.starts_with(&wildcard.literal_prefix()));
                prop_assert!((0..=text.len()).all(|end| wildcard.could_start(&text.as_bytes()[..end])));
            }
        }
    }
}
