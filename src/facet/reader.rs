//! Reads and checks facet requests: Solr's JSON Facet API (org.apache.solr.search.facet.FacetParser and
//! its subclasses). What Solr ignores, such as a misspelt option, is refused here.

use super::options::{Options, expected, sort, unsupported, wrong};
use super::range::RangeFacet;
use super::request::{Facet, Facets, QueryFacet};
use super::statistic::Statistic;
use super::terms::TermsFacet;
use crate::error::{Error, Result};
use crate::predicate::Predicate;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::rc::Rc;

/// How many facets and statistics a request may have.
const MAX_PARTS: usize = 1_000;
/// How many intervals the range facets of a request may have together: each takes about a kilobyte.
const MAX_INTERVALS: usize = 100_000;
/// Buckets that a facet without a limit has in Solr.
const DEFAULT_LIMIT: usize = 10;

/// Reads a query of a request.
pub(super) type ReadQuery<'q> = dyn FnMut(&str) -> Result<Rc<Predicate>> + 'q;

pub(super) struct Reader<'r, 'q> {
    read_query: &'r mut ReadQuery<'q>,
    now: DateTime<Utc>,
    parts: usize,
    intervals: usize,
}

impl<'r, 'q> Reader<'r, 'q> {
    pub fn new(now: DateTime<Utc>, read_query: &'r mut ReadQuery<'q>) -> Self {
        Reader { read_query, now, parts: 0, intervals: 0 }
    }

    /// Reads facets and statistics by name. The place is for errors, such as `facet.byType.facet`.
    pub fn facets(&mut self, json: &Value, place: &str) -> Result<Facets> {
        let mut facets = Facets::default();
        if json.is_null() {
            return Ok(facets);
        }
        let Some(members) = json.as_object() else {
            return Err(wrong(place, expected("an object of facets", json)));
        };
        for (name, value) in members {
            let place = format!("{place}.{name}");
            self.parts += 1;
            if self.parts > MAX_PARTS {
                let problem = format!("the request has more than {MAX_PARTS} facets");
                return Err(Error::RequestTooLarge { problem });
            }
            match value {
                // Solr puts both counts into the same object.
                _ if name == "count" => {
                    return Err(wrong(&place, "\"count\" is in each answer already".to_string()));
                }
                Value::String(text) => {
                    let statistic = Statistic::parse(text, &place)?;
                    facets.statistics.push((name.clone(), statistic));
                }
                Value::Object(members) => match self.facet(members, &place)? {
                    Ok(facet) => facets.facets.push((name.clone(), facet)),
                    Err(statistic) => facets.statistics.push((name.clone(), statistic)),
                },
                Value::Bool(_) if name == "processEmpty" => {
                    return Err(unsupported(&place, "processEmpty"));
                }
                other => return Err(wrong(&place, expected("a facet or a statistic", other))),
            }
        }
        Ok(facets)
    }

    /// Reads a facet; or a statistic, which can be written as an object, too.
    fn facet(
        &mut self,
        members: &Map<String, Value>,
        place: &str,
    ) -> Result<std::result::Result<Facet, Statistic>> {
        // The type is the only key, `{"terms": {…}}`, or the value of a key, `{"type": "terms", …}`.
        let mut only = members.iter();
        let (kind, arguments) = match (only.next(), only.next()) {
            (Some((kind, value)), None) if kind != "type" => (kind.as_str(), Ok(value)),
            _ => match members.get("type") {
                Some(Value::String(kind)) => (kind.as_str(), Err(members)),
                Some(other) => {
                    return Err(wrong(&format!("{place}.type"), expected("a string", other)));
                }
                None => {
                    let problem = "there is no \"type\": terms, query or range".to_string();
                    return Err(wrong(place, problem));
                }
            },
        };
        let place = match arguments {
            Ok(_) => format!("{place}.{kind}"),
            Err(_) => place.to_string(),
        };
        let place = place.as_str();
        let text = arguments.ok().and_then(Value::as_str);
        let nothing = Map::new();
        let members = match arguments {
            Err(members) => members,
            Ok(Value::Object(members)) => members,
            Ok(Value::String(_)) => &nothing,
            Ok(Value::Null) if kind == "query" => &nothing,
            Ok(other) if matches!(kind, "terms" | "field" | "query" | "func") => {
                return Err(wrong(place, expected("a string or an object", other)));
            }
            Ok(other) if kind == "range" => {
                return Err(wrong(place, expected("an object", other)));
            }
            Ok(_) => &nothing,
        };
        let options = Options { members, place };
        Ok(Ok(match kind {
            "terms" | "field" => Facet::Terms(self.terms(options, text)?),
            "query" => Facet::Query(self.query(options, text)?),
            "range" => Facet::Range(self.range(options, text)?),
            "func" => {
                options.only(&["type", "func"])?;
                let text = match text {
                    Some(text) => Some(text),
                    None => options.text("func")?,
                };
                let text = text.ok_or_else(|| options.missing("func"))?;
                return Ok(Err(Statistic::parse(text, place)?));
            }
            "heatmap" => return Err(unsupported(place, "a facet of type heatmap")),
            other => {
                let problem =
                    format!("\"{other}\" is no type of facet; expected terms, query or range");
                return Err(wrong(place, problem));
            }
        }))
    }

    fn terms(&mut self, options: Options<'_>, text: Option<&str>) -> Result<TermsFacet> {
        options.only(&[
            "type",
            "field",
            "f",
            "limit",
            "offset",
            "mincount",
            "sort",
            "prefix",
            "missing",
            "numBuckets",
            "allBuckets",
            "facet",
        ])?;
        let path = match text {
            Some(path) => path,
            None => options.text_by("field", "f")?.ok_or_else(|| options.missing("field"))?,
        };
        let limit = match options.integer("limit")? {
            None => Some(DEFAULT_LIMIT),
            Some(-1) => None,
            Some(limit) => Some(options.at_least_0("limit", limit, " or -1 for all")? as usize),
        };
        let offset = options.integer("offset")?.unwrap_or(0);
        let offset = options.at_least_0("offset", offset, "")? as usize;
        let mincount = options.integer("mincount")?.unwrap_or(1);
        let inner = self.inner(options)?;
        Ok(TermsFacet {
            path: path.to_string(),
            limit,
            // As in Solr, an offset means nothing if no buckets are asked for.
            offset: if limit == Some(0) { 0 } else { offset },
            mincount: options.at_least_0("mincount", mincount, "")?,
            order: sort(options, &inner.statistics)?,
            prefix: options.text("prefix")?.map(str::to_string),
            missing: options.flag("missing")?,
            num_buckets: options.flag("numBuckets")?,
            all_buckets: options.flag("allBuckets")?,
            inner,
        })
    }

    fn query(&mut self, options: Options<'_>, text: Option<&str>) -> Result<QueryFacet> {
        options.only(&["type", "q", "query", "facet"])?;
        let query = match text {
            Some(text) => Some(text),
            None => options.text_by("q", "query")?,
        };
        let at = |error| {
            let place = ["q", "query"].iter().find(|name| options.get(name).is_some()).map_or_else(
                || options.place.to_string(),
                |name| format!("{}.{name}", options.place),
            );
            Error::At { place, error: Box::new(error) }
        };
        let predicate = match query {
            Some(query) => (self.read_query)(query).map_err(at)?,
            None => Rc::new(Predicate::All),
        };
        Ok(QueryFacet { predicate, inner: self.inner(options)? })
    }

    fn range(&mut self, options: Options<'_>, text: Option<&str>) -> Result<RangeFacet> {
        if text.is_some() {
            let problem = "expected an object, found a string".to_string();
            return Err(wrong(options.place, problem));
        }
        options.only(&[
            "type", "field", "start", "end", "gap", "hardend", "mincount", "include", "other",
            "facet",
        ])?;
        let path = options.text("field")?.ok_or_else(|| options.missing("field"))?;
        let mincount =
            options.at_least_0("mincount", options.integer("mincount")?.unwrap_or(0), "")?;
        let hardend = options.flag("hardend")?;
        let inner = self.inner(options)?;
        let (include, other) = (options.list("include")?, options.list("other")?);
        let edge = |name: &str| {
            let value = options.members.get(name).filter(|value| !value.is_null());
            let value = value.ok_or_else(|| options.missing(name))?;
            match value {
                Value::String(text) => Ok(text.trim().to_string()),
                Value::Number(number) => Ok(number.to_string()),
                other => Err(options.wrong(name, expected("a number or a date", other))),
            }
        };
        let edges = [edge("start")?, edge("end")?, edge("gap")?];
        let range = RangeFacet::new(path, edges, hardend, &include, &other, self.now);
        let mut range = range.map_err(|error| error.at(options.place))?;
        self.intervals += range.intervals();
        if self.intervals > MAX_INTERVALS {
            let problem = format!("the request has more than {MAX_INTERVALS} intervals");
            return Err(Error::RequestTooLarge { problem });
        }
        (range.mincount, range.inner) = (mincount, inner);
        Ok(range)
    }

    fn inner(&mut self, options: Options<'_>) -> Result<Facets> {
        let place = format!("{}.facet", options.place);
        options.members.get("facet").map_or(Ok(Facets::default()), |json| self.facets(json, &place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facet::terms::{Order, OrderBy};
    use serde_json::json;

    fn read(json: Value) -> Result<Facets> {
        let mut read_query = |_: &str| Ok(Rc::new(Predicate::None));
        let now = DateTime::<Utc>::UNIX_EPOCH;
        Reader::new(now, &mut read_query).facets(&json, "facet")
    }

    fn terms(json: Value) -> TermsFacet {
        match read(json!({ "x": json })).unwrap().facets.pop() {
            Some((_, Facet::Terms(terms))) => terms,
            other => panic!("{other:?}"),
        }
    }

    fn error(json: Value) -> String {
        read(json).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn reads_all_forms_of_terms() {
        for json in [
            json!({ "terms": "a.b" }),
            json!({ "field": "a.b" }),
            json!({ "terms": { "field": "a.b" } }),
            json!({ "type": "terms", "field": "a.b" }),
            json!({ "type": "field", "f": "a.b", "limit": 10, "sort": "count" }),
        ] {
            let found = terms(json);
            assert_eq!((found.path.as_str(), found.limit, found.offset), ("a.b", Some(10), 0));
            assert_eq!((found.mincount, found.missing, found.prefix), (1, false, None));
            assert_eq!(found.order, Order { by: OrderBy::Count, descending: true });
        }
        let sorted = |sort: Value| {
            let inner = json!({ "s": "sum(x)", "m": "max(x)" });
            terms(json!({ "type": "terms", "field": "a", "sort": sort, "facet": inner })).order
        };
        let order = |by, descending| Order { by, descending };
        assert_eq!(sorted(json!("index")), order(OrderBy::Value, false));
        assert_eq!(sorted(json!("index desc")), order(OrderBy::Value, true));
        assert_eq!(sorted(json!({ "count": "asc" })), order(OrderBy::Count, false));
        assert!(matches!(sorted(json!("s asc")).by, OrderBy::Statistic(_)));
        assert_eq!(terms(json!({ "type": "terms", "f": "a", "limit": -1 })).limit, None);
    }

    #[test]
    fn errors_name_the_place() {
        let of = |options: Value| {
            let mut facet = json!({ "type": "terms", "field": "a" });
            for (key, value) in options.as_object().unwrap() {
                facet[key] = value.clone();
            }
            error(json!({ "byType": facet }))
        };
        assert_eq!(
            of(json!({ "limit": "10" })),
            "facet.byType.limit: expected an integer, found a string"
        );
        assert_eq!(
            of(json!({ "limit": -2 })),
            "facet.byType.limit: expected at least 0 or -1 for all, found -2"
        );
        assert!(
            of(json!({ "sort": "nothing desc" })).starts_with("facet.byType.sort: \"nothing\"")
        );
        assert!(of(json!({ "sort": "count up" })).starts_with("facet.byType.sort: expected asc"));
        assert_eq!(
            of(json!({ "domain": {} })),
            "facet.byType.domain: the option \"domain\" is not supported"
        );
        assert!(of(json!({ "facet": { "s": "sum(" } })).starts_with("facet.byType.facet.s: "));
        assert_eq!(error(json!([])), "facet: expected an object of facets, found an array");
        assert_eq!(
            error(json!({ "x": 5 })),
            "facet.x: expected a facet or a statistic, found the number 5"
        );
        assert!(error(json!({ "x": { "type": "heatmap", "field": "a" } })).contains("heatmap"));
        assert!(error(json!({ "x": { "type": "nothing", "field": "a" } })).contains("\"nothing\""));
        assert!(error(json!({ "x": { "field": "a", "limit": 1 } })).contains("\"type\""));
        // What Solr ignores beside another name of the same option.
        assert_eq!(
            of(json!({ "f": "a" })),
            "facet.byType.f: there is \"field\", which is the same option"
        );
        assert!(
            error(json!({ "x": { "query": { "q": "a", "query": 5 } } }))
                .starts_with("facet.x.query.query: ")
        );
        assert!(
            error(json!({ "x": { "terms": {} } })).contains("facet.x.terms: \"field\" is missing")
        );
        assert!(
            error(json!({ "x": { "range": { "field": "a", "start": 0, "end": 5 } } }))
                .contains("gap")
        );
    }
}
