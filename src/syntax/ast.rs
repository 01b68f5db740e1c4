//! The syntax tree of a query, and its canonical query.

use super::escape::{write_bound, write_escaped, write_term, write_value};
use super::objects::write_in_braces;
use crate::pattern::{Glob, Regexp};
use std::fmt::{self, Display, Formatter, Write};

/// A query as Solr understands it. `AND`, `OR`, field groups, default fields and nested query
/// strings are resolved already: each clause has its occurrence, and each condition has its path.
#[derive(Debug, Clone, PartialEq)]
pub enum Ast {
    /// `*:*`
    All,
    /// `path:query`. Without a path the condition looks at all leaves of the document.
    Condition {
        /// The path; none for all leaves.
        path: Option<String>,
        /// What one of the leaves must be.
        query: LeafQuery,
    },
    /// `path:{query}`: one and the same object at the path matches the query, whose paths begin at
    /// the object.
    Object {
        /// The path of the object, or of the array that it is an element of.
        path: String,
        /// What the object must match.
        query: Box<Ast>,
    },
    /// Clauses, as in Lucene's `BooleanQuery`.
    Boolean(Vec<(Occur, Ast)>),
    /// `clause^2`
    Boost(Box<Ast>, f32),
    /// `clause^=2`
    Constant(Box<Ast>, f32),
    /// `filter(clause)`
    Filter(Box<Ast>),
}

/// What a leaf must be to match.
#[derive(Debug, Clone, PartialEq)]
pub enum LeafQuery {
    /// Equal to the text, as the type of the leaf reads it.
    Equal(String),
    /// A string that begins with the text.
    Prefix(String),
    /// A string that the whole pattern matches.
    Wildcard(Vec<Glob>),
    /// A string that the whole regular expression matches.
    Regexp(Regexp),
    /// A string within this number of edits: 0, 1 or 2.
    Fuzzy(String, u8),
    /// A value between two bounds.
    Range {
        /// The smallest value.
        lower: Bound,
        /// The largest value.
        upper: Bound,
    },
    /// Any value at all.
    Exists,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// `*`: no bound.
    Open,
    /// `[` or `]`: the bound itself is in the range.
    Inclusive(String),
    /// `{` or `}`: the bound itself is not in the range.
    Exclusive(String),
}

/// What a clause means for the match of its group (Lucene's `BooleanClause.Occur`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occur {
    /// Optional: one optional clause must match if no clause is required.
    Should,
    /// Required, `+`.
    Must,
    /// Prohibited, `-`.
    MustNot,
}

impl Ast {
    /// The query that matches no document. Solr's syntax has no word for it, so all documents are
    /// prohibited: `-*:*`.
    pub fn nothing() -> Ast {
        Ast::Boolean(vec![(Occur::MustNot, Ast::All)])
    }

    /// Writes the tree as one operand, in parentheses if it has several clauses.
    fn write_operand(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Ast::Boolean(_) => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }

    /// Writes the tree so that a boost can follow it, in parentheses if the boost would otherwise
    /// belong to a part of it.
    fn write_boostable(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Ast::Boolean(_) | Ast::Boost(..) | Ast::Constant(..) => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

/// The canonical form: `+`, `-` or nothing before each clause, the path before each leaf,
/// everything escaped. `parse(ast.to_string()) == ast`.
impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Ast::All => f.write_str("*:*"),
            Ast::Condition { path, query } => {
                match (path, query) {
                    (Some(path), _) => {
                        write_term(f, path)?;
                        f.write_char(':')?;
                    }
                    // A lone star would mean all documents, and so would "*:*".
                    (None, LeafQuery::Exists) => return f.write_str("*:[* TO *]"),
                    // Among the clauses of an object, the bare word is refused.
                    (None, LeafQuery::Equal(text)) if text == "TO" => return f.write_str("\\TO"),
                    (None, _) => {}
                }
                write!(f, "{query}")
            }
            Ast::Object { path, query } => {
                write_term(f, path)?;
                f.write_char(':')?;
                write_in_braces(f, query)
            }
            Ast::Boolean(clauses) => {
                for (at, (occur, clause)) in clauses.iter().enumerate() {
                    f.write_str(if at > 0 { " " } else { "" })?;
                    f.write_str(match occur {
                        Occur::Should => "",
                        Occur::Must => "+",
                        Occur::MustNot => "-",
                    })?;
                    clause.write_operand(f)?;
                }
                Ok(())
            }
            Ast::Boost(inner, by) => {
                inner.write_boostable(f)?;
                write!(f, "^{by}")
            }
            Ast::Constant(inner, score) => {
                inner.write_boostable(f)?;
                write!(f, "^={score}")
            }
            Ast::Filter(inner) => write!(f, "filter({inner})"),
        }
    }
}

impl Display for LeafQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            LeafQuery::Equal(value) => write_value(f, value),
            LeafQuery::Prefix(value) => {
                value.chars().try_for_each(|c| write_escaped(f, c))?;
                f.write_char('*')
            }
            LeafQuery::Wildcard(pattern) => pattern.iter().try_for_each(|glob| match glob {
                // In a pattern, `\u0000` would not be read as a code.
                Glob::Char('\0') => f.write_str("\\\0"),
                Glob::Char(c) => write_escaped(f, *c),
                Glob::One => f.write_char('?'),
                Glob::Any => f.write_char('*'),
            }),
            LeafQuery::Regexp(regexp) => write!(f, "/{}/", regexp.source()),
            LeafQuery::Fuzzy(value, edits) => {
                write_term(f, value)?;
                write!(f, "~{edits}")
            }
            LeafQuery::Range { lower, upper } => {
                f.write_char(if matches!(lower, Bound::Exclusive(_)) { '{' } else { '[' })?;
                write_range_end(f, lower)?;
                f.write_str(" TO ")?;
                write_range_end(f, upper)?;
                f.write_char(if matches!(upper, Bound::Exclusive(_)) { '}' } else { ']' })
            }
            LeafQuery::Exists => f.write_char('*'),
        }
    }
}

fn write_range_end(f: &mut Formatter<'_>, bound: &Bound) -> fmt::Result {
    match bound {
        Bound::Open => f.write_char('*'),
        Bound::Inclusive(value) | Bound::Exclusive(value) => write_bound(f, value),
    }
}
