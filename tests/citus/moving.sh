#!/usr/bin/env bash
# A server that is added, shards that move to it, and writers meanwhile: each answer is one of each shard's snapshot.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null -c "SELECT citus_remove_node('${workers[1]}', 5432)"
sql "SELECT session_add('stash', 'id', shards => 6), session_update('stash', (SELECT jsonb_build_array(jsonb_build_object('upsert',
    jsonb_agg(jsonb_build_object('id', i, 'still', 1, 'few', i % 7, 'n', i)))) FROM generate_series(1, 1500) AS i))" -o /dev/null
nodes() { sql "SELECT count(DISTINCT nodename) FROM citus_shards WHERE table_name = 'sessions.stash'::regclass"; }
is 'one server' 1 "$(nodes)"

# A writer: in each transaction, as many documents go as come, in one shard; other documents come and go in all shards.
mapfile -t same < <(sql "SELECT i FROM generate_series(2000, 2400) AS i
    WHERE get_shard_id_for_distribution_column('sessions.stash', i::text) = get_shard_id_for_distribution_column('sessions.stash', '2000') LIMIT 40")
half=$((${#same[@]} / 2))
documents() { local IFS=,; sql "SELECT jsonb_agg(jsonb_build_object('id', i, 'pair', 1, 'few', i % 7)) FROM unnest(array[$*]) AS i"; }
first=$(documents "${same[@]:0:half}") second=$(documents "${same[@]:half:half}")
keys() { local IFS=,; echo "[$*]"; }
sql "SELECT session_update('stash', '[{\"upsert\": $first}]')" -o /dev/null
there=$(mktemp)
trap 'rm -f "$there"' EXIT
write() {
    while [ -e "$there" ]; do
        psql -o /dev/null <<END
SELECT session_update('stash', '[{"upsert": $second, "delete": $(keys "${same[@]:0:half}")}]');
SELECT session_update('stash', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'some', 1, 'few', i % 3)))) FROM generate_series(3000, 3000 + (random() * 80)::int) AS i));
SELECT session_update('stash', '[{"upsert": $first, "delete": $(keys "${same[@]:half:half}")}]');
SELECT session_update('stash', (SELECT jsonb_build_array(jsonb_build_object('delete', jsonb_agg(i))) FROM generate_series(3000, 3080) AS i WHERE random() < 0.5));
END
    done
}
# Reads, and says what does not belong together.
read_torn() { # SECONDS
    local end=$((SECONDS + $1))
    while [ $SECONDS -lt $end ]; do
        psql -v half="$half" <<'END' || echo 'an error'
SELECT 'pair ' || a::text FROM session_query('stash', 'pair:1', rows => 100) AS a WHERE (a->>'count')::int <> :half OR jsonb_array_length(a->'items') <> :half;
SELECT 'count ' || (a->>'count') || ' items ' || jsonb_array_length(a->'items') FROM session_query('stash', 'some:1', sort => 'few', rows => 100) AS a WHERE (a->>'count')::int <> jsonb_array_length(a->'items');
SELECT 'facets ' || a::text FROM session_facets('stash', 'some:1 pair:1', '{"f": {"type": "terms", "field": "few", "limit": -1}}') AS a
    WHERE (a->>'count')::int <> (SELECT sum((b->>'count')::int) FROM jsonb_array_elements(a->'f'->'buckets') AS b);
SELECT 'pairs ' || a::text FROM session_facets('stash', 'pair:1', '{"u": "unique(id)"}') AS a WHERE (a->>'u')::int <> :half OR (a->>'count')::int <> :half;
SELECT 'still ' || c FROM session_count('stash', 'still:1') AS c WHERE c <> 1500;
SELECT 'sum ' || s::text FROM session_stats('stash', 'still:1', 'n') AS s WHERE s->>'sum' <> '1125750' OR s->>'documents' <> '1500';
SELECT 'page ' || p::text FROM jsonb_path_query_array(session_query('stash', 'still:1', sort => 'n desc', start => 700, rows => 3), '$.items[*].n') AS p WHERE p <> '[800, 799, 798]';
END
    done | sort | uniq -c
}
write &
writer=$!
is 'nothing torn' '' "$(read_torn 8)"

# The server is there again, has the extension, and answers; then shards move to it while others read and write.
psql -o /dev/null -c "SELECT citus_add_node('${workers[1]}', 5432)"
is 'the extension' "$(sql "SELECT extversion FROM pg_extension WHERE extname = 'session_store'")" "$(worker 2 sql "SELECT extversion FROM pg_extension WHERE extname = 'session_store'")"
is 'asked there' 1500 "$(worker 2 sql "SELECT session_count('stash', 'still:1')")"
sql "SELECT rebalance_table_shards('sessions.stash', shard_transfer_mode => 'force_logical')" -o /dev/null 2>"$there.log" &
mover=$!
torn=$(read_torn 12)
wait "$mover" || is 'rebalancing' moved "$(cat "$there.log")"
rm -f "$there.log"
is 'nothing torn while shards move' '' "$torn"
is 'two servers' 2 "$(nodes)"
is 'nothing torn on two servers' '' "$(read_torn 4)"
rm "$there"
wait "$writer"
is 'all there' '1500 t' "$(sql "SELECT session_count('stash', 'still:1') || ' ', session_count('stash', 'pair:1') = $half" -F '')"
