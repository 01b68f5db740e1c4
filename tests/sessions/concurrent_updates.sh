#!/usr/bin/env bash
# Sessions that write the same documents wait for each other: no deadlock, and each call all or nothing.
. "$(dirname "$0")/lib.sh"
sql "SELECT session_add('stash')"

# Four writers, each in an order of its own, over the same 200 ids; new ones, old ones and deletions.
writer() {
    local round order=$((1 - $1 % 2 * 2))
    for round in {1..25}; do
        echo "SELECT session_update('stash', jsonb_build_array(jsonb_build_object(
                  'upsert', jsonb_agg(jsonb_build_object('session', jsonb_build_object('id', i), 'writer', $1, 'round', $round) ORDER BY i * $order),
                  'delete', jsonb_build_array(1000 + $round % 3))))
              FROM generate_series(1, 200) AS i;"
    done | psql -o /dev/null
}
pids=()
for i in 1 2 3 4; do
    writer "$i" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done

is 'documents' 200 "$(sql "SELECT count(*) FROM sessions.stash")"
is 'writers whose call is visible, and their round' '1|25' \
    "$(sql "SELECT count(DISTINCT doc->>'writer'), min(doc->>'round') FROM sessions.stash")"

# The second of two calls wins, however long the first keeps its transaction open.
update() { echo "SELECT session_update('stash', '[{\"upsert\": [{\"session\": {\"id\": $1}, \"writer\": \"$2\"}]}]')"; }
psql -o /dev/null <<END &
BEGIN;
$(update 7 first);
$(update 9 first);
SELECT pg_sleep(2);
COMMIT;
END
until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' AND wait_event = 'PgSleep'")" = 1 ]; do sleep 0.1; done
psql -o /dev/null -c "$(update 9 second)"
wait $!
is 'the last word on 7 and 9' 'first second' "$(sql "SELECT string_agg(doc->>'writer', ' ' ORDER BY id) FROM sessions.stash WHERE id IN ('7', '9')")"
