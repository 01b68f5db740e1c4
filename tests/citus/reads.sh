#!/usr/bin/env bash
# A store over 8 shards answers as one on one server does.
. "$(dirname "$0")/lib.sh"
twins

# One row for each difference. Documents with equal values have no common order, so the number comes last.
compare() { # N: every N-th query of tests/conformance
    psql -v each="$1" <<'END'
CREATE TEMP TABLE answer (line serial, record jsonb);
\copy answer (record) FROM 'tests/conformance/answers.ndjson' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
SET client_min_messages = error;
CREATE FUNCTION pg_temp.ask(store text, q text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN pg_catalog.jsonb_build_array(
        session_count(store, q),
        (SELECT pg_catalog.jsonb_build_array(a->'count', (SELECT jsonb_agg(doc ORDER BY doc->'_number_') FROM jsonb_array_elements(a->'items') AS doc))
            FROM session_query(store, q, rows => 10000) AS a),
        session_query(store, q, sort => 's desc, _number_', start => 3, rows => 7),
        session_query(store, q, sort => 'few, many asc, _number_ desc', fl => '_number_, few'),
        session_query(store, q, sort => 'few desc, _number_', start => 150, rows => 20),
        session_query(store, q, sort => 'nowhere, _number_', start => 90, rows => 20, fl => '_number_'),
        session_query(store, q, rows => 0),
        (SELECT jsonb_agg(doc->'_number_') FROM session_stream(store, q, sort => 'many desc, _number_', start => 5, rows => 400) AS doc),
        (SELECT jsonb_agg(doc) FROM session_stream(store, q, sort => 'few desc, _number_', start => 2, rows => 9, fl => 'few, many') AS doc));
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT query, md5(here), md5(there), left(here, 200), left(there, 200)
FROM (SELECT line, record ->> 0 AS query FROM answer WHERE line % :each = 1 OR record ->> 0 IN ('*:*', '-*:*')
      UNION ALL SELECT 0, unnest(array['few:3', 'few:[1 TO 5] -many:[1000 TO 2000]', 'many:{-100 TO 10]'])) AS q,
    pg_temp.ask('here', query) AS here, pg_temp.ask('there', query) AS there
WHERE here IS DISTINCT FROM there ORDER BY line;
SELECT count(*) FROM answer WHERE line % :each = 1;
END
}
is 'the same answers' 297 "$(compare 27)"

is 'shards' 'shards 8' "$(sql "SELECT e->>'way', e->>'shards' FROM session_explain('there', 'few:3', sort => 'many') AS e" -F ' ')"
is 'explained count' 429 "$(sql "SELECT e->>'count' FROM session_explain('there', 'few:3') AS e")"

# What the indexes can answer does not go through the planners of the shards.
for call in "session_count('there', '*:*')" "session_count('there', 'few:3 OR many:7')" "session_query('there', '*:*', sort => 'few')" \
    "session_stream('there', '*:*', sort => 'few desc', rows => 5)" "session_stream('there', 'few:3', start => 3, rows => 5)"; do
    is "sent for $call" ' 8 session_store.shard_page ' "$(sent "$call")"
done
for query in '*:*' 'few:3' '-few:3'; do
    is "plain SQL counts $query" LuceneCount "$(sql "EXPLAIN SELECT count(*) FROM sessions.there WHERE doc @@@ '$query'" | grep -o 'LuceneCount')"
done

# However deep a window lies, whatever the order is, the shards are asked once where it is, and once for its documents: at
# most 16 calls where values are spread by chance.
is 'deep windows' '' "$(sql "
    SELECT sort, start, rows FROM unnest(array['_number_', 'few, _number_ desc', 'many desc, _number_', 'nowhere, few desc, _number_', 'pad, _number_']) AS sort,
        unnest(array[95, 333, 1000, 2222, 2995, 3410, 5000]) AS start, unnest(array[10, 700]) AS rows
    WHERE session_query('here', '*:*', sort => sort, start => start, rows => rows) <> session_query('there', '*:*', sort => sort, start => start, rows => rows)")"
is 'deep windows of all others' '' "$(sql "
    SELECT start FROM unnest(array[500, 1500]) AS start
    WHERE session_query('here', '-few:3', sort => 'many', start => start, rows => null) <> session_query('there', '-few:3', sort => 'many', start => start, rows => null)")"
for sort in '_number_' 'many desc' 'few, _number_'; do
    is "sent for a deep window by $sort" ' 16 session_store.shard_page ' "$(sent "session_query('there', 'few:*', sort => '$sort', start => 1000)")"
done
# The windows beside a known one come with their documents at once, with a sort and without.
for sort in "sort => '_number_', " "sort => 'few, _number_', " ''; do
    for start in 1010 1037 1000 990 955; do
        is "sent for a window from $start beside one from 1000 by $sort" ' 24 session_store.shard_page ' \
            "$(sent "session_query('there', 'few:*', ${sort}start => 1000), session_query('there', 'few:*', ${sort}start => $start)")"
    done
    is "sent for one that is not beside it by $sort" ' 32 session_store.shard_page ' \
        "$(sent "session_query('there', 'few:*', ${sort}start => 1000), session_query('there', 'few:*', ${sort}start => 1300)")"
done
is 'windows beside each other' '' "$(sql "
    SELECT sort, start, rows FROM unnest(array['_number_', 'few, _number_ desc', 'many desc, _number_', 'nowhere, few desc, _number_']) AS sort, unnest(array[10, 1, 60]) AS rows,
        unnest(array[980, 990, 1000, 1010, 1011, 1071, 1061, 1001, 941, 85, 95, 105, 3395, 3405, 3415, 3425, 3419]) AS start
    WHERE session_query('here', '*:*', sort => sort, start => start, rows => rows) <> session_query('there', '*:*', sort => sort, start => start, rows => rows)")"
# Of a known window, others may have deleted or added rows before it, or all of it.
for change in "DELETE FROM sessions.STORE WHERE (doc->>'_number_')::int % 9 = 0" "DELETE FROM sessions.STORE WHERE (doc->>'_number_')::int BETWEEN 3 AND 5" \
    "DELETE FROM sessions.STORE WHERE (doc->>'_number_')::int > 1005" \
    "INSERT INTO sessions.STORE SELECT n, jsonb_build_object('_number_', n, 'few', 1) FROM generate_series(-40, -1) AS n" \
    "UPDATE sessions.STORE SET doc = jsonb_set(doc, '{few}', '0') WHERE (doc->>'_number_')::int % 2 = 0"; do
    is "after ${change//STORE/there}" $'t\nt\nt\nt\nt\nt' "$(for sort in _number_ 'few, _number_'; do
        psql <<END
SELECT session_query('there', '*:*', sort => '$sort', start => 1000) = session_query('here', '*:*', sort => '$sort', start => 1000);
BEGIN;
${change//STORE/there};
${change//STORE/here};
SELECT session_query('there', '*:*', sort => '$sort', start => 1010) = session_query('here', '*:*', sort => '$sort', start => 1010);
SELECT session_query('there', '*:*', sort => '$sort', start => 1020) = session_query('here', '*:*', sort => '$sort', start => 1020);
ROLLBACK;
END
    done)"
done

# A shard says where rows are, and sends what is there: only what is visible and matches, from places that it has.
shard=$(worker 1 sql "SELECT min(relname) FROM pg_class WHERE relname ~ '^there_[0-9]+$'")
at() { # QUERY, PLACES: the numbers of the documents there
    worker 1 sql "SELECT string_agg(document::jsonb->>'_number_', ' ') FROM unnest((session_store.shard_page('sessions.$shard'::regclass, '[\"$1\", \"_number_ desc\", null, {}, 262144, {\"$shard\": [$2]}]'))[7:]) AS document"
}
places=$(worker 1 sql "SELECT translate((session_store.shard_page('sessions.$shard'::regclass, '[\"few:3\", \"_number_ desc\", null, {\"*\": [2, 3, 1]}, 0, null]'))[4], ';', ',')")
three=$(worker 1 sql "SELECT string_agg(number::text, ' ') FROM (SELECT (doc->'_number_')::int AS number FROM sessions.$shard WHERE doc @@@ 'few:3' ORDER BY 1 DESC OFFSET 2 LIMIT 3) AS _")
is 'documents at their places' "$three" "$(at few:3 "$places")"
is 'others there' '' "$(at few:4 "$places")"
is 'places that no table has' '' "$(at few:3 '0, 1, 65535, 281474976645120, 281474976710655, 18446744073709551615')"
is 'of another shard' '' "$(worker 1 sql "SELECT (session_store.shard_page('sessions.$shard'::regclass, '[\"few:3\", null, null, {}, 0, {\"else\": [1]}]'))[7:]" | tr -d '{}')"
# While others write, a window far from the start is one: in order, and no document in it twice.
for each in 1 2 3; do
    psql -o /dev/null <<END &
SELECT setseed(0.$each);
SELECT format('SELECT session_update(''there'', ''[{"upsert": [{"_number_": %s, "few": %s, "many": %s}]}]''); SELECT pg_sleep(0.001)', number, number % 7, (random() * 3000)::int)
FROM (SELECT 8000 + (random() * 2000)::int AS number FROM generate_series(1, 400)) AS _ \gexec
END
done
is 'windows while others write' '' "$(sql "
    SELECT every.start, sizes FROM generate_series(1, 150) AS each, LATERAL (SELECT (each * 37) % 2500 AS start OFFSET 0) AS every, LATERAL (
        SELECT concat_ws(' ', count(*), count(DISTINCT number), bool_and(many >= before)) AS sizes FROM (
            SELECT item->'_number_' AS number, (SELECT max(m::int) FROM jsonb_path_query(item, '\$.many[*]') AS m) AS many, lag((SELECT max(m::int) FROM jsonb_path_query(item, '\$.many[*]') AS m)) OVER (ORDER BY at) AS before
            FROM jsonb_array_elements(session_query('there', 'many:*', sort => 'field(many,max)', start => every.start)->'items') WITH ORDINALITY AS _ (item, at)) AS _) AS _
    WHERE sizes <> '10 10 t'")"
wait
is 'they wrote' t "$(sql "SELECT count(*) > 800 FROM sessions.there WHERE (doc->>'_number_')::int >= 8000")"
psql -o /dev/null -c "DELETE FROM sessions.there WHERE (doc->>'_number_')::int >= 8000"

# All pages together have each document once, in any order of ties.
is 'pages' '3000 3000' "$(sql "
    SELECT count(*) || ' ' || count(DISTINCT doc->'_number_') FROM generate_series(0, 3000, 75) AS start,
        session_query('there', 'few:*', sort => 'few', start => start, rows => 75) AS a, jsonb_array_elements(a->'items') AS doc")"
is 'pages without an order' '3000 3000' "$(sql "
    SELECT count(*) || ' ' || count(DISTINCT doc->'_number_') FROM generate_series(0, 3000, 75) AS start,
        session_query('there', 'few:*', start => start, rows => 75) AS a, jsonb_array_elements(a->'items') AS doc")"
is 'streamed windows' '3000 3000' "$(sql "
    SELECT count(*) || ' ' || count(DISTINCT doc->'_number_') FROM generate_series(0, 3000, 1000) AS start,
        session_stream('there', 'few:*', start => start, rows => 1000) AS doc")"
is 'a whole stream' 3420 "$(sql "SELECT count(DISTINCT doc->'_number_') FROM session_stream('there', '*:*') AS doc")"

# Documents that are too large to be sent before it is known that they are wanted. Random digits cannot be compressed.
sql "INSERT INTO sessions.there SELECT n, jsonb_build_object('_number_', n, 'large', (SELECT string_agg(md5(n || '.' || i), '') FROM generate_series(1, 3000) AS i)) FROM generate_series(200001, 200040) AS n"
for read in "jsonb_array_elements(session_query('there', 'large:*', sort => '_number_ desc', start => 3, rows => 30)->'items')" "session_stream('there', 'large:*', sort => '_number_ desc', start => 3, rows => 30)"; do
    is "large documents: ${read:0:20}" '30 2880000 t' "$(sql "SELECT count(*), sum(length(doc->>'large')), array_agg((doc->>'_number_')::int) = array(SELECT 200037 - i FROM generate_series(0, 29) AS i) FROM $read AS doc" -F ' ')"
done
is 'sent for large documents' ' 16 session_store.shard_page ' "$(sent "session_stream('there', 'large:*', sort => '_number_ desc, nowhere', start => 3, rows => 30)" 2>&1)"
is 'sent for documents beyond work_mem' ' 8 SELECT doc 16 session_store.shard_page ' "$(sent "set_config('work_mem', '64kB', true), session_stream('there', 'large:*', sort => '_number_ desc, nowhere', start => 3, rows => 30)" 2>&1)"
sql "DELETE FROM sessions.there WHERE doc @@@@ 'large:*'" -o /dev/null

# Documents of which one server's answer may not have so many bytes: three of them are in one shard. The planner reads them.
psql -o /dev/null <<'END'
INSERT INTO sessions.there SELECT id, jsonb_build_object('_number_', id, 'vast', repeat('x', 30000000), 'at', at) FROM (
    SELECT id, row_number() OVER () AS at FROM (
        SELECT id, row_number() OVER (PARTITION BY get_shard_id_for_distribution_column('sessions.there', id) ORDER BY id) AS number, dense_rank() OVER (ORDER BY get_shard_id_for_distribution_column('sessions.there', id)) AS shard
        FROM (SELECT 'vast ' || n AS id FROM generate_series(1, 200) AS n) AS _) AS _
    WHERE shard = 1 AND number <= 3 OR shard <= 5 AND number = 1) AS _;
END
for sort in NULL "'at desc'"; do
    is "vast documents by $sort" '7 7 7 31' "$(sql "SELECT q->'count', jsonb_array_length(q->'items'), count(DISTINCT item->>'at'), min(length(item::text)) / 1000000 + 1
        FROM session_query('there', 'vast:*', sort => $sort) AS q, jsonb_array_elements(q->'items') AS item GROUP BY q" -F ' ')"
done
sql "DELETE FROM sessions.there WHERE doc @@@@ 'vast:*'" -o /dev/null

# Facets and statistics
for call in "session_facets('STORE', 'few:[1 TO 5]', '{\"f\": {\"type\": \"terms\", \"field\": \"few\", \"facet\": {\"m\": \"avg(many)\"}}}')" \
    "(SELECT jsonb_agg(v) FROM session_values('STORE', '*:*', 'few', sort => 'value asc') AS v)" \
    "session_stats('STORE', 'few:2', 'many')" "session_query('STORE', 'few:4', rows => 0, json => '{\"facet\": {\"least\": \"min(many)\"}}')"; do
    is "$call" "$(sql "SELECT ${call/STORE/here}")" "$(sql "SELECT ${call/STORE/there}")"
done

# What the transaction has written is seen, and is gone when it is rolled back.
is 'own writes' $'430\n100000\n427\n429' "$(psql <<'END'
BEGIN;
INSERT INTO sessions.there VALUES ('100000', '{"_number_": 100000, "few": 3, "many": [100000]}');
SELECT session_count('there', 'few:3');
SELECT session_query('there', 'few:3', sort => 'many desc')->'items'->0->'_number_';
DELETE FROM sessions.there WHERE id IN ('100000', '422', '429', '3000') AND (doc->>'few') = '3';
SELECT session_query('there', 'few:3')->'count';
ROLLBACK;
SELECT session_query('there', 'few:3')->'count';
END
)"

# NOW is when the transaction began here, not when it came to a worker.
is 'NOW' $'1 1 1 1 1\n0' "$(psql -F ' ' <<'END'
BEGIN;
INSERT INTO sessions.there SELECT 'now', jsonb_build_object('_number_', 'now', 'moment', now() + interval '0.5 s');
SELECT FROM pg_sleep(1.5) \g /dev/null
SELECT session_count('there', 'moment:[NOW TO *]'), session_query('there', 'moment:[NOW TO NOW+1SECOND]')->'count', (SELECT count(*) FROM session_stream('there', 'moment:{NOW TO *]')),
    (SELECT sum(count) FROM session_values('there', 'moment:[NOW TO *]', 'moment')), jsonb_array_length(session_query('there', 'moment:[NOW TO *]', sort => 'moment', start => 0, rows => 200)->'items');
SELECT session_count('there', 'moment:{* TO NOW]');
ROLLBACK;
END
)"

# The text is that of a string, too.
for call in "session_count('STORE', 'moment:NOW')" "session_query('STORE', 'moment:(NOW OR \\"NOW-1DAY\\")', sort => '_number_')" "(SELECT jsonb_agg(doc) FROM session_stream('STORE', '_number_:NOW', sort => '_number_') AS doc)"; do
    asked() {
        psql <<END | tail -1
BEGIN;
INSERT INTO sessions.$1 SELECT d->>'_number_', d FROM (VALUES (jsonb_build_object('_number_', now(), 'moment', now())), ('{"_number_": "NOW", "moment": ["NOW", "NOW-1DAY"]}'), ('{"_number_": "NOW1", "moment": "NOW-1DAY"}')) AS _ (d);
SELECT regexp_replace(${call/STORE/$1}::text, '"20[^"]*"', 'now', 'g');
END
    }
    is "NOW in $call" "$(asked here)" "$(asked there)"
done

# A statement tells once what it has to tell.
for call in "session_query('STORE', 'few = 3')" "session_count('STORE', 'few = 3')" "session_query('STORE', 'few:3', sort => 'fw')" "session_stream('STORE', 'few = 3', sort => 'fw')"; do
    is "notices of $call" "$(sql "SELECT ${call/STORE/here}" 2>&1 >/dev/null)" "$(sql "SELECT ${call/STORE/there}" 2>&1 >/dev/null)"
done

# A shard without its index is answered by the planner of its worker.
worker 1 psql -o /dev/null <<'END'
SET citus.enable_manual_changes_to_shards = on;
SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
WHERE indrelid = (SELECT min(oid) FROM pg_class WHERE relname ~ '^there_[0-9]+$') AND NOT indisunique \gexec
END
is 'one shard by the planner' '8 1 a table has no valid index of class jsonb_lucene_ops on doc' "$(sql "
    SELECT e->>'shards', count(*), min(why) FROM session_explain('there', 'few:3') AS e, jsonb_each_text(e->'planner') AS _(shard, why) GROUP BY e->>'shards'" -F ' ')"
is 'the same answers without an index on a shard' 40 "$(compare 200)"
