#!/usr/bin/env bash
# With old_snapshot_threshold (PostgreSQL 14 to 16) rows may be taken from under an old snapshot. Whoever reads a page from which that
# may have been done is told so, as a plain scan is: 72000 "snapshot too old", and no answer that lacks them.
. "$(dirname "$0")/lib.sh"
if [ "$(sql "SELECT count(*) FROM pg_settings WHERE name = 'old_snapshot_threshold'")" = 0 ]; then
    echo 'skipped: this server has no old_snapshot_threshold'
    exit
fi
dir=$($PG_RUN_AS mktemp -d /tmp/session_store.XXXXXX)
stop() {
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -m immediate -s stop || :
    rm -rf "$dir"
}
trap stop EXIT
$PG_RUN_AS "$PG_BINDIR/pg_basebackup" -D "$dir/data" -X stream -c fast
# 0 is for tests: every snapshot is old at once.
$PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-c unix_socket_directories=$dir -c listen_addresses= -c old_snapshot_threshold=0 -c autovacuum=off" -w -s start
export PGHOST=$dir

# ends CHANGE QUESTION…: what becomes of each, and of a plain scan at last, in a transaction whose snapshot was taken six seconds before
# the documents were changed (snapmgr.c, TransactionIdLimitedForOldSnapshots: with 0, snapshots of five seconds are old).
ends() {
    local question
    {
        cat <<SQL
SELECT session_drop(name) FROM session_list() WHERE name = 's' \g /dev/null
SELECT session_add('s', 'id') \g /dev/null
ALTER INDEX sessions.s_doc_idx SET (fastupdate = $fastupdate);
INSERT INTO sessions.s SELECT n, jsonb_build_object('id', n::text, 'k', n % 7, 'o', jsonb_build_object('p', 1)) FROM generate_series(1, 3000) AS n;
VACUUM (FREEZE, ANALYZE) sessions.s;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_sleep(6) \g /dev/null
-- What a session remembers of pages is not to be asked instead.
SELECT session_count('s', q) FROM unnest(array['*:*', '*:*', '-k:2', '-k:2', 'k:[0 TO 9]', 'k:[0 TO 9]']) AS q \g /dev/null
\! printenv CHANGE | "$PG_BINDIR/psql" -XqAt
SQL
        for question in "${@:2}" "SELECT count(doc->'o') FROM sessions.s"; do
            printf 'SAVEPOINT a;\n%s;\nROLLBACK TO a;\n' "$question"
        done
    } | CHANGE=$1 psql -v VERBOSITY=sqlstate -v ON_ERROR_STOP=0 2>&1
}
questions=(
    "SELECT session_count('s', 'k:1')" "SELECT session_count('s', '*:*')" "SELECT session_count('s', '-k:2')" "SELECT session_count('s', 'o:*')"
    "SELECT session_count('s', 'k:[0 TO 9]')" "SELECT session_query('s', 'k:[1 TO 3]')" "SELECT session_query('s', '*:*', sort => 'k asc')"
    "SELECT count(*) FROM session_stream('s', '*:*')" "SELECT count(*) FROM session_stream('s', 'k:1 k:2', sort => 'id desc')"
    "SELECT session_explain('s', 'k:*')" "SELECT count(*) FROM sessions.s WHERE doc @@@ 'k:1'" "SELECT count(doc) FROM sessions.s WHERE doc @@@ 'k:1'"
)
for fastupdate in off on; do
    for change in "DELETE FROM sessions.s WHERE doc->>'k' = '1'" "UPDATE sessions.s SET doc = doc || '{\"k\": 9}' WHERE doc->>'k' = '1'"; do
        is "fastupdate $fastupdate, $change" "$(printf 'ERROR:  72000\n%.0s' "${questions[@]}" plain)" "$(ends "$change; VACUUM sessions.s; VACUUM sessions.s" "${questions[@]}")"
    done
done
# Old snapshots from which nothing was taken are served. (VACUUM alone changes an index's metapage, and GIN's own scans are refused for it.)
is 'untouched' "$(printf '%s\n' 429 3000 3000)" "$(ends 'SELECT FROM sessions.s' "${questions[@]:0:2}")"
echo 'refused as a plain scan is'
