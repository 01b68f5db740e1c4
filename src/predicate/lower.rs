//! Syntax tree to predicate: applies Solr's boolean rules, reads values, and compiles patterns.

use super::value::{Limit, Value};
use super::{Fuzzy, ObjectCondition, Predicate, Test, Wildcard};
use crate::habits::{Notices, excerpt};
use crate::interrupts;
use crate::pattern::{CompiledRegexp, Glob, Regexp};
use crate::syntax::{Ast, Bound, LeafQuery, Occur, ParseError};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::rc::Rc;

/// How much memory the compiled patterns of one query may take, in bytes: 64 MB.
const MAX_PATTERN_MEMORY: usize = 64 << 20;
/// Beyond this memory, in bytes (8 MB), wildcards get no DFA any more. They then match more slowly,
/// with the same result.
const MAX_TABLE_MEMORY: usize = 8 << 20;

/// A predicate, and what the user should be told about its query.
#[derive(Debug)]
pub struct Lowered {
    /// What the query means.
    pub predicate: Predicate,
    /// Hints at what the user may have meant instead.
    pub notices: Vec<String>,
}

/// Turns a syntax tree into a predicate. `now` is the time that `NOW` stands for.
///
/// # Errors
/// `TooComplex` if the patterns would take too much memory.
pub fn lower(ast: &Ast, now: DateTime<Utc>) -> Result<Lowered, ParseError> {
    let mut lowering = Lowering::new(now);
    let predicate = lowering.query(ast)?;
    Ok(Lowered { predicate, notices: lowering.notices.into_vec() })
}

/// Turns queries into predicates.
pub struct Lowering {
    /// The time that `NOW` stands for.
    now: DateTime<Utc>,
    notices: Notices,
    patterns: PatternCache,
    /// How many objects are around what is being read.
    objects: usize,
}

/// The compiled patterns of a query. A pattern that occurs again is compiled only once.
#[derive(Default)]
struct PatternCache {
    /// How many bytes they take.
    memory: usize,
    wildcards: HashMap<Vec<Glob>, Rc<Wildcard>>,
    regexps: HashMap<String, Rc<CompiledRegexp>>,
}

impl PatternCache {
    fn wildcard(&mut self, globs: &[Glob]) -> Result<Rc<Wildcard>, ParseError> {
        if let Some(known) = self.wildcards.get(globs) {
            return Ok(known.clone());
        }
        self.check(Wildcard::memory_without_dfa(globs))?;
        let wildcard = Rc::new(match self.memory {
            0..MAX_TABLE_MEMORY => Wildcard::new(globs.to_vec()),
            _ => Wildcard::without_dfa(globs.to_vec()),
        });
        self.reserve(wildcard.memory())?;
        self.wildcards.insert(globs.to_vec(), wildcard.clone());
        Ok(wildcard)
    }

    fn regexp(&mut self, regexp: &Regexp) -> Result<Rc<CompiledRegexp>, ParseError> {
        if let Some(known) = self.regexps.get(regexp.source()) {
            return Ok(known.clone());
        }
        let compiled = Rc::new(regexp.compile()?);
        self.reserve(compiled.memory())?;
        self.regexps.insert(regexp.source().to_string(), compiled.clone());
        Ok(compiled)
    }

    fn fuzzy(&mut self, text: &str, edits: u8) -> Result<Rc<Fuzzy>, ParseError> {
        let fuzzy = Fuzzy::new(text, edits);
        self.reserve(fuzzy.memory())?;
        Ok(Rc::new(fuzzy))
    }

    fn reserve(&mut self, memory: usize) -> Result<(), ParseError> {
        self.check(memory)?;
        self.memory += memory;
        Ok(())
    }

    /// Checks that there is room for a pattern, before it is compiled.
    fn check(&self, memory: usize) -> Result<(), ParseError> {
        if self.memory + memory > MAX_PATTERN_MEMORY {
            let megabytes = MAX_PATTERN_MEMORY >> 20;
            return Err(ParseError::too_large(format!(
                "the patterns of the query take more than {megabytes} MB"
            ))
            .with_hint("Use fewer or shorter patterns, or smaller repetition counts."));
        }
        Ok(())
    }
}

impl Lowering {
    /// Starts with the time that `NOW` stands for.
    pub fn new(now: DateTime<Utc>) -> Lowering {
        Lowering { now, notices: Notices::default(), patterns: PatternCache::default(), objects: 0 }
    }

    /// The predicate of a whole query. If all its clauses are prohibited, it matches all other
    /// documents (Solr's `QueryUtils.makeQueryable`).
    fn query(&mut self, ast: &Ast) -> Result<Predicate, ParseError> {
        match ast {
            Ast::Boolean(clauses) if is_negative(clauses) => self.none_of(clauses),
            _ => self.clause(ast),
        }
    }

    fn clause(&mut self, ast: &Ast) -> Result<Predicate, ParseError> {
        interrupts::spend(1);
        Ok(match ast {
            Ast::All => Predicate::All,
            Ast::Condition { path, query } => {
                Predicate::Condition { path: path.clone(), test: self.test(query)? }
            }
            // To the object, the clauses are a query of their own.
            Ast::Object { path, query } => {
                self.objects += 1;
                let inner = self.query(query)?;
                self.objects -= 1;
                match (inner, self.objects) {
                    (Predicate::None, _) => Predicate::None,
                    (inner, 0) => {
                        Predicate::Object(ObjectCondition::in_document(path.clone(), inner).into())
                    }
                    (inner, _) => {
                        Predicate::Object(ObjectCondition::in_object(path.clone(), inner).into())
                    }
                }
            }
            Ast::Boolean(clauses) if is_negative(clauses) => {
                self.notices.add("groups of prohibited clauses", || {
                    let ast = excerpt(&ast.to_string());
                    format!(
                        "({ast}) matches nothing: in parentheses, prohibited clauses need \
                         something to take away from. Write (*:* {ast}) for everything else."
                    )
                });
                Predicate::None
            }
            Ast::Boolean(clauses) => self.boolean(clauses)?,
            Ast::Boost(inner, _) | Ast::Constant(inner, _) => self.clause(inner)?,
            // Solr evaluates a filter as a query of its own (`SolrIndexSearcher.getDocSet`), in
            // which prohibited clauses alone match all other documents. But it rewrites the filter
            // first (`FilterQuery.rewrite`), and Lucene's `BooleanQuery.rewrite` makes a single
            // prohibited clause match nothing.
            Ast::Filter(inner) => match &**inner {
                Ast::Boolean(clauses) if is_negative(clauses) => {
                    let prohibited = self.clauses_with(clauses, Occur::MustNot)?;
                    match prohibited.iter().any(|part| *part != prohibited[0]) {
                        true => Predicate::any_of(prohibited).negate(),
                        false => self.clause(inner)?,
                    }
                }
                inner => self.clause(inner)?,
            },
        })
    }

    /// Lucene's `BooleanQuery`: all required clauses must match or, if there are none, at least one
    /// optional clause; and no prohibited clause may match.
    fn boolean(&mut self, clauses: &[(Occur, Ast)]) -> Result<Predicate, ParseError> {
        let required = self.clauses_with(clauses, Occur::Must)?;
        let chosen = match required.is_empty() {
            true => Predicate::any_of(self.clauses_with(clauses, Occur::Should)?),
            false => Predicate::all_of(required),
        };
        Ok(Predicate::all_of([chosen, self.none_of(clauses)?]))
    }

    fn none_of(&mut self, clauses: &[(Occur, Ast)]) -> Result<Predicate, ParseError> {
        Ok(Predicate::any_of(self.clauses_with(clauses, Occur::MustNot)?).negate())
    }

    fn clauses_with(
        &mut self,
        clauses: &[(Occur, Ast)],
        wanted: Occur,
    ) -> Result<Vec<Predicate>, ParseError> {
        clauses
            .iter()
            .filter(|(occur, _)| *occur == wanted)
            .map(|(_, clause)| self.clause(clause))
            .collect()
    }

    /// Turns what a query says of a leaf into a test.
    pub fn test(&mut self, query: &LeafQuery) -> Result<Test, ParseError> {
        Ok(match query {
            LeafQuery::Equal(text) => Test::Equal(Value::read(text, self.now)),
            LeafQuery::Prefix(text) => Test::Prefix(text.clone()),
            LeafQuery::Wildcard(pattern) => Test::Wildcard(self.patterns.wildcard(pattern)?),
            LeafQuery::Regexp(regexp) => Test::Regexp(self.patterns.regexp(regexp)?),
            LeafQuery::Fuzzy(text, edits) => Test::Fuzzy(self.patterns.fuzzy(text, *edits)?),
            LeafQuery::Range { lower, upper } => {
                let read = |bound, read: ReadValue| limit(bound, |text| read(text, self.now));
                let ends = [lower, upper].map(|bound| read(bound, Value::read));
                let is_date = |limit: &Limit| limit.value.instants.is_some();
                let [lower, upper] = match ends.iter().flatten().any(is_date) {
                    true => [lower, upper].map(|bound| read(bound, Value::read_beside_date)),
                    false => ends,
                };
                Test::Range { lower, upper }
            }
            LeafQuery::Exists => Test::Exists,
        })
    }
}

type ReadValue = fn(&str, DateTime<Utc>) -> Value;

fn limit(bound: &Bound, read: impl Fn(&str) -> Value) -> Option<Limit> {
    let (text, inclusive) = match bound {
        Bound::Open => return None,
        Bound::Inclusive(text) => (text, true),
        Bound::Exclusive(text) => (text, false),
    };
    Some(Limit { value: read(text), inclusive })
}

/// Whether all clauses are prohibited.
fn is_negative(clauses: &[(Occur, Ast)]) -> bool {
    clauses.iter().all(|(occur, _)| *occur == Occur::MustNot)
}
