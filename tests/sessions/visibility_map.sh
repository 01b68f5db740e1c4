#!/usr/bin/env bash
# A table whose visibility map has a second page (32,672 pages of the table to one of the map) is counted right: all of it visible,
# and with rows deleted, updated and inserted on pages that are in the second, the first and both.
. "$(dirname "$0")/lib.sh"
sql "SELECT session_add('wide', 'id')" -o /dev/null
# One row a page, without much to index in it: another column takes the room. The index comes last, for it is quicker so.
psql -o /dev/null <<'SQL'
ALTER TABLE sessions.wide ADD COLUMN filler text, ALTER COLUMN filler SET STORAGE PLAIN, SET (autovacuum_enabled = off, toast_tuple_target = 8000);
SELECT indexrelid::regclass AS index FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid WHERE indrelid = 'sessions.wide'::regclass AND relam = 2742 \gset
DROP INDEX :index;
INSERT INTO sessions.wide SELECT i, jsonb_build_object('id', i, 'n', i, 'm', i % 10), repeat('x', 4100) FROM generate_series(1, 33000) AS i;
CREATE INDEX ON sessions.wide USING gin (doc jsonb_lucene_ops);
ANALYZE sessions.wide;
SQL
# Whatever else looks at the database just then, as autovacuum does, may keep pages from being all-visible.
vacuum() {
    local _
    for _ in {1..50}; do
        sql 'VACUUM (INDEX_CLEANUP on) sessions.wide'
        if [ "$(sql "SELECT relallvisible = relpages FROM pg_class WHERE oid = 'sessions.wide'::regclass")" = t ]; then return; fi
        sleep 0.2
    done
    is 'pages that VACUUM makes all-visible' all some
}
vacuum
pages=$(sql "SELECT pg_relation_size('sessions.wide') / 8192")
is 'pages' 33000 "$pages"

# The counts by posting lists and by the matcher, which reads the table once; and how many pages of it the first of them visited
queries=('*:*' 'n:[32000 TO *]' m:3 -m:3 'n:[32670 TO 32675]' 'changed:*' 'm:[2 TO 4] -changed:true' 'n:[* TO 100]')
check() { # WHAT PAGES
    local by_matcher by_lists
    by_matcher=$(printf ", count(*) FILTER (WHERE doc @@@ '%s')" "${queries[@]}")
    by_lists=$(printf ", session_count('wide', '%s')" "${queries[@]}")
    is "$1: counts" "$(sql "SELECT ${by_matcher#, } FROM sessions.wide")" "$(sql "SELECT ${by_lists#, }")"
    # The ten items that an explanation reads are on pages of their own.
    is "$1: pages visited to count, at most $2" t "$(sql "SELECT (e->'read'->>'heap pages')::int <= $2 + 10 FROM session_explain('wide', '*:*') AS e")"
}
check 'vacuumed' 0
write() {
    sql "DELETE FROM sessions.wide WHERE id::int % 100 = 1 AND id::int > $1; UPDATE sessions.wide SET doc = doc || '{\"changed\": true}' WHERE id::int % 100 = 2 AND id::int > $1;
        INSERT INTO sessions.wide SELECT i, jsonb_build_object('id', i, 'n', i, 'm', i % 10, 'changed', 1), 'x' FROM generate_series(40000 + $1, 40010 + $1) AS i"
}
write 32672
check 'the second page of the map' 30
write 32500
check 'both pages of the map' 40
# Without INDEX_CLEANUP, entries of few dead rows are left where they are, and their pages are not all-visible.
vacuum
check 'vacuumed again' 0
write 0
check 'all of the table' 1700
is 'the documents of the second page' "$(sql "SELECT md5(string_agg(id, ' ' ORDER BY id::int)) FROM sessions.wide WHERE id::int >= 32672")" \
    "$(sql "SELECT md5(string_agg(doc->>'id', ' ')) FROM session_stream('wide', 'n:[32672 TO *]', sort => 'n asc') AS doc")"
echo "$pages pages"
