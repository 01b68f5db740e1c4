-- Rights on a store: what a role with each of them may do, with every function.
\set VERBOSITY terse
CREATE ROLE session_store_owner;
CREATE ROLE "session_store ""app""";
GRANT CREATE ON SCHEMA sessions TO session_store_owner;
GRANT INSERT, UPDATE, DELETE ON session_store.store TO session_store_owner;
SET ROLE session_store_owner;
SELECT session_add('a "grant"', key => 'id', shards => 2);
SELECT session_add('grants', key => 'id');
SELECT session_update(store, '[{"upsert": [{"id": 1, "key": "a"}, {"id": 2, "key": "b"}]}]') FROM unnest(ARRAY['grants', 'a "grant"']) AS store;
RESET ROLE;

-- Each call is undone. What is refused for lack of privileges is listed; any other error is one.
CREATE FUNCTION grants_refused(store text) RETURNS text LANGUAGE plpgsql SET client_min_messages = error AS $$
DECLARE
    name text;
    call text;
    refused text[] := '{}';
BEGIN
    FOR name, call IN VALUES
        ('add', 'session_add(''grants_new'')'),
        ('replace', 'session_update(%L, ''[{"upsert": [{"id": 1, "key": "c"}]}]'')'),
        ('insert', 'session_update(%L, ''[{"upsert": [{"id": 3}]}]'')'),
        ('delete', 'session_update(%L, ''[{"delete": [2]}]'')'),
        ('query', 'session_query(%L, ''id:1'')'),
        ('stream', 'session_stream(%L, ''id:1'')'),
        ('count', 'session_count(%L, ''id:1'')'),
        ('explain', 'session_explain(%L, ''id:1'')'),
        ('facets', 'session_facets(%L, ''*:*'', ''{"f": {"type": "terms", "field": "key"}}'')'),
        ('values', 'session_values(%L, ''*:*'', ''key'')'),
        ('stats', 'session_stats(%L, ''*:*'', ''id'')'),
        ('histogram', 'session_histogram(%L, ''*:*'', ''id'', 1)'),
        ('calendar', 'session_histogram(%L, ''*:*'', ''key'', ''1 day'')'),
        ('paths', 'session_paths(%L)'),
        ('suggest', 'session_suggest(%L, ''key'', ''a'')'),
        ('list', 'session_list()'),
        ('key', 'session_key(%L, ''key'')'),
        ('rename', 'session_rename(%L, ''grants_renamed'')'),
        ('drop', 'session_drop(%L)'),
        ('adopt', 'session_adopt(%L, key => ''id'')'),
        ('grant', 'session_grant(%L, ''public'', ''sessionQuery'')'),
        ('revoke', 'session_revoke(%L, ''public'', ''sessionUpdate'')')
    LOOP
        BEGIN
            IF name = 'adopt' THEN
                DELETE FROM session_store.store AS listed WHERE listed.name = grants_refused.store;
            END IF;
            EXECUTE format('SELECT ' || call, store);
            RAISE EXCEPTION USING ERRCODE = 'UNDO0';
        EXCEPTION
            WHEN SQLSTATE 'UNDO0' THEN
            WHEN insufficient_privilege THEN
                refused := refused || name;
        END;
    END LOOP;
    RETURN array_to_string(refused, ' ');
END $$;
CREATE VIEW grants_all AS SELECT store, grants_refused(store) AS refused FROM unnest(ARRAY['grants', 'a "grant"']) AS store;
GRANT SELECT ON grants_all TO PUBLIC;

SET ROLE "session_store ""app""";
SELECT * FROM grants_all;
SET ROLE session_store_owner;
SELECT * FROM grants_all;

-- sessionQuery, which the owner of the table grants
SELECT session_grant(store, 'session_store "app"', 'sessionQuery') FROM unnest(ARRAY['grants', 'a "grant"']) AS store;
SET ROLE "session_store ""app""";
SELECT * FROM grants_all;
-- and whoever has it cannot pass it on
SELECT session_grant('grants', 'public', 'sessionQuery');
SET ROLE session_store_owner;
SELECT session_revoke(store, 'session_store "app"', 'sessionQuery') FROM unnest(ARRAY['grants', 'a "grant"']) AS store;
SET ROLE "session_store ""app""";
SELECT * FROM grants_all;

-- sessionUpdate
SET ROLE session_store_owner;
SELECT session_grant(store, 'session_store "app"', 'sessionUpdate') FROM unnest(ARRAY['grants', 'a "grant"']) AS store;
SET ROLE "session_store ""app""";
SELECT * FROM grants_all;
SET ROLE session_store_owner;
SELECT session_revoke(store, 'session_store "app"', 'sessionUpdate') FROM unnest(ARRAY['grants', 'a "grant"']) AS store;
SET ROLE "session_store ""app""";
SELECT * FROM grants_all;

-- PUBLIC is all roles. A role keeps what it has through PUBLIC, and is warned.
RESET ROLE;
SELECT session_grant('grants', 'PUBLIC', 'sessionQuery'), session_grant('grants', 'session_store "app"', 'sessionQuery');
SELECT session_revoke('grants', 'session_store "app"', 'sessionQuery');
SELECT has_table_privilege('public', 'sessions.grants', 'SELECT') AS public, has_table_privilege('session_store "app"', 'sessions.grants', 'SELECT') AS app;
SELECT session_revoke('grants', 'public', 'sessionQuery');
SELECT has_table_privilege('public', 'sessions.grants', 'SELECT') AS public, has_table_privilege('session_store "app"', 'sessions.grants', 'SELECT') AS app;

-- get is what PUBLIC has unless it is taken away.
BEGIN;
SELECT session_revoke('grants', 'public', 'get');
SELECT session_grant('grants', 'session_store "app"', 'sessionQuery');
SET LOCAL ROLE "session_store ""app""";
SELECT * FROM grants_all WHERE store = 'grants';
RESET ROLE;
SELECT session_grant('grants', 'session_store "app"', 'get');
SET LOCAL ROLE "session_store ""app""";
SELECT * FROM grants_all WHERE store = 'grants';
SELECT name FROM session_list() WHERE name = 'grants';
RESET ROLE;
SELECT session_revoke('grants', 'session_store "app"', 'get');
SET LOCAL ROLE "session_store ""app""";
SELECT name FROM session_list() WHERE name = 'grants';
ROLLBACK;

-- admin: GRANT asks for more than owning the store
SET ROLE session_store_owner;
\set VERBOSITY sqlstate
SELECT session_grant('grants', 'session_store "app"', 'admin');
\set VERBOSITY default
\set SHOW_CONTEXT never
RESET ROLE;
SELECT pg_has_role('session_store "app"', 'session_store_owner', 'MEMBER');
SELECT session_grant('grants', 'session_store "app"', 'admin');
SET ROLE "session_store ""app""";
SELECT * FROM grants_all;
-- The role got the owner's rights on all of his stores, and loses them together.
RESET ROLE;
SELECT session_revoke('grants', 'session_store "app"', 'admin');
SET ROLE "session_store ""app""";
SELECT * FROM grants_all;
-- What it needs for a store of another owner stays.
RESET ROLE;
SELECT session_grant('grants', 'session_store "app"', 'admin');
SET ROLE "session_store ""app""";
SELECT session_add('grants_own');
RESET ROLE;
SELECT session_revoke('grants', 'session_store "app"', 'admin');
SELECT session_revoke('grants_own', 'session_store "app"', 'admin');
SET ROLE "session_store ""app""";
SELECT session_rename('grants_own', 'grants_own_2'), session_drop('grants_own_2');
SELECT session_drop('grants');
RESET ROLE;
-- Not to all, and not where it would make a superuser
SELECT session_grant('grants', 'public', 'admin');
SELECT session_add('grants_super');
CREATE ROLE session_store_super SUPERUSER;
ALTER TABLE sessions.grants_super OWNER TO session_store_super;
SELECT session_grant('grants_super', 'session_store "app"', 'admin');
GRANT session_store_super TO session_store_owner;
SELECT session_grant('grants', 'session_store "app"', 'admin');
SELECT session_drop('grants_super');

-- Mistakes
SELECT session_grant('grants', 'session_store_nobody', 'get');
SELECT session_revoke('grants', '', 'get');
SELECT session_grant('grants', 'public', 'sessionquery');
SELECT session_grant('grant', 'public', 'get');
SELECT session_grant('grants', 'public', "right" => NULL);
SELECT session_grant(store => 'grants', role => 'public; DROP TABLE sessions.grants', "right" => 'get');
BEGIN READ ONLY;
SELECT session_grant('grants', 'public', 'sessionQuery');
ROLLBACK;

DROP VIEW grants_all;
DROP FUNCTION grants_refused;
SELECT session_drop('grants'), session_drop('a "grant"');
DROP OWNED BY session_store_owner, "session_store ""app""", session_store_super;
DROP ROLE session_store_owner, "session_store ""app""", session_store_super;

-- A role that may not revoke is told so once.
CREATE ROLE session_store_gets;
CREATE ROLE session_store_revokes;
SELECT session_add('revoked');
SELECT session_grant('revoked', 'session_store_gets', 'sessionQuery');
SELECT session_grant('revoked', 'session_store_revokes', 'get'), session_grant('revoked', 'session_store_revokes', 'sessionQuery');
SET ROLE session_store_revokes;
SELECT session_revoke('revoked', 'session_store_gets', 'sessionQuery');
RESET ROLE;
SELECT session_drop('revoked');
DROP OWNED BY session_store_gets, session_store_revokes;
DROP ROLE session_store_gets, session_store_revokes;
