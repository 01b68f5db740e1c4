-- Query functions write nothing: they run in a read-only transaction.
SELECT session_add('read_only', key => 'id');
SELECT session_update('read_only', '[{"upsert": [{"id": 1, "a": "x"}, {"id": 2, "a": "y", "b.c": 1}]}]');
BEGIN TRANSACTION READ ONLY;
SELECT session_query('read_only', 'a:x');
SELECT session_query('read_only', '*:*', sort => 'a desc', start => 1, rows => 1);
SELECT session_count('read_only', '-a:x');
SELECT session_stream('read_only', 'a:y~');
SELECT name, documents FROM session_list() WHERE name = 'read_only';
SELECT session_explain('read_only', 'b.c:1')->'query';
SELECT session_jsonpath('a:x');
SAVEPOINT s;
SELECT session_update('read_only', '[{"delete": [1]}]');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
SELECT session_add('read_only_2');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- They see their own transaction's writes, and the snapshot of their statement.
BEGIN;
SELECT session_update('read_only', '[{"upsert": [{"id": 3, "a": "z"}]}]');
SELECT session_count('read_only', '*:*'), session_query('read_only', 'a:z');
SELECT doc->'id', session_count('read_only', '*:*') FROM session_stream('read_only', '*:*', sort => 'id') AS doc;
INSERT INTO sessions.read_only SELECT 'copy ' || i, jsonb_build_object('id', 'copy ' || i, 'seen', session_count('read_only', '*:*')) FROM generate_series(1, 3) AS i;
SELECT id, doc->'seen' FROM sessions.read_only WHERE id LIKE 'copy%' ORDER BY id;
ROLLBACK;
SELECT session_count('read_only', '*:*');
SELECT session_drop('read_only');
