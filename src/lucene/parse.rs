//! Query text to syntax tree: limits first, then the grammar's pairs, clause by clause, as Solr's parser reads them.

use super::ast::{Ast, Bound, Form, Glob, Occur};
use super::error::{Error, ErrorKind};
use super::escape::unescape;
use super::local_params::LocalParams;
use super::regexp::Regexp;
use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;
use std::borrow::Cow;

#[derive(pest_derive::Parser)]
#[grammar = "lucene/grammar.pest"]
pub(super) struct LuceneParser;

/// Longest query, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Groups within groups, nested query strings' included.
pub const MAX_DEPTH: usize = 256;
/// Values, patterns and ranges in one query.
pub const MAX_LEAVES: usize = 1 << 14;
/// Query strings within query strings. Each is read anew, so that this bounds the time, too.
const MAX_NESTED_QUERIES: usize = 16;

/// Reads a query.
///
/// # Errors
/// [`ErrorKind::Syntax`] with the place, [`ErrorKind::Unsupported`] for what Solr knows and this does not, and
/// [`ErrorKind::TooComplex`] past [`MAX_BYTES`], [`MAX_DEPTH`] or [`MAX_LEAVES`].
pub fn parse(text: &str) -> Result<Ast, Error> {
    if text.len() > MAX_BYTES {
        return Err(too_long(format!("the query is longer than {MAX_BYTES} bytes")));
    }
    let ast = query(text, &Context::default())?.unwrap_or_else(Ast::nothing);
    if ast.leaf_count() > MAX_LEAVES {
        return Err(too_many_leaves());
    }
    Ok(ast)
}

fn too_long(message: String) -> Error {
    let hint = Some("Split it, or join with a table of the values.".into());
    Error { kind: ErrorKind::TooComplex, message, position: None, hint }
}

fn too_many_leaves() -> Error {
    too_long(format!("the query has more than {MAX_LEAVES} clauses"))
}

/// What holds for the clauses being read.
#[derive(Clone, Default)]
struct Context {
    /// The field written before a clause or around its group.
    field: Option<Field>,
    /// The local parameter `df`: where a clause without a field looks.
    default_field: Option<String>,
    /// The local parameter `q.op=AND`.
    all_required: bool,
    /// The local parameter `sow=true`: words in a row are clauses of their own.
    split_words: bool,
    depth: usize,
    nested_queries: usize,
}

#[derive(Clone)]
enum Field {
    /// `*:`
    Any,
    Path(String),
}

impl Context {
    /// The path that a clause without a field of its own looks at; none for any.
    fn path(&self) -> Option<String> {
        match &self.field {
            Some(Field::Any) => None,
            Some(Field::Path(path)) => Some(path.clone()),
            None => self.default_field.clone(),
        }
    }

    fn leaf(&self, form: Form) -> Option<Ast> {
        Some(Ast::Leaf { path: self.path(), form })
    }
}

/// A whole query string, which local parameters at its very start govern (Solr's `QParser.getParser`). None is a query
/// without clauses: as a whole it matches nothing, as a clause it is left out.
fn query(text: &str, context: &Context) -> Result<Option<Ast>, Error> {
    if !text.starts_with("{!") {
        return lucene(text, context);
    }
    let params = LocalParams::parse(text)?;
    let context = Context { nested_queries: context.nested_queries + 1, ..context.clone() };
    if context.nested_queries > MAX_NESTED_QUERIES {
        return Err(Error::too_complex(
            0,
            format!("more than {MAX_NESTED_QUERIES} query strings within each other"),
        ));
    }
    let value = params.get("v").unwrap_or(&text[params.length..]);
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
                field: None,
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

fn shift(mut error: Error, by: usize) -> Error {
    error.position = error.position.map(|position| position + by);
    error
}

fn equal(path: String, value: &str) -> Ast {
    Ast::Leaf { path: Some(path), form: Form::Equal(value.to_string()) }
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
    let (text, inserted) = escape_dangling_parameters(text, last_brace);
    let original = |mut error: Error| {
        error.position = error
            .position
            .map(|position| position - inserted.iter().filter(|&&at| at < position).count());
        error
    };
    let unclosed = check_depth(&text, context.depth).map_err(original)?;
    let pairs = LuceneParser::parse(Rule::query, &text).map_err(|error| {
        let error = syntax_error(&text, &error);
        original(match unclosed {
            Some(at) if error.position == Some(text.len()) => {
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

/// Behind the last closing brace `{!` cannot begin local parameters but only a range. Escaping its `!` says so to the
/// grammar, which would otherwise look for the brace from each of them to the end. Gives the places of the backslashes.
fn escape_dangling_parameters(text: &str, last_brace: usize) -> (Cow<'_, str>, Vec<usize>) {
    let (head, tail) = text.split_at(last_brace);
    let mut inserted = Vec::new();
    for (at, _) in tail.match_indices("{!") {
        inserted.push(last_brace + at + 1 + inserted.len());
    }
    if inserted.is_empty() {
        return (Cow::Borrowed(text), inserted);
    }
    (Cow::Owned(format!("{head}{}", tail.replace("{!", "{\\!"))), inserted)
}

/// Refuses what would nest too deeply, before the recursive rules see it, and what is certain to have too many clauses. Gives the place of the innermost parenthesis
/// that is never closed.
fn check_depth(text: &str, outer: usize) -> Result<Option<usize>, Error> {
    let mut open = Vec::new();
    let mut words = 0;
    let tokens = LuceneParser::parse(Rule::nesting, text)
        .map_err(|error| syntax_error(text, &error))?
        .flatten();
    for token in tokens {
        match token.as_rule() {
            Rule::open => open.push(token.as_span().end() - 1),
            Rule::close => drop(open.pop()),
            Rule::word => words += 1,
            _ => {}
        }
        // A clause takes four words at most: AND NOT field:value.
        if words > 4 * MAX_LEAVES {
            return Err(too_many_leaves());
        }
        if outer + open.len() > MAX_DEPTH {
            return Err(Error::too_complex(
                token.as_span().start(),
                format!("the query is nested more than {MAX_DEPTH} deep"),
            ));
        }
    }
    Ok(open.pop())
}

#[derive(Clone, Copy, PartialEq)]
enum Conjunction {
    And,
    Or,
}

/// A list of clauses; Solr's `SolrQueryParserBase.addClause` decides how each bears on the whole.
fn clauses(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, Error> {
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
    let words = pair.into_inner().map(|word| unescape(word.as_str(), word.as_span().start()));
    let words: Vec<String> = words.collect::<Result<_, Error>>()?;
    let values = match &context.field {
        Some(Field::Path(path)) if path == "_query_" && !context.split_words => {
            vec![words.join(" ")]
        }
        _ => words,
    };
    let mut any = Vec::new();
    for value in values {
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

/// A field, if there is one, and what is asked of it.
fn operand(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, Error> {
    let mut context = Cow::Borrowed(context);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::field => context.to_mut().field = Some(field(part)?),
            Rule::group => {
                context.to_mut().depth += 1;
                return boosted(part, |inner| clauses(inner, &context));
            }
            Rule::filter => {
                context.to_mut().depth += 1;
                return boosted(part, |inner| {
                    let query = clauses(inner, &context)?.unwrap_or_else(Ast::nothing);
                    Ok(Some(Ast::Filter(Box::new(query))))
                });
            }
            Rule::local_params => {
                return boosted(part, |inner| {
                    let at = inner.as_span().start();
                    query(inner.as_str(), &context).map_err(|error| shift(error, at))
                });
            }
            Rule::range => return range(part, &context),
            Rule::phrase | Rule::bare => return single(part, &context),
            _ => {}
        }
    }
    Ok(None)
}

fn field(pair: Pair<'_, Rule>) -> Result<Field, Error> {
    match pair.as_str() {
        "*" => Ok(Field::Any),
        name => unescape(name, pair.as_span().start()).map(Field::Path),
    }
}

/// Reads the first inner pair by `read`, and applies the boost behind it.
fn boosted<'a>(
    pair: Pair<'a, Rule>,
    read: impl FnOnce(Pair<'a, Rule>) -> Result<Option<Ast>, Error>,
) -> Result<Option<Ast>, Error> {
    let mut inner = pair.into_inner();
    let query = match inner.next() {
        Some(first) => read(first)?,
        None => None,
    };
    inner.try_fold(query, boost)
}

/// `^2` or `^=2` (Solr's `handleBoost`; Lucene's `BoostQuery` takes no negative number).
fn boost(query: Option<Ast>, pair: Pair<'_, Rule>) -> Result<Option<Ast>, Error> {
    let (Some(query), Rule::boost) = (&query, pair.as_rule()) else { return Ok(query) };
    let number = &pair.as_str()[1..];
    let (constant, digits) = match number.strip_prefix('=') {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    let by = digits.parse::<f32>().ok().filter(|by| by.is_finite() && by.is_sign_positive());
    let query = Box::new(query.clone());
    match by {
        Some(by) if constant => Ok(Some(Ast::Constant(query, by))),
        Some(by) => Ok(Some(Ast::Boost(query, by))),
        None => Err(Error::syntax(
            pair.as_span().start(),
            "a boost must be a finite number of 0 or more",
        )),
    }
}

fn range(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, Error> {
    let (mut bounds, mut inclusive, mut boosts) = (Vec::new(), Vec::new(), None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::opening | Rule::closing => inclusive.push(matches!(part.as_str(), "[" | "]")),
            Rule::bound => bounds.push(bound(part)?),
            Rule::boost => boosts = Some(part),
            _ => {}
        }
    }
    let mut ends = bounds.into_iter().zip(inclusive).map(|(text, inclusive)| match text {
        None => Bound::Open,
        Some(text) if inclusive => Bound::Inclusive(text),
        Some(text) => Bound::Exclusive(text),
    });
    let mut next_end = || ends.next().unwrap_or(Bound::Open);
    let form = match (next_end(), next_end()) {
        (Bound::Open, Bound::Open) => Form::Exists,
        (lower, upper) => Form::Range { lower, upper },
    };
    boosts.into_iter().try_fold(context.leaf(form), boost)
}

/// The text of a bound; none for an open one.
fn bound(pair: Pair<'_, Rule>) -> Result<Option<String>, Error> {
    let (text, at) = (pair.as_str(), pair.as_span().start());
    let is_quoted = pair.into_inner().any(|inner| inner.as_rule() == Rule::bound_quoted);
    match text {
        "*" => Ok(None),
        _ if is_quoted => unescape(&text[1..text.len() - 1], at + 1).map(Some),
        _ => unescape(text, at).map(Some),
    }
}

/// A single value or pattern (Solr's `handleBareTokenQuery` and `handleQuotedTerm`).
fn single(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, Error> {
    let parts: Vec<_> = pair.into_inner().collect();
    let fuzzy = parts.iter().find(|part| part.as_rule() == Rule::fuzzy);
    let Some(token) = parts.first() else { return Ok(None) };
    let (text, at) = (token.as_str(), token.as_span().start());
    let query = match token.as_rule() {
        Rule::any if matches!(context.field, None | Some(Field::Any)) => Some(Ast::All),
        Rule::any => context.leaf(Form::Exists),
        Rule::prefix => {
            let start = unescape(&text[..text.len() - 1], at)?;
            context.leaf(Form::Prefix(start))
        }
        Rule::wildcard => context.leaf(Form::Wildcard(globs(text))),
        Rule::regexp => {
            let regexp = Regexp::parse(&text[1..text.len() - 1], at + 1)?;
            context.leaf(Form::Regexp(regexp))
        }
        Rule::quoted => field_query(unescape(&text[1..text.len() - 1], at + 1)?, at, context)?,
        _ => {
            let value = unescape(text, at)?;
            match fuzzy {
                Some(fuzzy) => {
                    let edits = edits(fuzzy, value.chars().count())?;
                    context.leaf(Form::Fuzzy(value, edits))
                }
                None => field_query(value, at, context)?,
            }
        }
    };
    parts.into_iter().filter(|part| part.as_rule() == Rule::boost).try_fold(query, boost)
}

/// Equality, unless the field is one of Solr's magic ones (`SolrQueryParserBase.MagicFieldName`).
fn field_query(value: String, at: usize, context: &Context) -> Result<Option<Ast>, Error> {
    match &context.field {
        Some(Field::Path(path)) if path == "_query_" => {
            let nested = Context {
                field: None,
                default_field: None,
                all_required: false,
                split_words: false,
                nested_queries: context.nested_queries + 1,
                ..*context
            };
            if nested.nested_queries > MAX_NESTED_QUERIES {
                return Err(Error::too_complex(
                    at,
                    format!("more than {MAX_NESTED_QUERIES} query strings within each other"),
                ));
            }
            query(&value, &nested).map_err(|error| error.within("in the nested query", at))
        }
        Some(Field::Path(path)) if path == "_val_" => {
            Err(Error::unsupported(at, "function queries (_val_) are not supported"))
        }
        _ => Ok(context.leaf(Form::Equal(value))),
    }
}

/// A backslash makes the next character itself, and unlike elsewhere `\u` is no code (Lucene's `WildcardQuery`).
fn globs(text: &str) -> Vec<Glob> {
    let mut chars = text.chars();
    let mut globs = Vec::with_capacity(text.len());
    while let Some(c) = chars.next() {
        globs.push(match c {
            '*' => Glob::Any,
            '?' => Glob::One,
            '\\' => Glob::Char(chars.next().unwrap_or(c)),
            c => Glob::Char(c),
        });
    }
    globs
}

/// The number behind `~`, a count of edits or a similarity below 1 (Lucene's `FuzzyQuery.floatToEdits`).
fn edits(pair: &Pair<'_, Rule>, length: usize) -> Result<u8, Error> {
    let number = &pair.as_str()[1..];
    let number: f32 = if number.is_empty() { 2.0 } else { number.parse().unwrap_or(2.0) };
    // Beyond an integer's range Solr's check takes any number for a fraction (`handleBareTokenQuery`).
    if number >= 1.0 && number != (number as i32) as f32 {
        return Err(Error::syntax(pair.as_span().start(), "fractions of an edit are not possible")
            .with_hint("Write ~1 or ~2, or a similarity between 0 and 1."));
    }
    Ok(match number {
        n if n >= 1.0 => n.min(2.0) as u8,
        0.0 => 0,
        n => ((1.0 - f64::from(n)) * length as f64).min(2.0) as u8,
    })
}

/// What the grammar expected, in plain words.
pub(super) fn syntax_error(text: &str, error: &pest::error::Error<Rule>) -> Error {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rest = &text[at..];
    match rest.chars().next() {
        Some('"') => {
            return Error::syntax(at, "a quote that is never closed, or stands inside a value")
                .with_hint("Escape a quote inside a value with a backslash.");
        }
        Some('\\') if rest.len() == 1 => {
            return Error::syntax(at, "a backslash with nothing to escape")
                .with_hint("Write a backslash itself as \\\\.");
        }
        Some('/') => {
            return Error::syntax(at, "a regular expression that is never closed")
                .with_hint("Put a value that begins with a slash in quotes.");
        }
        _ => {}
    }
    let mut expected: Vec<&str> = Vec::new();
    if let ErrorVariant::ParsingError { positives, .. } = &error.variant {
        for words in positives.iter().filter_map(|rule| in_words(*rule)) {
            if !expected.contains(&words) {
                expected.push(words);
            }
        }
    }
    expected.sort_unstable();
    if rest.starts_with(')') && expected.contains(&"the end") {
        return Error::syntax(at, "a parenthesis that was never opened")
            .with_hint("Escape a parenthesis inside a value with a backslash.");
    }
    let found = match rest.split_whitespace().next().filter(|_| !rest.trim().is_empty()) {
        None => "the end".to_string(),
        Some(word) => {
            let end = word.char_indices().nth(20).map_or(word.len(), |(end, _)| end);
            match word.find(|c: char| !c.is_alphanumeric()) {
                Some(0) => {
                    format!("\"{}\"", &word[..word.chars().next().map_or(0, char::len_utf8)])
                }
                letters => format!("\"{}\"", &word[..end.min(letters.unwrap_or(end))]),
            }
        }
    };
    let message = match expected.split_last() {
        None => format!("unexpected {found}"),
        Some((last, [])) => format!("expected {last}, found {found}"),
        Some((last, others)) => format!("expected {} or {last}, found {found}", others.join(", ")),
    };
    let special = rest.starts_with([')', ']', '}', ':', '^', '~', '[', '{', '(', '+', '-', '!']);
    match special {
        true => Error::syntax(at, message).with_hint(
            "Put a value that holds special characters in quotes, or escape each with a backslash.",
        ),
        false => Error::syntax(at, message),
    }
}

fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::bound | Rule::bound_bare | Rule::bound_quoted => "a bound",
        Rule::to => "TO",
        Rule::closing => "\"]\" or \"}\"",
        Rule::number => "a number",
        Rule::sort_key | Rule::sort_path => "a path",
        Rule::ascending | Rule::descending => "asc or desc",
        Rule::boost
        | Rule::fuzzy
        | Rule::conjunction
        | Rule::modifier
        | Rule::and
        | Rule::or
        | Rule::required
        | Rule::prohibited => return None,
        Rule::EOI => "the end",
        _ => "a clause",
    })
}
