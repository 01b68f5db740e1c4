//! Query text to syntax tree, clause by clause, as Solr's parser reads them. Open groups are kept
//! on a stack in the heap: the thread's stack does not grow, however deep they are.

use super::ast::{Ast, Occur};
use super::context::{Context, Field, Readers};
use super::diagnosis::syntax_error;
use super::escape::unescape;
use super::grammar::{LuceneParser, Rule};
use super::limits;
use super::objects::Braces;
use super::operand::{GroupKind, Operand, boost, check_word, field_query, operand};
use super::parsers;
use super::simple;
use crate::interrupts;
use crate::parse_error::ParseError;
use pest::Parser;
use pest::iterators::Pair;

/// Reads a query.
///
/// # Errors
/// `Syntax` with the position of the error, `Unsupported` for what Solr has and session_store does
/// not have, and `TooComplex` beyond one of the limits.
pub fn parse(text: &str) -> Result<Ast, ParseError> {
    limits::check_length(text)?;
    simple::parse_simple(text).map_or_else(|| by_grammar(text), Ok)
}

/// What reads query strings within others.
const READERS: Readers = Readers { query, lucene };

/// Reads a query of any form.
pub(super) fn by_grammar(text: &str) -> Result<Ast, ParseError> {
    let read = |are_objects| {
        let context = Context::new(READERS, Braces { are_objects, ..Braces::default() });
        let found = query(text, &context).map(|found| found.unwrap_or_else(Ast::nothing));
        (found, context.braces)
    };
    // Doubtful ranges are ranges if the query is one of Solr's (objects.rs).
    let (found, braces) = read(false);
    match braces.has_doubtful.get() && (found.is_err() || braces.has_object.get()) {
        true => read(true).0,
        false => found,
    }
}

/// Reads a whole query string. Local parameters at its very start choose the parser (Solr's
/// `QParser.getParser`). None is a query without clauses: it matches nothing if it is the whole
/// query, and is left out if it is a clause.
fn query(text: &str, context: &Context) -> Result<Option<Ast>, ParseError> {
    match text.starts_with("{!") {
        true => parsers::query(text, context),
        false => lucene(text, context),
    }
}

/// Reads a query in the standard parser's syntax.
fn lucene(text: &str, context: &Context) -> Result<Option<Ast>, ParseError> {
    if text.is_empty() {
        return Ok(None);
    }
    let last_brace = text.rfind('}').map_or(0, |at| at + 1);
    let (text, inserted) = limits::escape_dangling_parameters(text, last_brace);
    ClauseReader { text: &text, at: 0, before: 0, outer: Vec::new() }.read(context.clone()).map_err(
        |mut error| {
            let original =
                |position| position - inserted.iter().filter(|&&at| at < position).count();
            error.position = error.position.map(original);
            error
        },
    )
}

#[derive(Clone, Copy, PartialEq)]
enum Conjunction {
    And,
    Or,
}

/// What stands before a clause.
#[derive(Clone, Copy, Default)]
struct Marks {
    conjunction: Option<Conjunction>,
    modifier: Option<Occur>,
}

/// The clauses of the query, or of a group in it, as far as they were read.
struct ClauseGroup {
    context: Context,
    list: Vec<(Occur, Ast)>,
    /// What stands before the group itself.
    marks: Marks,
    /// The position of its opening parenthesis or brace.
    opened: usize,
    kind: GroupKind,
}

/// Reads the clauses of one query string.
struct ClauseReader<'a> {
    text: &'a str,
    /// The text is read up to here.
    at: usize,
    /// Where the last step began.
    before: usize,
    /// The groups around the innermost open one.
    outer: Vec<ClauseGroup>,
}

impl<'a> ClauseReader<'a> {
    fn read(mut self, context: Context) -> Result<Option<Ast>, ParseError> {
        let (marks, kind) = (Marks::default(), GroupKind::Plain);
        let mut group = ClauseGroup { context, list: Vec::new(), marks, opened: 0, kind };
        let mut rule = Rule::first;
        loop {
            let start = self.at;
            let here = |error: ParseError| error.shifted_by(start);
            let Some(step) = self.step(rule, &group)? else { return Ok(group.query()) };
            match step.as_rule() {
                Rule::EOI => return Ok(group.query()),
                Rule::close | Rule::close_object => {
                    let Some(outer) = self.outer.pop() else { return Ok(group.query()) };
                    let inner = std::mem::replace(&mut group, outer);
                    let marks = inner.marks;
                    let query = step.into_inner().try_fold(inner.operand(), boost);
                    group.add(marks, query.map_err(here)?);
                }
                Rule::run => {
                    let words = self.run(step, start, &group.context)?;
                    group.add_run(words, start)?;
                }
                _ => match clause(step, &group.context).map_err(here)? {
                    (marks, Operand::Query(query)) => group.add(marks, query),
                    (marks, Operand::Opens { context, kind, at }) => {
                        let opened = start + at;
                        // What opened may have been read as a range first.
                        self.at = opened + 1;
                        let mut context = context;
                        context.depth = limits::deeper(context.depth, opened)?;
                        let inner = ClauseGroup { context, list: Vec::new(), marks, opened, kind };
                        self.outer.push(std::mem::replace(&mut group, inner));
                        rule = Rule::first;
                        continue;
                    }
                },
            }
            rule = match group.kind {
                GroupKind::Object(_) => Rule::inside_object,
                _ if self.outer.is_empty() => Rule::next,
                GroupKind::Plain | GroupKind::Filter => Rule::inside,
            };
        }
    }

    /// Reads the next part of the text by one rule of the grammar.
    fn step(
        &mut self,
        rule: Rule,
        group: &ClauseGroup,
    ) -> Result<Option<Pair<'a, Rule>>, ParseError> {
        interrupts::check();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut steps = LuceneParser::parse(rule, rest)
            .map_err(|error| self.explain_mismatch(rule, &error, rest, group))?;
        let step = steps.next();
        self.before = self.at;
        self.at += step.as_ref().map_or(0, |step| step.as_span().end());
        Ok(step)
    }

    /// The error to report where a rule does not match.
    fn explain_mismatch(
        &self,
        rule: Rule,
        error: &pest::error::Error<Rule>,
        rest: &str,
        group: &ClauseGroup,
    ) -> ParseError {
        let mut error = syntax_error(rest, error).shifted_by(self.at);
        let again = match group.kind {
            GroupKind::Object(_) => Rule::again_inside_object,
            _ if self.outer.is_empty() => Rule::again_next,
            GroupKind::Plain | GroupKind::Filter => Rule::again_inside,
        };
        let rest = self.text.get(self.before..).unwrap_or_default();
        if rule != Rule::first
            && let Err(better) = LuceneParser::parse(again, rest)
        {
            let better = syntax_error(rest, &better).shifted_by(self.before);
            if better.position > error.position {
                error = better;
            }
        }
        if self.outer.is_empty() || error.position != Some(self.text.len()) {
            return error;
        }
        match group.kind {
            GroupKind::Object(_) => {
                ParseError::syntax(group.opened, "a brace that is never closed")
                    .with_hint("Write path:{clauses}, or a range such as path:{a TO b}.")
            }
            GroupKind::Plain | GroupKind::Filter => {
                ParseError::syntax(group.opened, "a parenthesis that is never closed")
                    .with_hint("Escape a parenthesis inside a value with a backslash.")
            }
        }
    }

    /// Words in a row, of which `first` is the first.
    fn run(
        &mut self,
        first: Pair<'_, Rule>,
        start: usize,
        context: &Context,
    ) -> Result<Vec<(String, usize)>, ParseError> {
        let mut words = Vec::new();
        let mut word = first.into_inner().next().map(|word| (word, start));
        while let Some((found, start)) = word {
            limits::check_words(words.len())?;
            let at = start + found.as_span().start();
            check_word(found.as_str(), at, context)?;
            words.push((unescape(found.as_str(), at)?, at));
            let behind = self.at;
            interrupts::check();
            let rest = self.text.get(behind..).unwrap_or_default();
            // This rule matches any text, so that an error cannot occur.
            word = LuceneParser::parse(Rule::more, rest)
                .ok()
                .and_then(|mut words| words.next())
                .map(|word| (word, behind));
            self.at += word.as_ref().map_or(0, |(word, _)| word.as_span().end());
        }
        Ok(words)
    }
}

/// What stands before a clause, and its operand.
fn clause(pair: Pair<'_, Rule>, context: &Context) -> Result<(Marks, Operand), ParseError> {
    let (mut marks, mut found) = (Marks::default(), Operand::Query(None));
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::conjunction => {
                let is_and = part.as_str().starts_with(['A', '&']);
                marks.conjunction = Some(if is_and { Conjunction::And } else { Conjunction::Or });
            }
            Rule::modifier => {
                let is_required = part.as_str() == "+";
                marks.modifier = Some(if is_required { Occur::Must } else { Occur::MustNot });
            }
            _ => found = operand(part, context)?,
        }
    }
    Ok((marks, found))
}

impl ClauseGroup {
    /// Adds a clause, with the occurrence that Solr's `SolrQueryParserBase.addClause` gives it.
    fn add(&mut self, Marks { conjunction, modifier }: Marks, query: Option<Ast>) {
        let all_required = self.context.all_required;
        let before = self.list.last_mut().filter(|(occur, _)| *occur != Occur::MustNot);
        if let Some((before, _)) = before {
            match conjunction {
                Some(Conjunction::And) => *before = Occur::Must,
                Some(Conjunction::Or) if all_required => *before = Occur::Should,
                _ => {}
            }
        }
        let Some(query) = query else { return };
        let required = match all_required {
            true => conjunction != Some(Conjunction::Or),
            false => conjunction == Some(Conjunction::And),
        };
        let unmarked = if required { Occur::Must } else { Occur::Should };
        // With AND as the default operator, `a` stays optional in "OR +a": the plus has no effect.
        let occur = match modifier {
            Some(Occur::Must) if all_required => unmarked,
            Some(occur) => occur,
            None => unmarked,
        };
        self.list.push((occur, query));
    }

    /// Adds words in a row, each with its position. In a field that is not tokenized Solr searches
    /// for any of them, whatever the default operator is (`SolrQueryParserBase.rawToNormal`). It
    /// reads the words behind `_query_:` as one nested query string.
    fn add_run(&mut self, words: Vec<(String, usize)>, at: usize) -> Result<(), ParseError> {
        let context = &self.context;
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
        match context.all_required {
            false => self.list.extend(any),
            true if any.len() < 2 || context.split_words => {
                self.list.extend(any.into_iter().map(|(_, query)| (Occur::Must, query)));
            }
            true => self.list.push((Occur::Must, Ast::Boolean(any))),
        }
        Ok(())
    }

    /// The clauses as one query; none if there are no clauses.
    fn query(mut self) -> Option<Ast> {
        match self.list.len() {
            0 => None,
            1 if matches!(self.list[..], [(Occur::Should, _)]) => {
                self.list.pop().map(|(_, query)| query)
            }
            _ => Some(Ast::Boolean(self.list)),
        }
    }

    /// The group as an operand of the one around it.
    fn operand(mut self) -> Option<Ast> {
        match std::mem::replace(&mut self.kind, GroupKind::Plain) {
            GroupKind::Filter => Some(Ast::Filter(Box::new(self.query_or_nothing()))),
            GroupKind::Object(path) => {
                Some(Ast::Object { path, query: Box::new(self.query_or_nothing()) })
            }
            GroupKind::Plain => self.query(),
        }
    }

    fn query_or_nothing(self) -> Ast {
        self.query().unwrap_or_else(Ast::nothing)
    }
}
