-- A bad query says what is wrong and where.
SELECT session_add('bad_query');
SELECT session_query('bad_query', 'foo:[1 T 5]');
\echo :LAST_ERROR_SQLSTATE
SELECT session_count('bad_query', 'a:b AND');
SELECT session_count('bad_query', '(a:b');
SELECT session_count('bad_query', 'a:"b');
SELECT session_count('bad_query', 'a:/b');
SELECT session_count('bad_query', 'a:b)');
SELECT * FROM session_stream('bad_query', ':b');

-- In characters, whatever their bytes; the line of several; the part of a long one.
SELECT session_count('bad_query', 'straße:(ü OR ö');
SELECT session_count('bad_query', E'first:1\nAND second:[1 T 2]\nAND third:3');
SELECT session_count('bad_query', repeat('word:value ', 20) || 'a:[1 T 5] ' || repeat('word:value ', 20));

-- What is not supported, by name.
SELECT session_count('bad_query', '{!func}a');
\echo :LAST_ERROR_SQLSTATE
SELECT session_count('bad_query', '_val_:x');

-- The sort has a place too.
SELECT session_query('bad_query', '*:*', sort => 'a sideways');
\echo :LAST_ERROR_SQLSTATE
SELECT session_query('bad_query', '*:*', sort => 'score desc');
\echo :LAST_ERROR_SQLSTATE

-- Too long, too deep
SELECT session_count('bad_query', repeat('(', 1000) || 'a' || repeat(')', 1000));
\echo :LAST_ERROR_SQLSTATE
SELECT session_count('bad_query', repeat('x', 1048577));
\echo :LAST_ERROR_SQLSTATE

-- Nulls and unknown stores
SELECT session_query('bad_query', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT session_query(NULL, '*:*');
SELECT session_count(NULL, '*:*');
SELECT session_stream('bad_query', NULL);
SELECT session_query('bad_qeury', '*:*');
\echo :LAST_ERROR_SQLSTATE
SELECT session_count('', '*:*');
\echo :LAST_ERROR_SQLSTATE

-- A table in the stores' schema that is no store
CREATE TABLE sessions.plain (id text, doc jsonb);
SELECT session_query('plain', '*:*');
DROP TABLE sessions.plain;
SELECT session_drop('bad_query');
