//! A query, and the SQL condition over `doc` that asks it.

use super::catalog::Operator;
use crate::error::{self, Error, Result};
use crate::index::prepared::{self, Understood};
use crate::lucene::{self, SortKey};
use crate::predicate::Predicate;
use pgrx::datum::DatumWithOid;
use std::rc::Rc;

/// A query, understood.
pub struct Search(Rc<Understood>);

impl std::ops::Deref for Search {
    type Target = Understood;

    fn deref(&self) -> &Understood {
        &self.0
    }
}

impl Search {
    /// Reads a query; `NOW` in it is the start of the transaction.
    pub fn parse(query: &str) -> Result<Search> {
        prepared::understand(query).map(Search)
    }

    /// Tells the caller what is odd about the query.
    pub fn notify(&self) {
        self.notices.iter().for_each(|notice| error::notice(notice));
    }

    /// The condition, over `doc` and the first parameter.
    pub fn condition(&self, operator: &Operator) -> String {
        match *self.predicate {
            Predicate::All => "true".to_string(),
            Predicate::None => "false".to_string(),
            _ => format!("doc OPERATOR({}.@@@) $1", operator.schema),
        }
    }

    /// The parameter of `condition`.
    pub fn parameters(&self, operator: &Operator) -> Vec<DatumWithOid<'_>> {
        let text = DatumWithOid::from(&*self.text);
        let datum = text.datum().map(|datum| datum.sans_lifetime());
        // SAFETY: a lucene_query is laid out as text is, and the datum lives as long as the memory it was made in, which is that of
        // the function call.
        vec![datum.map_or(text, |datum| unsafe { DatumWithOid::new(datum, operator.query_type) })]
    }
}

fn bad(what: &'static str, text: &str, error: lucene::Error) -> Error {
    Error::Query { what, text: text.to_string(), error }
}

/// Reads the sort order of a call; none sorts by nothing.
pub fn parse_sort(sort: Option<&str>) -> Result<Vec<SortKey>> {
    let text = sort.unwrap_or_default();
    lucene::parse_sort(text).map_err(|error| bad("sort", text, error))
}

/// The query as text of a JSON path, by itself: no store, no time.
pub fn jsonpath(query: &str) -> Result<String> {
    let (_, lowered) = prepared::read_at(query, 0)?;
    lowered
        .predicate
        .jsonpath()
        .map_err(|unsayable| Error::Unsayable { reason: unsayable.to_string() })
}
