//! session_why: which clause of a query keeps documents out, and what there is near it.
//!
//! Every number is the count of a query, and every value is read as session_values reads it, so
//! this can show nothing that the caller could not ask for, whatever way the store is read.

mod at_path;
mod near;
mod readings;
mod session;

use super::catalog::{Operator, Store};
use super::facets::Target;
use super::search::StoreQuery;
use super::{facets, paths, query, select::Window};
use crate::error::{Error, Result};
use crate::executor::{self, Obstacle};
use crate::facet::value_to_json;
use crate::pg::spi::Spi;
use crate::syntax::{self, Ast, LeafQuery, Occur};
use serde_json::{Value, json};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;

/// How many clauses of a query are looked at.
const MAX_CLAUSES: usize = 100;
/// How many queries are counted. A clause that meets nothing takes about ten of them.
const MAX_COUNTS: usize = 1_000;
/// How many clauses of one group are tried in pairs.
const MAX_PAIRED: usize = 8;

/// Says which clauses of a query meet how many documents, and what is near those that meet none.
/// With `id`, says which clauses that session fails.
pub fn why(store: &str, text: &str, id: Option<&str>) -> Result<Value> {
    let search = StoreQuery::parse(text)?;
    let canonical = search.canonical()?;
    let bad = |error| Error::Query { what: "query", text: text.to_string(), error };
    let ast = syntax::parse(&canonical).map_err(bad)?;
    let asking = Asking::new(store);
    let way = asking.way()?;
    let mut answer = asking.clause(&ast, true, &[])?;
    answer["notices"] = json!(&*search.notices());
    for (key, value) in way {
        answer[key] = json!(value);
    }
    if let Some(id) = id {
        answer["session"] = session::session(&asking, id, &ast)?;
    }
    let cut = asking.cut.into_inner();
    if !cut.is_empty() {
        answer["cut"] = json!(cut);
    }
    Ok(answer)
}

/// A store that is asked again and again.
struct Asking<'a> {
    store: &'a str,
    paths: OnceCell<Vec<String>>,
    clauses: Cell<usize>,
    counts: Cell<usize>,
    /// What was left out, for the caller to know.
    cut: RefCell<BTreeSet<String>>,
}

impl<'a> Asking<'a> {
    fn new(store: &'a str) -> Asking<'a> {
        let (clauses, counts) = (Cell::new(0), Cell::new(0));
        Asking { store, paths: OnceCell::new(), clauses, counts, cut: RefCell::default() }
    }

    /// How the store is read: `way`, and the `reason` if the index is not.
    fn way(&self) -> Result<Vec<(&'static str, String)>> {
        Spi::connect(|spi| {
            let (store, operator) = (Store::find(spi, self.store)?, Operator::find()?);
            Ok(match executor::indexed_tables(store.table, operator.oid) {
                Ok(_) => vec![("way", "posting lists".to_string())],
                Err(Obstacle::Distributed) => vec![("way", "shards".to_string())],
                Err(obstacle) => {
                    vec![("way", "planner".to_string()), ("reason", obstacle.to_string())]
                }
            })
        })
    }

    fn cut(&self, what: String) {
        self.cut.borrow_mut().insert(what);
    }

    fn count(&self, query: &Ast) -> Result<i64> {
        crate::memory::check();
        self.counts.set(self.counts.get() + 1);
        query::count_quietly(self.store, &query.to_string())
    }

    /// Whether no more may be asked.
    fn is_spent(&self) -> bool {
        let is_spent = self.counts.get() >= MAX_COUNTS;
        if is_spent {
            self.cut(format!("after {MAX_COUNTS} counts nothing more was looked for"));
        }
        is_spent
    }

    /// The values at a path of the documents that match a query: the most frequent ones.
    fn values(&self, query: &Ast, path: &str, rows: i64) -> Result<Vec<Value>> {
        crate::memory::check();
        let (search, window) =
            (StoreQuery::parse(&query.to_string())?, Window::new(0, Some(rows))?);
        let found = facets::values_of(self.store, &search, path, None, "count desc", window)?;
        Ok(found.into_iter().map(|found| value_to_json(&found.value)).collect())
    }

    /// Does some work with the values of all documents.
    fn with_values<T>(&self, path: &str, work: &mut at_path::Work<'_, T>) -> Result<T> {
        let search = StoreQuery::parse("*:*")?;
        Spi::connect(|spi| {
            let (store, operator) = (Store::find(spi, self.store)?, Operator::find()?);
            let table = &store.source(spi, &search.predicate)?;
            let target = Target { spi, table, operator, search: &search };
            target.with_values(&crate::facet::Asked::Values { path }, work)
        })
    }

    /// The paths that the store's documents have, and perhaps some that only old ones had.
    fn paths(&self) -> Result<&[String]> {
        if self.paths.get().is_none() {
            let found = paths::names(self.store)?;
            return Ok(self.paths.get_or_init(|| found));
        }
        Ok(self.paths.get().map_or(&[], Vec::as_slice))
    }

    /// A clause with its count, and its clauses in turn. It stands within the braces of `objects`,
    /// the outermost first. What is near is looked for where it is wanted and meets nothing.
    fn clause(&self, ast: &Ast, is_wanted: bool, objects: &[&str]) -> Result<Value> {
        let ast = unwrapped(ast);
        if let Ast::Object { path, query } = ast {
            return self.clause(query, is_wanted, &[objects, &[path]].concat());
        }
        let whole = within(objects, ast.clone());
        let count = self.count(&whole)?;
        let mut answer = json!({ "clause": whole.to_string(), "count": count });
        let is_missed = count == 0 && is_wanted && !self.is_spent();
        let (key, found) = match ast {
            Ast::Boolean(clauses) => {
                answer["clauses"] = json!(self.clauses(clauses, is_wanted, objects)?);
                match is_missed {
                    true => ("excluding", self.excluding(clauses, objects)?),
                    false => return Ok(answer),
                }
            }
            Ast::Condition { path, query } if is_missed => {
                let path = path.as_deref().map(|path| [objects, &[path]].concat().join("."));
                match path.is_some() || objects.is_empty() {
                    true => ("near", near::near(self, path.as_deref(), query)?),
                    false => return Ok(answer),
                }
            }
            _ => return Ok(answer),
        };
        if !found.is_empty() {
            answer[key] = json!(found);
        }
        Ok(answer)
    }

    fn clauses(
        &self,
        clauses: &[(Occur, Ast)],
        is_wanted: bool,
        objects: &[&str],
    ) -> Result<Vec<Value>> {
        let mut answers = Vec::new();
        for (occur, clause) in clauses {
            self.clauses.set(self.clauses.get() + 1);
            if self.clauses.get() > MAX_CLAUSES {
                self.cut(format!("only the first {MAX_CLAUSES} clauses were looked at"));
                break;
            }
            if self.is_spent() {
                break;
            }
            let is_wanted = is_wanted && *occur != Occur::MustNot;
            let mut answer = self.clause(clause, is_wanted, objects)?;
            answer["occur"] = json!(match occur {
                Occur::Should => "optional",
                Occur::Must => "required",
                Occur::MustNot => "prohibited",
            });
            answers.push(answer);
        }
        Ok(answers)
    }

    /// The pairs of clauses that meet some documents each, but none together, and the prohibited
    /// clauses that leave nothing.
    fn excluding(&self, clauses: &[(Occur, Ast)], objects: &[&str]) -> Result<Vec<Value>> {
        let has = |wanted: Occur| clauses.iter().filter(move |(occur, _)| *occur == wanted);
        // One optional clause is as good as required where no other is (BooleanQuery).
        let is_needed = has(Occur::Must).count() == 0 && has(Occur::Should).count() == 1;
        let mut binding: Vec<(Occur, Ast)> = Vec::new();
        for (occur, clause) in clauses {
            match occur {
                Occur::Should if !is_needed => {}
                Occur::Should => binding.push((Occur::Must, clause.clone())),
                occur => binding.push((*occur, clause.clone())),
            }
        }
        if binding.len() > MAX_PAIRED {
            self.cut(format!("only the first {MAX_PAIRED} clauses of a group were tried in pairs"));
            binding.truncate(MAX_PAIRED);
        }
        let mut excluding = Vec::new();
        let mut meeting = Vec::new();
        for (occur, clause) in binding {
            let alone = Ast::Boolean(vec![(occur, clause.clone())]);
            let whole = within(objects, alone);
            if self.count(&whole)? > 0 {
                meeting.push((occur, clause));
            } else if occur == Occur::MustNot {
                // Every document meets what is prohibited.
                excluding.push(json!(whole.to_string()));
            }
        }
        for (at, first) in meeting.iter().enumerate() {
            for second in &meeting[at + 1..] {
                let pair = within(objects, Ast::Boolean(vec![first.clone(), second.clone()]));
                if !self.is_spent() && self.count(&pair)? == 0 {
                    excluding.push(json!(pair.to_string()));
                }
            }
        }
        Ok(excluding)
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

/// A clause within the braces of objects, the outermost first.
fn within(objects: &[&str], clause: Ast) -> Ast {
    let wrap = |query, path: &&str| Ast::Object { path: path.to_string(), query: Box::new(query) };
    objects.iter().rev().fold(clause, wrap)
}
