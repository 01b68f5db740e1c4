//! A facet by value: one bucket for each value at a path.

use super::answer::{Statistics, UseBucket, add_inner};
use super::batches::Values;
use super::distribution::{Figure, compare_figures};
use super::json::value_to_json;
use super::request::Facets;
use super::room::{BUCKET, Room, least};
use super::top::Top;
use crate::executor::{Domain, Group, OrdinalCounts, ReadResult, Span, ValueSource};
use crate::index::gin::Direction;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// What buckets are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderBy {
    /// The number of documents.
    Count,
    /// The value.
    Value,
    /// The statistic of this number among those of each bucket.
    Statistic(usize),
}

/// The order of buckets. Those that are equal in it come in the order of their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub by: OrderBy,
    pub descending: bool,
}

/// A facet by value.
#[derive(Debug)]
pub struct TermsFacet {
    pub(super) path: String,
    /// None for all buckets.
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) mincount: u64,
    pub(super) order: Order,
    pub(super) prefix: Option<String>,
    pub(super) missing: bool,
    pub(super) num_buckets: bool,
    pub(super) all_buckets: bool,
    pub(super) inner: Facets,
}

/// A value, its type in front, and how many documents have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueCount {
    pub value: Vec<u8>,
    pub count: u64,
}

/// A bucket on its way through the sort. The one that comes first is the least.
struct Candidate {
    counted: ValueCount,
    order: Order,
    figure: Option<Figure>,
}

impl Candidate {
    fn compare(order: Order, a: (u64, &[u8]), b: (u64, &[u8])) -> Ordering {
        let by = match order.by {
            OrderBy::Count => a.0.cmp(&b.0),
            OrderBy::Value => a.1.cmp(b.1),
            OrderBy::Statistic(_) => Ordering::Equal,
        };
        if order.descending { by.reverse() } else { by }.then_with(|| a.1.cmp(b.1))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        let by = compare_figures(&self.figure, &other.figure);
        let by = if self.order.descending { by.reverse() } else { by };
        by.then_with(|| {
            let parts = |of: &Candidate| (of.counted.count, of.counted.value.clone());
            let (a, b) = (parts(self), parts(other));
            Candidate::compare(self.order, (a.0, &a.1), (b.0, &b.1))
        })
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Candidate) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// What a walk over the values has found.
struct Found {
    values: Vec<ValueCount>,
    /// How many values there are.
    buckets: u64,
    /// The sum of their counts.
    total: u64,
}

/// The values at a path that some documents have: those of a window in an order, and only strings
/// that begin with a prefix, if one is given.
pub fn values(
    source: &mut dyn ValueSource,
    within: &Domain,
    path: &str,
    prefix: Option<&str>,
    order: Order,
    (start, rows): (usize, Option<usize>),
) -> ReadResult<Vec<ValueCount>> {
    let search = Search { path, prefix, order, mincount: 1, start, rows, is_complete: false };
    Ok(search.run(source, within, &Statistics::default())?.values)
}

/// A search for the first values in an order.
struct Search<'s> {
    path: &'s str,
    prefix: Option<&'s str>,
    order: Order,
    mincount: u64,
    start: usize,
    rows: Option<usize>,
    /// Whether all values are counted, also if those of the window are known before.
    is_complete: bool,
}

impl Search<'_> {
    fn run(
        &self,
        source: &mut dyn ValueSource,
        within: &Domain,
        statistics: &Statistics<'_>,
    ) -> ReadResult<Found> {
        let (order, mincount) = (self.order, self.mincount);
        let by_value = order.by == OrderBy::Value;
        let direction = match by_value && order.descending {
            true => Direction::Descending,
            false => Direction::Ascending,
        };
        let mut span = match self.prefix {
            Some(prefix) => Span::prefix(prefix, direction),
            None => Span::all(direction),
        };
        span.ends_early = by_value && self.rows.is_some() && !self.is_complete;
        let most = self.rows.map(|rows| rows.saturating_add(self.start));
        let mut top = Top::new(most);
        let (mut buckets, mut total, mut wanted) = (0, 0, 0usize);
        // A value that no document of the domain has is a bucket, too, if its count may be 0.
        let with_zeros = mincount == 0;
        let walked = if with_zeros { source.everything()? } else { within.clone() };
        let mut take = |group: Group<'_>, count: u64| -> ReadResult<ControlFlow<()>> {
            buckets += 1;
            total += count;
            if count < mincount {
                return Ok(ControlFlow::Continue(()));
            }
            wanted += 1;
            if by_value && most.is_some_and(|most| wanted > most) {
                return Ok(match self.is_complete {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                });
            }
            let is_before = |other: &Candidate| {
                let other = (other.counted.count, other.counted.value.as_slice());
                Candidate::compare(order, (count, group.value), other).is_lt()
            };
            if top.wants(is_before) {
                let counted = ValueCount { value: group.value.to_vec(), count };
                top.push(Candidate { counted, order, figure: None })?;
            }
            Ok(ControlFlow::Continue(()))
        };
        if most == Some(0) && !self.is_complete {
            return Ok(Found { values: Vec::new(), buckets: 0, total: 0 });
        }
        if order.by == OrderBy::Count
            && self.prefix.is_none()
            && !with_zeros
            && let Some(counted) = source.counted(self.path, within)?
        {
            return self.of_counted(&counted);
        }
        let count_of = |group: &Group<'_>| match &group.rows {
            Some(rows) if with_zeros => rows.and(within).len(),
            _ => group.count,
        };
        if !matches!(order.by, OrderBy::Statistic(_)) {
            source.each_value(self.path, &span, &walked, with_zeros, &mut |group| {
                let count = count_of(&group);
                take(group, count)
            })?;
        } else {
            let values = Values { path: self.path, span, within: &walked, with_rows: with_zeros };
            values.each(source, &count_of, &mut |source, counted| {
                buckets += 1;
                total += counted.count;
                if counted.count < mincount {
                    return Ok(());
                }
                let rows = rows_of(source, self.path, &counted.value, within)?;
                let figure = statistics.ordering_figure(source, order.by, &rows)?;
                Ok(top.push(Candidate { counted, order, figure })?)
            })?;
        }
        let values = top.into_sorted().into_iter().skip(self.start);
        let values = values.map(|candidate| candidate.counted).collect();
        Ok(Found { values, buckets, total })
    }

    /// The first values by their counts, of values that were counted by ordinals. Only those that
    /// are found are unpacked.
    fn of_counted(&self, counted: &OrdinalCounts) -> ReadResult<Found> {
        let ordinals = counted.ordinals();
        let all = 0..ordinals.len();
        let mut top = Top::new(self.rows.map(|rows| rows.saturating_add(self.start)));
        let flow = counted.each(all.clone(), Direction::Ascending, |ordinal, count| {
            let rank = if self.order.descending { u64::MAX - count } else { count };
            let item = (rank, ordinal, count);
            match count >= self.mincount && top.wants(|last| item < *last) {
                true => top.push(item).map_or_else(ControlFlow::Break, ControlFlow::Continue),
                false => ControlFlow::Continue(()),
            }
        });
        if let ControlFlow::Break(error) = flow {
            return Err(error.into());
        }
        let values = top.into_sorted().into_iter().skip(self.start);
        let value = |(_, ordinal, count)| ValueCount { value: ordinals.value(ordinal), count };
        let (buckets, total) = (counted.distinct(all.clone()), counted.sum(all));
        Ok(Found { values: values.map(value).collect(), buckets, total })
    }
}

impl TermsFacet {
    /// The values that are buckets, in ascending order.
    pub(super) fn span(&self) -> Span {
        match &self.prefix {
            Some(prefix) => Span::prefix(prefix, Direction::Ascending),
            None => Span::all(Direction::Ascending),
        }
    }

    /// Whether an answer can be put together from those of several servers.
    pub(super) fn adds_up(&self) -> bool {
        // With a mincount of 0, a value that no match has is a bucket, too. The statistics of all
        // buckets count a document for each of its buckets.
        self.mincount > 0 && (!self.all_buckets || self.inner.statistics.is_empty())
    }

    /// The answer, over some documents.
    pub(super) fn answer(
        &self,
        source: &mut dyn ValueSource,
        within: &Domain,
        room: &mut Room,
    ) -> ReadResult<Value> {
        let statistics = Statistics::of(&self.inner);
        let search = Search {
            path: &self.path,
            prefix: self.prefix.as_deref(),
            order: self.order,
            mincount: self.mincount,
            start: self.offset,
            rows: self.limit,
            is_complete: self.num_buckets || self.all_buckets,
        };
        let found = search.run(source, within, &statistics)?;
        let mut answer = Map::new();
        if self.num_buckets {
            answer.insert("numBuckets".to_string(), json!(found.buckets));
        }
        if self.all_buckets {
            let all = self.all_buckets(source, within, &statistics, found.total)?;
            answer.insert("allBuckets".to_string(), Value::Object(all));
        }
        let filled = found.values.iter().filter(|found| found.count > 0).count();
        room.check(found.values.len() * BUCKET)?;
        room.check(filled.saturating_mul(BUCKET + least(&self.inner)))?;
        let mut buckets = Vec::with_capacity(found.values.len());
        for ValueCount { value, count } in found.values {
            crate::memory::check();
            room.take(BUCKET + 4 * value.len())?;
            let mut bucket = Map::new();
            bucket.insert("val".to_string(), value_to_json(&value));
            bucket.insert("count".to_string(), json!(count));
            if count > 0 && !self.inner.is_empty() {
                let rows = rows_of(source, &self.path, &value, within)?;
                add_inner(source, &self.inner, &rows, room, &mut bucket)?;
            }
            buckets.push(Value::Object(bucket));
        }
        answer.insert("buckets".to_string(), Value::Array(buckets));
        if self.missing {
            let having = source.having(&self.path, within)?;
            let mut bucket = Map::new();
            bucket.insert("count".to_string(), json!(within.len() - having.len()));
            if !self.inner.is_empty() && having.len() < within.len() {
                let rows = source.without(within, &having)?;
                add_inner(source, &self.inner, &rows, room, &mut bucket)?;
            }
            answer.insert("missing".to_string(), Value::Object(bucket));
        }
        Ok(Value::Object(answer))
    }

    /// The statistics of all buckets together, in which a document counts once for each of its
    /// buckets. As in Solr, there are no facets in it.
    fn all_buckets(
        &self,
        source: &mut dyn ValueSource,
        within: &Domain,
        statistics: &Statistics<'_>,
        total: u64,
    ) -> ReadResult<Map<String, Value>> {
        let mut all = Map::new();
        all.insert("count".to_string(), json!(total));
        if statistics.is_empty() {
            return Ok(all);
        }
        let mut each_bucket = |source: &mut dyn ValueSource, use_bucket: &mut UseBucket<'_>| {
            let values = Values { path: &self.path, span: self.span(), within, with_rows: false };
            values.each(source, &|group| group.count, &mut |source, counted| {
                let rows = rows_of(source, &self.path, &counted.value, within)?;
                use_bucket(source, &rows)
            })
        };
        statistics.add_of_buckets(source, within, &mut each_bucket, &mut all)?;
        Ok(all)
    }
}

/// Those of some documents that have a value.
pub(super) fn rows_of(
    source: &mut dyn ValueSource,
    path: &str,
    value: &[u8],
    within: &Domain,
) -> ReadResult<Domain> {
    let mut found = None;
    source.each_value(path, &Span::point(value), within, true, &mut |group| {
        found = group.rows;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found.unwrap_or_else(|| within.none()))
}
