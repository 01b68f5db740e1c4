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

\set SHOW_CONTEXT never
-- Whatever privileges on the catalogue a role has, it changes the rows of its own stores alone.
CREATE ROLE session_store_other;
GRANT CREATE ON SCHEMA sessions TO session_store_reader, session_store_other;
GRANT ALL ON session_store.store TO session_store_reader, session_store_other;
SET ROLE session_store_other;
SELECT session_add('theirs', key => 'id'), session_add('theirs_2', key => 'id', shards => 2);
SELECT session_update(name, '[{"upsert": [{"id": 1, "a": 1}]}]') FROM session_list() WHERE name ~ '^theirs';
SET ROLE session_store_reader;
SELECT session_add('mine', key => 'id');
UPDATE session_store.store SET key = 'a' WHERE name = 'theirs';
\echo :LAST_ERROR_SQLSTATE
UPDATE session_store.store SET shards = 5 WHERE name = 'theirs_2';
UPDATE session_store.store SET name = 'x' WHERE name = 'theirs';
UPDATE session_store.store SET name = 'theirs' WHERE name = 'mine';
DELETE FROM session_store.store WHERE name = 'theirs';
DELETE FROM session_store.store;
TRUNCATE session_store.store;
INSERT INTO session_store.store VALUES ('theirs', 'a', 1, 1) ON CONFLICT (name) DO UPDATE SET key = excluded.key;
SELECT session_key('theirs', 'a');
SELECT session_adopt('theirs', 'a');
-- No row can wait for a table to come.
INSERT INTO session_store.store VALUES ('to_come', 'a', 1, 1);
\echo :LAST_ERROR_SQLSTATE
CREATE VIEW sessions.to_come AS SELECT;
INSERT INTO session_store.store VALUES ('to_come', 'a', 1, 1);
DROP VIEW sessions.to_come;
SELECT name, key, shards FROM session_list() WHERE name ~ '^(theirs|mine|to_come)' ORDER BY name;
-- With write privileges on the table, documents, but not what they lie under
RESET ROLE;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions.theirs TO session_store_reader;
SET ROLE session_store_reader;
SELECT session_update('theirs', '[{"upsert": [{"id": 2, "a": 2}]}]');
SELECT session_key('theirs', 'a');
\echo :LAST_ERROR_SQLSTATE
-- A role that has the owner's rights
RESET ROLE;
GRANT session_store_other TO session_store_reader;
SET ROLE session_store_reader;
SELECT session_key('theirs', 'a'), session_rename('theirs', 'ours'), session_drop('ours');
RESET ROLE;
REVOKE session_store_other FROM session_store_reader;
-- The catalogue's owner may change all of it.
UPDATE session_store.store SET replicas = 2 WHERE name = 'theirs_2';

-- What was put in the place of a store's table is not read, by nobody, and not written to.
ALTER TABLE sessions.mine OWNER TO session_store_reader;
SET ROLE session_store_reader;
SELECT session_update('mine', '[{"upsert": [{"id": 1}]}]');
ALTER TABLE sessions.mine RENAME TO mine_2;
CREATE FUNCTION sessions.spring() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fell into a trap as %', current_user; END $$;
CREATE VIEW sessions.mine AS SELECT id, doc FROM sessions.mine_2 WHERE sessions.spring();
CREATE FUNCTION sessions.spring_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fell into a trap as %', current_user; END $$;
CREATE TRIGGER trap INSTEAD OF INSERT OR UPDATE OR DELETE ON sessions.mine FOR EACH ROW EXECUTE FUNCTION sessions.spring_trigger();
RESET ROLE;
SELECT session_count('mine', '*:*');
\echo :LAST_ERROR_SQLSTATE
SELECT session_query('mine', 'id:1', sort => 'id desc');
SELECT * FROM session_stream('mine', 'id:1');
SELECT session_explain('mine', 'id:1');
SELECT session_update('mine', '[{"upsert": [{"id": 1}], "delete": [1, 2]}]');
SELECT session_key('mine', 'a');
SELECT session_rename('mine', 'mine_3');
SELECT name, documents, bytes FROM session_list() WHERE name = 'mine';
SELECT session_drop('mine');
SELECT session_adopt('mine', 'id');
\echo :LAST_ERROR_SQLSTATE
SELECT session_add('mine');
SELECT relkind FROM pg_class WHERE oid = 'sessions.mine'::regclass;
DROP VIEW sessions.mine;
-- A foreign table, a materialized view, a sequence
ALTER TABLE sessions.mine_2 RENAME TO mine;
SELECT session_adopt('mine', 'id');
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
ALTER TABLE sessions.mine RENAME TO mine_2;
CREATE FOREIGN TABLE sessions.mine (id text, doc jsonb) SERVER nowhere;
SELECT session_count('mine', '*:*');
SELECT session_update('mine', '[{"delete": [1]}]');
DROP FOREIGN TABLE sessions.mine;
CREATE MATERIALIZED VIEW sessions.mine AS SELECT * FROM sessions.mine_2;
SELECT session_count('mine', '*:*');
DROP MATERIALIZED VIEW sessions.mine;
CREATE SEQUENCE sessions.mine;
SELECT session_stream('mine', '*:*');
SELECT session_drop('mine');
DROP SEQUENCE sessions.mine;
DROP TABLE sessions.mine_2;
DROP FUNCTION sessions.spring, sessions.spring_trigger;
DROP FOREIGN DATA WRAPPER nothing CASCADE;
SELECT session_drop('theirs_2');
DROP OWNED BY session_store_other;
DROP ROLE session_store_other;
DROP OWNED BY session_store_reader;
DROP ROLE session_store_reader;
