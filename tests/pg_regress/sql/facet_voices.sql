-- What is counted, counted twice: by the index and by plain SQL over the documents (GROUP BY, date_trunc, percentile_disc). Nothing to
-- show is agreement. Documents are put together by hashes of their numbers, so that every run counts the same.
SET timezone = 'UTC';
CREATE FUNCTION pg_temp.pick(salt text, i int, list text[]) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT list[1 + (('x' || left(md5(salt || i), 8))::bit(32)::bigint % cardinality(list))::int]
$$;
CREATE FUNCTION pg_temp.value(salt text, i int) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT pg_temp.pick(salt, i, ARRAY[
        '1', '2.0', '2', '10', '-3', '0.1', '9007199254740993', '9007199254740992', '1e30', '0.1000000000000000055', '-1e-30',
        '"1"', '"2"', '"10"', '"x"', '"x"', '"xy"', '"x y"', '"X"', '""', '"é"', '"💡"', '"\uffff"', 'true', 'false', '"true"', 'null', '{}', '[]',
        '[1, "x"]', '[2, 2.0, 10]', '["x", "xy", null, "x"]', '[true, 1]', '{"b": 1}', '{"b": "x", "c": {"b": 2}}', '[{"b": 1}, {"b": "xy"}]',
        '[[1], [{"b": 2}]]', '"' || repeat('x', 255) || '"', '"' || repeat('x', 300) || 'y"', '"' || repeat('x', 300) || 'z"'])
$$;
-- Around the days on which Berlin has 23 and 25 hours
CREATE FUNCTION pg_temp.moment(i int) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE i % 4
        WHEN 0 THEN to_jsonb(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        WHEN 1 THEN to_jsonb((extract(epoch FROM at) * 1000)::bigint)
        WHEN 2 THEN to_jsonb(to_char(at AT TIME ZONE 'UTC' + interval '2 hours', 'YYYY-MM-DD"T"HH24:MI:SS.MS') || '+02:00')
        ELSE jsonb_build_array(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), pg_temp.pick('no moment', i, '{unknown,"",soon}'))
    END
    FROM (SELECT CASE i % 3 WHEN 0 THEN timestamptz '2024-03-30 00:00Z' WHEN 1 THEN '2024-10-26 00:00Z' ELSE '2023-12-28 00:00Z' END
        + (('x' || left(md5('moment' || i), 6))::bit(24)::int % 4300) * interval '1 minute' AS at) AS a
$$;
CREATE FUNCTION pg_temp.document(i int) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT jsonb_build_object('session', jsonb_build_object('id', i), 'kind', pg_temp.pick('kind', i, '{one,one,one,two,two,three}'))
        || CASE WHEN i % 5 > 0 THEN jsonb_build_object('a', pg_temp.value('a', i)::jsonb) ELSE '{}' END
        || CASE WHEN i % 4 > 0 THEN jsonb_build_object('c', jsonb_build_object('b', pg_temp.value('c', i)::jsonb)) ELSE '{}' END
        || CASE WHEN i % 50 = 0 THEN jsonb_build_object('c.b', pg_temp.value('d', i)::jsonb) ELSE '{}' END
        || CASE WHEN i % 3 > 0 THEN jsonb_build_object('n', i % 17 - 8.5 + (i % 4) * 0.25) ELSE '{}' END
        || CASE WHEN i % 7 > 0 THEN jsonb_build_object('at', pg_temp.moment(i)) ELSE '{}' END
$$;
SELECT session_add('voices');
SELECT session_update('voices', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(pg_temp.document(i))))) FROM generate_series(1, 1500) AS i;

-- ---- The second voice -------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.leaves(doc jsonb) RETURNS TABLE (path text, value jsonb) LANGUAGE sql AS $$
    WITH RECURSIVE part (path, value) AS (
        SELECT NULL::text, doc
        UNION ALL
        SELECT inner_path, inner_value FROM part, LATERAL (
            SELECT concat_ws('.', part.path, key), value FROM jsonb_each(CASE jsonb_typeof(part.value) WHEN 'object' THEN part.value END) AS e (key, value)
            UNION ALL
            SELECT part.path, value FROM jsonb_array_elements(CASE jsonb_typeof(part.value) WHEN 'array' THEN part.value END) AS e (value)
        ) AS i (inner_path, inner_value))
    SELECT path, value FROM part WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean')
$$;
-- The values of each document, each once, and where they come in the order of all; and what each query finds.
CREATE TEMP TABLE leaf (id text, path text, value jsonb, kind int, number numeric, text text COLLATE "C");
CREATE TEMP TABLE found (q text, id text);
CREATE TEMP TABLE instant (id text, at timestamptz);
CREATE INDEX ON leaf (path, value);
CREATE INDEX ON leaf (id, path);
CREATE INDEX ON found (q, id);
CREATE TEMP TABLE asked (q text);
INSERT INTO asked VALUES ('*:*'), ('kind:one'), ('kind:three'), ('-kind:one'), ('a:x'), ('session.id:[100 TO 110]'), ('session.id:7'), ('session.id:(103 106 109)'), ('n:[0 TO *] AND kind:two'), ('no:thing');
CREATE TEMP TABLE path (path text);
INSERT INTO path VALUES ('kind'), ('a'), ('a.b'), ('c.b'), ('n'), ('at'), ('none'), ('c');

-- Lists of [value, count], in each order that session_values has.
CREATE FUNCTION pg_temp.grouped(q text, path text, sort text, prefix text) RETURNS TABLE (value jsonb, count bigint) LANGUAGE sql AS $$
    SELECT value, count(*)
    FROM leaf JOIN found AS h USING (id)
    WHERE h.q = $1 AND leaf.path = $2 AND (prefix IS NULL OR kind = 2 AND starts_with(text, prefix))
    GROUP BY value, kind, number, text
    ORDER BY CASE sort WHEN 'count desc' THEN -count(*) WHEN 'count asc' THEN count(*) END,
        CASE WHEN sort <> 'value desc' THEN kind END, CASE WHEN sort <> 'value desc' THEN number END, CASE WHEN sort <> 'value desc' THEN text END,
        kind DESC, number DESC, text DESC
$$;
-- PostgreSQL's numeric has as many digits as it finds fit.
CREATE FUNCTION pg_temp.normal(stats jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(key, CASE WHEN key IN ('avg', 'stddev') AND value <> 'null' THEN to_jsonb(to_char(value::text::float8, '9.9999999EEEE')) ELSE value END) FROM jsonb_each(stats)
$$;
-- The documents of each bucket of instants, in one form or the other; the empty buckets between the first and the last as well.
CREATE FUNCTION pg_temp.binned(q text, step text, zone text) RETURNS TABLE (bucket timestamptz, count bigint) LANGUAGE sql AS $$
    WITH bin AS (
        SELECT CASE step WHEN '15 minutes' THEN date_bin('15 minutes', at, '2000-01-01Z') ELSE date_trunc(split_part(step, ' ', 2), at, zone) END AS bin, count(DISTINCT id)
        FROM instant JOIN found AS f USING (id) WHERE f.q = $1 GROUP BY 1),
    every AS (
        SELECT DISTINCT CASE WHEN step IN ('15 minutes', '1 hour') THEN e ELSE e::timestamp AT TIME ZONE zone END AS e
        FROM (SELECT generate_series(CASE WHEN step IN ('15 minutes', '1 hour') THEN min(bin) ELSE (min(bin) AT TIME ZONE zone) AT TIME ZONE 'UTC' END,
            CASE WHEN step IN ('15 minutes', '1 hour') THEN max(bin) ELSE (max(bin) AT TIME ZONE zone) AT TIME ZONE 'UTC' END,
            step::interval) FROM bin) AS g (e))
    SELECT e, coalesce(bin.count, 0) FROM every LEFT JOIN bin ON bin.bin = e
$$;

CREATE FUNCTION pg_temp.disagreements() RETURNS TABLE (what text, q text, path text, ours jsonb, theirs jsonb) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE leaf, found, instant;
    INSERT INTO leaf
    SELECT DISTINCT ON (id, l.path, l.value) id, l.path, l.value, array_position('{number,string,boolean}', jsonb_typeof(l.value)),
        CASE jsonb_typeof(l.value) WHEN 'number' THEN l.value::text::numeric END, CASE WHEN jsonb_typeof(l.value) <> 'number' THEN l.value #>> '{}' END
    FROM sessions.voices, pg_temp.leaves(doc) AS l;
    INSERT INTO found SELECT asked.q, doc #>> '{session,id}' FROM asked, LATERAL session_stream('voices', asked.q) AS doc;
    INSERT INTO instant
    SELECT id, CASE WHEN kind = 1 THEN to_timestamp((number / 1000)::float8) ELSE text::timestamptz END
    FROM leaf WHERE leaf.path = 'at' AND (kind = 1 OR text ~ '^\d{4}-\d\d-\d\dT.*(Z|[-+]\d\d:\d\d)$');
    ANALYZE leaf, found, instant;

    RETURN QUERY SELECT 'values, ' || s, a.q, p.path, o.list, t.list
    FROM asked AS a, path AS p, unnest('{count desc,count asc,value asc,value desc}'::text[]) AS s,
        LATERAL (SELECT jsonb_agg(jsonb_build_array(v.value, v.count)) FROM session_values('voices', a.q, p.path, rows => NULL, sort => s) AS v) AS o (list),
        LATERAL (SELECT jsonb_agg(jsonb_build_array(v.value, v.count)) FROM pg_temp.grouped(a.q, p.path, s, NULL) AS v) AS t (list)
    WHERE o.list IS DISTINCT FROM t.list;

    RETURN QUERY SELECT 'values, a window of a prefix', a.q, p.path, o.list, t.list
    FROM asked AS a, path AS p, unnest('{x,1,"",💡}'::text[]) AS prefix,
        LATERAL (SELECT jsonb_agg(jsonb_build_array(v.value, v.count)) FROM session_values('voices', a.q, p.path, rows => 3, start => 1, prefix => prefix) AS v) AS o (list),
        LATERAL (SELECT jsonb_agg(jsonb_build_array(v.value, v.count)) FROM (SELECT * FROM pg_temp.grouped(a.q, p.path, 'count desc', prefix) LIMIT 3 OFFSET 1) AS v) AS t (list)
    WHERE o.list IS DISTINCT FROM t.list;

    RETURN QUERY SELECT 'suggestions', a.q, p.path, o.list, t.list
    FROM asked AS a, path AS p, unnest('{x,on,💡}'::text[]) AS prefix,
        LATERAL (SELECT jsonb_agg(jsonb_build_array(v.value, v.count)) FROM session_suggest('voices', p.path, prefix, q => a.q, rows => 4) AS v) AS o (list),
        LATERAL (SELECT jsonb_agg(jsonb_build_array(v.value, v.count)) FROM (SELECT * FROM pg_temp.grouped(a.q, p.path, 'count desc', prefix) LIMIT 4) AS v) AS t (list)
    WHERE o.list IS DISTINCT FROM t.list;

    RETURN QUERY SELECT 'statistics', a.q, p.path, o.stats, t.stats
    FROM asked AS a, path AS p,
        LATERAL (SELECT session_stats('voices', a.q, p.path, '{0,10,50,99.5,100}')) AS o (stats),
        LATERAL (
            SELECT jsonb_build_object('documents', count(DISTINCT l.id), 'missing', (SELECT count(*) FROM found AS f WHERE f.q = a.q) - count(DISTINCT l.id),
                'values', count(*), 'distinct', count(DISTINCT l.value), 'min', (array_agg(l.value ORDER BY kind, number, text))[1],
                'max', (array_agg(l.value ORDER BY kind DESC, number DESC, text DESC))[1], 'sum', sum(number), 'avg', avg(number), 'stddev', stddev(number),
                'percentiles', jsonb_build_object('0', percentile_disc(0) WITHIN GROUP (ORDER BY number), '10', percentile_disc(0.1) WITHIN GROUP (ORDER BY number),
                    '50', percentile_disc(0.5) WITHIN GROUP (ORDER BY number), '99.5', percentile_disc(0.995) WITHIN GROUP (ORDER BY number), '100', percentile_disc(1) WITHIN GROUP (ORDER BY number)))
            FROM leaf AS l JOIN found AS f USING (id) WHERE f.q = a.q AND l.path = p.path) AS t (stats)
    WHERE pg_temp.normal(o.stats) IS DISTINCT FROM pg_temp.normal(t.stats);

    RETURN QUERY SELECT 'histogram, ' || step || ' in ' || zone, a.q, 'at', o.list, t.list
    FROM asked AS a, unnest('{1 day,1 week,1 month,1 year,1 hour,15 minutes}'::text[]) AS step, unnest('{UTC,Europe/Berlin,Asia/Kathmandu}'::text[]) AS zone,
        LATERAL (SELECT jsonb_agg(jsonb_build_array(h.bucket, h.count) ORDER BY h.bucket) FROM session_histogram('voices', a.q, 'at', step, zone => zone) AS h) AS o (list),
        LATERAL (SELECT jsonb_agg(jsonb_build_array(b.bucket, b.count) ORDER BY b.bucket) FROM pg_temp.binned(a.q, step, zone) AS b) AS t (list)
    -- Thousands of buckets, of ten months, are made for one query only, and quarters of an hour around one day on which the clock changes.
    WHERE (step NOT IN ('1 hour', '15 minutes') OR a.q = CASE step WHEN '1 hour' THEN 'session.id:[100 TO 110]' ELSE 'session.id:(103 106 109)' END)
        AND o.list IS DISTINCT FROM t.list;

    RETURN QUERY SELECT 'histogram of numbers, ' || step, a.q, 'n', o.list, t.list
    FROM asked AS a, unnest('{1,0.25,2.5,100}'::numeric[]) AS step,
        LATERAL (SELECT jsonb_agg(jsonb_build_array(h.bucket, h.count) ORDER BY h.bucket) FROM session_histogram('voices', a.q, 'n', step) AS h) AS o (list),
        LATERAL (WITH bin AS (SELECT floor(number / step) AS bin, count(DISTINCT id) FROM leaf JOIN found AS f USING (id) WHERE f.q = a.q AND leaf.path = 'n' GROUP BY 1)
            SELECT jsonb_agg(jsonb_build_array(e * step, coalesce(count, 0)) ORDER BY e)
            FROM (SELECT generate_series(min(bin), max(bin)) FROM bin) AS every (e) LEFT JOIN bin ON bin = e) AS t (list)
    WHERE o.list IS DISTINCT FROM t.list;

    RETURN QUERY SELECT 'terms in terms', a.q, p.path, o.facet, t.facet
    FROM asked AS a, path AS p,
        LATERAL (SELECT session_facets('voices', a.q, jsonb_build_object('f', jsonb_build_object('type', 'terms', 'field', p.path, 'limit', 4, 'facet',
            jsonb_build_object('kinds', jsonb_build_object('type', 'terms', 'field', 'kind'), 'sum', 'sum(n)', 'max', 'max(c.b)')))) #> '{f,buckets}') AS o (facet),
        LATERAL (
            SELECT jsonb_agg(jsonb_build_object('val', v.value, 'count', v.count,
                'kinds', jsonb_build_object('buckets', (SELECT coalesce(jsonb_agg(jsonb_build_object('val', k.value, 'count', k.count)), '[]')
                    FROM (SELECT kinds.value, count(*) FROM leaf AS own JOIN found AS f USING (id) JOIN leaf AS kinds USING (id)
                        WHERE f.q = a.q AND own.path = p.path AND own.value = v.value AND kinds.path = 'kind' GROUP BY kinds.value, kinds.text ORDER BY count(*) DESC, kinds.text) AS k)),
                'sum', (SELECT coalesce(sum(n.number), 0) FROM leaf AS own JOIN found AS f USING (id) JOIN leaf AS n USING (id)
                    WHERE f.q = a.q AND own.path = p.path AND own.value = v.value AND n.path = 'n'))
                || coalesce((SELECT jsonb_build_object('max', (array_agg(n.value ORDER BY n.kind DESC, n.number DESC, n.text DESC))[1]) FROM leaf AS own JOIN found AS f USING (id) JOIN leaf AS n USING (id)
                    WHERE f.q = a.q AND own.path = p.path AND own.value = v.value AND n.path = 'c.b' HAVING count(*) > 0), '{}'))
            FROM (SELECT * FROM pg_temp.grouped(a.q, p.path, 'count desc', NULL) LIMIT 4) AS v) AS t (facet)
    WHERE coalesce(nullif(o.facet, '[]'), '[]') IS DISTINCT FROM coalesce(t.facet, '[]');
END
$$;
-- ---- Both ---------------------------------------------------------------------------------------------------------------

-- As loaded, with entries pending
SELECT * FROM pg_temp.disagreements();
SELECT count(*) > 100 AS values, count(DISTINCT path) AS paths FROM (SELECT DISTINCT path, value FROM leaf) AS v;
-- All-visible
VACUUM sessions.voices;
SELECT * FROM pg_temp.disagreements();
-- A third changed, a fifth deleted, nothing vacuumed
SELECT session_update('voices', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(pg_temp.document(i + 5000) || jsonb_build_object('session', jsonb_build_object('id', i))))))
FROM generate_series(1, 1500, 3) AS i;
SELECT session_update('voices', jsonb_build_array(jsonb_build_object('delete', jsonb_agg(i)))) FROM generate_series(2, 1500, 5) AS i;
SELECT * FROM pg_temp.disagreements();
SELECT count(DISTINCT id) FROM leaf;
-- A transaction's own changes
BEGIN;
SELECT session_update('voices', jsonb_build_array(jsonb_build_object('delete', jsonb_agg(i)))) FROM generate_series(3, 1500, 4) AS i;
SELECT * FROM pg_temp.disagreements();
ROLLBACK;
SELECT session_drop('voices');
