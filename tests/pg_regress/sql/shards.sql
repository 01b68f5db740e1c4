-- A sharded store is a table of hash partitions, and answers as a plain one does.
SELECT session_add('shards', shards => 4);
SELECT relid, parentrelid, isleaf FROM pg_partition_tree('sessions.shards');
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'sessions."shards/3"'::regclass ORDER BY 1::text COLLATE "C";
SELECT session_update('shards', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('session', jsonb_build_object('id', i), 'n', i % 7)))))
FROM generate_series(1, 500) AS i;
SELECT count(DISTINCT tableoid), count(*) FROM sessions.shards;
SELECT session_count('shards', 'n:3'), session_query('shards', 'n:3', sort => 'session.id desc', rows => 2);
SELECT (SELECT jsonb_agg(doc) FROM session_stream('shards', 'n:3') AS doc) = session_query('shards', 'n:3', rows => 1000)->'items' AS one_order;
SELECT session_update('shards', jsonb_build_array(jsonb_build_object('delete', jsonb_agg(i)))) FROM generate_series(1, 499) AS i;
SELECT session_query('shards', '*:*');
-- Names of 63 bytes leave no room for a shard's number.
SELECT session_add(repeat('x', 63), shards => 2);
SELECT session_add(repeat('x', 62) || 'y', shards => 2);
SELECT relname, length(relname::text) FROM pg_class WHERE relnamespace = 'sessions'::regnamespace AND relname ~ '^x' AND relkind = 'r' ORDER BY relname COLLATE "C";
SELECT session_drop(repeat('x', 63)), session_drop(repeat('x', 62) || 'y'), session_drop('shards');
-- A shard's name may be taken.
SELECT session_add('shards/1');
SELECT session_add('shards', shards => 2);
\echo :LAST_ERROR_SQLSTATE
SELECT session_drop('shards/1');
-- Writers leave alone the partitions that have none of the identities, and have nothing compiled.
SELECT session_add('shards', key => 'id', shards => 16);
SELECT session_update('shards', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i))))) FROM generate_series(1, 500) AS i;
CREATE FUNCTION pg_temp.jit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% with jit %', lower(tg_op), current_setting('jit'); RETURN NULL; END $$;
CREATE TRIGGER jit AFTER INSERT OR UPDATE OR DELETE ON sessions.shards EXECUTE FUNCTION pg_temp.jit();
SET jit = on;
BEGIN;
SELECT session_update('shards', '[{"delete": [7, "none"], "upsert": [{"id": 8, "n": 1}]}]');
SELECT count(*) FROM sessions.shards WHERE id = '7';
ROLLBACK;
SET jit = off;
DROP TRIGGER jit ON sessions.shards;
BEGIN;
SELECT session_update('shards', '[{"delete": [7]}]');
SELECT count(DISTINCT indrelid) AS partitions_opened FROM pg_locks JOIN pg_index ON indexrelid = relation JOIN pg_inherits ON inhrelid = indrelid
WHERE pid = pg_backend_pid() AND inhparent = 'sessions.shards'::regclass;
ROLLBACK;
RESET jit;
-- As many identities as partitions, and more
SELECT session_update('shards', jsonb_build_array(jsonb_build_object('delete', jsonb_agg(i)))) FROM generate_series(1, 15) AS i;
SELECT session_update('shards', jsonb_build_array(jsonb_build_object('delete', jsonb_agg(i)))) FROM generate_series(16, 400) AS i;
SELECT session_count('shards', '*:*'), count(*), min(id::int), max(id::int) FROM sessions.shards;
SELECT session_drop('shards');
