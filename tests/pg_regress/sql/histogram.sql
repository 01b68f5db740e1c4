-- Histograms and statistics, compared with SQL's date_trunc, date_bin and aggregates.
SET timezone = 'UTC';
SELECT session_add('histogram', key => 'id');
SELECT session_update('histogram', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'n', n % 37 - 3.5, 'mod', n % 3,
    'at', CASE n % 4 WHEN 0 THEN to_jsonb(to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) WHEN 1 THEN to_jsonb((extract(epoch FROM at) * 1000)::bigint)
        WHEN 2 THEN to_jsonb(to_char(at AT TIME ZONE 'UTC+3', 'YYYY-MM-DD HH24:MI:SS.US') || '-03') ELSE to_jsonb(to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) END)))))
FROM (SELECT n, timestamptz '2024-03-28 21:17:03.25Z' + n * interval '37 minutes 11 seconds' AS at FROM generate_series(0, 3000) AS n WHERE n % 500 < 300) AS _;
SELECT session_update('histogram', '[{"upsert": [{"id": "none"}, {"id": "text", "at": "yesterday", "n": "many"}, {"id": "both", "at": ["2024-05-01T00:00:00Z", "2024-05-01T00:00:01Z"], "mod": 7}]}]');
CREATE FUNCTION pg_temp.instants(q text) RETURNS TABLE(id text, at timestamptz) LANGUAGE sql AS $$
    SELECT DISTINCT doc->>'id', CASE jsonb_typeof(leaf) WHEN 'number' THEN to_timestamp((leaf#>>'{}')::numeric / 1000) ELSE (leaf#>>'{}')::timestamptz END
    FROM session_stream('histogram', q) AS doc CROSS JOIN LATERAL jsonb_path_query(doc, 'lax $.at[*]') AS leaf WHERE leaf <> '"yesterday"'
$$;
-- No differences; and no gaps between the edges.
CREATE FUNCTION pg_temp.compared(q text, unit text, zone text) RETURNS TABLE(buckets bigint, counted numeric, differences bigint, gaps bigint) LANGUAGE sql AS $$
    WITH ours AS (SELECT * FROM session_histogram('histogram', q, 'at', '1 ' || unit, zone)),
        theirs AS (SELECT date_trunc(unit, at, zone) AS bucket, count(DISTINCT id) AS count FROM pg_temp.instants(q) GROUP BY 1)
    SELECT count(*), sum(ours.count), count(*) FILTER (WHERE ours.count IS DISTINCT FROM coalesce(theirs.count, 0) OR ours.bucket IS NULL),
        count(*) FILTER (WHERE date_trunc(unit, ours.bucket, zone) <> ours.bucket)
    FROM ours FULL JOIN theirs USING (bucket)
$$;
SELECT q, unit, zone, compared.* FROM unnest(ARRAY['*:*', 'mod:2', 'id:77', 'mod:7']) AS q, unnest(ARRAY['year', 'month', 'week', 'day', 'hour']) AS unit,
    unnest(ARRAY['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns']) AS zone, pg_temp.compared(q, unit, zone) AS compared
WHERE differences + gaps > 0 OR q = '*:*' AND zone = 'Europe/Berlin' ORDER BY q, unit, zone;
SELECT * FROM session_histogram('histogram', '*:*', 'at', '1 month', 'Europe/Berlin');
-- A day of 23 hours.
SELECT bucket AT TIME ZONE 'Europe/Berlin' AS day, lead(bucket) OVER (ORDER BY bucket) - bucket AS length, count FROM session_histogram('histogram', '*:*', 'at', '1 day', 'Europe/Berlin') LIMIT 5;
-- Steps of several units.
SELECT step, count(*), sum(count), min(bucket), max(bucket) FROM unnest(ARRAY['15 minutes', '6 hours', '36 hours', '2 weeks', '3 months', '10 years']) AS step,
    session_histogram('histogram', '*:*', 'at', step, 'Europe/Berlin') GROUP BY step ORDER BY 2 DESC;
SELECT count(*) AS differences FROM (SELECT * FROM session_histogram('histogram', '*:*', 'at', '15 minutes') WHERE count > 0) AS ours
FULL JOIN (SELECT date_bin('15 minutes', at, '2001-01-01Z') AS bucket, count(DISTINCT id) FROM pg_temp.instants('*:*') GROUP BY 1) AS theirs USING (bucket, count) WHERE ours IS NULL OR theirs IS NULL;
-- Ends: date math; only what lies between them counts.
SELECT * FROM session_histogram('histogram', '*:*', 'at', '1 day', since => '2024-04-01T12:00:00Z', until => '2024-04-03T12:00:00Z');
SELECT * FROM session_histogram('histogram', '*:*', 'at', '1 day', since => '2024-04-01', until => '2024-04-03');
SELECT count(*), sum(count) FROM session_histogram('histogram', '*:*', 'at', '1 hour', until => '2024-03-29T00:00:00Z/DAY+6HOURS');
SELECT * FROM session_histogram('histogram', '*:*', 'at', '1 year', since => 'NOW+1YEAR');
SELECT * FROM session_histogram('histogram', '*:*', 'at', '1 day', since => '2024-05', until => '2024-04');
SELECT * FROM session_histogram('histogram', '*:*', 'nowhere', '1 day');
SELECT * FROM session_histogram('histogram', 'id:nobody', 'at', '1 day');
-- Clocks that are set by less than a step: each time of the clock, before and behind, has its own bucket; and so from wherever the histogram begins.
SELECT session_add('clocks', key => 'id');
CREATE TEMP TABLE clock (zone text, day date);
INSERT INTO clock VALUES ('Australia/Lord_Howe', '2020-04-05'), ('Australia/Lord_Howe', '2020-10-04'), ('America/Caracas', '2016-05-01'), ('Asia/Pyongyang', '2015-08-15'),
    ('Asia/Pyongyang', '2018-05-05'), ('Europe/Berlin', '2024-03-31'), ('Europe/Berlin', '2024-10-27');
INSERT INTO sessions.clocks SELECT i || ' ' || day, jsonb_build_object('id', i || ' ' || day, 'day', day, 'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
FROM (SELECT DISTINCT day FROM clock) AS days, generate_series(0, 575) AS i, LATERAL (SELECT day::timestamp AT TIME ZONE 'UTC' - interval '1 day' + i * interval '5 minutes' AS at) AS _;
SELECT zone, day, step, since, found = expected AS same FROM clock, unnest('{1 hour,30 minutes,15 minutes,7 minutes}'::interval[]) AS step, unnest('{NULL,4,14.5,15.25}'::float8[]) AS late,
    LATERAL (SELECT to_char(day - interval '1 day' + late * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since) AS _,
    LATERAL (SELECT array_agg(count ORDER BY bucket) FILTER (WHERE count > 0) AS found FROM session_histogram('clocks', 'day:' || day, 'at', step::text, zone, since => since)) AS f,
    LATERAL (SELECT array_agg(count ORDER BY first) AS expected FROM (SELECT count(*), min(at) AS first FROM (SELECT (doc->>'at')::timestamptz AS at FROM sessions.clocks WHERE doc->>'day' = day::text) AS _
        WHERE late IS NULL OR at >= since::timestamptz GROUP BY date_bin(step, at AT TIME ZONE zone, '2001-01-01'), (at AT TIME ZONE zone) - (at AT TIME ZONE 'UTC')) AS _) AS e
WHERE found IS DISTINCT FROM expected;
SELECT bucket AT TIME ZONE 'Australia/Lord_Howe' AS local, count FROM session_histogram('clocks', 'day:2020-04-05', 'at', '1 hour', 'Australia/Lord_Howe', since => '2020-04-04T13:00:00Z', until => '2020-04-04T17:00:00Z');
SELECT bucket = date_trunc('century', bucket AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS same FROM session_histogram('clocks', '*:*', 'at', '1 century');
SELECT session_drop('clocks');
-- Numbers.
SELECT * FROM session_histogram('histogram', '*:*', 'n', 10);
SELECT * FROM session_histogram('histogram', 'mod:1', 'n', 12.5, since => 0, until => 25);
SELECT bucket, count FROM session_histogram('histogram', '*:*', 'n', 0.5, since => 1, until => 3.25);
-- Statistics.
CREATE FUNCTION pg_temp.numbers(q text) RETURNS SETOF numeric LANGUAGE sql AS $$
    SELECT (doc->>'n')::numeric FROM session_stream('histogram', q) AS doc WHERE jsonb_typeof(doc->'n') = 'number' $$;
SELECT jsonb_pretty(session_stats('histogram', '*:*', 'n'));
SELECT q, (stats->>'sum')::numeric = sum AS sum, (stats->>'avg')::numeric = avg AS avg, (stats->>'stddev')::numeric = stddev AS stddev,
    (stats->>'distinct')::int - (stats->>'max' = 'many')::int = "distinct" AS "distinct", (stats->>'values')::int - (stats->>'max' = 'many')::int = count AS values, (stats->>'min')::numeric = min AS min,
    (SELECT bool_and(value::numeric = (SELECT percentile_disc(key::float8 / 100) WITHIN GROUP (ORDER BY m) FROM pg_temp.numbers(q) AS m)) FROM jsonb_each(stats->'percentiles')) AS percentiles
FROM unnest(ARRAY['*:*', 'mod:0', 'id:[100 TO 140]']) AS q, session_stats('histogram', q, 'n', '{0,1,12.5,50,95,99,100}') AS stats,
    LATERAL (SELECT sum(n), avg(n), stddev(n), count(DISTINCT n) AS "distinct", count(*), min(n) FROM pg_temp.numbers(q) AS n) AS _;
SELECT session_stats('histogram', 'mod:7', 'at', '{}'), session_stats('histogram', '*:*', 'nowhere', '{50}'), session_stats('histogram', 'id:nobody', 'n', '{50}');
-- The same through the planner.
CREATE TEMP TABLE stats AS SELECT session_stats('histogram', q, 'n', '{0,1,12.5,50,95,99,100}') AS answer, q FROM unnest(ARRAY['*:*', 'mod:0', 'id:77']) AS q;
CREATE TEMP TABLE days AS SELECT q, day.* FROM unnest(ARRAY['*:*', 'mod:0', 'id:77']) AS q, session_histogram('histogram', q, 'at', '1 day', 'Europe/Berlin') AS day;
DROP INDEX sessions.histogram_doc_idx;
SELECT q, answer = session_stats('histogram', q, 'n', '{0,1,12.5,50,95,99,100}') AS same FROM stats;
SELECT count(*), count(*) FILTER (WHERE days IS NULL OR planned IS NULL) AS differences FROM days FULL JOIN
    (SELECT q, day.* FROM unnest(ARRAY['*:*', 'mod:0', 'id:77']) AS q, session_histogram('histogram', q, 'at', '1 day', 'Europe/Berlin') AS day) AS planned USING (q, bucket, count);
-- Errors.
SELECT session_histogram('histogram', '*:*', 'at', '0 days');
SELECT session_histogram('histogram', '*:*', 'at', '-1 day');
SELECT session_histogram('histogram', '*:*', 'at', '1 month 1 day');
SELECT session_histogram('histogram', '*:*', 'at', 'fortnight');
SELECT session_histogram('histogram', '*:*', 'at', '1 day', 'Europe/Nowhere');
SELECT session_histogram('histogram', '*:*', 'at', '1 day', since => 'tomorrow');
SELECT session_histogram('histogram', '*:*', 'at', '1 day', since => 'NOW-1WEEK');
SELECT session_histogram('histogram', '*:*', 'at', '1 day', until => 'now');
SELECT session_histogram('histogram', '*:*', 'at', '1 second', since => '2000-01-01', until => 'NOW');
SELECT session_histogram('histogram', '*:*', 'n', 0);
SELECT session_histogram('histogram', '*:*', 'n', 'NaN'::numeric);
SELECT session_histogram('histogram', '*:*', 'n', 1, since => 0, until => 1e9);
SELECT session_stats('histogram', '*:*', 'n', '{101}');
SELECT session_stats('histogram', '*:*', 'n', '{NULL}');
SELECT session_drop('histogram');
