//! What a GIN index of PostgreSQL's `jsonb_path_ops` answers of a predicate, for `session_explain`.

use super::{Limit, Predicate, Test};
use crate::lucene::{Ast, Bound, Form};
use serde_json::{Value, json};

impl Predicate {
    /// `{"narrows": […], "rechecks": […], "scans": bool}`: the clauses that the index finds candidates for, the clauses that
    /// are asked of each candidate, and whether every document is one.
    ///
    /// The index holds hashes of whole paths with their values: it knows equality alone, and its hits are rechecked.
    /// With `narrowed` false the index is not asked, although it could be.
    pub fn index_report(&self, narrowed: bool) -> Value {
        let (mut narrows, mut rechecks) = (Vec::new(), Vec::new());
        if narrowed {
            self.narrowing(&mut narrows);
        }
        self.leaves(&mut |path, test| rechecks.push(describe(path, test)));
        json!({ "narrows": narrows, "rechecks": rechecks, "scans": narrows.is_empty() })
    }

    /// Whether the index leaves only candidates to recheck, provided that there is a JSON path to ask it with.
    pub fn is_narrowed(&self) -> bool {
        self.narrowing(&mut Vec::new())
    }

    /// How many tests on leaves there are.
    pub fn leaf_count(&self) -> usize {
        let mut count = 0;
        self.leaves(&mut |_, _| count += 1);
        count
    }

    /// Collects the leaves that the index is asked for; false if any document could be a hit.
    fn narrowing(&self, leaves: &mut Vec<String>) -> bool {
        match self {
            Predicate::None => true,
            Predicate::All | Predicate::Not(_) => false,
            Predicate::And(parts) => {
                // Every part that narrows is asked, so none may be left out once one is found.
                let narrowing = parts.iter().filter(|part| part.narrowing(leaves)).count();
                narrowing > 0
            }
            Predicate::Or(parts) => {
                let before = leaves.len();
                let found = parts.iter().all(|part| part.narrowing(leaves));
                if !found {
                    leaves.truncate(before);
                }
                found
            }
            Predicate::Leaf { path, test } => {
                let is_equality = match test {
                    Test::Equal(_) => true,
                    Test::Fuzzy(fuzzy) => fuzzy.edits() == 0,
                    _ => false,
                };
                let found = path.is_some() && is_equality;
                if found {
                    leaves.push(describe(path.as_deref(), test));
                }
                found
            }
        }
    }

    fn leaves(&self, visit: &mut impl FnMut(Option<&str>, &Test)) {
        match self {
            Predicate::All | Predicate::None => {}
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().for_each(|part| part.leaves(visit));
            }
            Predicate::Not(part) => part.leaves(visit),
            Predicate::Leaf { path, test } => visit(path.as_deref(), test),
        }
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
        Test::Equal(value) => Form::Equal(value.text.clone()),
        Test::Range { lower, upper } => Form::Range { lower: bound(lower), upper: bound(upper) },
        Test::Prefix(start) => Form::Prefix(start.clone()),
        Test::Wildcard(wildcard) => Form::Wildcard(wildcard.globs().to_vec()),
        Test::Regexp(regexp) => Form::Regexp(regexp.clone()),
        Test::Fuzzy(fuzzy) => Form::Fuzzy(fuzzy.text().to_string(), fuzzy.edits()),
        Test::Exists => Form::Exists,
    };
    Ast::Leaf { path: path.map(str::to_string), form }.to_string()
}
