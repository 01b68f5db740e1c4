-- session_rename gives a store another name.
SELECT session_add('rename');
SELECT session_add('rename_2', shards => 3);
SELECT session_update('rename_2', '[{"upsert": [{"session": {"id": 1}}]}]');
SELECT session_rename('rename_2', 'Renamed "Store"');
SELECT session_query('Renamed "Store"', 'session.id:1');
SELECT relname FROM pg_class WHERE relnamespace = 'sessions'::regnamespace AND relname ILIKE 'rename%' AND relkind IN ('r', 'p') ORDER BY relname COLLATE "C";
SELECT session_count('rename_2', '*:*');
-- The name is free again.
SELECT session_add('rename_2', shards => 2);

-- A name in use, by a store, by itself, by another relation.
SELECT session_rename('rename', 'rename_2');
\echo :LAST_ERROR_SQLSTATE
SELECT session_rename('rename', 'rename');
SELECT session_rename('rename', 'rename_pkey');
\echo :LAST_ERROR_SQLSTATE
SELECT session_rename('rename', '');
SELECT session_rename('rename', NULL);
SELECT session_rename('renamed', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT session_drop('rename'), session_drop('rename_2'), session_drop('Renamed "Store"');
SELECT count(*) FROM pg_class WHERE relnamespace = 'sessions'::regnamespace AND relname ILIKE 'rename%';
