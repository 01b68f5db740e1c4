-- Times what the limits promise, on a store of 100,000 documents of its own: target/psql -f samples/measure.sql
\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages = error;
SET statement_timeout = '60s';

SELECT session_drop(name) FROM session_list() WHERE name = 'measured' \g /dev/null
SELECT session_add('measured', 'session.id') \g /dev/null
DROP TABLE IF EXISTS measured_ops;
CREATE TABLE measured_ops AS
SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(doc || jsonb_build_object('session', (doc->'session') || jsonb_build_object('id', n))))) AS ops
FROM (SELECT doc, row_number() OVER (ORDER BY copy, id) AS n FROM sessions.stash, generate_series(1, 42) AS copy) AS _
WHERE n <= 100000;
SELECT pg_size_pretty(pg_column_size(ops)::bigint) AS "100,000 documents" FROM measured_ops;

-- A backend that has done nothing else yet
\c
SET client_min_messages = error;
SET statement_timeout = '60s';

\timing on
\echo 'session_update, 100,000 new documents in one call'
SELECT session_update('measured', ops) FROM measured_ops \g /dev/null
\echo 'session_update, the same ones again'
SELECT session_update('measured', ops) FROM measured_ops \g /dev/null
\timing off
\echo 'the backend at its largest'
SELECT regexp_replace(pg_read_file('/proc/self/status'), '.*VmHWM:\s*(\d+) kB.*', '\1')::int / 1024 AS megabytes;
ANALYZE sessions.measured;

\timing on
\echo 'equality, one document'
SELECT session_count('measured', 'session.id:4711');
\echo 'equality, common'
SELECT session_count('measured', 'event.type:click');
\echo 'range: reads the store'
SELECT session_count('measured', 'session.pages:[10 TO *]');
\echo 'fuzzy: reads the store, by the matcher'
SELECT session_count('measured', 'event.data.foo:raom~1');
\echo 'everything sorted, ten documents'
SELECT session_query('measured', '*:*', sort => 'session.start desc') \g /dev/null
\echo '10,000 values'
SELECT session_count('measured', 'event.data.foo:(' || string_agg('v' || i, ' ') || ')') FROM generate_series(1, 10000) AS i;
\echo '10,000 negations'
SELECT session_count('measured', string_agg('-event.data.foo:v' || i, ' ')) FROM generate_series(1, 10000) AS i;
\echo 'a value of 1 MiB'
SELECT session_count('measured', repeat('a', 1048576));
\set ON_ERROR_STOP off
\set VERBOSITY terse
\echo '1 MiB of clauses'
SELECT session_count('measured', repeat('a ', 524288));
\echo '10,000 deep'
SELECT session_count('measured', repeat('(', 10000) || 'a' || repeat(')', 10000));
\timing off
\echo 'the plan of an equality'
SELECT p AS plan FROM jsonb_array_elements_text(session_explain('measured', 'session.id:4711')->'plan') AS p;
SELECT session_drop('measured') \g /dev/null
DROP TABLE measured_ops;
