-- The scan that plain SQL gets for `column @@@ query`: for which statements there is one, and that each of them means what it says.
CREATE TABLE scanned (id int PRIMARY KEY, doc jsonb, more jsonb, n int DEFAULT 0) WITH (autovacuum_enabled = off, fillfactor = 80);
INSERT INTO scanned SELECT i,
    CASE i % 10 WHEN 0 THEN NULL WHEN 1 THEN to_jsonb(i) WHEN 2 THEN jsonb_build_array(i, jsonb_build_object('a', i % 100))
        ELSE jsonb_build_object('a', i % 100, 'b', jsonb_build_object('c', 'word ' || i % 7)) END,
    jsonb_build_object('a', i % 100)
FROM generate_series(1, 5000) AS i;
-- Values that the index has not all of
INSERT INTO scanned SELECT i, jsonb_build_object('long', repeat('x', 300) || i) FROM generate_series(5001, 5100) AS i;
CREATE INDEX scanned_doc ON scanned USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE scanned;

-- Rows that are only counted, and rows that are read
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a : 7';
EXPLAIN (COSTS off) SELECT id, doc FROM scanned WHERE doc @@@ 'a:7' ORDER BY id;
EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT id FROM scanned WHERE doc @@@ 'long:x*2';
SELECT count(*), min(id), max(id) FROM scanned WHERE doc @@@ 'long:x*2';
EXPLAIN (COSTS off) SELECT EXISTS (SELECT FROM scanned WHERE doc @@@ 'a:7');
EXPLAIN (COSTS off) SELECT 1 + count(*), 'x' FROM (SELECT 1 FROM scanned WHERE doc @@@ 'a:7' OFFSET 0) AS _;
EXPLAIN (COSTS off) SELECT random() FROM scanned WHERE doc @@@ 'a:7' AND random() < 2;
SELECT count(r), count(DISTINCT r) > 1 AS each_of_its_own FROM (SELECT random() AS r FROM scanned WHERE doc @@@ 'a:7' AND random() < 2 OFFSET 0) AS _;
-- System columns are of rows that are read.
EXPLAIN (COSTS off) SELECT tableoid FROM scanned WHERE doc @@@ 'a:7';
SELECT count(DISTINCT ctid), count(DISTINCT tableoid), min(tableoid::regclass::text), bool_and(xmin::text::bigint > 0) FROM scanned WHERE doc @@@ 'a:7';
SELECT s FROM scanned AS s WHERE doc @@@ 'a:7' ORDER BY id LIMIT 2;

-- With other conditions, several queries, in joins and subqueries
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7' AND more @@@ 'a:7' AND n = 0;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7' AND doc @@@ '-b.c:"word 3"';
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7' AND doc @@@ '-b.c:"word 3"';
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7 -b.c:"word 3"';
EXPLAIN (COSTS off) SELECT id FROM scanned WHERE doc @@@ 'a:7' AND id = 107;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned AS one JOIN scanned AS two ON two.id = one.id + 1 WHERE one.doc @@@ 'a:7' AND two.doc @@@ 'a:8';
SELECT count(*) FROM scanned AS one JOIN scanned AS two ON two.id = one.id + 1 WHERE one.doc @@@ 'a:7' AND two.doc @@@ 'a:8';
SELECT count(*) FROM scanned AS one, scanned AS two WHERE one.doc @@@ 'a:7' AND two.doc @@@ 'a:8';
SELECT count(*) FROM scanned AS one LEFT JOIN scanned AS two ON two.id = one.id AND two.doc @@@ 'a:[7 TO 8]' WHERE one.doc @@@ 'a:(7 9)' AND two.id IS NULL;
SELECT id FROM scanned WHERE id IN (SELECT id + 1 FROM scanned WHERE doc @@@ 'a:7') AND doc @@@ 'a:8' AND id < 300 ORDER BY id;
SELECT id FROM scanned WHERE doc @@@ 'a:7' AND id < 300 UNION ALL SELECT id FROM scanned WHERE doc @@@ 'a:8' AND id < 300 ORDER BY 1;

-- Nothing to be answered so: alternatives, a query of the row's own or a new one for each, a sample, an index of some rows or of an expression
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7' OR doc @@@ 'a:8';
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ format('a:%s', n)::lucene_query;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ format('a:%s', random())::lucene_query;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned TABLESAMPLE system (50) WHERE doc @@@ 'a:7';
CREATE INDEX scanned_more ON scanned USING gin (more jsonb_lucene_ops) WHERE id > 10;
CREATE INDEX scanned_part ON scanned USING gin ((more->'a') jsonb_lucene_ops);
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE more @@@ 'a:7' AND id > 10;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE more->'a' @@@ '7';
DROP INDEX scanned_more, scanned_part;
-- One on another column, of a name of its own
CREATE INDEX scanned_more ON scanned USING gin (more jsonb_lucene_ops);
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE more @@@ 'a:7';
SELECT count(*) FROM scanned WHERE more @@@ 'a:7';
SELECT count(*) FROM scanned WHERE more @@@ 'a:7' AND doc @@@ 'a:7';
DROP INDEX scanned_more;
RESET enable_seqscan;
-- Nor where another way is cheaper, to the first rows say
EXPLAIN (COSTS off) SELECT id FROM scanned WHERE doc @@@ 'a:*' LIMIT 5;
-- Or where it is switched off
SET session_store.enable_scan = off;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
EXPLAIN (COSTS off) SELECT id FROM scanned WHERE doc @@@ 'a:7';
RESET session_store.enable_scan;

-- The same in all ways, with all visible and with writes since: by the table, by a bitmap scan, by counting and by reading rows
CREATE FUNCTION pg_temp.ways(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    ids text := format('SELECT coalesce(md5(string_agg(id::text, '' '' ORDER BY id)), ''none'') FROM scanned WHERE doc @@@ %L', q);
    counted text := format('SELECT count(*) FROM scanned WHERE doc @@@ %L', q);
    plan text;
    by_table text; by_bitmap text; by_scan text; n bigint; n_by_scan bigint;
BEGIN
    SET LOCAL session_store.enable_scan = off;
    SET LOCAL enable_bitmapscan = off;
    EXECUTE ids INTO by_table;
    EXECUTE counted INTO n;
    SET LOCAL enable_bitmapscan = on;
    SET LOCAL enable_seqscan = off;
    EXECUTE ids INTO by_bitmap;
    SET LOCAL session_store.enable_scan = on;
    SET LOCAL enable_bitmapscan = off;
    EXECUTE ids INTO by_scan;
    EXECUTE counted INTO n_by_scan;
    EXECUTE 'EXPLAIN (FORMAT json) ' || counted INTO plan;
    SET LOCAL enable_bitmapscan = on;
    SET LOCAL enable_seqscan = on;
    IF plan !~ 'LuceneScan' THEN RETURN 'no scan'; END IF;
    IF by_table = by_bitmap AND by_table = by_scan AND n = n_by_scan THEN RETURN n; END IF;
    RETURN format('%s %s %s, %s %s', by_table, by_bitmap, by_scan, n, n_by_scan);
END $$;
CREATE TABLE scan_queries AS SELECT q FROM unnest(ARRAY['a:7', '-a:7', 'a:[90 TO *]', '*:*', 'a:* AND -b.c:"word 3"', 'b.c:wor*5', '7', '(42 b.c:*)', 'z:1', 'b:*', '(-a:7)',
    'long:x*', 'long:x*9', '-long:x*9', 'long:' || repeat('x', 300) || '5050', 'a:7 OR long:*1', 'b.c:/word [1-3]/', 'b.c:ward~']) AS q;
SET client_min_messages = warning;
SELECT q, pg_temp.ways(q) FROM (SELECT left(q, 30) AS short, q FROM scan_queries) AS _(q, full_q) WHERE q = full_q ORDER BY q COLLATE "C";
SELECT pg_temp.ways(q) FROM scan_queries WHERE length(q) > 30;
UPDATE scanned SET n = 1 WHERE id % 3 = 0;
UPDATE scanned SET doc = '{"a": 7, "b": {"c": "word 3"}}' WHERE id % 97 = 0;
DELETE FROM scanned WHERE id % 89 = 0;
INSERT INTO scanned (id, doc) SELECT i, jsonb_build_object('a', i % 100) FROM generate_series(6001, 6200) AS i;
SELECT left(q, 30) AS q, pg_temp.ways(q) FROM scan_queries ORDER BY scan_queries.q COLLATE "C";
VACUUM scanned;
SELECT left(q, 30) AS q, pg_temp.ways(q) FROM scan_queries ORDER BY scan_queries.q COLLATE "C";
RESET client_min_messages;

-- Writes that find their rows so
SET enable_seqscan = off;
EXPLAIN (COSTS off) UPDATE scanned SET n = 2 WHERE doc @@@ 'a:11';
UPDATE scanned SET n = 2 WHERE doc @@@ 'a:11' AND id < 500 RETURNING id, n, doc;
UPDATE scanned SET doc = '{"a": 12}', n = 3 WHERE doc @@@ 'a:11';
SELECT count(*), count(*) FILTER (WHERE n = 3) FROM scanned WHERE doc @@@ 'a:(11 12)';
DELETE FROM scanned WHERE doc @@@ 'a:12' AND n = 3;
SELECT count(*), max(n) FROM scanned WHERE doc @@@ 'a:(11 12)';
EXPLAIN (COSTS off) SELECT id FROM scanned WHERE doc @@@ 'a:13' FOR UPDATE;
SELECT count(*) FROM (SELECT id FROM scanned WHERE doc @@@ 'a:13' FOR UPDATE) AS _;
INSERT INTO scanned SELECT id + 100000, doc FROM scanned WHERE doc @@@ 'a:13';
SELECT count(*) FROM scanned WHERE doc @@@ 'a:13';
WITH gone AS (DELETE FROM scanned WHERE doc @@@ 'a:13' AND id > 100000 RETURNING id) SELECT count(*), (SELECT count(*) FROM scanned WHERE doc @@@ 'a:13') AS still_seen FROM gone;
RESET enable_seqscan;

-- A statement sees what was there when it began; a cursor, too.
BEGIN;
DECLARE counted CURSOR FOR SELECT count(*) FROM scanned WHERE doc @@@ 'a:14';
DECLARE listed CURSOR FOR SELECT id, n FROM scanned WHERE doc @@@ 'a:14' AND id < 1000;
FETCH 2 FROM listed;
SAVEPOINT s;
UPDATE scanned SET n = 9 WHERE doc @@@ 'a:14';
DELETE FROM scanned WHERE doc @@@ 'a:14' AND id > 500;
INSERT INTO scanned (id, doc) VALUES (200000, '{"a": 14}');
SELECT count(*) FROM scanned WHERE doc @@@ 'a:14';
FETCH 1 FROM listed;
ROLLBACK TO s;
FETCH ALL FROM listed;
SELECT count(*) FROM scanned WHERE doc @@@ 'a:14';
DELETE FROM scanned WHERE doc @@@ 'a:14';
FETCH counted;
ROLLBACK;
-- There and back
BEGIN;
EXPLAIN (COSTS off) DECLARE there SCROLL CURSOR FOR SELECT id FROM scanned WHERE doc @@@ 'a:14' AND id < 500;
DECLARE there SCROLL CURSOR FOR SELECT id FROM scanned WHERE doc @@@ 'a:14' AND id < 500;
FETCH 3 FROM there;
FETCH BACKWARD 2 FROM there;
FETCH ALL FROM there;
MOVE ABSOLUTE 0 IN there;
FETCH 1 FROM there;
DECLARE held CURSOR WITH HOLD FOR SELECT id FROM scanned WHERE doc @@@ 'a:14' AND id < 500;
FETCH 1 FROM held;
COMMIT;
FETCH ALL FROM held;
CLOSE held;
-- The row that a cursor is at, also of one that needs no column
BEGIN;
DECLARE at CURSOR FOR SELECT n FROM scanned WHERE doc @@@ 'a:15';
DECLARE at_none CURSOR FOR SELECT 1 AS one FROM scanned WHERE doc @@@ 'a:15';
MOVE 2 FROM at;
MOVE 3 FROM at_none;
UPDATE scanned SET n = 15 WHERE CURRENT OF at RETURNING id;
DELETE FROM scanned WHERE CURRENT OF at_none RETURNING id;
SELECT id, n FROM scanned WHERE doc @@@ 'a:15' ORDER BY id LIMIT 3;
ROLLBACK;

-- Asked again and again, with other queries and the same
EXPLAIN (COSTS off) SELECT v.a, o.id FROM (VALUES (7), (8)) AS v(a), LATERAL (SELECT id FROM scanned WHERE doc @@@ format('a:%s', v.a)::lucene_query OFFSET 0) AS o;
SELECT v.a, count(o.id), min(o.id) FROM (VALUES (7), (8), (7), (1000), (8)) AS v(a), LATERAL (SELECT id FROM scanned WHERE doc @@@ format('a:%s', v.a)::lucene_query OFFSET 0) AS o GROUP BY v.a ORDER BY v.a;
SELECT v.a, (SELECT count(*) FROM scanned WHERE doc @@@ format('a:%s', v.a)::lucene_query) FROM (VALUES (7), (8), (7), (7), (1000), (8)) AS v(a);
SELECT v.q, (SELECT count(*) FROM scanned WHERE doc @@@ v.q), EXISTS (SELECT FROM scanned WHERE doc @@@ v.q) FROM (VALUES (lucene_query 'a:7'), (NULL), ('a:1000'), ('a:1000 OR a:7'), (NULL)) AS v(q);
SELECT v.a FROM (VALUES (7), (8), (1000)) AS v(a) WHERE EXISTS (SELECT 1 FROM scanned WHERE doc @@@ format('a:%s', v.a)::lucene_query) ORDER BY 1;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_indexscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT count(*) FROM (VALUES (7), (107), (7)) AS v(id) LEFT JOIN scanned AS s ON s.id = v.id AND s.doc @@@ 'a:7';
SELECT v.id, s.doc FROM (VALUES (7), (107), (8), (7)) AS v(id) LEFT JOIN scanned AS s ON s.id = v.id AND s.doc @@@ 'a:7';
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material; RESET enable_indexscan; RESET enable_bitmapscan;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ (SELECT 'a:7'::lucene_query FROM pg_class LIMIT 1);
SELECT count(*) FROM scanned WHERE doc @@@ (SELECT 'a:7'::lucene_query FROM pg_class LIMIT 1);

-- Prepared: planned for each query, and once for all
PREPARE scan_count(lucene_query) AS SELECT count(*) FROM scanned WHERE doc @@@ $1;
PREPARE scan_rows(lucene_query, int) AS SELECT id, n FROM scanned WHERE doc @@@ $1 AND id < $2 ORDER BY id;
EXECUTE scan_count('a:7');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS off) EXECUTE scan_count('a:7');
EXECUTE scan_count('a:7');
EXECUTE scan_count('a:8 OR a:9');
EXECUTE scan_count(NULL);
EXECUTE scan_rows('a:8', 300);
EXECUTE scan_rows('a:9', 200);
-- Kept, and given up with its index
DROP INDEX scanned_doc;
EXPLAIN (COSTS off) EXECUTE scan_count('a:7');
EXECUTE scan_count('a:7');
CREATE INDEX scanned_doc ON scanned USING gin (doc jsonb_lucene_ops);
EXPLAIN (COSTS off) EXECUTE scan_count('a:7');
EXECUTE scan_count('a:7');
RESET plan_cache_mode;
-- Written out as text, into the server's log
SET debug_print_plan = on;
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7' AND n < 5;
RESET debug_print_plan;

-- In functions: errors on the way leave nothing behind.
CREATE FUNCTION pg_temp.loop(q lucene_query) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    seen int := 0;
    failed int := 0;
BEGIN
    FOR r IN SELECT id FROM scanned WHERE doc @@@ q LOOP
        BEGIN
            seen := seen + 1;
            PERFORM 1 / ((SELECT count(*) FROM scanned WHERE doc @@@ 'a:7' AND id = r.id) - 1);
            PERFORM sum(1 / (id - r.id)) FROM scanned WHERE doc @@@ q;
        EXCEPTION WHEN division_by_zero THEN
            failed := failed + 1;
        END;
    END LOOP;
    RETURN format('%s seen, %s failed', seen, failed);
END $$;
SELECT pg_temp.loop('a:7'), pg_temp.loop('a:[7 TO 8]');
SELECT count(1 / (id - 207)) FROM scanned WHERE doc @@@ 'a:7';
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7' AND 1 / (id - 207) > -5;
CREATE FUNCTION scan_by_sql(q text) RETURNS SETOF int STABLE LANGUAGE sql AS $$ SELECT id FROM scanned WHERE doc @@@ q::lucene_query ORDER BY id $$;
SELECT count(*) FROM scan_by_sql('a:7');
SELECT * FROM scan_by_sql('a:7') LIMIT 2;
DROP FUNCTION scan_by_sql;
-- NOW is the transaction's, also in a plan that is kept.
CREATE TABLE scan_moments AS SELECT jsonb_build_object('t', to_char(now() AT TIME ZONE 'UTC' + hour * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS doc
FROM unnest(array[-30, -2, 2]) AS hour, generate_series(1, 1000);
CREATE INDEX ON scan_moments USING gin (doc jsonb_lucene_ops);
ANALYZE scan_moments;
PREPARE scan_moment AS SELECT count(*) FROM scan_moments WHERE doc @@@ 't:[NOW-1DAY TO NOW]';
EXPLAIN (COSTS off) EXECUTE scan_moment;
EXECUTE scan_moment;
EXECUTE scan_moment;
DROP TABLE scan_moments;

-- A view and a rule of the table's in a session that has not loaded the library yet
CREATE VIEW scan_view AS SELECT id FROM scanned WHERE doc @@@ 'a:7';
\c -
EXPLAIN (COSTS off) SELECT count(*) FROM scan_view;
\c -
SELECT count(*) FROM scan_view;
\c -
PREPARE from_view AS SELECT id FROM scan_view WHERE id < 300 ORDER BY id;
EXPLAIN (COSTS off) EXECUTE from_view;
EXECUTE from_view;
\c -
SET session_store.enable_scan = off;
EXPLAIN (COSTS off) SELECT count(*) FROM scan_view;
RESET session_store.enable_scan;
DROP VIEW scan_view;

-- Partitions and children, each read in its own way
CREATE TABLE scan_parts (id int, doc jsonb) PARTITION BY RANGE (id);
CREATE TABLE scan_part_1 PARTITION OF scan_parts FOR VALUES FROM (0) TO (3000);
CREATE TABLE scan_part_2 (doc jsonb, filler text, id int);
ALTER TABLE scan_part_2 DROP COLUMN filler;
ALTER TABLE scan_parts ATTACH PARTITION scan_part_2 FOR VALUES FROM (3000) TO (10000);
INSERT INTO scan_parts SELECT id, doc FROM scanned;
CREATE INDEX scan_parts_doc ON scan_parts USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE scan_parts;
EXPLAIN (COSTS off) SELECT count(*) FROM scan_parts WHERE doc @@@ 'a:7';
SELECT count(*) FROM scan_parts WHERE doc @@@ 'a:7';
SELECT tableoid::regclass, count(*), min(id), max(id) FROM scan_parts WHERE doc @@@ 'a:7' GROUP BY 1 ORDER BY 1;
UPDATE scan_parts SET id = 10000 - id WHERE doc @@@ 'a:7' AND id BETWEEN 2500 AND 3500;
SELECT tableoid::regclass, count(*) FROM scan_parts WHERE doc @@@ 'a:7' GROUP BY 1 ORDER BY 1;
EXPLAIN (COSTS off) SELECT id FROM scan_parts WHERE doc @@@ 'a:7' AND id < 100;
BEGIN;
DECLARE at CURSOR FOR SELECT 1 AS one FROM scan_parts WHERE doc @@@ 'a:7';
MOVE 40 FROM at;
DELETE FROM scan_parts WHERE CURRENT OF at RETURNING tableoid::regclass;
ROLLBACK;
DROP TABLE scan_parts;
CREATE TABLE scan_child () INHERITS (scanned);
INSERT INTO scan_child SELECT id + 50000, doc FROM scanned WHERE id <= 2000;
CREATE INDEX scan_child_doc ON scan_child USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE scan_child;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
SELECT (SELECT count(*) FROM scanned WHERE doc @@@ 'a:7'), (SELECT count(*) FROM ONLY scanned WHERE doc @@@ 'a:7');
DROP TABLE scan_child;

-- Privileges on the table and its columns are asked for as ever.
CREATE ROLE session_store_scanner;
GRANT SELECT (id) ON scanned TO session_store_scanner;
SET ROLE session_store_scanner;
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
RESET ROLE;
GRANT SELECT (doc) ON scanned TO session_store_scanner;
SET ROLE session_store_scanner;
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
SELECT count(n) FROM scanned WHERE doc @@@ 'a:7';
RESET ROLE;
-- Row-level security: @@@ is leakproof, so what the user asks is asked of the index before a policy's conditions.
GRANT SELECT ON scanned TO session_store_scanner;
ALTER TABLE scanned ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_word ON scanned TO session_store_scanner USING (doc @@@ 'b.c:"word 3"');
SET ROLE session_store_scanner;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
SELECT count(*), count(*) FILTER (WHERE doc @@@ 'b.c:"word 3"') FROM scanned WHERE doc @@@ 'a:7';
EXPLAIN (COSTS off) SELECT count(*) FROM scanned;
SELECT count(*) FROM scanned;
RESET ROLE;
DROP POLICY by_word ON scanned;
CREATE POLICY by_id ON scanned TO session_store_scanner USING (id < 1000);
SET ROLE session_store_scanner;
EXPLAIN (COSTS off) SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
RESET ROLE;
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7 AND b.c:"word 3"';
ALTER TABLE scanned DISABLE ROW LEVEL SECURITY;
CREATE VIEW scan_barrier WITH (security_barrier) AS SELECT * FROM scanned WHERE id < 1000;
EXPLAIN (COSTS off) SELECT count(*) FROM scan_barrier WHERE doc @@@ 'a:7';
SELECT count(*) FROM scan_barrier WHERE doc @@@ 'a:7';
DROP VIEW scan_barrier;
DROP OWNED BY session_store_scanner;
DROP ROLE session_store_scanner;

-- Tables of other kinds
CREATE TEMP TABLE scan_temp AS SELECT id, doc FROM scanned;
CREATE INDEX ON scan_temp USING gin (doc jsonb_lucene_ops);
ANALYZE scan_temp;
EXPLAIN (COSTS off) SELECT count(*) FROM scan_temp WHERE doc @@@ 'a:7';
SELECT count(*), (SELECT count(*) FROM scan_temp WHERE doc @@@ 'a:7') FROM (SELECT id FROM scan_temp WHERE doc @@@ 'a:7' OFFSET 0) AS _;
CREATE MATERIALIZED VIEW scan_kept AS SELECT id, doc FROM scanned;
CREATE INDEX ON scan_kept USING gin (doc jsonb_lucene_ops);
ANALYZE scan_kept;
EXPLAIN (COSTS off) SELECT id FROM scan_kept WHERE doc @@@ 'a:7';
SELECT count(*), (SELECT count(*) FROM scan_kept WHERE doc @@@ 'a:7') FROM (SELECT id FROM scan_kept WHERE doc @@@ 'a:7' OFFSET 0) AS _;
CREATE UNLOGGED TABLE scan_unlogged AS SELECT id, doc FROM scanned;
CREATE INDEX ON scan_unlogged USING gin (doc jsonb_lucene_ops);
SELECT count(*), (SELECT count(*) FROM scan_unlogged WHERE doc @@@ 'a:7') FROM (SELECT id FROM scan_unlogged WHERE doc @@@ 'a:7' OFFSET 0) AS _;
DROP TABLE scan_temp, scan_unlogged;
DROP MATERIALIZED VIEW scan_kept;
-- Statistics count it as a scan of the index.
BEGIN;
SELECT pg_stat_get_xact_numscans('scanned_doc'::regclass) AS before \gset
SELECT count(*), (SELECT count(n) FROM scanned WHERE doc @@@ 'a:8') FROM scanned WHERE doc @@@ 'a:7';
SELECT pg_stat_get_xact_numscans('scanned_doc'::regclass) - :before AS scans;
COMMIT;
-- In a serializable transaction, and with parallel workers about
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
SELECT count(*) FROM (SELECT id FROM scanned WHERE doc @@@ 'a:7' OFFSET 0) AS _;
SELECT mode, relation::regclass FROM pg_locks WHERE mode = 'SIReadLock' AND pid = pg_backend_pid() AND locktype = 'relation';
COMMIT;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM scanned AS one JOIN scanned AS two USING (id) WHERE one.doc @@@ 'a:7' AND two.n >= 0;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;

-- Read only
SET default_transaction_read_only = on;
SELECT count(*) FROM scanned WHERE doc @@@ 'a:7';
RESET default_transaction_read_only;
DROP TABLE scanned, scan_queries;
