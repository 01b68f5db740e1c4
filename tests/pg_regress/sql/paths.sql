-- session_paths and session_suggest, compared with plain SQL over the leaves of the documents.
SELECT session_add('paths', key => 'id');
-- Each leaf of each document once: equal numbers are one.
CREATE FUNCTION pg_temp.leaves(doc jsonb) RETURNS TABLE(path text, leaf jsonb) LANGUAGE sql AS $$
    WITH RECURSIVE walk(item, path) AS (
        SELECT doc, NULL::text
        UNION ALL
        SELECT next.* FROM walk CROSS JOIN LATERAL (
            SELECT element, walk.path FROM jsonb_array_elements(CASE jsonb_typeof(walk.item) WHEN 'array' THEN walk.item ELSE '[]' END) AS element
            UNION ALL
            SELECT member.value, coalesce(walk.path || '.', '') || member.key FROM jsonb_each(CASE jsonb_typeof(walk.item) WHEN 'object' THEN walk.item ELSE '{}' END) AS member) AS next)
    SELECT DISTINCT path, CASE jsonb_typeof(item) WHEN 'number' THEN trim_scale((item#>>'{}')::numeric)::text::jsonb ELSE item END
    FROM walk WHERE jsonb_typeof(item) NOT IN ('null', 'array', 'object')
$$;
CREATE FUNCTION pg_temp.expected(store text) RETURNS TABLE(path text, documents bigint, strings bigint, numbers bigint, booleans bigint, "values" bigint, multivalued boolean) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT path, count(DISTINCT id), count(DISTINCT id) FILTER (WHERE jsonb_typeof(leaf) = 'string'), count(DISTINCT id) FILTER (WHERE jsonb_typeof(leaf) = 'number'),
            count(DISTINCT id) FILTER (WHERE jsonb_typeof(leaf) = 'boolean'), count(DISTINCT leaf), count(*) > count(DISTINCT id)
        FROM sessions.%I, pg_temp.leaves(doc) GROUP BY path$q$, store);
END $$;
CREATE FUNCTION pg_temp.differences(store text) RETURNS TABLE(side text, path text, documents bigint, strings bigint, numbers bigint, booleans bigint, "values" bigint, multivalued boolean) LANGUAGE sql AS $$
    (SELECT 'sql', * FROM (SELECT * FROM pg_temp.expected(store) EXCEPT ALL SELECT * FROM session_paths(store)) AS _)
    UNION ALL
    (SELECT 'paths', * FROM (SELECT * FROM session_paths(store) EXCEPT ALL SELECT * FROM pg_temp.expected(store)) AS _)
$$;
SELECT * FROM session_paths('paths');
SELECT session_update('paths', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'user', jsonb_build_object('name', 'u' || n % 211, 'age', n % 50),
    'tags', CASE WHEN n % 3 = 0 THEN '[]'::jsonb ELSE jsonb_build_array('t' || n % 5, 't' || n % 7, 't' || n % 5) END, 'same', '[1, 1.0, 1e0]'::jsonb,
    'mixed', CASE n % 6 WHEN 0 THEN '5' WHEN 1 THEN '[5.0, "5", true]' WHEN 2 THEN '"5"' WHEN 3 THEN '[true, false]' WHEN 4 THEN 'null' ELSE '["x", 7, "y"]' END::jsonb,
    'long', repeat('x', 300) || n % 3, 'longs', CASE WHEN n = 5 THEN jsonb_build_array(repeat('y', 300) || 1, repeat('y', 300) || 2) ELSE '"z"' END,
    'a.b', n % 2, 'a', jsonb_build_object('b', n % 3), 'when', CASE WHEN n % 10 = 0 THEN '2024-01-01 05:00:00.5+01' END, '', jsonb_build_object('', true))))))
FROM generate_series(1, 1500) AS n;
SELECT * FROM session_paths('paths');
SELECT * FROM session_paths('paths', 'user.');
SELECT path, "values" FROM session_paths('paths', 'us') WHERE multivalued IS FALSE;
SELECT * FROM session_paths('paths', 'nowhere');
SELECT * FROM pg_temp.differences('paths');
VACUUM sessions.paths;
SELECT * FROM pg_temp.differences('paths');
-- Pending entries, a transaction's own writes, and what only invisible documents have
SELECT session_update('paths', '[{"upsert": [{"id": 77, "user": {"name": "forgotten"}, "secret": {"path": 1}, "tags": ["own", 2]}], "delete": [4, 8]}]');
SELECT * FROM pg_temp.differences('paths');
SELECT * FROM session_suggest('paths', 'user.name', 'forg');
BEGIN;
SELECT session_update('paths', '[{"delete": [77]}, {"upsert": [{"id": 5001, "mine": "only"}]}]');
SELECT * FROM pg_temp.differences('paths');
SELECT path FROM session_paths('paths', 'secret') UNION ALL SELECT path FROM session_paths('paths', 'mine');
SELECT count(*) FROM session_suggest('paths', 'user.name', 'forg');
ROLLBACK;
VACUUM sessions.paths;
SELECT path FROM session_paths('paths', 'secret') UNION ALL SELECT path FROM session_paths('paths', 'mine');
-- A forgotten name does not show, before VACUUM and after it.
SELECT session_update('paths', '[{"delete": [77]}]');
SELECT count(*) FROM session_suggest('paths', 'user.name', 'forg');
SELECT count(*) FROM session_paths('paths', 'secret');
SELECT * FROM pg_temp.differences('paths');
VACUUM sessions.paths;
SELECT count(*) FROM session_suggest('paths', 'user.name', 'forg');
SELECT count(*) FROM session_paths('paths', 'secret');
SELECT * FROM pg_temp.differences('paths');
-- Suggestions: strings alone, the most frequent first
SELECT * FROM session_suggest('paths', 'user.name', 'u20');
SELECT * FROM session_suggest('paths', 'user.name', 'u20', q => 'user.age:[10 TO 12]', rows => 3);
SELECT * FROM session_suggest('paths', 'tags', 't', rows => NULL);
SELECT * FROM session_suggest('paths', 'mixed', '');
SELECT length(value), right(value, 1), count FROM session_suggest('paths', 'long', repeat('x', 280));
SELECT * FROM session_suggest('paths', 'user.name', 'U2');
SELECT * FROM session_suggest('paths', 'nowhere', 'x');
SELECT count(*) FROM session_suggest('paths', 'user.name', 'u', rows => 0);
SELECT prefix, q, count(*) AS suggested, bool_and(suggested.count = (SELECT count(*) FROM sessions.paths WHERE doc->'user'->>'name' = value AND doc @@@ q)) AS right
FROM unnest(ARRAY['', 'u', 'u1', 'u12', 'u123', 'v']) AS prefix, unnest(ARRAY['*:*', 'user.age:[10 TO 20]', 'id:17']) AS q, session_suggest('paths', 'user.name', prefix, q, NULL) AS suggested
GROUP BY prefix, q ORDER BY prefix, q;
SELECT session_suggest('paths', 'a', NULL);
SELECT session_suggest('paths', 'a', 'b', rows => -1);
SELECT session_paths(NULL);
SELECT session_paths('nothing');
-- Paths that are too long to be stored whole, and two of one hash
SELECT session_update('paths', jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(jsonb_build_object('id', 9000, repeat('p', 1100) || 1, 1), jsonb_build_object('id', 9001, repeat('p', 1100) || 2, 'x')))));
SELECT session_update('paths', '[{"upsert": [{"id": 9002, "p2401": [1, 2]}, {"id": 9003, "p50405": "x"}, {"id": 9004, "p50405": "y"}]}]');
SELECT * FROM session_paths('paths', 'p2') UNION ALL SELECT * FROM session_paths('paths', 'p5');
SELECT left(path, 3), length(path), documents, strings, numbers FROM session_paths('paths', 'ppp');
SELECT * FROM pg_temp.differences('paths');
SELECT session_update('paths', '[{"delete": [9000, 9001]}]');
SELECT * FROM pg_temp.differences('paths');
VACUUM sessions.paths;
SELECT count(*) FROM session_paths('paths', 'ppp');
-- Row-level security: the planner's way, and only what the user may see
CREATE ROLE regress_paths;
GRANT USAGE ON SCHEMA sessions, session_store TO regress_paths;
GRANT SELECT ON ALL TABLES IN SCHEMA sessions, session_store TO regress_paths;
ALTER TABLE sessions.paths ENABLE ROW LEVEL SECURITY;
CREATE POLICY part ON sessions.paths TO regress_paths USING ((doc->>'id')::int <= 20);
SELECT session_update('paths', '[{"upsert": [{"id": 6000, "hidden": {"path": "x"}, "user": {"name": "u0hidden"}}]}]');
SET ROLE regress_paths;
SELECT * FROM session_paths('paths', 'hidden');
SELECT * FROM session_suggest('paths', 'user.name', 'u0');
SELECT * FROM pg_temp.differences('paths');
-- Here all different values are in memory, within work_mem.
RESET ROLE;
ALTER POLICY part ON sessions.paths USING (true);
SET ROLE regress_paths;
SET work_mem = '64kB';
SELECT * FROM session_paths('paths', 'user.age');
SELECT * FROM session_paths('paths');
\echo :LAST_ERROR_SQLSTATE
RESET work_mem;
SELECT * FROM pg_temp.differences('paths');
RESET ROLE;
DROP OWNED BY regress_paths;
DROP ROLE regress_paths;
-- Shards
SELECT session_add('paths_shards', 'id', shards => 3);
INSERT INTO sessions.paths_shards SELECT id, doc FROM sessions.paths;
SELECT * FROM pg_temp.differences('paths_shards');
VACUUM sessions.paths_shards;
SELECT * FROM pg_temp.differences('paths_shards');
SELECT * FROM session_suggest('paths_shards', 'user.name', 'u20');
-- Without an index
DROP INDEX sessions.paths_shards_doc_idx;
SELECT * FROM pg_temp.differences('paths_shards');
SELECT session_drop('paths'), session_drop('paths_shards');
-- Documents with many paths are not read once for each path, though there are few of them.
SELECT session_add('many_paths', key => 'id');
SELECT session_update('many_paths', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(doc))))
FROM (SELECT jsonb_object_agg('k' || i, i) || jsonb_build_object('id', n) AS doc FROM generate_series(1, 2) AS n, generate_series(1, 12000) AS i GROUP BY n) AS _;
SET statement_timeout = '15s';
SELECT count(*), sum(documents), sum("values") FROM session_paths('many_paths', 'k');
RESET statement_timeout;
SELECT session_drop('many_paths');
