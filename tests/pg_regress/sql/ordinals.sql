-- A session remembers the values at a path by ordinal once it has counted them. Whatever changes the index, it counts as GROUP BY does.
SELECT session_add('ordinals', key => 'id');
CREATE FUNCTION pg_temp.documents(low int, high int, round int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'user', 'u' || (n * 7 + round) % 400, 'n', (n * round) % 90 * 0.25 - 3,
        'mixed', CASE n % 3 WHEN 0 THEN to_jsonb(n % 50) WHEN 1 THEN to_jsonb('s' || n % 60) ELSE to_jsonb(n % 2 = 0) END, 'ip', concat_ws('.', 10, n % 50, n % 7), 'ecdy', 'e' || n % 70,
        'at', to_char('2024-01-01'::timestamp + (n + round) * interval '5 hours', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'ms', 1704067200000 + (n + round) * 18000000::bigint))))
    FROM generate_series(low, high) AS n $$;
-- What the functions say and GROUP BY does not, or the other way round. Each is asked several times, so that it is answered in each way.
CREATE FUNCTION pg_temp.differences(q text, OUT what text, OUT detail text) RETURNS SETOF record LANGUAGE sql AS $$
    WITH doc AS MATERIALIZED (SELECT doc FROM session_stream('ordinals', q) AS doc),
        path AS (SELECT unnest('{user,n,mixed,ip,ecdy}'::text[]) AS path),
        leaf AS MATERIALIZED (SELECT path, doc, leaf FROM doc, path, LATERAL (SELECT DISTINCT leaf FROM jsonb_path_query(doc->path, 'lax $[*]') AS leaf WHERE jsonb_typeof(leaf) <> 'null') AS _),
        ours AS (
            SELECT path AS what, value::text AS part, count FROM generate_series(1, 3), path, session_values('ordinals', q, path, rows => NULL)
            UNION ALL SELECT 'prefix', value::text, count FROM session_values('ordinals', q, 'user', prefix => 'u1', rows => NULL)
            UNION ALL SELECT 'last', value::text, count FROM session_values('ordinals', q, 'mixed', sort => 'value desc', rows => 20)
            UNION ALL SELECT 'day', bucket::text, count FROM generate_series(1, 3), session_histogram('ordinals', q, 'at', '1 day') WHERE count > 0
            UNION ALL SELECT 'day of ms', bucket::text, count FROM generate_series(1, 3), session_histogram('ordinals', q, 'ms', '1 day') WHERE count > 0
            UNION ALL SELECT 'five', bucket::text, count FROM generate_series(1, 3), session_histogram('ordinals', q, 'n', 5) WHERE count > 0
            UNION ALL SELECT 'stats ' || path, stats::text, 0 FROM path, session_stats('ordinals', q, path) AS stats),
        theirs AS (
            SELECT path, leaf::text, count(*) FROM generate_series(1, 3), leaf GROUP BY generate_series, 1, 2
            UNION ALL SELECT 'prefix', leaf::text, count(*) FROM leaf WHERE path = 'user' AND leaf#>>'{}' LIKE 'u1%' GROUP BY 2
            UNION ALL (SELECT 'last', leaf::text, count(*) FROM leaf WHERE path = 'mixed' GROUP BY leaf ORDER BY jsonb_typeof(leaf) = 'number', jsonb_typeof(leaf) = 'string', CASE WHEN jsonb_typeof(leaf) = 'number' THEN leaf::numeric END DESC, (leaf#>>'{}') COLLATE "C" DESC LIMIT 20)
            UNION ALL SELECT 'day', date_trunc('day', (doc->>'at')::timestamptz, 'UTC')::text, count(*) FROM generate_series(1, 3), doc WHERE doc ? 'at' GROUP BY generate_series, 2
            UNION ALL SELECT 'day of ms', date_trunc('day', to_timestamp((doc->>'ms')::numeric / 1000), 'UTC')::text, count(*) FROM generate_series(1, 3), doc WHERE doc ? 'ms' GROUP BY generate_series, 2
            UNION ALL SELECT 'five', (floor((leaf#>>'{}')::numeric / 5) * 5)::text, count(DISTINCT doc) FROM generate_series(1, 3), leaf WHERE path = 'n' GROUP BY generate_series, 2
            UNION ALL SELECT 'stats ' || path.path, jsonb_build_object('documents', count(DISTINCT doc->'id'), 'missing', (SELECT count(*) FROM doc) - count(DISTINCT doc->'id'), 'values', count(leaf), 'distinct', count(DISTINCT leaf),
                'min', (array_agg(leaf ORDER BY jsonb_typeof(leaf) = 'boolean', jsonb_typeof(leaf) = 'string', number, (leaf#>>'{}') COLLATE "C"))[1],
                'max', (array_agg(leaf ORDER BY jsonb_typeof(leaf) = 'boolean' DESC, jsonb_typeof(leaf) = 'string' DESC, number DESC, (leaf#>>'{}') COLLATE "C" DESC))[1],
                'sum', sum(number), 'avg', trim_scale(avg(number)), 'stddev', trim_scale(stddev_samp(number)), 'percentiles', jsonb_build_object('50', percentile_disc(0.5) WITHIN GROUP (ORDER BY number),
                '95', percentile_disc(0.95) WITHIN GROUP (ORDER BY number), '99', percentile_disc(0.99) WITHIN GROUP (ORDER BY number)))::text, 0
            FROM path LEFT JOIN (SELECT *, CASE WHEN jsonb_typeof(leaf) = 'number' THEN leaf::numeric END AS number FROM leaf) AS leaf ON leaf.path = path.path GROUP BY path.path),
        normal AS (SELECT 1 AS side, * FROM ours UNION ALL SELECT -1, * FROM theirs)
    SELECT what, format('%s: %s times %s', coalesce(side::text, ''), count(*), part || ' ' || count) FROM (
        SELECT what, CASE WHEN what LIKE 'stats%' THEN (part::jsonb)::text WHEN what = 'five' OR what = 'n' THEN trim_scale(part::numeric)::text ELSE part END AS part, count, sum(side) AS side
        FROM normal GROUP BY 1, 2, 3) AS _ WHERE side <> 0 GROUP BY what, side, part, count
$$;
CREATE FUNCTION pg_temp.check(OUT q text, OUT what text, OUT detail text) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT q, found.* FROM unnest(ARRAY['*:*', 'n:[0 TO 12]', '-ip:10.4*', 'user:(u7 u9 u11)', 'id:[5 TO 9]']) AS q, pg_temp.differences(q) AS found $$;
-- Each way in which the values at a path were read.
CREATE FUNCTION pg_temp.ways(q text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT session_explain('ordinals', q, json => '{"facet": {"a": {"terms": {"field": "user", "limit": 3}}, "b": "avg(n)"}}')->'facets'->'paths' $$;
-- What session_paths says, beside a count.
CREATE FUNCTION pg_temp.paths() RETURNS TABLE (side text, path text, documents bigint, vals bigint, types text) LANGUAGE sql AS $$
    WITH ours AS (SELECT path, documents, values, concat_ws(' ', strings, numbers, booleans) AS types FROM session_paths('ordinals')),
        theirs AS (SELECT path, count(DISTINCT doc->'id'), count(DISTINCT leaf), concat_ws(' ', count(DISTINCT doc->'id') FILTER (WHERE jsonb_typeof(leaf) = 'string'),
            count(DISTINCT doc->'id') FILTER (WHERE jsonb_typeof(leaf) = 'number'), count(DISTINCT doc->'id') FILTER (WHERE jsonb_typeof(leaf) = 'boolean'))
            FROM session_stream('ordinals', '*:*') AS doc, jsonb_object_keys(doc) AS path, jsonb_path_query(doc->path, 'lax $[*]') AS leaf WHERE jsonb_typeof(leaf) <> 'null' GROUP BY path)
    (SELECT 'ours', * FROM ours EXCEPT SELECT 'ours', * FROM theirs) UNION ALL (SELECT 'theirs', * FROM theirs EXCEPT SELECT 'theirs', * FROM ours) $$;

SELECT session_update('ordinals', pg_temp.documents(1, 3000, 1)) AS filled;
SELECT gin_clean_pending_list('sessions.ordinals_doc_idx') > 0 AS cleaned;
SELECT * FROM pg_temp.check();
SELECT pg_temp.ways('*:*') AS all_documents, pg_temp.ways('n:[0 TO 12]') AS some, pg_temp.ways('id:[5 TO 9]') AS few;
SELECT * FROM pg_temp.paths();
VACUUM ANALYZE sessions.ordinals;
SELECT * FROM pg_temp.check();
SELECT pg_temp.ways('*:*') AS all_documents;
SELECT * FROM pg_temp.paths() UNION ALL SELECT * FROM pg_temp.paths() UNION ALL SELECT * FROM pg_temp.paths();

-- Pending entries, documents that are gone, and new values.
SELECT session_update('ordinals', pg_temp.documents(100, 140, 2));
SELECT session_update('ordinals', '[{"delete": [7, 8, 9, 500]}]');
SELECT * FROM pg_temp.check();
SELECT * FROM pg_temp.paths();
SELECT gin_clean_pending_list('sessions.ordinals_doc_idx') > 0 AS cleaned;
SELECT * FROM pg_temp.check();
SELECT * FROM pg_temp.paths() UNION ALL SELECT * FROM pg_temp.paths();
VACUUM sessions.ordinals;
SELECT * FROM pg_temp.check();
SELECT * FROM pg_temp.paths() UNION ALL SELECT * FROM pg_temp.paths();
-- Straight into the tree.
ALTER INDEX sessions.ordinals_doc_idx SET (fastupdate = off);
SELECT * FROM pg_temp.check();
SELECT session_update('ordinals', pg_temp.documents(200, 230, 3));
SELECT * FROM pg_temp.check();
SELECT session_update('ordinals', '[{"upsert": [{"id": 1, "user": "u8", "n": -2}]}]');
SELECT * FROM pg_temp.check();
SELECT * FROM pg_temp.paths();
-- A transaction's own writes, and what it takes back.
BEGIN;
SELECT session_update('ordinals', pg_temp.documents(2990, 3100, 4));
SELECT * FROM pg_temp.check();
SAVEPOINT s;
SELECT session_update('ordinals', pg_temp.documents(1, 60, 5));
SELECT * FROM pg_temp.check();
ROLLBACK TO s;
SELECT * FROM pg_temp.check();
SELECT * FROM pg_temp.paths();
ROLLBACK;
SELECT * FROM pg_temp.check();
-- No row moves, and none is entered anew.
CREATE TABLE pg_temp.touched AS SELECT id FROM sessions.ordinals LIMIT 0;
UPDATE sessions.ordinals SET id = id WHERE (doc->>'id')::int % 100 = 0;
SELECT * FROM pg_temp.check();
-- Another index of the same name and OID, other rows at the same places.
REINDEX INDEX sessions.ordinals_doc_idx;
SELECT * FROM pg_temp.check();
BEGIN;
TRUNCATE sessions.ordinals;
SELECT * FROM pg_temp.check();
SELECT session_update('ordinals', pg_temp.documents(1, 100, 6));
SELECT * FROM pg_temp.check();
ROLLBACK;
SELECT * FROM pg_temp.check();
VACUUM FULL sessions.ordinals;
SELECT * FROM pg_temp.check();

-- A document with two values at a path; it goes again.
SELECT session_update('ordinals', '[{"upsert": [{"id": 2, "user": ["u1", "u2"], "n": [1, 2, 3], "ip": "10.1.1"}]}]');
SELECT * FROM pg_temp.check();
SELECT pg_temp.ways('*:*')->'user' AS two_values;
SELECT * FROM pg_temp.paths();
SELECT session_update('ordinals', '[{"upsert": [{"id": 2, "user": "u1"}]}]');
VACUUM sessions.ordinals;
SELECT * FROM pg_temp.check();
SELECT pg_temp.ways('*:*')->'user' AS one_value;
-- Values that are longer than what the index keeps.
SELECT session_update('ordinals', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'user', repeat('u', 300) || n % 3))))) FROM generate_series(20, 30) AS n;
SELECT what, md5(detail) FROM pg_temp.check();
SELECT path, documents, values, strings FROM session_paths('ordinals', 'user');
SELECT session_update('ordinals', '[{"delete": [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]}]');
-- Numbers that are no integers of a moderate size.
SELECT session_update('ordinals', '[{"upsert": [{"id": 31, "n": 1e30}, {"id": 32, "n": 0.0000000001}, {"id": 33, "n": -9007199254740993}]}]');
SELECT * FROM pg_temp.check() WHERE what <> 'five';
SELECT session_update('ordinals', '[{"delete": [31, 32, 33]}]');
VACUUM sessions.ordinals;
-- Instants in other forms.
SELECT session_update('ordinals', '[{"upsert": [{"id": 41, "at": "2024-02-03T01:30:00+02:00"}, {"id": 42, "at": "2024-02-03 23:00:00.5-03"}, {"id": 43, "at": "2024-02-03T10:00:00.75Z"}]}]');
SELECT * FROM pg_temp.check();
SELECT session_update('ordinals', '[{"upsert": [{"id": 44, "at": "2024-02-30T10:00:00Z"}, {"id": 45, "at": "2024-02-29 is no instant"}, {"id": 46, "at": 17}]}]');
SELECT bucket, count FROM session_histogram('ordinals', 'id:[40 TO 46] id:[100 TO 900]', 'at', '1 day', since => '2024-02-01T00:00:00Z', until => '2024-03-02T00:00:00Z') EXCEPT
SELECT bucket, count FROM session_histogram('ordinals', '*:*', 'at', '1 day', since => '2024-02-01T00:00:00Z', until => '2024-03-02T00:00:00Z') ORDER BY 1;
SELECT session_update('ordinals', '[{"delete": [44, 45, 46]}]');
VACUUM sessions.ordinals;
-- Another path with the same hash.
SELECT * FROM pg_temp.check();
SELECT session_update('ordinals', '[{"upsert": [{"id": 50, "kybn": "e5"}]}]');

-- Little memory, and none.
SELECT * FROM pg_temp.check();
SET session_store.changes_memory = 0;
SELECT * FROM pg_temp.check();
SELECT pg_temp.ways('*:*')->'user' AS without_memory;
SET session_store.changes_memory = '64kB';
SET work_mem = '64kB';
SELECT * FROM pg_temp.check();
RESET work_mem;
RESET session_store.changes_memory;
SELECT session_drop('ordinals');
