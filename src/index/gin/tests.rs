//! The reader against SQL: what the index holds must be what the table does.

use super::data::{DataContent, DataPage};
use super::page::{Block, EntryContent, PageHeader, Tuple};
use super::{Entries, GinIndex, Sink, Tid};
use crate::error::{Error, Result};
use pgrx::prelude::*;
use std::ops::ControlFlow;
use std::process::{Child, Command};

type Row = (Vec<u8>, Tid);

fn run(sql: &str) {
    if let Err(error) = Spi::run(sql) {
        panic!("{sql}: {error}");
    }
}

/// A table `t` of keys with a GIN index `i` on them.
fn create(kind: &str, options: &str, rows: &str) {
    run(&format!("CREATE {kind} TABLE t (n int, keys bytea[]) WITH (autovacuum_enabled = off)"));
    run(&format!("INSERT INTO t {rows}"));
    run(&format!("CREATE INDEX i ON t USING gin (keys) {options}"));
}

fn index(name: &str) -> GinIndex {
    let oid = Spi::get_one::<pg_sys::Oid>(&format!("SELECT '{name}'::regclass::oid"));
    done(GinIndex::open(oid.ok().flatten().unwrap_or(pg_sys::InvalidOid)))
}

fn done<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| error.raise())
}

/// The rows of a table and their keys, by key.
fn expected(table: &str, condition: &str) -> Vec<Row> {
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
fn ascending(index: &GinIndex, from: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    done(index.ascend(from, &mut |key, postings| {
        postings.for_each(&mut |tid: Tid| rows.push((key.to_vec(), tid)))?;
        Ok(ControlFlow::Continue(()))
    }));
    rows
}

/// The same, from below a key on; brought into ascending order.
fn descending(index: &GinIndex, below: Option<&[u8]>) -> Vec<Row> {
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
fn same(what: &str, got: &[Row], expected: &[Row]) {
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
fn check() {
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
        near("up", done(index.estimate_interval(&bound, &[0xff; 3000])), rows.len() - middle);
        near("down", done(index.estimate_interval(b"", &bound)), middle);
    }
}

/// Compares an interval's rows, all unpacked, none, and of some blocks alone, with what they should be.
fn scan_range(index: &GinIndex, from: &[u8], below: &[u8], expected: &[Row]) {
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
        let met = done(index.scan_range(from, below, &mut some));
        some.1.sort_unstable();
        let wanted: Vec<Tid> =
            tids.iter().copied().filter(|tid| blocks.contains(&tid.block)).collect();
        assert!(some.1 == wanted, "rows gathered of blocks {blocks:?}");
        assert_eq!((met, some.2), (keys, tids.len() - wanted.len()), "keys and rows of others");
    }
}

/// An estimate is good within a third, and a hundred rows.
fn near(what: &str, estimate: f64, exact: usize) {
    let exact = exact as f64;
    let off = (estimate - exact).abs();
    assert!(off <= exact / 3.0 + 100.0, "estimate {what}: {estimate} for {exact}");
}

/// Runs SQL in a session of its own, which commits.
fn elsewhere(sql: &str) -> Child {
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

fn wait(mut child: Child) {
    assert!(child.wait().is_ok_and(|status| status.success()), "psql failed");
}

/// Reads everything that a page may be asked for. Whatever its bytes are, this returns.
pub fn read_everything(page: &Block) -> usize {
    let mut seen = 0;
    if let Ok(DataPage { content, .. }) = DataPage::parse(page) {
        match content {
            DataContent::Inner(children) => {
                seen += (0..children.len()).filter(|&at| children.get(at) > 0).count()
            }
            DataContent::Leaf(items) => {
                let _ = items.for_each(&mut 0, &mut |_: Tid| seen += 1);
                let _ = items.count();
            }
            DataContent::Deleted => {}
        }
    }
    let Ok(head) = PageHeader::parse(page) else { return seen };
    let _ = head.pending_head(page);
    for tuple in (0..head.tuples().unwrap_or(0)).filter_map(|at| Tuple::at(page, at).ok()) {
        seen += usize::from(tuple.key().is_ok()) + usize::from(tuple.downlink() > 0);
        if let Ok(EntryContent::List(list)) = tuple.content() {
            let _ = list.for_each(&mut |_: Tid| seen += 1);
        }
    }
    seen
}

#[pg_schema]
mod tests {
    use super::*;

    #[pg_test]
    fn gin_of_an_empty_table() {
        create("", "", "SELECT 1, NULL WHERE false");
        check();
    }

    #[pg_test]
    fn gin_with_nothing_but_placeholders() {
        create(
            "",
            "",
            "SELECT n, (ARRAY[NULL, '{}', '{NULL}']::bytea[][])[1:0] FROM generate_series(1, 9) n",
        );
        run("INSERT INTO t SELECT n, CASE n % 3 WHEN 0 THEN '{}' WHEN 1 THEN '{NULL}' END::bytea[]
             FROM generate_series(1, 5000) n");
        run("SELECT gin_clean_pending_list('i')");
        check();
    }

    #[pg_test]
    fn gin_with_keys_and_placeholders() {
        create(
            "",
            "",
            "SELECT n, CASE n % 4 WHEN 0 THEN '{}' WHEN 1 THEN '{NULL}' WHEN 2 THEN
            ARRAY[int4send(n)] END::bytea[] FROM generate_series(1, 5000) n",
        );
        check();
    }

    #[pg_test]
    fn gin_with_many_keys() {
        create(
            "",
            "",
            "SELECT n, ARRAY[int8send(n * 7919::int8 % 300007)] FROM generate_series(1, 300000) n",
        );
        check();
    }

    #[pg_test]
    fn gin_grown_by_insertions() {
        create("", "WITH (fastupdate = off)", "SELECT 1, NULL WHERE false");
        run("INSERT INTO t SELECT n, ARRAY[sha256(int4send(n)), int4send(n % 5), '\\x', int4send(n)]
             FROM generate_series(1, 30000) n");
        check();
    }

    #[pg_test]
    fn gin_with_posting_trees() {
        create(
            "",
            "",
            "SELECT n, ARRAY['all', int4send(n % 3), int4send(n % 1000)]::bytea[]
             FROM generate_series(1, 200000) n",
        );
        check();
    }

    #[pg_test]
    fn gin_with_long_keys() {
        create("", "", "SELECT n, ARRAY[
               (SELECT string_agg(sha256(int4send(n * 100 + m)), '') FROM generate_series(1, n % 63) m),
               convert_to(repeat(chr(97 + n % 26), n), 'UTF8')]
             FROM generate_series(1, 2000) n");
        check();
    }

    #[pg_test]
    fn gin_of_a_temporary_table() {
        create(
            "TEMPORARY",
            "",
            "SELECT n, ARRAY[int4send(n % 20000), 'all'] FROM generate_series(1, 50000) n",
        );
        check();
    }

    #[pg_test]
    fn gin_of_an_unlogged_table() {
        create(
            "UNLOGGED",
            "",
            "SELECT n, ARRAY[int4send(n % 20000), 'all'] FROM generate_series(1, 50000) n",
        );
        check();
    }

    #[pg_test]
    fn gin_with_a_pending_list() {
        create("", "", "SELECT n, ARRAY[int4send(n)] FROM generate_series(1, 1000) n");
        run("INSERT INTO t SELECT n, ARRAY[int4send(n), '', repeat('x', n)::bytea, NULL]
             FROM generate_series(1001, 2000) n");
        run("INSERT INTO t SELECT 0, array_agg(int4send(n)) FROM generate_series(1, 5000) n");
        let index = index("i");
        assert!(done(index.has_pending()));
        let mut rows = ascending(&index, b"");
        let in_tree = rows.len();
        done(index.pending(&mut |key, tid| rows.push((key.to_vec(), tid))));
        assert_eq!(in_tree, 1000);
        rows.sort();
        same("with the pending list", &rows, &expected("t", "true"));
        run("SELECT gin_clean_pending_list('i')");
        check();
    }

    #[pg_test]
    fn gin_with_rows_that_vacuum_removed() {
        // VACUUM removes rows of a transaction that was rolled back whatever snapshots others have.
        wait(elsewhere(
            "DROP TABLE IF EXISTS vacuumed;
CREATE TABLE vacuumed (n int, keys bytea[]) WITH (autovacuum_enabled = off);
CREATE INDEX vacuumed_i ON vacuumed USING gin (keys) WITH (fastupdate = off);
INSERT INTO vacuumed SELECT n, ARRAY['all', int4send(n % 1000)] FROM generate_series(1, 40000) n;
BEGIN;
INSERT INTO vacuumed SELECT n, ARRAY['all', int4send(n % 1000 + 500)] FROM generate_series(1, 150000) n;
ROLLBACK;
INSERT INTO vacuumed SELECT n, ARRAY['all', int4send(n % 1000)] FROM generate_series(1, 40000) n;
VACUUM (INDEX_CLEANUP ON) vacuumed",
        ));
        let rows = expected("vacuumed", "true");
        let index = index("vacuumed_i");
        same("ascending", &ascending(&index, b""), &rows);
        same("descending", &descending(&index, None), &rows);
    }

    #[pg_test]
    fn gin_while_others_write() {
        wait(elsewhere(
            "DROP TABLE IF EXISTS busy;
CREATE TABLE busy (n int, keys bytea[]) WITH (autovacuum_enabled = off);
CREATE INDEX busy_i ON busy USING gin (keys) WITH (fastupdate = off);
INSERT INTO busy SELECT n, ARRAY['all', sha256(int4send(n))] FROM generate_series(1, 5000) n",
        ));
        let rows = expected("busy", "true");
        let mut child = elsewhere(
            "INSERT INTO busy SELECT n, ARRAY['all', sha256(int4send(n))]
             FROM generate_series(5001, 40000) n;
BEGIN;
INSERT INTO busy SELECT n, ARRAY['all', sha256(int4send(n))] FROM generate_series(40001, 60000) n;
ROLLBACK;
VACUUM (INDEX_CLEANUP ON) busy",
        );
        let index = index("busy_i");
        let mut rounds = 0;
        while matches!(child.try_wait(), Ok(None)) {
            for got in [ascending(&index, b""), descending(&index, None)] {
                assert!(got.is_sorted_by(|a, b| a < b), "entries and rows ascend");
                let missing = rows.iter().find(|row| got.binary_search(row).is_err());
                assert_eq!(missing, None);
            }
            rounds += 1;
        }
        wait(child);
        assert!(rounds > 0);
        same("afterwards", &descending(&index, None), &expected("busy", "true"));
    }

    #[pg_test]
    fn gin_walks_can_be_left_and_taken_up() {
        create("", "", "SELECT n, ARRAY[int4send(n)] FROM generate_series(1, 2000) n");
        let mut entries = done(Entries::descending(&index("i"), Some(&1001i32.to_be_bytes())));
        for n in (1..=1000i32).rev() {
            let index = index("i");
            let entry = done(entries.next(&index));
            let entry = entry.map(|entry| (entry.key.to_vec(), entry.postings.known_len()));
            assert_eq!(entry, Some((n.to_be_bytes().to_vec(), Some(1))));
        }
        assert!(done(entries.next(&index("i"))).is_none());
    }

    #[pg_test]
    fn gin_pages_can_be_damaged() {
        create(
            "",
            "",
            "SELECT n, ARRAY[int4send(n % 3000), 'all']::bytea[] FROM generate_series(1, 60000) n",
        );
        let index = index("i");
        let blocks = Spi::get_one::<i64>(
            "SELECT pg_relation_size('i') / current_setting('block_size')::int",
        );
        let mut page = [0; _];
        let mut seed = 1u64;
        for block in 0..blocks.ok().flatten().unwrap_or(0) as u32 {
            done(index.copy(block, &mut page));
            for _ in 0..200 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 40) as usize;
                let at = if at.is_multiple_of(2) { at % 300 } else { at % page.len() };
                let was = std::mem::replace(&mut page[at], (seed >> 32) as u8);
                read_everything(&page);
                if at.is_multiple_of(3) {
                    page[at] = was;
                }
            }
        }
        let Err(error) = index.copy(1 << 30, &mut page) else { panic!("there is no such block") };
        assert!(matches!(error, Error::Corrupt { block, .. } if block == 1 << 30));
    }

    #[pg_test(error = "\"b\" is not a GIN index of one column with keys of type bytea")]
    fn gin_is_of_bytea() {
        run("CREATE TABLE t (n int[])");
        run("CREATE INDEX b ON t USING gin (n)");
        index("b");
    }
}
