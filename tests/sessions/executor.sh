#!/usr/bin/env bash
# What the posting lists say is what the matcher says, in every snapshot: while documents are written, moved, deleted and taken back,
# and while the table and its index are vacuumed, rewritten, dropped and made anew.
#   CHANGES_MEMORY=64kB         for sessions that remember little of what changed, or much
#   SECONDS_TO_RUN=600 SEED=7   for longer, and for the questions, documents and commands of an earlier run; their timing is another
. "$(dirname "$0")/lib.sh"
seconds=${SECONDS_TO_RUN:-60} seed=${SEED:-$((($(date +%s%N) / 1000) % 32768))} documents=1500
echo "seed $seed"
psql -f tests/sessions/executor.sql
# plain and sharded change everywhere; of still, few documents do, and most pages stay all-visible.
stores='plain sharded still'
written() { if [ "$1" = still ]; then echo 40; else echo $documents; fi; }
sql "CALL make_store('plain', 1, $documents)"
sql "CALL make_store('sharded', 3, $documents)"
sql "CALL make_store('still', 1, $((8 * documents)))"
sql 'VACUUM sessions.still'

dir=$(mktemp -d "${TMPDIR:-/tmp}/session_store.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# Uncommitted writes count for their own transaction and for no other.
mkfifo "$dir/writer"
psql -o "$dir/written" <"$dir/writer" &
exec 3>"$dir/writer"
counts="SELECT session_count('plain', 'r:[0 TO *]'), session_count('plain', 'mark:a'), session_count('plain', 'mark:b'), session_count('plain', 'id:1')"
before=$(sql "$counts")
echo "BEGIN; SELECT session_update('plain', '[{\"upsert\": [{\"id\": \"u\", \"mark\": \"a\"}, {\"id\": 2, \"mark\": \"a\"}], \"delete\": [1]}]');
    UPDATE sessions.plain SET doc = doc || '{\"mark\": \"b\"}' WHERE id = 'u'; $counts;
    SAVEPOINT s; DELETE FROM sessions.plain WHERE id = 'u'; $counts; ROLLBACK TO s; $counts; SELECT pg_advisory_lock(1);" >&3
until [ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" = 1 ]; do sleep 0.1; done
all=${before%%|*}
is 'before' "$all|0|0|1" "$before"
is 'from outside' "$before" "$(sql "$counts")"
echo 'COMMIT;' >&3
exec 3>&-
wait $!
is 'from inside' "$((all - 2))|1|1|0 $((all - 2))|1|0|0 $((all - 2))|1|1|0" "$(grep . "$dir/written" | xargs)"
is 'committed' "$((all - 2))|1|1|0" "$(sql "$counts")"
sql "SELECT session_update('plain', '[{\"delete\": [\"u\"]}]')" -o /dev/null

# run NAME COMMAND: until the time is over; what PostgreSQL asks to be tried again is tried again, and all else is kept as a failure
until=$(sql "SELECT now() + interval '$seconds s'")
end=$((SECONDS + seconds))
run() {
    while [ $SECONDS -lt $end ]; do
        if psql -v VERBOSITY=verbose -o /dev/null -c "$2" 2>"$dir/$1"; then continue; fi
        grep -qE 'ERROR:  (40001|40P01|55P03)' "$dir/$1" || return 1
    done
    : >"$dir/$1"
}
fraction() { echo "0.$(((seed * 7919 + $1 * 104729) % 1000000 + 1000000))"; }

# What is done to the table and its index; $1 is a table, $2 its index.
upkeep() {
    local t=$1 i=$2 partition
    partition=$(sql "SELECT coalesce((SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = '$t'::regclass ORDER BY random() LIMIT 1), '$t'::regclass)")
    local index="(SELECT indexrelid FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid WHERE indrelid = '$partition'::regclass AND relam = 2742 LIMIT 1)"
    local commands=(${COMMANDS:-{0..13}})
    case ${commands[RANDOM % ${#commands[@]}]} in
    0 | 1 | 2) sql "VACUUM $partition" ;;
    3) sql "VACUUM (FREEZE) $t" ;;
    4) sql "VACUUM FULL $t" ;;
    5) sql "REINDEX INDEX CONCURRENTLY sessions.$i" ;;
    6) sql "REINDEX INDEX sessions.$i" ;;
    7) sql "DROP INDEX sessions.$i; CREATE INDEX $i ON $t USING gin (doc jsonb_lucene_ops)" ;;
    8) sql "DROP INDEX sessions.$i" && sql "UPDATE $t SET doc = random_doc(id) WHERE id ~ '^[0-9]*7\$'" &&
        sql "CREATE INDEX $i ON $t USING gin (doc jsonb_lucene_ops) WITH (fastupdate = off)" ;;
    9) # Not for partitioned tables
        if [ "$t" != sessions.sharded ]; then
            sql "DROP INDEX CONCURRENTLY sessions.$i"
            sql "CREATE INDEX CONCURRENTLY $i ON $t USING gin (doc jsonb_lucene_ops)"
        fi ;;
    10) sql "ANALYZE $t" ;;
    11 | 12) sql "SELECT gin_clean_pending_list($index)" ;;
    13) for i in $(sql "SELECT $index::regclass"); do
        sql "ALTER INDEX $i SET (fastupdate = $((RANDOM % 2)), gin_pending_list_limit = $((64 << RANDOM % 7)))"; done ;;
    esac
}
keep() { # STORE SEED
    local i
    RANDOM=$2
    i=$(sql "SELECT relname FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid WHERE indrelid = 'sessions.$1'::regclass AND relam = 2742")
    while [ $SECONDS -lt $end ]; do
        if ! upkeep "sessions.$1" "$i" >/dev/null 2>"$dir/keep_$1"; then
            grep -qE 'deadlock|lock timeout|could not serialize' "$dir/keep_$1" || return 1
        fi
        # An index that was given up half made, or not made at all
        sql "SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index WHERE NOT indisvalid AND indrelid = 'sessions.$1'::regclass" | psql 2>/dev/null || :
        sql "CREATE INDEX IF NOT EXISTS $i ON sessions.$1 USING gin (doc jsonb_lucene_ops)" 2>/dev/null || :
        sql "SELECT pg_sleep(random() / 4)" -o /dev/null
    done
    : >"$dir/keep_$1"
}

export PGOPTIONS="-c client_min_messages=error -c lock_timeout=20s${CHANGES_MEMORY:+ -c session_store.changes_memory=$CHANGES_MEMORY}"
pids=() names=()
start() { "$@" & pids+=($!); }
for store in $stores; do
    for n in 1 2; do
        start run "write_${store}_$n" "CALL write('$store', $(written "$store"), '$until', $(fraction $n))"
    done
    # What waits for all others would leave no time to vacuum what is to be all-visible.
    if [ $store = still ]; then COMMANDS=${COMMANDS:-0 1 2 3 6 11 13} start keep $store $seed; else start keep $store $((seed + ${#store})); fi
done
n=10
for level in 'repeatable read' 'repeatable read' serializable 'read committed'; do
    for store in $stores; do
        n=$((n + 1))
        PGOPTIONS="$PGOPTIONS -c default_transaction_isolation=${level// /\\ }" start run "ask_$n" "CALL ask('$store', '$until', $(fraction $n))"
    done
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
if [ $failed = 1 ]; then
    tail -n +1 "$dir"/{write,ask,keep}_* >&2
    is "of sessions, with seed $seed" 'no failure' 'the above'
fi

# On a busy machine, pages were seldom all-visible for long. Where nothing is written any more, they are.
sql 'VACUUM sessions.still'
sql "CALL ask('still', now() + interval '5 s', $(fraction 9))"

for store in $stores; do
    is "$store: tokens" 100 "$(sql "SELECT session_count('$store', 'kind:token')")"
    is "$store: documents" "$(sql "SELECT count(*) FROM sessions.$store")" "$(sql "SELECT session_count('$store', '*:*')")"
done
read -r compared written listed planned counted < <(sql "SELECT c.last_value || ' ' || w.last_value || ' ' || l.last_value || ' ' || p.last_value || ' ' || n.last_value
    FROM comparisons AS c, writes AS w, ways_posting_lists AS l, ways_planner AS p, ways_counted AS n")
is 'most answers come from posting lists' yes "$([ "$listed" -gt "$planned" ] && echo yes || echo "$listed of $((listed + planned))")"
is 'some postings are counted, packed' yes "$([ "$counted" -gt 1 ] && echo yes || echo "$counted")"
echo "$compared comparisons and $written transactions in $seconds s, seed $seed; of $((listed + planned)) answers looked at, $listed came from posting lists, $counted of them counted packed"
