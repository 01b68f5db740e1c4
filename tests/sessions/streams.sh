#!/usr/bin/env bash
# Streams that are open while another session wants their table, that are ended from outside, on a standby, and by the planner's way for
# want of memory: none has rows that are wrong, and none takes the server down.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<'SQL'
SELECT session_add('held', 'id'), session_add('bare', 'id'), session_add('many', 'id');
INSERT INTO sessions.held SELECT i::text, jsonb_build_object('id', i, 'n', i % 700) FROM generate_series(1, 2000) AS i;
INSERT INTO sessions.bare SELECT * FROM sessions.held;
DROP INDEX sessions.bare_doc_idx;
CREATE TABLE plain (doc jsonb);
INSERT INTO plain SELECT doc FROM sessions.held;
CREATE INDEX ON plain USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE sessions.held, sessions.bare, plain;
SQL
started=$(sql 'SELECT pg_postmaster_start_time()')

dir=$(mktemp -d "${TMPDIR:-/tmp}/session_store.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# A session that is told what to do
begin_session() {
    mkfifo "$dir/in"
    "$PG_BINDIR/psql" -X -q -At <"$dir/in" >"$dir/out" 2>&1 &
    session=$! told=0
    exec 3>"$dir/in"
}
# tell SQL: and waits until it is done, or the session is gone
tell() {
    told=$((told + 1))
    printf '%s\n\\echo done %s\n' "$1" "$told" >&3
    until grep -qx "done $told" "$dir/out" || ! kill -0 "$session" 2>/dev/null; do sleep 0.05; done
}
end_session() {
    exec 3>&-
    wait "$session" || :
    rm "$dir/in"
}

# The lock of a stream that was read first within a savepoint lasts as long as it: who wants to write the table anew waits.
for read in "sessions.held|SELECT session_stream('held', '*:*')" "sessions.held|SELECT session_stream('held', '*:*', 'n')" \
    "sessions.bare|SELECT session_stream('bare', '*:*', 'n')" "plain|SELECT doc FROM plain WHERE doc @@@ 'n:[0 TO *]'"; do
    table=${read%%|*} read=${read#*|}
    begin_session
    tell "BEGIN; DECLARE c CURSOR FOR $read; SAVEPOINT s; MOVE 1 FROM c; ROLLBACK TO s;"
    for statement in "VACUUM FULL $table" "TRUNCATE $table" "DROP TABLE $table"; do
        is "$statement while $read" 'ERROR:  canceling statement due to lock timeout' \
            "$(PGOPTIONS='-c lock_timeout=200ms' sql "$statement" 2>&1 || :)"
    done
    tell 'FETCH ALL FROM c;'
    is "$read" '1999 1999' "$(grep -c '"id"' "$dir/out") $(sort -u "$dir/out" | grep -c '"id"')"
    tell 'COMMIT;'
    end_session
    sql "VACUUM FULL $table"
done

# Ended from outside, in the midst of a stream and between two of its rows
for read in "SELECT session_stream('held', '*:*', 'n')" "SELECT session_stream('bare', '*:*')" "SELECT session_stream('bare', '*:*', 'n')"; do
    begin_session
    tell "BEGIN; DECLARE c CURSOR FOR $read; SAVEPOINT s; MOVE 1 FROM c; SAVEPOINT t; DECLARE d CURSOR FOR $read; MOVE 20 FROM d;"
    tell 'SELECT pg_backend_pid();'
    sql "SELECT pg_terminate_backend($(grep -x '[0-9]*' "$dir/out"))" -o /dev/null
    end_session
    sql "DO \$\$ BEGIN FOR i IN 1 .. 100000 LOOP PERFORM doc, pg_sleep(0.001) FROM (SELECT session_stream('bare', '*:*') AS doc) AS _; END LOOP; END \$\$" >"$dir/out" 2>&1 &
    running=$!
    while pid=$(sql "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO%' AND state = 'active' AND datname = current_database()") && [ -z "$pid" ]; do sleep 0.05; done
    sql "SELECT pg_terminate_backend($pid)" -o /dev/null
    wait "$running" || :
    is 'terminated' 1 "$(grep -c 'terminating connection due to administrator command' "$dir/out")"
    is 'a timeout' 'ERROR:  canceling statement due to statement timeout' \
        "$(PGOPTIONS='-c statement_timeout=200ms' sql "SELECT doc, pg_sleep(0.01) FROM ($read AS doc) AS _" 2>&1 >"$dir/out" || :)"
done

# More matches than a sort by two paths has memory for: the planner's way, though the index is there
sql "INSERT INTO sessions.many SELECT i::text, jsonb_build_object('id', i, 'n', i % 7) FROM generate_series(1, 100001) AS i"
sql "DO \$\$
    DECLARE doc jsonb; n int := 0;
    BEGIN
        SET work_mem = '64kB';
        FOR i IN 1 .. 3 LOOP
            FOR doc IN SELECT session_stream('many', '*:*', 'n, id') LOOP
                n := n + 1;
                IF n % 50000 = 10 THEN COMMIT; END IF;
            END LOOP;
        END LOOP;
        ASSERT n = 300003, n;
    END \$\$"

is 'the server' "$started" "$(sql 'SELECT pg_postmaster_start_time()')"
