//! Which clauses of a query one session fails, and the values that it has there.

use super::{Asking, MAX_CLAUSES, unwrapped};
use crate::document::{Jsonb, JsonbArg, Scratch};
use crate::error::Result;
use crate::facet::value_to_json;
use crate::pg::spi::{Mode, Spi};
use crate::store::catalog::Store;
use crate::store::search::StoreQuery;
use crate::syntax::{Ast, Occur};
use serde_json::{Value, json};

/// How many values of a session are shown at a path.
const MAX_VALUES: usize = 20;

/// Whether the store has this session and the session matches; if it does not match, the clauses
/// that it fails.
pub(super) fn session(asking: &Asking<'_>, id: &str, ast: &Ast) -> Result<Value> {
    Spi::connect(|spi| {
        let store = Store::find(spi, asking.store)?;
        let sql =
            format!("SELECT doc FROM {} WHERE id OPERATOR(pg_catalog.=) $1", store.name.table());
        let rows = spi.run(Mode::Read, &sql, &[id.into()])?;
        let Some(doc) = rows.get::<JsonbArg<'_>>(0, 1) else {
            return Ok(json!({ "id": id, "found": false }));
        };
        let session = Session { asking, doc: doc.document() };
        let matches = session.meets(ast)?;
        let mut answer = json!({ "id": id, "found": true, "matches": matches });
        if !matches {
            let mut fails = Vec::new();
            session.fails(ast, &mut fails)?;
            answer["fails"] = json!(fails);
        }
        Ok(answer)
    })
}

struct Session<'a> {
    asking: &'a Asking<'a>,
    doc: Jsonb<'a>,
}

impl Session<'_> {
    fn meets(&self, clause: &Ast) -> Result<bool> {
        crate::memory::check();
        Ok(StoreQuery::parse(&clause.to_string())?.matches(self.doc))
    }

    /// Adds the clauses because of which the session does not meet a clause: of a group, those that
    /// are required or prohibited, and the optional ones if none is required (BooleanQuery).
    fn fails(&self, ast: &Ast, fails: &mut Vec<Value>) -> Result<()> {
        let Ast::Boolean(clauses) = unwrapped(ast) else {
            fails.push(self.failed(ast, "the session does not meet it"));
            return Ok(());
        };
        let (before, has_required) =
            (fails.len(), clauses.iter().any(|(occur, _)| *occur == Occur::Must));
        for (occur, clause) in clauses {
            if fails.len() >= MAX_CLAUSES {
                self.asking
                    .cut(format!("only {MAX_CLAUSES} clauses that the session fails are named"));
                return Ok(());
            }
            match (occur, self.meets(clause)?) {
                (Occur::MustNot, true) => fails.push(self.failed(clause, "the session meets it")),
                (Occur::Must, false) => self.fails(clause, fails)?,
                (Occur::Should, false) if !has_required => self.fails(clause, fails)?,
                _ => {}
            }
        }
        if fails.len() == before {
            // A group that only prohibits finds nothing within another.
            fails.push(self.failed(ast, "the session does not meet it"));
        }
        Ok(())
    }

    fn failed(&self, clause: &Ast, why: &str) -> Value {
        let mut failed = json!({ "clause": unwrapped(clause).to_string(), "why": why });
        if let Ast::Condition { path: Some(path), .. } = unwrapped(clause) {
            let (mut values, mut scratch, mut count) = (Vec::new(), Scratch::new(), 0);
            self.doc.leaves_at(path, &mut |leaf| {
                count += 1;
                if values.len() < MAX_VALUES
                    && let Some(value) = leaf.scalar(&mut scratch)
                {
                    values.push(value_to_json(&value.to_bytes()));
                }
            });
            if count > values.len() {
                self.asking
                    .cut(format!("only {MAX_VALUES} values of the session are shown at {path}"));
            }
            failed["values"] = json!(values);
        }
        failed
    }
}
