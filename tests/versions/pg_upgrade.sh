#!/usr/bin/env bash
# pg_upgrade carries stores from one version of PostgreSQL to another: pg_upgrade.sh OLD_BIN NEW_BIN, two
# installations that both have the extension. Answers, indexes, a view and stored queries are as before; so is what is
# odd: entries in the pending lists, a store without a log, the index that an interrupted REINDEX CONCURRENTLY leaves.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
old=$1 new=$2
run_as=${PG_RUN_AS:-env -C /}
dir=$($run_as mktemp -d /tmp/session_store.XXXXXX)
finish() {
    for bin in "$old" "$new"; do
        $run_as "$bin/pg_ctl" -D "$dir/${bin//\//_}" -m immediate -s stop >/dev/null 2>&1 || :
    done
    rm -rf "$dir" "$dir".{old,before,log}
}
trap finish EXIT
export PGHOST=$dir PGUSER=postgres PGDATABASE=postgres PGPORT=5432 PGOPTIONS='-c client_min_messages=warning'

# init BIN: from 18 on, initdb switches checksums on, and pg_upgrade wants both clusters alike.
init() {
    local options=(-U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync)
    if "$1/initdb" --help | grep -q no-data-checksums; then options+=(--no-data-checksums); fi
    $run_as "$1/initdb" -D "$dir/${1//\//_}" "${options[@]}" >/dev/null
}
start() {
    $run_as "$1/pg_ctl" -D "$dir/${1//\//_}" -l "$dir/log" -w -s start \
        -o "-c unix_socket_directories=$dir -c listen_addresses= -c fsync=off -c max_prepared_transactions=1"
}
# The new one's psql reads old servers too, and that of the Python package with 17 crashes.
psql() { "$new/psql" -Xq -v ON_ERROR_STOP=1 "$@"; }

answers() {
    psql -At <<'SQL'
SELECT q, session_query('stash', q, 'session.id', rows => 5), session_explain('stash', q)->>'way'
FROM unnest(ARRAY['*:*', 'event.type:click', 'user.tags:vip AND session.pages:[2 TO 9]', 'user.name:Z*', '-event.type:view', 'user.id:/.*e9/']) AS q;
SELECT store, q, session_query(store, q, 'id desc', rows => 5), session_explain(store, q)->>'way'
FROM unnest(ARRAY['parts', 'unlogged']) AS store, unnest(ARRAY['*:*', 'a.b:3', 'id:[10 TO 20]', 'name:x1~1']) AS q;
SELECT relpersistence FROM pg_class WHERE oid = 'sessions.unlogged'::regclass;
SELECT * FROM seen;
SELECT id, q FROM alerts ORDER BY id;
SELECT alerts.id, count(*) FROM alerts JOIN sessions.stash ON doc @@@ q GROUP BY 1 ORDER BY 1;
SET enable_seqscan = off;
SELECT count(*) FROM logs WHERE entry @@@ 'level:error';
-- Not documents, an estimate: pg_upgrade carries its statistics only to 18.
SELECT name, key, shards FROM session_list();
SQL
}

init "$old"
start "$old"
psql -c 'CREATE EXTENSION session_store' -f samples/sessions.sql -o /dev/null
psql -o /dev/null 2>"$dir.old" <<'SQL' || { cat "$dir.old" >&2 && exit 1; }
SELECT session_add('parts', 'id', shards => 3);
INSERT INTO sessions.parts SELECT i, jsonb_build_object('id', i, 'a.b', i % 7, 'name', 'x' || i) FROM generate_series(1, 500) AS i;
CREATE VIEW seen AS
SELECT session_count('stash', 'event.type:click') AS clicks, (SELECT count(*) FROM sessions.parts WHERE doc @@@ 'a.b:[1 TO 3]') AS parts;
CREATE TABLE alerts (id int, q lucene_query UNIQUE);
INSERT INTO alerts VALUES (1, 'event.type:click AND user.tags:vip'), (2, 'session.pages:[10 TO *]'), (3, '-user:*');
CREATE TABLE logs (entry jsonb);
INSERT INTO logs SELECT jsonb_build_object('level', CASE i % 9 WHEN 0 THEN 'error' ELSE 'info' END) FROM generate_series(1, 1000) AS i;
CREATE INDEX ON logs USING gin (entry jsonb_lucene_ops);
SELECT session_add('unlogged', 'id');
ALTER TABLE sessions.unlogged SET UNLOGGED;
INSERT INTO sessions.unlogged SELECT id, doc FROM sessions.parts;
VACUUM ANALYZE;
-- REINDEX CONCURRENTLY waits for this transaction until it gives up.
BEGIN;
LOCK TABLE sessions.stash IN ROW EXCLUSIVE MODE;
PREPARE TRANSACTION 'writer';
SET lock_timeout = '100ms';
\set ON_ERROR_STOP off
REINDEX INDEX CONCURRENTLY sessions.stash_doc_idx;
\set ON_ERROR_STOP on
ROLLBACK PREPARED 'writer';
SQL
[ "$(psql -At -c 'SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid')" = sessions.stash_doc_idx_ccnew ] || {
    echo 'no index that is not valid' >&2
    exit 1
}
# Minor releases of which only the old one knows an option that it keeps for each column are none that
# pg_upgrade leads between, whatever is in the tables.
for option in $(psql -At -c "SELECT DISTINCT split_part(option, '=', 1) FROM pg_attribute, unnest(attoptions) AS option"); do
    if ! grep -qa "$option" "$new/postgres"; then
        echo "skipped: $("$new/postgres" --version) is too old to know $option of $("$old/postgres" --version)"
        exit
    fi
done
# Some entries wait in the pending lists.
psql -c "SELECT session_update('stash', '[{\"upsert\": [{\"session\": {\"id\": \"late\", \"pages\": 5}, \"user\": {\"tags\": [\"vip\"]}}]}]')" -o /dev/null
answers >"$dir.before"
$run_as "$old/pg_ctl" -D "$dir/${old//\//_}" -m fast -w -s stop

init "$new"
$run_as env -C "$dir" "$new/pg_upgrade" -b "$old" -B "$new" -d "$dir/${old//\//_}" -D "$dir/${new//\//_}" \
    -U postgres -s "$dir" >"$dir.log" 2>&1 || {
    tail -n 60 "$dir.log" "$dir/${new//\//_}"/pg_upgrade_output.d/*/log/pg_upgrade_dump_*.log >&2
    exit 1
}
start "$new"
status=0
diff "$dir.before" <(answers) || status=1
# And they go on being written to.
[ "$(psql -At -c "SELECT session_update('parts', '[{\"upsert\": [{\"id\": \"new\", \"a.b\": 3}], \"delete\": [3]}]')" \
    -c "SELECT session_count('parts', 'a.b:3'), (SELECT count(*) FROM sessions.parts WHERE doc->>'a.b' = '3')" | tail -n 1)" = '72|72' ] || {
    echo 'the store is wrong after an update' >&2
    status=1
}
[ $status = 0 ] && echo "from $("$old/postgres" --version) to $("$new/postgres" --version): every answer is the same"
exit $status
