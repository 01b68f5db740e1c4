-- A store is looked up in the catalogue as the calling statement sees it, however the catalogue is to be read.
CREATE ROLE session_store_reader;
SELECT session_add('catalogue', key => 'id');
SELECT session_update('catalogue', '[{"upsert": [{"id": 1, "n": 1}, {"id": 2, "n": 2}]}]');
GRANT SELECT ON sessions.catalogue TO session_store_reader;
-- Renamed in the same statement, and by one before
SELECT session_rename('catalogue', 'renamed'), session_count('renamed', '*:*');
SELECT session_rename('catalogue', 'renamed');
SELECT session_count('renamed', 'n:1');
SELECT session_count('catalogue', 'n:1');
\echo :LAST_ERROR_SQLSTATE
-- Dropped, created anew, and rolled back
BEGIN;
SELECT session_drop('renamed');
SELECT session_add('renamed', key => 'id');
SELECT session_count('renamed', '*:*');
ROLLBACK;
SELECT session_count('renamed', '*:*');
-- A table without its row is no store, a row without its table neither.
BEGIN;
DELETE FROM session_store.store WHERE name = 'renamed';
SELECT session_count('renamed', '*:*');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
DROP TABLE sessions.renamed;
SELECT session_count('renamed', '*:*');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- Without its index
BEGIN;
ALTER TABLE session_store.store DROP CONSTRAINT store_pkey;
SELECT session_count('renamed', '*:*');
ROLLBACK;
-- Names on the search path are none of the catalogue's.
BEGIN;
CREATE SCHEMA decoy CREATE TABLE store (name text, key text, shards int) CREATE TABLE renamed (doc jsonb);
SET LOCAL search_path = decoy, public;
SELECT session_count('renamed', '*:*');
ROLLBACK;
-- Whoever may not read the catalogue, or only some of it
BEGIN;
REVOKE SELECT ON session_store.store FROM PUBLIC;
SET LOCAL ROLE session_store_reader;
SAVEPOINT here;
SELECT session_count('renamed', '*:*');
ROLLBACK TO here;
RESET ROLE;
GRANT SELECT (name, key, shards) ON session_store.store TO session_store_reader;
SET LOCAL ROLE session_store_reader;
SELECT session_count('renamed', '*:*');
ROLLBACK;
BEGIN;
ALTER TABLE session_store.store ENABLE ROW LEVEL SECURITY;
SET LOCAL ROLE session_store_reader;
SELECT session_count('renamed', '*:*');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
REVOKE USAGE ON SCHEMA sessions FROM PUBLIC;
SET LOCAL ROLE session_store_reader;
SELECT session_count('renamed', '*:*');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- What is set while the planner answers is set back, after an error too.
BEGIN;
DROP INDEX sessions.catalogue_doc_idx;
SET LOCAL jit = on;
SET LOCAL synchronize_seqscans = on;
CREATE FUNCTION pg_temp.settings() RETURNS text LANGUAGE sql AS $$
    SELECT current_setting('jit') || ' ' || current_setting('synchronize_seqscans') || ' ' || current_setting('max_parallel_workers_per_gather') $$;
SELECT session_count('renamed', 'n:1'), session_query('renamed', 'n:1'), session_explain('renamed', 'n:1')->>'way', pg_temp.settings();
SELECT session_stream('renamed', '*:*'), pg_temp.settings();
ALTER TABLE sessions.renamed ENABLE ROW LEVEL SECURITY;
-- Within the statements that the planner answers with, they are set: one that counts, and one that reads.
CREATE FUNCTION pg_temp.tell(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', pg_temp.settings(); RETURN 1 / n > 0; END $$;
CREATE POLICY telling ON sessions.renamed USING (pg_temp.tell((doc->>'n')::int));
DELETE FROM sessions.renamed WHERE id = '2';
SET LOCAL ROLE session_store_reader;
SELECT session_query('renamed', 'n:1');
SELECT session_stream('renamed', 'n:1');
RESET ROLE;
UPDATE sessions.renamed SET doc = '{"id": 1, "n": 0}';
SET LOCAL ROLE session_store_reader;
SAVEPOINT here;
-- The CONTEXT would name the temporary schema of the session.
\set SHOW_CONTEXT never
SELECT session_query('renamed', 'n:1');
\set SHOW_CONTEXT errors
ROLLBACK TO here;
SELECT pg_temp.settings();
ROLLBACK;

-- A query that was read before is read anew where time has passed.
SELECT session_update('renamed', format('[{"upsert": [{"id": 3, "at": %s}]}]', floor(extract(epoch FROM clock_timestamp()) * 1000) + 2000)::jsonb);
SELECT session_count('renamed', 'at:[* TO NOW]') AS before, 'at:[* TO NOW]'::lucene_query AS query;
SELECT pg_sleep(2.1);
SELECT session_count('renamed', 'at:[* TO NOW]') AS behind, (SELECT count(*) FROM sessions.renamed WHERE doc @@@ 'at:[* TO NOW]') AS plain;
-- And what is odd about it is said every time.
SELECT session_count('renamed', 'n:>1');
SELECT session_count('renamed', 'n:>1');
SELECT 'n:>1'::lucene_query;
SELECT session_drop('renamed');
DROP ROLE session_store_reader;

-- A session remembers where it found the row of a store. By now the row may be an older one, another's, or none.
SELECT session_add('kept', key => 'a');
SELECT session_count('kept', '*:*');
SELECT session_key('kept', 'b');
SELECT session_update('kept', '[{"upsert": [{"a": 1, "b": 2}]}]');
SELECT id FROM sessions.kept;
BEGIN;
SELECT session_key('kept', 'a');
SELECT session_update('kept', '[{"upsert": [{"a": 3, "b": 4}]}]');
ROLLBACK;
SELECT session_update('kept', '[{"upsert": [{"a": 3, "b": 4}]}]');
SELECT id FROM sessions.kept ORDER BY id;
BEGIN;
TRUNCATE session_store.store;
SELECT session_count('kept', '*:*');
ROLLBACK;
SELECT session_count('kept', '*:*');
SELECT ctid AS place FROM session_store.store WHERE name = 'kept' \gset
DELETE FROM session_store.store WHERE name = 'kept';
VACUUM session_store.store;
INSERT INTO session_store.store (name, key, shards, replicas) SELECT 'other ' || i, 'a', 1, 1 FROM generate_series(1, 1000) AS i;
SELECT count(*) FROM session_store.store WHERE ctid = :'place' AND name ~ '^other';
SELECT session_count('kept', '*:*');
-- Behind the end of the file
SELECT session_adopt('kept', 'b');
SELECT session_count('kept', '*:*');
SELECT (ctid::text::point)[0] > 1 AS is_behind FROM session_store.store WHERE name = 'kept';
DELETE FROM session_store.store WHERE name ~ '^(other|kept)';
VACUUM session_store.store;
SELECT pg_relation_size('session_store.store') / current_setting('block_size')::int AS pages;
SELECT session_count('kept', '*:*');
DROP TABLE sessions.kept;
