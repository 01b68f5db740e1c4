//! A predicate's tree over bitmaps.

use super::bitmap::{Found, Set};
use super::leaves::Leaves;
use crate::error::Result;
use crate::predicate::{Predicate, Test};

/// So few candidates are rather looked at than that a whole interval is read to rule some out.
const FEW: u64 = 64;

impl Leaves<'_> {
    /// The rows that meet a predicate, as far as the index knows.
    pub fn rows(&self, predicate: &Predicate) -> Result<Found> {
        Ok(match self.set(predicate)? {
            Set::In(found) => found,
            Set::Except(found) => Found { any: self.all()?, ..Found::none() }.without(&found),
        })
    }

    fn set(&self, predicate: &Predicate) -> Result<Set> {
        match predicate {
            Predicate::All => Ok(Set::Except(Found::none())),
            Predicate::None => Ok(Set::In(Found::none())),
            Predicate::Leaf { path, test } => Ok(Set::In(self.leaf(path.as_deref(), test)?)),
            Predicate::Not(part) => Ok(self.set(part)?.negate()),
            Predicate::Or(parts) => self.any_of(parts),
            Predicate::And(parts) => self.all_of(parts),
        }
    }

    /// The leaves go into one bitmap together.
    fn any_of(&self, parts: &[Predicate]) -> Result<Set> {
        let leaves = parts.iter().filter_map(|part| match part {
            Predicate::Leaf { path, test } => Some((path.as_deref(), test)),
            _ => None,
        });
        let found = Set::In(self.leaves(leaves)?);
        let others = parts.iter().filter(|part| !matches!(part, Predicate::Leaf { .. }));
        others.map(|part| self.set(part)).try_fold(found, |set, part| Ok(set.or(part?)))
    }

    /// What is quickly read comes first, and where that leaves few candidates, the rest is left to those who look at them.
    fn all_of(&self, parts: &[Predicate]) -> Result<Set> {
        let mut parts: Vec<&Predicate> = parts.iter().collect();
        parts.sort_by_key(|part| effort(part));
        let mut set = Set::Except(Found::none());
        for part in parts {
            match &mut set {
                Set::In(found) if found.any.is_empty() => break,
                Set::In(found) if found.any.len() <= FEW && effort(part) > 0 => {
                    found.unsure = found.any.clone();
                }
                _ => set = set.and(self.set(part)?),
            }
        }
        Ok(set)
    }
}

/// How much there is to read, by and large: 0 for single keys.
fn effort(predicate: &Predicate) -> u8 {
    match predicate {
        Predicate::All | Predicate::None => 0,
        Predicate::Leaf { path: None, .. } => 3,
        Predicate::Leaf { test: Test::Equal(value), .. } => u8::from(value.instant.is_some()),
        Predicate::Leaf { test: Test::Exists, .. } => 0,
        Predicate::Leaf { test: Test::Range { .. } | Test::Prefix(_), .. } => 1,
        Predicate::Leaf { .. } => 2,
        Predicate::Not(part) => effort(part),
        Predicate::And(parts) => parts.iter().map(effort).min().unwrap_or(0),
        Predicate::Or(parts) => parts.iter().map(effort).max().unwrap_or(0),
    }
}
