#!/usr/bin/env bash
# Facets beside writers and VACUUM: each is what GROUP BY says in the same snapshot. And they end soon after a cancel, within their memory.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<'SQL'
SELECT session_add('counted', key => 'id'), session_add('counted_4', key => 'id', shards => 4);
CREATE FUNCTION documents(low int, high int, round int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'type', 't' || (n + round) % 5, 'tags', jsonb_build_array('a' || n % 3, 'b' || (n * round) % 11),
        'user', 'u' || (n * 7 + round) % 400, 'long', repeat('y', 260) || (n + round) % 3, 'n', (n * round) % 50, 'at', to_char('2024-01-01'::timestamp + (n + round) * interval '5 hours', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))))) FROM generate_series(low, high) AS n $$;
SELECT session_update(store, documents(1, 3000, 1)) FROM unnest('{counted,counted_4}'::text[]) AS store;
-- The number of differences to GROUP BY, in one snapshot.
CREATE FUNCTION differences(store text, q text) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH doc AS MATERIALIZED (SELECT doc FROM session_stream(store, q) AS doc),
        ours AS (SELECT path, value, found.count FROM unnest('{type,tags,user,long,n}'::text[]) AS path, session_values(store, q, path, rows => NULL) AS found
            UNION ALL SELECT 'day', to_jsonb(bucket), count FROM session_histogram(store, q, 'at', '1 day') WHERE count > 0
            UNION ALL SELECT 'sum', stats->'sum', (stats->>'documents')::bigint FROM session_stats(store, q, 'n') AS stats
            UNION ALL SELECT 'facets', buckets->'val', (buckets->>'count')::bigint FROM jsonb_array_elements(session_facets(store, q, '{"x": {"terms": {"field": "user", "limit": -1}}}')->'x'->'buckets') AS buckets),
        theirs AS (SELECT path, leaf, count(*) FROM doc, unnest('{type,tags,user,long,n}'::text[]) AS path, LATERAL (SELECT DISTINCT leaf FROM jsonb_path_query(doc->path, 'lax $[*]') AS leaf) AS _ GROUP BY 1, 2
            UNION ALL SELECT 'day', to_jsonb(date_trunc('day', (doc->>'at')::timestamptz, 'UTC')), count(*) FROM doc GROUP BY 2
            UNION ALL SELECT 'sum', to_jsonb(sum((doc->>'n')::numeric)), count(*) FROM doc
            UNION ALL SELECT 'facets', doc->'user', count(*) FROM doc GROUP BY 2)
    SELECT count(*) FROM (SELECT * FROM ours EXCEPT ALL SELECT * FROM theirs) AS a FULL JOIN (SELECT * FROM theirs EXCEPT ALL SELECT * FROM ours) AS b USING (path, count) $$;
SQL
for store in counted counted_4; do
    for writer in 1 2; do
        for round in {2..9}; do
            echo "SELECT session_update('$store', documents($((writer * 1000 - 500)), $((writer * 1000 + 300)), $round));"
            echo "SELECT session_update('$store', '[{\"delete\": [$((round * writer)), $((round + 2000))]}]');"
            echo "BEGIN; SELECT session_update('$store', documents(3000, 3300, $round)); ROLLBACK;"
            [ "$writer" = 1 ] || echo "VACUUM sessions.$store;"
        done | psql -o /dev/null &
    done
    failures=0 asked=0
    while [ -n "$(jobs -rp)" ] || [ "$asked" -lt 8 ]; do
        for q in '*:*' 'type:t2' 'n:[10 TO 20]' 'id:(5 700 1400)'; do
            asked=$((asked + 1))
            [ "$(sql "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT differences('$store', '$q'); COMMIT")" = 0 ] || failures=$((failures + 1))
        done
        [ "$asked" -lt 200 ] || break
    done
    wait
    is "beside writers: $store" 0 "$failures"
done

# Many values, cancelled: each statement ends soon, wherever it was.
psql -o /dev/null <<'SQL'
SELECT session_add('values', key => 'id');
INSERT INTO sessions.values SELECT n::text, jsonb_build_object('id', n, 'v', md5(n::text), 'w', n % 1000, 'x', n * 1.25) FROM generate_series(1, 150000) AS n;
VACUUM sessions.values;
CREATE ROLE counted_reader LOGIN;
GRANT USAGE ON SCHEMA sessions, session_store TO counted_reader;
GRANT SELECT ON session_store.store, sessions.values TO counted_reader;
ALTER TABLE sessions.values ENABLE ROW LEVEL SECURITY;
CREATE POLICY most ON sessions.values TO counted_reader USING (doc->>'id' <> '7');
SQL
# ended TIMEOUT STATEMENT OPTION OF PSQL…: whether the statement went on for less than 400 ms of processor time after its timeout
ended() {
    local took
    took=$(spent "${@:3}" -c "SET LOCAL statement_timeout = '$1'; $2" 2>/dev/null | tail -n 1)
    if [ "$took" -lt $(($1 + 400)) ]; then echo soon; else echo "$took"; fi
}
facets="SELECT session_facets('values', 'w:[0 TO 900]', '{\"x\": {\"terms\": {\"field\": \"w\", \"limit\": -1, \"sort\": \"s desc\", \"facet\": {\"s\": \"sum(x)\", \"y\": {\"terms\": \"v\"}}}}}')"
values="SELECT count(*) FROM session_values('values', '*:*', 'v', rows => NULL)"
for timeout in 5 30 120; do
    is "facets cancelled after $timeout ms" soon "$(ended "$timeout" "$facets")"
    is "values cancelled after $timeout ms" soon "$(ended "$timeout" "$values")"
    is "facets of the planner cancelled after $timeout ms" soon "$(ended "$timeout" "$facets" -c 'SET ROLE counted_reader')"
    is "intervals cancelled after $timeout ms" soon "$(ended "$timeout" "SELECT count(*) FROM session_histogram('values', '*:*', 'x', 2)")"
done

# As much memory as for ten values, however many there are; and with temporary files where the planner reads documents.
peak() { psql -c "SET work_mem = '1MB'" "$@" -c "SELECT substring(pg_read_file('/proc/self/status') FROM 'VmPeak:\s*(\d+)')::int / 1024" | tail -n 1; }
base=$(peak -c "SELECT session_values('values', '*:*', 'w')")
is 'ten of many values' within "$(most=$(peak -c "SELECT session_values('values', '*:*', 'v')"); [ "$most" -lt "$((base + 30))" ] && echo within || echo "$most of $base MB")"
is 'the same values, through the planner' "$(sql "$values")" "$(($(psql -c "SET work_mem = '1MB'" -c 'SET ROLE counted_reader' -c "$values" | tail -n 1) + 1))"
sql "SELECT session_drop(store) FROM unnest('{counted,counted_4,values}'::text[]) AS store; DROP OWNED BY counted_reader; DROP ROLE counted_reader" -o /dev/null
