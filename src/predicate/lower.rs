//! Syntax tree to predicate: Solr's boolean rules, and the reading of values.

use super::value::{Limit, Value};
use super::{Fuzzy, Predicate, Test, Wildcard};
use crate::document::Decimal;
use crate::lucene::{Ast, Bound, Form, Occur};
use chrono::{DateTime, Utc};

/// A predicate, and what the user should be told about the query it was made of.
#[derive(Debug)]
pub struct Lowered {
    pub predicate: Predicate,
    pub notices: Vec<String>,
}

/// Lowers a query; `now` is what `NOW` stands for.
pub fn lower(ast: &Ast, now: DateTime<Utc>) -> Lowered {
    let mut lowering = Lowering { now, notices: Vec::new() };
    let predicate = lowering.whole(ast);
    Lowered { predicate, notices: lowering.notices }
}

struct Lowering {
    now: DateTime<Utc>,
    notices: Vec<String>,
}

impl Lowering {
    /// A query as a whole: prohibited clauses alone match everything else (Solr's `QueryUtils.makeQueryable`).
    fn whole(&mut self, ast: &Ast) -> Predicate {
        match ast {
            Ast::Boolean(clauses) if is_negative(clauses) => self.none_of(clauses),
            _ => self.part(ast),
        }
    }

    fn part(&mut self, ast: &Ast) -> Predicate {
        match ast {
            Ast::All => Predicate::All,
            Ast::Leaf { path, form } => {
                Predicate::Leaf { path: path.clone(), test: self.test(path.as_deref(), form) }
            }
            Ast::Boolean(clauses) if is_negative(clauses) => {
                self.notices.push(format!(
                    "({ast}) matches nothing: in parentheses, prohibited clauses need something to take away from. \
                     Write (*:* {ast}) for everything else."
                ));
                Predicate::None
            }
            Ast::Boolean(clauses) => self.boolean(clauses),
            Ast::Boost(inner, _) | Ast::Constant(inner, _) => self.part(inner),
            // A filter is answered as a query of its own (Solr's `SolrIndexSearcher.getDocSet`), but rewritten first
            // (`FilterQuery.rewrite`), and Lucene's `BooleanQuery.rewrite` makes one prohibited clause alone match
            // nothing, but not several.
            Ast::Filter(inner) => match &**inner {
                Ast::Boolean(clauses) if is_negative(clauses) => {
                    let prohibited = self.of(clauses, Occur::MustNot);
                    match prohibited.iter().any(|part| *part != prohibited[0]) {
                        true => Predicate::any_of(prohibited).negate(),
                        false => self.part(inner),
                    }
                }
                inner => self.part(inner),
            },
        }
    }

    /// Lucene's `BooleanQuery`: all required clauses, or else at least one optional one, and no prohibited one.
    fn boolean(&mut self, clauses: &[(Occur, Ast)]) -> Predicate {
        let required = self.of(clauses, Occur::Must);
        let chosen = match required.is_empty() {
            true => Predicate::any_of(self.of(clauses, Occur::Should)),
            false => Predicate::all_of(required),
        };
        Predicate::all_of([chosen, self.none_of(clauses)])
    }

    fn none_of(&mut self, clauses: &[(Occur, Ast)]) -> Predicate {
        Predicate::any_of(self.of(clauses, Occur::MustNot)).negate()
    }

    fn of(&mut self, clauses: &[(Occur, Ast)], wanted: Occur) -> Vec<Predicate> {
        clauses
            .iter()
            .filter(|(occur, _)| *occur == wanted)
            .map(|(_, clause)| self.part(clause))
            .collect()
    }

    fn test(&mut self, path: Option<&str>, form: &Form) -> Test {
        match form {
            Form::Equal(text) => {
                self.notices.extend(comparison_notice(path, text));
                self.notices.extend(now_notice(path, text));
                Test::Equal(Value::read(text, self.now))
            }
            Form::Prefix(text) => Test::Prefix(text.clone()),
            Form::Wildcard(pattern) => Test::Wildcard(Box::new(Wildcard::new(pattern.clone()))),
            Form::Regexp(regexp) => Test::Regexp(regexp.clone()),
            Form::Fuzzy(text, edits) => Test::Fuzzy(Fuzzy::new(text, *edits)),
            Form::Range { lower, upper } => {
                Test::Range { lower: self.limit(lower), upper: self.limit(upper) }
            }
            Form::Exists => Test::Exists,
        }
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
fn now_notice(path: Option<&str>, text: &str) -> Option<String> {
    let is_word = text.eq_ignore_ascii_case("NOW") && text != "NOW";
    let field = path.map_or(String::new(), |path| format!("{path}:"));
    is_word.then(|| {
        format!("{field}{text} looks for the text \"{text}\"; for the time of the query write {field}NOW.")
    })
}

/// `f:>5` looks like a comparison, but is none to Solr's standard parser.
fn comparison_notice(path: Option<&str>, text: &str) -> Option<String> {
    let number = text.trim_start_matches(['<', '>', '=']);
    let operator = text.strip_suffix(number)?;
    // Most values have none.
    if operator.is_empty() {
        return None;
    }
    Decimal::parse(number)?;
    let range = match operator {
        ">" => format!("{{{number} TO *]"),
        ">=" => format!("[{number} TO *]"),
        "<" => format!("[* TO {number}}}"),
        "<=" => format!("[* TO {number}]"),
        _ => return None,
    };
    let field = path.map_or(String::new(), |path| format!("{path}:"));
    Some(format!(
        "{field}{text} looks for the text \"{text}\"; to compare numbers write {field}{range}."
    ))
}
