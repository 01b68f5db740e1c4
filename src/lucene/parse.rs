//! Query text to syntax tree: limits first, then the grammar's pairs, clause by clause, as Solr's parser reads them.

use super::ast::{Ast, Form, Occur};
use super::date_math::{self, Place};
use super::diagnosis::syntax_error;
use super::error::Error;
use super::escape::unescape;
use super::limits;
use super::local_params::LocalParams;
use super::operand::{field_query, operand};
use super::simple;
use pest::Parser;
use pest::iterators::Pair;

#[derive(pest_derive::Parser)]
#[grammar = "lucene/grammar.pest"]
pub(super) struct LuceneParser;

/// Reads a query.
///
/// # Errors
/// `Syntax` with the place, `Unsupported` for what Solr knows and this does not, and `TooComplex` past one of the limits.
pub fn parse(text: &str) -> Result<Ast, Error> {
    limits::check_length(text)?;
    let ast = simple::read(text).map_or_else(|| by_grammar(text), Ok)?;
    limits::check_leaves(&ast)?;
    Ok(ast)
}

pub(super) fn by_grammar(text: &str) -> Result<Ast, Error> {
    Ok(query(text, &Context::default())?.unwrap_or_else(Ast::nothing))
}

/// What holds for the clauses being read.
#[derive(Clone, Default)]
pub(super) struct Context {
    /// The field written before a clause or around its group.
    pub field: Option<Field>,
    /// The local parameter `df`: where a clause without a field looks.
    default_field: Option<String>,
    /// The local parameter `q.op=AND`.
    pub all_required: bool,
    /// The local parameter `sow=true`: words in a row are clauses of their own.
    pub split_words: bool,
    pub depth: usize,
    nested_queries: usize,
}

#[derive(Clone)]
pub(super) enum Field {
    /// `*:`
    Any,
    Path(String),
}

impl Context {
    /// For a query string within this one, which inherits none of its fields.
    pub fn nested(&self, at: usize) -> Result<Context, Error> {
        let nested_queries = limits::check_nested_queries(self.nested_queries + 1, at)?;
        Ok(Context { depth: self.depth, nested_queries, ..Context::default() })
    }

    /// The path that a clause without a field of its own looks at; none for any.
    fn path(&self) -> Option<String> {
        match &self.field {
            Some(Field::Any) => None,
            Some(Field::Path(path)) => Some(path.clone()),
            None => self.default_field.clone(),
        }
    }

    pub fn leaf(&self, form: Form) -> Option<Ast> {
        Some(Ast::Leaf { path: self.path(), form })
    }
}

/// A whole query string, which local parameters at its very start govern (Solr's `QParser.getParser`). None is a query
/// without clauses: as a whole it matches nothing, as a clause it is left out.
pub(super) fn query(text: &str, context: &Context) -> Result<Option<Ast>, Error> {
    if !text.starts_with("{!") {
        return lucene(text, context);
    }
    let params = LocalParams::parse(text)?;
    let context = context.nested(0)?;
    let value = params.get("v").or(text.get(params.length..)).unwrap_or_default();
    let field = || {
        params.get("f").filter(|f| !f.is_empty()).map(str::to_string).ok_or_else(|| {
            Error::syntax(0, "the local parameters name no field")
                .with_hint("Write it as {!term f=path}value.")
        })
    };
    match params.get("type").unwrap_or("lucene") {
        "lucene" => {
            if params.get("df").is_some_and(str::is_empty) {
                return Err(Error::syntax(0, "the default field (df) has no name"));
            }
            let inner = Context {
                default_field: params.get("df").map(str::to_string),
                all_required: params.get("q.op").is_some_and(|op| op.eq_ignore_ascii_case("and")),
                split_words: params.get("sow").is_some_and(|sow| sow == "true"),
                ..context
            };
            lucene(value, &inner).map_err(|error| match params.get("v") {
                Some(_) => error.within("in the parameter v", 0),
                None => shift(error, params.length),
            })
        }
        "term" => Ok(Some(equal(field()?, value))),
        "terms" => Ok(Some(terms(field()?, value, params.get("separator").unwrap_or(",")))),
        "prefix" => {
            let form =
                if value.is_empty() { Form::Exists } else { Form::Prefix(value.to_string()) };
            Ok(Some(Ast::Leaf { path: Some(field()?), form }))
        }
        other => {
            Err(Error::unsupported(0, format!("the query parser \"{other}\" is not supported"))
                .with_hint("Known are lucene, term, terms and prefix."))
        }
    }
}

pub(super) fn shift(mut error: Error, by: usize) -> Error {
    error.position = error.position.map(|position| position + by);
    error
}

/// A text that nothing is read into: what looks like bad date math is a text without edits.
fn equal(path: String, value: &str) -> Ast {
    let form = match date_math::is_bad(value, Place::Value) {
        true => Form::Fuzzy(value.to_string(), 0),
        false => Form::Equal(value.to_string()),
    };
    Ast::Leaf { path: Some(path), form }
}

/// `{!terms f=path}a,b`: any of the values (Solr's `TermsQParserPlugin`).
fn terms(path: String, values: &str, separator: &str) -> Ast {
    // White space as Java's `trim` and `\s` know it. Without a separator each character is a value, and so is the end.
    let mut values: Vec<&str> = match separator {
        " " => values
            .trim_matches(|c| c <= ' ')
            .split([' ', '\t', '\n', '\u{b}', '\u{c}', '\r'])
            .filter(|value| !value.is_empty())
            .collect(),
        _ if values.is_empty() => Vec::new(),
        "" => values.split("").skip(1).collect(),
        separator => values.split(separator).collect(),
    };
    match values.len() {
        0 => Ast::nothing(),
        1 => equal(path, values.remove(0)),
        _ => Ast::Boolean(
            values.iter().map(|value| (Occur::Should, equal(path.clone(), value))).collect(),
        ),
    }
}

/// A query in the standard parser's own syntax.
fn lucene(text: &str, context: &Context) -> Result<Option<Ast>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let last_brace = text.rfind('}').map_or(0, |at| at + 1);
    let (text, inserted) = limits::escape_dangling_parameters(text, last_brace);
    let original = |mut error: Error| {
        error.position = error
            .position
            .map(|position| position - inserted.iter().filter(|&&at| at < position).count());
        error
    };
    limits::check_depth(&text, context.depth).map_err(original)?;
    let pairs = LuceneParser::parse(Rule::query, &text).map_err(|error| {
        let error = syntax_error(&text, &error);
        original(match limits::unclosed(&text, context.depth) {
            Ok(Some(at)) if error.position == Some(text.len()) => {
                Error::syntax(at, "a parenthesis that is never closed")
                    .with_hint("Escape a parenthesis inside a value with a backslash.")
            }
            _ => error,
        })
    })?;
    match pairs.flatten().find(|pair| pair.as_rule() == Rule::clauses) {
        Some(found) => clauses(found, context).map_err(original),
        None => Ok(None),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Conjunction {
    And,
    Or,
}

/// A list of clauses; Solr's `SolrQueryParserBase.addClause` decides how each bears on the whole.
pub(super) fn clauses(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, Error> {
    let mut list: Vec<(Occur, Ast)> = Vec::new();
    for clause in pair.into_inner() {
        if clause.as_rule() == Rule::run {
            list.extend(run(clause, context)?);
            continue;
        }
        let (mut conjunction, mut modifier, mut query) = (None, None, None);
        for part in clause.into_inner() {
            match part.as_rule() {
                Rule::conjunction => {
                    let is_and = part.as_str().starts_with(['A', '&']);
                    conjunction = Some(if is_and { Conjunction::And } else { Conjunction::Or });
                }
                Rule::modifier => {
                    let is_required = part.as_str() == "+";
                    modifier = Some(if is_required { Occur::Must } else { Occur::MustNot });
                }
                _ => query = operand(part, context)?,
            }
        }
        if let Some((before, _)) = list.last_mut().filter(|(occur, _)| *occur != Occur::MustNot) {
            match conjunction {
                Some(Conjunction::And) => *before = Occur::Must,
                Some(Conjunction::Or) if context.all_required => *before = Occur::Should,
                _ => {}
            }
        }
        let Some(query) = query else { continue };
        let required = match context.all_required {
            true => conjunction != Some(Conjunction::Or),
            false => conjunction == Some(Conjunction::And),
        };
        let unmarked = if required { Occur::Must } else { Occur::Should };
        // With AND as the default operator "OR +a" leaves a optional: there the plus adds nothing.
        let occur = match modifier {
            Some(Occur::Must) if context.all_required => unmarked,
            Some(occur) => occur,
            None => unmarked,
        };
        list.push((occur, query));
    }
    Ok(match list.len() {
        0 => None,
        1 if list[0].0 == Occur::Should => list.pop().map(|(_, query)| query),
        _ => Some(Ast::Boolean(list)),
    })
}

/// Words in a row. Solr asks a field that is not tokenized for any of them, whatever the default operator is
/// (`SolrQueryParserBase.rawToNormal`), and reads them as one nested query string.
fn run(pair: Pair<'_, Rule>, context: &Context) -> Result<Vec<(Occur, Ast)>, Error> {
    let at = pair.as_span().start();
    let words = pair.into_inner().map(|word| {
        let at = word.as_span().start();
        unescape(word.as_str(), at).map(|word| (word, at))
    });
    let words: Vec<(String, usize)> = words.collect::<Result<_, Error>>()?;
    let values = match &context.field {
        Some(Field::Path(path)) if path == "_query_" && !context.split_words => {
            let words: Vec<String> = words.into_iter().map(|(word, _)| word).collect();
            vec![(words.join(" "), at)]
        }
        _ => words,
    };
    let mut any = Vec::new();
    for (value, at) in values {
        any.extend(field_query(value, at, context)?.map(|query| (Occur::Should, query)));
    }
    Ok(match context.all_required {
        false => any,
        true if any.len() < 2 || context.split_words => {
            any.into_iter().map(|(_, query)| (Occur::Must, query)).collect()
        }
        true => vec![(Occur::Must, Ast::Boolean(any))],
    })
}
