//! Indexes as several versions of this extension have filled them.

use super::bitmap::Numbering;
use super::heap::Heap;
use super::leaves::{Leaves, Wanted};
use super::relation::Part;
use crate::document::JsonbArg;
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::index::key::{self, Keys};
use crate::index::operator;
use crate::index::span::spans;
use crate::predicate::{Predicate, Test};
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum, JsonB};

fn done<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| error.raise())
}

fn oid(name: &str) -> pg_sys::Oid {
    let oid = Spi::get_one::<pg_sys::Oid>(&format!("SELECT '{name}'::regclass::oid"));
    oid.ok().flatten().unwrap_or(pg_sys::InvalidOid)
}

/// Stores the keys of a document as this version writes them, or as 0.2.0 did.
fn insert(document: serde_json::Value, is_old: bool) {
    let datum = JsonB(document).into_datum();
    // SAFETY: a jsonb datum, just made by jsonb_in.
    let document = datum.and_then(|datum| unsafe { JsonbArg::from_datum(datum, false) });
    let mut keys = Keys::of(document.unwrap_or_else(|| panic!("it is jsonb")).document());
    let keys = keys.sorted();
    let written = keys.iter().filter_map(|key| match key {
        _ if !is_old => Some(*key),
        key if *key == key::EVERY[0] => Some(key::EVERY[1]),
        key => (key[0] != b'M').then_some(*key),
    });
    let hex = |key: &[u8]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let list: Vec<String> = written.map(|key| format!("'\\x{}'", hex(key))).collect();
    let sql = format!("INSERT INTO kept VALUES (ARRAY[{}]::bytea[])", list.join(", "));
    assert!(Spi::run(&sql).is_ok(), "{sql}");
}

/// How many rows the index has for a query, and whether its only leaf's rows are as many as its postings.
fn ask(query: &str) -> (u64, bool) {
    let part = Part { table: oid("kept"), index: oid("kept_keys_idx"), column: 1 };
    let (index, heap) = (done(GinIndex::open(part.index)), Heap::of(&part));
    let predicate = done(operator::understand(query)).predicate;
    let leaves = done(Leaves::new(&index, Numbering::MOST, heap.blocks(), &Wanted::All));
    let apart = match &*predicate {
        Predicate::Leaf { path: Some(path), test } if *test != Test::Exists => {
            done(leaves.are_apart(path, &mut spans(test)))
        }
        _ => false,
    };
    (done(leaves.rows(&predicate)).any.len(), apart)
}

#[pg_schema]
mod tests {
    use super::*;
    use serde_json::json;

    #[pg_test]
    fn executor_reads_indexes_of_each_version() {
        for fastupdate in ["on", "off"] {
            for sql in [
                "DROP TABLE IF EXISTS kept",
                "CREATE TABLE kept (keys bytea[])",
                &format!("CREATE INDEX ON kept USING gin (keys) WITH (fastupdate = {fastupdate})"),
            ] {
                assert!(Spi::run(sql).is_ok(), "{sql}");
            }
            insert(json!({ "a": 1, "b": [1, 2] }), false);
            insert(json!({ "a": [3, 3], "b": { "c": 4 } }), false);
            // One value at a; several at b, of which one document may be under two keys.
            assert_eq!(ask("a:[0 TO 9]"), (2, true));
            assert_eq!(ask("b:[0 TO 9]"), (1, false));
            assert_eq!(ask("b:1"), (1, false)); // a number and a string, which are two keys
            assert_eq!(ask("b:x"), (0, true));
            assert_eq!(ask("-b.c:4").0, 1);
            // With a document that says nothing of that, nothing is known.
            insert(json!({ "a": [5, 6] }), true);
            assert_eq!(ask("a:[0 TO 9]"), (3, false));
            assert_eq!(ask("a:x"), (0, true));
            assert_eq!(ask("-b.c:4").0, 2);
            assert_eq!(ask("*:*").0, 3);
        }
    }
}
