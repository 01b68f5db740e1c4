#!/usr/bin/env bash
# After a crash amid writes, every document that was committed is there, and the posting lists say so as the matcher does.
#   ROUNDS=20 for more crashes
. "$(dirname "$0")/lib.sh"
dir=$($PG_RUN_AS mktemp -d /tmp/session_store.XXXXXX)
stop() {
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -m immediate -s stop 2>/dev/null || :
    rm -rf "$dir" "$work"
}
work=$(mktemp -d "${TMPDIR:-/tmp}/session_store.XXXXXX")
trap stop EXIT
# The server of all tests must not be stopped, and has fsync off.
$PG_RUN_AS "$PG_BINDIR/pg_basebackup" -D "$dir/data" -X stream -c fast
printf "%s\n" 'fsync = on' 'autovacuum_naptime = 1' 'max_wal_size = 64MB' | $PG_RUN_AS tee -a "$dir/data/postgresql.conf" >/dev/null
start() { $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-c unix_socket_directories=$dir -c listen_addresses=" -w -t 120 -s start; }
start
export PGHOST=$dir
for store in plain:1 sharded:2; do sql "SELECT session_add('${store%:*}', 'id', shards => ${store#*:})" -o /dev/null; done

# writer STORE NUMBER ROUND: three new documents a call, one of which an earlier call of this writer had, and notes each number once
# it is committed.
writer() {
    local i
    for i in {1..100000}; do
        echo "SELECT session_update('$1', jsonb_build_array(jsonb_build_object('upsert', (SELECT jsonb_agg(jsonb_build_object(
                'id', 'w$2-$3-' || ${i} - back, 'last', $i, 'writer', $2, 'round', $3, 'v', array[$i % 7, $i % 13], 's', md5('$i' || back)))
            FROM (VALUES (0), (0.25), (1)) AS _(back)))))\\g /dev/null"
        echo "\\echo $i"
    done | psql >"$work/done-$1-$2-$3" 2>/dev/null || :
}

for round in $(seq "${ROUNDS:-3}"); do
    pids=()
    for store in plain sharded; do
        for number in 1 2; do
            writer $store $number "$round" &
            pids+=($!)
        done
        (while sql "VACUUM sessions.$store" && sql "REINDEX TABLE sessions.$store"; do sleep 0.2; done 2>/dev/null) &
        pids+=($!)
    done
    # Each has committed something, however busy the machine is.
    for file in "$work"/done-{plain,sharded}-{1,2}-"$round"; do
        for _ in {1..600}; do
            [ -s "$file" ] && break
            sleep 0.1
        done
    done
    sleep "$(((RANDOM % 20) / 10 + 1)).$((RANDOM % 10))"
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -m immediate -s stop
    wait "${pids[@]}" || :
    start
    for store in plain sharded; do
        for number in 1 2; do
            committed=$(tail -n 1 "$work/done-$store-$number-$round")
            is "round $round: writer $number has written to $store" yes "$([ "${committed:-0}" -gt 0 ] && echo yes || echo no)"
            # Every call replaces its predecessor's last whole-numbered document; one call may have been committed and not been noted.
            found=$(sql "SELECT count(*) FILTER (WHERE (doc->>'last')::int <= $committed), count(*) - 2 * count(DISTINCT doc->'last')
                FROM sessions.$store WHERE doc->>'writer' = '$number' AND doc->>'round' = '$round'")
            is "round $round: documents of writer $number in $store that were committed; those beside two of each call" \
                "$((2 * committed + 1))|1" "$(sql "SELECT ${found%|*} + (SELECT count(*) FROM sessions.$store WHERE id = format('w%s-%s-%s', $number, $round, $committed)
                    AND doc->'last' = to_jsonb($committed + 1)), ${found#*|}")"
        done
        # All ways of asking, before anything repairs anything, and once everything is vacuumed
        for step in 'SELECT' "VACUUM sessions.$store"; do
            sql "$step" -o /dev/null
            is "round $round: counts in $store that differ, after $step" '' "$(sql "
                SELECT q, by_matcher, by_lists FROM unnest(array['*:*', 'id:*', 'writer:1', 'round:$round', 'v:3', 'v:[2 TO 5]', 's:a*', 's:/.*[0-4]/', '-v:0', 'last:[* TO 50] -v:(1 OR 2)',
                    'writer:2 AND round:[2 TO *]', 'id:w1-$round-10~1', '5']) AS q,
                LATERAL (SELECT session_count('$store', q) AS by_lists, count(*) AS by_matcher FROM sessions.$store WHERE session_store.lucene_match(doc, q::lucene_query)) AS _
                WHERE by_matcher <> by_lists")"
            is "round $round: streamed documents of $store" "$(sql "SELECT md5(string_agg(id, ' ' ORDER BY id)) FROM sessions.$store")" \
                "$(sql "SELECT md5(string_agg(doc->>'id', ' ' ORDER BY doc->>'id')) FROM session_stream('$store', '*:*', sort => 'last desc') AS doc")"
            is "round $round: way" 'posting lists' "$(sql "SELECT session_explain('$store', 'v:3')->>'way'")"
        done
    done
done
echo "${ROUNDS:-3} crashes, $(sql "SELECT session_count('plain', '*:*') + session_count('sharded', '*:*')") documents"
