-- Instants: as PostgreSQL, Python and others write them, in the matcher, the index and the store; and date math that is none.
-- A byte off, as value and as document: no instant, and no panic.
SELECT 'a:"2024-01-01T00:00:0éZ"'::lucene_query;
SELECT '{"a":"2024-01-01T00:00:0éZ"}'::jsonb @@@ 'a:[2023-01-01T00:00:00Z TO NOW]';
SELECT count(*) FROM generate_series(0, 25) AS at, unnest(ARRAY['é', '💡', '', 'ZZ']) AS put,
    jsonb_build_object('a', overlay('2024-01-01T00:00:00.123+01:00' PLACING put FROM at + 1 FOR 1)) AS doc
WHERE doc @@@ 'a:[2023-01-01T00:00:00Z TO NOW]' AND doc @@@ 'a:[NOW-1000YEARS TO 2023-01-01T00:00:00Z]';

-- What is an instant
CREATE FUNCTION pg_temp.is_instant(text) RETURNS boolean LANGUAGE sql AS $$
    SELECT jsonb_build_object('t', $1) @@@ 't:[NOW-10000YEARS TO NOW+10000YEARS]'
$$;
SET datestyle = ISO;
SELECT jsonb_build_object('t', now()) @@@ 't:[NOW-1DAY TO NOW+1DAY]' AS json, jsonb_build_object('t', now()::text) @@@ 't:[NOW-1DAY TO NOW+1DAY]' AS text,
    jsonb_build_object('t', now()) @@@ 't:NOW' AS exactly, jsonb_build_object('t', now()) @@@ 't:[NOW+1MILLI TO *]' AS later;
RESET datestyle;
SELECT t, pg_temp.is_instant(t) FROM unnest(ARRAY['2024-03-31T12:00:00Z', '2024-03-31T12:00:00.123456+00:00', '2024-03-31T14:00:00+02:00',
    '2024-03-31T08:30:00-0330', '2024-03-31 13:00:00+01', '1880-01-01T00:53:28+00:53:28', '2024-03-31T12:00:00.123456789Z', '2024-03-31 12:00:00Z',
    '2024-03-31T12:00:00', '2024-03-31', '2024-03-31T12:00:00.1234567891Z', '2024-03-31T12:00:00+24:00', 'unknown', 'NOW', '']) AS t;

-- Texts are no dates: date math meets instants and numbers alone. A bound that is written as an instant is a text too.
SELECT q, array_agg(v) FROM unnest(ARRAY['"unknown"', '"n/a"', '"OK"', '"2999"', '"2999-01-01T00:00:00+01:00"', '1e15', 'true', '""']::jsonb[]) AS v,
    unnest(ARRAY['t:[NOW-7DAYS TO *]', 't:{* TO NOW}', 't:[2000-01-01T00:00:00Z+1DAY TO *]', 't:[2000-01-01T00:00:00Z TO *]', 't:[2000-01-01T00:00:00Z TO NOW+1000YEARS]']) AS q
WHERE jsonb_build_object('t', v) @@@ q::lucene_query GROUP BY q ORDER BY q;

-- The same by every way, pending and not.
CREATE TABLE dates AS SELECT i, jsonb_build_object('id', i, 't', CASE i % 8
    WHEN 0 THEN to_jsonb(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    WHEN 1 THEN to_jsonb(at)
    WHEN 2 THEN to_jsonb(to_char(at AT TIME ZONE 'UTC' + make_interval(mins => i % 840), 'YYYY-MM-DD HH24:MI:SS.US') || to_char(make_interval(mins => i % 840), '"+"HH24:MI'))
    WHEN 3 THEN to_jsonb(to_char(at AT TIME ZONE 'UTC' - make_interval(mins => i % 720), 'YYYY-MM-DD"T"HH24:MI:SS.MS') || to_char(make_interval(mins => i % 720), '"-"HH24MI'))
    WHEN 4 THEN to_jsonb(extract(epoch FROM at) * 1000)
    WHEN 5 THEN to_jsonb(to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS'))
    WHEN 6 THEN '["unknown", "2024-02-01T00:00:00+14:00", "NOW"]'
    ELSE '"n/a"' END) AS doc, CASE WHEN i % 8 < 5 THEN at WHEN i % 8 = 6 THEN '2024-02-01T00:00:00+14:00' END AS at
FROM generate_series(1, 2000) AS i, LATERAL (SELECT timestamptz '2024-01-01 00:00:00+00' + make_interval(mins => i * 37)) AS _(at);
CREATE TABLE date_queries AS SELECT q, since, until FROM (
    SELECT format('t:[%s+0DAYS TO %s+0DAYS}', to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), since, until
    FROM generate_series(0, 60) AS i, LATERAL (SELECT timestamptz '2024-01-01 00:00:00+00' + make_interval(mins => i * 971)) AS a(since),
        LATERAL (SELECT since + make_interval(mins => 1 + i * i)) AS b(until)
    UNION ALL SELECT 't:[2024-01-20T00:00:00Z/DAY TO *]', '2024-01-20 00:00:00+00', 'infinity'
    UNION ALL SELECT 't:{* TO 2024-01-20T02:00:00+02:00/DAY}', '-infinity', '2024-01-20 00:00:00+00'
    -- Dates in part: equal to all of their instants, and as bounds their start or end.
    UNION ALL SELECT format('t:"%s%s"', to_char(since AT TIME ZONE 'UTC' + make_interval(hours => i % 5 - 2), (ARRAY['YYYY-MM-DD', 'YYYY-MM-DD"T"HH24', 'YYYY-MM-DD"T"HH24:MI', 'YYYY-MM-DD HH24:MI'])[1 + i % 4]),
            (ARRAY['-02:00', '-0100', 'Z', '+01', '+02:00'])[1 + i % 5]), since, until
    FROM generate_series(0, 60) AS i, LATERAL (SELECT CASE i % 4
            WHEN 0 THEN timestamptz '2024-01-01 00:00:00+00' + make_interval(days => i % 40, hours => 2 - i % 5)
            WHEN 1 THEN timestamptz '2024-01-01 00:00:00+00' + make_interval(hours => i * 7)
            ELSE timestamptz '2024-01-01 00:00:00+00' + make_interval(mins => i * 37) END) AS a(since),
        LATERAL (SELECT since + (ARRAY[interval '24 hours', '1 hour', '1 minute', '1 minute'])[1 + i % 4]) AS b(until)
    UNION ALL SELECT 't:2024-01', '2024-01-01 00:00:00+00', '2024-02-01 00:00:00+00'
    UNION ALL SELECT 't:[2024-01-20/DAY TO 2024-01+20DAYS}', '2024-01-20 00:00:00+00', '2024-01-21 00:00:00+00'
    UNION ALL SELECT 't:[2024-01-20/DAY+1MILLI TO 2024-01-21+01:00]', '2024-01-20 00:00:00.001+00', '2024-01-21 23:00:00+00') AS _(q, since, until);
-- These are compared as texts, too, with the strings that are no instants. So only documents with one instant or number are looked at.
CREATE TABLE partial_queries AS SELECT * FROM (VALUES ('t:[2024-01-20 TO 2024-01-21]', timestamptz '2024-01-20 00:00:00+00', timestamptz '2024-01-22 00:00:00+00'),
    ('t:{2024-01-20 TO 2024-01-22}', '2024-01-21 00:00:00+00', '2024-01-22 00:00:00+00'), ('t:[2024-01 TO 2024-01]', '2024-01-01 00:00:00+00', '2024-02-01 00:00:00+00'),
    ('t:{2024-01 TO *]', '2024-02-01 00:00:00+00', 'infinity'), ('t:[* TO 2024-01}', '-infinity', '2024-01-01 00:00:00+00'), ('t:[* TO 2024-01]', '-infinity', '2024-02-01 00:00:00+00'),
    ('t:["2024-01-20 10:00" TO "2024-01-20T12:00:30"}', '2024-01-20 10:00:00+00', '2024-01-20 12:00:30+00'), ('t:[2024-01-20T10:00+01:00 TO 2024-01-20T10:59+0100]', '2024-01-20 09:00:00+00', '2024-01-20 10:00:00+00'),
    ('t:[2024-01-20 TO 2024]', '2024-01-20 00:00:00+00', '2025-01-01 00:00:00+00'), ('t:[2023 TO 2024-01]', '2023-01-01 00:00:00+00', '2024-02-01 00:00:00+00'),
    ('t:{2023 TO NOW]', '2024-01-01 00:00:00+00', 'infinity')) AS _(q, since, until);
CREATE FUNCTION pg_temp.found(q text) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    found int[];
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(i ORDER BY i), ''{}'') FROM dates WHERE doc @@@ %L', q) INTO found;
    RETURN found;
END $$;
CREATE FUNCTION pg_temp.differ() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT q FROM date_queries WHERE pg_temp.found(q) <> (SELECT coalesce(array_agg(i ORDER BY i), '{}') FROM dates WHERE at >= since AND at < until)
    UNION ALL
    SELECT q FROM partial_queries, LATERAL (SELECT pg_temp.found(q) AS found OFFSET 0) AS _
    WHERE EXISTS (SELECT FROM dates WHERE at IS NOT NULL AND i % 8 <> 6 AND (i = ANY (found)) <> (at >= since AND at < until))
$$;
SELECT * FROM pg_temp.differ();
CREATE INDEX dates_doc ON dates USING gin (doc jsonb_lucene_ops);
SET enable_seqscan = off;
SELECT * FROM pg_temp.differ();
SET session_store.enable_scan = off;
SELECT * FROM pg_temp.differ();
RESET session_store.enable_scan;
CREATE TABLE dates_again AS SELECT * FROM dates;
DELETE FROM dates;
VACUUM dates;
INSERT INTO dates SELECT * FROM dates_again;
SELECT * FROM pg_temp.differ();
SET session_store.enable_scan = off;
SELECT * FROM pg_temp.differ();
RESET session_store.enable_scan;
RESET enable_seqscan;
SELECT session_add('dates', 'id');
SELECT session_update('dates', jsonb_build_array(jsonb_build_object('upsert', (SELECT jsonb_agg(doc) FROM dates))));
INSERT INTO date_queries SELECT * FROM partial_queries;
SELECT q FROM date_queries WHERE session_count('dates', q) <> cardinality(pg_temp.found(q));
VACUUM sessions.dates;
SELECT q FROM date_queries WHERE session_count('dates', q) <> cardinality(pg_temp.found(q));
SELECT q FROM date_queries WHERE (session_query('dates', q, rows => 2000)->'count')::int <> cardinality(pg_temp.found(q));
-- Strings sort as strings, whatever instant they are, and are there once.
SELECT doc->'t' FROM session_stream('dates', 't:[2024-01-01T01:00:00Z TO 2024-01-01T03:00:00Z]', sort => 't') AS doc;
SELECT bool_and(before <= t COLLATE "C") FROM (SELECT doc->>'t', lag(doc->>'t') OVER () FROM session_stream('dates', 't:*Z', sort => 't') AS doc) AS _(t, before);
SELECT count(*), count(DISTINCT doc->'id') FROM session_stream('dates', '*:*', sort => 't desc') AS doc;
SELECT session_explain('dates', 't:[NOW-1DAY TO NOW]')->'index'->'clauses';
SELECT session_jsonpath('t:[NOW-1DAY TO NOW]');
-- What each date means, and that a text is a text as ever
SELECT q, session_explain('dates', q)->'dates' AS dates FROM unnest(ARRAY['t:2026-11', 't:"2026-11-22"', 't:[2026-11-22T10:00+01:00 TO "2026-11-22 12:00:30.5"]', 't:(2026-11-22/MONTH+1DAY 2026 x)', 't:[2026 TO 2027]',
    't:[2026 TO 2026-11}', '-t:2026-02-30', '2026-11']) AS q;
SELECT q, array_agg(v) FROM unnest(ARRAY['"2026-11-22"', '"2026-11"', '"2026-11-22T10:00"', '"2026-11-22T10:00:59.9Z"', '"2026-11-22 11:00:00+01"', '1795341600000', '1795341659999.5', '1795341660000', '2026', '"2026"', '"2026-02-30"']::jsonb[]) AS v,
    unnest(ARRAY['t:2026-11-22', 't:2026-11', 't:"2026-11-22T10:00"', 't:2026', 't:[2026 TO 2026]', 't:[2026-11 TO 2026-11]', 't:2026-11-22T10/DAY+10HOURS', 't:2026-02-30', 't:["2026-11-22 10:00" TO *]']) AS q
WHERE jsonb_build_object('t', v) @@@ q::lucene_query GROUP BY q ORDER BY q;

-- Bad date math, in values and bounds: the place, the units, and the repair where it can be told.
\set VERBOSITY default
SELECT session_count('dates', 't:[* TO NOW-1WEEK]');
SELECT session_count('dates', 't:[* TO NOW-7days]');
SELECT session_count('dates', 't:[* TO now]');
SELECT session_count('dates', 'a:b OR t:NOW-1WEEK');
SELECT session_count('dates', 't:(x NOW-1DA)');
SELECT session_count('dates', 't:"2024-01-01T00:00:00Z+1h"');
SELECT session_count('dates', 't:[2024-01-01T00:00:00-1Day TO *]');
SELECT session_count('dates', 't:2024-01-01-1WEEK');
SELECT 't:now-7d/d'::lucene_query;
SELECT 't:NOW+999999999YEARS'::lucene_query;
SELECT session_count('dates', '_query_:"t:NOW-1WEEK"');
DELETE FROM dates WHERE doc @@@ 't:{NOW-7DAYS TO now}';
-- Words
SELECT session_count('dates', 't:now');
SELECT 't:(NOWHERE now-playing "NOW or never") t:[NOWAK TO NOWY] {!term f=t}NOW-1WEEK'::lucene_query;
SELECT '{"t": "NOW-1WEEK"}'::jsonb @@@ '{!term f=t}NOW-1WEEK';
SELECT session_drop('dates');
DROP TABLE dates, dates_again, date_queries, partial_queries;
