#!/usr/bin/env bash
# Sessions that upsert and delete the same identities in opposite orders never deadlock, on plain stores and sharded ones.
. "$(dirname "$0")/lib.sh"
deadlocks() { sql "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"; }

# writer STORE NUMBER UNTIL: for some seconds, calls whose ops come in an order of the writer's own: upserts of some identities, deletes
# of others, both spread over the whole range. One transaction a call; ids 301 and up are never deleted. Of the calls that wait in
# the pipe when the time is over, none is made.
writer() {
    local end=$((SECONDS + 5)) round=0 direction=$((1 - $2 % 2 * 2))
    while [ $SECONDS -lt $end ]; do
        round=$((round + 1))
        cat <<END
SELECT session_update('$1', jsonb_agg(op ORDER BY i * $direction))
FROM generate_series(1, 320) AS i, LATERAL (SELECT CASE WHEN i <= 300 AND (i + $round) % 3 = 0
    THEN jsonb_build_object('delete', jsonb_build_array(i))
    ELSE jsonb_build_object('upsert', jsonb_build_array(jsonb_build_object('id', i, 'writer', $2, 'round', $round))) END AS op) AS _
HAVING clock_timestamp() < '$3';
END
        [ $((round % 20)) != 0 ] || sleep 0.1
    done | psql -o /dev/null
}

before=$(deadlocks)
for shards in 1 4; do
    store=stash_$shards
    sql "SELECT session_add('$store', key => 'id', shards => $shards)" -o /dev/null
    pids=() until=$(sql "SELECT now() + interval '5 s'")
    for number in 1 2 3 4; do
        writer "$store" "$number" "$until" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done

    # The last call to commit is seen whole: its 20 lasting documents, and a third of the others missing.
    is "$store: writers of the lasting documents" 1 "$(sql "SELECT count(DISTINCT (doc->'writer', doc->'round')) FROM sessions.$store WHERE (doc->>'id')::int > 300")"
    is "$store: documents" 220 "$(sql "SELECT session_count('$store', '*:*')")"
    is "$store: documents under another's identity" 0 "$(sql "SELECT count(*) FROM sessions.$store WHERE id <> doc->>'id'")"
    is "$store: what the last writer deleted" 0 "$(sql "
        SELECT count(*) FROM sessions.$store, (SELECT (doc->>'round')::int AS round FROM sessions.$store WHERE id = '320') AS last
        WHERE id::int <= 300 AND (id::int + round) % 3 = 0")"
done
is 'deadlocks' "$before" "$(sleep 1; deadlocks)"
echo 'no deadlock'
