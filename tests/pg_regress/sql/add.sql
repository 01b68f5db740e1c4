-- session_add creates an empty store, a table in schema sessions, and a row of the catalogue.
SELECT session_add('add');
SELECT session_add(store => 'add_2', key => 'user.id', shards => 1, replicas => 1);
SELECT name, key, shards, replicas FROM session_store.store WHERE name LIKE 'add%' ORDER BY name;
\d sessions.add
SELECT session_count('add', '*:*');

-- A name in use is an error, by a store or by anything else in the schema.
SELECT session_add('add');
\echo :LAST_ERROR_SQLSTATE
SELECT session_add('add_pkey');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM session_store.store WHERE name = 'add_pkey';

-- More replicas than there are copies: a warning.
SELECT session_add('add_3', replicas => 3);
SELECT name, replicas, copies FROM session_list() WHERE name = 'add_3';

-- Numbers out of range, and nulls.
SELECT session_add('add_4', replicas => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT session_add('add_4', shards => 0);
SELECT session_add('add_4', shards => 1025);
\echo :LAST_ERROR_SQLSTATE
SELECT session_add(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT session_add('add_4', key => NULL);
SELECT session_add('add_4', shards => NULL);

-- A store holds objects, also for plain SQL.
INSERT INTO sessions.add VALUES ('1', '[1]');

SELECT session_drop(name) FROM session_list() WHERE name LIKE 'add%';

-- A store has no schema in its name.
SELECT session_add('without_schema');
SELECT session_count('sessions.without_schema', '*:*');
SELECT session_drop('without_schema');
