-- session_adopt makes a store of a table that the catalogue does not know, as after restoring a dump of schema sessions alone.
SELECT session_add('adopt', key => 'id'), session_add('adopt_3', key => 'id', shards => 3);
SELECT session_update(name, '[{"upsert": [{"id": 1, "n": 1}, {"id": "b", "n": 2}, {"id": 2.5}]}]') FROM session_list() WHERE name ~ '^adopt';
DELETE FROM session_store.store WHERE name ~ '^adopt';
-- Who asks is told.
SELECT session_count('adopt', '*:*');
SELECT session_add('adopt');
SELECT session_adopt('adopt', 'n');
\echo :LAST_ERROR_SQLSTATE
SELECT session_adopt('adopt');
SELECT session_adopt('adopt', 'id'), session_adopt(store => 'adopt_3', key => 'id');
SELECT name, key, shards, replicas FROM session_list() WHERE name ~ '^adopt' ORDER BY name;
SELECT session_update(name, '[{"upsert": [{"id": 1, "n": 3}], "delete": ["b"]}]') FROM session_list() WHERE name ~ '^adopt';
SELECT session_count('adopt', '*:*'), session_count('adopt_3', 'n:3'), session_explain('adopt_3', 'n:3')->>'way' AS way;
SELECT session_rename('adopt_3', 'adopt_4');
SELECT session_adopt('adopt', 'id');
\echo :LAST_ERROR_SQLSTATE
SELECT session_adopt('adopt_none', 'id');
\echo :LAST_ERROR_SQLSTATE
SELECT session_adopt('adopt_4/0', 'id');
SELECT session_adopt('adopt_pkey', 'id');
SELECT session_adopt(NULL), session_adopt('');
SELECT session_adopt('adopt_5', NULL);

-- What is not as session_add makes it
CREATE TABLE sessions.adopt_5 (number int, doc jsonb);
SELECT session_adopt('adopt_5', 'id');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE sessions.adopt_5 RENAME number TO id;
SELECT session_adopt('adopt_5', 'id');
ALTER TABLE sessions.adopt_5 ALTER id TYPE text;
SELECT session_adopt('adopt_5', 'id');
ALTER TABLE sessions.adopt_5 ALTER id TYPE text COLLATE "C";
SELECT session_adopt('adopt_5', 'id');
ALTER TABLE sessions.adopt_5 ALTER doc SET NOT NULL, ADD UNIQUE (id);
SELECT session_adopt('adopt_5', 'id');
ALTER TABLE sessions.adopt_5 ADD PRIMARY KEY (id) DEFERRABLE;
SELECT session_adopt('adopt_5', 'id');
ALTER TABLE sessions.adopt_5 DROP CONSTRAINT adopt_5_pkey, ADD PRIMARY KEY (id);
SELECT session_adopt('adopt_5', 'id');
CREATE INDEX ON sessions.adopt_5 USING gin (doc jsonb_lucene_ops) WHERE id <> '';
SELECT session_adopt('adopt_5', 'id');
CREATE INDEX ON sessions.adopt_5 USING gin (doc jsonb_lucene_ops);
INSERT INTO sessions.adopt_5 VALUES ('1', '{"id": 1}'), ('x', '{"id": 2}'), ('3', '{"id": [3, 4]}'), ('4', '{"id": true}'), ('5', '{}'), ('6', '{"id": "y"}'), ('7', '{"id": {}}');
SELECT session_adopt('adopt_5', 'id');
\echo :LAST_ERROR_SQLSTATE
UPDATE sessions.adopt_5 SET id = session_store.identity(doc, 'id') WHERE session_store.identity(doc, 'id') <> id;
-- A document without a value at the path may have any id.
DELETE FROM sessions.adopt_5 WHERE id IN ('3', '4');
INSERT INTO sessions.adopt_5 VALUES ('9', '[{"id": 9}]');
SELECT session_adopt('adopt_5', 'id');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM sessions.adopt_5 WHERE id = '9';
SELECT session_adopt('adopt_5', 'id');
SELECT session_query('adopt_5', 'id:(2 y)', sort => 'id');
INSERT INTO sessions.adopt_5 VALUES ('9', '[{"id": 9}]');
INSERT INTO sessions.adopt_5 VALUES ('9', '{"id": 8}');
SELECT session_update('adopt_5', '[{"upsert": [{"id": 9}], "delete": [1, 5, 7]}]'), session_key('adopt_5', 'id');

-- By the table's owner
CREATE ROLE session_store_reader;
DELETE FROM session_store.store WHERE name = 'adopt';
GRANT INSERT ON session_store.store TO session_store_reader;
GRANT ALL ON sessions.adopt TO session_store_reader;
SET ROLE session_store_reader;
SELECT session_adopt('adopt', 'id');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER TABLE sessions.adopt OWNER TO session_store_reader;
SET ROLE session_store_reader;
SELECT session_adopt('adopt', 'id');
RESET ROLE;
SELECT session_drop('adopt'), session_drop('adopt_4'), session_drop('adopt_5');
DROP OWNED BY session_store_reader;
DROP ROLE session_store_reader;
