-- Rows that are not in the table's own heap are none that its index knows: the planner answers.
SELECT session_add('elsewhere', key => 'id', shards => 2);
SELECT session_update('elsewhere', '[{"upsert": [{"id": 1, "a": "x"}, {"id": 2, "a": "y"}, {"id": 3, "a": "x"}]}]');
SELECT session_count('elsewhere', 'a:x'), session_explain('elsewhere', 'a:x')->>'way' AS way;
CREATE FUNCTION pg_temp.told(q text) RETURNS TABLE (way jsonb, reason jsonb) LANGUAGE sql
    AS $$ SELECT e->'way', e->'reason' FROM session_explain('elsewhere', q) AS e $$;

-- Citus's catalogue, as far as it is looked at, before and behind a table's name is in it: of the store, of a partition.
BEGIN;
SET LOCAL allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass NOT NULL, partmethod "char" NOT NULL);
SELECT * FROM pg_temp.told('a:x');
INSERT INTO pg_catalog.pg_dist_partition VALUES ('pg_catalog.pg_class', 'h');
SELECT * FROM pg_temp.told('a:x');
INSERT INTO pg_catalog.pg_dist_partition VALUES ('sessions."elsewhere/1"', 'h');
SELECT * FROM pg_temp.told('a:x');
CREATE UNIQUE INDEX pg_dist_partition_logical_relid_index ON pg_catalog.pg_dist_partition (logicalrelid);
SELECT * FROM pg_temp.told('a:x');
UPDATE pg_catalog.pg_dist_partition SET logicalrelid = 'sessions.elsewhere' WHERE logicalrelid = 'sessions."elsewhere/1"'::regclass;
SELECT * FROM pg_temp.told('a:x');
SELECT session_count('elsewhere', 'a:x'), session_query('elsewhere', 'a:x', sort => 'id desc');
SELECT session_stream('elsewhere', 'a:x', sort => 'id desc');
ROLLBACK;
-- In plain SQL neither the scan of our own nor the estimate asks the index of such a table.
BEGIN;
SET LOCAL allow_system_table_mods = on;
CREATE TABLE shell AS SELECT jsonb_build_object('n', i) AS doc FROM generate_series(1, 10000) AS i;
CREATE INDEX ON shell USING gin (doc jsonb_lucene_ops);
ANALYZE shell;
SET LOCAL enable_seqscan = off;
EXPLAIN (COSTS off) SELECT FROM shell WHERE doc @@@ 'n:[1 TO 5000]';
CREATE FUNCTION pg_temp.guess() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM shell WHERE doc @@@ $q$n:[1 TO 5000]$q$' INTO plan;
    RETURN plan->0->'Plan'->>'Plan Rows';
END $$;
SELECT pg_temp.guess() AS with_index \gset
CREATE TABLE pg_catalog.pg_dist_partition AS SELECT 'shell'::regclass AS logicalrelid;
EXPLAIN (COSTS off) SELECT FROM shell WHERE doc @@@ 'n:[1 TO 5000]';
DROP INDEX shell_doc_idx;
SELECT pg_temp.guess() AS without_index \gset
CREATE INDEX ON shell USING gin (doc jsonb_lucene_ops);
SELECT pg_temp.guess() = :without_index AS as_without_index, :with_index <> :without_index AS otherwise_not;
ROLLBACK;

-- A view or a foreign table in place of the table is no store's (permissions.sql).
ALTER TABLE sessions.elsewhere RENAME TO beneath;
-- Another access method
CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE sessions.elsewhere USING other_heap AS SELECT id, doc FROM sessions.beneath;
CREATE INDEX ON sessions.elsewhere USING gin (doc jsonb_lucene_ops);
SELECT * FROM pg_temp.told('a:x');
SELECT session_count('elsewhere', 'a:x');
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT FROM sessions.elsewhere WHERE doc @@@ 'a:x';
RESET enable_seqscan;
DROP TABLE sessions.elsewhere;
DROP ACCESS METHOD other_heap;
-- A foreign partition: whoever has its rows is asked, and here that is nobody.
ALTER TABLE sessions.beneath RENAME TO elsewhere;
ALTER TABLE sessions.elsewhere DETACH PARTITION sessions."elsewhere/1";
DROP INDEX sessions.elsewhere_doc_idx;
ALTER TABLE sessions.elsewhere DROP CONSTRAINT elsewhere_pkey;
CREATE FOREIGN DATA WRAPPER nobody;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nobody;
CREATE FOREIGN TABLE sessions."elsewhere/2" PARTITION OF sessions.elsewhere FOR VALUES WITH (MODULUS 2, REMAINDER 1) SERVER nowhere;
CREATE INDEX ON sessions."elsewhere/0" USING gin (doc jsonb_lucene_ops);
SELECT session_count('elsewhere', 'a:x');
DROP FOREIGN DATA WRAPPER nobody CASCADE;
DROP TABLE sessions."elsewhere/1";
SELECT session_drop('elsewhere');
