-- The same questions asked three ways: the matcher, PostgreSQL's own JSON path engine, and the store with its indexes. Documents and
-- queries are put together from pieces by hashes of their numbers, so that every run asks the same.
CREATE FUNCTION pg_temp.pick(salt text, i int, list text[]) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT list[1 + (('x' || left(md5(salt || i), 8))::bit(32)::bigint % cardinality(list))::int]
$$;
CREATE FUNCTION pg_temp.value(salt text, i int) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT pg_temp.pick(salt, i, ARRAY[
        '1', '2.0', '2', '10', '-3', '0.1', '9007199254740993', '1e30', '"1"', '"2"', '"10"', '"-3"', '"x"', '"xy"', '"x y"', '"X"',
        '""', '"*"', '"a\"b"', '"c\\d"', '"naïve 💡"', '"xay"', '"x\ny"', 'true', 'false', '"true"', 'null', '{}', '[]',
        '[1, "x"]', '[2, 10]', '["x", "xy", null]', '[true, 1]', '{"b": 1}', '{"b": "x", "c": {"b": 2}}', '[{"b": 1}, {"b": "xy"}]',
        '[{"b": 10, "c": true}, {"c": [1, {"b": "x"}]}]', '[[1], [{"b": 2}]]'])
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
            '/"a"@/', 'xy~0', 'xy~1', '(1 x)', '(+[1 TO 5] -2)', '(x OR true)'])
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

-- Some of the documents are irregular, some of the queries no JSON path can say.
SELECT session_store.shape(doc), count(*) > 10 AS some FROM voice_docs GROUP BY 1 ORDER BY 1;
CREATE FUNCTION pg_temp.path(q text) RETURNS jsonpath LANGUAGE plpgsql AS $$
BEGIN
    RETURN session_jsonpath(q);
EXCEPTION WHEN feature_not_supported THEN
    RETURN NULL;
END $$;
SET client_min_messages = warning;
CREATE TABLE voice_paths AS SELECT i, q, pg_temp.path(q) AS path FROM voice_queries;
SELECT count(*) FILTER (WHERE path IS NULL) > 20 AS unsayable, count(path) > 1000 AS sayable FROM voice_paths;

-- 1 and 2: the matcher and JSON path. Nothing to show is agreement; and the questions are not all answered by nothing or everything.
CREATE TABLE voice_answers AS
SELECT p.i, p.q, d.i AS doc, session_store.matches(d.doc, p.q, now()) AS found,
    -- An answer that is not known would be a wrong one.
    CASE WHEN p.path IS NOT NULL AND session_store.shape(d.doc) = 'regular' THEN coalesce((d.doc @? p.path)::text, 'unknown') END AS by_path
FROM voice_paths AS p CROSS JOIN voice_docs AS d;
CREATE INDEX ON voice_answers (i);
SELECT q, doc, found, by_path FROM voice_answers WHERE found::text <> by_path ORDER BY i, doc LIMIT 10;
SELECT count(*) > 400 AS telling FROM (SELECT FROM voice_answers GROUP BY i HAVING count(*) FILTER (WHERE found) BETWEEN 10 AND 590) AS _;

-- Any table with PostgreSQL's own index
CREATE INDEX voice_docs_doc ON voice_docs USING gin (doc jsonb_path_ops);
SET enable_seqscan = off;
SELECT q, regular.count, indexed.count
FROM voice_paths AS p,
    LATERAL (SELECT count(*) FROM voice_answers AS a WHERE a.i = p.i AND by_path = 'true') AS regular,
    LATERAL (SELECT count(*) FROM voice_docs WHERE doc @? path AND session_store.shape(doc) = 'regular') AS indexed
WHERE path IS NOT NULL AND p.i <= 500 AND regular.count <> indexed.count ORDER BY p.i LIMIT 10;
RESET enable_seqscan;

-- 3: the store, plain and sharded, with its indexes and without
SELECT session_add('voice', 'id'), session_add('voice_shards', 'id', shards => 3);
SELECT session_update(store, jsonb_build_array(jsonb_build_object('upsert', (SELECT jsonb_agg(doc) FROM voice_docs))))
FROM (VALUES ('voice'), ('voice_shards')) AS _(store);
CREATE TABLE voice_counts AS SELECT i, q, count(*) FILTER (WHERE found) AS expected FROM voice_answers GROUP BY i, q;
SELECT i, q, expected, session_count('voice', q) FROM voice_counts WHERE expected <> session_count('voice', q) LIMIT 10;
SELECT i, q, expected, session_count('voice_shards', q) FROM voice_counts WHERE expected <> session_count('voice_shards', q) LIMIT 10;
SET enable_seqscan = off;
SELECT i, q, expected, session_count('voice', q) FROM voice_counts WHERE expected <> session_count('voice', q) LIMIT 10;
RESET enable_seqscan;
SET enable_bitmapscan = off;
SET enable_indexscan = off;
SELECT i, q, expected, session_count('voice', q) FROM voice_counts WHERE expected <> session_count('voice', q) LIMIT 10;
RESET enable_bitmapscan;
RESET enable_indexscan;

-- The documents are the same ones, not only as many.
SELECT p.q FROM voice_counts AS p
WHERE p.i <= 300 AND (SELECT array_agg(doc ORDER BY doc) FILTER (WHERE found) FROM voice_answers AS a WHERE a.i = p.i)
    IS DISTINCT FROM (SELECT array_agg((s->'id')::int ORDER BY (s->'id')::int) FROM session_stream('voice', p.q) AS s)
LIMIT 10;

-- The canonical form means the same.
SELECT q, session_explain('voice', q)->>'query' AS canonical FROM voice_counts
WHERE expected <> session_count('voice', session_explain('voice', q)->>'query') ORDER BY i LIMIT 10;
SELECT session_drop('voice'), session_drop('voice_shards');
DROP TABLE voice_docs, voice_queries, voice_paths, voice_answers, voice_counts;
