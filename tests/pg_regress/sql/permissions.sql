-- The caller's own privileges count, everywhere.
CREATE ROLE session_store_reader;
SELECT session_add('permissions', key => 'id');
SELECT session_update('permissions', '[{"upsert": [{"id": 1, "owner": "session_store_reader"}, {"id": 2, "owner": "postgres"}]}]');

SET ROLE session_store_reader;
SELECT session_query('permissions', '*:*');
\echo :LAST_ERROR_SQLSTATE
SELECT session_stream('permissions', '*:*');
SELECT session_update('permissions', '[{"delete": [1]}]');
\echo :LAST_ERROR_SQLSTATE
SELECT session_add('permissions_2');
\echo :LAST_ERROR_SQLSTATE
SELECT session_rename('permissions', 'x');
SELECT session_key('permissions', 'owner');
SELECT session_drop('permissions');
-- The catalogue is open to all.
SELECT name, key FROM session_list() WHERE name = 'permissions';
RESET ROLE;

-- With SELECT, queries
GRANT SELECT ON sessions.permissions TO session_store_reader;
SET ROLE session_store_reader;
SELECT session_count('permissions', '*:*'), session_query('permissions', 'id:1');
SELECT session_explain('permissions', 'id:1')->'query';
SELECT session_update('permissions', '[{"upsert": [{"id": 1}]}]');
RESET ROLE;

-- Row-level security
ALTER TABLE sessions.permissions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sessions.permissions USING (doc->>'owner' = current_user);
SET ROLE session_store_reader;
SELECT session_query('permissions', '*:*'), session_count('permissions', 'id:2');
RESET ROLE;
ALTER TABLE sessions.permissions DISABLE ROW LEVEL SECURITY;

-- With write privileges on the table, updates; with some on the schema and the catalogue, stores of one's own
GRANT INSERT, UPDATE, DELETE ON sessions.permissions TO session_store_reader;
GRANT CREATE ON SCHEMA sessions TO session_store_reader;
GRANT INSERT, UPDATE, DELETE ON session_store.store TO session_store_reader;
SET ROLE session_store_reader;
SELECT session_update('permissions', '[{"upsert": [{"id": 3}], "delete": [2]}]');
SELECT session_count('permissions', '*:*');
SELECT session_add('permissions_2', shards => 2);
SELECT session_update('permissions_2', '[{"upsert": [{"session": {"id": 3}}]}]');
SELECT session_key('permissions_2', 'session.id'), session_rename('permissions_2', 'permissions_3'), session_drop('permissions_3');
-- But not the stores of others
SELECT session_drop('permissions');
\echo :LAST_ERROR_SQLSTATE
SELECT session_rename('permissions', 'x');
RESET ROLE;
SELECT session_drop('permissions');
DROP OWNED BY session_store_reader;
DROP ROLE session_store_reader;
