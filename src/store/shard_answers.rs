//! What the shards of a distributed table answer to one statement, which Citus sends to all of them or
//! to the one in which a match can lie. See shard_page.rs for what each answers.

use super::matches::Matches;
use super::select::DISTRIBUTED;
use super::shard_page::{self, HEAD, Span, Spans};
use super::shard_window::Listed;
use crate::error::{Error, Result};
use crate::pg::guc::with_gucs;
use crate::pg::spi::{Mode, Rows};
use crate::syntax::SortKey;
use pgrx::Array;
use serde_json::json;

/// The answers, which have to live as long as what is read from them.
pub struct Answers<'r>(Vec<Array<'r, &'r str>>);

impl<'r> Answers<'r> {
    /// Asks for spans of the matches, or for those at some places. `bytes`: of how many documents' bytes
    /// a shard sends the documents themselves.
    pub fn ask(
        matches: &Matches<'r>,
        fl: Option<&str>,
        spans: &Spans,
        bytes: i64,
        places: Option<&shard_page::Places>,
    ) -> Result<Answers<'r>> {
        let table = matches.table;
        let sort: Vec<String> = matches.sort.iter().map(SortKey::to_string).collect();
        let sort = (!sort.is_empty()).then(|| sort.join(", "));
        let asked = json!([matches.search.at_now()?, sort, fl, spans, bytes, places]);
        let mut parameters = vec![asked.to_string().into()];
        let shard = matches.search.choose_shard(table, &mut parameters);
        let sql = format!(
            "SELECT session_store.shard_page(tableoid, $1) \
             FROM {} WHERE {shard}session_store.one_row(id)",
            table.sql
        );
        let types: Vec<_> = parameters.iter().map(|parameter| parameter.oid()).collect();
        let rows: Rows<'r> = with_gucs(DISTRIBUTED, || {
            matches.spi.prepare_saved(Mode::Read, &sql, &types)?.run(&parameters)
        })?;
        Ok(Answers(rows.column()))
    }

    /// In the order of the shards' names, so that every page has the same order.
    pub fn read(&self) -> Result<Vec<Shard<'_>>> {
        let shards: Option<Vec<Shard<'_>>> = self.0.iter().map(Shard::read).collect();
        let mut shards = shards.ok_or(Error::ShardAnswer)?;
        shards.sort_unstable_by_key(|shard| shard.name);
        Ok(shards)
    }
}

/// The answer of one shard.
pub struct Shard<'a> {
    pub name: &'a str,
    pub count: u64,
    pub docs: Vec<&'a str>,
    pub keys: &'a str,
    pub places: &'a str,
    pub lacks: &'a str,
    pub planner: Option<&'a str>,
}

impl<'a> Shard<'a> {
    /// See shard_page.rs, [`HEAD`].
    fn read(answer: &'a Array<'_, &str>) -> Option<Shard<'a>> {
        let mut texts = answer.iter();
        let mut head = [None; HEAD];
        for text in &mut head {
            *text = texts.next()?;
        }
        let [name, count, keys, places, lacks, planner] = head;
        Some(Shard {
            name: name?,
            count: count?.parse().ok()?,
            docs: texts.collect::<Option<_>>()?,
            keys: keys?,
            places: places?,
            lacks: lacks?,
            planner,
        })
    }

    /// What it has told of the rows that it was asked for.
    pub fn listed(&self, asked: &Spans) -> Listed<'a> {
        Listed { count: self.count, span: Span::of(asked, self.name), keys: self.keys }
    }
}
