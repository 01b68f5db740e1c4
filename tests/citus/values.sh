#!/usr/bin/env bash
# Facets, statistics, histograms and values of a store over 8 shards are those of one on one server.
. "$(dirname "$0")/lib.sh"
twins
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
psql -o /dev/null <<'END'
INSERT INTO sessions.here SELECT 100000 + n, jsonb_build_object('_number_', 100000 + n, 'few', n % 7, 'word', 'w' || n % 23,
    'tags', jsonb_build_array('t' || n % 3, 't' || n % 5, n % 4), 'at', to_jsonb('2024-02-28T20:00:00Z'::timestamptz + n * interval '37 minutes'),
    'ms', 1709150400000 + n * 3000000, 'price', (n * 0.01)::numeric - 3, 'long', repeat('x', 300) || n % 9, 'big', 9007199254740993 + n % 2, 'flag', n % 2 = 0)
    || CASE WHEN n % 11 = 0 THEN '{"rare": 1}' ELSE '{}' END::jsonb FROM generate_series(1, 600) AS n;
INSERT INTO sessions.there SELECT * FROM sessions.here WHERE id::int > 100000;
VACUUM ANALYZE sessions.here;
END

# Each line is an expression over STORE..
cat >"$scratch/calls" <<'END'
(SELECT jsonb_agg(v) FROM session_values('STORE', '*:*', 'few') AS v)
(SELECT jsonb_agg(v) FROM session_values('STORE', 'few:[1 TO 5]', 'word', rows => 5, start => 3) AS v)
(SELECT jsonb_agg(v) FROM session_values('STORE', '*:*', 'word', sort => 'value desc', rows => 7) AS v)
(SELECT jsonb_agg(v) FROM session_values('STORE', '*:*', 'word', prefix => 'w1', sort => 'count asc') AS v)
(SELECT jsonb_agg(v) FROM session_values('STORE', '*:*', 'long', rows => NULL) AS v)
(SELECT jsonb_agg(v) FROM session_values('STORE', '*:*', 'nowhere') AS v)
(SELECT jsonb_agg(v) FROM session_values('STORE', 'few:99', 'few') AS v)
(SELECT jsonb_agg(v) FROM session_values('STORE', '*:*', '') AS v)
(SELECT jsonb_agg(v) FROM session_suggest('STORE', 'word', 'w2') AS v)
(SELECT jsonb_agg(v) FROM session_suggest('STORE', 'tags', 't', 'flag:true', 2) AS v)
session_stats('STORE', '*:*', 'few')
session_stats('STORE', 'flag:true', 'price', '{0,12.5,50,99.9,100}')
session_stats('STORE', '*:*', 'tags')
session_stats('STORE', '*:*', 'big')
session_stats('STORE', '*:*', 'word')
session_stats('STORE', '*:*', 'nowhere')
session_stats('STORE', 'few:99', 'few')
session_stats('STORE', '*:*', '')
session_stats('STORE', '*:*', 'a "b\c')
(SELECT jsonb_agg(h) FROM session_histogram('STORE', '*:*', 'at', '1 day') AS h)
(SELECT jsonb_agg(h) FROM session_histogram('STORE', 'flag:true', 'at', '1 month', 'Europe/Berlin') AS h)
(SELECT jsonb_agg(h) FROM session_histogram('STORE', '*:*', 'ms', '6 hours', since => '2024-03-01', until => '2024-03-05T12:00:00.5Z') AS h)
(SELECT jsonb_agg(h) FROM session_histogram('STORE', '*:*', 'at', '1 day', since => '2024-03-10') AS h)
(SELECT jsonb_agg(h) FROM session_histogram('STORE', 'few:99', 'at', '1 day') AS h)
(SELECT jsonb_agg(h) FROM session_histogram('STORE', '*:*', 'price', 0.75) AS h)
(SELECT jsonb_agg(h) FROM session_histogram('STORE', '*:*', 'few', 2, since => 1) AS h)
(SELECT jsonb_agg(h) FROM session_histogram('STORE', '*:*', 'price', 1.5, -1.1, 2) AS h)
session_facets('STORE', '*:*', '{"s": "sum(price)", "a": "avg(price)", "q": "sumsq(big)", "v": "variance(few)", "d": "stddev(few)", "l": "min(word)", "g": "max(tags)", "u": "unique(tags)", "c": "countvals(tags)", "m": "missing(rare)", "p": "percentile(price,50,99)"}')
session_facets('STORE', '*:*', '{"s": "sum(price)", "mixed": "max(tags)", "least": "min(flag)", "none": "min(nowhere)", "zero": "sum(nowhere)", "m": "missing(nowhere)"}')
session_facets('STORE', '*:*', '{"f": {"type": "terms", "field": "few"}}')
session_facets('STORE', 'flag:true', '{"f": {"type": "terms", "field": "word", "limit": -1, "sort": "index desc", "missing": true, "numBuckets": true, "allBuckets": true}}')
session_facets('STORE', '*:*', '{"f": {"type": "terms", "field": "word", "limit": 4, "offset": 2, "mincount": 27, "prefix": "w"}}')
session_facets('STORE', '*:*', '{"f": {"type": "terms", "field": "tags", "limit": 3, "sort": "s desc", "facet": {"s": "sum(price)", "u": "unique(word)", "m": "missing(rare)"}}}')
session_facets('STORE', '*:*', '{"f": {"type": "terms", "field": "few", "missing": true, "facet": {"g": {"type": "terms", "field": "word", "limit": 2, "facet": {"p": "percentile(price,50)"}}, "q": {"type": "query", "q": "flag:true", "facet": {"a": "avg(big)"}}}}}')
session_facets('STORE', '*:*', '{"a": {"type": "query", "q": "flag:true", "facet": {"s": "sum(price)"}}, "b": {"type": "query", "q": "flag:true", "facet": {"u": "unique(word)"}}, "c": {"type": "query", "q": "few:99", "facet": {"s": "sum(few)"}}, "all": {"type": "query"}}')
session_facets('STORE', '*:*', '{"a": {"type": "terms", "field": "few", "facet": {"s": "sum(price)"}}, "b": {"type": "terms", "field": "few", "limit": 2, "facet": {"u": "unique(price)", "s": "min(price)"}}}')
session_facets('STORE', '*:*', '{"r": {"type": "range", "field": "price", "start": -3, "end": 3, "gap": 0.7, "other": "all"}}')
session_facets('STORE', '*:*', '{"r": {"type": "range", "field": "price", "start": -3, "end": 3, "gap": 0.7, "hardend": true, "include": "all", "mincount": 70}, "q": {"type": "range", "field": "few", "start": 0, "end": 6, "gap": 2, "facet": {"u": "unique(word)"}}}')
session_facets('STORE', '*:*', '{"r": {"type": "range", "field": "at", "start": "2024-03-01T00:00:00Z", "end": "2024-03-05T00:00:00Z", "gap": "+1DAY", "facet": {"f": {"type": "terms", "field": "few", "limit": 1}}}}')
session_facets('STORE', 'few:99', '{"f": {"type": "terms", "field": "few", "facet": {"s": "sum(price)"}}, "s": "sum(few)"}')
session_query('STORE', 'few:3', rows => 1, sort => '_number_', json => '{"facet": {"f": {"type": "terms", "field": "word", "limit": 3}}}')
END
# The other way: what does not add up.
cat >"$scratch/planned" <<'END'
session_facets('STORE', 'few:3', '{"f": {"type": "terms", "field": "word", "mincount": 0, "limit": 30}}')
session_facets('STORE', '*:*', '{"f": {"type": "terms", "field": "tags", "allBuckets": true, "facet": {"s": "sum(price)"}}}')
END
# All paths, and what session_why looks up: names of paths, the values at one, their types.
cat >"$scratch/paths" <<'END'
(SELECT jsonb_agg(p) FROM session_paths('STORE') AS p)
(SELECT jsonb_agg(p) FROM session_paths('STORE', 'ta') AS p)
(SELECT jsonb_agg(p) FROM session_paths('STORE', 'nowhere') AS p)
session_why('STORE', 'wrd:w1') - 'way'
session_why('STORE', 'word:W1') - 'way'
session_why('STORE', 'word:wx1') - 'way'
session_why('STORE', 'tags:[90 TO *]') - 'way'
session_why('STORE', 'price:[1000 TO *] AND flag:true') - 'way'
session_why('STORE', 'few:3 AND word:nothing', '7') - 'way'
END

# differences FILE: the calls whose answers differ, and that all were asked
differences() {
    local call
    {
        while read -r call; do
            echo "SELECT 'differs: ' || \$sql\$$call\$sql\$ || E'\n' || coalesce(left(here::text, 300), 'NULL') || E'\n' || coalesce(left(there::text, 300), 'NULL')
                FROM (SELECT ${call//STORE/here} AS here, ${call//STORE/there} AS there) AS _ WHERE here::text IS DISTINCT FROM there::text;"
        done <"$1"
        echo '\echo all asked'
    } | psql
}
is 'the same answers' 'all asked' "$(differences "$scratch/calls")"
is 'the same answers by the planner' 'all asked' "$(differences "$scratch/planned")"
is 'the same paths' 'all asked' "$(differences "$scratch/paths")"
is 'paths by the shards' ' 8 session_store.shard_values ' "$(sent "session_paths('there')")"
is 'no documents for session_why' '' "$(sent "session_why('there', 'wrd:w1')" | grep -o 'SELECT doc')"
is 'each shard is asked once' ' 8 session_store.shard_page 8 session_store.shard_values ' "$(sent "session_explain('there', '*:*', json => '{\"facet\": {\"n\": \"sum(few)\"}}')")"

way() { sql "SELECT e->'facets'->>'way' FROM session_explain('there', '*:*', json => '{\"facet\": {\"f\": $1}}') AS e"; }
is 'by the shards' shards "$(way '{"type": "terms", "field": "few", "facet": {"s": "sum(many)"}}')"
is 'by the planner' planner "$(way '{"type": "terms", "field": "few", "mincount": 0}')"
is 'too much for work_mem' planner "$(PGOPTIONS='-c work_mem=64' way '{"type": "terms", "field": "many"}')"
is 'the same answers with little memory' 'all asked' "$(export PGOPTIONS='-c work_mem=64'; differences "$scratch/calls")"

# The requests of Solr's corpus.
corpus() { # N: every N-th request of tests/conformance
    psql -v each="$1" <<'END'
CREATE TEMP TABLE answer (line serial, record jsonb);
\copy answer (record) FROM 'tests/conformance/facets.ndjson' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
SET client_min_messages = error;
CREATE FUNCTION pg_temp.ask(store text, request jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN session_facets(store, request->>0, request->1);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT record, left(here, 300), left(there, 300) FROM answer, pg_temp.ask('here', record) AS here, pg_temp.ask('there', record) AS there
WHERE line % :each = 1 AND here IS DISTINCT FROM there LIMIT 5;
SELECT count(*) > 100 FROM answer WHERE line % :each = 1;
END
}
is 'the same answers to the requests of the corpus' t "$(corpus 17)"

# What the transaction has written counts, and NOW is its start.
is 'own writes and NOW' $'{"val": "w0", "count": 1}\n1\n0' "$(psql <<'END'
BEGIN;
INSERT INTO sessions.there SELECT 'now', jsonb_build_object('_number_', 'now', 'word', 'w0', 'few', 77, 'moment', now() + interval '0.5 s');
SELECT FROM pg_sleep(1) \g /dev/null
SELECT session_facets('there', 'few:77', '{"f": {"type": "terms", "field": "word"}}')->'f'->'buckets'->0;
SELECT session_facets('there', '*:*', '{"f": {"type": "query", "q": "moment:[NOW TO NOW+1SECOND]"}}')->'f'->'count';
SELECT session_facets('there', '*:*', '{"f": {"type": "range", "field": "moment", "start": "NOW-1HOUR", "end": "NOW", "gap": "+1HOUR"}}')->'f'->'buckets'->0->'count';
ROLLBACK;
END
)"

# A shard without its index is read by its worker's planner.
worker 1 psql -o /dev/null <<'END'
SET citus.enable_manual_changes_to_shards = on;
SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
WHERE indrelid = (SELECT min(oid) FROM pg_class WHERE relname ~ '^there_[0-9]+$') AND NOT indisunique \gexec
END
is 'the same answers without an index on a shard' 'all asked' "$(differences "$scratch/calls")"
is 'the same paths without an index on a shard' 'all asked' "$(differences "$scratch/paths")"
is 'still by the shards' shards "$(way '{"type": "terms", "field": "few"}')"

# What cannot be read is refused, and nobody reads what they may not.
shard=$(worker 1 sql "SELECT min(oid::regclass::text) FROM pg_class WHERE relname ~ '^there_[0-9]+$'")
gather() { worker 1 sql "SELECT length(session_store.shard_values('$shard'::regclass, '*:*', '$1', now(), 1000000)) > 0" -v VERBOSITY=sqlstate 2>&1 | head -1; }
is 'a shard' t "$(gather '{"facet": {"n": "sum(few)"}}')"
is 'a malformed question' 'ERROR:  22023' "$(gather '{"path": 1}')"
is 'no JSON' 'ERROR:  22023' "$(gather '[')"
sql "CREATE ROLE values_stranger LOGIN" -o /dev/null
is 'a stranger' 'ERROR:  42501' "$(PGUSER=values_stranger gather '{"facet": {"n": "sum(few)"}}')"
