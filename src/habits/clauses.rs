//! The clauses of a query as it was typed.

use super::lexer::{Kind, Token, joins, params_end, tokens};
use std::ops::Range;

/// Among how many clauses on each side of one an OR is looked for.
const MAX_JOINED: usize = 64;

/// A query as it was typed: its tokens and clauses.
pub struct Typed<'t> {
    pub text: &'t str,
    pub tokens: Vec<Token>,
    pub clauses: Vec<Clause>,
    /// Whether its writer knows Solr: it has local parameters, filters, comments or nested
    /// queries, which no other dialect has.
    pub is_expert: bool,
    /// Whether it has nothing but fields, values, ranges and boolean operators, as somebody writes
    /// who does not know more.
    pub is_plain: bool,
}

/// A clause. Numbers are those of tokens or of other clauses.
#[derive(Debug, Clone, Copy)]
pub struct Clause {
    /// The clause whose group this one is in.
    pub group: Option<usize>,
    /// The clause before it in its group.
    pub prev: Option<usize>,
    /// The clause behind it in its group.
    pub next: Option<usize>,
    /// The `AND` or `OR` before it.
    pub conjunction: Option<usize>,
    /// The `NOT`, `-`, `!` or `+` before it.
    pub modifier: Option<usize>,
    pub field: Option<usize>,
    /// The first token of what is looked for.
    pub value: usize,
    /// The last token of all.
    pub last: usize,
}

impl<'t> Typed<'t> {
    /// Reads a query. None if it is for another parser, to which none of the habits apply.
    pub fn read(text: &'t str) -> Option<Typed<'t>> {
        let mut from = 0;
        if text.starts_with("{!") {
            let params = text.get(..params_end(text)?)?;
            let is_lucene = params.starts_with("{!lucene") || !params.contains("type=");
            let names_parser = params.get(2..)?.starts_with(char::is_alphabetic)
                && !params.split([' ', '}']).next()?.contains('=');
            if !is_lucene || names_parser && !params.starts_with("{!lucene") {
                return None;
            }
            from = params.len();
        }
        let tokens = tokens(text, from);
        let has = |kinds: &[Kind]| tokens.iter().any(|token| kinds.contains(&token.kind));
        let is_expert = from > 0
            || has(&[Kind::Params])
            || text.starts_with("/*")
            || [" /*", "/**/", "_query_", "filter(", "^="].iter().any(|sign| text.contains(sign));
        let is_plain = !is_expert
            && !has(&[Kind::Plus, Kind::Suffix, Kind::Regexp])
            && !text.contains(['\\', '\t', '\n'])
            && !text.contains("**")
            && !text.contains("?*");
        let mut typed = Typed { text, tokens, clauses: Vec::new(), is_expert, is_plain };
        typed.find_clauses();
        Some(typed)
    }

    fn find_clauses(&mut self) {
        // For each open group: its clause, and the last clause in it.
        let mut open: Vec<(Option<usize>, Option<usize>)> = vec![(None, None)];
        let (mut conjunction, mut modifier) = (None, None);
        let mut at = 0;
        while let Some(token) = self.tokens.get(at).copied() {
            match token.kind {
                Kind::And | Kind::Or => conjunction = Some(at),
                Kind::Not | Kind::Plus => modifier = Some(at),
                Kind::Close => {
                    if open.len() > 1
                        && let Some((Some(group), _)) = open.pop()
                    {
                        at = self.suffixes(at);
                        self.clauses[group].last = at;
                    }
                    (conjunction, modifier) = (None, None);
                }
                Kind::Suffix => {}
                _ => {
                    let is = |at: usize, kind| self.tokens.get(at).is_some_and(|t| t.kind == kind);
                    let mut value = at;
                    let mut field = None;
                    if matches!(token.kind, Kind::Word) && is(at + 1, Kind::Colon) {
                        field = Some(at);
                        // A field without a value ends in its colon.
                        let follows = self.tokens.get(at + 2).is_some_and(|t| {
                            !matches!(t.kind, Kind::And | Kind::Or | Kind::Not | Kind::Close)
                        });
                        value = if follows { at + 2 } else { at + 1 };
                    }
                    let (group, prev) = open.last().copied().unwrap_or_default();
                    let number = self.clauses.len();
                    let opens = is(value, Kind::Open);
                    at = if opens { value } else { self.suffixes(value) };
                    self.clauses.push(Clause {
                        group,
                        prev,
                        next: None,
                        conjunction: conjunction.take(),
                        modifier: modifier.take(),
                        field,
                        value,
                        last: at,
                    });
                    if let Some(prev) = prev {
                        self.clauses[prev].next = Some(number);
                    }
                    if let Some(innermost) = open.last_mut() {
                        innermost.1 = Some(number);
                    }
                    if opens {
                        open.push((Some(number), None));
                    }
                }
            }
            at += 1;
        }
        // Groups that are never closed last to the end.
        let end = self.tokens.len().saturating_sub(1);
        for group in open.into_iter().filter_map(|(group, _)| group) {
            self.clauses[group].last = end;
        }
    }

    /// The last of the boosts and edits behind a token.
    fn suffixes(&self, at: usize) -> usize {
        let behind = self.tokens.iter().skip(at + 1);
        at + behind.take_while(|token| token.kind == Kind::Suffix).count()
    }

    pub fn clause(&self, number: usize) -> &Clause {
        &self.clauses[number]
    }

    pub fn kind(&self, token: usize) -> Option<Kind> {
        self.tokens.get(token).map(|token| token.kind)
    }

    /// The text of a token.
    pub fn token(&self, token: usize) -> &'t str {
        self.tokens.get(token).map_or("", |token| self.slice(token.start..token.end))
    }

    pub fn slice(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// Where a token stands.
    pub fn place(&self, token: usize) -> Range<usize> {
        self.tokens.get(token).map_or(0..0, |token| token.start..token.end)
    }

    /// Where a clause stands, with its field but without what is before that.
    pub fn span(&self, number: usize) -> Range<usize> {
        let clause = self.clause(number);
        let first = clause.field.unwrap_or(clause.value);
        self.place(first).start..self.place(clause.last).end
    }

    /// The same with its modifier.
    pub fn whole(&self, number: usize) -> Range<usize> {
        let span = self.span(number);
        let start = self.clause(number).modifier.map_or(span.start, |m| self.place(m).start);
        start..span.end
    }

    /// The text of what the clause looks for.
    pub fn value(&self, number: usize) -> &'t str {
        self.token(self.clause(number).value)
    }

    pub fn value_kind(&self, number: usize) -> Option<Kind> {
        self.kind(self.clause(number).value)
    }

    /// What closes the group of a clause.
    pub fn closing(&self, number: usize) -> Option<usize> {
        let clause = self.clause(number);
        let mut behind = (clause.value..=clause.last).rev();
        let last = behind.find(|&at| self.kind(at) != Some(Kind::Suffix))?;
        (self.kind(last) == Some(Kind::Close)).then_some(last)
    }

    /// Whether the clause is a word, with or without a field, and has no boost or edits.
    pub fn is_word(&self, number: usize) -> bool {
        let clause = self.clause(number);
        self.kind(clause.value) == Some(Kind::Word) && clause.last == clause.value
    }

    /// Whether the clause is a word alone.
    pub fn is_bare(&self, number: usize) -> bool {
        let clause = self.clause(number);
        self.is_word(number) && clause.field.is_none() && clause.modifier.is_none()
    }

    /// The field that holds for a clause: its own, or that of a group around it.
    pub fn field(&self, number: usize) -> Option<&'t str> {
        let mut at = Some(number);
        while let Some(clause) = at.map(|number| self.clause(number)) {
            if let Some(field) = clause.field {
                return Some(self.token(field));
            }
            // The clauses of an object are no values of its path.
            at = clause.group.filter(|&group| self.value(group) != "{");
        }
        None
    }

    /// `field:`, if the clause has one itself.
    pub fn prefix(&self, number: usize) -> String {
        self.clause(number).field.map_or(String::new(), |field| format!("{}:", self.token(field)))
    }

    /// Whether what stands from a clause to a place is joined with its neighbours by AND, and nothing
    /// near them by OR.
    pub fn is_conjunct(&self, number: usize, end: usize) -> bool {
        let is_and = |number: usize| {
            self.clause(number).conjunction.is_some_and(|at| self.kind(at) == Some(Kind::And))
        };
        let others = std::iter::successors(Some(number), |&at| self.clause(at).next);
        let next = others.skip(1).find(|&at| self.span(at).start >= end);
        let is_or = |number: usize| {
            self.clause(number).conjunction.is_some_and(|at| self.kind(at) == Some(Kind::Or))
                || self.is_bare(number) && joins(self.value(number)) == Some("OR")
        };
        // Among alternatives, what is negated would be taken away from all of them.
        let before = std::iter::successors(Some(number), |&at| self.clause(at).prev);
        let behind = std::iter::successors(next, |&at| self.clause(at).next);
        (self.clause(number).prev.is_none() || is_and(number))
            && next.is_none_or(is_and)
            && !before.take(MAX_JOINED).chain(behind.take(MAX_JOINED)).any(is_or)
    }

    /// The clauses of the group of a clause, or of the query.
    pub fn members(&self, group: Option<usize>) -> impl Iterator<Item = usize> {
        let first = match group {
            None => (!self.clauses.is_empty()).then_some(0),
            Some(group) => {
                self.clauses.get(group + 1).filter(|c| c.group == Some(group)).map(|_| group + 1)
            }
        };
        std::iter::successors(first, |&at| self.clause(at).next)
    }
}
