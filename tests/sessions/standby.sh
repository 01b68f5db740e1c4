#!/usr/bin/env bash
# A streaming standby answers every query as its primary does, and counts as a copy of every store.
. "$(dirname "$0")/lib.sh"
psql -f samples/sessions.sql
is 'copies without a standby' 1 "$(sql "SELECT copies FROM session_list()")"

dir=$($PG_RUN_AS mktemp -d /tmp/session_store.XXXXXX)
stop() {
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -m immediate -s stop || :
    rm -rf "$dir"
}
trap stop EXIT
$PG_RUN_AS "$PG_BINDIR/pg_basebackup" -D "$dir/data" -R -X stream -c fast
$PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-c unix_socket_directories=$dir" -w -s start
standby() { "$@" -h "$dir"; }

# Written after the copy was taken: it arrives by streaming.
sql "SELECT session_update('stash', '[{\"delete\": [2002], \"upsert\": [{\"session\": {\"id\": \"late\"}}]}]')" -o /dev/null
sql "SELECT session_add('bare'); INSERT INTO sessions.bare SELECT * FROM sessions.stash; DROP INDEX sessions.bare_doc_idx" -o /dev/null
lsn=$(sql 'SELECT pg_current_wal_lsn()')
for _ in {1..100}; do
    [ "$(standby sql "SELECT pg_last_wal_replay_lsn() >= '$lsn'")" = t ] && break
    sleep 0.1
done

is 'copies' '2 2' "$(sql "SELECT string_agg(copies::text, ' ') FROM session_list()")"
is 'read-only' t "$(standby sql 'SELECT pg_is_in_recovery()')"
is 'answers' "$(answers)" "$(standby answers)"
is 'count' 1 "$(standby sql "SELECT session_count('stash', 'session.id:late')")"
is 'stream' 3 "$(standby sql "SELECT count(*) FROM session_stream('stash', '_m1.ip:64.150.5.135')")"
for store in stash bare; do
    is "a stream of $store in a loop with COMMIT" 'NOTICE:  as many' "$(standby sql "DO \$\$
        DECLARE doc jsonb; n int := 0;
        BEGIN
            FOR doc IN SELECT session_stream('$store', '*:*', 'session.start') LOOP n := n + 1; COMMIT; END LOOP;
            RAISE NOTICE '%', CASE n WHEN session_count('stash', '*:*') THEN 'as many' ELSE n::text END;
        END \$\$" 2>&1)"
done
is 'list' 'bare stash' "$(standby sql "SELECT string_agg(name, ' ') FROM session_list()")"
is 'explain' t "$(standby sql "SELECT session_explain('stash', 'session.id:late') IS NOT NULL")"
if standby sql "SELECT session_update('stash', '[{\"delete\": [1]}]')" 2>/dev/null; then
    is 'an update on the standby' refused accepted
fi
