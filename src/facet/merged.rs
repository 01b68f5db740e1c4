//! The values of documents on other servers, from what each of them has gathered (gathered.rs).

use super::asked::{Asked, Numbers};
use super::gathered::{Counts, Gathered, Interval, Step};
use crate::error::{Error, Result};
use crate::executor::{
    Domain, Group, Instants, ReadResult, ReadStats, Span, Totals, ValueSource, Visit, Ways,
};
use crate::index::gin::Direction;
use crate::memory;
use crate::predicate::Predicate;
use std::collections::{BTreeMap, BTreeSet};

/// What all servers know together. A domain is the number of what is known of its documents.
pub struct MergedValues<'a> {
    known: Vec<Known>,
    numbers: Numbers<'a>,
    /// Whether all paths are known.
    has_paths: bool,
}

/// What is known of some documents, and the numbers of what is known of parts of them.
struct Known {
    of_all: Gathered,
    parts: BTreeMap<Step, u32>,
}

impl<'a> MergedValues<'a> {
    pub fn new(asked: &Asked<'a>, gathered: Gathered) -> Result<MergedValues<'a>> {
        let numbers = Numbers::of(asked.needs().predicates)?;
        let has_paths = matches!(asked, Asked::Paths { .. });
        let mut merged = MergedValues { known: Vec::new(), numbers, has_paths };
        merged.push(gathered)?;
        Ok(merged)
    }

    fn push(&mut self, mut gathered: Gathered) -> Result<u32> {
        memory::check();
        let number = u32::try_from(self.known.len()).map_err(|_| Error::ShardAnswer)?;
        let inner = std::mem::take(&mut gathered.inner);
        memory::reserve(&mut self.known, 1)?;
        self.known.push(Known { of_all: gathered, parts: BTreeMap::new() });
        let mut parts = BTreeMap::new();
        for (step, inner) in inner {
            parts.insert(step, self.push(inner)?);
        }
        if let Some(known) = self.known.get_mut(number as usize) {
            known.parts = parts;
        }
        Ok(number)
    }

    /// What is known of some documents; none if there is no document.
    fn known(&self, within: &Domain) -> ReadResult<Option<&Known>> {
        if within.is_empty() {
            return Ok(None);
        }
        let known = within.answer().and_then(|number| self.known.get(number as usize));
        known.map(Some).ok_or(Error::ShardAnswer.into())
    }

    fn domain(&self, number: u32) -> Option<Domain> {
        let known = self.known.get(number as usize)?;
        Some(Domain::elsewhere(number, known.of_all.count))
    }

    /// A part of some documents, which the servers were asked for.
    fn part(&self, within: &Domain, step: &Step) -> ReadResult<Domain> {
        let Some(known) = self.known(within)? else { return Ok(within.none()) };
        let part = known.parts.get(step).and_then(|number| self.domain(*number));
        part.ok_or(Error::ShardAnswer.into())
    }
}

/// The values of a span, from a list that has all of them.
fn of_span<'c>(
    lists: &'c BTreeMap<Interval, Counts>,
    path: &str,
    span: &Span,
) -> Option<&'c [(Vec<u8>, u64)]> {
    let (_, counts) = lists
        .iter()
        .find(|((of, from, below), _)| of == path && *from <= span.from && span.below <= *below)?;
    let start = counts.partition_point(|(value, _)| *value < span.from);
    let end = counts.partition_point(|(value, _)| *value < span.below);
    counts.get(start..end.max(start))
}

impl ValueSource for MergedValues<'_> {
    fn matches(&self) -> Domain {
        self.domain(0).unwrap_or_else(|| Domain::elsewhere(0, 0))
    }

    /// Only what the servers were asked for is known (`Asked::to_json`).
    fn everything(&mut self) -> ReadResult<Domain> {
        Err(Error::ShardAnswer.into())
    }

    fn matching(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<Domain> {
        let number = self.numbers.get(predicate).ok_or(Error::ShardAnswer)?;
        self.part(within, &Step::Predicate(number))
    }

    fn having(&mut self, path: &str, within: &Domain) -> ReadResult<Domain> {
        self.part(within, &Step::Having(path.to_string()))
    }

    fn without(&mut self, within: &Domain, others: &Domain) -> ReadResult<Domain> {
        let Some(known) = self.known(within)? else { return Ok(within.none()) };
        // All documents may be without a value; those that have one are then no part of any.
        let number = others.answer();
        let step = known.parts.iter().find_map(|(step, part)| match step {
            Step::Having(path) if Some(*part) == number => Some(Step::Missing(path.clone())),
            _ => None,
        });
        self.part(within, &step.ok_or(Error::ShardAnswer)?)
    }

    fn each_value(
        &mut self,
        path: &str,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        let Some(known) = self.known(within)? else { return Ok(()) };
        let counts = of_span(&known.of_all.values, path, span).ok_or(Error::ShardAnswer)?;
        let mut next = 0..counts.len();
        loop {
            memory::check();
            let at = match span.direction {
                Direction::Ascending => next.next(),
                Direction::Descending => next.next_back(),
            };
            let Some((value, count)) = at.and_then(|at| counts.get(at)) else { return Ok(()) };
            let step = || Step::Value(path.to_string(), value.clone());
            let rows = with_rows.then(|| self.part(within, &step())).transpose()?;
            if visit(Group { value, count: *count, rows })?.is_break() {
                return Ok(());
            }
        }
    }

    fn totals(&mut self, path: &str, within: &Domain) -> ReadResult<Option<Totals>> {
        Ok(self.known(within)?.and_then(|known| known.of_all.totals.get(path).cloned()))
    }

    fn instants(&mut self, path: &str, within: &Domain) -> ReadResult<Instants> {
        let Some(known) = self.known(within)? else { return Ok(None) };
        known.of_all.instants.get(path).copied().ok_or(Error::ShardAnswer.into())
    }

    fn paths(&mut self, prefix: &str) -> ReadResult<Option<BTreeSet<String>>> {
        let steps = self.known.first().into_iter().flat_map(|known| known.parts.keys());
        let path = |step: &Step| match step {
            Step::Having(path) if path.starts_with(prefix) => Some(path.clone()),
            _ => None,
        };
        Ok(self.has_paths.then(|| steps.filter_map(path).collect()))
    }

    fn count_type(&mut self, path: &str, tag: u8, within: &Domain) -> ReadResult<u64> {
        let having = self.having(path, within)?;
        Ok(self.part(&having, &Step::Predicate(tag.into()))?.len())
    }

    fn ways(&self) -> Ways {
        let root = self.known.first().map(|known| &known.of_all);
        let lists = root.into_iter().flat_map(|known| known.values.keys().map(|(path, ..)| path));
        lists.map(|path| (path.clone(), [("shards", 1)].into())).collect()
    }

    fn stats(&self) -> ReadStats {
        ReadStats::default()
    }
}
