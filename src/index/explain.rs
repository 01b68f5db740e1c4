//! What the index answers to a predicate, for `session_explain`.

use super::key;
use super::probe::LeafProbe;
use crate::predicate::{Limit, ObjectCondition, Predicate, Test, Visitor};
use crate::syntax::{Ast, Bound, LeafQuery};
use serde_json::{Value, json};

/// `{"clauses": [{"clause": …, "asks": …, "answer": …}], "scans": bool}`. For each clause: which
/// keys it asks the index for, and how exact the answer is. `scans` says whether the answer starts
/// from all documents, as it does for a query of prohibited clauses only.
pub fn explain(predicate: &Predicate) -> Value {
    let mut clauses = Clauses { list: Vec::new(), is_of_object: false };
    predicate.visit(&mut clauses);
    json!({ "clauses": clauses.list, "scans": predicate.holds_without_leaves() })
}

/// Collects the conditions in the order of the query, whether they are negated or not.
struct Clauses {
    list: Vec<Value>,
    /// Whether they are what a document must meet so that an object can.
    is_of_object: bool,
}

impl Visitor<'_> for Clauses {
    type Output = ();

    fn constant(&mut self, _: bool) {}

    fn condition(&mut self, path: Option<&str>, test: &Test) {
        let mut clause = clause(path, test);
        if self.is_of_object {
            clause["answer"] = json!("narrows: one object must meet all clauses in its braces");
        }
        self.list.push(clause);
    }

    fn object(&mut self, object: &ObjectCondition) {
        self.is_of_object = true;
        object.necessary.visit(self);
        self.is_of_object = false;
    }

    fn and(&mut self, parts: &[Predicate]) {
        parts.iter().for_each(|part| part.visit(self));
    }

    fn or(&mut self, parts: &[Predicate]) {
        parts.iter().for_each(|part| part.visit(self));
    }

    fn not(&mut self, part: &Predicate) {
        part.visit(self);
    }
}

fn clause(path: Option<&str>, test: &Test) -> Value {
    let probe = LeafProbe::new(test);
    let (points, ranges): (Vec<_>, Vec<_>) =
        probe.ranges.iter().partition(|range| range.point().is_some());
    let asks = match (path, test.is_existence()) {
        (Some(_), true) => "1 key, and those of the paths below".to_string(),
        (None, true) => "the keys of all paths".to_string(),
        (None, _) => "the values of all paths".to_string(),
        (Some(_), _) => {
            let count = |count: usize, what: &str| match count {
                0 => None,
                1 => Some(format!("1 {what}")),
                count => Some(format!("{count} {what}s")),
            };
            let parts = [count(points.len(), "key"), count(ranges.len(), "range")];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
    };
    let is_rechecked = probe.ranges.iter().any(|range| range.recheck) && !test.is_existence();
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

/// The condition as a query would write it.
fn describe(path: Option<&str>, test: &Test) -> String {
    let bound = |limit: &Option<Limit>| match limit {
        None => Bound::Open,
        Some(limit) if limit.inclusive => Bound::Inclusive(limit.value.text.clone()),
        Some(limit) => Bound::Exclusive(limit.value.text.clone()),
    };
    let query = match test {
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
    Ast::Condition { path: path.map(str::to_string), query }.to_string()
}
