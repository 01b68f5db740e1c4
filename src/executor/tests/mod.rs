//! Indexes as several versions of this extension have filled them.

mod value_cursor;
mod values;

use super::doc_id::DocIdMap;
use super::heap::Heap;
use super::pending_filter::PendingFilter;
use super::postings::PostingReader;
use super::search::IndexSearch;
use super::table::IndexedTable;
use crate::document::{Jsonb, JsonbArg, Scalar, Scratch, extreme};
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::index::key::{self, Keys};
use crate::index::parse_cache;
use crate::index::string_code::{Unpacked, unpack};
use crate::predicate::{Predicate, Test};
use crate::syntax::SortKey;
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum, JsonB};

fn done<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| error.raise())
}

fn oid(name: &str) -> pg_sys::Oid {
    let oid = Spi::get_one::<pg_sys::Oid>(&format!("SELECT '{name}'::regclass::oid"));
    oid.ok().flatten().unwrap_or(pg_sys::InvalidOid)
}

/// Which version's keys a document is stored with.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Version {
    V2,
    V3,
    V4,
    This,
}

/// The keys of this version as an earlier one would have written them.
fn written(keys: &[&[u8]], version: Version) -> Vec<Vec<u8>> {
    let mut written = Vec::new();
    for key in keys {
        let is_instant = key::value_of(key).is_some_and(|value| value[0] == key::INSTANT);
        if version == Version::V2 && key[0] == b'M' || version < Version::This && is_instant {
            continue;
        }
        let mut key = key.to_vec();
        if key == key::DOCUMENT_KEY {
            let every = match version {
                Version::V2 => key::DOCUMENT_KEY_0_2,
                Version::V3 | Version::V4 => key::DOCUMENT_KEY_0_3,
                Version::This => key::DOCUMENT_KEY,
            };
            key = every.to_vec();
        }
        if version < Version::V4 {
            if let Some(path) = key::path_of(&key).and_then(|path| std::str::from_utf8(path).ok()) {
                let objects =
                    path.match_indices('.').filter_map(|(at, _)| path.get(..at)).map(key::exists);
                written.extend(objects.collect::<Vec<_>>());
            }
            if let Some(value) = key::value_of(&key) {
                key = [&key[..5], unpack(value, &mut Unpacked::new())].concat();
            }
        }
        written.push(key);
    }
    written
}

/// Reads a document as jsonb.
fn with_jsonb<T>(document: &serde_json::Value, read: impl FnOnce(Jsonb<'_>) -> T) -> T {
    let datum = JsonB(document.clone()).into_datum();
    // SAFETY: the datum is jsonb, which jsonb_in has just made.
    let jsonb = datum.and_then(|datum| unsafe { JsonbArg::from_datum(datum, false) });
    read(jsonb.unwrap_or_else(|| panic!("it is jsonb")).document())
}

/// Stores a document, and its keys as a version writes them.
fn insert(document: &serde_json::Value, version: Version) {
    let keys = with_jsonb(document, |doc| written(&done(done(Keys::of(doc)).sorted()), version));
    let hex = |key: &[u8]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let list: Vec<String> = keys.iter().map(|key| format!("'\\x{}'", hex(key))).collect();
    let sql =
        format!("INSERT INTO kept VALUES ('{document}', ARRAY[{}]::bytea[])", list.join(", "));
    assert!(Spi::run(&sql).is_ok(), "{sql}");
}

/// Calls `ask` under a snapshot that sees the rows which this transaction has inserted.
fn with_rows<T>(ask: impl FnOnce() -> T) -> T {
    // SAFETY: the snapshot is that of the transaction that runs the test, and it is popped again.
    // If `ask` raises an error, the test ends, and its transaction pops the snapshot.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        let answer = ask();
        pg_sys::PopActiveSnapshot();
        answer
    }
}

fn make_table(fastupdate: &str) {
    for sql in [
        "DROP TABLE IF EXISTS kept",
        "CREATE TABLE kept (doc jsonb, keys bytea[])",
        &format!("CREATE INDEX ON kept USING gin (keys) WITH (fastupdate = {fastupdate})"),
    ] {
        assert!(Spi::run(sql).is_ok(), "{sql}");
    }
}

fn kept() -> IndexedTable {
    IndexedTable { table: oid("kept"), index: oid("kept_keys_idx"), column: 1 }
}

/// How many rows the index has for a query; and of a query with a single condition, whether it has
/// as many postings as rows.
fn ask(query: &str) -> (u64, bool) {
    let table = kept();
    let (index, heap) = (done(GinIndex::open(table.index)), Heap::of(&table));
    let predicate = done(parse_cache::parse_cached(query)).predicate.clone();
    let reader = done(PostingReader::new(
        &index,
        DocIdMap::WIDEST,
        heap.blocks(),
        &PendingFilter::of(&predicate),
    ));
    let disjoint = match &*predicate {
        Predicate::Condition { path: Some(path), test } if *test != Test::Exists => {
            done(reader.have_disjoint_postings(path, &mut done(reader.probe(test)).ranges))
        }
        _ => false,
    };
    let rows = reader.rows(&predicate).map_err(|error| error.under_widest_map(&index));
    (done(rows).candidates.len(), disjoint)
}

/// How many rows match: by the count that also finds the first row, and by what the matcher says of
/// each row.
fn count(query: &str) -> (u64, i64) {
    let predicate = done(parse_cache::parse_cached(query)).predicate.clone();
    let first = with_rows(|| {
        done(IndexSearch::first(&[kept()], &predicate, 1)).map_or(0, |search| search.len())
    });
    let sql = format!("SELECT count(*) FROM kept WHERE doc @@@ '{query}'");
    (first, Spi::get_one(&sql).ok().flatten().unwrap_or(-1))
}

/// The documents in the order of a path, and whether rows were looked up to find it.
fn order(path: &str, descending: bool) -> (Vec<String>, bool) {
    let sort = [SortKey { path: path.to_string(), descending, largest: descending }];
    let search = done(IndexSearch::new(&[kept()], &Predicate::All));
    let mut search = search.unwrap_or_else(|| panic!("the table is small"));
    assert!(done(search.sort(&sort, 0, Some(3))));
    let (mut documents, looked_up) = (Vec::new(), search.stats.rows > 0);
    done(search.each(&mut |doc| {
        documents.push(
            doc.read(|doc| format!("{:?}", extreme(doc, path, descending, &mut Scratch::new()))),
        );
        documents.len() < 3
    }));
    (documents, looked_up)
}

#[pg_schema]
mod tests {
    use super::*;
    use serde_json::json;

    #[pg_test]
    fn executor_reads_indexes_of_each_version() {
        for fastupdate in ["on", "off"] {
            make_table(fastupdate);
            insert(&json!({ "a": 1, "b": [1, 2] }), Version::This);
            insert(&json!({ "a": [3, 3], "b": { "c": 4 } }), Version::This);
            // One value at a; several at b, of which one document may be under two keys.
            assert_eq!(ask("a:[0 TO 9]"), (2, true));
            assert_eq!(ask("b:[0 TO 9]"), (1, false));
            assert_eq!(ask("b:1"), (1, false)); // a number and a string, which are two keys
            assert_eq!(ask("b:x"), (0, true));
            assert_eq!(ask("-b.c:4").0, 1);
            // With a document that says nothing of that, nothing is known.
            insert(&json!({ "a": [5, 6] }), Version::V2);
            assert_eq!(ask("a:[0 TO 9]"), (3, false));
            assert_eq!(ask("a:x"), (0, true));
            assert_eq!(ask("-b.c:4").0, 2);
            assert_eq!(ask("*:*").0, 3);
        }
    }

    /// Strings that begin with a digit, and objects, of which earlier versions kept other keys.
    #[pg_test]
    fn executor_finds_what_each_version_has_packed() {
        let texts = [
            "6",
            "60",
            "64.150.5.135",
            "64.150.5.13",
            "64.15",
            "640",
            "64 x",
            "7",
            "7.5",
            "59",
            "2024-03-31T12:00:00Z",
            "2024-03-31T12:00:00.5Z",
            "-1",
            "x",
            ":",
            "é",
            "64é",
            "",
        ];
        let long = format!("64.{}", "1".repeat(300));
        let queries = [
            "o.ip:64.150.5.135",
            "o.ip:6",
            "o.ip:64.15*",
            "o.ip:6*",
            "o.ip:64*",
            "o.ip:[60 TO 64.2]",
            "o.ip:{64.15 TO 7.5}",
            "o.ip:[59 TO 7}",
            "o.ip:[* TO 64.150.5.13}",
            "o.ip:{64.150.5.13 TO *]",
            "o.ip:*5.1*",
            "o.ip:64?1*",
            "o.ip:/6[0-4].*/",
            "o.ip:/64\\.1.*5/",
            "o.ip:64.16~1",
            "o.ip:60~",
            "o.ip:2024-03-31T12\\:00\\:00Z",
            "o.ip:[2024-03-31T12\\:00\\:00Z TO 60]",
            "64.15",
            "o:*",
            "o.ip:*",
            "o.i:*",
            "-o:*",
            "-o.ip:64*",
            "o.ip:64.150.5.135 o.ip:64.15",
            "o.ip:[A TO z]",
            "o.ip:64.1111111*",
            "p:*",
        ];
        let versions = [Version::This, Version::V3, Version::V2];
        for (fastupdate, kept) in [("on", 1), ("off", 1), ("off", 2), ("on", 3), ("off", 3)] {
            make_table(fastupdate);
            let versions = &versions[..kept];
            for version in versions {
                for text in texts.into_iter().chain([long.as_str()]) {
                    insert(&json!({ "o": { "ip": text, "n": 1 } }), *version);
                }
                insert(&json!({ "p": { "q": 1 } }), *version);
                insert(&json!({ "o": 3 }), *version);
            }
            for query in queries {
                let (counted, matching) = count(query);
                assert_eq!(counted, matching as u64, "{query} of {kept} versions");
                assert!(counted > 0 || query == "o.i:*", "{query} finds nothing");
            }
            // One value, in whatever form, is counted without a list.
            assert!(ask("o.ip:64.150.5.135").1);
            assert_eq!(ask("o:*").0, 20 * kept as u64);
        }
    }

    /// Instants that are not written `…T…Z`, of which earlier versions kept the text alone.
    #[pg_test]
    fn executor_finds_instants_of_each_version() {
        let texts = [
            "2024-03-31T12:00:00Z",
            "2024-03-31T14:00:00+02:00",
            "2024-03-31 12:00:00+00",
            "2024-03-31T12:00:00.123456+00:00",
            "2024-04-01T11:59:59.5+23:59",
            "2024-03-30T12:01:00-23:59",
            "2024-03-31T12:00:00",
            "2024-03-31",
            "unknown",
            "NOW",
        ];
        let queries = [
            ("t:\"2024-03-31T12:00:00Z\"", 4),
            ("t:\"2024-03-31T14:00:00+02:00\"", 4),
            ("t:\"2024-03-31 12:00:00Z/DAY+12HOURS\"", 4),
            ("t:[2024-03-31T12:00:00Z/SECOND TO 2024-03-31T12:00:00.123456Z/MILLI+1MILLI]", 5),
            ("t:{\"2024-03-31T13:00:00+01\" TO *}", 4), // "unknown" and "NOW", too
            ("t:{2024-03-31T12:00:00Z/SECOND TO *}", 2),
            ("t:[* TO 2024-03-31T12:00:00Z+0DAYS}", 0),
            ("t:[* TO 2024-03-31T12:00:00Z}", 2),
            ("t:[2024-03-31T12:00:00Z TO unknown]", 8),
            ("t:[NOW-100YEARS TO NOW+1000YEARS]", 6),
            ("t:[NOW-100YEARS TO *]", 6),
            ("t:2024-03-31", 7),
            ("t:\"2024-03-31T12:00\"", 6),
            ("t:\"2024-03-31+01:00\"", 6),
            ("t:[2024-03-31 TO 2024-03-31]", 7),
            ("t:{2024-03 TO *]", 4), // texts
            ("t:[2024-04 TO 2024]", 0),
            ("t:[2024 TO 2024-03]", 6),
            ("t:2024-04/MONTH-1DAY+12HOURS", 4),
            ("t:NOW", 1),
            ("2024-03-31T12\\:00\\:00Z", 4),
            ("-t:[NOW-100YEARS TO *]", 4),
        ];
        let versions = [Version::This, Version::V4, Version::V2];
        for (fastupdate, kept) in [("on", 1), ("off", 1), ("off", 2), ("on", 3), ("off", 3)] {
            make_table(fastupdate);
            for version in &versions[..kept] {
                for text in texts {
                    insert(&json!({ "t": text }), *version);
                }
            }
            for (query, matches) in queries {
                let (counted, matching) = count(query);
                assert_eq!(counted, matching as u64, "{query} of {kept} versions");
                assert_eq!(counted, (matches * kept) as u64, "{query} of {kept} versions");
            }
            assert_eq!(ask("t:[NOW-100YEARS TO NOW]"), (6 * kept as u64, kept < 3));
            for descending in [false, true] {
                let mut values: Vec<_> =
                    texts.map(|text| Some(Scalar::String(text).to_bytes())).to_vec();
                values.sort();
                if descending {
                    values.reverse();
                }
                let expected: Vec<String> =
                    (0..3).map(|at| format!("{:?}", values[at / kept])).collect();
                assert_eq!(with_rows(|| order("t", descending)).0, expected);
            }
        }
    }

    /// The index is in the order of the values only where all strings are stored in the same form.
    #[pg_test]
    fn executor_sorts_what_each_version_has_packed() {
        let texts = ["10", "1.5", "1", "19", "-1", "2x", "1x"];
        for fastupdate in ["on", "off"] {
            for descending in [false, true] {
                make_table(fastupdate);
                for number in 0..40 {
                    insert(
                        &json!({ "a": texts[number % 7], "b": format!("2{number}") }),
                        Version::This,
                    );
                }
                let (walked, looked_up) = with_rows(|| order("a", descending));
                assert!(!looked_up);
                insert(&json!({ "b": "2", "c": "x1" }), Version::V3);
                assert_eq!(with_rows(|| order("a", descending)), (walked, false));
                assert!(!with_rows(|| order("b", descending)).1);
                insert(&json!({ "b": "20", "a": "1+" }), Version::V3);
                let (sorted, looked_up) = with_rows(|| order("a", descending));
                assert!(looked_up && with_rows(|| order("b", descending)).1);
                let mut values: Vec<String> =
                    (0..40).map(|number| texts[number % 7].to_string()).collect();
                values.push("1+".into());
                values.sort();
                if descending {
                    values.reverse();
                }
                let expected: Vec<String> = values[..3]
                    .iter()
                    .map(|text| format!("{:?}", Some(Scalar::String(text).to_bytes())))
                    .collect();
                assert_eq!(sorted, expected);
            }
        }
    }
}
