-- session_update inserts, replaces and deletes; the last word on an identity wins.
SELECT session_add('update', key => 'id');

-- Replace, never merge.
SELECT session_update('update', '[{"upsert": [{"id": "a", "x": 1, "y": 1}, {"id": "b"}]}]');
SELECT session_update('update', '[{"upsert": [{"id": "a", "x": 2}]}]');
SELECT id, doc FROM sessions.update ORDER BY id;

-- Ops apply in order, an op's upserts before its deletes.
SELECT session_update('update', '[
    {"upsert": [{"id": "c", "n": 1}, {"id": "c", "n": 2}]},
    {"delete": ["d"], "upsert": [{"id": "d"}]},
    {"delete": ["e"]}, {"upsert": [{"id": "e"}]},
    {"delete": ["c", "c"]}, {"upsert": [{"id": "c", "n": 3}]},
    {"delete": ["a", "never there"]}]');
SELECT id, doc FROM sessions.update ORDER BY id;

-- Numbers and strings share one space, numbers in plain digits.
SELECT session_update('update', '[{"delete": ["b", "c", "e"], "upsert":
    [{"id": 2002.0}, {"id": 1e3}, {"id": -0.50}, {"id": 0.0}, {"id": 123456789012345678901234567890}, {"id": "2002"}]}]');
SELECT id, doc FROM sessions.update ORDER BY id;
SELECT session_update('update', '[{"delete": ["1000", -5e-1, 2002, 0, "123456789012345678901234567890"]}]');
SELECT count(*) FROM sessions.update;

-- The identity may lie in an array, or under a key with a dot.
SELECT session_key('update', 'a.b');
SELECT session_update('update', '[{"upsert": [{"a": [{"b": "in an array"}]}, {"a.b": "dotted"}, {"a": {"b": [["deep"]]}}]}]');
SELECT id, doc FROM sessions.update ORDER BY id;

-- An unchanged document is not rewritten; one that differs in a number's scale alone is changed.
SELECT session_update('update', '[{"upsert": [{"a": {"b": "same"}, "n": 1}, {"a": {"b": "other"}, "n": 1}]}]');
CREATE TEMPORARY TABLE places AS SELECT id, ctid AS place FROM sessions.update;
SELECT session_update('update', '[{"upsert": [{"n": 1, "a": {"b": "same"}}, {"a": {"b": "other"}, "n": 1.0}]}]');
SELECT stored.id, stored.ctid = place AS unmoved, doc FROM sessions.update AS stored JOIN places USING (id) WHERE doc ? 'n' ORDER BY id;
DROP TABLE places;

-- Nothing to do is no error.
SELECT session_update('update', '[]');
SELECT session_update('update', '[{"upsert": [], "delete": []}]');

-- Several calls in one statement and transaction see each other's work.
BEGIN;
SELECT session_update('update', '[{"upsert": [{"a": {"b": 1}}]}]'), session_update('update', '[{"delete": [1]}]');
SELECT session_count('update', 'a.b:1');
COMMIT;
SELECT session_drop('update');
