//! Syntax tree to predicate: Solr's boolean rules, the reading of values, and the compiling of patterns.

use super::notices::{Notices, excerpt};
use super::value::{Limit, Value};
use super::{Fuzzy, Predicate, Test, Wildcard};
use crate::document::Decimal;
use crate::interrupts;
use crate::pattern::{CompiledRegexp, Glob, Regexp};
use crate::syntax::{Ast, Bound, LeafQuery, Occur, ParseError};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::rc::Rc;

/// What the patterns of one query may take when they are ready to match, in bytes.
const MAX_PATTERN_MEMORY: usize = 64 << 20;
/// Beyond this, wildcards are not given tables: they match all the same.
const MAX_TABLE_MEMORY: usize = 8 << 20;

/// A predicate, and what the user should be told about the query it was made of.
#[derive(Debug)]
pub struct Lowered {
    /// What the query means.
    pub predicate: Predicate,
    /// What the user should be told about the query.
    pub notices: Vec<String>,
}

/// Lowers a query; `now` is what `NOW` stands for.
///
/// # Errors
/// `TooComplex` where its patterns would take too much.
pub fn lower(ast: &Ast, now: DateTime<Utc>) -> Result<Lowered, ParseError> {
    let mut lowering = Lowering::new(now);
    let predicate = lowering.query(ast)?;
    Ok(Lowered { predicate, notices: lowering.notices.into_vec() })
}

/// Turns queries into predicates.
pub struct Lowering {
    now: DateTime<Utc>,
    notices: Notices,
    patterns: PatternCache,
}

/// The patterns of a query, each compiled once.
#[derive(Default)]
struct PatternCache {
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

    /// Whether there is room for something, before it is made.
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
        Lowering { now, notices: Notices::default(), patterns: PatternCache::default() }
    }

    /// A query as a whole: prohibited clauses alone match everything else (Solr's `QueryUtils.makeQueryable`).
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
            Ast::Condition { path, query } => Predicate::Condition {
                path: path.clone(),
                test: self.test(path.as_deref(), query)?,
            },
            Ast::Boolean(clauses) if is_negative(clauses) => {
                self.notices.add("groups of prohibited clauses", || {
                    let ast = excerpt(&ast.to_string());
                    format!(
                        "({ast}) matches nothing: in parentheses, prohibited clauses need something to take away \
                         from. Write (*:* {ast}) for everything else."
                    )
                });
                Predicate::None
            }
            Ast::Boolean(clauses) => self.boolean(clauses)?,
            Ast::Boost(inner, _) | Ast::Constant(inner, _) => self.clause(inner)?,
            // A filter is answered as a query of its own (Solr's `SolrIndexSearcher.getDocSet`), but rewritten first
            // (`FilterQuery.rewrite`), and Lucene's `BooleanQuery.rewrite` makes one prohibited clause alone match
            // nothing, but not several.
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

    /// Lucene's `BooleanQuery`: all required clauses, or else at least one optional one, and no prohibited one.
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

    /// Turns the query of one leaf into a test.
    pub fn test(&mut self, path: Option<&str>, query: &LeafQuery) -> Result<Test, ParseError> {
        Ok(match query {
            LeafQuery::Equal(text) => {
                if let Some(range) = compared_with(text) {
                    self.notices.add("comparisons", || comparison_notice(path, text, &range));
                }
                if text != "NOW" && text.eq_ignore_ascii_case("NOW") {
                    self.notices.add("words", || now_notice(path, text));
                }
                Test::Equal(Value::read(text, self.now))
            }
            LeafQuery::Prefix(text) => Test::Prefix(text.clone()),
            LeafQuery::Wildcard(pattern) => Test::Wildcard(self.patterns.wildcard(pattern)?),
            LeafQuery::Regexp(regexp) => Test::Regexp(self.patterns.regexp(regexp)?),
            LeafQuery::Fuzzy(text, edits) => Test::Fuzzy(self.patterns.fuzzy(text, *edits)?),
            LeafQuery::Range { lower, upper } => {
                Test::Range { lower: self.limit(lower), upper: self.limit(upper) }
            }
            LeafQuery::Exists => Test::Exists,
        })
    }

    fn limit(&self, bound: &Bound) -> Option<Limit> {
        let (text, inclusive) = match bound {
            Bound::Open => return None,
            Bound::Inclusive(text) => (text, true),
            Bound::Exclusive(text) => (text, false),
        };
        Some(Limit { value: Value::read(text, self.now), inclusive })
    }
}

fn is_negative(clauses: &[(Occur, Ast)]) -> bool {
    clauses.iter().all(|(occur, _)| *occur == Occur::MustNot)
}

/// `f:now` is a word, and may be meant as the time.
fn now_notice(path: Option<&str>, text: &str) -> String {
    let field = path.map_or(String::new(), |path| format!("{}:", excerpt(path)));
    format!(
        "{field}{text} looks for the text \"{text}\"; for the time of the query write {field}NOW."
    )
}

/// The range that a text means which looks like a comparison, such as `>5`.
fn compared_with(text: &str) -> Option<String> {
    let number = text.trim_start_matches(['<', '>', '=']);
    let operator = text.strip_suffix(number)?;
    // Most values have none.
    if operator.is_empty() {
        return None;
    }
    Decimal::parse(number)?;
    match operator {
        ">" => Some(format!("{{{number} TO *]")),
        ">=" => Some(format!("[{number} TO *]")),
        "<" => Some(format!("[* TO {number}}}")),
        "<=" => Some(format!("[* TO {number}]")),
        _ => None,
    }
}

/// `f:>5` looks like a comparison, but is none to Solr's standard parser.
fn comparison_notice(path: Option<&str>, text: &str, range: &str) -> String {
    let field = path.map_or(String::new(), |path| format!("{}:", excerpt(path)));
    let (text, range) = (excerpt(text), excerpt(range));
    format!("{field}{text} looks for the text \"{text}\"; to compare numbers write {field}{range}.")
}
