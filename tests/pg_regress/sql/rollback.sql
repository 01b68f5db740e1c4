-- Everything is part of the caller's transaction, and an error leaves nothing behind.
SELECT session_add('rollback', key => 'id');
SELECT session_update('rollback', '[{"upsert": [{"id": 1, "v": 1, "w": "a"}, {"id": 2, "v": 1, "w": "b"}]}]');
BEGIN;
SELECT session_update('rollback', '[{"upsert": [{"id": 1, "v": 2}, {"id": 3}], "delete": [2]}]');
SELECT session_count('rollback', '*:*'), session_count('rollback', 'v:1');
ROLLBACK;
SELECT id, doc FROM sessions.rollback ORDER BY id;

-- Back to a savepoint
BEGIN;
SELECT session_update('rollback', '[{"upsert": [{"id": 3}]}]');
SAVEPOINT s;
SELECT session_update('rollback', '[{"delete": [1, 2, 3]}]');
SELECT session_count('rollback', '*:*');
ROLLBACK TO s;
SELECT session_count('rollback', '*:*');
ROLLBACK;

-- Stores come and go with the transaction too.
BEGIN;
SELECT session_add('rollback_2', shards => 2);
SELECT session_rename('rollback', 'rolled');
SELECT session_key('rolled', 'w');
SELECT id FROM sessions.rolled ORDER BY id;
SELECT session_drop('rolled');
SELECT name FROM session_list() WHERE name LIKE 'roll%';
ROLLBACK;
SELECT name, key FROM session_list() WHERE name LIKE 'roll%';
SELECT id FROM sessions.rollback ORDER BY id;

-- The last document is wrong: none is stored.
SELECT session_update('rollback', '[{"upsert": [{"id": 8}, {"id": 9}]}, {"delete": [1]}, {"upsert": [{"no": "id"}]}]');
SELECT session_count('rollback', '*:*');

-- A trigger of the user's own refuses one document: none is stored, and its error comes through as it is.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = '9' THEN RAISE EXCEPTION 'not nine' USING ERRCODE = 'check_violation', DETAIL = 'nine is wrong', HINT = 'try ten'; END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON sessions.rollback FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT session_update('rollback', '[{"upsert": [{"id": 8}, {"id": 9}], "delete": [1]}]');
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM sessions.rollback ORDER BY id;

-- A statement timeout is a statement timeout.
SET statement_timeout = '50ms';
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$;
SELECT session_update('rollback', '[{"upsert": [{"id": 8}]}]');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT session_drop('rollback');
DROP FUNCTION refuse();
