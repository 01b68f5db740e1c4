//! What is asked of the values of a query's matches, as it is needed before they are read, and as it
//! is sent to other servers.

use super::documents::Needs;
use super::request::Facets;
use crate::document::Decimal;
use crate::error::{Error, Result};
use crate::executor::{Edge, between};
use crate::memory;
use crate::predicate::Predicate;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};

/// What is asked.
pub enum Asked<'a> {
    Facets(&'a Facets),
    /// How many have a value at a path between two neighbouring edges. The buckets are the same as
    /// predicates.
    Between {
        path: &'a str,
        edges: &'a [Edge],
        buckets: &'a [Predicate],
    },
    /// The first and the last instant at a path, and the least and the greatest number.
    Ends {
        path: &'a str,
    },
    /// The values at a path, and of which types they are.
    Values {
        path: &'a str,
    },
    /// The same at all paths that begin with a prefix; or the names of these paths alone.
    Paths {
        prefix: &'a str,
        only_names: bool,
    },
}

impl<'a> Asked<'a> {
    /// What has to be known of each document.
    pub fn needs(&self) -> Needs<'a> {
        match self {
            Asked::Facets(facets) => Needs::of(facets),
            Asked::Between { buckets, .. } => {
                Needs { predicates: buckets.iter().collect(), ..Needs::default() }
            }
            Asked::Ends { path } | Asked::Values { path } => Needs::path(path),
            Asked::Paths { .. } => Needs::default(),
        }
    }

    /// As JSON. None if what other servers answer would not add up.
    pub fn to_json(&self) -> Option<Value> {
        match self {
            Asked::Facets(facets) if facets.adds_up() => Some(json!({ "facet": facets.request })),
            Asked::Between { path, edges, .. } => {
                let edges: Vec<Value> = edges.iter().map(edge_to_json).collect();
                Some(json!({ "path": path, "edges": edges }))
            }
            Asked::Ends { path } => Some(json!({ "path": path })),
            Asked::Values { path } => Some(json!({ "values": path })),
            Asked::Paths { prefix, only_names } => {
                Some(json!({ "paths": prefix, "only_names": only_names }))
            }
            Asked::Facets(_) => None,
        }
    }

    /// Reads JSON that `to_json` has made, and does some work with it. `read` reads facets.
    pub fn with_json<T>(
        json: &Value,
        read: impl FnOnce(&Value) -> Result<Facets>,
        work: impl FnOnce(&Asked<'_>) -> Result<T>,
    ) -> Result<T> {
        if let Some(request) = json.get("facet") {
            return work(&Asked::Facets(&read(request)?));
        }
        if let Some(path) = json.get("values").and_then(Value::as_str) {
            return work(&Asked::Values { path });
        }
        if let Some(prefix) = json.get("paths").and_then(Value::as_str) {
            let only_names = json.get("only_names").and_then(Value::as_bool).unwrap_or(false);
            return work(&Asked::Paths { prefix, only_names });
        }
        let wrong = || {
            let problem = "expected facet, values, paths, or path and edges".to_string();
            Error::Request { place: "asked".to_string(), problem }
        };
        let path = json.get("path").and_then(Value::as_str).ok_or_else(wrong)?;
        let Some(edges) = json.get("edges") else { return work(&Asked::Ends { path }) };
        let edges = edges.as_array().ok_or_else(wrong)?;
        let edges = edges.iter().map(edge_of_json).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        let buckets = buckets(path, &edges);
        work(&Asked::Between { path, edges: &edges, buckets: &buckets })
    }
}

/// A facet with the values at a path, or with the strings there that begin with a prefix.
pub fn request_values(path: &str, prefix: Option<&str>) -> Value {
    json!({ "values": { "type": "terms", "field": path, "prefix": prefix } })
}

/// All statistics of the values at a path.
pub fn request_summary(path: &str) -> Value {
    let path = path.replace('\\', r"\\").replace('"', r#"\""#);
    json!({ "rank": format!("percentile(\"{path}\",50)"), "missing": format!("missing(\"{path}\")") })
}

/// The documents between neighbouring edges.
pub fn buckets(path: &str, edges: &[Edge]) -> Vec<Predicate> {
    let bucket = |pair: &[Edge]| match pair {
        [from, below] => between(path, from, below),
        _ => Predicate::None,
    };
    edges.windows(2).map(bucket).collect()
}

fn edge_to_json(edge: &Edge) -> Value {
    match edge {
        Edge::Number(number) => json!(number.to_string()),
        Edge::Instant(at) => json!([at.timestamp(), at.timestamp_subsec_nanos()]),
    }
}

fn edge_of_json(json: &Value) -> Option<Edge> {
    if let Some(number) = json.as_str() {
        return Decimal::parse(number).map(Edge::Number);
    }
    let [seconds, nanoseconds] = json.as_array()?.as_slice() else { return None };
    let nanoseconds = u32::try_from(nanoseconds.as_u64()?).ok()?;
    let instant: Option<DateTime<Utc>> = DateTime::from_timestamp(seconds.as_i64()?, nanoseconds);
    instant.map(Edge::Instant)
}

/// The numbers of predicates, by which servers that were asked the same know them. Equal ones have
/// one number, that of the first.
pub struct Numbers<'p> {
    predicates: Vec<&'p Predicate>,
    /// Hashes of the predicates, each with its number, in order.
    hashes: Vec<(u64, usize)>,
}

impl<'p> Numbers<'p> {
    pub fn of(predicates: Vec<&'p Predicate>) -> Result<Numbers<'p>> {
        let mut hashes = Vec::new();
        memory::reserve(&mut hashes, predicates.len())?;
        for (number, predicate) in predicates.iter().enumerate() {
            crate::interrupts::spend(64);
            hashes.push((hash(predicate), number));
        }
        hashes.sort_unstable();
        Ok(Numbers { predicates, hashes })
    }

    pub fn get(&self, predicate: &Predicate) -> Option<u64> {
        let wanted = hash(predicate);
        let start = self.hashes.partition_point(|(hash, _)| *hash < wanted);
        let same = self.hashes.get(start..)?.iter().take_while(|(hash, _)| *hash == wanted);
        let mut numbers = same.map(|(_, number)| *number);
        let number =
            numbers.find(|at| self.predicates.get(*at).is_some_and(|p| *p == predicate))?;
        u64::try_from(number).ok()
    }
}

/// A hash of all that a predicate says. Numbers in it have no `Hash`, so its text is taken.
fn hash(predicate: &Predicate) -> u64 {
    struct Text(DefaultHasher);
    impl Write for Text {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut text = Text(DefaultHasher::new());
    // A hasher takes whatever is written.
    let _ = write!(text, "{predicate:?}");
    text.0.finish()
}

// This runs in a server, as it asks for interrupts.
#[pgrx::pg_schema]
#[cfg(any(test, feature = "pg_test"))]
mod tests {
    use super::*;

    #[pgrx::pg_test]
    fn equal_predicates_have_one_number() {
        let edges: Vec<Edge> = (0..5).map(|n| Edge::Number(Decimal::from_i64(n))).collect();
        let (first, second) = (buckets("a", &edges), buckets("a", &edges));
        let numbers = Numbers::of(first.iter().chain(&second).collect()).unwrap();
        let found: Vec<_> = second.iter().map(|bucket| numbers.get(bucket)).collect();
        assert_eq!(found, [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(numbers.get(&Predicate::None), None);
    }

    #[pgrx::pg_test]
    fn what_is_asked_is_read_again() {
        let instant = Edge::Instant(DateTime::from_timestamp(-210_866_803_200, 1).unwrap());
        for edges in [
            vec![Edge::Number(Decimal::parse("-0.1").unwrap()), Edge::Number(Decimal::from_i64(7))],
            vec![instant.clone(), Edge::Instant(DateTime::UNIX_EPOCH)],
        ] {
            let (path, buckets) = ("a b.c", buckets("a b.c", &edges));
            let json = Asked::Between { path, edges: &edges, buckets: &buckets }.to_json().unwrap();
            let read = |_: &Value| Ok(Facets::default());
            let found = Asked::with_json(&json, read, |asked| {
                Ok(matches!(asked, Asked::Between { path: p, edges: e, buckets: b }
                    if *p == path && *e == edges && *b == buckets))
            });
            assert!(found.unwrap());
        }
        let names = Asked::Paths { prefix: "a.", only_names: true };
        for asked in [Asked::Ends { path: "a b" }, Asked::Values { path: "a b" }, names] {
            let (json, read) = (asked.to_json().unwrap(), |_: &Value| Ok(Facets::default()));
            let again = Asked::with_json(&json, read, |asked| Ok(asked.to_json()));
            assert_eq!(again.unwrap(), Some(json));
        }
        for json in [json!({}), json!({ "path": 1 }), json!({ "path": "a", "edges": [[1]] })] {
            assert!(Asked::with_json(&json, |_| Ok(Facets::default()), |_| Ok(())).is_err());
        }
    }
}
