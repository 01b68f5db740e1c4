#!/usr/bin/env bash
# Whatever a query holds, reading it, planning it and asking it ends soon after a cancel, stays within its memory, and needs no more
# stack than there is: each construct at the size of the longest query, on a server with a stack of 1 MB of which 100 kB may be used.
. "$(dirname "$0")/lib.sh"

dir=$($PG_RUN_AS mktemp -d /tmp/session_store.XXXXXX)
stop() {
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -m immediate -s stop || :
    rm -rf "$dir"
}
trap stop EXIT
$PG_RUN_AS "$PG_BINDIR/initdb" -D "$dir/data" -U "${PGUSER:-postgres}" -E UTF8 --locale=C -N >"$dir/initdb" 2>&1 ||
    { cat "$dir/initdb"; exit 1; }
(
    ulimit -s 1024
    $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" -w -s start \
        -o "-c unix_socket_directories=$dir -c listen_addresses= -c max_stack_depth=100kB -c fsync=off"
)
export PGHOST=$dir PGDATABASE=postgres
sql 'CREATE EXTENSION session_store'

# A store with 20,000 different values, and one of a document with a string of 1 MB.
sql "SELECT session_add('many', key => 'id'); SELECT session_add('long', key => 'id')" -o /dev/null
sql "INSERT INTO sessions.many SELECT i::text, jsonb_build_object('id', i, 'a', md5(i::text)) FROM generate_series(1, 20000) AS i"
sql "INSERT INTO sessions.long SELECT '1', jsonb_build_object('id', 1, 'a', repeat('a', 1000000))"
sql 'VACUUM ANALYZE'

# Queries as SQL expressions, by name.
list() { printf "(SELECT string_agg(%s, ' ') FROM generate_series(1, %s) AS i)" "$1" "$2"; }
declare -A constructs=(
    [keys of a path]="repeat('.', 200000) || ':1'"
    [keys of a path that is as long as it may be]="repeat('.', 65000) || ':1'"
    [keys of a path in local parameters]="'{!term f=' || repeat('a.', 500000) || '}v'"
    [a path before many clauses]="repeat('a', 60000) || ':(' || repeat('b ', 16000) || ')'"
    [quotes]="repeat('\"', 1000000)"
    [parentheses]="repeat('(', 1000000)"
    [parentheses of the deepest query]="repeat('(', 256) || 'a' || repeat(')', 256)"
    [prohibited groups]="repeat('(-', 256) || 'a' || repeat(')', 256)"
    [filters]="repeat('filter(', 150000)"
    [boosts]="repeat('(', 256) || 'a' || repeat(')^2', 256)"
    [braces]="repeat('{!', 500000)"
    [query strings]="repeat('{!lucene}', 100000)"
    [words]="repeat('a ', 500000)"
    [conjunctions]="repeat('a AND ', 170000) || 'a'"
    [comments]="repeat('/* */', 200000) || 'a'"
    [comments within each other]="repeat('/*', 500000)"
    [white space]="repeat(' ', 1000000) || 'a'"
    [a term]="'a:' || repeat('a', 1000000)"
    [a phrase]="'a:\"' || repeat('a', 1000000) || '\"'"
    [escapes]="'a:' || repeat('\\a', 500000)"
    [a prefix]="'a:' || repeat('a', 1000000) || '*'"
    [a wildcard]="'a:' || repeat('a', 1000000) || '?'"
    [stars]="'a:' || repeat('*', 1000000)"
    [stars and characters]="'a:' || repeat('*a', 500000)"
    [question marks]="'a:*' || repeat('a?', 490000) || 'b*'"
    [a range]="'a:[' || repeat('a', 500000) || ' TO ' || repeat('b', 500000) || ']'"
    [a fuzzy term]="'a:' || repeat('a', 1000000) || '~'"
    [an expression]="'a:/' || repeat('a', 1000000) || '/'"
    [an expression as long as it may be]="'a:/' || repeat('a', 65000) || '/'"
    [groups in an expression]="'a:/' || repeat('(', 500000) || repeat(')', 500000) || '/'"
    [groups in an expression as deep as may be]="'a:/' || repeat('(a', 99) || repeat(')*', 99) || '/'"
    [complements]="'a:/' || repeat('~', 1000000) || 'a/'"
    [complements as deep as may be]="'a:/' || repeat('~(a', 49) || repeat(')', 49) || '/'"
    [repetitions]="'a:/(((a{9}){9}b?)*c{0,9}){0,9}(a|b)*a(a|b){4000}/'"
    [classes]="'a:/' || repeat('[^b]', 16000) || '/'"
    [alternatives]="'a:/' || repeat('a|', 30000) || 'b/'"
    [intersections]="'a:/' || repeat('a&', 30000) || 'b/'"
    [terms]="'{!terms f=a}' || repeat('a,', 500000)"
    [clauses of a parser]="'{!bool ' || repeat('must=a ', 140000) || '}'"
    [parameters]="'{!term f=x ' || repeat('a=b ', 250000) || '}v'"
    [many wildcards]="$(list "'a:*a*' || i || '*b'" 16384)"
    [many expressions]="$(list "'a:/[^a]{9}[é-ſ]*' || i || '/'" 2000)"
    [many large expressions]="$(list "'a:/[^a]{200}' || i || '/'" 2000)"
    [many fuzzy terms]="$(list "'a:0123456789abcdef0123456789ab' || i || '~'" 2000)"
)
statements=(
    "SELECT length((%s)::lucene_query::text)"
    "SELECT count(*) FROM sessions.long WHERE doc @@@ (%s)::lucene_query"
    "SELECT session_count('many', %s)"
    "SET enable_seqscan = off; SET session_store.enable_scan = off; DO \$\$ BEGIN
        EXECUTE format('EXPLAIN SELECT * FROM sessions.many WHERE doc @@@ %%L', %s); END \$\$"
)

# A statement may end well, be refused or be cancelled; it may not take longer than its time, nor end the server. The timeout is 500 ms, and
# the machine may be slow.
limit_ms=${CANCEL_LIMIT_MS:-2000}
late=()
for name in "${!constructs[@]}"; do
    for statement in "${statements[@]}"; do
        # shellcheck disable=SC2059 # the statement is the format
        text=$(printf "$statement" "${constructs[$name]}")
        start=$(date +%s%N)
        answer=$(psql -c "SET client_min_messages = error; SET statement_timeout = 500" -c "$text" 2>&1) || :
        took=$((($(date +%s%N) - start) / 1000000))
        case $answer in
            *'server closed'* | *'recovery mode'* | *'not connect'* | *'internal error'* | *panick* | *XX000*)
                is "$name: ${statement:0:30}" 'an answer, or a refusal' "$answer" ;;
        esac
        if [ "$took" -gt "$limit_ms" ]; then late+=("$name, ${statement:0:30}: $took ms"); fi
        if [ -n "${CANCEL_VERBOSE:-}" ]; then printf '%6d ms  %s, %s: %s\n' "$took" "$name" "${statement:0:30}" "${answer:0:90}"; fi
    done
done
is 'cancelled too late' '' "${late[*]-}"

refusal() { psql -v VERBOSITY=sqlstate -c "$1" 2>&1 || :; }
for sort in "repeat('a,', 50000000)" "repeat('a', 100000)" "repeat('a,', 1000) || 'a'" "repeat('\"', 1000000)"; do
    is "the order $sort" 'ERROR:  54001' "$(refusal "SELECT session_query('many', '*:*', sort => $sort)")"
done
is 'a long key' 'ERROR:  54001' "$(refusal "SELECT session_add('k', key => repeat('a.', 500000))")"
is 'a long key of a store' 'ERROR:  54001' "$(refusal "SELECT session_key('long', repeat('a.', 500000))")"
is 'too many patterns' 'ERROR:  54001' "$(refusal "SELECT session_count('long', ${constructs[many large expressions]})")"

# What a session keeps of a large query is little: a session's memory before and behind it, in kB.
grown=$(psql <<'END'
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
\set before `awk '/VmRSS/ { print $2 }' /proc/$PID/status`
SET statement_timeout = '60s';
\o /dev/null
SELECT count(*) FROM sessions.long WHERE doc @@@ ('a:*' || repeat('ab', 490000) || 'b*')::lucene_query;
SELECT '{}'::jsonb @@@ 'a:b';
\o
\set behind `awk '/VmRSS/ { print $2 }' /proc/$PID/status`
SELECT :behind - :before < 65536;
END
)
is 'memory kept' t "$grown"
sql 'SELECT 1' -o /dev/null
echo "${#constructs[@]} constructs"
