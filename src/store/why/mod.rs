//! session_why: which clause of a query keeps documents out, and what there is near it.
//!
//! Every number is the count of a query, and every value is read as session_values reads it, so
//! this can show nothing that the caller could not ask for, whatever way the store is read.

mod near;

use super::catalog::Store;
use super::search::StoreQuery;
use super::{facets, paths, query, select::Window};
use crate::error::Result;
use crate::facet::value_to_json;
use crate::pg::spi::Spi;
use crate::syntax::{self, Ast, LeafQuery, Occur};
use serde_json::{Value, json};
use std::cell::{Cell, OnceCell};

/// How many clauses of a query are looked at.
const MAX_CLAUSES: usize = 100;
/// How many required clauses of one group are tried in pairs.
const MAX_PAIRED: usize = 8;
/// How many values of a session are shown at a path.
const MAX_VALUES: i64 = 20;

/// Says which clauses of a query meet how many documents, and what is near those that meet none.
/// With `id`, says which clauses that session fails.
pub fn why(store: &str, text: &str, id: Option<&str>) -> Result<Value> {
    let search = StoreQuery::parse(text)?;
    let canonical = search.canonical()?;
    let bad = |error| crate::error::Error::Query { what: "query", text: text.to_string(), error };
    let ast = syntax::parse(&canonical).map_err(bad)?;
    let asking = Asking { store, paths: OnceCell::new(), clauses: Cell::new(0) };
    let mut answer = asking.clause(&ast, true)?;
    answer["notices"] = json!(&*search.notices());
    if asking.clauses.get() > MAX_CLAUSES {
        answer["cut"] = json!(format!("only the first {MAX_CLAUSES} clauses were looked at"));
    }
    if let Some(id) = id {
        let key = Spi::connect(|spi| Ok(Store::find(spi, store)?.key))?;
        let is_it = condition(&key, LeafQuery::Equal(id.to_string()));
        answer["session"] = asking.session(id, &is_it, &ast)?;
    }
    Ok(answer)
}

/// A store that is asked again and again.
struct Asking<'a> {
    store: &'a str,
    paths: OnceCell<Vec<String>>,
    clauses: Cell<usize>,
}

impl Asking<'_> {
    fn count(&self, query: &Ast) -> Result<i64> {
        crate::memory::check();
        query::count_quietly(self.store, &query.to_string())
    }

    /// The values at a path of the documents that match a query: the first ones, each with its count.
    fn values(&self, query: &Ast, path: &str, sort: &str, rows: i64) -> Result<Vec<(Value, u64)>> {
        crate::memory::check();
        let window = Window::new(0, Some(rows))?;
        let found = facets::values(self.store, &query.to_string(), path, None, sort, window)?;
        Ok(found.into_iter().map(|found| (value_to_json(&found.value), found.count)).collect())
    }

    /// The paths that the store's documents have.
    fn paths(&self) -> Result<&[String]> {
        if self.paths.get().is_none() {
            let found = paths::names(self.store)?;
            return Ok(self.paths.get_or_init(|| found));
        }
        Ok(self.paths.get().map_or(&[], Vec::as_slice))
    }

    /// A clause with its count, and its clauses in turn. What is near is looked for where a clause
    /// is wanted and meets nothing.
    fn clause(&self, ast: &Ast, is_wanted: bool) -> Result<Value> {
        let count = self.count(ast)?;
        let mut answer = json!({ "clause": ast.to_string(), "count": count });
        match unwrapped(ast) {
            Ast::Boolean(clauses) => {
                let mut inner = Vec::new();
                for (occur, clause) in clauses {
                    self.clauses.set(self.clauses.get() + 1);
                    if self.clauses.get() > MAX_CLAUSES {
                        break;
                    }
                    let is_wanted = is_wanted && *occur != Occur::MustNot;
                    let mut found = self.clause(clause, is_wanted)?;
                    found["occur"] = json!(match occur {
                        Occur::Should => "optional",
                        Occur::Must => "required",
                        Occur::MustNot => "prohibited",
                    });
                    inner.push(found);
                }
                if count == 0 && is_wanted {
                    let excluding = self.excluding(clauses)?;
                    if !excluding.is_empty() {
                        answer["excluding"] = json!(excluding);
                    }
                }
                answer["clauses"] = json!(inner);
            }
            Ast::Condition { path, query } if count == 0 && is_wanted => {
                let near = near::near(self, path.as_deref(), query)?;
                if !near.is_empty() {
                    answer["near"] = json!(near);
                }
            }
            _ => {}
        }
        Ok(answer)
    }

    /// The pairs of clauses that meet some documents each, but none together, and the prohibited
    /// clauses that leave nothing.
    fn excluding(&self, clauses: &[(Occur, Ast)]) -> Result<Vec<Value>> {
        let has = |wanted: Occur| clauses.iter().filter(move |(occur, _)| *occur == wanted);
        // One optional clause is as good as required where no other is (BooleanQuery).
        let is_needed = has(Occur::Must).count() == 0 && has(Occur::Should).count() == 1;
        let (mut binding, mut excluding) = (Vec::new(), Vec::new());
        for (occur, clause) in clauses {
            let occur = match occur {
                Occur::Should if is_needed => Occur::Must,
                Occur::Should => continue,
                occur => *occur,
            };
            let alone = Ast::Boolean(vec![(occur, clause.clone())]);
            if self.count(&alone)? == 0 {
                // A prohibited clause that every document meets.
                excluding.extend((occur == Occur::MustNot).then(|| json!(alone.to_string())));
            } else if binding.len() < MAX_PAIRED {
                binding.push((occur, clause.clone()));
            }
        }
        for (at, first) in binding.iter().enumerate() {
            for second in &binding[at + 1..] {
                let pair = Ast::Boolean(vec![first.clone(), second.clone()]);
                if self.count(&pair)? == 0 {
                    excluding.push(json!(pair.to_string()));
                }
            }
        }
        Ok(excluding)
    }

    /// Which clauses a session fails, and the values that it has there.
    fn session(&self, id: &str, is_it: &Ast, ast: &Ast) -> Result<Value> {
        let is_found = self.count(is_it)? > 0;
        let mut answer = json!({ "id": id, "found": is_found });
        if is_found {
            let matches = self.meets(is_it, ast)?;
            answer["matches"] = json!(matches);
            if !matches {
                let mut fails = Vec::new();
                self.fails(is_it, ast, true, &mut fails)?;
                answer["fails"] = json!(fails);
            }
        }
        Ok(answer)
    }

    fn meets(&self, is_it: &Ast, clause: &Ast) -> Result<bool> {
        let both = [is_it, clause].map(|clause| (Occur::Must, clause.clone()));
        Ok(self.count(&Ast::Boolean(both.to_vec()))? > 0)
    }

    /// Adds the conditions that are not as they have to be for the whole to be as `wanted`.
    fn fails(&self, is_it: &Ast, ast: &Ast, wanted: bool, fails: &mut Vec<Value>) -> Result<()> {
        if fails.len() >= MAX_CLAUSES || self.meets(is_it, ast)? == wanted {
            return Ok(());
        }
        match unwrapped(ast) {
            Ast::Boolean(clauses) => {
                for (occur, clause) in clauses {
                    self.fails(is_it, clause, wanted == (*occur != Occur::MustNot), fails)?;
                }
            }
            clause => {
                let mut found = json!({
                    "clause": clause.to_string(),
                    "why": if wanted { "the session does not meet it" } else { "the session meets it" },
                });
                if let Ast::Condition { path: Some(path), .. } = clause {
                    let values = self.values(is_it, path, "value asc", MAX_VALUES)?;
                    let values: Vec<Value> = values.into_iter().map(|(value, _)| value).collect();
                    found["values"] = json!(values);
                }
                fails.push(found);
            }
        }
        Ok(())
    }
}

/// The clause without what changes no match: boosts, constant scores and filters.
fn unwrapped(mut ast: &Ast) -> &Ast {
    while let Ast::Boost(inner, _) | Ast::Constant(inner, _) | Ast::Filter(inner) = ast {
        ast = inner;
    }
    ast
}

/// `path:query`
fn condition(path: &str, query: LeafQuery) -> Ast {
    Ast::Condition { path: Some(path.to_string()), query }
}
