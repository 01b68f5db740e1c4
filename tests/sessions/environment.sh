#!/usr/bin/env bash
# A server that runs with RUST_BACKTRACE for the sake of another library: errors have no backtraces in them, and the environment stays
# what it is.
. "$(dirname "$0")/lib.sh"
dir=$($PG_RUN_AS mktemp -d /tmp/session_store.XXXXXX)
stop() {
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -m immediate -s stop 2>/dev/null || :
    rm -rf "$dir"
}
trap stop EXIT
$PG_RUN_AS "$PG_BINDIR/pg_basebackup" -D "$dir/data" -X stream -c fast
$PG_RUN_AS env -u RUST_LIB_BACKTRACE RUST_BACKTRACE=1 "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" \
    -o "-c unix_socket_directories=$dir -c listen_addresses=" -w -t 120 -s start
export PGHOST=$dir
sql "SELECT session_add('stash', 'id')" -o /dev/null
sql "SELECT session_update('stash', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i)))) FROM generate_series(1, 1000) AS i))" -o /dev/null

for statement in \
    "SELECT 'a:['::lucene_query" \
    "SELECT session_count('nowhere', '*:*')" \
    "SET statement_timeout = 1; SELECT count(*) FROM generate_series(1, 1000000) AS i WHERE session_count('stash', 'id:[' || i || ' TO *]') < 0" \
    "SELECT session_update('stash', '[{\"upsert\": [{\"id\": []}]}]')" \
    "SET ROLE pg_monitor; SELECT session_add('denied')" \
    "ALTER TABLE sessions.stash ADD CHECK (id <> 'bad'); SELECT session_update('stash', '[{\"upsert\": [{\"id\": \"bad\"}]}]')"; do
    if message=$(sql "$statement" 2>&1); then is "$statement" 'an error' "$message"; fi
    case $message in *backtrace* | *'.rs:'* | *'session_store::'* | *pgrx*) is "$statement" 'no backtrace' "$message" ;; esac
done
is 'the environment' '1 unset' "$(psql <<'SQL'
LOAD 'session_store';
CREATE TEMP TABLE seen (line text);
COPY seen FROM PROGRAM 'echo "$RUST_BACKTRACE ${RUST_LIB_BACKTRACE-unset}"';
TABLE seen;
SQL
)"
