//! What the index answers of a predicate, for `session_explain`.

use super::key;
use super::probe::LeafProbe;
use crate::predicate::{Limit, Predicate, Test};
use crate::syntax::{Ast, Bound, LeafQuery};
use serde_json::{Value, json};

/// `{"clauses": [{"clause": …, "asks": …, "answer": …}], "scans": bool}`: for each clause what the index is asked for and how good its
/// answer is; and whether that of all documents it starts from, as for what is only prohibited.
pub fn explain(predicate: &Predicate) -> Value {
    let mut clauses = Vec::new();
    leaves(predicate, &mut |path, test| clauses.push(clause(path, test)));
    json!({ "clauses": clauses, "scans": holds_without_leaves(predicate) })
}

fn clause(path: Option<&str>, test: &Test) -> Value {
    let probe = LeafProbe::new(test);
    let (points, ranges): (Vec<_>, Vec<_>) =
        probe.ranges.iter().partition(|range| range.point().is_some());
    let asks = match (path, test) {
        (Some(_), Test::Exists) => "1 key, and those of the paths below".to_string(),
        (None, Test::Exists) => "the keys of all paths".to_string(),
        (None, _) => "the values of all paths".to_string(),
        (Some(_), _) => {
            let count = |count: usize, what: &str| match count {
                0 => None,
                1 => Some(format!("1 {what}")),
                count => Some(format!("{count} {what}s")),
            };
            let parts = [count(points.len(), "key"), count(ranges.len(), "interval")];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
    };
    let is_rechecked = probe.ranges.iter().any(|range| range.recheck) && *test != Test::Exists;
    let answer = match path {
        Some(path) if key::is_truncated_path(path) => {
            "narrows: the path is too long to be told from others".to_string()
        }
        _ if is_rechecked => {
            format!("exact, but narrows where a value has {} bytes or more", key::MAX_VALUE)
        }
        _ => "exact".to_string(),
    };
    json!({ "clause": describe(path, test), "asks": asks, "answer": answer })
}

/// Whether a document with nothing that is asked for may match.
fn holds_without_leaves(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::All => true,
        Predicate::None | Predicate::Condition { .. } => false,
        Predicate::And(parts) => parts.iter().all(holds_without_leaves),
        Predicate::Or(parts) => parts.iter().any(holds_without_leaves),
        Predicate::Not(part) => !holds_without_leaves(part),
    }
}

fn leaves(predicate: &Predicate, visit: &mut impl FnMut(Option<&str>, &Test)) {
    match predicate {
        Predicate::All | Predicate::None => {}
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| leaves(part, visit));
        }
        Predicate::Not(part) => leaves(part, visit),
        Predicate::Condition { path, test } => visit(path.as_deref(), test),
    }
}

/// The leaf as a query would write it.
fn describe(path: Option<&str>, test: &Test) -> String {
    let bound = |limit: &Option<Limit>| match limit {
        None => Bound::Open,
        Some(limit) if limit.inclusive => Bound::Inclusive(limit.value.text.clone()),
        Some(limit) => Bound::Exclusive(limit.value.text.clone()),
    };
    let form = match test {
        Test::Equal(value) => LeafQuery::Equal(value.text.clone()),
        Test::Range { lower, upper } => {
            LeafQuery::Range { lower: bound(lower), upper: bound(upper) }
        }
        Test::Prefix(start) => LeafQuery::Prefix(start.clone()),
        Test::Wildcard(wildcard) => LeafQuery::Wildcard(wildcard.globs().to_vec()),
        Test::Regexp(compiled) => LeafQuery::Regexp(compiled.regexp().clone()),
        Test::Fuzzy(fuzzy) => LeafQuery::Fuzzy(fuzzy.text().to_string(), fuzzy.edits()),
        Test::Exists => LeafQuery::Exists,
    };
    Ast::Leaf { path: path.map(str::to_string), form }.to_string()
}
