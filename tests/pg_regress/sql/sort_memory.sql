-- Orders of more than work_mem holds: of many rows, of values that are long, of values that the index has only the beginnings of.
SELECT session_add('ordered', key => 'id', shards => 5);
SELECT session_update('ordered', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(
    jsonb_build_object('id', i, 'n', i * 7919 % 6007, 'few', i % 10, 'long', repeat('x', 300) || i * 31 % 503 || repeat('y', 700))
    || CASE i % 3 WHEN 0 THEN '{}' WHEN 1 THEN jsonb_build_object('some', i % 100) ELSE jsonb_build_object('some', jsonb_build_array(i % 50, i % 70)) END))))
FROM generate_series(1, 6000) AS i;
CREATE TABLE plain AS SELECT id, tableoid AS part, ctid AS place, doc, (doc->>'n')::int AS n, (doc->>'few')::int AS few, doc->>'long' COLLATE "C" AS long,
    (SELECT min(v::int) FROM jsonb_path_query(doc, '$.some[*]') AS v) AS least, (SELECT max(v::int) FROM jsonb_path_query(doc, '$.some[*]') AS v) AS most
FROM sessions.ordered;
-- The first row out of order, if there is one
CREATE FUNCTION pg_temp.wrong(q text, sort text, expected text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE format('SELECT min(at) FROM (SELECT id, row_number() OVER (ORDER BY %s, part, place) AS at FROM plain WHERE doc @@@ %L) AS e
        FULL JOIN (SELECT doc->>''id'' AS id, at FROM session_stream(''ordered'', %2$L, %L) WITH ORDINALITY AS s(doc, at)) AS s USING (id, at)
        WHERE e IS NULL OR s IS NULL', expected, q, sort) INTO wrong;
    RETURN wrong;
END $$;
CREATE TABLE orders (sort text, expected text);
INSERT INTO orders VALUES ('n asc', 'n'), ('n desc', 'n DESC'), ('few asc', 'few'), ('few desc, n asc', 'few DESC, n'), ('some asc', 'least'), ('some desc', 'most DESC NULLS LAST'),
    ('some asc, n desc', 'least, n DESC'), ('long asc', 'long'), ('long desc', 'long DESC'), ('few asc, long desc', 'few, long DESC'), ('none asc', '1');
SELECT sort, pg_temp.wrong('*:*', sort, expected) AS all, pg_temp.wrong('few:[3 TO 7]', sort, expected) AS some, pg_temp.wrong('few:3 AND n:[1 TO 1000]', sort, expected) AS few
FROM orders WHERE coalesce(pg_temp.wrong('*:*', sort, expected), pg_temp.wrong('few:[3 TO 7]', sort, expected), pg_temp.wrong('few:3 AND n:[1 TO 1000]', sort, expected)) IS NOT NULL;
SET work_mem = '64kB';
SELECT sort, pg_temp.wrong('*:*', sort, expected) AS all, pg_temp.wrong('few:[3 TO 7]', sort, expected) AS some, pg_temp.wrong('few:3 AND n:[1 TO 1000]', sort, expected) AS few
FROM orders WHERE coalesce(pg_temp.wrong('*:*', sort, expected), pg_temp.wrong('few:[3 TO 7]', sort, expected), pg_temp.wrong('few:3 AND n:[1 TO 1000]', sort, expected)) IS NOT NULL;
-- From the index, in several turns: more rows are alike there than places fit
SELECT session_explain('ordered', '*:*', 'long asc')->>'way' AS way;
-- Windows of it
SELECT q->'count' AS count, (SELECT array_agg(i->>'id' ORDER BY at) = (SELECT array_agg(id ORDER BY long, part, place) FROM (SELECT * FROM plain ORDER BY long, part, place OFFSET 4500 LIMIT 20) AS p)
    FROM jsonb_array_elements(q->'items') WITH ORDINALITY AS _(i, at)) AS same
FROM session_query('ordered', '*:*', sort => 'long asc', start => 4500, rows => 20) AS q;
RESET work_mem;
DROP TABLE plain, orders;
SELECT session_drop('ordered');
-- Without an order, rows are listed in windows of the table where bits for all of them are more than work_mem has room for.
SELECT session_add('listed', key => 'id');
INSERT INTO sessions.listed SELECT i, jsonb_build_object('id', i, 'n', i % 100, 'text', repeat(md5(i::text), 60)) FROM generate_series(1, 6000) AS i;
DELETE FROM sessions.listed WHERE id::int % 1000 = 7 OR id::int BETWEEN 2000 AND 3500;
SELECT pg_relation_size('sessions.listed') / current_setting('block_size')::int > 4 * 128 AS is_in_several;
CREATE FUNCTION pg_temp.answers() RETURNS TABLE (streamed text, stored text, of_all text, scanned text, numbers text) LANGUAGE sql AS $$
    SELECT (SELECT md5(string_agg(doc->>'id', ' ' ORDER BY at)) FROM session_stream('listed', '*:*') WITH ORDINALITY AS s(doc, at)),
        (SELECT md5(string_agg(id, ' ' ORDER BY ctid)) FROM sessions.listed),
        (SELECT md5(string_agg(i->>'id', ' ' ORDER BY at)) FROM session_query('listed', '*:*', rows => 10000) AS q, jsonb_array_elements(q->'items') WITH ORDINALITY AS s(i, at)),
        (SELECT md5(string_agg(id, ' ' ORDER BY ctid)) FROM sessions.listed WHERE doc @@@ '*:*'),
        (SELECT session_count('listed', '*:*') || ' ' || session_count('listed', '-n:[3 TO 97]') || ' ' || session_count('listed', 'text:*a* AND n:[10 TO *]')) $$;
SELECT streamed = stored AND of_all = stored AND scanned = stored AS same, numbers FROM pg_temp.answers();
SET work_mem = '64kB';
SELECT streamed = stored AND of_all = stored AND scanned = stored AS same, numbers FROM pg_temp.answers();
SELECT session_stream('listed', '*:*', start => 4400)->'id' AS id LIMIT 3;
RESET work_mem;
SELECT session_drop('listed');
-- How many documents there are is an estimate, here one that is too low: long rows have longer entries in the index than short ones. Whatever
-- memory there is, each document comes.
SELECT session_add('estimated', key => 'id');
ALTER TABLE sessions.estimated ALTER doc SET STORAGE PLAIN;
INSERT INTO sessions.estimated SELECT i, jsonb_build_object('id', i, 'a', i % 100, 'b', jsonb_build_array(i, -i), 'pad', repeat('x', CASE WHEN i <= 6000 THEN 7800 ELSE 200 END)) FROM generate_series(1, 8000) AS i;
REINDEX TABLE sessions.estimated;
CREATE FUNCTION pg_temp.streamed(sort text, memory text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('work_mem', memory, true);
    RETURN (SELECT count(*) FROM session_stream('estimated', '*:*', sort => sort));
END $$;
SELECT sort, pg_temp.streamed(sort, '112kB') AS some, pg_temp.streamed(sort, '120kB') AS more FROM unnest(array['a asc, id asc', 'field(b,max) asc']) AS sort;
SELECT session_drop('estimated');
