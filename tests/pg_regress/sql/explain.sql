-- session_explain shows how a query is understood and run.
SELECT session_add('explain', key => 'id');
SELECT session_update('explain', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'a', jsonb_build_object('b', i % 1000), 'pad', repeat('x', 200))))))
FROM generate_series(1, 20000) AS i;
SELECT jsonb_pretty(session_explain('explain', 'a.b:7 AND id:[1 TO 5]', sort => 'id desc, a.b') - 'plan');
SELECT jsonb_pretty(session_explain('explain', 'a.b:foo~ OR (-id:1)') - 'plan');
-- Equality uses the index, before the first ANALYZE and after.
CREATE FUNCTION pg_temp.scans(q text, sort text = NULL) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT substring(line FROM '(?:Bitmap Index|Seq|Index) Scan.* on \S+')
    FROM jsonb_array_elements_text(session_explain('explain', q, sort)->'plan') AS line WHERE line ~ '(Index|Seq) Scan'
$$;
SELECT pg_temp.scans('a.b:7');
ANALYZE sessions.explain;
SELECT pg_temp.scans('a.b:7');
SELECT pg_temp.scans('a.b:7 AND NOT id:7', sort => 'id');
SELECT pg_temp.scans('a.b:[7 TO 8]');
SELECT pg_temp.scans('*:*');
SELECT session_explain('explain', 'a:[1 T 2]');
SELECT session_explain('explain', NULL);
SELECT session_drop('explain');
