-- lucene_query as a type: equality, order and hash by the canonical form; casts; text where a query is wanted.
CREATE TABLE asked (id int, q lucene_query);
INSERT INTO asked VALUES (1, 'a AND b'), (2, ' a && b '), (3, '+a +b'), (4, 'a b'), (5, 'z:1'), (6, 'B:1'), (7, 'é:1'), (8, NULL), (9, 'a:[1 TO 5]');
SELECT DISTINCT q FROM asked ORDER BY q;
SELECT q, array_agg(id ORDER BY id) FROM asked GROUP BY q ORDER BY q DESC;
SELECT count(DISTINCT q) FROM asked;
SELECT q FROM asked EXCEPT SELECT 'a:1' INTERSECT SELECT q FROM asked ORDER BY q LIMIT 3;
SELECT id FROM asked WHERE q = 'a AND b' ORDER BY id;
SELECT id FROM asked WHERE q <> 'a AND b' ORDER BY id;
SELECT id FROM asked WHERE q IN ('a && b', 'z : 1') ORDER BY id;
SELECT id FROM asked WHERE q > 'a:1' AND q <= 'z:1' ORDER BY q, id;
SELECT id FROM asked WHERE q < 'a' OR q >= 'é:1' ORDER BY id;
-- All six, by the bytes
SELECT bool_and((x.q = y.q) = (x.q::text COLLATE "C" = y.q::text) AND (x.q <> y.q) = (x.q::text COLLATE "C" <> y.q::text)
    AND (x.q < y.q) = (x.q::text COLLATE "C" < y.q::text) AND (x.q <= y.q) = (x.q::text COLLATE "C" <= y.q::text)
    AND (x.q > y.q) = (x.q::text COLLATE "C" > y.q::text) AND (x.q >= y.q) = (x.q::text COLLATE "C" >= y.q::text)
    AND session_store.lucene_query_cmp(x.q, y.q) = CASE WHEN x.q < y.q THEN -1 WHEN x.q = y.q THEN 0 ELSE 1 END
        * abs(session_store.lucene_query_cmp(x.q, y.q))
    AND ((x.q = y.q) = (session_store.lucene_query_hash(x.q) = session_store.lucene_query_hash(y.q)))
    AND ((x.q = y.q) = (session_store.lucene_query_hash_extended(x.q, 7) = session_store.lucene_query_hash_extended(y.q, 7)))) AS alike
FROM asked AS x, asked AS y WHERE x.q IS NOT NULL AND y.q IS NOT NULL;

-- Unique, as a key of another table's, as a partition's key by hash and by range; each way of joining
CREATE TABLE alert (q lucene_query PRIMARY KEY, name text);
INSERT INTO alert SELECT DISTINCT ON (q) q, 'alert ' || id FROM asked WHERE q IS NOT NULL ORDER BY q, id;
INSERT INTO alert VALUES ('b:1'), ('b :1');
INSERT INTO alert VALUES ('a && b', 'again') ON CONFLICT (q) DO UPDATE SET name = excluded.name RETURNING q, name;
CREATE TABLE fired (q lucene_query REFERENCES alert, at int) PARTITION BY HASH (q);
CREATE TABLE fired_0 PARTITION OF fired FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE fired_1 PARTITION OF fired FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO fired VALUES ('a AND b', 1), ('z:1', 2), ('a b', 3);
INSERT INTO fired VALUES ('nobody:asked', 4);
CREATE TABLE ranged (q lucene_query) PARTITION BY RANGE (q);
CREATE TABLE ranged_a PARTITION OF ranged FOR VALUES FROM (MINVALUE) TO ('b');
CREATE TABLE ranged_b PARTITION OF ranged FOR VALUES FROM ('b') TO (MAXVALUE);
INSERT INTO ranged VALUES ('a:1'), ('c:1') RETURNING tableoid::regclass, q;
CREATE FUNCTION pg_temp.joined(way text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    PERFORM set_config('enable_' || w, (w = way)::text, true) FROM unnest(array['hashjoin', 'mergejoin', 'nestloop']) AS w;
    FOR line IN EXPLAIN (COSTS off) SELECT * FROM asked JOIN alert USING (q) LOOP
        RETURN NEXT substring(line FROM '(Hash Join|Merge Join|Nested Loop)');
        EXIT;
    END LOOP;
    RETURN QUERY SELECT string_agg(id || ' ' || name, ', ' ORDER BY id) FROM asked JOIN alert USING (q);
END $$;
SELECT pg_temp.joined(way) FROM unnest(array['hashjoin', 'mergejoin', 'nestloop']) AS way;
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT name FROM alert WHERE q = 'z : 1';
CREATE INDEX ON asked USING hash (q);
EXPLAIN (COSTS off) SELECT id FROM asked WHERE q = 'z : 1';
SELECT id FROM asked WHERE q = 'z : 1';
RESET enable_seqscan;
-- What PostgreSQL says of the operator classes
SELECT opcmethod, opcname, amvalidate(oid) FROM (SELECT amname AS opcmethod, opcname, c.oid FROM pg_opclass AS c JOIN pg_am AS am ON am.oid = opcmethod
    WHERE opcintype = 'lucene_query'::regtype) AS classes ORDER BY 1;

-- Text becomes a query where it is stored as one, or asked as one; a query becomes text where it is stored as such.
CREATE TABLE notes (body text, short varchar(5));
INSERT INTO notes SELECT q, q FROM asked WHERE id IN (3, 5);
INSERT INTO notes SELECT q, q FROM asked WHERE id = 9;
SELECT * FROM notes ORDER BY body COLLATE "C";
INSERT INTO asked SELECT 10, body FROM notes WHERE body = 'z:1';
INSERT INTO asked SELECT 11, short FROM notes WHERE short = 'z:1';
UPDATE notes SET body = 'a:[';
INSERT INTO asked SELECT 12, body FROM notes;
SELECT id, q FROM asked WHERE id > 9 ORDER BY id;
-- Between text and a query, queries are compared.
SELECT q = 'a && b'::text AS text, 'a && b'::varchar = q AS varchar, q = 'a && b' AS literal, q || '!' AS concatenated, coalesce(q, '*:*') AS either
FROM asked WHERE id = 1;
-- What texts do among themselves, they do as before.
SELECT 'a AND b'::text = '+a +b', 'a'::varchar = 'a'::text, 'b'::varchar > 'a'::varchar, 'a'::char(3) = 'a'::varchar, 'a'::name = 'a'::varchar,
    'a[' = 'a['::varchar, '{a[}'::text[] = '{a[}', array['a'::text, 'b'::varchar];
SELECT pg_typeof('a' || 'b'), pg_typeof(CASE WHEN true THEN 'a'::text ELSE 'b' END), pg_typeof(lower('A'));

-- @@@ with a text of any kind reads as it does with a literal, also where it is indexed.
CREATE TABLE docs AS SELECT i AS id, jsonb_build_object('a', i, 'b', i % 10) AS doc FROM generate_series(1, 3000) AS i;
CREATE INDEX docs_doc ON docs USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE docs;
PREPARE by_text(text) AS SELECT count(*) FROM docs WHERE doc @@@ $1;
PREPARE by_varchar(varchar) AS SELECT count(*) FROM docs WHERE doc @@@ $1;
PREPARE by_unknown AS SELECT count(*) FROM docs WHERE doc @@@ $1;
EXPLAIN (COSTS off) EXECUTE by_text('a:7 OR  b:3');
EXECUTE by_text('a:7 OR  b:3');
EXECUTE by_varchar('a:7 OR b:3');
EXECUTE by_unknown('a:7 OR b:3');
EXECUTE by_text(NULL);
EXECUTE by_text('a:[');
EXPLAIN SELECT * FROM docs WHERE doc @@@ 'b:3'::text;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS off) EXECUTE by_text('a:7');
EXECUTE by_text('a:7');
EXPLAIN (COSTS off) EXECUTE by_varchar('a:7');
SET session_store.enable_scan = off;
DEALLOCATE by_text;
PREPARE by_text(text) AS SELECT count(*) FROM docs WHERE doc @@@ $1;
EXPLAIN (COSTS off) EXECUTE by_text('a:7');
EXECUTE by_text('a:7');
RESET session_store.enable_scan;
RESET plan_cache_mode;
CREATE FUNCTION pg_temp.found(q text) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM docs WHERE doc @@@ q); END $$;
SELECT pg_temp.found('b:3'), pg_temp.found('a:[1 TO 5]');
-- A table of texts; what is odd is said once.
CREATE TABLE texts (q text);
INSERT INTO texts VALUES ('a:>5'), ('a:>6'), ('a:{2995 TO *]');
EXPLAIN (COSTS off) SELECT q, (SELECT count(*) FROM docs WHERE doc @@@ q) FROM texts;
SELECT q, (SELECT count(*) FROM docs WHERE doc @@@ q) FROM texts;
-- In views, which say again what was said
CREATE VIEW found AS SELECT texts.q, docs.id FROM texts JOIN docs ON doc @@@ texts.q WHERE doc @@@ 'b : 7';
SELECT pg_get_viewdef('found');
SELECT * FROM found;

-- Arrays and domains
SELECT count(*) FROM docs WHERE doc @@@ ANY ('{a:1,"a : 2",a:3}');
SELECT count(*) FROM docs WHERE doc @@@ ANY (array['a:1', 'a:2']);
SELECT count(*) FROM docs WHERE doc @@@ ANY ('{a:1,a:2,a:3,a:4}'::text[]);
SELECT count(*) FROM docs WHERE doc @@@ ALL ('{a:[1 TO 10],b:3}'::lucene_query[]);
SELECT count(*) FROM docs WHERE doc @@@ ALL ('{a:1,NULL}'::text[]);
PREPARE by_array(text[]) AS SELECT count(*) FROM docs WHERE doc @@@ ANY ($1);
EXECUTE by_array('{a:1,a:2}');
EXECUTE by_array('{a:[}');
SELECT array['b', 'a AND b']::lucene_query[] @> '{a && b}', array_position('{a,+b}'::lucene_query[], '+b');
CREATE DOMAIN narrow AS lucene_query CHECK (VALUE <> '*:*');
CREATE DOMAIN wording AS text CHECK (VALUE <> '');
SELECT 'a && b'::narrow, ' * : * '::narrow;
SELECT count(*) FROM docs WHERE doc @@@ 'b:3'::narrow;
SELECT count(*) FROM docs WHERE doc @@@ 'b:3'::wording;
EXPLAIN (COSTS off) SELECT count(*) FROM docs WHERE doc @@@ 'b : 3'::narrow;
SELECT 'a && b'::narrow = '+a +b', 'a && b'::wording::narrow;

-- Binary: as text is sent
SELECT session_store.lucene_query_send('a AND é') = textsend('+a +é');

-- Errors that are to be handed back are, where the server has such (16 and later).
DO $$
DECLARE valid boolean; said text;
BEGIN
    IF current_setting('server_version_num')::int < 160000 THEN RETURN; END IF;
    EXECUTE $q$ SELECT bool_and(pg_input_is_valid(q, 'lucene_query') = (q = 'a:1')) FROM unnest(array['a:1', 'a:[', '{!func}a', repeat('(', 1000)]) AS q $q$ INTO valid;
    ASSERT valid;
    EXECUTE $q$ SELECT NOT pg_input_is_valid('{a:1,a:[}', 'lucene_query[]') $q$ INTO valid;
    ASSERT valid;
    EXECUTE $q$ SELECT concat_ws('|', message, detail, hint, sql_error_code) FROM pg_input_error_info('a:[1 T 5]', 'lucene_query') $q$ INTO said;
    ASSERT said LIKE 'syntax error in query: %|at byte 6:%|42601', said;
END $$;
-- A scan that is begun again shows what all its turns took.
CREATE FUNCTION pg_temp.taken(label text, statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING off, FORMAT json) ' || statement INTO plan;
    RETURN jsonb_path_query_first(plan, '$.** ? (@."Custom Plan Provider" == "LuceneScan")')->label;
END $$;
SELECT label, pg_temp.taken(label, $$SELECT (SELECT count(*) FROM docs WHERE doc @@@ format('b:%s', n)) FROM generate_series(0, 9) AS n$$) AS taken,
    pg_temp.taken(label, $$SELECT count(*) FROM docs WHERE doc @@@ 'b:0'$$) AS one
FROM unnest(array['Index Keys', 'Index Postings']) AS label;
-- More queries than are remembered, again and again, and what they say of now
CREATE TABLE many AS SELECT n, format('+a:%s -b:%s', n, n)::lucene_query AS q FROM generate_series(1, 10000) AS n;
SELECT turn, count(*) FILTER (WHERE jsonb_build_object('a', n) @@@ q) AS met,
    count(*) FILTER (WHERE jsonb_build_object('a', n + 1) @@@ q OR jsonb_build_object('a', n, 'b', n) @@@ q) AS not_met
FROM generate_series(1, 6) AS turn, many GROUP BY turn ORDER BY turn;
SELECT count(*) FROM docs, many WHERE many.n % 500 = 0 AND doc @@@ q;
SELECT count(*) FROM many, docs WHERE docs.id <= 3 AND doc @@@ q;
DROP TABLE many;
CREATE TABLE moment (q lucene_query, t timestamptz DEFAULT clock_timestamp());
INSERT INTO moment VALUES ('t:[NOW-1SECOND/SECOND TO NOW]');
CREATE FUNCTION pg_temp.is_now(at timestamptz) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT jsonb_build_object('t', floor(extract(epoch FROM at) * 1000)) @@@ q FROM moment $$;
SELECT pg_temp.is_now(now()) AS now, pg_temp.is_now(now() - interval '1 hour') AS past;
SELECT pg_sleep(2.1);
SELECT pg_temp.is_now(now()) AS now, pg_temp.is_now(t) AS then FROM moment;
DROP TABLE moment;

-- A table of queries: each many times one after the other, and all of them in turn; of short documents, which lie at any
-- address, and of long ones.
CREATE TABLE papers AS SELECT i AS id, jsonb_build_object('n', i, 's', 'x' || i % 7, 'd', timestamptz '2024-01-01Z' + i * interval '1 day',
    'o', jsonb_build_object('k', jsonb_build_array(i % 5, i / 4.0, i % 2 = 0))) || more AS doc
    FROM generate_series(1, 60) AS i, (VALUES ('{}'::jsonb), (jsonb_build_object('a.b', 7, 'long', repeat('x', 200)))) AS _(more);
CREATE TABLE wanted AS SELECT row_number() OVER () AS id, q::lucene_query FROM (
    SELECT unnest(ARRAY['n:' || i, 'n:[* TO ' || i || '.5}', 's:x' || i, '+s:x' || i % 7 || ' -o.k:' || i % 5, 'o.k:[' || i / 8.0 || ' TO 3]',
        'd:[2024-01-0' || i || 'T00:00:00+01:00 TO *]', 'd:[* TO NOW-' || i || 'DAYS]', 's:*' || i, 'a.b:' || i, 'o.k:true', 'x' || i, '*:* -o:*'])
    FROM generate_series(1, 9) AS i) AS _(q);
SELECT count(*), md5(string_agg(a, ',' ORDER BY a COLLATE "C")) FROM wanted AS w, LATERAL (
    SELECT w.id || ' ' || p.id || length(p.doc::text) AS a FROM papers AS p WHERE p.doc @@@ w.q OFFSET 0) AS _;
SELECT count(*), md5(string_agg(a, ',' ORDER BY a COLLATE "C")) FROM papers AS p, LATERAL (
    SELECT w.id || ' ' || p.id || length(p.doc::text) AS a FROM wanted AS w WHERE p.doc @@@ w.q OFFSET 0) AS _;
-- With a boost, which has no meaning here, none is read by hand.
CREATE FUNCTION pg_temp.one_by_one() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE w record; BEGIN
    FOR w IN SELECT * FROM wanted LOOP
        RETURN QUERY EXECUTE format('SELECT %s || '' '' || id || length(doc::text) FROM papers WHERE doc @@@ %L', w.id, '(' || w.q || ')^2');
    END LOOP;
END $$;
SELECT count(*), md5(string_agg(a, ',' ORDER BY a COLLATE "C")) FROM pg_temp.one_by_one() AS a;
DROP TABLE papers, wanted;
DROP TABLE asked, alert, fired, ranged, notes, docs, texts CASCADE;
DROP DOMAIN narrow, wording;
DEALLOCATE ALL;

-- Only settings that there are may be set, once the library is there.
\c -
SET session_store.enable_scna = off;
SELECT 'a'::lucene_query;
SHOW session_store.enable_scna;
SET session_store.enable_scna = off;
BEGIN; -- PostgreSQL 14 reserves no prefixes, and every later session would be told of this one
ALTER ROLE CURRENT_USER SET session_store.anything = 1;
ROLLBACK;
SET session_store.enable_scan = off;
