//! What the tests of the reader need of the server: tables and indexes, what SQL says of them, and
//! sessions that run beside the test.

use super::super::{Entries, GinIndex, Sink, Tid};
use crate::error::Result;
use pgrx::prelude::*;
use std::ops::ControlFlow;
use std::process::{Child, Command};

pub type Row = (Vec<u8>, Tid);

pub fn run(sql: &str) {
    if let Err(error) = Spi::run(sql) {
        panic!("{sql}: {error}");
    }
}

/// A table `t` of keys with a GIN index `i` on them.
pub fn create(kind: &str, options: &str, rows: &str) {
    run(&format!("CREATE {kind} TABLE t (n int, keys bytea[]) WITH (autovacuum_enabled = off)"));
    run(&format!("INSERT INTO t {rows}"));
    run(&format!("CREATE INDEX i ON t USING gin (keys) {options}"));
}

pub fn index(name: &str) -> GinIndex {
    let oid = Spi::get_one::<pg_sys::Oid>(&format!("SELECT '{name}'::regclass::oid"));
    done(GinIndex::open(oid.ok().flatten().unwrap_or(pg_sys::InvalidOid)))
}

pub fn done<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| error.raise())
}

/// The rows of a table and their keys, by key.
pub fn expected(table: &str, condition: &str) -> Vec<Row> {
    let sql = format!(
        "SELECT DISTINCT key, (ctid::text::point)[0]::int8, (ctid::text::point)[1]::int4
         FROM {table}, unnest(keys) key WHERE key IS NOT NULL AND {condition} ORDER BY 1, 2, 3"
    );
    Spi::connect(|client| {
        let rows = client.select(&sql, None, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.map(|row| {
            let key = row.get::<Vec<u8>>(1).ok().flatten();
            let block = row.get::<i64>(2).ok().flatten();
            let offset = row.get::<i32>(3).ok().flatten();
            match (key, block, offset) {
                (Some(key), Some(block), Some(offset)) => {
                    (key, Tid { block: block as u32, offset: offset as u16 })
                }
                _ => panic!("a row without a key"),
            }
        })
        .collect()
    })
}

/// What the index's entries say, from a key on.
pub fn ascending(index: &GinIndex, from: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    done(index.ascend(from, &mut |key, postings| {
        postings.for_each(&mut |tid: Tid| rows.push((key.to_vec(), tid)))?;
        Ok(ControlFlow::Continue(()))
    }));
    rows
}

/// The same, from below a key on; brought into ascending order.
pub fn descending(index: &GinIndex, below: Option<&[u8]>) -> Vec<Row> {
    let mut entries = Vec::new();
    done(index.descend(below, &mut |key, postings| {
        let mut rows = Vec::new();
        postings.for_each(&mut |tid: Tid| rows.push((key.to_vec(), tid)))?;
        entries.push(rows);
        Ok(ControlFlow::Continue(()))
    }));
    entries.into_iter().rev().flatten().collect()
}

/// Compares without printing hundreds of thousands of rows.
pub fn same(what: &str, got: &[Row], expected: &[Row]) {
    if got != expected {
        let at = got.iter().zip(expected).position(|(got, expected)| got != expected);
        let at = at.unwrap_or(got.len().min(expected.len()));
        panic!(
            "{what}: {} rows for {}; at {at}: {:?} for {:?}",
            got.len(),
            expected.len(),
            got.get(at),
            expected.get(at)
        );
    }
}

/// Compares index `i` with table `t` in all ways, starting at some of its keys and between them.
pub fn check() {
    let rows = expected("t", "true");
    let index = index("i");
    assert!(!done(index.has_pending()));
    same("ascending", &ascending(&index, b""), &rows);
    same("descending", &descending(&index, None), &rows);
    let step = (rows.len() / 7).max(1);
    let mut bounds: Vec<Vec<u8>> = rows.iter().step_by(step).map(|row| row.0.clone()).collect();
    bounds.extend(bounds.clone().into_iter().map(|mut key| {
        key.push(0);
        key
    }));
    bounds.extend([vec![], vec![0xff; 3000]]);
    for bound in bounds {
        let middle = rows.partition_point(|row| row.0 < bound);
        same("from the middle up", &ascending(&index, &bound), &rows[middle..]);
        same("from the middle down", &descending(&index, Some(&bound)), &rows[..middle]);
        let end = rows.partition_point(|row| row.0 <= bound);
        let mut found = Vec::new();
        done(index.postings(&bound, &mut |tid: Tid| found.push((bound.clone(), tid))));
        same("one key", &found, &rows[middle..end]);
        near("one key", done(index.estimate_key(&bound)), end - middle);
        let mut entries = done(Entries::ascending(&index, b""));
        done(entries.seek(&index, &bound));
        let sought = done(entries.next(&index)).map(|entry| entry.key.to_vec());
        assert_eq!(sought.as_ref(), rows.get(middle).map(|row| &row.0), "sought");
        for below in [bound.clone(), [&bound[..], &[0]].concat(), vec![0xff; 3000]] {
            let end = middle.max(rows.partition_point(|row| row.0 < below));
            scan_range(&index, &bound, &below, &rows[middle..end]);
        }
        near("up", done(index.estimate_range(&bound, &[0xff; 3000])), rows.len() - middle);
        near("down", done(index.estimate_range(b"", &bound)), middle);
    }
}

/// Compares an interval's rows, all unpacked, none, and of some blocks alone, with what they should
/// be.
pub fn scan_range(index: &GinIndex, from: &[u8], below: &[u8], expected: &[Row]) {
    /// Unpacks what lies in one of the blocks, and counts the rest.
    struct Some(std::ops::RangeInclusive<u32>, Vec<Tid>, usize);
    impl Sink for Some {
        fn wants(&self, first: u32, last: u32) -> bool {
            first <= *self.0.end() && *self.0.start() <= last
        }
        fn take(&mut self, row: Tid) {
            if self.0.contains(&row.block) {
                self.1.push(row);
            } else {
                self.2 += 1;
            }
        }
        fn skip(&mut self, count: usize) {
            self.2 += count;
        }
    }
    let mut tids: Vec<Tid> = expected.iter().map(|row| row.1).collect();
    tids.sort_unstable();
    let keys = expected.chunk_by(|a, b| a.0 == b.0).count() as u64;
    for blocks in [0..=u32::MAX, 0..=0, 0..=3, 7..=7, 40..=u32::MAX] {
        let mut some = Some(blocks.clone(), Vec::new(), 0);
        let key_count = done(index.scan_range(from, below, &mut some));
        some.1.sort_unstable();
        let wanted: Vec<Tid> =
            tids.iter().copied().filter(|tid| blocks.contains(&tid.block)).collect();
        assert!(some.1 == wanted, "rows of blocks {blocks:?}");
        assert_eq!(
            (key_count, some.2),
            (keys, tids.len() - wanted.len()),
            "keys and rows of others"
        );
    }
}

/// An estimate is good within a third, and a hundred rows.
pub fn near(what: &str, estimate: f64, exact: usize) {
    let exact = exact as f64;
    let off = (estimate - exact).abs();
    assert!(off <= exact / 3.0 + 100.0, "estimate {what}: {estimate} for {exact}");
}

/// Runs SQL in a session of its own, which commits.
pub fn elsewhere(sql: &str) -> Child {
    let setting = |sql: &str| {
        let value = Spi::get_one::<String>(sql).ok().flatten();
        value.unwrap_or_else(|| panic!("{sql} has no answer"))
    };
    let directory =
        setting("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)");
    let program = setting("SELECT setting FROM pg_config WHERE name = 'BINDIR'") + "/psql";
    Command::new(program)
        .args(["-Xq", "-v", "ON_ERROR_STOP=1", "-h", &directory])
        .args(["-p", &setting("SELECT current_setting('port')")])
        .args(["-U", &setting("SELECT current_user::text")])
        .args(["-d", &setting("SELECT current_database()::text")])
        .args(["-c", "SET client_min_messages = error"])
        .args(sql.split(";\n").flat_map(|statement| ["-c", statement]))
        .spawn()
        .unwrap_or_else(|error| panic!("psql does not start: {error}"))
}

pub fn wait(mut child: Child) {
    assert!(child.wait().is_ok_and(|status| status.success()), "psql failed");
}
