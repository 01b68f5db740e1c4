#!/usr/bin/env bash
# What an answer or an order takes is bounded, whatever is asked for: the most memory that a backend ever had is read from /proc.
. "$(dirname "$0")/lib.sh"

[ -r /proc/self/status ] || { echo 'skipped: there is no /proc' && exit; }

# peak SQL: what the statement gives or says, and the backend's greatest size while it ran, in MB, above that of an idle one.
peak() {
    psql -v ON_ERROR_STOP=0 -v q="$1" <<'END' 2>&1 | sed 's/^psql:<stdin>:[0-9]*: //'
SELECT pg_backend_pid() AS pid \gset
\setenv pid :pid
SELECT count(*) FROM sessions.large \gset
\set before `awk '/^VmHWM/ { print $2 }' /proc/$pid/status`
:q \g
\set after `awk '/^VmHWM/ { print $2 }' /proc/$pid/status`
SELECT 'MB', (:after - :before) / 1024;
END
}
# within WHAT MB OUTPUT
within() {
    local mb=${3##*MB|}
    [ "$mb" -le "$2" ] || is "$1" "at most $2 MB" "$mb MB"
}

# 2,000 documents of 300 kB, which are alike in what the index keeps of "long": 600 MB, and more than jsonb can hold.
sql "SELECT session_add('large', 'id'); ALTER TABLE sessions.large ALTER doc SET STORAGE extended" >/dev/null
sql "INSERT INTO sessions.large SELECT i, jsonb_build_object('id', i, 'n', i % 7, 'long', repeat('x', 300000) || i) FROM generate_series(1, 2000) AS i" >/dev/null
sql 'VACUUM ANALYZE sessions.large'

for way in index planner; do
    if [ $way = planner ]; then sql 'DROP INDEX sessions.large_doc_idx' >/dev/null; fi
    for sort in NULL "'n asc'"; do
        told=$(peak "SELECT session_query('large', '*:*', rows => 1000000, sort => $sort)")
        case $told in *'more than 268435455 bytes, which is more than jsonb can hold'*) ;; *) is 'it is too large' ERROR "${told:0:500}" ;; esac
        within "$way: an answer that is too large, sorted by $sort" 450 "$told"
    done
    # A sum, so that documents are read and not kept.
    told=$(peak "SELECT string_agg(id, ' ') FILTER (WHERE at <= 3), count(*) FROM (SELECT doc->>'id' AS id, at FROM session_stream('large', '*:*', sort => 'long desc') WITH ORDINALITY AS s(doc, at)) AS _")
    case $told in '999 998 997|2000'*) ;; *) is "$way: sorted" '999 998 997|2000' "${told:0:500}" ;; esac
    within "$way: an order of long values" 250 "$told"
    told=$(peak "SELECT session_query('large', 'n:3', sort => 'long desc', rows => 2, start => 100)->'count'")
    case $told in 286*) ;; *) is "$way: counted" 286 "${told:0:500}" ;; esac
    within "$way: a window of an order of long values" 100 "$told"
done
