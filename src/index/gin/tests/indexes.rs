//! What the index holds must be what the table does, however the index came to be.

use super::super::Entries;
use super::read_everything;
use super::server::{
    ascending, check, create, descending, done, elsewhere, expected, index, run, same, wait,
};
use crate::error::Error;
use pgrx::prelude::*;

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
