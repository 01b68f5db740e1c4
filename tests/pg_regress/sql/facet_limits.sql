-- What a facet request may ask for at most, and what Solr reads in another way.
SELECT session_add('facet_limits', key => 'id');
INSERT INTO sessions.facet_limits SELECT n, jsonb_build_object('id', n, 'k', n % 20, 'name', 'n' || n % 1500, 'n', n % 7) FROM generate_series(1, 3000) AS n;
-- Each of these facets has as many intervals as one may have.
SELECT session_facets('facet_limits', '*:*', jsonb_object_agg('r' || i, '{"type": "range", "field": "k", "start": 0, "end": 60000, "gap": 1}'::jsonb)) FROM generate_series(1, 2) AS i;
\echo :LAST_ERROR_SQLSTATE
-- Facets in facets multiply: refused before the first bucket is made.
SELECT session_facets('facet_limits', '*:*', '{"t": {"type": "terms", "field": "k", "limit": -1, "facet": {"r": {"type": "range", "field": "k", "start": 0, "end": 99999, "gap": 1}}}}');
\echo :LAST_ERROR_SQLSTATE
SELECT session_facets('facet_limits', 'k:[0 TO 9]', '{"t": {"type": "terms", "field": "name", "limit": -1, "facet": {"r": {"type": "range", "field": "k", "start": 0, "end": 9999, "gap": 1, "facet": {"k": "sum(n)"}}}}}');
\echo :LAST_ERROR_SQLSTATE
-- Not where most buckets are left out.
SELECT jsonb_array_length(session_facets('facet_limits', 'k:[0 TO 9]', '{"t": {"type": "terms", "field": "k", "limit": -1, "facet": {"r": {"type": "range", "field": "n", "start": 0, "end": 9999, "gap": 1, "mincount": 1}}}}')->'t'->'buckets');
-- Sorted by a statistic, and statistics of all buckets: the values are read in as many batches as work_mem asks for.
CREATE FUNCTION pg_temp.sorted(q text) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(session_facets('facet_limits', q, format('{"t": {"type": "terms", "field": "name", "limit": 40, "offset": 3, "mincount": %s, "numBuckets": true, "allBuckets": true, "sort": "s %s",
        "facet": {"s": "sum(n)", "u": "unique(k)"}}}', mincount, direction)::jsonb)::text, ' ' ORDER BY mincount, direction))
    FROM unnest(ARRAY[0, 1, 2]) AS mincount, unnest(ARRAY['asc', 'desc']) AS direction
$$;
CREATE TEMP TABLE sorted AS SELECT q, pg_temp.sorted(q) AS answers FROM unnest(ARRAY['*:*', 'k:3', 'id:7']) AS q;
SET work_mem = '64kB';
SELECT q, answers = pg_temp.sorted(q) AS same FROM sorted;
RESET work_mem;
-- Two names of one option: Solr ignores the second.
\set VERBOSITY terse
SELECT session_facets('facet_limits', '*:*', '{"t": {"type": "terms", "field": "k", "f": "n"}}');
SELECT session_facets('facet_limits', '*:*', '{"q": {"type": "query", "q": "k:1", "query": ["k:2"]}}');
-- Constants and parameters, which Solr would add up for each document; paths like these are written in quotes.
SELECT session_facets('facet_limits', '*:*', '{"s": "sum(1)"}');
SELECT session_facets('facet_limits', '*:*', '{"s": "unique($path)"}');
SELECT session_facets('facet_limits', '*:*', '{"s": "min(true)"}');
SELECT session_facets('facet_limits', '*:*', '{"s": "max({!func}k)"}');
SELECT session_facets('facet_limits', '*:*', '{"s": "sum(\"1\")", "m": "missing(''true'')"}');
SELECT session_drop('facet_limits');
