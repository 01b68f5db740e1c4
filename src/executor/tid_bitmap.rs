//! Sets of rows, as far as an index knows them, and their Boolean algebra.

use super::rows::Rows;
use crate::error::Result;

/// The rows that satisfy a condition, as far as the index knows. As in PostgreSQL's TIDBitmap, some
/// of them may need a recheck.
#[derive(Debug, Clone, Default)]
pub struct TidBitmap {
    /// All rows that may satisfy the condition.
    pub candidates: Rows,
    /// Those candidates that may not satisfy it: their documents have to be looked at.
    pub recheck: Rows,
}

/// Some rows, or all rows of the table but some. The rows of a table are listed only where nothing
/// else helps.
#[derive(Debug, Clone)]
pub enum RowSet {
    Rows(TidBitmap),
    Complement(TidBitmap),
}

impl TidBitmap {
    /// No rows.
    pub fn none() -> TidBitmap {
        TidBitmap::default()
    }

    /// Rows of which each is known to satisfy the condition.
    pub fn exact(candidates: Rows) -> TidBitmap {
        TidBitmap { candidates, recheck: Rows::none() }
    }

    /// The candidates that need no recheck.
    fn exact_rows(&self) -> Result<Rows> {
        let mut exact = self.candidates.clone();
        exact.subtract(&self.recheck)?;
        Ok(exact)
    }

    /// The rows that satisfy both conditions.
    fn and(mut self, other: &TidBitmap) -> Result<TidBitmap> {
        self.candidates.intersect(&other.candidates)?;
        self.recheck.unite(&other.recheck);
        self.recheck.intersect(&self.candidates)?;
        Ok(self)
    }

    /// The rows that satisfy one condition or both.
    fn or(mut self, other: &TidBitmap) -> Result<TidBitmap> {
        if self.recheck.is_empty() && other.recheck.is_empty() {
            self.candidates.unite(&other.candidates);
            return Ok(self);
        }
        let mut exact = self.exact_rows()?;
        exact.unite(&other.exact_rows()?);
        self.candidates.unite(&other.candidates);
        self.recheck = self.candidates.clone();
        self.recheck.subtract(&exact)?;
        Ok(self)
    }

    /// The rows that satisfy this condition but not the other one.
    pub fn without(mut self, other: &TidBitmap) -> Result<TidBitmap> {
        if other.recheck.is_empty() {
            self.candidates.subtract(&other.candidates)?;
        } else {
            self.candidates.subtract(&other.exact_rows()?)?;
            self.recheck.unite(&other.recheck);
        }
        self.recheck.intersect(&self.candidates)?;
        Ok(self)
    }
}

impl RowSet {
    /// All rows that are not in the set.
    pub fn negate(self) -> RowSet {
        match self {
            RowSet::Rows(rows) => RowSet::Complement(rows),
            RowSet::Complement(rows) => RowSet::Rows(rows),
        }
    }

    /// The rows that are in both sets.
    pub fn and(self, other: RowSet) -> Result<RowSet> {
        Ok(match (self, other) {
            (RowSet::Rows(a), RowSet::Rows(b)) => RowSet::Rows(a.and(&b)?),
            (RowSet::Rows(a), RowSet::Complement(b)) | (RowSet::Complement(b), RowSet::Rows(a)) => {
                RowSet::Rows(a.without(&b)?)
            }
            (RowSet::Complement(a), RowSet::Complement(b)) => RowSet::Complement(a.or(&b)?),
        })
    }

    /// The rows that are in one of the sets or in both.
    pub fn or(self, other: RowSet) -> Result<RowSet> {
        Ok(self.negate().and(other.negate())?.negate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use roaring::RoaringBitmap;

    proptest! {
        /// Whatever the rows turn out to be that need a recheck, the operations hold for them; and
        /// a row that needs none is what the set says.
        #[test]
        fn sets_keep_their_word(a in 0u8..81, b in 0u8..81) {
            // Four rows, each in, out, or in need of a recheck.
            let set = |code: u8| {
                let digit = |row: u32| code / 3u8.pow(row) % 3;
                let candidates: RoaringBitmap = (0..4).filter(|row| digit(*row) > 0).collect();
                let recheck: RoaringBitmap = (0..4).filter(|row| digit(*row) == 1).collect();
                let [candidates, recheck] = [candidates, recheck].map(Rows::Compressed);
                TidBitmap { candidates, recheck }
            };
            // Each row's possible truths: bit 0 for false, bit 1 for true.
            let state = |rows: &TidBitmap, row: u32| {
                let has = |rows: &Rows| usize::from(rows.clone().bitmap().contains(row));
                has(&rows.candidates) + has(&rows.recheck)
            };
            let possible = |set: &RowSet, row: u32| match set {
                RowSet::Rows(rows) => [1, 2, 3][state(rows, row)],
                RowSet::Complement(rows) => [2, 1, 3][state(rows, row)],
            };
            let combine = |a: u8, b: u8, operator: fn(bool, bool) -> bool| {
                let truths = |bits: u8| {
                    [false, true].into_iter().filter(move |truth| bits >> u8::from(*truth) & 1 == 1)
                };
                let results = truths(a).flat_map(|x| truths(b).map(move |y| operator(x, y)));
                results.fold(0, |bits, truth| bits | 1 << u8::from(truth))
            };
            for x in [RowSet::Rows(set(a)), RowSet::Complement(set(a))] {
                for y in [RowSet::Rows(set(b)), RowSet::Complement(set(b))] {
                    let and = x.clone().and(y.clone()).unwrap();
                    let or = x.clone().or(y.clone()).unwrap();
                    for row in 0..4 {
                        let (p, q) = (possible(&x, row), possible(&y, row));
                        prop_assert_eq!(possible(&and, row), combine(p, q, |x, y| x && y));
                        prop_assert_eq!(possible(&or, row), combine(p, q, |x, y| x || y));
                    }
                }
            }
        }
    }
}
