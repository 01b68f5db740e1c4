-- session_explain shows how a query is understood and run.
SELECT session_add('explain', key => 'id');
SELECT session_update('explain', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'a', jsonb_build_object('b', i % 1000), 'pad', repeat('x', 200))))))
FROM generate_series(1, 20000) AS i;
-- How long it took and what was read to answer it is different every time.
SELECT session_explain('explain', '*:*')->'milliseconds' > '0' AS took_time;
SELECT key, jsonb_typeof(value) FROM jsonb_each(session_explain('explain', 'a.b:7')->'read') ORDER BY key COLLATE "C";
CREATE FUNCTION pg_temp.explained(q text, sort text = NULL) RETURNS text LANGUAGE sql AS $$
    SELECT jsonb_pretty(session_explain('explain', q, sort) - '{milliseconds,read,plan}'::text[])
$$;
SELECT pg_temp.explained('a.b:7 AND id:[1 TO 9]', sort => 'id desc, a.b');
SELECT pg_temp.explained('a.b:foo~ OR (-id:1)');

-- What each clause asks of the index
SELECT q, explained->'scans' AS scans, clause->>'clause' AS clause, clause->>'asks' AS asks, clause->>'answer' AS answer
FROM unnest(array['*:*', '-id:1', 'pad:x*', 'pad:*x', 'pad:/x+/', 'a:*', '*7*', '7', 'a.b:"2024-03-31T12:00:00Z"', 'a.b:[* TO x] -id:true',
    'a.b:(1 2 3)', 'a.b:(*:* -1)', 'a.b:64.150.5.135', 'a.b:64.150.*', 'a.b:6*', 'a.b:[64.1 TO 7]', 'a.b:[64.1 TO 7.5]']) WITH ORDINALITY AS _(q, n)
CROSS JOIN LATERAL (SELECT session_explain('explain', q)->'index' AS explained) AS _1
LEFT JOIN LATERAL jsonb_array_elements(explained->'clauses') WITH ORDINALITY AS _2(clause, m) ON true
ORDER BY n, m \g (format=unaligned)

-- Without an index to ask, the planner answers, and its plan is shown: a sequential scan here.
CREATE FUNCTION pg_temp.way(q text, sort text = NULL) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(': ', e->>'way', e->>'reason', (
        SELECT string_agg(substring(line FROM '(?:Bitmap Index|Bitmap Heap|Index|Seq|Custom) Scan.* on \S+'), ', ') FROM jsonb_array_elements_text(e->'plan') AS line))
    FROM session_explain('explain', q, sort) AS e
$$;
SELECT pg_temp.way('a.b:7');
BEGIN;
DROP INDEX sessions.explain_doc_idx;
SELECT pg_temp.way('a.b:7'), pg_temp.way('*:*');
SELECT session_explain('explain', 'a.b:7')->'count' AS count;
ROLLBACK;
-- Another class of operators on doc does not help.
BEGIN;
DROP INDEX sessions.explain_doc_idx;
CREATE INDEX ON sessions.explain USING gin (doc jsonb_path_ops);
SELECT pg_temp.way('a.b:7');
ROLLBACK;
-- Nor does an index on some rows.
BEGIN;
DROP INDEX sessions.explain_doc_idx;
CREATE INDEX part ON sessions.explain USING gin (doc jsonb_lucene_ops) WHERE id <> '0';
SELECT pg_temp.way('a.b:7');
ROLLBACK;
-- Row-level security is the planner's affair. VACUUM empties the pending list, which the index would otherwise seem dear for.
CREATE ROLE session_store_explainer;
GRANT SELECT ON sessions.explain TO session_store_explainer;
ALTER TABLE sessions.explain ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON sessions.explain USING (true);
VACUUM ANALYZE sessions.explain;
SET ROLE session_store_explainer;
SELECT pg_temp.way('a.b:7'), pg_temp.way('*:*');
SELECT session_count('explain', 'a.b:7'), jsonb_array_length(session_query('explain', 'a.b:7 AND id:[* TO 3007]')->'items');
RESET ROLE;
ALTER TABLE sessions.explain DISABLE ROW LEVEL SECURITY;
DROP OWNED BY session_store_explainer;
DROP ROLE session_store_explainer;

SELECT session_explain('explain', 'a:[1 T 2]');
SELECT session_explain('explain', NULL);
SELECT session_drop('explain');
