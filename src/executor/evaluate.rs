//! A predicate's tree over bitmaps.

use super::postings::PostingReader;
use super::tid_bitmap::{RowSet, TidBitmap};
use crate::error::Result;
use crate::predicate::{Predicate, Test, Visitor};

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

    fn row_set(mut self: &Self, predicate: &Predicate) -> Result<RowSet> {
        predicate.visit(&mut self)
    }
}

impl<'p> Visitor<'p> for &PostingReader<'_> {
    type Output = Result<RowSet>;

    fn constant(&mut self, holds: bool) -> Result<RowSet> {
        let none = TidBitmap::none();
        Ok(if holds { RowSet::Complement(none) } else { RowSet::Rows(none) })
    }

    fn condition(&mut self, path: Option<&'p str>, test: &'p Test) -> Result<RowSet> {
        Ok(RowSet::Rows(self.conditions(std::iter::once((path, test)))?))
    }

    /// What is quickly read comes first, and where that leaves few candidates, the rest is left to those who look at them.
    fn and(&mut self, parts: &'p [Predicate]) -> Result<RowSet> {
        let effort = |part: &&Predicate| part.visit(&mut Effort);
        let mut parts: Vec<&Predicate> = parts.iter().collect();
        parts.sort_by_key(effort);
        let mut set = RowSet::Complement(TidBitmap::none());
        for part in parts {
            match &mut set {
                RowSet::Rows(found) if found.candidates.is_empty() => break,
                RowSet::Rows(found) if found.candidates.len() <= FEW && effort(&part) > 0 => {
                    found.recheck = found.candidates.clone();
                }
                _ => set = set.and(self.row_set(part)?),
            }
        }
        Ok(set)
    }

    /// The leaves go into one bitmap together.
    fn or(&mut self, parts: &'p [Predicate]) -> Result<RowSet> {
        let found =
            RowSet::Rows(self.conditions(parts.iter().filter_map(Predicate::as_condition))?);
        let others = parts.iter().filter(|part| part.as_condition().is_none());
        others.map(|part| self.row_set(part)).try_fold(found, |set, part| Ok(set.or(part?)))
    }

    fn not(&mut self, part: &'p Predicate) -> Result<RowSet> {
        Ok(self.row_set(part)?.negate())
    }
}

/// How much there is to read, by and large: 0 for single keys.
struct Effort;

impl Visitor<'_> for Effort {
    type Output = u8;

    fn constant(&mut self, _: bool) -> u8 {
        0
    }

    fn condition(&mut self, path: Option<&str>, test: &Test) -> u8 {
        match test {
            _ if path.is_none() => 3,
            Test::Exists => 0,
            Test::Equal(value) => u8::from(value.instant.is_some()),
            Test::Range { .. } | Test::Prefix(_) => 1,
            Test::Wildcard(_) | Test::Regexp(_) | Test::Fuzzy(_) => 2,
        }
    }

    fn and(&mut self, parts: &[Predicate]) -> u8 {
        parts.iter().map(|part| part.visit(self)).min().unwrap_or(0)
    }

    fn or(&mut self, parts: &[Predicate]) -> u8 {
        parts.iter().map(|part| part.visit(self)).max().unwrap_or(0)
    }

    fn not(&mut self, part: &Predicate) -> u8 {
        part.visit(self)
    }
}
