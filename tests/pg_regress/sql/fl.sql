-- fl: items hold the paths of a list alone, nesting and arrays kept.
SELECT session_add('fl', key => 'id');
SELECT session_update('fl', '[{"upsert": [{"id": 1, "user": {"id": 7.50, "name": "Ä", "tags": ["a", null, {}], "none": null},
    "event": [{"type": "click", "at": 5}, {"at": 6}, 7, [{"type": "view"}]], "_m1.ip": "::1", "a b": true, "user.last": {"seen": []}}]}]');
CREATE FUNCTION pg_temp.items(fl text) RETURNS jsonb LANGUAGE sql AS $$ SELECT session_query('fl', 'id:1', fl => fl)->'items'->0 $$;
SELECT fl, pg_temp.items(fl) FROM unnest(ARRAY[
    'id', 'user.id,user.name', ' user.tags event.type', 'user', 'event', 'user.*', '*.at', 'u*a*', '_m1', '_m1.?p', 'user.none', 'user.tags.x',
    'user.i', 'user.last', 'user.last.seen', '"a b"', 'a\ b', 'nothing', '"user.*"', '\u0075ser.id', 'id.', 'event.*t']) AS fl;
SELECT fl, pg_temp.items(fl) = session_query('fl', 'id:1')->'items'->0 AS whole FROM unnest(ARRAY[NULL, '', ' ,', '*', 'id *']) AS fl;
SELECT session_stream('fl', '*:*', fl => 'id, user.id');
-- What the list means otherwise in Solr is refused by name.
CREATE FUNCTION pg_temp.refusal(fl text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text;
BEGIN
    PERFORM session_stream('fl', '*:*', fl => fl);
    RETURN 'answered';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || message || ', ' || split_part(detail, ':', 1);
END $$;
SELECT fl, pg_temp.refusal(fl) FROM unnest(ARRAY['id,score', '[explain style=nl]', 'name:user.name', 'sum(id,1)', 'id -user', '1.5', '$x', '"id', 'id\']) AS fl;
SELECT pg_temp.refusal(repeat('x', 17000));
SELECT session_query('fl', '*:*', fl => 'a:b');
-- A JSON request is refused, and not passed over.
SELECT session_query('fl', '*:*', "json" => '{}');
\echo :LAST_ERROR_SQLSTATE
-- Arguments keep their places.
SELECT session_query('fl', '*:*', NULL, 0, 1, 'id');

-- Against a function in SQL, over generated documents: many keys, keys with dots, every type, empty containers.
CREATE FUNCTION pg_temp.part(value jsonb, path text, patterns text[]) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF path ~ ('^(' || array_to_string(patterns, '|') || ')([.].*)?$') THEN
        RETURN value;
    END IF;
    RETURN CASE jsonb_typeof(value)
        WHEN 'object' THEN (SELECT jsonb_object_agg(key, part) FROM jsonb_each(value) AS m,
            pg_temp.part(m.value, coalesce(path || '.', '') || key, patterns) AS part WHERE part IS NOT NULL)
        WHEN 'array' THEN (SELECT jsonb_agg(part ORDER BY n) FROM jsonb_array_elements(value) WITH ORDINALITY AS e(element, n),
            pg_temp.part(CASE WHEN jsonb_typeof(element) IN ('object', 'array') THEN element END, path, patterns) AS part WHERE part IS NOT NULL)
    END;
END $$;
CREATE FUNCTION pg_temp.generated(seed int, depth int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE hashint4(seed) & 7
        WHEN 0 THEN 'null' WHEN 1 THEN to_jsonb(seed / 7.0) WHEN 2 THEN to_jsonb(repeat('é', seed % 9)) WHEN 3 THEN to_jsonb(seed % 2 = 0)
        WHEN 4 THEN (SELECT coalesce(jsonb_agg(CASE WHEN depth > 0 THEN pg_temp.generated(seed + 31 * i, depth - 1) ELSE to_jsonb(i) END), '[]')
            FROM generate_series(1, seed % 5) AS i)
        ELSE (SELECT coalesce(jsonb_object_agg(key, CASE WHEN depth > 0 THEN pg_temp.generated(seed + 37 * i, depth - 1) ELSE to_jsonb(i) END), '{}')
            FROM generate_series(1, CASE WHEN seed % 50 = 0 THEN 70 ELSE seed % 7 END) AS i,
                LATERAL (SELECT substr('abc.dé', 1 + (seed + i) % 5, 1 + i % 3) || CASE WHEN i > 9 THEN i::text ELSE '' END AS key) AS _)
        END
$$;
SELECT session_update('fl', jsonb_agg(jsonb_build_object('upsert', jsonb_build_array(jsonb_build_object('id', i, 'a', pg_temp.generated(i, 4), 'b.c', pg_temp.generated(i * 3, 3), '', pg_temp.generated(i * 5, 2)))))) FROM generate_series(100, 1100) AS i;
SELECT count(*), count(*) FILTER (WHERE part <> '{}') > 100 AS some, count(*) FILTER (WHERE part <> expected) AS different,
    count(*) FILTER (WHERE pg_column_size(part) <> pg_column_size(part::text::jsonb)) AS different_size
FROM (VALUES ('a'), ('a.b'), ('a.*'), ('*c*'), ('b.c.a,b.c.b'), ('a?b'), ('.a'), ('*'), ('a.c.* *.d'), ('a.*1,*2,*é')) AS lists(fl),
    LATERAL (SELECT array_agg(replace(replace(replace(name, '.', '[.]'), '*', '.*'), '?', '.')) AS patterns FROM regexp_split_to_table(fl, '[ ,]') AS name) AS _,
    generate_series(100, 1100) AS number,
    LATERAL (SELECT session_query('fl', 'id:' || number, fl => fl)->'items'->0 AS part OFFSET 0) AS answer,
    LATERAL (SELECT coalesce(pg_temp.part(doc, NULL, patterns), '{}') AS expected FROM sessions.fl AS stored WHERE stored.id = number::text) AS sql;
-- Both ways, streams, the planner's way, shards, large documents.
CREATE FUNCTION pg_temp.digest(store text, fl text) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(doc::text, ',' ORDER BY n)) FROM session_stream(store, '*:*', sort => 'id', fl => fl) WITH ORDINALITY AS _(doc, n)
$$;
SELECT pg_temp.digest('fl', 'id a.*b') = md5(string_agg(coalesce(pg_temp.part(doc, NULL, '{id,a[.].*b}'), '{}')::text, ',' ORDER BY (doc->>'id')::int)) FROM sessions.fl;
CREATE TEMP TABLE digests AS SELECT fl, pg_temp.digest('fl', fl), session_query('fl', '*:*', sort => 'id', rows => 2000, fl => fl) AS answer FROM unnest(ARRAY['id a.*b', '*c', 'id']) AS fl;
ALTER TABLE sessions.fl ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everything ON sessions.fl USING (true);
CREATE ROLE regress_fl;
GRANT USAGE ON SCHEMA sessions, session_store TO regress_fl;
GRANT SELECT ON ALL TABLES IN SCHEMA sessions, session_store TO regress_fl;
GRANT SELECT ON digests TO regress_fl;
SET ROLE regress_fl;
SELECT session_explain('fl', '*:*')->>'way' AS way;
SELECT fl, digest = pg_temp.digest('fl', fl) AS stream, answer = session_query('fl', '*:*', sort => 'id', rows => 2000, fl => fl) AS query FROM digests;
RESET ROLE;
DROP OWNED BY regress_fl;
DROP ROLE regress_fl;
SELECT session_drop('fl'), session_add('fl', 'id', shards => 3);
SELECT session_update('fl', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'text', repeat(md5(i::text), 3000), 'deep', (repeat('{"x":[', 2000) || i || repeat(']}', 2000))::jsonb, 'n', i)))))
FROM generate_series(1, 20) AS i;
SELECT count(*), sum((doc->>'n')::int), max(pg_column_size(doc)) FROM session_stream('fl', '*:*', fl => 'n') AS doc;
SELECT count(*), sum(length(doc->>'text')), bool_and(doc->>'text' = repeat(md5(doc->>'id'), 3000)) FROM session_stream('fl', '*:*', fl => 'id text') AS doc;
SELECT count(*) FROM session_stream('fl', '*:*', fl => 'deep*x') AS doc JOIN sessions.fl AS stored ON stored.doc->'deep' = doc.doc->'deep';
SELECT session_drop('fl');
