-- path:{…}: one and the same object meets all clauses.
CREATE TABLE carts (doc jsonb);
INSERT INTO carts VALUES
    ('{"id": 1, "items": [{"sku": "gift", "quantity": 3}, {"sku": "book", "quantity": 1}]}'),
    ('{"id": 2, "items": [{"sku": "gift", "quantity": 1}, {"sku": "book", "quantity": 3}]}'),
    ('{"id": 3, "items": {"sku": "gift", "quantity": 2, "parts": [{"name": "box", "n": 1}, {"name": "lid", "n": 2}]}}'),
    ('{"id": 4, "items": [[{"sku": "gift"}, [{"quantity": 5}]], [[{"sku": "gift", "quantity": 7}]]]}'),
    ('{"id": 5, "items": ["gift", 2, null, {}, []]}'),
    ('{"id": 6, "items.list": [{"sku.code": "gift", "quantity": 2}], "a": {"items": [{"sku": "gift", "quantity": 2}]}}'),
    ('{"id": 7}');
CREATE FUNCTION pg_temp.ids(q text) RETURNS int[] LANGUAGE sql AS $$ SELECT array_agg((doc->>'id')::int ORDER BY doc->'id') FROM carts WHERE doc @@@ q::lucene_query $$;
SELECT q, q::lucene_query AS canonical, pg_temp.ids(q) FROM unnest(ARRAY['items.sku:gift AND items.quantity:[2 TO *]', 'items:{sku:gift AND quantity:[2 TO *]}', 'items:{ +sku:gift +quantity:{1 TO 3} }',
    'items:{sku:gift -quantity:[2 TO *]}', '-items:{sku:gift AND quantity:[2 TO *]}', 'items:{-sku:gift}', 'items:{*:*}', 'items:{gift}', 'items:{"5"}', 'items:{NOT gift}', 'items:{sku:(gift OR book) AND quantity:1}',
    'items:{parts:{name:lid AND n:2}}', 'items:{sku:gift AND parts:{name:box AND n:2}}', 'items.parts:{name:box AND n:1}', 'items:{parts:{name:box} AND parts:{n:2}}', 'items.list:{sku.code:gift AND quantity:2}', 'a.items:{sku:g* AND quantity:2}',
    'a:{items:{sku:/g.ft/ AND quantity:2}}', 'items:{sku:gfit~ AND quantity:3}^2', 'items:({sku:gift AND quantity:7} OR {sku:book AND quantity:1})', 'filter(items:{sku:gift AND quantity:1})', 'items:{quantity:{1 TO 3}}',
    'items:{sku:book AND quantity:3} -id:[1 TO 1]', 'items:{quantity:[2 TO *] OR parts:{n:2}}']) WITH ORDINALITY AS _(q, at) ORDER BY at;

-- Braces that Solr reads as a range are one.
SELECT q::lucene_query FROM unnest(ARRAY['items:{a TO b}', 'items:{a TO *]', 'items:{* TO b}', 'items:{  a   TO  b }', 'items:{sku:a TO b}', 'items:{sku:"a TO b"}', 'items:{ sku:"a TO b" AND n:1}']) AS q;
\set VERBOSITY default
SELECT 'items:{}'::lucene_query;
SELECT 'items:{sku:gift'::lucene_query;
SELECT '{sku:gift}'::lucene_query;
SELECT 'items:{ {!term f=sku}gift }'::lucene_query;
SELECT '{!parent which=a:b}items.sku:gift'::lucene_query;
SELECT '{!child of=a:b}id:1'::lucene_query;
\set VERBOSITY terse
SELECT (repeat('a:{', 300) || 'b' || repeat('}', 300))::lucene_query;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- What it is understood as
SELECT session_add('carts', 'id'), session_update('carts', jsonb_build_array(jsonb_build_object('upsert', (SELECT jsonb_agg(doc) FROM carts))));
SELECT jsonb_pretty(session_explain('carts', 'items:{sku:gift AND quantity:[2 TO *] -parts:*} -items:{at:2026-11-22}') - '{milliseconds,read}'::text[]);
SELECT session_jsonpath('items:{sku:gift AND -quantity:[2 TO *] AND parts:{-n:1}} AND -a.items:{gift}');
SELECT session_jsonpath('items:{sku:gift~1}');
SELECT session_count('carts', 'items:{sku:>5}'), session_count('carts', 'items:{(-sku:gift)}');
SELECT session_drop('carts');
DROP TABLE carts;

-- The same by every way, over generated documents: the matcher by sequential scan, PostgreSQL's JSON path, the index by GIN's own scan and ours, pending and not, and the store.
CREATE FUNCTION pg_temp.pick(salt text, i int, list text[]) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT list[1 + (('x' || left(md5(salt || i), 8))::bit(32)::bigint % cardinality(list))::int]
$$;
CREATE FUNCTION pg_temp.object(salt text, i int, depth int) RETURNS jsonb IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
    made jsonb := '{}';
BEGIN
    FOR k IN 1..3 LOOP
        made := made || coalesce(jsonb_build_object(pg_temp.pick(salt || 'key' || k, i, ARRAY['a', 'b', 'c']), pg_temp.pick(salt || k, i, ARRAY['1', '2', '3', '"x"', '"y"', '"xy"', 'true', '[1, "x"]', '[2, 3]', '"2024-03-31T12:00:00Z"', '{}', 'null'])::jsonb), '{}');
    END LOOP;
    IF depth > 0 THEN
        made := made || jsonb_build_object('o', (SELECT coalesce(jsonb_agg(pg_temp.object(salt || 'o' || k, i, depth - 1)), '[]') FROM generate_series(1, pg_temp.pick(salt || 'n', i, ARRAY['0', '1', '2', '3'])::int) AS k));
        IF pg_temp.pick(salt || 'one', i, ARRAY['y', 'n', 'n', 'n']) = 'y' THEN
            made := made || jsonb_build_object('o', pg_temp.object(salt || 'only', i, depth - 1));
        END IF;
        IF pg_temp.pick(salt || 'mix', i, ARRAY['y', 'n', 'n', 'n', 'n']) = 'y' THEN
            made := made || jsonb_build_object('o', jsonb_build_array('x', 1, null, '{}'::jsonb, pg_temp.object(salt || 'mixed', i, depth - 1)));
        END IF;
    END IF;
    RETURN made;
END $$;
CREATE TABLE object_docs AS SELECT i, jsonb_build_object('id', i) || pg_temp.object('doc', i, 2) AS doc FROM generate_series(1, 500) AS i;
CREATE FUNCTION pg_temp.clause(salt text, i int, depth int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
    kind text := pg_temp.pick(salt || 'kind', i, ARRAY['leaf', 'leaf', 'leaf', 'object', 'object', 'and', 'or', 'not', 'but']);
    one text;
    two text;
BEGIN
    IF depth = 0 OR kind = 'leaf' THEN
        RETURN pg_temp.pick(salt || 'path', i, ARRAY['a:', 'b:', 'c:', 'o.a:', 'o.b:', 'o.o.a:', 'o:', ''])
            || pg_temp.pick(salt || 'form', i, ARRAY['1', '2', '3', 'x', 'xy', 'x*', '*y', 'true', '*', '[2 TO *]', '{1 TO 3}', '[x TO xz]', '/x.*/', '(1 x)', '(+1 +x)']);
    END IF;
    one := pg_temp.clause(salt || '1', i, depth - 1);
    two := pg_temp.clause(salt || '2', i, depth - 1);
    RETURN CASE kind
        WHEN 'object' THEN pg_temp.pick(salt || 'at', i, ARRAY['o', 'o', 'o.o', 'a']) || ':{' || one || pg_temp.pick(salt || 'with', i, ARRAY[' AND ', ' AND ', ' -', ' OR ']) || two || '}'
        WHEN 'and' THEN '(' || one || ' AND ' || two || ')'
        WHEN 'or' THEN '(' || one || ' OR ' || two || ')'
        WHEN 'not' THEN '(*:* -' || one || ')'
        ELSE '(' || one || ' -' || two || ')' END;
END $$;
CREATE TABLE object_queries AS SELECT i, CASE i % 3 WHEN 0 THEN 'o:{' || one || ' AND ' || two || '}' WHEN 1 THEN '-o:{' || one || ' AND ' || two || '}' ELSE one || ' AND ' || two END AS q
FROM generate_series(1, 400) AS i, pg_temp.clause('one', i, 3) AS one, pg_temp.clause('two', i, 2) AS two;
SET client_min_messages = warning;
CREATE TABLE object_answers AS SELECT q.i, q, d.i AS doc, doc @@@ query AS found, (doc @? path)::text AS by_path
FROM (SELECT i, q, q::lucene_query AS query, session_jsonpath(q) AS path FROM object_queries OFFSET 0) AS q, object_docs AS d;
SELECT q, doc, found, by_path FROM object_answers WHERE found::text IS DISTINCT FROM by_path ORDER BY i, doc LIMIT 10;
SELECT count(*) > 150 AS telling FROM (SELECT FROM object_answers GROUP BY i HAVING count(*) FILTER (WHERE found) BETWEEN 5 AND 495) AS _;
CREATE TABLE object_found AS SELECT i, q, coalesce(array_agg(doc ORDER BY doc) FILTER (WHERE found), '{}') AS docs FROM object_answers GROUP BY i, q;
CREATE FUNCTION pg_temp.found(q text) RETURNS int[] LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    plan json;
    docs int[];
    n bigint;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM object_docs WHERE doc @@@ %L', q) INTO plan;
    IF plan->0->'Plan'->>'Node Type' NOT IN ('Bitmap Heap Scan', 'Custom Scan') THEN
        RAISE 'no index: %', plan;
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(i ORDER BY i), ''{}'') FROM object_docs WHERE doc @@@ %L', q) INTO docs;
    EXECUTE format('SELECT count(*) FROM object_docs WHERE doc @@@ %L', q) INTO n;
    RETURN CASE WHEN n = cardinality(docs) THEN docs ELSE '{-1}' END;
END $$;
CREATE FUNCTION pg_temp.differ() RETURNS SETOF text LANGUAGE sql AS $$ SELECT q FROM object_found WHERE docs <> pg_temp.found(q) ORDER BY i LIMIT 5 $$;
CREATE INDEX object_docs_doc ON object_docs USING gin (doc jsonb_lucene_ops) WITH (fastupdate = off);
SELECT * FROM pg_temp.differ();
SET session_store.enable_scan = off;
SELECT * FROM pg_temp.differ();
RESET session_store.enable_scan;
CREATE TABLE object_copy AS SELECT * FROM object_docs;
DROP INDEX object_docs_doc;
DELETE FROM object_docs WHERE i > 50;
VACUUM object_docs;
CREATE INDEX object_docs_doc ON object_docs USING gin (doc jsonb_lucene_ops);
INSERT INTO object_docs SELECT * FROM object_copy WHERE i > 50;
SELECT * FROM pg_temp.differ();
SET session_store.enable_scan = off;
SELECT * FROM pg_temp.differ();
RESET session_store.enable_scan;
SELECT session_add('objects', 'id'), session_update('objects', jsonb_build_array(jsonb_build_object('upsert', (SELECT jsonb_agg(doc) FROM object_docs))));
VACUUM sessions.objects;
SELECT q FROM object_found WHERE session_count('objects', q) <> cardinality(docs) ORDER BY i LIMIT 5;
SELECT q FROM object_found WHERE session_count('objects', q::lucene_query::text) <> cardinality(docs) ORDER BY i LIMIT 5;
-- The JSON path with an index of PostgreSQL's own
CREATE INDEX object_docs_path ON object_docs USING gin (doc jsonb_path_ops);
CREATE FUNCTION pg_temp.by_path(q text) RETURNS int[] LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    docs int[];
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(i ORDER BY i), ''{}'') FROM object_docs WHERE doc @? %L', session_jsonpath(q)) INTO docs;
    RETURN docs;
END $$;
SELECT q FROM object_found WHERE docs <> pg_temp.by_path(q) ORDER BY i LIMIT 5;
RESET client_min_messages;
SELECT session_drop('objects');
DROP TABLE object_docs, object_copy, object_queries, object_answers, object_found;
