#!/usr/bin/env bash
# A standby counts right while its primary inserts, updates, deletes and vacuums: what replay takes away from under a query cancels the
# query, and never changes its count.
#   SECONDS_TO_RUN=300 for longer, CHANGES_MEMORY=64kB for sessions that remember little of what changed, or much
. "$(dirname "$0")/lib.sh"
seconds=${SECONDS_TO_RUN:-12}
for store in plain:1 sharded:2; do
    sql "SELECT session_add('${store%:*}', 'id', shards => ${store#*:});
        ALTER TABLE sessions.${store%:*} ADD COLUMN touched int;
        SELECT session_update('${store%:*}', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(
            jsonb_build_object('id', i, 'token', i <= 100, 'state', i % 4, 'v', array[i % 50, i % 7], 's', md5(i::text))))))
        FROM generate_series(1, 2000) AS i" -o /dev/null
done
# A standby can run what is there and make nothing of its own. READ COMMITTED asks in single statements.
psql <<'SQL'
CREATE PROCEDURE ask(store text, until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    is_one boolean := current_setting('transaction_isolation') = 'repeatable read';
    q text;
    got text[];
    expected text[];
    asked int := floor(random() * 1000);
BEGIN
    WHILE clock_timestamp() < until LOOP
        asked := asked + 1;
        q := (ARRAY['*:*', 'v:' || asked % 50, 'v:[3 TO ' || asked % 60 || ']', 's:a*', 's:/.*[0-4]/', '-v:0', '-token:true v:[1 TO *]',
            'token:true AND state:' || asked % 4, '5', 's:*e AND v:[10 TO 30]', 'state:1 OR state:2 -v:3', 'token:*', 'r:[1 TO ' || asked % 100 || ']'])[1 + asked % 13];
        EXECUTE format('SELECT ARRAY[session_count($1, $2), (SELECT count(*) FROM sessions.%I WHERE session_store.lucene_match(doc, $2::lucene_query)),
            (SELECT count(*) FROM session_stream($1, $2, sort => ''v desc, s asc''))]::text[]', store) INTO got USING store, q;
        IF got <> array_fill(got[1], ARRAY[3]) THEN RAISE 'difference: % % %', store, q, got USING ERRCODE = 'P0004'; END IF;
        IF session_count(store, 'token:true') <> 100 THEN RAISE 'difference: tokens of %', store USING ERRCODE = 'P0004'; END IF;
        IF is_one THEN
            PERFORM pg_sleep(random() / 5);
            PERFORM set_config('enable_seqscan', 'off', true);
            EXECUTE format('SELECT array_agg(id ORDER BY id) FROM sessions.%I WHERE doc @@@ %L', store, q) INTO expected;
            PERFORM set_config('enable_seqscan', 'on', true);
            SELECT array_agg(doc->>'id' ORDER BY doc->>'id') INTO got FROM session_stream(store, q) AS doc;
            IF got IS DISTINCT FROM expected THEN RAISE 'difference: % % % %', store, q, expected, got USING ERRCODE = 'P0004'; END IF;
        END IF;
        COMMIT;
        RAISE INFO 'asked';
    END LOOP;
END $$;
SQL

dir=$($PG_RUN_AS mktemp -d /tmp/session_store.XXXXXX)
work=$(mktemp -d "${TMPDIR:-/tmp}/session_store.XXXXXX")
stop() {
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -m immediate -s stop || :
    rm -rf "$dir" "$work"
}
trap stop EXIT
$PG_RUN_AS "$PG_BINDIR/pg_basebackup" -D "$dir/data" -R -X stream -c fast
printf '%s\n' 'max_standby_streaming_delay = 1s' 'hot_standby_feedback = off' | $PG_RUN_AS tee -a "$dir/data/postgresql.conf" >/dev/null
$PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-c unix_socket_directories=$dir" -w -s start
standby() { "$@" -h "$dir"; }
# A server that is nobody's copy any more would prove nothing.
is 'read-only' t "$(standby sql 'SELECT pg_is_in_recovery()')"

until=$(sql "SELECT now() + interval '$seconds s'")
end=$((SECONDS + seconds))
# A message that comes with the end of a connection has no code.
unexpected() { grep -HE '^(ERROR|FATAL):' "$@" | grep -vE '(ERROR|FATAL):  (40001|40P01)|conflict with recovery'; }
ask() { # NAME STORE ISOLATION
    export PGOPTIONS="-c default_transaction_isolation=${3// /\\ }${CHANGES_MEMORY:+ -c session_store.changes_memory=$CHANGES_MEMORY}"
    : >"$work/$1"
    while [ $SECONDS -lt $end ]; do
        if standby psql -v VERBOSITY=verbose -c "CALL ask('$2', '$until')" 2>>"$work/$1"; then continue; fi
        # Cancelled, or even ended, by replay
        ! unexpected "$work/$1" || return 1
    done
}
write() { # STORE
    local i=0
    while [ $SECONDS -lt $end ]; do
        i=$((i + 1))
        cat <<END
SELECT session_update('$1', jsonb_build_array(jsonb_build_object('upsert', (SELECT jsonb_agg(jsonb_build_object('id', id, 'token', false, 'r', id % 100, 'v', array[(id + $i) % 50], 's', md5('$i' || id)))
    FROM generate_series(101 + $i * 37 % 1800, 120 + $i * 37 % 1800) AS id), 'delete', (SELECT jsonb_agg(id) FROM generate_series(101 + $i * 53 % 1800, 115 + $i * 53 % 1800) AS id))));
UPDATE sessions.$1 SET touched = $i WHERE id IN (($i % 2000)::text, ($i * 7 % 2000)::text);
UPDATE sessions.$1 SET doc = doc || jsonb_build_object('state', ((doc->>'state')::int + 1) % 4) WHERE id IN (($i % 100 + 1)::text, ($i * 3 % 100 + 1)::text);
END
        case $((i % 40)) in
        9) echo "VACUUM sessions.$1;" ;;
        19) echo "VACUUM (FREEZE) sessions.$1;" ;;
        29) echo "BEGIN; UPDATE sessions.$1 SET doc = '{}' WHERE id < '3'; ROLLBACK; VACUUM sessions.$1;" ;;
        # It leaves out rows that no snapshot of the primary sees any more. An older one of the standby may see them, and then misses
        # them in any index, by PostgreSQL's scans as well. So questions that were asked before the last changes get time to end.
        39) echo "SELECT pg_sleep(2); REINDEX TABLE sessions.$1;" ;;
        esac
    done | psql -o /dev/null
}
pids=()
for store in plain sharded; do
    write $store &
    pids+=($!)
    ask "repeatable-$store" $store 'repeatable read' &
    pids+=($!)
    ask "committed-$store" $store 'read committed' &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
if [ $failed = 1 ]; then
    unexpected "$work"/* >&2
    is 'sessions' 'no failure' 'the above'
fi

caught_up -h "$dir"
digest="SELECT count(*), md5(string_agg(id || md5(doc::text), ' ' ORDER BY id)) FROM sessions."
streamed="SELECT count(*), md5(string_agg((doc->>'id') || md5(doc::text), ' ' ORDER BY doc->>'id')) FROM session_stream"
for store in plain sharded; do
    is "documents of $store" "$(sql "$digest$store")" "$(standby sql "$digest$store")"
    is "streamed documents of $store" "$(sql "$digest$store")" "$(standby sql "$streamed('$store', '*:*') AS doc")"
    is "way of $store" 'posting lists' "$(standby sql "SELECT session_explain('$store', 'v:3')->>'way'")"
done
asked=$(cat "$work"/* | grep -c '^INFO: ') cancelled=$(cat "$work"/* | grep -cE '^(ERROR|FATAL):' || :)
is 'questions answered meanwhile, at least 20' yes "$([ "$asked" -ge 20 ] && echo yes || echo "$asked, and $cancelled cancelled")"
echo "$asked questions answered, $cancelled cancelled by replay"
