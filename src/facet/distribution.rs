//! The statistics of the values at a path, from a walk over them in their order.

use super::json::{number, value_to_json};
use super::statistic::Kind;
use super::sum::Sum;
use crate::document::{Decimal, NUMBER, read_ordered};
use crate::error::{Error, Result};
use crate::executor::{
    Domain, Group, Moments, OrdinalCounts, ReadResult, Span, Totals, ValueSource,
};
use crate::index::gin::Direction;
use crate::memory;
use pgrx::AnyNumeric;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Numbers from which a percentile is searched for: as many are kept at most.
const MAX_CHECKPOINTS: usize = 1_024;

/// A figure of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    Count(u64),
    Number(Decimal),
    /// A value, its type in front.
    Value(Vec<u8>),
    List(Vec<Figure>),
}

impl Figure {
    /// The figure as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Figure::Count(count) => json!(count),
            Figure::Number(decimal) => number(&decimal.to_string()),
            Figure::Value(value) => value_to_json(value),
            Figure::List(figures) => Value::Array(figures.iter().map(Figure::to_json).collect()),
        }
    }
}

/// The order of figures of the same kind. Where there is none, it comes first.
pub fn compare_figures(a: &Option<Figure>, b: &Option<Figure>) -> Ordering {
    match (a, b) {
        (Some(Figure::Count(a)), Some(Figure::Count(b))) => a.cmp(b),
        (Some(Figure::Number(a)), Some(Figure::Number(b))) => a.cmp(b),
        (Some(Figure::Value(a)), Some(Figure::Value(b))) => a.cmp(b),
        (Some(Figure::List(a)), Some(Figure::List(b))) => {
            compare_figures(&a.first().cloned(), &b.first().cloned())
        }
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// What is known of the values at a path. A value counts once for each document that has it.
#[derive(Default)]
pub struct Distribution {
    /// How many values there are.
    pub values: u64,
    /// How many different ones.
    pub distinct: u64,
    /// The least value and the greatest.
    pub extremes: Option<(Vec<u8>, Vec<u8>)>,
    /// How many of the values are numbers.
    pub numbers: u64,
    sum: Sum,
    squares: Sum,
    /// Some of the numbers, each with how many come before it.
    checkpoints: Vec<(Vec<u8>, u64)>,
    /// One number in so many is kept.
    stride: u64,
    /// The numbers with their counts, where they come from several walks.
    weights: BTreeMap<Vec<u8>, u64>,
    /// The values, where they were counted by ordinals.
    counted: Option<Rc<OrdinalCounts>>,
}

impl Distribution {
    /// Walks over the values at a path that some documents have.
    pub fn read(
        source: &mut dyn ValueSource,
        path: &str,
        within: &Domain,
        kinds: &[&Kind],
    ) -> ReadResult<Distribution> {
        let mut distribution = Distribution { stride: 1, ..Distribution::default() };
        distribution.add(source, path, within, kinds, false)?;
        Ok(distribution)
    }

    /// Adds the values of some documents. `keeps_weights`: whether more follow, so that the numbers
    /// do not come in one order.
    pub fn add(
        &mut self,
        source: &mut dyn ValueSource,
        path: &str,
        within: &Domain,
        kinds: &[&Kind],
        keeps_weights: bool,
    ) -> ReadResult<()> {
        let sums = kinds
            .iter()
            .any(|kind| matches!(kind, Kind::Sum | Kind::Avg | Kind::Variance | Kind::Stddev));
        let squares =
            kinds.iter().any(|kind| matches!(kind, Kind::Sumsq | Kind::Variance | Kind::Stddev));
        let ranks = kinds.iter().any(|kind| matches!(kind, Kind::Percentile(_)));
        if !(ranks && keeps_weights)
            && let Some(counted) = source.counted(path, within)?
        {
            self.add_counted(counted, sums || squares);
            return Ok(());
        }
        if !ranks
            && !kinds.contains(&&Kind::Unique)
            && let Some(totals) = source.totals(path, within)?
        {
            self.add_totals(totals);
            return Ok(());
        }
        let span = Span::all(Direction::Ascending);
        let mut last = Vec::new();
        let mut first = None;
        let mut seen = 0u64;
        source.each_value(path, &span, within, false, &mut |group: Group<'_>| {
            let Group { value, count, .. } = group;
            if first.is_none() {
                first = Some(value.to_vec());
            }
            last.clear();
            last.extend_from_slice(value);
            self.values += count;
            self.distinct += 1;
            if let Some((&NUMBER, bytes)) = value.split_first() {
                if ranks && keeps_weights {
                    memory::try_reserve(value.len() + 64, || Ok(()))?;
                    *self.weights.entry(value.to_vec()).or_default() += count;
                } else if ranks && seen.is_multiple_of(self.stride) {
                    self.checkpoint(value);
                }
                seen += 1;
                self.numbers += count;
                if (sums || squares)
                    && let Some(number) = read_ordered(bytes)
                {
                    if sums {
                        self.sum.add(&number, count);
                    }
                    if squares {
                        self.squares.add_square(&number, count);
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(first) = first {
            self.widen(first, last);
        }
        Ok(())
    }

    /// What can be added up of it.
    pub fn totals(&self) -> Totals {
        Totals {
            values: self.values,
            numbers: self.numbers,
            ends: self.extremes.clone(),
            sum: self.sum.decimal(),
            squares: self.squares.decimal(),
        }
    }

    fn add_totals(&mut self, totals: Totals) {
        let Totals { values, numbers, ends, sum, squares } = totals;
        self.values += values;
        self.numbers += numbers;
        self.sum.add_decimal(&sum);
        self.squares.add_decimal(&squares);
        if let Some((least, greatest)) = ends {
            self.widen(least, greatest);
        }
    }

    /// Takes a least value and a greatest one.
    fn widen(&mut self, first: Vec<u8>, last: Vec<u8>) {
        self.extremes = Some(match self.extremes.take() {
            None => (first, last),
            Some((least, greatest)) => (least.min(first), greatest.max(last)),
        });
    }

    /// Adds values that were counted by ordinals. `sums`: also their sums.
    fn add_counted(&mut self, counted: Rc<OrdinalCounts>, sums: bool) {
        let ordinals = counted.ordinals();
        let (all, numbers) = (0..ordinals.len(), ordinals.of_type(NUMBER));
        self.values += counted.sum(all.clone());
        self.distinct += counted.distinct(all);
        self.numbers += counted.sum(numbers.clone());
        if let Some((first, last)) = counted.ends(0..ordinals.len()) {
            self.widen(ordinals.value(first), ordinals.value(last));
        }
        match counted.moments().filter(|_| sums) {
            Some(Moments { weight, sum, squares }) => {
                self.sum.add_integer(sum, weight);
                self.squares.add_integer(squares, 2 * weight);
            }
            None if sums => {
                let _ = counted.each(numbers, Direction::Ascending, |at, count| {
                    if let Some(number) = ordinals.number(at) {
                        self.sum.add(&number, count);
                        self.squares.add_square(&number, count);
                    }
                    ControlFlow::<()>::Continue(())
                });
            }
            None => {}
        }
        self.counted = Some(counted);
    }

    /// Keeps a number from which a percentile can be searched for.
    fn checkpoint(&mut self, value: &[u8]) {
        self.checkpoints.push((value.to_vec(), self.numbers));
        if self.checkpoints.len() >= MAX_CHECKPOINTS {
            let mut number = 0;
            self.checkpoints.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// A figure of the values at a path, of these documents; none if there is none.
    pub fn figure(
        &self,
        kind: &Kind,
        source: &mut dyn ValueSource,
        path: &str,
        within: &Domain,
    ) -> ReadResult<Option<Figure>> {
        Ok(Some(match kind {
            Kind::Sum => Figure::Number(self.sum.decimal()),
            Kind::Sumsq => Figure::Number(self.squares.decimal()),
            Kind::Avg => Figure::Number(self.mean()?.unwrap_or_else(|| Decimal::from_i64(0))),
            Kind::Variance => Figure::Number(self.variance(false)?.unwrap_or_else(zero)),
            Kind::Stddev => Figure::Number(self.stddev(false)?.unwrap_or_else(zero)),
            Kind::Min => return Ok(self.extremes.clone().map(|(least, _)| Figure::Value(least))),
            Kind::Max => {
                return Ok(self.extremes.clone().map(|(_, greatest)| Figure::Value(greatest)));
            }
            Kind::Unique => Figure::Count(self.distinct),
            Kind::Countvals => Figure::Count(self.values),
            Kind::Missing => Figure::Count(within.len() - source.count_having(path, within)?),
            Kind::Percentile(percentages) => {
                let mut found = Vec::with_capacity(percentages.len());
                for percentage in percentages {
                    let Some(value) = self.percentile(*percentage, source, path, within)? else {
                        return Ok(None);
                    };
                    found.push(Figure::Value(value));
                }
                match <[Figure; 1]>::try_from(found) {
                    Ok([figure]) => figure,
                    Err(figures) => Figure::List(figures),
                }
            }
        }))
    }

    /// The sum of the numbers.
    pub fn sum(&self) -> Decimal {
        self.sum.decimal()
    }

    /// The mean of the numbers, as SQL's avg gives it.
    pub fn mean(&self) -> Result<Option<Decimal>> {
        if self.numbers == 0 {
            return Ok(None);
        }
        let mean = numeric(&self.sum.decimal())? / AnyNumeric::from(self.numbers);
        decimal(&mean).map(Some)
    }

    /// The variance of the numbers: of a sample, as SQL's var_samp gives it, or of the whole
    /// population. As there, `(n · Σx² - (Σx)²) / n(n - 1)` or `/ n²`.
    pub fn variance(&self, of_sample: bool) -> Result<Option<Decimal>> {
        self.numeric_variance(of_sample)?.map(|variance| decimal(&variance)).transpose()
    }

    /// The square root of the variance.
    pub fn stddev(&self, of_sample: bool) -> Result<Option<Decimal>> {
        let variance = self.numeric_variance(of_sample)?;
        variance.map(|variance| decimal(&variance.sqrt())).transpose()
    }

    fn numeric_variance(&self, of_sample: bool) -> Result<Option<AnyNumeric>> {
        let other = self.numbers - u64::from(of_sample && self.numbers > 0);
        if self.numbers == 0 || other == 0 {
            return Ok(None);
        }
        let (n, other) = (AnyNumeric::from(self.numbers), AnyNumeric::from(other));
        let (sum, squares) = (numeric(&self.sum.decimal())?, numeric(&self.squares.decimal())?);
        let above = n.clone() * squares - sum.clone() * sum;
        if above <= AnyNumeric::from(0) {
            return Ok(Some(AnyNumeric::from(0)));
        }
        Ok(Some(above / (n * other)))
    }

    /// The first number that so many of 100 numbers do not exceed: SQL's percentile_disc. The
    /// distribution must be one of the same documents.
    pub fn percentile(
        &self,
        percentage: f64,
        source: &mut dyn ValueSource,
        path: &str,
        within: &Domain,
    ) -> ReadResult<Option<Vec<u8>>> {
        if self.numbers == 0 {
            return Ok(None);
        }
        let rank = (percentage / 100.0 * self.numbers as f64).ceil().max(1.0) as u64;
        let rank = rank.min(self.numbers);
        let mut before = 0;
        if !self.weights.is_empty() {
            let found = self.weights.iter().find(|(_, count)| {
                before += **count;
                before >= rank
            });
            return Ok(found.map(|(value, _)| value.clone()));
        }
        if let Some(counted) = &self.counted {
            return Ok(counted.number_at_rank(rank).map(|at| counted.ordinals().value(at)));
        }
        let behind = self.checkpoints.partition_point(|(_, before)| *before < rank);
        let start = behind.checked_sub(1).and_then(|at| self.checkpoints.get(at));
        let mut span = Span::of_type(NUMBER, Direction::Ascending);
        if let Some((value, count)) = start {
            (span.from, before) = (value.clone(), *count);
        }
        let mut found = None;
        source.each_value(path, &span, within, false, &mut |group: Group<'_>| {
            before += group.count;
            if before < rank {
                return Ok(ControlFlow::Continue(()));
            }
            found = Some(group.value.to_vec());
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }
}

fn zero() -> Decimal {
    Decimal::from_i64(0)
}

/// A number of PostgreSQL's.
fn numeric(decimal: &Decimal) -> Result<AnyNumeric> {
    let numeric = if decimal.is_numeric() { decimal.to_string().parse().ok() } else { None };
    numeric.ok_or(Error::NumericOverflow)
}

fn decimal(numeric: &AnyNumeric) -> Result<Decimal> {
    Decimal::parse(&numeric.to_string()).ok_or(Error::NumericOverflow)
}
