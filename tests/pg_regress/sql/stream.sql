-- session_stream returns the same documents row by row, and reads no further than asked.
SELECT session_add('stream', key => 'id');
SELECT session_update('stream', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'mod', i % 10)))))
FROM generate_series(1, 1000) AS i;
SELECT count(*) FROM session_stream('stream', '*:*');
SELECT count(*), min((doc->>'id')::int), max((doc->>'id')::int) FROM session_stream('stream', 'mod:7') AS doc;
SELECT session_stream('stream', 'mod:7', sort => 'id desc', start => 2, rows => 3);
SELECT session_stream('stream', '*:*', rows => 0);
SELECT session_stream('stream', 'mod:11');
-- The same as session_query, in the same order
SELECT (SELECT jsonb_agg(doc) FROM session_stream('stream', 'mod:[2 TO 4]') AS doc)
    = session_query('stream', 'mod:[2 TO 4]', rows => 1000)->'items';

-- A caller that stops early leaves no cursor behind.
BEGIN;
SELECT session_stream('stream', 'mod:3', sort => 'id') LIMIT 2;
SELECT count(*) FROM pg_cursors;
-- Nor one that reads to the end
SELECT count(*) FROM (SELECT session_stream('stream', 'mod:3')) AS _;
SELECT count(*) FROM pg_cursors;
-- Two at once, one within the other's transaction block
SELECT a->'id' AS a, b->'id' AS b FROM (SELECT session_stream('stream', 'id:[1 TO 2]', sort => 'id') AS a, session_stream('stream', 'id:[5 TO 7]', sort => 'id') AS b) AS _;
-- A cursor over a stream sees the store as it was when it was opened.
DECLARE docs CURSOR FOR SELECT session_stream('stream', 'mod:5', sort => 'id');
FETCH 1 FROM docs;
SELECT session_update('stream', '[{"delete": [15, 25]}]');
FETCH 2 FROM docs;
CLOSE docs;
-- After an error, nothing is in the way.
SAVEPOINT s;
SELECT 1 / ((doc->>'id')::int - 13) FROM (SELECT session_stream('stream', 'mod:3', sort => 'id') AS doc) AS _;
ROLLBACK TO s;
SELECT session_stream('stream', 'mod:3', sort => 'id') LIMIT 1;
SELECT count(*) FROM pg_cursors;
COMMIT;

-- In PL/pgSQL, with an error caught
DO $$
DECLARE doc jsonb; n int := 0;
BEGIN
    FOR doc IN SELECT session_stream('stream', '*:*') LOOP
        n := n + 1;
        EXIT WHEN n = 150;
    END LOOP;
    BEGIN
        FOR doc IN SELECT session_stream('stream', '*:*') LOOP
            PERFORM 1 / 0;
        END LOOP;
    EXCEPTION WHEN division_by_zero THEN
        RAISE NOTICE 'caught after %', n;
    END;
END
$$;

-- Documents larger than a page
SELECT session_update('stream', jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(
    jsonb_build_object('id', 'large', 'text', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 10000) AS i))))));
SELECT length(doc->>'text'), md5(doc->>'text') = md5((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 10000) AS i))
FROM session_stream('stream', 'id:large') AS doc;
SELECT session_drop('stream');
