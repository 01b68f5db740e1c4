//! What the text around a clause says about it: its field, the default operator, the limits that
//! are left.

use super::ast::{Ast, LeafQuery};
use super::limits::{self, Allowance};
use crate::parse_error::ParseError;
use std::rc::Rc;

/// What reads a query string.
pub(super) type ReadQuery = fn(&str, &Context) -> Result<Option<Ast>, ParseError>;

/// The readers of whole query strings. An operand or a local parameter may hold a query string,
/// and reads it by these: the files that read operands and parameters need not import their caller.
#[derive(Clone, Copy)]
pub(super) struct Readers {
    pub query: ReadQuery,
    pub lucene: ReadQuery,
}

/// What holds for the clauses being read.
#[derive(Clone)]
pub(super) struct Context {
    /// The field written before a clause or around its group.
    pub field: Option<Field>,
    /// The local parameter `df`: where a clause without a field looks.
    pub default_field: Option<String>,
    /// The local parameter `q.op=AND`.
    pub all_required: bool,
    /// The local parameter `sow=true`: words in a row are clauses of their own.
    pub split_words: bool,
    /// How many groups are around the clauses.
    pub depth: usize,
    nested_queries: usize,
    allowance: Rc<Allowance>,
    readers: Readers,
}

#[derive(Clone)]
pub(super) enum Field {
    /// `*:`
    Any,
    Path(String),
}

impl Context {
    /// For the whole query.
    pub fn new(readers: Readers) -> Context {
        Context {
            field: None,
            default_field: None,
            all_required: false,
            split_words: false,
            depth: 0,
            nested_queries: 0,
            allowance: Rc::default(),
            readers,
        }
    }

    /// Reads a query string that may begin with local parameters. None is a query without clauses.
    pub fn read_query(&self, text: &str) -> Result<Option<Ast>, ParseError> {
        (self.readers.query)(text, self)
    }

    /// Reads a query string in the standard parser's syntax. None is a query without clauses.
    pub fn read_lucene(&self, text: &str) -> Result<Option<Ast>, ParseError> {
        (self.readers.lucene)(text, self)
    }

    /// For a query string within this one, which inherits none of its fields.
    pub fn nested(&self, at: usize) -> Result<Context, ParseError> {
        let nested_queries = limits::check_nested_queries(self.nested_queries + 1, at)?;
        let allowance = self.allowance.clone();
        Ok(Context { depth: self.depth, nested_queries, allowance, ..Context::new(self.readers) })
    }

    /// The path that a clause without a field of its own looks at; none for any.
    fn path(&self) -> Option<String> {
        match &self.field {
            Some(Field::Any) => None,
            Some(Field::Path(path)) => Some(path.clone()),
            None => self.default_field.clone(),
        }
    }

    /// A condition at the path that holds for the clause.
    pub fn condition(&self, query: LeafQuery) -> Result<Option<Ast>, ParseError> {
        self.condition_at(self.path(), query)
    }

    /// A condition with a path of its own.
    pub fn condition_at(
        &self,
        path: Option<String>,
        query: LeafQuery,
    ) -> Result<Option<Ast>, ParseError> {
        self.allowance.take(path.as_deref())?;
        Ok(Some(Ast::Condition { path, query }))
    }

    /// `*:*`
    pub fn all(&self) -> Result<Option<Ast>, ParseError> {
        self.allowance.take(None)?;
        Ok(Some(Ast::All))
    }
}
