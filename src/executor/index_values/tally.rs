//! How many values and rows ranges of keys have, by the leaf pages of the index.

use super::{IndexValues, stored_intervals};
use crate::document::NUMBER;
use crate::error::Result;
use crate::executor::doc_id::ReadResult;
use crate::executor::domain::{Domain, PartRows};
use crate::executor::edges::EdgeCounts;
use crate::executor::ordinals_memory::counted_without;
use crate::executor::value_span::Span;
use crate::executor::values::{Tally, tally_each};
use crate::index::key::{self, PathHash};

impl IndexValues<'_> {
    /// Whether the values of all documents at a path can be counted by leaf pages: there is one
    /// table, so that no value has two keys; each key is that of one value; and nothing is pending,
    /// which might be in the tree, too.
    pub(super) fn is_tallied(&mut self, path: &str, within: &Domain) -> Result<bool> {
        let hash = PathHash::of(path);
        let ([part], [PartRows::All(_)]) = (&self.parts[..], &within.parts[..]) else {
            return Ok(false);
        };
        let (from, below) = key::values(hash);
        Ok(part.doubt.is_some()
            && part.reader.pending.range(from..below).next().is_none()
            && part.reader.is_unused(&key::truncated(hash))?
            && self.is_ordered(path)?)
    }

    /// How many values of a span there are. Where all documents are meant, leaf pages of the index
    /// are counted as they are remembered.
    pub(super) fn tally_now(
        &mut self,
        path: &str,
        span: &Span,
        within: &Domain,
    ) -> ReadResult<Tally> {
        if !self.is_tallied(path, within)? {
            return tally_each(self, path, span, within);
        }
        let (mut tally, hash) = (Tally::default(), PathHash::of(path));
        *self.ways.entry(path.to_string()).or_default().entry("leaf pages").or_default() += 1;
        for (part, rows) in self.parts.iter().zip(&within.parts) {
            let mut counter = part.counter(rows);
            for (from, below) in stored_intervals(span) {
                let (from, below) = (key::value(hash, &from), key::value(hash, &below));
                let (values, distinct) = counter.tally(part.reader.index, &from, &below)?;
                tally.values += values;
                tally.distinct += distinct;
            }
        }
        Ok(tally)
    }

    /// Counts the numbers of a span by leaf pages, interval by interval, if there are fewer of those
    /// than leaf pages. Returns whether it did.
    pub(super) fn tally_between(
        &mut self,
        path: &str,
        span: &Span,
        counts: &mut EdgeCounts<'_>,
        within: &Domain,
    ) -> ReadResult<bool> {
        if span.from.first() != Some(&NUMBER) || !self.is_tallied(path, within)? {
            return Ok(false);
        }
        let hash = PathHash::of(path);
        for (part, rows) in self.parts.iter().zip(&within.parts) {
            let index = part.reader.index;
            let (from, below) = (key::value(hash, &span.from), key::value(hash, &span.below));
            if index.estimate_leaf_pages(&from, &below)? <= counts.intervals() {
                return Ok(false);
            }
            let mut counter = part.counter(rows);
            counts.add_numbers(&mut |from, below| {
                let (from, below) = (key::value(hash, from), key::value(hash, below));
                Ok(counter.tally(index, &from, &below)?.0)
            })?;
            // Ordinals are quicker still, while they last.
            counted_without(&part.reader, path, u64::MAX);
        }
        *self.ways.entry(path.to_string()).or_default().entry("leaf pages").or_default() += 1;
        Ok(true)
    }
}
