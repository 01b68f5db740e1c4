-- The type lucene_query and the operator @@@, on any jsonb column of any table.
-- A query is checked when it is read, and kept in its canonical form, which reads as itself.
SELECT q, q::lucene_query, q::lucene_query::text::lucene_query::text = q::lucene_query::text AS same
FROM unnest(array['a:1', ' a : 1 ', 'a AND b OR c', 'NOT a', 'a:(b +c)', 'a:"x y"~3^2', 'a:[1 TO *}', 'a:te?t*', 'a:/[rf]oam/', 'roam~1', '*', 'a:*', 'a\:b:\*',
    'a:NOW-1DAY/DAY', '/* nothing */ a', '{!term f=a}x y', 'größe:"数据"', '"\\"']) AS q;
SELECT lucene_query 'a && b' AS literal, CAST('a || b' AS lucene_query) AS cast, 'x'::text::lucene_query::text AS text;
SELECT pg_typeof(lucene_query 'a'), array['a:1', 'b:"c, d"']::lucene_query[];

-- An error shows the place.
SELECT 'a:[1 T 5]'::lucene_query;
\echo :LAST_ERROR_SQLSTATE
SELECT 'straße:(ü OR ö'::lucene_query;
SELECT ''::lucene_query;
SELECT '{!func}a'::lucene_query;
\echo :LAST_ERROR_SQLSTATE
SELECT '{}'::jsonb @@@ 'a:"b';
SELECT (repeat('(', 1000) || 'a' || repeat(')', 1000))::lucene_query;
\echo :LAST_ERROR_SQLSTATE
-- What only looks right is mentioned, once: when the query is read.
SELECT '{"a": 20}'::jsonb @@@ 'a:>10';
SELECT count(*) FROM generate_series(1, 3) AS i WHERE jsonb_build_object('a', i) @@@ '(-a:1) OR a:2';

-- Documents of any kind: objects, arrays, scalars, nulls.
SELECT doc, doc @@@ 'a:1' AS "a:1", doc @@@ '-a:1' AS "-a:1", doc @@@ 'a:*' AS "a:*", doc @@@ '1' AS "1", doc @@@ '*' AS "*"
FROM unnest(array['{"a": 1}', '{"a": [2, "1"]}', '{"a": null}', '{"a": {}}', '{}', '[{"a": 1}, 7]', '[1]', '[]', '1', '"1"', 'true', 'null', NULL]::jsonb[]) AS doc;
SELECT NULL::jsonb @@@ 'a', '{}'::jsonb @@@ NULL;

-- A table with the index, documents that are missing or no objects among them
CREATE TABLE operated (id int PRIMARY KEY, doc jsonb, more jsonb);
INSERT INTO operated SELECT i,
    CASE i % 10 WHEN 0 THEN NULL WHEN 1 THEN to_jsonb(i) WHEN 2 THEN jsonb_build_array(i, jsonb_build_object('a', i % 100))
        ELSE jsonb_build_object('a', i % 100, 'b', jsonb_build_object('c', 'word ' || i % 7)) END,
    jsonb_build_object('n', i)
FROM generate_series(1, 2000) AS i;
CREATE INDEX ON operated USING gin (doc jsonb_lucene_ops);
\d operated
ANALYZE operated;
CREATE TABLE operator_queries AS SELECT q::lucene_query FROM unnest(array['a:7', '-a:7', 'a:[90 TO *]', '*', 'a:* AND -b.c:"word 3"', 'b.c:wor*5', '7', '(42 b.c:*)', 'z:1', 'b:*']) AS q;
CREATE FUNCTION pg_temp.count(q lucene_query) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    scan text;
    n bigint;
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (COSTS off) SELECT count(*) FROM operated WHERE doc @@@ %L', q) LOOP
        scan := coalesce(scan, substring(line FROM '(Seq Scan|Bitmap Heap Scan|Index Scan|Custom Scan)'));
    END LOOP;
    EXECUTE format('SELECT count(*) FROM operated WHERE doc @@@ %L', q) INTO n;
    RETURN n || ', ' || scan;
END $$;
SET enable_seqscan = off;
CREATE TABLE operator_counts AS SELECT q, pg_temp.count(q) AS by_lists FROM operator_queries;
SET session_store.enable_scan = off;
ALTER TABLE operator_counts ADD by_index text;
UPDATE operator_counts SET by_index = pg_temp.count(q);
SET enable_seqscan = on;
SET enable_bitmapscan = off;
SELECT q, by_lists, by_index, pg_temp.count(q) AS by_table FROM operator_counts ORDER BY q::text COLLATE "C";
RESET enable_bitmapscan;
RESET session_store.enable_scan;
-- Estimates come from the index.
CREATE FUNCTION pg_temp.estimated(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json; n bigint;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM operated WHERE doc @@@ %L', q) INTO plan;
    EXECUTE format('SELECT count(*) FROM operated WHERE doc @@@ %L', q) INTO n;
    n := greatest(n, 1);
    RETURN CASE WHEN (plan->0->'Plan'->>'Plan Rows')::float8 / n BETWEEN 0.5 AND 2 THEN 'near' ELSE format('%s for %s', plan->0->'Plan'->>'Plan Rows', n) END;
END $$;
SELECT q, pg_temp.estimated(q) FROM unnest(array['a:7', 'a:[90 TO *]', '-a:7', 'b.c:"word 3"', 'b.c:wor*', 'z:1', '*']) AS q;

-- With other conditions, in a join, as a join
EXPLAIN (COSTS off) SELECT * FROM operated WHERE doc @@@ 'a:7' AND id > 100;
SELECT count(*) FROM operated AS one JOIN operated AS two ON two.id = one.id + 1 WHERE one.doc @@@ 'a:7' AND two.doc @@@ 'a:8';
SELECT q.q::text, count(o.id) FROM operator_queries AS q LEFT JOIN operated AS o ON o.doc @@@ q.q GROUP BY q.q::text ORDER BY q.q::text COLLATE "C";
-- A query for each row, read by the index for each; by PostgreSQL's own scan of it, too
EXPLAIN (COSTS off) SELECT v.a, o.id FROM (VALUES (7), (8)) AS v(a), LATERAL (SELECT id FROM operated WHERE doc @@@ format('a:%s', v.a)::lucene_query OFFSET 0) AS o;
SET session_store.enable_scan = off;
EXPLAIN (COSTS off) SELECT v.a, o.id FROM (VALUES (7), (8)) AS v(a), LATERAL (SELECT id FROM operated WHERE doc @@@ format('a:%s', v.a)::lucene_query OFFSET 0) AS o;
SELECT v.a, count(o.id) FROM (VALUES (7), (8)) AS v(a), LATERAL (SELECT id FROM operated WHERE doc @@@ format('a:%s', v.a)::lucene_query OFFSET 0) AS o GROUP BY v.a ORDER BY v.a;
RESET session_store.enable_scan;
SELECT v.a, count(*) FROM (VALUES (7), (8), (1000)) AS v(a), operated WHERE doc @@@ format('a:%s', v.a)::lucene_query GROUP BY v.a ORDER BY v.a;
-- Queries that come again with each row are kept, and answer as each does alone: simple ones, with NOW, and
-- such as are not simple, which nobody tries again to read as simple.
CREATE TABLE repeated AS SELECT q FROM operator_queries UNION ALL SELECT unnest(array['+a:[3 TO 60} -b.c:"word 3"', 'a:7.0',
    'a:(7 8 -9)', 'b.c:?ord*', 'b.c:/word [0-5]/', 'b.c:wird\ 2~1', 'b.c:wor*', '+(a:3 a:13) -(b:* -b.c:word*)', 'a:true',
    'a:[NOW-30DAYS TO NOW]', 'a:[1970 TO 1970-01-01T00:00:00Z]', 'b.c:word\ 4', repeat('a:1 ', 200) || 'a:7']::lucene_query[]);
CREATE TABLE answered AS SELECT array(SELECT q FROM repeated WHERE doc @@@ q) AS queries FROM operated;
SELECT left(q::text, 40) AS q, (SELECT count(*) FROM answered WHERE q = ANY (queries)) AS found FROM repeated
WHERE (SELECT count(*) FROM answered WHERE q = ANY (queries))::text <> split_part(pg_temp.count(q), ',', 1);
SELECT count(*), count(*) FILTER (WHERE queries = '{}') FROM answered;
DROP TABLE repeated, answered;

-- Prepared, planned for each query and for any
PREPARE found(lucene_query) AS SELECT count(*) FROM operated WHERE doc @@@ $1;
EXECUTE found('a:7');
SET plan_cache_mode = force_generic_plan;
SET session_store.enable_scan = off;
EXECUTE found('a:[90 TO *]');
EXPLAIN (COSTS off) EXECUTE found('a:7');
EXECUTE found(NULL);
EXECUTE found('a:[');
RESET session_store.enable_scan;
RESET plan_cache_mode;
-- NOW is the transaction's, also in a plan that is kept.
CREATE TABLE moments AS SELECT jsonb_build_object('t', to_char(now() AT TIME ZONE 'UTC' + hour * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS doc FROM unnest(array[-30, -2, 2]) AS hour;
CREATE INDEX ON moments USING gin (doc jsonb_lucene_ops);
PREPARE moment AS SELECT count(*) FROM moments WHERE doc @@@ 't:[NOW-1DAY TO NOW]';
EXECUTE moment;
SET enable_seqscan = off;
EXECUTE moment;
RESET enable_seqscan;

-- In an index on an expression and on some rows, as a default, in a check
CREATE INDEX ON operated USING gin ((more->'n') jsonb_lucene_ops) WHERE id > 10;
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM operated WHERE more->'n' @@@ '[1990 TO 1992]' AND id > 10;
SELECT id FROM operated WHERE more->'n' @@@ '[1990 TO 1992]' AND id > 10 ORDER BY id;
RESET enable_seqscan;
CREATE TABLE saved (name text, q lucene_query NOT NULL DEFAULT '*:*', doc jsonb CHECK (doc @@@ 'id:*'));
INSERT INTO saved (name, doc) VALUES ('all', '{"id": 1}');
INSERT INTO saved VALUES ('one', 'a AND (b', '{"id": 1}');
INSERT INTO saved VALUES ('one', 'a', '{"di": 1}');
SELECT * FROM saved;
SELECT * FROM saved ORDER BY q;

-- Changes, and what waits in the index's pending list
DELETE FROM operated WHERE doc @@@ 'a:7 AND b.c:"word 3"';
UPDATE operated SET doc = doc || '{"a": 7}' WHERE doc @@@ 'a:8 AND b:*';
SET enable_seqscan = off;
SELECT count(*), count(*) FILTER (WHERE doc->>'a' = '7') FROM operated WHERE doc @@@ 'a:7 AND b:*';
RESET enable_seqscan;
-- The operator's result depends on NOW, so nothing may keep it.
CREATE INDEX ON operated ((doc @@@ 'a:7'));

-- By name, with the schema that the extension lies in not on the path
SET search_path = pg_catalog;
SELECT count(*) FROM public.operated WHERE doc OPERATOR(public.@@@) 'a:9 AND b:*'::public.lucene_query;
RESET search_path;
DROP TABLE operated, operator_queries, operator_counts, moments, saved;
