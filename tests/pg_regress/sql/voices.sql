-- The same questions asked several ways: the matcher by sequential scan, PostgreSQL's own JSON path engine, the index by bitmap scan and
-- by the scan of our own, with and without entries pending, and the store. Documents and queries are put together from pieces by hashes of their numbers, so that
-- every run asks the same.
CREATE FUNCTION pg_temp.pick(salt text, i int, list text[]) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT list[1 + (('x' || left(md5(salt || i), 8))::bit(32)::bigint % cardinality(list))::int]
$$;
CREATE FUNCTION pg_temp.value(salt text, i int) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT pg_temp.pick(salt, i, ARRAY[
        '1', '2.0', '2', '10', '-3', '0.1', '9007199254740993', '1e30', '"1"', '"2"', '"10"', '"-3"', '"x"', '"xy"', '"x y"', '"X"',
        '""', '"*"', '"a\"b"', '"c\\d"', '"naïve 💡"', '"xay"', '"x\ny"', 'true', 'false', '"true"', 'null', '{}', '[]',
        '[1, "x"]', '[2, 10]', '["x", "xy", null]', '[true, 1]', '{"b": 1}', '{"b": "x", "c": {"b": 2}}', '[{"b": 1}, {"b": "xy"}]',
        '[{"b": 10, "c": true}, {"c": [1, {"b": "x"}]}]', '[[1], [{"b": 2}]]',
        -- Around 2^53, and around the length where a string is cut in the index
        '9007199254740992', '9007199254740994', '0.1000000000000000055', '1e-30', '-1e30',
        '"' || repeat('x', 254) || 'y"', '"' || repeat('x', 255) || '"', '"' || repeat('x', 256) || '"', '"' || repeat('x', 256) || 'y"',
        '"' || repeat('x', 300) || 'z"', '"' || repeat('é', 128) || 'x"', '1' || repeat('0', 200) || '1', '-1' || repeat('2', 900),
        '"2024-03-31T12:00:00Z"', '"2024-03-31T12:00:00.5Z"', '1711886400000', '"2024-03-31T12:00:00x"'])
$$;
CREATE TABLE voice_docs AS
SELECT i, jsonb_build_object('id', i)
    || CASE WHEN i % 5 > 0 THEN jsonb_build_object('a', pg_temp.value('a', i)::jsonb) ELSE '{}' END
    || CASE WHEN i % 3 > 0 THEN jsonb_build_object('b', pg_temp.value('b', i)::jsonb) ELSE '{}' END
    || CASE WHEN i % 4 > 0 THEN jsonb_build_object('c', jsonb_build_object('b', pg_temp.value('c', i)::jsonb)) ELSE '{}' END
    || CASE WHEN i % 50 = 0 THEN jsonb_build_object('c.b', pg_temp.value('d', i)::jsonb) ELSE '{}' END AS doc
FROM generate_series(1, 600) AS i;
CREATE FUNCTION pg_temp.leaf(salt text, i int) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT pg_temp.pick(salt || 'path', i, ARRAY['a:', 'b:', 'c:', 'a.b:', 'c.b:', 'a.c.b:', 'c.b.b:', 'z:', ''])
        || pg_temp.pick(salt || 'form', i, ARRAY[
            '1', '2', '2.00', '10', '"-3"', '9007199254740993', '9007199254740992', '1e30', 'x', 'xy', '"x y"', '""', '"*"', '"a\"b"',
            '"c\\d"', '"naïve 💡"', 'true', 'false', '*', 'x*', 'x?y', '*y', '?', '"x"', '[* TO *]', '[1 TO 5]', '{1 TO 10}', '[2 TO *]', '[* TO 2}',
            '[x TO xz]', '{x TO *]', '[* TO X]', '[false TO true}', '["-5" TO 0]', '[1 TO x]', '/x.*/', '/[^x]+/', '/(x|xy)/', '/x{1}y?/',
            '/"a"@/', 'xy~0', 'xy~1', 'xy~', repeat('x', 255), repeat('x', 256), repeat('x', 257), repeat('x', 255) || '*', repeat('x', 257) || '*',
            '{' || repeat('x', 256) || ' TO *]', '[' || repeat('x', 255) || ' TO ' || repeat('x', 256) || 'z]', '*z', '/x+[yz]/', repeat('é', 128) || '?',
            '[9007199254740992 TO 9007199254740993}', '[* TO -1e29]', '1' || repeat('0', 200) || '1', '[1e200 TO *]', '"2024-03-31T12:00:00Z"',
            '[2024-03-31T12:00:00Z TO 2024-03-31T12:00:01Z]', '{2024-03-31T12:00:00.25Z TO *]', '(1 x)', '(+[1 TO 5] -2)', '(x OR true)'])
$$;
CREATE TABLE voice_queries AS
SELECT i, CASE i % 8
        WHEN 0 THEN '-' || one
        WHEN 1 THEN one || ' AND ' || two
        WHEN 2 THEN one || ' OR ' || two
        WHEN 3 THEN one || ' -' || two
        WHEN 4 THEN '+' || one || ' +(' || two || ' ' || three || ')'
        WHEN 5 THEN '-' || one || ' -' || two
        WHEN 6 THEN one || ' AND NOT (' || two || ' AND ' || three || ')'
        ELSE one END AS q
FROM generate_series(1, 1500) AS i, pg_temp.leaf('one', i) AS one, pg_temp.leaf('two', i) AS two, pg_temp.leaf('three', i) AS three;


-- What JSON path sees as the query language does: no dot in a key, no array directly in an array.
CREATE FUNCTION pg_temp.is_regular(doc jsonb) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$ SELECT doc::text !~ '"[^"]*[.][^"]*": |\[\[|, \[' $$;
ALTER TABLE voice_docs ADD COLUMN is_regular boolean;
UPDATE voice_docs SET is_regular = pg_temp.is_regular(doc);
SELECT is_regular, count(*) > 10 AS some FROM voice_docs GROUP BY 1 ORDER BY 1;
CREATE FUNCTION pg_temp.path(q text) RETURNS jsonpath LANGUAGE plpgsql AS $$
BEGIN
    RETURN session_jsonpath(q);
EXCEPTION WHEN feature_not_supported THEN
    RETURN NULL;
END $$;
SET client_min_messages = warning;
CREATE TABLE voice_paths AS SELECT i, q, q::lucene_query AS query, pg_temp.path(q) AS path FROM voice_queries;
SELECT count(*) FILTER (WHERE path IS NULL) > 20 AS inexpressible, count(path) > 1000 AS expressible FROM voice_paths;

-- 1 and 2: the matcher and JSON path. Nothing to show is agreement; and the questions are not all answered by nothing or everything.
CREATE TABLE voice_answers AS
SELECT p.i, p.q, d.i AS doc, d.found,
    -- An answer that is not known would be a wrong one.
    CASE WHEN p.path IS NOT NULL AND d.is_regular THEN coalesce((d.doc @? p.path)::text, 'unknown') END AS by_path
FROM voice_paths AS p
CROSS JOIN LATERAL (SELECT i, doc, doc @@@ p.query AS found, is_regular FROM voice_docs OFFSET 0) AS d;
CREATE INDEX ON voice_answers (i);
SELECT q, doc, found, by_path FROM voice_answers WHERE found::text <> by_path ORDER BY i, doc LIMIT 10;
SELECT count(*) > 400 AS telling FROM (SELECT FROM voice_answers GROUP BY i HAVING count(*) FILTER (WHERE found) BETWEEN 10 AND 590) AS _;
CREATE TABLE voice_found AS SELECT i, q, coalesce(array_agg(doc ORDER BY doc) FILTER (WHERE found), '{}') AS docs FROM voice_answers GROUP BY i, q;

-- 3: any table with the index. The plan is looked at, too: a test that silently scanned would prove nothing.
CREATE FUNCTION pg_temp.by_index(q text) RETURNS int[] LANGUAGE plpgsql SET enable_seqscan = off SET session_store.enable_scan = off AS $$
DECLARE
    plan json;
    docs int[];
BEGIN
    EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM voice_docs WHERE doc @@@ %L', q) INTO plan;
    IF plan->0->'Plan'->>'Node Type' <> 'Bitmap Heap Scan' OR plan->0->'Plan'->'Plans'->0->>'Index Name' <> 'voice_docs_doc' THEN
        RAISE 'no index scan: %', plan;
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(i ORDER BY i), ''{}'') FROM voice_docs WHERE doc @@@ %L', q) INTO docs;
    RETURN docs;
END $$;
-- Once for the rows and once for their number, which need not be read
CREATE FUNCTION pg_temp.by_scan(q text) RETURNS int[] LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    plan json;
    docs int[];
    n bigint;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM voice_docs WHERE doc @@@ %L', q) INTO plan;
    IF plan->0->'Plan'->>'Custom Plan Provider' <> 'LuceneScan' OR plan->0->'Plan'->>'Index Name' <> 'voice_docs_doc' THEN
        RAISE 'no scan: %', plan;
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(i ORDER BY i), ''{}'') FROM voice_docs WHERE doc @@@ %L', q) INTO docs;
    EXECUTE format('SELECT count(*) FROM voice_docs WHERE doc @@@ %L', q) INTO n;
    RETURN CASE WHEN n = cardinality(docs) THEN docs END;
END $$;
-- All entries in the tree
CREATE INDEX voice_docs_doc ON voice_docs USING gin (doc jsonb_lucene_ops) WITH (fastupdate = off);
SELECT i, q FROM voice_found WHERE docs <> pg_temp.by_index(q) OR docs IS DISTINCT FROM pg_temp.by_scan(q) ORDER BY i LIMIT 10;
-- Most of them pending
DROP INDEX voice_docs_doc;
CREATE TABLE voice_copy AS SELECT * FROM voice_docs;
DELETE FROM voice_docs WHERE i > 100;
VACUUM voice_docs;
CREATE INDEX voice_docs_doc ON voice_docs USING gin (doc jsonb_lucene_ops);
INSERT INTO voice_docs SELECT * FROM voice_copy WHERE i > 100;
-- Some are in the pending list. Where pageinspect is not at hand, nobody looks.
SELECT 't' AS pending, count(*) > 0 AS pageinspect FROM pg_available_extensions WHERE name = 'pageinspect' \gset
\if :pageinspect
CREATE EXTENSION pageinspect;
SELECT n_pending_tuples > 400 AS pending FROM gin_metapage_info(get_raw_page('voice_docs_doc', 0)) \gset
DROP EXTENSION pageinspect;
\endif
\echo :pending
SELECT i, q FROM voice_found WHERE docs <> pg_temp.by_index(q) OR docs IS DISTINCT FROM pg_temp.by_scan(q) ORDER BY i LIMIT 10;
-- With too little memory for exact bitmaps
SET work_mem = '64kB';
SELECT i, q FROM voice_found WHERE i <= 200 AND docs <> pg_temp.by_index(q) ORDER BY i LIMIT 10;
RESET work_mem;

-- 4: the store, plain and sharded
SELECT session_add('voice', 'id'), session_add('voice_shards', 'id', shards => 3);
SELECT session_update(store, jsonb_build_array(jsonb_build_object('upsert', (SELECT jsonb_agg(doc) FROM voice_docs))))
FROM (VALUES ('voice'), ('voice_shards')) AS _(store);
SELECT i, q FROM voice_found WHERE cardinality(docs) <> session_count('voice', q) ORDER BY i LIMIT 10;
SELECT i, q FROM voice_found WHERE cardinality(docs) <> session_count('voice_shards', q) ORDER BY i LIMIT 10;
VACUUM sessions.voice, sessions.voice_shards;
SELECT i, q FROM voice_found WHERE cardinality(docs) <> session_count('voice', q) ORDER BY i LIMIT 10;
SELECT i, q FROM voice_found WHERE cardinality(docs) <> session_count('voice_shards', q) ORDER BY i LIMIT 10;

-- The documents are the same ones, not only as many.
SELECT i, q FROM voice_found
WHERE i <= 500 AND docs IS DISTINCT FROM (SELECT coalesce(array_agg((s->'id')::int ORDER BY (s->'id')::int), '{}') FROM session_stream('voice', q) AS s)
ORDER BY i LIMIT 10;

-- The canonical form means the same.
SELECT q, q::lucene_query FROM voice_found WHERE cardinality(docs) <> session_count('voice', q::lucene_query::text) ORDER BY i LIMIT 10;
SELECT session_drop('voice'), session_drop('voice_shards');
DROP TABLE voice_docs, voice_copy, voice_queries, voice_paths, voice_answers, voice_found;
