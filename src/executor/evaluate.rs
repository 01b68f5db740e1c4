//! A predicate's tree over bitmaps.

use super::postings::PostingReader;
use super::tid_bitmap::{RowSet, TidBitmap};
use crate::error::Result;
use crate::predicate::{Predicate, Test};

/// So few candidates are rather looked at than that a whole interval is read to rule some out.
const FEW: u64 = 64;

impl PostingReader<'_> {
    /// The rows that meet a predicate, as far as the index knows.
    pub fn rows(&self, predicate: &Predicate) -> Result<TidBitmap> {
        Ok(match self.row_set(predicate)? {
            RowSet::Rows(found) => found,
            RowSet::Complement(found) => {
                TidBitmap { candidates: self.all()?, ..TidBitmap::none() }.without(&found)
            }
        })
    }

    fn row_set(&self, predicate: &Predicate) -> Result<RowSet> {
        match predicate {
            Predicate::All => Ok(RowSet::Complement(TidBitmap::none())),
            Predicate::None => Ok(RowSet::Rows(TidBitmap::none())),
            Predicate::Condition { path, test } => {
                Ok(RowSet::Rows(self.condition(path.as_deref(), test)?))
            }
            Predicate::Not(part) => Ok(self.row_set(part)?.negate()),
            Predicate::Or(parts) => self.any_of(parts),
            Predicate::And(parts) => self.all_of(parts),
        }
    }

    /// The leaves go into one bitmap together.
    fn any_of(&self, parts: &[Predicate]) -> Result<RowSet> {
        let conditions = parts.iter().filter_map(|part| match part {
            Predicate::Condition { path, test } => Some((path.as_deref(), test)),
            _ => None,
        });
        let found = RowSet::Rows(self.conditions(conditions)?);
        let others = parts.iter().filter(|part| !matches!(part, Predicate::Condition { .. }));
        others.map(|part| self.row_set(part)).try_fold(found, |set, part| Ok(set.or(part?)))
    }

    /// What is quickly read comes first, and where that leaves few candidates, the rest is left to those who look at them.
    fn all_of(&self, parts: &[Predicate]) -> Result<RowSet> {
        let mut parts: Vec<&Predicate> = parts.iter().collect();
        parts.sort_by_key(|part| effort(part));
        let mut set = RowSet::Complement(TidBitmap::none());
        for part in parts {
            match &mut set {
                RowSet::Rows(found) if found.candidates.is_empty() => break,
                RowSet::Rows(found) if found.candidates.len() <= FEW && effort(part) > 0 => {
                    found.recheck = found.candidates.clone();
                }
                _ => set = set.and(self.row_set(part)?),
            }
        }
        Ok(set)
    }
}

/// How much there is to read, by and large: 0 for single keys.
fn effort(predicate: &Predicate) -> u8 {
    match predicate {
        Predicate::All | Predicate::None => 0,
        Predicate::Condition { path: None, .. } => 3,
        Predicate::Condition { test: Test::Equal(value), .. } => u8::from(value.instant.is_some()),
        Predicate::Condition { test: Test::Exists, .. } => 0,
        Predicate::Condition { test: Test::Range { .. } | Test::Prefix(_), .. } => 1,
        Predicate::Condition { .. } => 2,
        Predicate::Not(part) => effort(part),
        Predicate::And(parts) => parts.iter().map(effort).min().unwrap_or(0),
        Predicate::Or(parts) => parts.iter().map(effort).max().unwrap_or(0),
    }
}
