//! The values at a path as facets count them.

use super::{Version, done, insert, kept, make_table, with_jsonb, with_rows};
use crate::document::{Scalar, Scratch, instant};
use crate::executor::edges::Edge;
use crate::executor::index_values::with_index_values;
use crate::executor::value_span::Span;
use crate::executor::values::Group;
use crate::index::gin::Direction;
use crate::index::parse_cache;
use crate::matcher::Matcher;
use pgrx::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

type Counts = BTreeMap<Vec<u8>, u64>;

/// How many matches of a query have each value at a path, and an instant of each of three days.
fn counted(query: &str, path: &str, edges: &[Edge]) -> (Counts, Vec<u64>) {
    let predicate = done(parse_cache::parse_cached(query)).predicate.clone();
    let found = with_index_values(&[kept()], &predicate, &mut |source| {
        let (matches, mut counts) = (source.matches(), Counts::new());
        let span = Span::all(Direction::Ascending);
        source.each_value(path, &span, &matches, false, &mut |group: Group<'_>| {
            counts.insert(group.value.to_vec(), group.count);
            Ok(ControlFlow::Continue(()))
        })?;
        let tally = source.tally(path, &span, &matches)?;
        assert_eq!((tally.values, tally.distinct), (counts.values().sum(), counts.len() as u64));
        let days = source.counts_between(path, edges, &matches)?;
        Ok((counts, days))
    });
    done(found).unwrap_or_else(|| panic!("the table is small"))
}

#[pg_schema]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Documents of each version, alone and mixed, counted in each way.
    #[pg_test]
    fn executor_counts_values_of_each_version() {
        let document = |n: u32| {
            let (text, day) = (format!("{}.{}x", n % 40, n % 3), 1 + n % 3);
            let at = format!(
                "2024-01-0{day}T{:02}:00:00{}",
                n % 24,
                if n.is_multiple_of(5) { "+02:00" } else { "Z" }
            );
            json!({ "a": if n.is_multiple_of(7) { json!(n % 50) } else { json!(text) }, "at": at, "b": { "c": n % 2 } })
        };
        let edges = [1, 2, 3, 4].map(|day| {
            let text = format!("2024-01-0{day}T00:00:00Z");
            Edge::Instant(instant(&text).unwrap_or_default())
        });
        use Version::{This, V2, V3, V4};
        for versions in [&[This][..], &[V3, This], &[V2, This], &[V4, This], &[V3, V2, V4, This]] {
            for fastupdate in ["on", "off"] {
                make_table(fastupdate);
                let documents: Vec<Value> = (0..300).map(document).collect();
                for (document, version) in documents.iter().zip(versions.iter().cycle()) {
                    insert(document, *version);
                }
                for (query, path) in
                    ["*:*", "b.c:1", "a:[10 TO 30]"].into_iter().flat_map(|q| [(q, "a"), (q, "at")])
                {
                    let predicate = done(parse_cache::parse_cached(query)).predicate.clone();
                    let (matcher, mut scratch) = (Matcher::new(&predicate), Scratch::new());
                    let (mut expected, mut days) = (Counts::new(), vec![0; 3]);
                    for document in &documents {
                        with_jsonb(document, |doc| {
                            if !matcher.matches(doc) {
                                return;
                            }
                            doc.leaves_at(path, &mut |leaf| {
                                let Some(value) = leaf.scalar(&mut scratch) else { return };
                                *expected.entry(value.to_bytes()).or_default() += 1;
                                let at = match value {
                                    Scalar::String(text) => instant(text).map(Edge::Instant),
                                    _ => None,
                                };
                                let within = |at: &Edge| {
                                    edges.windows(2).position(|e| e[0] <= *at && *at < e[1])
                                };
                                if let Some(day) = at.as_ref().and_then(within) {
                                    days[day] += 1;
                                }
                            });
                        });
                    }
                    for time in 0..4 {
                        let found = with_rows(|| counted(query, path, &edges));
                        assert_eq!(
                            found,
                            (expected.clone(), days.clone()),
                            "{query} {path} {time}"
                        );
                    }
                }
            }
        }
    }
}
