-- Buckets by the planner's way, where there is no index: the same answers as by the index, in about the time that one bucket takes, within
-- work_mem and by temporary files.
SELECT session_add('buckets', key => 'id');
INSERT INTO sessions.buckets
SELECT i::text, jsonb_build_object('id', i, 'n', i % 2001 / 10.0, 'm', jsonb_build_array(i % 7, i % 50, i % 3 = 0), 's', md5(i::text),
    't', CASE i % 3 WHEN 0 THEN to_jsonb(at) WHEN 1 THEN to_jsonb(extract(epoch FROM at) * 1000) ELSE to_jsonb(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) END)
FROM generate_series(1, 2000) AS i, LATERAL (SELECT timestamptz '2024-01-01 00:00+00' + i * interval '83 minutes') AS _(at);
CREATE TEMP TABLE request AS SELECT row_number() OVER () AS number, request FROM unnest(ARRAY[
    -- edges in common, none in common, and those of two facets at one path
    '{"r": {"type": "range", "field": "n", "start": 0, "end": 200, "gap": 1, "include": "all", "other": "all", "facet": {"s": "sum(n)"}}}',
    '{"r": {"type": "range", "field": "m", "start": 0, "end": 50, "gap": 5, "include": ["upper"], "other": "all"}, "x": {"type": "range", "field": "m", "start": 50, "end": 60, "gap": 3}}',
    '{"r": {"type": "range", "field": "m", "start": 3, "end": 47, "gap": 7, "hardend": true, "include": ["edge"]}, "x": {"type": "range", "field": "n", "start": 3, "end": 47, "gap": 7}}',
    '{"t": {"type": "range", "field": "t", "start": "2024-01-01T00:00:00Z", "end": "2024-06-30T00:00:00Z", "gap": "+1DAY", "facet": {"u": "unique(n)", "m": "percentile(m,1,50,99)"}}}',
    '{"t": {"type": "range", "field": "t", "start": "2024-01-01T00:00:00Z", "end": "2024-06-30T00:00:00Z", "gap": "+1MONTH/MONTH", "include": "upper", "facet": {"d": {"type": "range", "field": "n", "start": 0, "end": 200, "gap": 50}}}}',
    '{"f": {"type": "terms", "field": "s", "limit": -1, "allBuckets": true, "facet": {"s": "sum(n)", "u": "unique(m)", "o": {"type": "terms", "field": "m", "sort": "index desc"}}}}',
    '{"f": {"type": "terms", "field": "n", "limit": 20, "offset": 2, "sort": "x desc", "facet": {"x": "max(m)", "p": {"type": "terms", "field": "m", "mincount": 2}}}}',
    '{"f": {"type": "terms", "field": "s", "prefix": "a", "limit": 9, "sort": "index desc", "facet": {"t": "min(t)", "q": {"type": "query", "q": "n:[1 TO 50}", "facet": {"p": "percentile(m,50)"}}}}}',
    '{"a": {"type": "query", "q": "n:[1 TO 50}"}, "b": {"type": "query", "q": "n:[50 TO 60}"}, "c": {"type": "query", "q": "t:[2024-02-01T00:00:00Z+0DAYS TO 2024-03-01T00:00:00Z+0DAYS}"},
      "d": {"type": "query", "q": "t:[2024-03-01T00:00:00Z+0DAYS TO 2024-04-01T00:00:00Z+0DAYS]"}, "e": {"type": "query", "q": "t:[2024-02 TO 2024-03]"}}'
]::jsonb[]) AS request;
CREATE FUNCTION pg_temp.answers() RETURNS TABLE (what text, answer jsonb) LANGUAGE sql AS $$
    SELECT q || ' ' || number, session_facets('buckets', q, request) FROM request, unnest(ARRAY['*:*', 'm:3', 'id:[100 TO 140]']) AS q
    UNION ALL
    SELECT q || ' histogram of ' || path || ' by ' || step, (SELECT jsonb_agg(h) FROM session_histogram('buckets', q, path, step, since => since, until => until) AS h)
    FROM unnest(ARRAY['*:*', 'm:3']) AS q, (VALUES ('n', 1, NULL, NULL), ('m', 0.7, NULL, 30.05), ('n', 0.013, 3.3, 9.999), ('t', 1e9, NULL, NULL)) AS _ (path, step, since, until)
    UNION ALL
    SELECT q || ' histogram by ' || step, (SELECT jsonb_agg(h) FROM session_histogram('buckets', q, 't', step, 'Europe/Berlin', since => since, until => until) AS h)
    FROM unnest(ARRAY['*:*', 'm:3']) AS q, (VALUES ('1 day', NULL, NULL), ('1 month', '2024-01-15', '2024-05-03T04:05:06.000000007Z'), ('7 hours', '2024-03-30', '2024-04-02')) AS _ (step, since, until)
$$;
SET TimeZone = 'UTC';
CREATE TEMP TABLE by_index AS SELECT * FROM pg_temp.answers();
DROP INDEX sessions.buckets_doc_idx;
SELECT session_explain('buckets', '*:*', "json" => '{"facet": {"u": "unique(s)"}}')->'way' AS way;
SET statement_timeout = '120s'; -- each of these took as long as buckets times documents
CREATE TEMP TABLE by_planner AS SELECT * FROM pg_temp.answers();
SET work_mem = '64kB';
CREATE TEMP TABLE by_files AS SELECT * FROM pg_temp.answers();
RESET work_mem;
SELECT count(*), count(*) FILTER (WHERE answer IS NULL) AS nulls, sum(length(answer::text)) > 300000 AS are_full FROM by_index;
SELECT what, by_index.answer = by_planner.answer AS planner, by_index.answer = by_files.answer AS files
FROM by_index JOIN by_planner USING (what) JOIN by_files USING (what) WHERE (by_index.answer = by_planner.answer AND by_index.answer = by_files.answer) IS NOT TRUE;
-- 45,000 buckets of 2,000 documents.
SELECT count(*), sum(count) FROM session_histogram('buckets', '*:*', 'n', 0.002, since => 0, until => 90);
-- The first interval holds the least number, also where its quotient by the step is rounded up.
INSERT INTO sessions.buckets SELECT id, jsonb_build_object('id', id, 'e', e) FROM (VALUES ('x', 6.99999999999999999999), ('y', 15)) AS _ (id, e);
SELECT * FROM session_histogram('buckets', '*:*', 'e', 7);
UPDATE sessions.buckets SET doc = doc || '{"e": -1e400}' WHERE id = 'y';
SELECT sum(count) FROM session_histogram('buckets', '*:*', 'e', 1e100000);
SELECT session_drop('buckets');
