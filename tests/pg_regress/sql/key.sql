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
