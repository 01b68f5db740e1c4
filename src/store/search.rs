//! A query, and the SQL condition over `doc` for it.

use super::catalog::{Operator, Store};
use super::identity;
use super::table::Table;
use crate::document::Projection;
use crate::error::{self, Error, Result};
use crate::executor;
use crate::index::is_distributed;
use crate::index::parse_cache::{self, ParsedQuery};
use crate::pg::guc::{NO_JIT, with_gucs};
use crate::pg::spi::{Mode, Spi};
use crate::predicate::Predicate;
use crate::syntax::{self, SortKey};
use pgrx::datum::DatumWithOid;
use std::rc::Rc;

/// A parsed query.
pub struct StoreQuery(Rc<ParsedQuery>);

impl std::ops::Deref for StoreQuery {
    type Target = ParsedQuery;

    fn deref(&self) -> &ParsedQuery {
        &self.0
    }
}

impl StoreQuery {
    /// Parses a query. `NOW` is the start of the transaction.
    pub fn parse(query: &str) -> Result<StoreQuery> {
        parse_cache::parse_cached(query).map(StoreQuery)
    }

    /// Sends the notices about the query, for example that a clause matches nothing.
    pub fn notify(&self) {
        crate::index::tell(self);
    }

    /// The SQL condition for a table, with column `doc` and the first parameter.
    pub fn condition(&self, table: &Table, operator: Operator) -> Result<String> {
        Ok(match *self.predicate {
            Predicate::All => "true".to_string(),
            // Citus fails to plan some statements for no shard at all.
            Predicate::None if !is_distributed(table.oid) => "false".to_string(),
            _ if is_distributed(table.oid) => {
                format!("doc {} $1::pg_catalog.text::{}", operator.sql()?, operator.type_sql()?)
            }
            _ => format!("doc {} $1", operator.sql()?),
        })
    }

    /// The only id that a match in a table can have.
    fn only_id(&self, table: &Table) -> Option<&str> {
        identity::of_matches(&self.predicate, table.key.as_deref()?)
    }

    /// What stands before the condition, so that Citus asks only the shard in which a match can lie;
    /// else nothing. Its parameter comes to the others.
    pub fn choose_shard<'s>(
        &'s self,
        table: &Table,
        parameters: &mut Vec<DatumWithOid<'s>>,
    ) -> String {
        let Some(id) = self.only_id(table) else { return String::new() };
        parameters.push(id.into());
        format!("id OPERATOR(pg_catalog.=) ${} AND ", parameters.len())
    }

    /// The parameters of `condition`. Other servers have another `NOW`, so they are sent none; and
    /// Citus sends the values of its EXPLAIN only if it knows their type.
    pub fn parameters(&self, table: &Table, operator: Operator) -> Result<Vec<DatumWithOid<'_>>> {
        if is_distributed(table.oid) {
            return Ok(vec![self.at_now()?.into_owned().into()]);
        }
        let text = DatumWithOid::from(&*self.text);
        let datum = text.datum().map(|datum| datum.sans_lifetime());
        // SAFETY: a lucene_query is stored like text. The datum lives as long as the memory context
        // in which it was made, which is that of the function call.
        let query = |datum| unsafe { DatumWithOid::new(datum, operator.query_type) };
        Ok(vec![datum.map_or(text, query)])
    }
}

fn bad(what: &'static str, text: &str, error: syntax::ParseError) -> Error {
    Error::Query { what, text: text.to_string(), error }
}

/// Parses the sort order of a call. Without one, nothing is sorted.
pub fn parse_sort(sort: Option<&str>) -> Result<Vec<SortKey>> {
    let text = sort.unwrap_or_default();
    syntax::parse_sort(text).map_err(|error| bad("sort", text, error))
}

/// Parses the field list of a call. None if all fields are wanted.
pub fn parse_fields(fl: Option<&str>) -> Result<Option<Projection>> {
    let text = fl.unwrap_or_default();
    let paths = syntax::parse_fields(text).map_err(|error| bad("field list", text, error))?;
    Ok(paths.map(|paths| Projection::new(&paths)))
}

/// How many paths of a sort order are checked at most. Without an index, each takes a scan of the
/// table.
pub const NAMED: usize = 3;

/// Sends a notice for each path of a sort order that no document has. If `parts` is none, the
/// planner is asked, which sees only what the caller may see.
pub fn notify_sort(
    spi: &Spi,
    store: &Store,
    parts: Option<&[executor::IndexedTable]>,
    sort: &[SortKey],
) -> Result<()> {
    for key in sort.iter().take(NAMED) {
        let is_missing = match parts {
            Some(parts) => executor::lacks_path(parts, &key.path)?,
            None => {
                let table = store.name.table();
                // Citus fetches what such a subquery returns, and cannot if that has no column.
                let sql = format!(
                    "SELECT EXISTS (SELECT true FROM {table} LIMIT 1) \
                     AND NOT EXISTS (SELECT true FROM {table} \
                     WHERE session_store.sort_key(doc, $1, false) IS NOT NULL LIMIT 1)"
                );
                let rows = with_gucs(&[NO_JIT], || {
                    spi.run(Mode::Read, &sql, &[key.path.as_str().into()])
                })?;
                rows.get(0, 1).unwrap_or(false)
            }
        };
        if is_missing {
            notify_missing(&key.path);
        }
    }
    Ok(())
}

/// Sends the notice that no document has a path of a sort order.
pub fn notify_missing(path: &str) {
    error::notice(&missing(path));
}

/// The notice that no document has a path. It suggests what the caller may have meant.
fn missing(path: &str) -> String {
    let suffixed = |end: &str| path.strip_suffix(end);
    let meant = match (path.strip_prefix('-'), path.strip_prefix('+')) {
        (Some(path), _) => Some(format!("{path} desc")),
        (_, Some(path)) => Some(format!("{path} asc")),
        _ => suffixed(":desc")
            .map(|path| format!("{path} desc"))
            .or_else(|| suffixed(":asc").map(|path| format!("{path} asc"))),
    };
    let hint =
        meant.map_or(String::new(), |meant| format!("; a direction is written as in \"{meant}\""));
    format!("no document has a value at \"{path}\" to sort by{hint}")
}

/// The query as the text of a JSON path. It needs no store, and no time.
pub fn jsonpath(query: &str) -> Result<String> {
    let (_, lowered) = parse_cache::parse_at(query, 0)?;
    lowered
        .predicate
        .jsonpath()
        .map_err(|reason| Error::NotExpressible { reason: reason.to_string() })
}
