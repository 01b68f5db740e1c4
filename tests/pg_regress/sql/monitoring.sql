-- What is known of a store while it is filled, changed and asked.
SELECT session_add('watched', key => 'id'), session_add('watched_shards', key => 'id', shards => 4);
SELECT name, documents FROM session_list() WHERE name ~ '^watched' ORDER BY name;
ALTER TABLE sessions.watched SET (autovacuum_enabled = off);
-- The number of documents is known before VACUUM and ANALYZE, and by whoever may read them all.
SET session_store.progress_notice = 2000;
SELECT session_update('watched', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'other', 10000 + i, 'n', i % 10)))))
FROM generate_series(1, 6000) AS i;
INSERT INTO sessions.watched_shards SELECT i, jsonb_build_object('id', i) FROM generate_series(1, 6000) AS i;
SELECT name, documents BETWEEN 5000 AND 7000 AS about_6000 FROM session_list() WHERE name ~ '^watched' ORDER BY name;
CREATE ROLE regress_watcher;
SET ROLE regress_watcher;
SELECT name, documents FROM session_list() WHERE name = 'watched';
RESET ROLE;
GRANT SELECT ON sessions.watched TO regress_watcher;
ALTER TABLE sessions.watched ENABLE ROW LEVEL SECURITY;
SET ROLE regress_watcher;
SELECT name, documents FROM session_list() WHERE name = 'watched';
RESET ROLE;
ALTER TABLE sessions.watched DISABLE ROW LEVEL SECURITY;
SET ROLE regress_watcher;
SELECT name, documents BETWEEN 5000 AND 7000 AS about_6000 FROM session_list() WHERE name = 'watched';
RESET ROLE;
-- Nor is it what the last ANALYZE saw, if there are many more since.
ANALYZE sessions.watched;
SELECT name, documents FROM session_list() WHERE name = 'watched';
SELECT session_update('watched', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'other', 10000 + i, 'n', i % 10)))))
FROM generate_series(6001, 10000) AS i;
SELECT name, documents BETWEEN 9000 AND 11000 AS about_10000 FROM session_list() WHERE name = 'watched';
-- Each search counts as a scan of the index, with the entries that it has found: by functions, by a scan that counts, and by one that reads.
CREATE FUNCTION pg_temp.counted(statement text, OUT scans bigint, OUT rows bigint) LANGUAGE plpgsql AS $$
DECLARE
    index regclass := 'sessions.watched_doc_idx';
BEGIN
    scans := pg_stat_get_xact_numscans(index);
    rows := pg_stat_get_xact_tuples_returned(index);
    EXECUTE statement;
    scans := pg_stat_get_xact_numscans(index) - scans;
    rows := pg_stat_get_xact_tuples_returned(index) - rows;
END $$;
SELECT statement, counted.* FROM unnest(ARRAY[
    $$SELECT session_count('watched', 'n:3')$$, $$SELECT session_count('watched', '*:*')$$, $$SELECT session_query('watched', 'n:3')$$,
    $$SELECT session_query('watched', 'n:3', 'id desc')$$, $$SELECT count(session_stream) FROM session_stream('watched', 'n:3')$$,
    $$SELECT count(session_stream) FROM session_stream('watched', '*:*')$$, $$SELECT session_facets('watched', 'n:3', '{"ids": {"type": "terms", "field": "id"}}')$$,
    $$SELECT count(*) FROM sessions.watched WHERE doc @@@ 'n:3'$$, $$SELECT doc FROM sessions.watched WHERE doc @@@ 'n:3'$$,
    $$SELECT count(*) FROM unnest(ARRAY[1, 2]) AS i WHERE EXISTS (SELECT FROM sessions.watched WHERE doc @@@ format('n:%s', i)::lucene_query)$$]) AS statement,
    pg_temp.counted(statement) AS counted;
-- session_key says how far it is; here on more pages than it changes with one statement.
SELECT session_key('watched', 'other');
SELECT session_add('watched_pages', key => 'id');
ALTER TABLE sessions.watched_pages ALTER doc SET STORAGE PLAIN;
INSERT INTO sessions.watched_pages SELECT i, jsonb_build_object('id', i, 'other', 10000 + i, 'pad', repeat('x', 3500)) FROM generate_series(0, 4000) AS i;
SELECT session_key('watched_pages', 'other');
SELECT count(*), bool_and(id = doc->>'other') FROM sessions.watched_pages;
SELECT session_key('watched_shards', 'id');
UPDATE sessions.watched_shards SET doc = doc || jsonb_build_object('other', 6001 - id::int);
SELECT session_key('watched_shards', 'other');
SELECT count(*), bool_and(id = doc->>'other') FROM sessions.watched_shards;
SET session_store.progress_notice = 0;
SELECT session_key('watched_shards', 'id');
RESET session_store.progress_notice;
SELECT session_drop(name) FROM session_list() WHERE name ~ '^watched';
DROP ROLE regress_watcher;
