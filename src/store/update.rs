//! session_update: one statement for each batch of changes, in the order of their identities.

use super::catalog::{Lock, Store};
use super::distributed;
use super::ops::{self, Change};
use super::pending_list::{FEW_DOCUMENTS, MANY_DOCUMENTS, OtherLimit};
use super::progress::Progress;
use crate::document::Jsonb;
use crate::error::Result;
use crate::index::is_distributed;
use crate::pg::guc::{NO_JIT, with_gucs};
use crate::pg::spi::{Mode, Spi, Statement};
use crate::pg::varlena;
use pgrx::datum::DatumWithOid;
use pgrx::{PgMemoryContexts, pg_sys};

/// How many identities, and how many bytes of documents, one statement takes. So the memory that a
/// call needs, besides its argument, is a small multiple of this, however large the call is.
pub(super) const BATCH_ROWS: usize = 5_000;
pub(super) const BATCH_BYTES: usize = 16 << 20;

/// unnest is in the SELECT list, where both arrays are read side by side; in FROM, the whole result
/// of a function is stored first. record_image_ne compares the stored bytes (rowtypes.c), so
/// replacing 1 by 1.0 is a change, and writing the same document again is none. Its operator `*<>`
/// would need a cast of the rows to record, which Citus loses on the way to a shard. ON CONFLICT
/// locks a row before it evaluates WHERE, so the order of the locks does not depend on what has
/// changed.
fn upsert(table: &str, rows: &str) -> String {
    const ON_CONFLICT: &str = "
    ON CONFLICT (id) DO UPDATE SET doc = excluded.doc
    WHERE pg_catalog.record_image_ne(ROW(stored.doc), ROW(excluded.doc))";
    ["INSERT INTO ", table, " AS stored (id, doc) ", rows, ON_CONFLICT].concat()
}

/// The rows of a batch.
const ROWS: &str = "
    SELECT pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.jsonb[])";
/// A single row takes no arrays and the simplest of plans.
const ONE_ROW: &str = "VALUES ($1::pg_catalog.text, $2::pg_catalog.jsonb)";

/// Up to how many upserts of one shard are statements of their own. Citus sends a single row as it
/// is, but puts the rows of a SELECT into a file on the shard's server first.
const FEW_ROWS: usize = 4;

/// DELETE would lock rows in the order in which its plan finds them. So they are locked first, in
/// the order that all calls use.
const DELETE: &str = r#"
    DELETE FROM {table} AS stored
    USING (
        SELECT id FROM {table} WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
        ORDER BY id COLLATE pg_catalog."C" FOR UPDATE
    ) AS locked
    WHERE stored.id OPERATOR(pg_catalog.=) locked.id"#;

/// This excludes partitions of the table that is deleted from: the planner compares the identities
/// with their bounds (partprune.c), which it cannot do for a join. Neither can Citus, which locks
/// rows only in one shard.
const PRUNED: &str = "
        AND stored.id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])";

/// Applies `ops` to a store: all of it, or nothing if it ends with an error.
pub fn update(store: &str, ops: Jsonb<'_>) -> Result<()> {
    Spi::connect(|spi| {
        let store = Store::lock(spi, store, Lock::Rows)?;
        let changes = ops::read(ops, &store.key)?;
        let mut progress = Progress::default();
        apply(spi, &store, changes, &mut |documents| {
            progress.add(documents as u64, &store.name, "updated");
        })
    })
}

/// Applies changes that are in the order of their identities, each identity once. `done` is told the
/// size of each batch.
pub(super) fn apply(
    spi: &Spi,
    store: &Store,
    changes: OwnedChanges<'_>,
    done: &mut dyn FnMut(usize),
) -> Result<()> {
    if is_distributed(store.table) {
        return with_gucs(&[NO_JIT], || apply_by_shard(spi, store, changes, done));
    }
    let few = store.shards == 1 && changes.len() <= FEW_DOCUMENTS;
    let _shorter = few.then(|| OtherLimit::of(store.table, changes.len()));
    if let [(id, Change::Upsert(doc))] = changes.as_slice() {
        upsert_one(spi, Mode::Write, &store.name.table(), id, *doc)?;
        done(1);
        return Ok(());
    }
    with_gucs(&[NO_JIT], || apply_all(spi, store, &changes, done))
}

/// A single document, which is the most common call. Its plan costs too little for JIT compilation.
fn upsert_one(spi: &Spi, mode: Mode, table: &str, id: &str, doc: Jsonb<'_>) -> Result<()> {
    let types = [pg_sys::TEXTOID, pg_sys::JSONBOID];
    let statement = spi.prepare_saved(mode, &upsert(table, ONE_ROW), &types)?;
    let (id, doc) = (datum(id.as_bytes()), datum(doc.bytes()));
    // SAFETY: text, and jsonb, are bytes behind a header. Nobody else knows the two values.
    unsafe {
        let parameters = [DatumWithOid::new(id, types[0]), DatumWithOid::new(doc, types[1])];
        statement.run(&parameters)?;
        pg_sys::pfree(id.cast_mut_ptr());
        pg_sys::pfree(doc.cast_mut_ptr());
    }
    Ok(())
}

fn apply_all(
    spi: &Spi,
    store: &Store,
    changes: Changes<'_, '_>,
    done: &mut dyn FnMut(usize),
) -> Result<()> {
    let table = store.name.table();
    let sql = |text: &str| text.replace("{table}", &table);
    let types = [pg_sys::TEXTARRAYOID, pg_sys::JSONBARRAYOID];
    let mut rest = changes;
    while let Some((batch, more)) = next_batch(rest) {
        rest = more;
        if let [(id, Change::Upsert(doc))] = batch {
            upsert_one(spi, Mode::Write, &table, id, *doc)?;
            done(1);
            continue;
        }
        let is_upsert = matches!(batch.first(), Some((_, Change::Upsert(_))));
        let statement = if is_upsert {
            spi.prepare_saved(Mode::Write, &upsert(&table, ROWS), &types)?
        } else if store.shards == 1 {
            spi.prepare_saved(Mode::WritePruned, &sql(DELETE), &types[..1])?
        } else if batch.len() < store.shards as usize {
            spi.prepare_saved(Mode::WritePruned, &sql(&format!("{DELETE}{PRUNED}")), &types[..1])?
        } else {
            // If there are as many identities as partitions, they lie in most of them. Such a plan
            // is too large to be saved.
            spi.prepare(Mode::Write, &sql(DELETE), &types[..1])?
        };
        if is_upsert && store.shards == 1 && batch.len() > MANY_DOCUMENTS {
            upsert_many(spi, store, batch, &statement)?;
        } else {
            apply_batch(batch, &statement)?;
        }
        done(batch.len());
    }
    Ok(())
}

/// Meanwhile the index's pending list may get longer. Then it has its own limit again, so the last
/// document merges what is left of it.
fn upsert_many(
    spi: &Spi,
    store: &Store,
    batch: Changes<'_, '_>,
    statement: &Statement<'_>,
) -> Result<()> {
    let Some(((id, Change::Upsert(doc)), many)) = batch.split_last() else { return Ok(()) };
    let longer = OtherLimit::of(store.table, batch.len());
    apply_batch(many, statement)?;
    drop(longer);
    upsert_one(spi, Mode::Write, &store.name.table(), id, *doc)
}

/// One shard after the other, each statement about one of them. Citus plans such statements only
/// for given parameters.
fn apply_by_shard(
    spi: &Spi,
    store: &Store,
    mut changes: OwnedChanges<'_>,
    done: &mut dyn FnMut(usize),
) -> Result<()> {
    let sizes = distributed::order_by_shard(spi, store, &mut changes)?;
    let (table, mode) = (store.name.table(), Mode::WritePruned);
    let delete = format!("{DELETE}{PRUNED}").replace("{table}", &table);
    let types = [pg_sys::TEXTARRAYOID, pg_sys::JSONBARRAYOID];
    let mut rest = changes.as_slice();
    for size in sizes {
        let mut shard;
        (shard, rest) = rest.split_at(size);
        while let Some((batch, more)) = next_batch(shard) {
            if matches!(batch.first(), Some((_, Change::Delete))) {
                apply_batch(batch, &spi.prepare_saved(mode, &delete, &types[..1])?)?;
            } else if batch.len() > FEW_ROWS {
                apply_batch(batch, &spi.prepare_saved(mode, &upsert(&table, ROWS), &types)?)?;
            } else {
                for (id, doc) in batch.iter().filter_map(|(id, doc)| Some((id, document(doc)?))) {
                    crate::memory::check();
                    upsert_one(spi, mode, &table, id, doc)?;
                }
            }
            done(batch.len());
            shard = more;
        }
    }
    Ok(())
}

type Changes<'c, 'a> = &'c [(String, Change<'a>)];
pub(super) type OwnedChanges<'a> = Vec<(String, Change<'a>)>;

/// Splits changes of one kind off the front, as many as one statement takes.
fn next_batch<'c, 'a>(changes: Changes<'c, 'a>) -> Option<(Changes<'c, 'a>, Changes<'c, 'a>)> {
    let kind = |change: &Change<'_>| matches!(change, Change::Delete);
    let first = kind(&changes.first()?.1);
    let mut bytes = 0;
    let size = changes
        .iter()
        .take(BATCH_ROWS)
        .take_while(|(id, change)| {
            // The first change is always taken, however large it is.
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

/// Runs the statement of one batch. Its parameters are in a memory context of their own.
fn apply_batch(batch: Changes<'_, '_>, statement: &Statement<'_>) -> Result<()> {
    crate::memory::check();
    let mut context = PgMemoryContexts::new("session_update batch");
    // SAFETY: `context` lives until this function ends, and nothing that is allocated in it is used
    // later.
    unsafe {
        context.switch_to(|_| {
            let ids = identities(batch);
            let docs: Vec<&[u8]> =
                batch.iter().filter_map(|(_, change)| document(change)).map(Jsonb::bytes).collect();
            if docs.is_empty() {
                return statement.run(&[ids]).map(drop);
            }
            let docs = array(docs.into_iter(), pg_sys::JSONBOID, pg_sys::JSONBARRAYOID);
            statement.run(&[ids, docs]).map(drop)
        })
    }
}

/// The identities of changes, as an array of text in the current memory context.
pub(super) fn identities<'a>(changes: Changes<'a, '_>) -> DatumWithOid<'a> {
    let identities = changes.iter().map(|(id, _)| id.as_bytes());
    array(identities, pg_sys::TEXTOID, pg_sys::TEXTARRAYOID)
}

/// A value of variable length, built from its payload in the current memory context.
fn datum(payload: &[u8]) -> pg_sys::Datum {
    // SAFETY: the current memory context is alive.
    unsafe { varlena::build(&[payload], pg_sys::CurrentMemoryContext) }
}

/// A one-dimensional array of values of variable length, built from their payloads in the current
/// memory context.
fn array<'a>(
    payloads: impl Iterator<Item = &'a [u8]>,
    element: pg_sys::Oid,
    array: pg_sys::Oid,
) -> DatumWithOid<'a> {
    let mut values: Vec<pg_sys::Datum> = payloads.map(datum).collect();
    // SAFETY: the values have the type of the elements: text, and jsonb, are bytes behind a header.
    // Both types have variable length and int alignment (pg_type.dat).
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
