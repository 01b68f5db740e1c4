-- A store may be called anything that PostgreSQL can keep, and nothing in a name is executed.
CREATE TABLE names (n int, name text);
INSERT INTO names VALUES
    (1, 'select'), (2, 'User'), (3, 'user'), (4, 'a b'), (5, 'a"b'), (6, 'a''b'), (7, '"; DROP TABLE names; --'), (8, 'a.b'),
    (9, 'a\b'), (10, '$1'), (11, '{table}'), (12, '{shard}'), (13, E'new\nline'), (14, 'größe'), (15, '数据'), (16, '😀'), (17, ' '),
    (18, '%s%I'), (19, repeat('é', 31)), (20, '/*'), (21, 'pg_class'), (22, '*'), (23, '_names'), (24, '-'), (25, '"quoted"');
SELECT count(session_add(name, key => 'id', shards => 1 + n % 3 / 2)) FROM names;
SELECT count(session_update(name, jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(jsonb_build_object('id', n, 'name', name)))))) FROM names;
SELECT n, name, a->'count' FROM names, session_query(name, 'id:*') AS a WHERE a->'items'->0->>'name' <> name OR a->'count' <> '1' OR a->'items'->0->>'id' <> n::text;
SELECT count(*) FROM names JOIN session_list() USING (name) WHERE bytes > 0;
SELECT count(session_key(name, 'name')) FROM names;
SELECT n FROM names, session_stream(name, '*:*') AS doc WHERE doc->>'name' <> name;
SELECT count(session_rename(name, 'r' || name)) FROM names;
SELECT count(session_count('r' || name, '*:*')) FROM names;
SELECT count(session_drop('r' || name)) FROM names;
SELECT count(*) FROM names JOIN session_list() USING (name);
DROP TABLE names;

-- What cannot be kept
SELECT session_add('');
\echo :LAST_ERROR_SQLSTATE
SELECT session_add(repeat('x', 64));
\echo :LAST_ERROR_SQLSTATE
SELECT session_count(repeat('é', 32), '*:*');
