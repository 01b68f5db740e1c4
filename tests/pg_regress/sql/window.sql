-- start and rows cut a window out of all matches; count counts every one.
SELECT session_add('window', key => 'id');
SELECT session_update('window', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'even', i % 2 = 0)))))
FROM generate_series(101, 125) AS i;
CREATE FUNCTION pg_temp.ids(answer jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT (answer->>'count') || ': ' || coalesce((SELECT string_agg(item->>'id', ' ' ORDER BY n)
        FROM jsonb_array_elements(answer->'items') WITH ORDINALITY AS _(item, n)), '-')
$$;
SELECT pg_temp.ids(session_query('window', '*:*', sort => 'id'));
SELECT pg_temp.ids(session_query('window', 'even:true', sort => 'id desc', rows => 3));
SELECT pg_temp.ids(session_query('window', '*:*', sort => 'id', start => 20, rows => 10));
SELECT pg_temp.ids(session_query('window', '*:*', start => 25));
SELECT pg_temp.ids(session_query('window', '*:*', start => 9223372036854775807, rows => 9223372036854775807));
SELECT pg_temp.ids(session_query('window', '*:*', sort => 'id', start => 22, rows => 9223372036854775807));
SELECT session_query('window', '*:*', rows => 0);
SELECT session_query('window', 'id:7');
-- Null means the default.
SELECT pg_temp.ids(session_query('window', '*:*', NULL, NULL, NULL)) = pg_temp.ids(session_query('window', '*:*'));
-- Pages fit together, without a sort as well.
SELECT string_agg(page, ' ' ORDER BY n) = (SELECT string_agg(doc->>'id', ' ') FROM session_stream('window', '*:*') AS doc)
FROM generate_series(0, 24, 5) AS n, substr(pg_temp.ids(session_query('window', '*:*', start => n, rows => 5)), 5) AS page;
-- Negative numbers
SELECT session_query('window', '*:*', start => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT session_query('window', '*:*', rows => -1);
SELECT session_stream('window', '*:*', rows => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT session_drop('window');
