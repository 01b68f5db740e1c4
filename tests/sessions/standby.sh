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
caught_up -h "$dir"

is 'copies' '2 2' "$(sql "SELECT string_agg(copies::text, ' ') FROM session_list()")"
is 'read-only' t "$(standby sql 'SELECT pg_is_in_recovery()')"
is 'answers' "$(answers)" "$(standby answers)"
is 'count' 1 "$(standby sql "SELECT session_count('stash', 'session.id:late')")"
is 'stream' 3 "$(standby sql "SELECT count(*) FROM session_stream('stash', '_m1.ip:64.150.5.135')")"
# Facets, each three times, so that they come from what the session remembers, too.
facets() {
    local each
    for each in 1 2 3; do
        printf '%s;' "SELECT session_facets('many', '$1', '{\"x\": {\"terms\": {\"field\": \"user\", \"limit\": 3, \"facet\": {\"s\": \"sum(n)\"}}}, \"p\": \"percentile(n,50)\"}')" \
            "SELECT string_agg(count::text, ' ' ORDER BY bucket) FROM session_histogram('many', '$1', 'ms', '1 day')" \
            "SELECT string_agg(value || ':' || count, ' ') FROM session_suggest('many', 'user', 'u1', '$1')" \
            "SELECT string_agg(concat_ws(' ', path, documents, values, strings, numbers, multivalued), ';') FROM session_paths('many')"
    done
}
many() { echo "SELECT session_update('many', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'user', 'u' || n % $3, 'n', n % 90 * 0.5, 'ms', 1704067200000 + n * 600000::bigint))))) FROM generate_series($1, $2) AS n"; }
sql "SELECT session_add('many', key => 'id'); $(many 1 2000 300)" -o /dev/null
sql "VACUUM sessions.many"
caught_up -h "$dir"
# One session on the standby asks before and after the primary writes.
for q in '*:*' 'n:[3 TO 20]' 'user:(u7 u8)'; do
    is "facets of $q" "$(facets "$q" | psql)" "$(facets "$q" | standby psql)"
done
coproc ASKED { standby psql 2>&1; }
ask() {
    echo "$(facets "$1") \\echo done" >&"${ASKED[1]}"
    local line
    while read -r line <&"${ASKED[0]}" && [ "$line" != 'done' ]; do echo "$line"; done
}
for step in 'before' "$(many 50 90 7)" 'VACUUM sessions.many' "$(many 3000 3100 300)" "SELECT session_update('many', '[{\"delete\": [5, 6, 7, 3001]}]')" 'REINDEX INDEX sessions.many_doc_idx'; do
    if [ "$step" != 'before' ]; then sql "$step" -o /dev/null; fi
    caught_up -h "$dir"
    for q in '*:*' 'n:[3 TO 20]'; do
        is "facets of $q after ${step:0:30}" "$(facets "$q" | psql)" "$(ask "$q")"
    done
done
exec {ASKED[1]}>&-
for store in stash bare; do
    is "a stream of $store in a loop with COMMIT" 'NOTICE:  as many' "$(standby sql "DO \$\$
        DECLARE doc jsonb; n int := 0;
        BEGIN
            FOR doc IN SELECT session_stream('$store', '*:*', 'session.start') LOOP n := n + 1; COMMIT; END LOOP;
            RAISE NOTICE '%', CASE n WHEN session_count('stash', '*:*') THEN 'as many' ELSE n::text END;
        END \$\$" 2>&1)"
done
is 'list' 'bare many stash' "$(standby sql "SELECT string_agg(name, ' ') FROM session_list()")"
is 'explain' t "$(standby sql "SELECT session_explain('stash', 'session.id:late') IS NOT NULL")"
if standby sql "SELECT session_update('stash', '[{\"delete\": [1]}]')" 2>/dev/null; then
    is 'an update on the standby' refused accepted
fi
