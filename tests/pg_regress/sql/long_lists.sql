-- Long lists in plans of PostgreSQL's own: GIN gets few keys of them, whose number it would look through for each key and each row.
CREATE TABLE listed AS SELECT i AS id, jsonb_build_object('id', i, 's', 'u' || i, 'x', i % 10, 'd', '10.0.' || i % 250) AS doc FROM generate_series(1, 100000) AS i;
ALTER TABLE listed SET (autovacuum_enabled = off);
CREATE INDEX ON listed USING gin (doc jsonb_lucene_ops);
CREATE INDEX ON listed (id);
VACUUM ANALYZE listed;
CREATE TABLE asking AS SELECT n, path, (format('%s:(%s)', path, (SELECT string_agg(prefix || i * 5, ' ') FROM generate_series(1, n) AS i)))::lucene_query AS q
FROM unnest(ARRAY[10, 5000, 16000]) AS n, (VALUES ('id', ''), ('s', 'u')) AS _(path, prefix);
INSERT INTO asking SELECT n, 'any', (SELECT string_agg('u' || i * 5, ' ') FROM generate_series(1, n) AS i)::lucene_query FROM unnest(ARRAY[10, 5000]) AS n;
INSERT INTO asking SELECT 4001, 's', ('(x:1 OR s:nothing) -s:(' || string_agg('u' || i * 5, ' ') || ' u9*)')::lucene_query FROM generate_series(1, 16000) AS i;
ANALYZE asking;
-- A query from each row of another table: by the scan of our own, and by bitmap scans
EXPLAIN (COSTS off) SELECT n, path, count(listed.id) FROM asking JOIN listed ON doc @@@ q GROUP BY n, path ORDER BY n, path;
-- What would not end is cancelled; what takes long is found at the end, by the processor time.
SET statement_timeout = '300s';
SELECT n, path, count(listed.id), max(listed.id) FROM asking JOIN listed ON doc @@@ q GROUP BY n, path ORDER BY n, path;
SELECT n, path, count(listed.id) FROM asking LEFT JOIN listed ON doc @@@ q AND listed.id % 2 = 0 WHERE n < 5000 GROUP BY n, path ORDER BY n, path;
SELECT n, path FROM asking WHERE EXISTS (SELECT FROM listed WHERE doc @@@ q AND listed.id = 50000) ORDER BY n, path;
SET session_store.enable_scan = off; SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT n, path, count(listed.id) FROM asking JOIN listed ON doc @@@ q GROUP BY n, path ORDER BY n, path;
SELECT n, path, count(listed.id), max(listed.id) FROM asking JOIN listed ON doc @@@ q GROUP BY n, path ORDER BY n, path;
RESET session_store.enable_scan; RESET enable_seqscan;
-- Alternatives to other conditions
EXPLAIN (COSTS off) SELECT count(*) FROM listed WHERE doc @@@ (SELECT q FROM asking WHERE n = 16000 AND path = 's') OR id = 1;
SELECT count(*) FROM listed WHERE doc @@@ (SELECT q FROM asking WHERE n = 16000 AND path = 's') OR id = 1;
SELECT count(*) FROM listed WHERE doc @@@ (SELECT q FROM asking WHERE n = 16000 AND path = 'id') OR id = 1;
-- Two tables that say what is asked, partitions, and rows that are hidden
CREATE TABLE listed_parts (id int, doc jsonb) PARTITION BY HASH (id);
CREATE TABLE listed_part_0 PARTITION OF listed_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE listed_part_1 PARTITION OF listed_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO listed_parts SELECT id, doc FROM listed WHERE id <= 20000;
CREATE INDEX ON listed_parts USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE listed_parts;
EXPLAIN (COSTS off) SELECT n, count(listed_parts.id) FROM asking JOIN listed_parts ON doc @@@ q WHERE path = 's' GROUP BY n ORDER BY n;
SELECT n, count(listed_parts.id) FROM asking JOIN listed_parts ON doc @@@ q WHERE path = 's' GROUP BY n ORDER BY n;
SELECT one.n, two.n, count(*) FROM asking AS one, asking AS two, listed_parts WHERE doc @@@ one.q AND doc @@@ two.q AND one.path = 'id' AND two.path = 's' GROUP BY 1, 2 ORDER BY 1, 2;
CREATE ROLE session_store_lister;
GRANT SELECT ON listed, asking TO session_store_lister;
ALTER TABLE listed ENABLE ROW LEVEL SECURITY;
CREATE POLICY later ON listed USING (id > 10);
SET ROLE session_store_lister;
EXPLAIN (COSTS off) SELECT n, count(listed.id) FROM asking JOIN listed ON doc @@@ q WHERE path = 's' GROUP BY n ORDER BY n;
SELECT n, count(listed.id) FROM asking JOIN listed ON doc @@@ q WHERE path = 's' GROUP BY n ORDER BY n;
RESET ROLE;
DROP OWNED BY session_store_lister;
DROP ROLE session_store_lister;
DROP TABLE listed, listed_parts, asking;
SELECT (f[14]::int + f[15]::int) / 100 < 60 AS within_a_minute FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') AS f;
