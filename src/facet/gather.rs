//! Collects what a request asks of some documents, so that it adds up with what other servers
//! collect (gathered.rs). Of a facet by value that is every value, and what is asked of each: which
//! ones come first is only known when all servers have answered.

use super::answer::Statistics;
use super::asked::{Asked, Numbers};
use super::distribution::Distribution;
use super::gathered::{Counts, Gathered, Step};
use super::request::{Facet, Facets};
use super::statistic::Kind;
use super::terms::{TermsFacet, rows_of};
use crate::document::{NUMBER, TYPES};
use crate::executor::{Domain, Group, ReadResult, Span, ValueSource};
use crate::index::gin::Direction;
use crate::memory;
use crate::predicate::Predicate;
use std::ops::ControlFlow;

/// About what a value takes beside its bytes, in a list and in the answer.
const ENTRY: usize = 48;

/// What is asked of all matches. None if it takes more than so many bytes.
pub fn gather(
    source: &mut dyn ValueSource,
    asked: &Asked<'_>,
    max_bytes: usize,
) -> ReadResult<Option<Gathered>> {
    let (within, numbers) = (source.matches(), Numbers::of(asked.needs().predicates)?);
    let mut gatherer = Gatherer { numbers: &numbers, left: max_bytes, is_full: false };
    let mut found = Gathered::default();
    match asked {
        Asked::Facets(facets) => gatherer.facets(source, facets, &within, &mut found)?,
        Asked::Between { path, edges, buckets } => {
            let counts = source.counts_between(path, edges, &within)?;
            for (bucket, count) in buckets.iter().zip(counts) {
                gatherer.part(gatherer.predicate(bucket), count, &mut found);
            }
        }
        Asked::Ends { path } => {
            found.instants.insert(path.to_string(), source.instants(path, &within)?);
            gatherer.least_and_greatest(source, path, &within, &mut found)?;
        }
        Asked::Values { path } => gatherer.path(source, path, &within, &mut found)?,
        Asked::Paths { prefix, only_names } => {
            let Some(paths) = source.paths(prefix)? else { return Ok(None) };
            for path in paths {
                memory::check();
                match only_names {
                    true => drop(gatherer.part(Step::Having(path), 0, &mut found)),
                    false => gatherer.path(source, &path, &within, &mut found)?,
                }
            }
        }
    }
    found.count = within.len();
    Ok((!gatherer.is_full).then_some(found))
}

struct Gatherer<'n> {
    numbers: &'n Numbers<'n>,
    left: usize,
    is_full: bool,
}

impl Gatherer<'_> {
    /// Whether there is room for so many bytes more.
    fn has_room(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.is_full = true,
        }
        !self.is_full
    }

    fn predicate(&self, predicate: &Predicate) -> Step {
        Step::Predicate(self.numbers.get(predicate).unwrap_or(u64::MAX))
    }

    /// A part of the documents, of which it is known how many there are.
    fn part<'g>(&mut self, step: Step, count: u64, into: &'g mut Gathered) -> &'g mut Gathered {
        let path = match &step {
            Step::Value(path, value) => path.len() + value.len(),
            Step::Having(path) | Step::Missing(path) => path.len(),
            Step::Predicate(_) => 0,
        };
        self.has_room(size_of::<(Step, Gathered)>() + ENTRY + path);
        let part = into.inner.entry(step).or_default();
        part.count = count;
        part
    }

    fn facets(
        &mut self,
        source: &mut dyn ValueSource,
        facets: &Facets,
        within: &Domain,
        into: &mut Gathered,
    ) -> ReadResult<()> {
        memory::check();
        into.count = within.len();
        if within.is_empty() || self.is_full {
            return Ok(());
        }
        for (path, named) in Statistics::of(facets).by_path() {
            let kinds: Vec<&Kind> = named.iter().map(|(_, kind)| *kind).collect();
            self.statistics(source, path, &kinds, within, into)?;
        }
        for (_, facet) in &facets.facets {
            match facet {
                Facet::Terms(terms) => self.terms(source, terms, within, into)?,
                Facet::Query(query) => {
                    self.satisfying(source, &query.predicate, &query.inner, within, into)?;
                }
                Facet::Range(range) => {
                    let counts = match &range.edges {
                        Some(edges) if range.inner.is_empty() => {
                            source.counts_between(&range.path, edges, within)?
                        }
                        _ => Vec::new(),
                    };
                    for (number, predicate) in range.predicates().enumerate() {
                        match counts.get(number) {
                            Some(count) => {
                                self.part(self.predicate(predicate), *count, into);
                            }
                            None => {
                                self.satisfying(source, predicate, &range.inner, within, into)?
                            }
                        }
                        if self.is_full {
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The documents that satisfy a predicate, and what is asked of them.
    fn satisfying(
        &mut self,
        source: &mut dyn ValueSource,
        predicate: &Predicate,
        inner: &Facets,
        within: &Domain,
        into: &mut Gathered,
    ) -> ReadResult<()> {
        memory::check();
        let step = self.predicate(predicate);
        if inner.is_empty() {
            self.part(step, source.count(predicate, within)?, into);
            return Ok(());
        }
        let rows = source.matching(predicate, within)?;
        let part = self.part(step, rows.len(), into);
        self.facets(source, inner, &rows, part)
    }

    fn statistics(
        &mut self,
        source: &mut dyn ValueSource,
        path: &str,
        kinds: &[&Kind],
        within: &Domain,
        into: &mut Gathered,
    ) -> ReadResult<()> {
        if kinds.contains(&&Kind::Missing) {
            let having = source.count_having(path, within)?;
            self.part(Step::Having(path.to_string()), having, into);
        }
        if kinds.iter().any(|kind| matches!(kind, Kind::Unique | Kind::Percentile(_))) {
            return self.values(source, path, &Span::all(Direction::Ascending), within, into);
        }
        if kinds.iter().any(|kind| **kind != Kind::Missing) {
            let totals = Distribution::read(source, path, within, kinds)?.totals();
            self.has_room(size_of_val(&totals) + path.len() + ENTRY);
            into.totals.insert(path.to_string(), totals);
        }
        Ok(())
    }

    fn terms(
        &mut self,
        source: &mut dyn ValueSource,
        terms: &TermsFacet,
        within: &Domain,
        into: &mut Gathered,
    ) -> ReadResult<()> {
        let (path, span) = (&terms.path, terms.span());
        self.values(source, path, &span, within, into)?;
        if !terms.inner.is_empty() {
            let interval = (path.clone(), span.from, span.below);
            let values = into.values.get(&interval).cloned().unwrap_or_default();
            for (value, _) in values {
                let rows = rows_of(source, path, &value, within)?;
                let part = self.part(Step::Value(path.clone(), value), rows.len(), into);
                self.facets(source, &terms.inner, &rows, part)?;
                if self.is_full {
                    return Ok(());
                }
            }
        }
        if terms.missing {
            let having = source.having(path, within)?;
            self.part(Step::Having(path.clone()), having.len(), into);
            let rows = source.without(within, &having)?;
            let part = self.part(Step::Missing(path.clone()), rows.len(), into);
            self.facets(source, &terms.inner, &rows, part)?;
        }
        Ok(())
    }

    /// The values at a path, how many documents have one, and how many have one of each type.
    fn path(
        &mut self,
        source: &mut dyn ValueSource,
        path: &str,
        within: &Domain,
        into: &mut Gathered,
    ) -> ReadResult<()> {
        if self.is_full {
            return Ok(());
        }
        let span = Span::all(Direction::Ascending);
        self.values(source, path, &span, within, into)?;
        let interval = (path.to_string(), span.from, span.below);
        let mut of_types = [0; TYPES.len()];
        for (value, count) in into.values.get(&interval).into_iter().flatten() {
            let tag = TYPES.iter().position(|tag| value.first() == Some(tag));
            if let Some(known) = tag.and_then(|tag| of_types.get_mut(tag)) {
                *known += count;
            }
        }
        // A document counts once for each of its values.
        let counted: u64 = of_types.iter().sum();
        let having = source.count_having(path, within)?;
        let part = self.part(Step::Having(path.to_string()), having, into);
        for (tag, mut count) in TYPES.into_iter().zip(of_types) {
            if counted > having && count > 0 {
                count = source.count_type(path, tag, within)?;
            }
            self.part(Step::Predicate(tag.into()), count, part);
        }
        Ok(())
    }

    /// The values of a span.
    fn values(
        &mut self,
        source: &mut dyn ValueSource,
        path: &str,
        span: &Span,
        within: &Domain,
        into: &mut Gathered,
    ) -> ReadResult<()> {
        let mut counts: Counts = Vec::new();
        source.each_value(path, span, within, false, &mut |Group { value, count, .. }| {
            if !self.has_room(value.len() + ENTRY) {
                return Ok(ControlFlow::Break(()));
            }
            memory::reserve(&mut counts, 1)?;
            counts.push((value.to_vec(), count));
            Ok(ControlFlow::Continue(()))
        })?;
        into.values.insert((path.to_string(), span.from.clone(), span.below.clone()), counts);
        Ok(())
    }

    /// The least number and the greatest one, as if there were no other.
    fn least_and_greatest(
        &mut self,
        source: &mut dyn ValueSource,
        path: &str,
        within: &Domain,
        into: &mut Gathered,
    ) -> ReadResult<()> {
        let mut ends: Counts = Vec::new();
        for direction in [Direction::Ascending, Direction::Descending] {
            let span = Span::of_type(NUMBER, direction);
            source.each_value(
                path,
                &span,
                within,
                false,
                &mut |Group { value, count, .. }| {
                    ends.push((value.to_vec(), count));
                    Ok(ControlFlow::Break(()))
                },
            )?;
        }
        ends.dedup_by(|a, b| a.0 == b.0);
        let Span { from, below, .. } = Span::of_type(NUMBER, Direction::Ascending);
        into.values.insert((path.to_string(), from, below), ends);
        Ok(())
    }
}
