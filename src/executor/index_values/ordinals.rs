//! When documents are counted by the ordinals of their values.

use super::IndexValues;
use super::stored_intervals;
use crate::executor::doc_id::ReadResult;
use crate::executor::domain::{Domain, PartRows};
use crate::executor::ordinal_counts::OrdinalCounts;
use crate::executor::ordinals::Ordinals;
use crate::executor::ordinals_memory::{counted_without, ordinals};
use crate::executor::value_span::Span;
use std::rc::Rc;

/// Documents. So few are counted as quickly in other ways.
const FEW_DOCUMENTS: u64 = 24;

impl IndexValues<'_> {
    /// The ordinals of a path, if they are known or should be made now. There must be one table, so
    /// that its ordinals are the store's, and nothing of the path may be pending.
    fn ordinals(&mut self, path: &str) -> ReadResult<Option<Rc<Ordinals>>> {
        let [part] = &self.parts[..] else { return Ok(None) };
        let known = self.single.get(path).copied();
        let is_single = match known {
            Some(is_single) => is_single,
            None => {
                let is_single = part.reader.has_single_values(path)? && self.is_ordered(path)?;
                self.single.insert(path.to_string(), is_single);
                is_single
            }
        };
        match &self.parts[..] {
            [part] if is_single => ordinals(&part.reader, path),
            _ => Ok(None),
        }
    }

    /// How many of some documents have each value at a path, by ordinal.
    pub(super) fn count_by_ordinals(
        &mut self,
        path: &str,
        within: &Domain,
    ) -> ReadResult<Option<Rc<OrdinalCounts>>> {
        if within.len() <= FEW_DOCUMENTS {
            return Ok(None);
        }
        if let Some(known) = self.counted_last(path, within) {
            return Ok(Some(known));
        }
        let Some(ordinals) = self.ordinals(path)? else { return Ok(None) };
        let ([part], [rows]) = (&self.parts[..], &within.parts[..]) else { return Ok(None) };
        let hidden = part.doubt.as_ref().map(|doubt| &doubt.hidden);
        let counts = Rc::new(OrdinalCounts::of(ordinals, rows, hidden)?);
        self.counted = Some((path.to_string(), within.clone(), Rc::clone(&counts)));
        *self.ways.entry(path.to_string()).or_default().entry("ordinals").or_default() += 1;
        Ok(Some(counts))
    }

    /// Notes that the values of a path were counted without ordinals, by all keys that were read
    /// since there were so many.
    pub(super) fn note_keys(&self, path: &str, before: u64) {
        if let [part] = &self.parts[..] {
            counted_without(&part.reader, path, part.keys.get() - before);
        }
    }

    /// How many keys were read so far.
    pub(super) fn keys_read(&self) -> u64 {
        self.parts.iter().map(|part| part.keys.get()).sum()
    }

    fn counted_last(&self, path: &str, within: &Domain) -> Option<Rc<OrdinalCounts>> {
        let (known, documents, counts) = self.counted.as_ref()?;
        (known == path && documents == within).then(|| Rc::clone(counts))
    }

    /// The same, where that takes less time than to read the posting lists of a span. For a small
    /// part of the values, or the first few of them, none are made.
    pub(super) fn count_span_by_ordinals(
        &mut self,
        path: &str,
        span: &Span,
        within: &Domain,
    ) -> ReadResult<Option<Rc<OrdinalCounts>>> {
        if within.len() <= FEW_DOCUMENTS {
            return Ok(None);
        }
        if let Some(known) = self.counted_last(path, within) {
            return Ok(Some(known));
        }
        if !span.is_whole() {
            return Ok(None);
        }
        let Some(ordinals) = self.ordinals(path)? else { return Ok(None) };
        if let [PartRows::Some(rows)] = &within.parts[..] {
            let (mut values, mut postings) = (0, 0u64);
            for (from, below) in stored_intervals(span) {
                let range = ordinals.first_behind(&from)..ordinals.first_behind(&below);
                let counts = ordinals.counts().get(range).unwrap_or_default();
                values += counts.len() as u64;
                postings += counts.iter().map(|count| u64::from(*count)).sum::<u64>();
            }
            // Long lists are remembered as bits, of which 64 are combined with the rows' at once.
            let words = values * (ordinals.rows().len() as u64 / 64);
            if postings.min(words) < rows.len() {
                return Ok(None);
            }
        }
        self.count_by_ordinals(path, within)
    }
}
