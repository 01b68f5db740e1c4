-- Pages of sorted documents, near the start and far from it, by the values in the index and by ordinals:
--   PROFILE=release make run && target/psql -f bench/sorted_pages.sql
-- Milliseconds, medians of 21 calls in one session, after 12 others: those of 16 MB, where the ordinals of 1,000,000 different values
-- do not fit, and of 64 MB.
\set QUIET on
\pset footer off
BEGIN;
SELECT session_add('sorted_pages', key => 'n') \g /dev/null
SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = 'sessions.sorted_pages'::regclass AND NOT indisunique \gset
SELECT pg_get_indexdef(:'index'::regclass) AS definition \gset
DROP INDEX :index;
INSERT INTO sessions.sorted_pages
SELECT n, jsonb_build_object('n', n, 'half', n % 2, 'third', n % 3, 'rare', n % 1000, 'at', (n::bigint * 7919) % 1000003, 'pad', repeat(md5(n::text), 8))
FROM generate_series(1, 1000000) AS n;
:definition;
COMMIT;
VACUUM ANALYZE sessions.sorted_pages;
CREATE FUNCTION pg_temp.median(q text, start int, memory text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    times float8[];
    started timestamptz;
BEGIN
    PERFORM set_config('session_store.changes_memory', memory, true);
    FOR i IN -11..21 LOOP
        started := clock_timestamp();
        PERFORM session_query('sorted_pages', q, sort => 'at desc', start => start);
        IF i > 0 THEN times := times || extract(epoch FROM clock_timestamp() - started)::float8 * 1000; END IF;
    END LOOP;
    RETURN (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 2) FROM unnest(times) AS ms);
END $$;
-- All by the index first: what is remembered of values is forgotten where memory is short.
CREATE TEMP TABLE asked AS
SELECT q, start, pg_temp.median(q, start, '16MB') AS by_index
FROM unnest('{*:*,half:1,half:1 AND third:2,-third:0,rare:7}'::text[]) AS q, unnest('{0,1000,50000}'::int[]) AS start WHERE q <> 'rare:7' OR start < 1000;
-- The first question makes them.
SELECT pg_temp.median('*:*', 200000, '64MB') \g /dev/null
SELECT q, start, by_index, pg_temp.median(q, start, '64MB') AS by_ordinals FROM asked;
SELECT session_drop('sorted_pages') \g /dev/null
