//! What is asked of the values of a distributed store's documents: each shard gathers it of its own,
//! and it is added up here. As with pages (shards.rs), one statement asks all shards, and each
//! answers in one snapshot.

use super::catalog::Operator;
use super::distributed;
use super::facets::Target;
use super::search::StoreQuery;
use super::select::DISTRIBUTED;
use super::shards;
use super::table;
use crate::error::{Error, Result};
use crate::facet::{self, Asked, Facets, Gathered, MergedValues};
use crate::index::parse_cache;
use crate::memory;
use crate::pg::guc::{with_gucs, work_mem};
use crate::pg::spi::{Mode, Spi};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use serde_json::Value;

/// `of_shard` in SQL.
const OF_SHARD: &str = "session_store.shard_values(pg_catalog.oid, pg_catalog.text, pg_catalog.text, \
     pg_catalog.timestamptz, pg_catalog.int8)";

/// What a shard answers: bytes of [`Gathered`], or none if there would be more than `bytes` of them.
pub fn of_shard(
    shard: pg_sys::Oid,
    query: &str,
    asked: &str,
    now: TimestampWithTimeZone,
    bytes: i64,
) -> Result<Vec<u8>> {
    let search = StoreQuery::parse(query)?;
    let asked: Value = serde_json::from_str(asked).map_err(|_| Error::Request {
        place: "asked".to_string(),
        problem: "expected an object in JSON".to_string(),
    })?;
    let (_, table) = table::of_oid(shard)?;
    let now = i64::from(now);
    let mut read_query = |text: &str| Ok(parse_cache::parse_at(text, now)?.1.predicate.into());
    let read = |json: &Value| Facets::read_json(json, parse_cache::instant(now), &mut read_query);
    Asked::with_json(&asked, read, |asked| {
        Spi::connect(|spi| {
            let operator = Operator::find()?;
            let target = Target { spi, table: &table, operator, search: &search };
            let max_bytes = usize::try_from(bytes).unwrap_or(0);
            let gathered =
                target.with_values(asked, &mut |source| facet::gather(source, asked, max_bytes))?;
            let mut answer = Vec::new();
            gathered.map_or(Ok(()), |gathered| gathered.write(&mut answer))?;
            Ok(answer)
        })
    })
}

/// The values of all shards together. None if they would not add up, or need more than work_mem.
pub fn of_all<'a>(target: &Target<'_>, asked: &Asked<'a>) -> Result<Option<MergedValues<'a>>> {
    let Some(json) = asked.to_json() else { return Ok(None) };
    if !shards::has_function(OF_SHARD) {
        return Ok(None);
    }
    let Target { spi, table, search, .. } = *target;
    let shards = distributed::shards(spi, table.oid)?.unwrap_or(1).max(1);
    let bytes = (work_mem() / shards as usize) as i64;
    let now = TimestampWithTimeZone::try_from(parse_cache::transaction_start());
    let now = now.map_err(|_| Error::ShardAnswer)?;
    let mut parameters = vec![
        search.at_now()?.into_owned().into(),
        json.to_string().into(),
        now.into(),
        bytes.into(),
    ];
    let shard = match asked {
        // These are all paths, whatever the query.
        Asked::Paths { .. } => String::new(),
        _ => search.choose_shard(table, &mut parameters),
    };
    let sql = format!(
        "SELECT session_store.shard_values(tableoid, $1, $2, $3, $4) \
         FROM {} WHERE {shard}session_store.one_row(id)",
        table.sql
    );
    let rows = with_gucs(DISTRIBUTED, || spi.run(Mode::Read, &sql, &parameters))?;
    let mut all = Gathered::default();
    for row in 0..rows.len() {
        memory::check();
        let answer: Vec<u8> = rows.get(row, 1).unwrap_or_default();
        if answer.is_empty() {
            return Ok(None);
        }
        all.add(Gathered::read(&answer)?)?;
    }
    MergedValues::new(asked, all).map(Some)
}
