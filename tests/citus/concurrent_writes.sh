#!/usr/bin/env bash
# Sessions on all servers that upsert and delete the same identities in opposite orders never deadlock.
# They run for SECONDS_TO_RUN, or 30 seconds.
. "$(dirname "$0")/lib.sh"
everywhere() { "$@"; worker 1 "$@"; worker 2 "$@"; }
deadlocks() { everywhere sql "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()" | awk '{ sum += $1 } END { print sum }'; }

# writer NUMBER: calls whose ops come in an order of the writer's own, one transaction each: upserts of some identities, deletes
# of others; ids 301 and up are never deleted.
writer() {
    local end=$((SECONDS + ${SECONDS_TO_RUN:-30})) round=0 direction=$((1 - $1 % 2 * 2))
    coproc session { "${@:2}"; }
    while [ $SECONDS -lt $end ]; do
        round=$((round + 1))
        cat <<END >&"${session[1]}"
SELECT session_update('stash', jsonb_agg(op ORDER BY i * $direction))
FROM generate_series(1, 320) AS i, LATERAL (SELECT CASE WHEN i BETWEEN 100 * ($round % 3) + 1 AND 100 * ($round % 3) + 100 THEN jsonb_build_object('delete', jsonb_build_array(i))
    ELSE jsonb_build_object('upsert', jsonb_build_array(jsonb_build_object('id', i, 'writer', $1, 'round', $round))) END AS op) AS _ \\g /dev/null
\\echo $round
END
        read -r <&"${session[0]}" # when it is done
        echo $round
    done >"$rounds/$1"
    [ "$REPLY" = $round ]
}

rounds=$(mktemp -d)
trap 'rm -rf "$rounds"' EXIT
sql "SELECT session_add('stash', 'id', shards => 8)" -o /dev/null
before=$(deadlocks)
pids=()
writer 1 psql & pids+=($!)
writer 2 psql & pids+=($!)
writer 3 worker 1 psql & pids+=($!)
writer 4 worker 2 psql & pids+=($!)
for pid in "${pids[@]}"; do wait "$pid"; done

# The documents that all upsert are those of one call. (A delete does not see a document that another transaction is just
# inserting, as in plain SQL, so the others may be of several.)
is 'writers of the lasting documents' '1 20' "$(sql "SELECT count(DISTINCT (doc->'writer', doc->'round')) || ' ' || count(*) FROM sessions.stash WHERE id::int > 300")"
is "documents under another's identity" 0 "$(sql "SELECT count(*) FROM sessions.stash WHERE id <> doc->>'id'")"
is 'deadlocks' "$before" "$(sleep 1; deadlocks)"
is 'prepared transactions that were left' '0' "$(everywhere sql 'SELECT count(*) FROM pg_prepared_xacts' | awk '{ sum += $1 } END { print sum }')"
echo "$(cat "$rounds"/* | wc -l) calls, no deadlock"
