//! Facet requests: what is asked for, and what answering it needs. reader.rs reads them.

use super::json::request_to_json;
use super::options::expected;
use super::range::RangeFacet;
use super::reader::{ReadQuery, Reader};
use super::statistic::Statistic;
use super::terms::TermsFacet;
use crate::document::Jsonb;
use crate::error::{Error, Result};
use crate::predicate::Predicate;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::HashSet;
use std::rc::Rc;

/// Facets and statistics, each with its name in the answer.
#[derive(Debug, Default)]
pub struct Facets {
    /// The JSON that they were read from, of those that are not in others.
    pub(super) request: Value,
    pub(super) statistics: Vec<(String, Statistic)>,
    pub(super) facets: Vec<(String, Facet)>,
}

/// A facet: some buckets of documents, and what is asked of each.
#[derive(Debug)]
pub(super) enum Facet {
    Terms(TermsFacet),
    Range(RangeFacet),
    Query(QueryFacet),
}

/// The documents that match a query, as one bucket.
#[derive(Debug)]
pub(super) struct QueryFacet {
    pub predicate: Rc<Predicate>,
    pub inner: Facets,
}

impl Facets {
    /// Reads what stands under `facet` in a request. `read_query` reads the queries in it, and
    /// `now` is what `NOW` means.
    pub fn read(
        request: Jsonb<'_>,
        now: DateTime<Utc>,
        read_query: &mut ReadQuery<'_>,
    ) -> Result<Facets> {
        Facets::read_json(&request_to_json(request)?, now, read_query)
    }

    /// The same, from JSON.
    pub fn read_json(
        json: &Value,
        now: DateTime<Utc>,
        read_query: &mut ReadQuery<'_>,
    ) -> Result<Facets> {
        let facets = Reader::new(now, read_query).facets(json, "facet")?;
        Ok(Facets { request: json.clone(), ..facets })
    }

    /// Whether an answer can be put together from those of several servers.
    pub(super) fn adds_up(&self) -> bool {
        self.facets.iter().all(|(_, facet)| match facet {
            Facet::Terms(terms) => terms.adds_up() && terms.inner.adds_up(),
            Facet::Range(range) => range.inner.adds_up(),
            Facet::Query(query) => query.inner.adds_up(),
        })
    }

    /// Reads a whole request, whose only member is `facet`.
    pub fn read_request(
        request: Jsonb<'_>,
        now: DateTime<Utc>,
        read_query: &mut ReadQuery<'_>,
    ) -> Result<Facets> {
        let json = request_to_json(request)?;
        let place = "json".to_string();
        let Some(members) = json.as_object() else {
            return Err(Error::Request { place, problem: expected("an object", &json) });
        };
        if let Some(other) = members.keys().find(|key| *key != "facet") {
            let what = format!("\"{other}\" in a request");
            return Err(Error::Unsupported { place: format!("json.{other}"), what });
        }
        let facet = members.get("facet");
        facet.map_or(Ok(Facets::default()), |facet| Facets::read_json(facet, now, read_query))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.statistics.is_empty() && self.facets.is_empty()
    }

    /// The paths whose values are needed, and the predicates.
    pub(super) fn collect<'f>(
        &'f self,
        paths: &mut HashSet<&'f str>,
        predicates: &mut Vec<&'f Predicate>,
        needs_everything: &mut bool,
    ) {
        paths.extend(self.statistics.iter().map(|(_, statistic)| statistic.path.as_str()));
        for (_, facet) in &self.facets {
            let inner = match facet {
                Facet::Terms(terms) => {
                    paths.insert(&terms.path);
                    *needs_everything |= terms.mincount == 0;
                    &terms.inner
                }
                Facet::Range(range) => {
                    predicates.extend(range.predicates());
                    &range.inner
                }
                Facet::Query(query) => {
                    predicates.push(&query.predicate);
                    &query.inner
                }
            };
            inner.collect(paths, predicates, needs_everything);
        }
    }
}
