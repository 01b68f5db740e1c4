//! Applying a session_update: set-based statements, in one order of identities.

use super::catalog::{Lock, Store};
use super::ops::{self, Change};
use crate::document::Jsonb;
use crate::error::Result;
use crate::pg::guc::{NO_JIT, with_gucs};
use crate::pg::spi::{Mode, Spi, Statement};
use crate::pg::varlena;
use pgrx::datum::DatumWithOid;
use pgrx::{PgMemoryContexts, pg_sys};

/// A statement takes at most so many identities and so many bytes of documents. What it needs beside the call's own argument
/// is a small multiple of this, whatever the size of the call.
const BATCH_ROWS: usize = 5_000;
const BATCH_BYTES: usize = 16 << 20;

/// The two arrays are walked side by side in the SELECT list: in FROM, a function's whole result is first stored away.
/// `*<>` compares the stored bytes (rowtypes.c, record_image_ne): 1.0 for 1 is a change, the same document is none. ON CONFLICT
/// locks the row before it looks at WHERE, so the order of locks does not depend on what changed. (Without the casts, SQL would
/// compare the rows column by column, and jsonb has no such operator.)
const UPSERT: &str = "
    INSERT INTO {table} AS stored (id, doc)
    SELECT pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.jsonb[])
    ON CONFLICT (id) DO UPDATE SET doc = excluded.doc
    WHERE ROW(stored.doc)::pg_catalog.record
        OPERATOR(pg_catalog.*<>) ROW(excluded.doc)::pg_catalog.record";

/// A DELETE locks rows in whatever order its plan finds them; so they are locked before, in the common order.
const DELETE: &str = r#"
    DELETE FROM {table} AS stored
    USING (
        SELECT id FROM {table} WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
        ORDER BY id COLLATE pg_catalog."C" FOR UPDATE
    ) AS locked
    WHERE stored.id OPERATOR(pg_catalog.=) locked.id"#;

/// Said of both tables, identities that are known to the planner rule partitions out of both (partprune.c); a join does not.
const PRUNED: &str = "
        AND stored.id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])";

/// Applies `ops` to a store, all of it or, by the error it ends in, nothing.
pub fn update(store: &str, ops: Jsonb<'_>) -> Result<()> {
    Spi::connect(|spi| {
        let store = Store::lock(spi, store, Lock::Rows)?;
        let changes = ops::read(ops, &store.key)?;
        with_gucs(&[NO_JIT], || apply_all(spi, &store, &changes))
    })
}

fn apply_all(spi: &Spi, store: &Store, changes: Changes<'_, '_>) -> Result<()> {
    let sql = |text: &str| text.replace("{table}", &store.name.table());
    let types = [pg_sys::TEXTARRAYOID, pg_sys::JSONBARRAYOID];
    let upsert = spi.prepare(Mode::Write, &sql(UPSERT), &types)?;
    let delete = spi.prepare(Mode::Write, &sql(DELETE), &types[..1])?;
    let pruned = spi.prepare(Mode::WritePruned, &sql(&format!("{DELETE}{PRUNED}")), &types[..1])?;
    let mut rest = changes;
    while let Some((batch, more)) = next_batch(rest) {
        // As many identities as there are partitions are in most of them, and one plan serves all such batches.
        let delete = if batch.len() < store.shards as usize { &pruned } else { &delete };
        apply(batch, &upsert, delete)?;
        rest = more;
    }
    Ok(())
}

type Changes<'c, 'a> = &'c [(String, Change<'a>)];

/// Splits off the changes of one kind at the front, as many as one statement takes.
fn next_batch<'c, 'a>(changes: Changes<'c, 'a>) -> Option<(Changes<'c, 'a>, Changes<'c, 'a>)> {
    let kind = |change: &Change<'_>| matches!(change, Change::Delete);
    let first = kind(&changes.first()?.1);
    let mut bytes = 0;
    let size = changes
        .iter()
        .take(BATCH_ROWS)
        .take_while(|(id, change)| {
            // The first is always taken, however large it is.
            let fits = bytes == 0 || bytes < BATCH_BYTES;
            bytes += id.len() + document(change).map_or(0, |doc| doc.bytes().len()) + 1;
            fits && kind(change) == first
        })
        .count();
    Some(changes.split_at(size))
}

fn document<'a>(change: &Change<'a>) -> Option<Jsonb<'a>> {
    match change {
        Change::Upsert(doc) => Some(*doc),
        Change::Delete => None,
    }
}

/// Runs one batch's statement, with its arrays in a memory context of their own.
fn apply(batch: Changes<'_, '_>, upsert: &Statement<'_>, delete: &Statement<'_>) -> Result<()> {
    crate::memory::check();
    let mut context = PgMemoryContexts::new("session_update batch");
    // SAFETY: `context` is alive until the end of this function, and nothing allocated in it is used after that.
    unsafe {
        context.switch_to(|_| {
            let ids = array(
                batch.iter().map(|(id, _)| id.as_bytes()),
                pg_sys::TEXTOID,
                pg_sys::TEXTARRAYOID,
            );
            let docs: Vec<&[u8]> =
                batch.iter().filter_map(|(_, change)| document(change)).map(Jsonb::bytes).collect();
            if docs.is_empty() {
                return delete.run(&[ids]).map(drop);
            }
            let docs = array(docs.into_iter(), pg_sys::JSONBOID, pg_sys::JSONBARRAYOID);
            upsert.run(&[ids, docs]).map(drop)
        })
    }
}

/// A one-dimensional array of variable-length values, each given by its payload, in the current memory context.
fn array<'a>(
    payloads: impl Iterator<Item = &'a [u8]>,
    element: pg_sys::Oid,
    array: pg_sys::Oid,
) -> DatumWithOid<'a> {
    // SAFETY: the current memory context lives.
    let build = |bytes| unsafe { varlena::build(&[bytes], pg_sys::CurrentMemoryContext) };
    let mut values: Vec<pg_sys::Datum> = payloads.map(build).collect();
    // SAFETY: the values are varlenas of the element type: text is its bytes behind a length word, and so is a jsonb
    // container. Both types have variable length and int alignment (pg_type.dat).
    unsafe {
        let built = pg_sys::construct_array(
            values.as_mut_ptr(),
            values.len() as i32,
            element,
            -1,
            false,
            pg_sys::TYPALIGN_INT as std::ffi::c_char,
        );
        for value in values {
            pg_sys::pfree(value.cast_mut_ptr());
        }
        DatumWithOid::new(pg_sys::Datum::from(built), array)
    }
}
