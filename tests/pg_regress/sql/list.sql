-- session_list shows every store, by name in byte order.
SELECT session_add('list_b', key => 'x.y', shards => 2);
SELECT session_add('list_a');
SELECT session_add('List_C');
SELECT session_add('list_é');
SELECT name, key, shards, replicas, copies, documents, bytes > 0 AS bytes, created = now() AS created FROM session_list() WHERE name ILIKE 'list%';
SELECT session_update('list_b', '[{"upsert": [{"x": {"y": 1}}, {"x": {"y": 2}}, {"x": {"y": 3}}]}]');
ANALYZE sessions.list_b;
SELECT name, documents FROM session_list() WHERE name = 'list_b';
SELECT bytes = (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('sessions.list_b') WHERE isleaf) FROM session_list() WHERE name = 'list_b';
SELECT count(session_drop(name)) FROM session_list() WHERE name ILIKE 'list%';
SELECT count(*) FROM session_list() WHERE name ILIKE 'list%';
