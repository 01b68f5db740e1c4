//! A request over some documents, as JSON.

use super::distribution::{Distribution, Figure};
use super::json::value_to_json;
use super::request::{Facet, Facets};
use super::room::{BUCKET, FIGURE, Room, least};
use super::statistic::{Kind, Statistic};
use super::terms::OrderBy;
use crate::document::Decimal;
use crate::executor::{Domain, ReadResult, ValueSource};
use serde_json::{Map, Value, json};

/// The answer over all matches: `{"count": N, name: {…}, …}`.
pub fn answer(source: &mut dyn ValueSource, facets: &Facets) -> ReadResult<Value> {
    let matches = source.matches();
    let mut answer = Map::new();
    answer.insert("count".to_string(), json!(matches.len()));
    if !matches.is_empty() {
        add_inner(source, facets, &matches, &mut Room::new(), &mut answer)?;
    }
    Ok(Value::Object(answer))
}

/// All statistics of the values at a path, of all matches.
pub fn summary(source: &mut dyn ValueSource, path: &str, percentages: &[f64]) -> ReadResult<Value> {
    let matches = source.matches();
    let having = source.count_having(path, &matches)?;
    let wanted = Kind::Percentile(percentages.to_vec());
    let found = Distribution::read(source, path, &matches, &[&Kind::Stddev, &wanted])?;
    let mut percentiles = Map::new();
    for percentage in percentages {
        let value = found.percentile(*percentage, source, path, &matches)?;
        let value = value.map_or(Value::Null, |value| value_to_json(&value));
        percentiles.insert(percentage.to_string(), value);
    }
    let (min, max) = found.extremes.clone().unzip();
    let value = |value: Option<Vec<u8>>| value.map_or(Value::Null, |value| value_to_json(&value));
    let decimal = |decimal: Option<Decimal>| {
        decimal.map_or(Value::Null, |decimal| Figure::Number(decimal).to_json())
    };
    Ok(json!({
        "documents": having,
        "missing": matches.len() - having,
        "values": found.values,
        "distinct": found.distinct,
        "min": value(min),
        "max": value(max),
        "sum": decimal((found.numbers > 0).then(|| found.sum())),
        "avg": decimal(found.mean()?),
        "stddev": decimal(found.stddev(true)?),
        "percentiles": percentiles,
    }))
}

/// Adds statistics and facets to a bucket, which has its count already. As in Solr, a bucket
/// without documents has neither.
pub(super) fn add_inner(
    source: &mut dyn ValueSource,
    facets: &Facets,
    within: &Domain,
    room: &mut Room,
    bucket: &mut Map<String, Value>,
) -> ReadResult<()> {
    room.check(least(facets))?;
    room.take(facets.statistics.len() * FIGURE)?;
    Statistics::of(facets).add(source, within, bucket)?;
    for (name, facet) in &facets.facets {
        crate::memory::check();
        let answer = match facet {
            Facet::Terms(terms) => terms.answer(source, within, room)?,
            Facet::Range(range) => range.answer(source, within, room)?,
            Facet::Query(query) => {
                room.take(BUCKET)?;
                let mut bucket = Map::new();
                match query.inner.is_empty() {
                    true => {
                        let count = source.count(&query.predicate, within)?;
                        bucket.insert("count".to_string(), json!(count));
                    }
                    false => {
                        let rows = source.matching(&query.predicate, within)?;
                        bucket.insert("count".to_string(), json!(rows.len()));
                        if !rows.is_empty() {
                            add_inner(source, &query.inner, &rows, room, &mut bucket)?;
                        }
                    }
                }
                Value::Object(bucket)
            }
        };
        bucket.insert(name.clone(), answer);
    }
    Ok(())
}

/// The statistics of a bucket.
#[derive(Default)]
pub struct Statistics<'f> {
    statistics: &'f [(String, Statistic)],
}

impl<'f> Statistics<'f> {
    pub(super) fn of(facets: &'f Facets) -> Statistics<'f> {
        Statistics { statistics: &facets.statistics }
    }

    pub fn is_empty(&self) -> bool {
        self.statistics.is_empty()
    }

    /// The paths, each with the kinds of figures that are asked for.
    pub(super) fn by_path(&self) -> Vec<(&'f str, Vec<(&'f str, &'f Kind)>)> {
        let mut paths: Vec<(&str, Vec<(&str, &Kind)>)> = Vec::new();
        for (name, Statistic { kind, path }) in self.statistics {
            match paths.iter_mut().find(|(known, _)| known == path) {
                Some((_, kinds)) => kinds.push((name, kind)),
                None => paths.push((path, vec![(name, kind)])),
            }
        }
        paths
    }

    /// Adds the figures of some documents. A path is walked over once for all of its figures.
    pub fn add(
        &self,
        source: &mut dyn ValueSource,
        within: &Domain,
        bucket: &mut Map<String, Value>,
    ) -> ReadResult<()> {
        for (path, named) in self.by_path() {
            let kinds: Vec<&Kind> = named.iter().map(|(_, kind)| *kind).collect();
            let distribution = match kinds.iter().all(|kind| **kind == Kind::Missing) {
                true => Distribution::default(),
                false => Distribution::read(source, path, within, &kinds)?,
            };
            for (name, kind) in named {
                if let Some(figure) = distribution.figure(kind, source, path, within)? {
                    bucket.insert(name.to_string(), figure.to_json());
                }
            }
        }
        Ok(())
    }

    /// Adds the figures of all buckets of a facet together. A document counts once for each bucket
    /// that it is in. `each_bucket` calls its argument with each bucket, which is a part of `within`.
    pub fn add_of_buckets(
        &self,
        source: &mut dyn ValueSource,
        within: &Domain,
        each_bucket: &mut dyn FnMut(&mut dyn ValueSource, &mut UseBucket<'_>) -> ReadResult<()>,
        all: &mut Map<String, Value>,
    ) -> ReadResult<()> {
        for (path, named) in self.by_path() {
            let kinds: Vec<&Kind> = named.iter().map(|(_, kind)| *kind).collect();
            let (mut sums, mut missing) = (Distribution::default(), 0);
            let mut everybody: Option<Domain> = None;
            each_bucket(source, &mut |source, bucket| {
                sums.add(source, path, bucket, &kinds, true)?;
                if kinds.contains(&&Kind::Missing) {
                    missing += bucket.len() - source.count_having(path, bucket)?;
                }
                everybody = Some(match everybody.take() {
                    Some(all) => all.or(bucket),
                    None => bucket.clone(),
                });
                Ok(())
            })?;
            let everybody = everybody.unwrap_or_else(|| within.none());
            for (name, kind) in named {
                let figure = match kind {
                    Kind::Missing => Some(Figure::Count(missing)),
                    Kind::Unique => {
                        let read = Distribution::read(source, path, &everybody, &[])?;
                        Some(Figure::Count(read.distinct))
                    }
                    kind => sums.figure(kind, source, path, &everybody)?,
                };
                if let Some(figure) = figure {
                    all.insert(name.to_string(), figure.to_json());
                }
            }
        }
        Ok(())
    }

    /// The figure by which a bucket is sorted; none if it is sorted by something else.
    pub fn ordering_figure(
        &self,
        source: &mut dyn ValueSource,
        by: OrderBy,
        within: &Domain,
    ) -> ReadResult<Option<Figure>> {
        let OrderBy::Statistic(number) = by else { return Ok(None) };
        let Some((_, Statistic { kind, path })) = self.statistics.get(number) else {
            return Ok(None);
        };
        let distribution = Distribution::read(source, path, within, &[kind])?;
        distribution.figure(kind, source, path, within)
    }
}

/// Does something with a bucket.
pub type UseBucket<'u> = dyn FnMut(&mut dyn ValueSource, &Domain) -> ReadResult<()> + 'u;
