-- How fast session_store.load takes 20 MB of documents, beside INSERT … SELECT of the parsed rows: target/psql -qX -f bench/load.sql
SELECT session_add('plain', key => 'id'), session_add('lines', key => 'id') \g /dev/null
CREATE TABLE parsed AS SELECT i::text AS id, jsonb_build_object('id', i, 'n', i % 5000, 'user', jsonb_build_object('name', 'Name ' || i, 'tags', jsonb_build_array('vip', 't' || i % 50)),
    'event', jsonb_build_object('type', (ARRAY['click', 'search', 'view'])[i % 3 + 1], 'at', 1612137600000 + i * 1000)) AS doc FROM generate_series(1, 150000) AS i;
\copy (SELECT doc FROM parsed) TO '/tmp/session_store_load.ndjson' (FORMAT csv, DELIMITER e'\x01', QUOTE e'\x02')
SET session_store.load_into = 'lines';
SET session_store.progress_notice = 0;
\timing on
INSERT INTO sessions.plain SELECT id, doc FROM parsed;
\copy session_store.load FROM '/tmp/session_store_load.ndjson' (FORMAT csv, DELIMITER e'\x01', QUOTE e'\x02')
\timing off
\! rm /tmp/session_store_load.ndjson
SELECT session_count('plain', '*:*'), session_count('lines', '*:*');
DROP TABLE parsed;
SELECT session_drop('plain'), session_drop('lines') \g /dev/null
