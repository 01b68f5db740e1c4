-- Facets and values, compared with GROUP BY over the leaves of the documents, in every way to answer.
SELECT session_add('facets', key => 'id');
-- Leaves at a path, each value once a document, as SQL finds them.
CREATE FUNCTION pg_temp.leaves(doc jsonb, path text) RETURNS SETOF jsonb LANGUAGE sql AS $$
    WITH RECURSIVE walk(item, rest) AS (
        SELECT doc, path
        UNION ALL
        SELECT next.item, next.rest FROM walk CROSS JOIN LATERAL (
            SELECT element AS item, walk.rest FROM jsonb_array_elements(CASE jsonb_typeof(walk.item) WHEN 'array' THEN walk.item ELSE '[]' END) AS element
            UNION ALL
            SELECT member.value, nullif(ltrim(substr(walk.rest, length(member.key) + 1), '.'), '')
            FROM jsonb_each(CASE jsonb_typeof(walk.item) WHEN 'object' THEN walk.item ELSE '{}' END) AS member
            WHERE walk.rest = member.key OR starts_with(walk.rest, member.key || '.')) AS next)
    SELECT DISTINCT CASE jsonb_typeof(item) WHEN 'number' THEN trim_scale((item#>>'{}')::numeric)::text::jsonb ELSE item END
    FROM walk WHERE rest IS NULL AND jsonb_typeof(item) NOT IN ('null', 'array', 'object')
$$;
CREATE FUNCTION pg_temp.grouped(store text, q text, path text) RETURNS TABLE(value jsonb, count bigint) LANGUAGE sql AS $$
    SELECT leaf, count(*) FROM session_stream(store, q) AS doc CROSS JOIN LATERAL pg_temp.leaves(doc, path) AS leaf GROUP BY leaf
$$;
-- Nothing but the differences.
CREATE FUNCTION pg_temp.differences(store text, q text, path text) RETURNS TABLE(side text, value jsonb, count bigint) LANGUAGE sql AS $$
    WITH grouped AS MATERIALIZED (SELECT * FROM pg_temp.grouped(store, q, path)), listed AS MATERIALIZED (SELECT * FROM session_values(store, q, path, rows => NULL))
    (SELECT 'sql', * FROM (TABLE grouped EXCEPT ALL TABLE listed) AS _)
    UNION ALL
    (SELECT 'values', * FROM (TABLE listed EXCEPT ALL TABLE grouped) AS _)
$$;
SELECT session_update('facets', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object(
    'id', n, 'type', (ARRAY['click', 'view', 'buy', 'view'])[n % 4 + 1], 'pages', n % 17, 'tags', CASE WHEN n % 3 = 0 THEN '[]'::jsonb ELSE jsonb_build_array('t' || n % 5, 't' || n % 7, 't' || n % 5) END,
    'user', jsonb_build_object('name', 'u' || n % 211), 'items', jsonb_build_array(jsonb_build_object('price', n % 9 * 1.50), jsonb_build_object('price', (n + 1) % 9 * 1.5)),
    'mixed', CASE n % 6 WHEN 0 THEN '5' WHEN 1 THEN '5.0' WHEN 2 THEN '"5"' WHEN 3 THEN 'true' WHEN 4 THEN 'null' ELSE '"x"' END::jsonb,
    'ip', '10.0.' || n % 3 || '.' || n % 11, 'long', repeat('x', 300) || n % 3, 'at', to_char('2024-01-01'::timestamp + n * '7 hours'::interval, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'when', CASE WHEN n % 10 = 0 THEN n END)))))
FROM generate_series(1, 2000) AS n;
SELECT * FROM session_values('facets', '*:*', 'type');
SELECT * FROM session_values('facets', '*:*', 'mixed', sort => 'value asc');
SELECT * FROM session_values('facets', 'type:buy', 'pages', rows => 3, start => 1, sort => 'value desc');
SELECT * FROM session_values('facets', '*:*', 'user.name', prefix => 'u20', sort => 'count asc', rows => 3);
SELECT right(value#>>'{}', 3) AS value, count FROM session_values('facets', '*:*', 'long');
SELECT * FROM session_values('facets', '*:*', 'nowhere');
SELECT * FROM session_values('facets', 'type:nothing', 'type');
CREATE TEMP TABLE cases AS
SELECT q, path FROM unnest(ARRAY['*:*', 'type:buy', 'user.name:u7', 'pages:[3 TO 5]', '-type:view', 'id:77', 'long:x*', 'nothing:1']) AS q,
    unnest(ARRAY['type', 'pages', 'tags', 'user.name', 'items.price', 'mixed', 'ip', 'long', 'at', 'when', 'id', 'user', 'nowhere']) AS path;
SELECT q, path, found.* FROM cases, pg_temp.differences('facets', q, path) AS found;
-- Pending entries, keys of documents that are gone, rows that were replaced, and a transaction's own writes.
SELECT session_update('facets', '[{"delete": [4, 8, 12, 400]}]');
SELECT session_update('facets', '[{"upsert": [{"id": 77, "type": "new", "pages": 99, "long": "y"}, {"id": 5000, "tags": ["t1", "zz"], "user": {"name": "forgotten"}}]}]');
SELECT q, path, found.* FROM cases, pg_temp.differences('facets', q, path) AS found;
BEGIN;
SELECT session_update('facets', '[{"delete": [5000]}, {"upsert": [{"id": 5001, "type": "own", "tags": "own"}]}]');
SELECT count FROM session_values('facets', '*:*', 'tags', prefix => 'own');
SELECT * FROM session_values('facets', '*:*', 'user.name', prefix => 'forgotten');
SELECT q, path, found.* FROM cases, pg_temp.differences('facets', q, path) AS found;
ROLLBACK;
VACUUM sessions.facets;
SELECT q, path, found.* FROM cases, pg_temp.differences('facets', q, path) AS found;
-- A forgotten name does not show, before VACUUM either.
SELECT session_update('facets', '[{"delete": [5000]}]');
SELECT * FROM session_values('facets', '*:*', 'user.name', prefix => 'forgotten');
SELECT count(*) FROM session_values('facets', '*:*', 'user.name', rows => NULL);
-- Requests.
SELECT jsonb_pretty(session_facets('facets', 'pages:[0 TO 10]', '{
    "types": {"type": "terms", "field": "type", "limit": 2, "missing": true, "numBuckets": true, "allBuckets": true,
        "facet": {"total": "sum(pages)", "names": {"terms": {"field": "user.name", "limit": 1}}}},
    "cheap": {"query": {"q": "items.price:[* TO 3]", "facet": {"most": "max(pages)"}}},
    "pages": {"type": "range", "field": "pages", "start": 0, "end": 10, "gap": 4, "other": "all"},
    "months": {"type": "range", "field": "at", "start": "2024-01-01T00:00:00Z", "end": "2024-04-01T00:00:00Z", "gap": "+1MONTH"},
    "n": "unique(user.name)", "h": "hll(user.name)", "s": "sum(items.price)", "a": "avg(items.price)", "least": "min(type)", "none": "min(nowhere)",
    "v": "countvals(tags)", "m": "missing(when)", "p": "percentile(pages,50,95)", "sq": "sumsq(pages)", "vari": "variance(pages)", "dev": "stddev(pages)"}'));
SELECT session_facets('facets', 'nothing:1', '{"types": {"terms": "type"}, "n": "sum(pages)"}');
SELECT session_facets('facets', '*:*', '{}'), session_facets('facets', '*:*', 'null');
SELECT session_query('facets', 'id:(1 2)', rows => 1, fl => 'id', "json" => '{"facet": {"types": {"terms": "type"}}}');
SELECT session_query('facets', 'id:(1 2)', rows => 0, "json" => '{"facet": {"total": "sum(id)"}}');
-- Which way was taken.
SELECT q, explained->'way' AS way, explained->'paths' AS paths FROM unnest(ARRAY['*:*', 'type:view', 'id:77']) AS q,
    LATERAL (SELECT session_explain('facets', q, "json" => '{"facet": {"x": {"terms": "ip"}, "s": "sum(pages)"}}')->'facets') AS _(explained);
-- Sorted by a statistic; a bucket without documents; every bucket.
SELECT session_facets('facets', '*:*', '{"x": {"type": "terms", "field": "type", "sort": "s asc", "facet": {"s": "sum(pages)"}}}');
SELECT session_facets('facets', 'pages:3', '{"x": {"type": "terms", "field": "pages", "mincount": 0, "limit": 3, "sort": "index"}}');
SELECT jsonb_array_length(session_facets('facets', '*:*', '{"x": {"type": "terms", "field": "user.name", "limit": -1, "offset": 11}}')->'x'->'buckets');
-- The same answers through the planner: a role under a policy, and without the index.
CREATE TEMP TABLE answers AS SELECT session_facets('facets', q, '{"x": {"type": "terms", "field": "tags", "limit": -1, "mincount": 0, "missing": true, "allBuckets": true, "facet": {
    "s": "sum(items.price)", "p": "percentile(pages,10,90)", "u": "unique(ip)", "r": {"range": {"field": "at", "start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z", "gap": "+1MONTH"}},
    "q": {"query": {"q": "type:view", "facet": {"ip": {"terms": {"field": "ip", "sort": {"m": "desc"}, "facet": {"m": "avg(pages)"}}}}}}}}}') AS answer, q
FROM unnest(ARRAY['*:*', 'type:buy', 'user.name:u7', 'id:77']) AS q;
CREATE FUNCTION pg_temp.same() RETURNS TABLE(q text, same boolean) LANGUAGE sql AS $$
    SELECT q, answer = session_facets('facets', q, '{"x": {"type": "terms", "field": "tags", "limit": -1, "mincount": 0, "missing": true, "allBuckets": true, "facet": {
    "s": "sum(items.price)", "p": "percentile(pages,10,90)", "u": "unique(ip)", "r": {"range": {"field": "at", "start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z", "gap": "+1MONTH"}},
    "q": {"query": {"q": "type:view", "facet": {"ip": {"terms": {"field": "ip", "sort": {"m": "desc"}, "facet": {"m": "avg(pages)"}}}}}}}}}') FROM answers
$$;
SELECT * FROM pg_temp.same();
ALTER TABLE sessions.facets SET (autovacuum_enabled = off);
DROP INDEX sessions.facets_doc_idx;
SELECT * FROM pg_temp.same();
SELECT explained->'way' AS way, explained->'reason' AS reason, explained->'paths' AS paths
FROM (SELECT session_explain('facets', '*:*', "json" => '{"facet": {"x": {"terms": "ip"}}}')->'facets') AS _(explained);
SET work_mem = '64kB';
SELECT * FROM pg_temp.same();
SELECT q, path, found.* FROM cases, pg_temp.differences('facets', q, path) AS found;
SELECT * FROM session_values('facets', '*:*', 'user.name', sort => 'value desc', rows => 2);
RESET work_mem;
-- Shards.
SELECT session_add('facets_4', key => 'id', shards => 4);
INSERT INTO sessions.facets_4 SELECT * FROM sessions.facets;
SELECT q, path, found.* FROM cases, pg_temp.differences('facets_4', q, path) AS found;
SELECT q, answer = session_facets('facets_4', q, '{"x": {"type": "terms", "field": "tags", "limit": -1, "mincount": 0, "missing": true, "allBuckets": true, "facet": {
    "s": "sum(items.price)", "p": "percentile(pages,10,90)", "u": "unique(ip)", "r": {"range": {"field": "at", "start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z", "gap": "+1MONTH"}},
    "q": {"query": {"q": "type:view", "facet": {"ip": {"terms": {"field": "ip", "sort": {"m": "desc"}, "facet": {"m": "avg(pages)"}}}}}}}}}') AS same FROM answers;
-- A policy hides values as if they were not there.
CREATE ROLE facets_reader;
GRANT USAGE ON SCHEMA sessions, session_store TO facets_reader;
GRANT SELECT ON session_store.store, sessions.facets_4 TO facets_reader;
ALTER TABLE sessions.facets_4 ENABLE ROW LEVEL SECURITY;
CREATE POLICY buyers ON sessions.facets_4 USING (doc->>'type' = 'buy');
SET ROLE facets_reader;
SELECT * FROM session_values('facets_4', '*:*', 'type');
SELECT session_facets('facets_4', '*:*', '{"t": {"terms": {"field": "type", "mincount": 0}}, "u": "unique(type)"}');
RESET ROLE;
DROP OWNED BY facets_reader;
DROP ROLE facets_reader;
-- Two paths with one hash: their keys lie among each other, so the documents tell them apart.
SELECT session_add('facets_hash', key => 'id');
SELECT session_update('facets_hash', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, CASE n % 3 WHEN 0 THEN 'p2401' ELSE 'p50405' END, n % 4)))))
FROM generate_series(1, 60) AS n;
SELECT path, found.* FROM unnest(ARRAY['p2401', 'p50405']) AS path, session_values('facets_hash', '*:*', path) AS found;
SELECT session_facets('facets_hash', '*:*', '{"m": "missing(p2401)", "n": "sum(p50405)", "u": "unique(p2401)"}');
-- Errors name the place.
\set VERBOSITY default
SELECT session_facets('facets', '*:*', '{"byType": {"type": "terms", "field": "type", "limit": "many"}}');
\echo :LAST_ERROR_SQLSTATE
SELECT session_facets('facets', '*:*', '{"byType": {"type": "terms", "field": "type", "domain": {}}}');
\echo :LAST_ERROR_SQLSTATE
SELECT session_facets('facets', '*:*', '{"x": {"type": "range", "field": "pages", "start": 0, "end": 10, "gap": 0}}');
SELECT session_facets('facets', '*:*', '{"x": {"type": "range", "field": "pages", "start": 0, "end": 1e9, "gap": 1}}');
\echo :LAST_ERROR_SQLSTATE
SELECT session_facets('facets', '*:*', '{"x": {"query": {"q": "a:["}}}');
SELECT session_facets('facets', '*:*', '{"first": {"type": "query", "q": "type:click"}, "second": {"type": "query", "query": "_val_:a"}}');
SELECT session_facets('facets', '*:*', '{"x": {"query": "a:]"}}');
SELECT session_facets('facets', '*:*', '[1]');
SELECT session_facets('facets', '*:*', NULL);
SELECT session_query('facets', '*:*', "json" => '{"query": "*:*"}');
SELECT session_values('facets', '*:*', 'type', sort => 'score');
SELECT session_values('facets', '*:*', 'type', rows => -1);
SELECT session_values('nowhere', '*:*', 'type');
SELECT session_facets('facets', '*:*', ('{"x": ' || repeat('{"query": {"facet": {"x": ', 40) || 'null' || repeat('}}}', 40) || '}')::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT session_drop(name) FROM session_list() WHERE name ~ '^facets';
