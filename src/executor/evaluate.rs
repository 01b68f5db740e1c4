//! Predicate → bitmap of rows: each condition from its posting lists, and And, Or and Not over
//! those bitmaps.

use super::doc_id::ReadResult;
use super::postings::PostingReader;
use super::tid_bitmap::{RowSet, TidBitmap};
use crate::predicate::{ObjectCondition, Predicate, Test, Visitor};

/// Rows. To look at so few candidates takes less time than to read a whole range of keys that might
/// rule some of them out.
const FEW_CANDIDATES: u64 = 64;

impl PostingReader<'_> {
    /// The rows that satisfy a predicate, as far as the index knows.
    pub fn rows(&self, predicate: &Predicate) -> ReadResult<TidBitmap> {
        Ok(match self.row_set(predicate)? {
            RowSet::Rows(rows) => rows,
            RowSet::Complement(rows) => TidBitmap::exact(self.all()?).without(&rows)?,
        })
    }

    /// The same, as those rows or as all rows but some.
    pub fn row_set(mut self: &Self, predicate: &Predicate) -> ReadResult<RowSet> {
        predicate.visit(&mut self)
    }
}

impl<'p> Visitor<'p> for &PostingReader<'_> {
    type Output = ReadResult<RowSet>;

    fn constant(&mut self, holds: bool) -> ReadResult<RowSet> {
        let none = TidBitmap::none();
        Ok(if holds { RowSet::Complement(none) } else { RowSet::Rows(none) })
    }

    fn condition(&mut self, path: Option<&'p str>, test: &'p Test) -> ReadResult<RowSet> {
        Ok(RowSet::Rows(self.conditions(std::iter::once((path, test)))?))
    }

    /// The index knows which documents have all the leaves, but not whether one object does.
    fn object(&mut self, object: &'p ObjectCondition) -> ReadResult<RowSet> {
        let candidates = self.rows(&object.necessary)?.candidates;
        let recheck = candidates.clone();
        Ok(RowSet::Rows(TidBitmap { candidates, recheck }))
    }

    /// What is quickly read comes first. Where that leaves few candidates, the other parts are left
    /// to the recheck.
    fn and(&mut self, parts: &'p [Predicate]) -> ReadResult<RowSet> {
        let effort = |part: &&Predicate| part.visit(&mut Effort);
        let mut parts: Vec<&Predicate> = parts.iter().collect();
        parts.sort_by_key(effort);
        let mut set = RowSet::Complement(TidBitmap::none());
        for part in parts {
            match &mut set {
                RowSet::Rows(rows) if rows.candidates.is_empty() => break,
                RowSet::Rows(rows)
                    if effort(&part) > 0 && rows.candidates.len() <= FEW_CANDIDATES =>
                {
                    rows.recheck = rows.candidates.clone();
                }
                _ => set = set.and(self.row_set(part)?)?,
            }
        }
        Ok(set)
    }

    /// All conditions go into one bitmap together.
    fn or(&mut self, parts: &'p [Predicate]) -> ReadResult<RowSet> {
        let conditions = parts.iter().filter_map(Predicate::as_condition);
        let rows = RowSet::Rows(self.conditions(conditions)?);
        let others = parts.iter().filter(|part| part.as_condition().is_none());
        others.map(|part| self.row_set(part)).try_fold(rows, |set, part| Ok(set.or(part?)?))
    }

    fn not(&mut self, part: &'p Predicate) -> ReadResult<RowSet> {
        Ok(self.row_set(part)?.negate())
    }
}

/// How much there is to read, as a rank: 0 for single keys, 1 for a range of keys, 2 for keys that
/// have to be tested one by one, 3 for all paths.
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
            Test::Equal(value) => u8::from(value.instants.is_some()),
            Test::Range { .. } | Test::Prefix(_) => 1,
            Test::Wildcard(_) | Test::Regexp(_) | Test::Fuzzy(_) => 2,
        }
    }

    fn object(&mut self, object: &ObjectCondition) -> u8 {
        object.necessary.visit(self)
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
