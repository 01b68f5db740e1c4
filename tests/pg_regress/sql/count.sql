-- count(*) over @@@ takes the count of the scan, and makes no row for each match.
SELECT session_add('counted', key => 'id');
SELECT session_update('counted', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'n', i % 10, 't', CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END)))))
FROM generate_series(1, 20000) AS i;
VACUUM (ANALYZE) sessions.counted;
EXPLAIN (COSTS OFF) SELECT count(*) FROM sessions.counted WHERE doc @@@ 't:a';
EXPLAIN (COSTS OFF, VERBOSE) SELECT count(*) + 1 AS more, 'x', count(1) FROM sessions.counted WHERE doc @@@ 't:a' AND doc @@@ 'n:1';
SELECT count(*), count(*) + 1 AS more, 'x', count(1), count('x'), count(1) * 2 + count(*) FROM sessions.counted WHERE doc @@@ 't:a' AND doc @@@ 'n:1';
CREATE FUNCTION pg_temp.plan(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; found text := 'rows';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        IF line LIKE '%LuceneCount%' THEN found := 'count'; END IF;
    END LOOP;
    RETURN found;
END $$;
-- Which statements count and do nothing else
CREATE TABLE plain (id int, doc jsonb, other jsonb);
INSERT INTO plain SELECT i, jsonb_build_object('n', i % 10, 'i', i), '{"x": 1}' FROM generate_series(1, 5000) AS i;
CREATE INDEX plain_doc ON plain USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE plain;
CREATE VIEW of_plain AS SELECT id, doc FROM plain;
CREATE TABLE asked (n int, q text);
INSERT INTO asked VALUES (1, 'n:1'), (2, 'n:[2 TO 4]'), (3, NULL), (4, '*:*'), (5, 'none:x'), (6, '-n:5');
ANALYZE asked;
SELECT statement, pg_temp.plan(statement) FROM (VALUES
    ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(true) FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(*) FROM of_plain WHERE doc @@@ ''n:1'''),
    ('SELECT count(*) FROM plain AS p WHERE ''n:1'' IS NOT NULL AND p.doc @@@ ''n:1'''), ('SELECT DISTINCT count(*) FROM plain WHERE doc @@@ ''n:1'' ORDER BY 1 LIMIT 1'),
    ('SELECT (SELECT count(*) FROM plain WHERE doc @@@ ''n:1'')'), ('WITH c AS (SELECT count(*) FROM plain WHERE doc @@@ ''n:1'') SELECT * FROM c'), ('SELECT 1 WHERE 5 < (SELECT count(*) FROM plain WHERE doc @@@ ''n:1'')'),
    ('SELECT n, (SELECT count(*) FROM plain WHERE doc @@@ asked.q) FROM asked'), ('SELECT sum(count(*)) OVER () FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(*), generate_series(1, 2) FROM plain WHERE doc @@@ ''n:1'''),
    ('SELECT count(NULL) FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(id) FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(*), max(id) FROM plain WHERE doc @@@ ''n:1'''),
    ('SELECT count(*) FILTER (WHERE id > 1) FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(DISTINCT 1) FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'' HAVING count(*) > 1'),
    ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'' GROUP BY id'), ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'' GROUP BY ()'), ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'' AND id < 50'), ('SELECT count(*) FROM plain WHERE other @@@ ''x:1'''),
    ('SELECT count(*) FROM plain, asked WHERE doc @@@ ''n:1'''), ('SELECT count(*) FROM plain TABLESAMPLE SYSTEM (50) WHERE doc @@@ ''n:1'''), ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'' OR id = 1'),
    ('SELECT count(*) FROM (SELECT FROM plain WHERE doc @@@ ''n:1'' LIMIT 5) AS _'), ('SELECT count(*) FROM plain WHERE false AND doc @@@ ''n:1''')) AS _(statement);
SELECT count(NULL), count(*) FROM plain WHERE doc @@@ 'n:1';
SELECT count(*), generate_series(1, 2) FROM plain WHERE doc @@@ 'n:1';
SELECT sum(count(*)) OVER () FROM plain WHERE doc @@@ 'n:1';
-- Queries from elsewhere: outer rows, parameters, generic plans, null
SELECT n, (SELECT count(*) FROM plain WHERE doc @@@ asked.q), (SELECT count(*) FROM sessions.counted WHERE doc @@@ asked.q) FROM asked ORDER BY n;
SELECT sum(c) FROM asked, LATERAL (SELECT count(*) AS c FROM plain WHERE doc @@@ q) AS _;
PREPARE counting(text) AS SELECT count(*) FROM plain WHERE doc @@@ $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE counting('n:1');
EXECUTE counting('n:1');
EXECUTE counting('n:[1 TO 3]');
EXECUTE counting(NULL);
RESET plan_cache_mode;
CREATE FUNCTION pg_temp.counted(q text) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM plain WHERE doc @@@ q); END $$;
SELECT i, pg_temp.counted('n:' || i % 3) FROM generate_series(1, 8) AS i;
-- Cursors, forth and back
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT count(*) FROM plain WHERE doc @@@ 'n:1';
DELETE FROM plain WHERE id <= 100;
FETCH c;
FETCH c;
FETCH PRIOR FROM c;
SELECT count(*) FROM plain WHERE doc @@@ 'n:1';
ROLLBACK;
SELECT count(*) FROM plain WHERE doc @@@ 'n:1';
-- What a plan shows
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT count(*) FROM plain WHERE doc @@@ 'n:1';
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT n, (SELECT count(*) FROM plain WHERE doc @@@ asked.q) FROM asked WHERE n < 3;
SET session_store.enable_scan = off;
SELECT pg_temp.plan('SELECT count(*) FROM plain WHERE doc @@@ ''n:1''');
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM plain WHERE doc @@@ 'n:1';
RESET enable_seqscan;
RESET session_store.enable_scan;
-- Where nothing but the count is asked for, rows are not estimated from the index. Everywhere else they are.
CREATE FUNCTION pg_temp.is_estimated(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
    RETURN (plan->0->'Plan'->'Plans'->0->>'Plan Rows')::int BETWEEN 400 AND 600;
END $$;
SELECT statement, pg_temp.is_estimated(statement) FROM (VALUES ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'''), ('SELECT count(*) FROM plain WHERE doc @@@ ''n:1'' OR id = 1'),
    ('SELECT count(*) FROM plain WHERE NOT doc @@@ ''-n:1'''), ('SELECT count(*), max(id) FROM plain WHERE doc @@@ ''n:1''')) AS _(statement);
EXPLAIN (COSTS OFF) SELECT count(*) FROM plain WHERE doc @@@ 'i:4' OR doc @@@ 'i:5';
-- An index without rows is none.
CREATE TABLE few (id int PRIMARY KEY, doc jsonb);
INSERT INTO few SELECT id, doc FROM plain;
CREATE INDEX few_none ON few USING gin (doc jsonb_lucene_ops) WHERE false;
VACUUM ANALYZE few;
SELECT pg_temp.plan('SELECT count(*) FROM few WHERE doc @@@ ''n:1''');
SELECT count(*) FROM few WHERE doc @@@ 'n:1';
CREATE INDEX few_all ON few USING gin (doc jsonb_lucene_ops);
SELECT pg_temp.plan('SELECT count(*) FROM few WHERE doc @@@ ''n:1''');
SELECT count(*) FROM few WHERE doc @@@ 'n:1';
DROP TABLE few;
-- Partitions, one of them without an index, and one that inherits
CREATE TABLE parted (id int, doc jsonb) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (3000);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (3000) TO (6000) PARTITION BY LIST (id);
CREATE TABLE parted_3 PARTITION OF parted_2 DEFAULT;
CREATE TABLE parted_4 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT id, doc FROM plain UNION ALL SELECT id + 6000, doc FROM plain;
CREATE INDEX ON parted_1 USING gin (doc jsonb_lucene_ops);
CREATE INDEX ON parted_3 USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE parted;
EXPLAIN (COSTS OFF) SELECT count(*) FROM parted WHERE doc @@@ 'n:1';
SELECT count(*) FROM parted WHERE doc @@@ 'n:1';
SELECT count(*) FROM parted WHERE doc @@@ 'n:1' AND id < 3000;
SELECT count(*) FROM parted_2 WHERE doc @@@ 'n:1';
SELECT n, (SELECT count(*) FROM parted WHERE doc @@@ asked.q) FROM asked ORDER BY n;
SET enable_partitionwise_aggregate = on;
SELECT count(*) FROM parted WHERE doc @@@ 'n:1';
RESET enable_partitionwise_aggregate;
CREATE TABLE heir () INHERITS (plain);
INSERT INTO heir SELECT * FROM ONLY plain WHERE id <= 100;
SELECT count(*) FROM plain WHERE doc @@@ 'n:1';
SELECT count(*) FROM ONLY plain WHERE doc @@@ 'n:1';
DROP TABLE heir;
-- Policies and rights
CREATE ROLE regress_count;
GRANT SELECT ON plain TO regress_count;
ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
CREATE POLICY part ON plain TO regress_count USING (id % 2 = 0);
SET ROLE regress_count;
SELECT pg_temp.plan('SELECT count(*) FROM plain WHERE doc @@@ ''n:2''');
SELECT count(*), (SELECT count(*) FROM plain WHERE doc @@@ 'n:1') FROM plain WHERE doc @@@ 'n:2';
RESET ROLE;
ALTER POLICY part ON plain USING (current_setting('regress.open', true) = 'yes');
SET ROLE regress_count;
SELECT count(*) FROM plain WHERE doc @@@ 'n:2';
SET regress.open = 'yes';
SELECT count(*) FROM plain WHERE doc @@@ 'n:2';
RESET ROLE;
REVOKE SELECT ON plain FROM regress_count;
SET ROLE regress_count;
SELECT count(*) FROM plain WHERE doc @@@ 'n:2';
RESET ROLE;
DROP TABLE asked, parted;
DROP TABLE plain CASCADE;
DROP ROLE regress_count;
-- Every class of queries, with changes and without: as the store's own count, and as reading every document.
SELECT q, c = session_count('counted', q) AS same, c FROM unnest(ARRAY['*:*', 't:a', 't:a AND n:[2 TO 5]', 't:a OR n:7', '-t:a', 'n:*', 't:/a|b/', 'id:17', 'none:*', '7', 't:?', 'n:[* TO 4}']) AS q,
    LATERAL (SELECT count(*) AS c FROM sessions.counted WHERE doc @@@ q) AS _;
BEGIN;
DELETE FROM sessions.counted WHERE (doc->>'id')::int % 5 = 0;
UPDATE sessions.counted SET doc = doc || '{"t": "c"}' WHERE (doc->>'id')::int % 7 = 0;
SELECT count(*), session_count('counted', 't:c') FROM sessions.counted WHERE doc @@@ 't:c';
SELECT count(*), session_count('counted', '*:*') FROM sessions.counted WHERE doc @@@ '*:*';
SELECT count(*), session_count('counted', 't:b') FROM sessions.counted WHERE doc @@@ 't:b';
ROLLBACK;
SELECT count(*), session_count('counted', 't:c') FROM sessions.counted WHERE doc @@@ 't:c';
SELECT session_drop('counted');
