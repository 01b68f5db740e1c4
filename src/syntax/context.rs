//! What the text around a clause says about it: its field, the default operator, and how much of
//! the limits is left.

use super::ast::{Ast, LeafQuery};
use super::limits::{self, Allowance};
use super::objects::Braces;
use crate::parse_error::ParseError;
use std::rc::Rc;

/// A function that reads a query string. None is a query without clauses.
pub(super) type ReadQuery = fn(&str, &Context) -> Result<Option<Ast>, ParseError>;

/// The readers of whole query strings. An operand or a local parameter may hold a query string,
/// and reads it by these: the files that read operands and parameters need not import their caller.
#[derive(Clone, Copy)]
pub(super) struct Readers {
    pub query: ReadQuery,
    pub lucene: ReadQuery,
}

/// What holds for the clauses that are being read.
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
    /// How many query strings are around this one.
    nested_queries: usize,
    /// How many bytes the paths of the objects have whose clauses are being read, each with the dot
    /// behind it; none outside of objects.
    object_path: Option<usize>,
    /// What is known of the braces of the query.
    pub braces: Rc<Braces>,
    allowance: Rc<Allowance>,
    readers: Readers,
}

/// The field of a clause, as it is written.
#[derive(Clone)]
pub(super) enum Field {
    /// `*:`, which stands for all paths.
    Any,
    Path(String),
}

impl Context {
    /// The context of a whole query.
    pub fn new(readers: Readers, braces: Braces) -> Context {
        Context {
            field: None,
            default_field: None,
            all_required: false,
            split_words: false,
            depth: 0,
            nested_queries: 0,
            object_path: None,
            braces: braces.into(),
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

    /// The context of a query string within this one, which inherits neither field nor operator.
    pub fn nested(&self, at: usize) -> Result<Context, ParseError> {
        let nested_queries = limits::check_nested_queries(self.nested_queries + 1, at)?;
        Ok(Context { nested_queries, ..self.without_field() })
    }

    /// The context of a query string or an object's clauses within this one.
    fn without_field(&self) -> Context {
        let (field, default_field) = (None, None);
        let (all_required, split_words) = (false, false);
        Context { field, default_field, all_required, split_words, ..self.clone() }
    }

    /// The path of an object, and the context of its clauses. `at` is the position of the brace.
    pub fn object(&self, at: usize) -> Result<(String, Context), ParseError> {
        let path = match &self.field {
            Some(Field::Path(path)) if path != "_query_" && path != "_val_" => path,
            _ => {
                return Err(ParseError::syntax(
                    at,
                    "a brace without the path of an object before it",
                )
                .with_hint("Write it as path:{clauses}. A range looks like path:{a TO b}."));
            }
        };
        self.braces.has_object.set(true);
        self.take(Some(path))?;
        let object_path = Some(self.object_path.unwrap_or(0) + path.len() + 1);
        let (all_required, split_words) = (self.all_required, self.split_words);
        let context = Context { object_path, all_required, split_words, ..self.without_field() };
        Ok((path.clone(), context))
    }

    /// Whether the clauses are those of an object.
    pub fn is_in_object(&self) -> bool {
        self.object_path.is_some()
    }

    /// Takes a condition from what the query may have.
    fn take(&self, path: Option<&str>) -> Result<(), ParseError> {
        let bytes = self.object_path.unwrap_or(0) + path.map_or(0, str::len);
        limits::check_path_len(bytes)?;
        self.allowance.take(bytes)
    }

    /// The path that a clause looks at if it names no field itself; none for all paths.
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
        self.take(path.as_deref())?;
        Ok(Some(Ast::Condition { path, query }))
    }

    /// `*:*`, which counts as a condition too.
    pub fn all(&self) -> Result<Option<Ast>, ParseError> {
        self.take(None)?;
        Ok(Some(Ast::All))
    }
}
