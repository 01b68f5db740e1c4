-- session_key moves the identity to another path, all documents or none.
SELECT session_add('key', key => 'a');
SELECT session_update('key', '[{"upsert": [{"a": 1, "b": 2}, {"a": 2, "b": 3.0}, {"a": 3, "b": "1", "c": 5}]}]');
-- Identities change places.
SELECT session_key('key', 'b');
SELECT id, doc FROM sessions.key ORDER BY id;
SELECT key FROM session_list() WHERE name = 'key';
SELECT conname, contype FROM pg_constraint WHERE conrelid = 'sessions.key'::regclass AND contype = 'p';
-- From now on updates go by the new path.
SELECT session_update('key', '[{"upsert": [{"b": 1, "c": 1}], "delete": [2]}]');
SELECT id, doc FROM sessions.key ORDER BY id;

-- Refused: no usable identity.
SELECT session_update('key', '[{"upsert": [{"b": 4, "c": [1, 2]}, {"b": 5, "c": true}, {"b": 6}, {"b": 7, "c": null}, {"b": 8}, {"b": 9}]}]');
SELECT session_key('key', 'c');
\echo :LAST_ERROR_SQLSTATE
SELECT session_update('key', '[{"delete": [4, 5, 7, 8, 9, 3]}]');
SELECT session_key('key', 'c');
-- Refused: shared identities, numbers and strings alike.
SELECT session_update('key', '[{"upsert": [{"b": 1, "d": 7}, {"b": 2, "d": "7"}, {"b": 3, "d": 7.0}, {"b": 4, "d": 8}, {"b": 5, "d": 9}, {"b": 6, "d": 9}]}]');
SELECT session_key('key', 'd');
\echo :LAST_ERROR_SQLSTATE
SELECT session_update('key', '[{"upsert": [{"b": 10, "d": 9}, {"b": 11, "d": 9}]}]');
SELECT session_key('key', 'd');
-- Nothing has changed.
SELECT key, (SELECT string_agg(id, ' ' ORDER BY id) FROM sessions.key) AS ids FROM session_list() WHERE name = 'key';

-- The same path again is no error.
SELECT session_key('key', 'b');
-- Sharded stores: documents move to other shards.
SELECT session_add('key_4', key => 'a', shards => 4);
SELECT session_update('key_4', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('a', i, 'b', i % 100 + 1))))) FROM generate_series(1, 100) AS i;
SELECT session_key('key_4', 'b');
SELECT count(*), count(*) FILTER (WHERE id = doc->>'b') FROM sessions.key_4;
SELECT session_update('key_4', '[{"upsert": [{"b": 7, "a": "seven"}]}]');
SELECT session_query('key_4', 'a:seven'), session_count('key_4', '*:*');

SELECT session_key('no_key', 'a');
SELECT session_key('key', NULL);
SELECT session_drop('key'), session_drop('key_4');

-- The primary key stays, with all that is said of it and hangs on it.
SELECT session_add('held', key => 'a');
SELECT session_update('held', '[{"upsert": [{"a": 1, "b": 2}, {"a": 2, "b": 3}, {"a": 3, "b": 1}, {"a": 4, "b": 4}, {"a": 5, "b": "new"}]}]');
ALTER INDEX sessions.held_pkey SET (fillfactor = 70);
COMMENT ON INDEX sessions.held_pkey IS 'of the index';
COMMENT ON CONSTRAINT held_pkey ON sessions.held IS 'of the constraint';
ALTER TABLE sessions.held CLUSTER ON held_pkey;
ALTER TABLE sessions.held REPLICA IDENTITY USING INDEX held_pkey;
SET client_min_messages = error; -- which wal_level would not do for
CREATE PUBLICATION held_publication FOR TABLE sessions.held;
RESET client_min_messages;
CREATE VIEW held_view AS SELECT id, doc FROM sessions.held GROUP BY id;
CREATE TABLE held_orders (n int, session text REFERENCES sessions.held ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO held_orders VALUES (1, '1'), (2, '2'), (3, '3'), (4, '4'), (5, '5'), (6, '1');
CREATE VIEW held_key AS
SELECT c.oid, c.reloptions, indisclustered, indisreplident, t.relreplident, obj_description(c.oid, 'pg_class') AS index, obj_description(n.oid, 'pg_constraint') AS constraint
FROM pg_class AS c JOIN pg_index ON indexrelid = c.oid JOIN pg_class AS t ON t.oid = indrelid JOIN pg_constraint AS n ON conindid = c.oid AND contype = 'p'
WHERE indrelid = 'sessions.held'::regclass;
SELECT oid FROM held_key \gset
SELECT session_key('held', 'b');
SELECT oid = :oid AS same, reloptions, indisclustered, indisreplident, relreplident, index, "constraint" FROM held_key;
SELECT id, doc FROM held_view ORDER BY id;
SELECT string_agg(n || ':' || session, ' ' ORDER BY n) FROM held_orders;
-- A foreign key that does not follow
ALTER TABLE held_orders DROP CONSTRAINT held_orders_session_fkey, ADD FOREIGN KEY (session) REFERENCES sessions.held;
SELECT session_key('held', 'a');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE held_orders DROP CONSTRAINT held_orders_session_fkey, ADD FOREIGN KEY (session) REFERENCES sessions.held DEFERRABLE INITIALLY DEFERRED;
SELECT session_key('held', 'a');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT session_key('held', 'a');
ROLLBACK;
SELECT session_count('held', '*:*'), key, (SELECT count(*) FROM sessions.held WHERE id = doc->>'b') FROM session_list() WHERE name = 'held';
-- Nothing refers to those that change.
DELETE FROM held_orders WHERE session <> '4';
ALTER TABLE held_orders DROP CONSTRAINT held_orders_session_fkey, ADD FOREIGN KEY (session) REFERENCES sessions.held;
SELECT session_key('held', 'a');
SELECT string_agg(id, ' ' ORDER BY id) FROM sessions.held;
-- Without a primary key
DROP PUBLICATION held_publication;
DROP TABLE held_orders;
DROP VIEW held_view, held_key;
ALTER TABLE sessions.held DROP CONSTRAINT held_pkey;
SELECT session_key('held', 'b');
SELECT string_agg(id, ' ' ORDER BY id) FROM sessions.held;
-- In shards, followed across them
SELECT session_add('held_3', key => 'a', shards => 3);
SELECT session_update('held_3', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('a', i, 'b', (i + 6) % 20))))) FROM generate_series(0, 19) AS i;
SET client_min_messages = error;
CREATE PUBLICATION held_publication FOR TABLE sessions.held_3;
RESET client_min_messages;
SELECT session_key('held_3', 'b');
SELECT count(*), count(*) FILTER (WHERE id = doc->>'b') FROM sessions.held_3;
DROP PUBLICATION held_publication;
SELECT session_drop('held'), session_drop('held_3');

-- A document lies under its own identity, whoever writes it; one that has no value there may lie anywhere, one that has no identity nowhere.
SELECT session_add('identity', key => 'it''s.{table}.\id');
SELECT session_update('identity', '[{"upsert": [{"it''s": {"{table}": {"\\id": 1}}}]}]');
INSERT INTO sessions.identity VALUES ('planted', '{"it''s": {"{table}": {"\\id": 1}}}');
\echo :LAST_ERROR_SQLSTATE
UPDATE sessions.identity SET doc = '{"it''s": {"{table}": {"\\id": 2}}}';
UPDATE sessions.identity SET id = '2';
INSERT INTO sessions.identity VALUES ('1.0', '{"it''s": {"{table}": {"\\id": 1.0}}}');
INSERT INTO sessions.identity SELECT session_store.identity(doc, 'it''s.{table}.\id'), doc FROM (VALUES (jsonb '{"it''s.{table}.\\id": [2.50]}')) AS _ (doc);
INSERT INTO sessions.identity VALUES ('any', '{"n": 1}');
INSERT INTO sessions.identity VALUES ('empty', '{"it''s": {"{table}": {"\\id": [null, {}, {"\\id": 1}]}}}');
INSERT INTO sessions.identity VALUES ('3', '{"it''s.{table}.\\id": [3, 4]}');
INSERT INTO sessions.identity VALUES ('3', '{"it''s.{table}.\\id": [3, 3]}');
INSERT INTO sessions.identity VALUES ('3', '{"it''s.{table}.\\id": [3, true]}');
INSERT INTO sessions.identity VALUES ('true', '{"it''s.{table}.\\id": true}');
INSERT INTO sessions.identity VALUES ('3', '{"it''s.{table}.\\id": 3, "it''s": {"{table}": {"\\id": 5}}}');
UPDATE sessions.identity SET doc = '{"it''s.{table}.\\id": [1, 1]}' WHERE id = '1';
\set VERBOSITY sqlstate
INSERT INTO sessions.identity SELECT id, jsonb_build_object('it''s.{table}.\id', id) FROM repeat('x', 2501) AS id;
INSERT INTO sessions.identity VALUES ('1', '{"it''s.{table}.\\id": 1e2500}');
\set VERBOSITY default
INSERT INTO sessions.identity VALUES ('list', '["n"]');
INSERT INTO sessions.identity VALUES ('scalar', '"n"');
SELECT id FROM sessions.identity ORDER BY id;
-- It follows the key.
UPDATE sessions.identity SET doc = doc || jsonb_build_object('k', 'k' || id);
SELECT session_key('identity', 'k');
INSERT INTO sessions.identity VALUES ('planted', '{"k": "k1"}');
-- Where somebody took the constraint away, the same path again moves what lies elsewhere.
ALTER TABLE sessions.identity DROP CONSTRAINT session_identity;
INSERT INTO sessions.identity VALUES ('planted', '{"k": "k3"}');
SELECT session_key('identity', 'k');
SELECT id FROM sessions.identity ORDER BY id;
INSERT INTO sessions.identity VALUES ('planted', '{"k": "k1"}');
SELECT session_drop('identity');

-- What the constraint asks, of every document and id. Before 0.6.0, stores had two that let what has no identity lie anywhere.
WITH documents (doc) AS (
    SELECT format('{"k": %s}', value)::jsonb
    FROM unnest('{0,-0,7,7.0,7e0,70,-7,0.7,7e-1,-0.70,1e3,1000,1e30,18446744073709551615,18446744073709551616,9999999999999999,1e99999}'::text[]) AS value
    UNION ALL SELECT jsonb_build_object('k', value) FROM unnest(ARRAY['', '7', '07', '+7', '-7', '7.0', 'ü', repeat('x', 2500), repeat('x', 2501)]) AS value
    UNION ALL VALUES (jsonb '{}'), ('[]'), ('7'), ('"7"'), ('null'), ('[{"k": 7}]'), ('{"k": null}'), ('{"k": true}'), ('{"k": []}'), ('{"k": [7]}'), ('{"k": [[7]]}'),
        ('{"k": [7, 7]}'), ('{"k": ["7", true]}'), ('{"k": {}}'), ('{"k": {"": 7}}'), ('{"k": {"k": 7}}')
), ids (id) AS (
    SELECT session_store.identity(doc, 'k') FROM documents
    UNION VALUES (''), ('7'), ('07'), ('007'), ('-7'), ('-0'), ('+7'), ('7.0'), ('70'), ('17'), ('0.70'), (' 7'), (repeat('x', 2501)), ('any'), (NULL)
)
SELECT count(*) - count(*) FILTER (WHERE session_store.is_session(id, doc, 'k') IS NOT DISTINCT FROM
        CASE WHEN id IS NOT NULL THEN jsonb_typeof(doc) = 'object' AND coalesce(id = session_store.identity(doc, 'k'), session_store.sort_key(doc, 'k', false) IS NULL) END) AS different,
    count(*) FILTER (WHERE session_store.is_session(id, doc, 'k')) AS may_lie_there
FROM documents, ids;

-- A store of before 0.6.0 has two constraints, and gets the one by session_key or session_adopt. Others stay, also one that is only shown like it.
CREATE FUNCTION key_make_old(store text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE sessions.%1$I DROP CONSTRAINT session_identity, ADD CHECK (pg_catalog.jsonb_typeof(doc) = ''object''),
        ADD CONSTRAINT session_identity CHECK (id = session_store.identity(doc, %2$L))', store, 'it''s');
END
$$;
CREATE SCHEMA key_other;
CREATE FUNCTION key_other.jsonb_typeof(jsonb) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'object';
SELECT session_add('two', key => 'it''s'), session_add('two_3', key => 'it''s', shards => 3);
SELECT session_update(name, '[{"upsert": [{"it''s": 1, "b": "x"}, {"it''s": "b", "b": "y"}, {"it''s": 2.5, "b": "z"}]}]') FROM session_list() WHERE name ~ '^two';
SELECT key_make_old(name) FROM session_list() WHERE name ~ '^two';
SET search_path = key_other, pg_catalog, public;
ALTER TABLE sessions.two ADD CONSTRAINT other CHECK (jsonb_typeof(doc) = 'object'), ADD CONSTRAINT own CHECK (pg_catalog.jsonb_typeof(doc) = 'object' OR true);
SELECT session_key('two', 'it''s'), session_key('two_3', 'b');
RESET search_path;
SELECT conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'sessions'::regnamespace AND conrelid::regclass::text ~ 'two' AND contype = 'c' ORDER BY conrelid::regclass::text, conname;
SELECT key_make_old('two');
-- What the two let lie anywhere is named.
INSERT INTO sessions.two VALUES ('1, 2', '{"it''s": [1, 2]}'), ('yes', '{"it''s": true}');
SELECT session_key('two', 'it''s');
DELETE FROM session_store.store WHERE name = 'two';
SELECT session_adopt('two', 'it''s');
DELETE FROM sessions.two WHERE session_store.identity(doc, 'it''s') IS NULL;
SELECT session_adopt('two', 'it''s');
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'sessions.two'::regclass AND contype = 'c' ORDER BY conname;
SELECT session_update('two', '[{"upsert": [{"it''s": 4}], "delete": [1]}]'), session_drop('two'), session_drop('two_3');
DROP FUNCTION key_make_old;
DROP SCHEMA key_other CASCADE;

-- Not all rows are seen: nothing is changed.
CREATE ROLE session_store_owner;
SELECT session_add('hidden', key => 'a');
SELECT session_update('hidden', '[{"upsert": [{"a": 1, "b": 2}, {"a": 2, "b": 3}]}]');
ALTER TABLE sessions.hidden OWNER TO session_store_owner;
ALTER TABLE sessions.hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY first_one ON sessions.hidden USING (id = '1');
GRANT UPDATE ON session_store.store TO session_store_owner;
SET ROLE session_store_owner;
SELECT session_key('hidden', 'b');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT string_agg(id, ' ' ORDER BY id) FROM sessions.hidden;
SELECT session_drop('hidden');
DROP OWNED BY session_store_owner;
DROP ROLE session_store_owner;
