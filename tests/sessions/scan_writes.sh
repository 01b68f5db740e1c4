#!/usr/bin/env bash
# A statement that waited for a row's writer looks at the row anew: whether its query finds it still (EvalPlanQual). The scan of `@@@`
# tells so, in updates, deletions and locks, of the table itself and of one joined with it.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<'SQL'
CREATE TABLE scanned (id int PRIMARY KEY, doc jsonb, n int DEFAULT 0) WITH (autovacuum_enabled = off);
INSERT INTO scanned SELECT i, jsonb_build_object('a', i % 100, 'long', CASE WHEN i % 100 = 1 THEN repeat('x', 300) || 'y' END) FROM generate_series(1, 5000) AS i;
CREATE INDEX ON scanned USING gin (doc jsonb_lucene_ops);
CREATE TABLE others (id int PRIMARY KEY, doc jsonb, n int DEFAULT 0) WITH (autovacuum_enabled = off);
INSERT INTO others (id, doc) SELECT id, doc FROM scanned;
CREATE INDEX ON others USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE scanned, others;
SQL

dir=$(mktemp -d "${TMPDIR:-/tmp}/session_store.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# while_written STATEMENT QUERY: what a query says after the statement, which meets these rows of 50 as they are being written: 1 is
# not found any more, 101 is in another column, 201 is gone, 301 is taken back, and 2 is found only now.
while_written() {
    local plan
    plan=$(sql "EXPLAIN $1")
    is "a scan: $1" yes "$(grep -q LuceneScan <<<"$plan" && echo yes || echo "$plan")"
    mkfifo "$dir/writer"
    psql <"$dir/writer" >"$dir/written" 2>&1 &
    exec 3>"$dir/writer"
    echo "BEGIN;
        UPDATE scanned SET doc = '{\"a\": 2}' WHERE id = 1; UPDATE scanned SET n = 5 WHERE id = 101; DELETE FROM scanned WHERE id = 201;
        SAVEPOINT s; UPDATE scanned SET doc = '{\"a\": 3}' WHERE id = 301; ROLLBACK TO s; UPDATE scanned SET doc = doc || '{\"a\": 1}' WHERE id = 2;
        SELECT pg_advisory_lock(2);" >&3
    until [ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")" = 1 ]; do sleep 0.1; done
    sql "$1" >"$dir/out" 2>&1 &
    until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")" = 1 ]; do sleep 0.1; done
    echo 'COMMIT;' >&3
    exec 3>&-
    wait
    rm "$dir/writer"
    sql "$2"
    psql -o /dev/null <<'SQL'
TRUNCATE scanned;
INSERT INTO scanned (id, doc) SELECT id, doc FROM others;
VACUUM ANALYZE scanned;
SQL
}
found='a:1 AND long:*y'
touched="SELECT count(*), count(*) FILTER (WHERE id <= 301), string_agg(id || ' ' || n, ', ' ORDER BY id) FILTER (WHERE id <= 301) FROM scanned WHERE n >= 10"

is 'an update' '48|2|101 15, 301 10' "$(while_written "UPDATE scanned SET n = n + 10 WHERE doc @@@ '$found'" "$touched")"
is 'an update by what another table says' '48|2|101 15, 301 10' \
    "$(while_written "UPDATE scanned SET n = scanned.n + 10 FROM others WHERE others.id = scanned.id AND others.doc @@@ '$found' AND scanned.doc @@@ '$found'" "$touched")"
is 'an update where others exist' '48|2|101 15, 301 10' \
    "$(while_written "UPDATE scanned SET n = n + 10 WHERE doc @@@ '$found' AND EXISTS (SELECT 1 FROM others WHERE doc @@@ '$found')" "$touched")"
# Of rows that the scan was unsure of, the newest versions are asked the same.
is 'a deletion' '1 {"a": 2}, 2 {"a": 1, "long": null}' \
    "$(while_written "DELETE FROM scanned WHERE doc @@@ '$found'" "SELECT string_agg(id || ' ' || doc, ', ' ORDER BY id) FROM scanned WHERE doc @@@ 'a:1' OR id = 1")"
while_written "SELECT id, n FROM scanned WHERE doc @@@ '$found' FOR UPDATE" 'SELECT' >/dev/null
is 'locks' '48 101|5' "$(grep -c . "$dir/out") $(sort -n "$dir/out" | head -n 1)"
while_written "SELECT scanned.id, scanned.n FROM others JOIN scanned USING (id) WHERE others.doc @@@ '$found' AND scanned.doc @@@ '$found' FOR UPDATE OF scanned" 'SELECT' >/dev/null
is 'locks of one of two' '48 101|5' "$(grep -c . "$dir/out") $(sort -n "$dir/out" | head -n 1)"
