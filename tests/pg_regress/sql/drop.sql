-- session_drop removes a store and its documents.
SELECT session_add('drop', shards => 2);
SELECT session_drop('drop');
SELECT to_regclass('sessions."drop"'), (SELECT count(*) FROM session_store.store WHERE name = 'drop');
SELECT session_drop('drop');
\echo :LAST_ERROR_SQLSTATE
SELECT session_drop(NULL);

-- What depends on the table keeps it.
SELECT session_add('drop');
CREATE VIEW drop_view AS SELECT id FROM sessions.drop;
SELECT session_drop('drop');
\echo :LAST_ERROR_SQLSTATE
SELECT session_count('drop', '*:*');
DROP VIEW drop_view;

-- A store whose table was dropped by hand: the others say so, and session_drop tidies up.
DROP TABLE sessions.drop;
SELECT session_query('drop', '*:*');
\echo :LAST_ERROR_SQLSTATE
SELECT session_update('drop', '[]');
SELECT name, documents, bytes FROM session_list() WHERE name = 'drop';
SELECT session_add('drop');
SELECT session_drop('drop');
SELECT count(*) FROM session_list() WHERE name = 'drop';

-- What depends on a store keeps it, and the hint works.
SELECT session_add('needed');
CREATE VIEW needs_needed AS SELECT id FROM sessions.needed;
CREATE TABLE refers_to_needed (id text REFERENCES sessions.needed);
SELECT session_drop('needed');
\echo :LAST_ERROR_SQLSTATE
SET client_min_messages = warning;
DROP TABLE sessions.needed CASCADE;
SELECT session_drop('needed');
RESET client_min_messages;
DROP TABLE refers_to_needed;
