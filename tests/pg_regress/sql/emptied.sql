-- Estimates where VACUUM has left pages of the index almost empty, or empty: after mass deletes and updates.
SELECT session_add('emptied');
INSERT INTO sessions.emptied
SELECT i::text, jsonb_build_object('session', jsonb_build_object('id', i), 'n', i, 'kind', CASE i % 2 WHEN 0 THEN 'even' ELSE 'odd' END)
FROM generate_series(1, 150000) AS i;
ALTER TABLE sessions.emptied SET (autovacuum_enabled = off);
REINDEX TABLE sessions.emptied; -- full pages
CREATE FUNCTION pg_temp.guess(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
    RETURN plan->0->'Plan'->>'Plan Rows';
END $$;
-- Queries that are wrong by a factor of more than three, by the scan and by session_stream
CREATE FUNCTION pg_temp.wrong() RETURNS TABLE (q text, truth bigint, scan float8, stream float8) LANGUAGE sql AS $$
    SELECT * FROM (
        SELECT q, greatest(session_count('emptied', q), 1) AS truth, pg_temp.guess(format('SELECT FROM sessions.emptied WHERE doc @@@ %L', q)) AS scan,
            pg_temp.guess(format('SELECT session_stream(%L, %L)', 'emptied', q)) AS stream
        FROM unnest(ARRAY['*:*', 'kind:*', 'kind:even', '-kind:odd', 'n:*', 'n:[* TO *]', 'n:[0 TO 75000]', 'n:[75000 TO *]', 'n:[68000 TO 68499]', 'session:*',
            'kind:ev*', 'even']) AS q) AS _
    WHERE greatest(scan / truth, truth / scan, stream / truth, truth / stream) > 3 ORDER BY q
$$;
SELECT * FROM pg_temp.wrong();
-- Full pages are left in the middle only
DELETE FROM sessions.emptied WHERE id::int NOT BETWEEN 67500 AND 82500 AND id::int % 500 <> 0;
VACUUM ANALYZE sessions.emptied;
SELECT * FROM pg_temp.wrong();
-- At the ends only
SELECT session_drop('emptied');
SELECT session_add('emptied');
INSERT INTO sessions.emptied
SELECT i::text, jsonb_build_object('session', jsonb_build_object('id', i), 'n', i, 'kind', CASE i % 2 WHEN 0 THEN 'even' ELSE 'odd' END)
FROM generate_series(1, 150000) AS i;
ALTER TABLE sessions.emptied SET (autovacuum_enabled = off);
REINDEX TABLE sessions.emptied;
DELETE FROM sessions.emptied WHERE id::int BETWEEN 20000 AND 130000 AND id::int % 500 <> 0;
VACUUM ANALYZE sessions.emptied;
SELECT * FROM pg_temp.wrong();
-- Numbers that have moved on, twice: the pages of the old ones are empty
UPDATE sessions.emptied SET doc = jsonb_set(doc, '{n}', to_jsonb((doc->'n')::int + 1000000));
UPDATE sessions.emptied SET doc = jsonb_set(doc, '{n}', to_jsonb((doc->'n')::int - 900000));
VACUUM ANALYZE sessions.emptied;
SELECT * FROM pg_temp.wrong();
-- Documents that have moved on, twice
SELECT session_key('emptied', 'n');
SELECT session_key('emptied', 'session.id');
VACUUM ANALYZE sessions.emptied;
SELECT * FROM pg_temp.wrong();
SELECT session_drop('emptied');
