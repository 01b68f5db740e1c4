#!/usr/bin/env bash
# A session that asks the same questions again and again, which remembers summaries of the index's pages for them, gets the answers of now:
# after writes of any kind, VACUUM, REINDEX and TRUNCATE. The first rows of wide intervals are those of the order of the table.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null -f - <<'SQL'
SELECT session_add('again', 'id');
ALTER TABLE sessions.again ADD COLUMN touched int, SET (autovacuum_enabled = off, fillfactor = 90);
-- `up` follows the order of the table, `far` does not; half have a `half`, all an `all`, some a `two`; all have one of three kinds
CREATE FUNCTION pg_temp.doc(i int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', i::text, 'up', i, 'far', i::int8 * 7919 % 99991 / 4.0, 'kind', 'k' || i % 3, 'ip', format('10.%s.%s.7', i / 250, i % 250),
        'all', '{"a": 1}'::jsonb || CASE WHEN i % 5 = 0 THEN '{"b": [1]}' ELSE '{}' END::jsonb, 'two', '{"a": 1}'::jsonb - CASE WHEN i % 3 > 0 THEN 'a' ELSE '' END)
        || CASE WHEN i % 2 = 0 THEN '{"half": {"deep": true}, "two": {"b": 0}}' ELSE '{}' END::jsonb
$$;
CREATE FUNCTION pg_temp.check(what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    q text;
    counted bigint;
    answer jsonb;
    expected bigint;
    first jsonb;
BEGIN
    FOREACH q IN ARRAY ARRAY['*:*', 'up:[* TO *]', 'up:[1000 TO 39000]', 'up:[30000 TO *]', 'far:[* TO *]', 'far:[100 TO 20000]', 'far:{24000 TO *]',
        'far:[100 TO 200]', 'kind:k1', '-kind:k1', 'half:*', 'half.deep:*', '-half:*', 'all:*', '-all:*', 'two:*', '-two:*', 'none:*', 'ip:10.*', 'ip:10.1*', 'ip:[10.100.0.7 TO 10.2]', 'ip:10.11.12.7', 'new:[0 TO 9]']
    LOOP
        EXECUTE 'SELECT count(*) FROM (SELECT doc FROM sessions.again OFFSET 0) AS _ WHERE doc @@@ $1::lucene_query' INTO expected USING q;
        SELECT coalesce(jsonb_agg(doc), '[]') INTO first FROM (SELECT doc FROM session_stream('again', q) AS doc LIMIT 10) AS _;
        FOR time IN 1..4 LOOP
            counted := session_count('again', q);
            answer := session_query('again', q);
            IF counted <> expected OR (answer->>'count')::bigint <> expected OR answer->'items' <> first THEN
                RAISE '%: %, asked % times', what, q, time USING DETAIL = format('expected %s, counted %s, answered %s', expected, counted, answer->>'count');
            END IF;
        END LOOP;
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.same(what text, got bigint, expected bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF got <> expected THEN RAISE '%: expected %, got %', what, expected, got; END IF;
END $$;
SELECT format('ALTER INDEX %s SET (fastupdate = off)', indexrelid::regclass) FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid
    WHERE indrelid = 'sessions.again'::regclass AND relam = 2742 \gexec
INSERT INTO sessions.again SELECT i, pg_temp.doc(i) FROM generate_series(1, 40000) AS i;
SELECT pg_temp.check('filled');
VACUUM (ANALYZE, INDEX_CLEANUP on) sessions.again;
SELECT pg_temp.check('vacuumed');
-- On pages that stay all-visible nothing is counted twice, and what comes later is.
INSERT INTO sessions.again SELECT i, pg_temp.doc(i) FROM generate_series(40001, 40100) AS i;
SELECT pg_temp.check('some more');
VACUUM sessions.again;
SELECT pg_temp.check('some more, vacuumed');
UPDATE sessions.again SET touched = 1 WHERE id::int % 997 = 0; -- as it is in the index (HOT), where there is room
SELECT pg_temp.check('touched');
UPDATE sessions.again SET doc = doc || '{"new": 3, "kind": "k1"}' WHERE id::int % 499 = 0 OR id::int < 5;
SELECT pg_temp.check('updated');
VACUUM (INDEX_CLEANUP on) sessions.again;
SELECT pg_temp.check('updated, vacuumed');
-- A few rows of pages that keep others: the visibility map looks as it did.
DELETE FROM sessions.again WHERE id::int % 1013 = 0;
VACUUM (INDEX_CLEANUP on) sessions.again;
SELECT pg_temp.check('thinned, vacuumed');
DELETE FROM sessions.again WHERE id::int BETWEEN 1 AND 700 OR id::int % 1009 = 0;
SELECT pg_temp.check('deleted');
VACUUM (INDEX_CLEANUP on) sessions.again;
SELECT pg_temp.check('deleted, vacuumed');
-- Into the places that have become free
INSERT INTO sessions.again SELECT i, pg_temp.doc(i) FROM generate_series(50001, 50600) AS i;
VACUUM (INDEX_CLEANUP on) sessions.again;
SELECT pg_temp.check('refilled');
BEGIN;
INSERT INTO sessions.again SELECT i, pg_temp.doc(i) FROM generate_series(60001, 60300) AS i;
SELECT pg_temp.check('in a transaction');
ROLLBACK;
SELECT pg_temp.check('after it was undone');
VACUUM (INDEX_CLEANUP on) sessions.again;
SELECT pg_temp.check('undone, vacuumed');
SELECT format('REINDEX INDEX %s', indexrelid::regclass) FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid
    WHERE indrelid = 'sessions.again'::regclass AND relam = 2742 \gexec
SELECT pg_temp.check('reindexed');
VACUUM FULL sessions.again;
SELECT pg_temp.check('rewritten');
VACUUM sessions.again;
SELECT pg_temp.check('rewritten, vacuumed');
-- Another column has an index of its own, which knows other rows: not those where it is null.
ALTER TABLE sessions.again ADD COLUMN other jsonb;
UPDATE sessions.again SET other = doc WHERE id::int % 4 = 0;
CREATE INDEX other ON sessions.again USING gin (other jsonb_lucene_ops);
VACUUM (ANALYZE, INDEX_CLEANUP on) sessions.again;
SELECT pg_temp.check('with another column');
SELECT pg_temp.same('rows with the other column', (SELECT count(*) FROM sessions.again WHERE other @@@ '-kind:k1'),
    (SELECT count(*) FROM (SELECT other FROM sessions.again OFFSET 0) AS _ WHERE other @@@ '-kind:k1'));
SELECT pg_temp.check('asked of the other column');
DROP INDEX sessions.other;
BEGIN;
TRUNCATE sessions.again;
SELECT pg_temp.check('empty');
INSERT INTO sessions.again SELECT i, pg_temp.doc(i) FROM generate_series(1, 20000) AS i;
SELECT pg_temp.check('filled in the transaction that emptied it');
COMMIT;
VACUUM sessions.again;
SELECT pg_temp.check('filled again');
SQL
echo 'same answers'
