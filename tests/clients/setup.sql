-- What each client finds: an empty store, and a table with a column of type lucene_query.
CREATE EXTENSION IF NOT EXISTS session_store;
SELECT session_drop(name) FROM session_list() WHERE name = 'clients';
SELECT session_add('clients', key => 'id');
DROP TABLE IF EXISTS alerts;
CREATE TABLE alerts (id int PRIMARY KEY, q lucene_query NOT NULL);
INSERT INTO alerts VALUES (1, 'name:Ann');
