//! Test × leaf: whether a single scalar satisfies a test.

use crate::document::Scalar;
use crate::pattern::DeadPrefix;
use crate::predicate::Test;

impl Test {
    /// Whether a string satisfies the test. The error says that no string with the same beginning
    /// does, and how long that beginning is.
    pub fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        match self {
            Test::Wildcard(wildcard) => wildcard.check(text),
            Test::Regexp(regexp) => regexp.check(text),
            Test::Fuzzy(fuzzy) => fuzzy.check(text),
            Test::Equal(_) | Test::Range { .. } | Test::Prefix(_) | Test::Exists => {
                Ok(self.accepts(&Scalar::String(text)))
            }
        }
    }

    /// Whether a leaf satisfies the test. Patterns match strings only.
    pub fn accepts(&self, leaf: &Scalar<'_>) -> bool {
        let text = || match leaf {
            Scalar::String(text) => Some(*text),
            Scalar::Number(_) | Scalar::Bool(_) => None,
        };
        match self {
            Test::Exists => true,
            Test::Equal(value) => value.equals(leaf),
            Test::Range { lower, upper } => {
                lower.as_ref().is_none_or(|limit| limit.admits_from_below(leaf))
                    && upper.as_ref().is_none_or(|limit| limit.admits_from_above(leaf))
            }
            Test::Prefix(start) => text().is_some_and(|text| text.starts_with(start)),
            Test::Wildcard(wildcard) => text().is_some_and(|text| wildcard.is_match(text)),
            Test::Regexp(regexp) => text().is_some_and(|text| regexp.is_match(text)),
            Test::Fuzzy(fuzzy) => text().is_some_and(|text| fuzzy.is_match(text)),
        }
    }
}
