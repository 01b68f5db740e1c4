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

# 50,000 documents with different values; the same without an index; a document of 50,000 paths.
sql "SELECT session_add('big', key => 'id'); SELECT session_add('plain', key => 'id'); SELECT session_add('wide', key => 'id')" -o /dev/null
sql "INSERT INTO sessions.big SELECT i::text, jsonb_build_object('id', i, 'a', md5(i::text), 'n', i * 1.01, 't', to_jsonb(now() - i * interval '1 hour'), 'u', jsonb_build_array(jsonb_build_object('a', i, 'b', i % 7))) FROM generate_series(1, 50000) AS i"
sql "DROP INDEX sessions.plain_doc_idx; INSERT INTO sessions.plain SELECT * FROM sessions.big"
sql "INSERT INTO sessions.wide SELECT '1', jsonb_object_agg(CASE i WHEN 0 THEN 'id' ELSE 'k' || md5(i::text) END, i + 1) FROM generate_series(0, 50000) AS i"
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
    [a phrase within an object]="'u:{a:\"' || repeat('a', 1000000) || '\"}'"
    [a term within an object]="'u:{a:' || repeat('a', 1000000) || '}'"
    [an expression within an object]="'u:{a:/' || repeat('a', 1000000) || '/}'"
    [a wildcard within an object]="'u:{a:' || repeat('a?', 500000) || '}'"
    [a range within an object]="'u:{a:[' || repeat('a', 500000) || ' TO ' || repeat('b', 500000) || ']}'"
    [escapes within an object]="'u:{a:\"' || repeat('\\a', 500000) || '\"}'"
    [a term with letters that are not ASCII]="'a:' || repeat('é', 500000) || '^2'"
    [slashes with escapes]="'a:/' || repeat('/a\\', 300000) || '/'"
    [values within an object]="'u:{' || $(list "'a:' || i" 16000) || '}'"
    [objects]="$(list "'u:{a:' || i || ' AND b:' || i || '}'" 8000)"
    [objects within each other]="repeat('a:{', 256) || 'a:1' || repeat('}', 256)"
    [objects that do not end]="repeat('a:{', 300000)"
    [steps of date math]="'a:[NOW' || repeat('+1DAY', 200000) || ' TO *]'"
    [steps of date math back and forth]="'a:\"NOW' || repeat('/DAY-1MONTH+1MONTH', 50000) || '\"'"
    [wrong date math]="'a:[NOW' || repeat('+1day', 200000) || ' TO *]'"
    [dates]="$(list "'a:[2024-0' || i % 9 + 1 || ' TO NOW-' || i || 'DAYS/DAY]'" 16000)"
    [a long value of a parameter]="'{!term f=a v=' || chr(39) || repeat('\\a', 500000) || chr(39) || '}'"
    [parsers within each other]="repeat('{!lucene v=' || chr(39), 16) || repeat('a ', 200000)"
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
    "SELECT session_why('many', %s)"
)
# Calls that are long by themselves: each of a store that has an index, and of one without.
terms='"type": "terms", "field": "a", "limit": -1' statistics='"facet": {"s": "sum(n)", "u": "unique(n)", "p": "percentile(n,1,50,99)"}'
of_each=(
    "session_facets(store, '*:*', '{\"f\": {$terms, $statistics}}')"
    "session_facets(store, '*:*', '{\"f\": {$terms, \"sort\": \"index desc\", \"facet\": {\"g\": {$terms}}}}')"
    "session_facets(store, '*:*', '{\"f\": {\"type\": \"range\", \"field\": \"n\", \"start\": 0, \"end\": 100000, \"gap\": 1, $statistics}}')"
    "session_facets(store, '*:*', '{\"f\": {\"type\": \"range\", \"field\": \"n\", \"start\": 1, \"end\": 100000, \"gap\": 1e-300}}')"
    "session_facets(store, '*:*', '{\"f\": {\"type\": \"range\", \"field\": \"t\", \"start\": \"NOW-9YEARS\", \"end\": \"NOW\", \"gap\": \"+1HOUR\"}}')"
    "session_facets(store, '*:*', ('{\"f\": \"percentile(n,' || (SELECT string_agg((i / 100.0)::text, ',') FROM generate_series(1, 5000) i) || ')\"}')::jsonb)"
    "count(*) FROM session_histogram(store, '*:*', 'n', 1e-300)"
    "count(*) FROM session_histogram(store, '*:*', 'n', 1e-14, 1, 1 + 1e-9)"
    "count(*) FROM session_histogram(store, '*:*', 'n', 1e-16000, 1, 1 + 9e-15996)"
    "count(*) FROM session_histogram(store, '*:*', 'n', 1)"
    "count(*) FROM session_histogram(store, '*:*', 't', '1 hour')"
    "count(*) FROM session_histogram(store, '*:*', 't', '1 microsecond')"
    "count(*) FROM session_histogram(store, '*:*', 't', '1 hour', since => 'NOW' || repeat('-1DAY+1DAY', 2000000))"
    "session_stats(store, '*:*', 'a')"
    "session_stats(store, '*:*', 'n', (SELECT array_agg(i / 1000.0) FROM generate_series(1, 99999) i))"
    "count(*) FROM session_paths(store)"
    "count(*) FROM session_paths(store, repeat('a', 50000000))"
    "count(*) FROM session_suggest(store, 'a', '', rows => NULL)"
    "count(*) FROM session_suggest(store, 'a', repeat('a', 50000000))"
    "count(*) FROM session_values(store, '*:*', 'a', rows => NULL, sort => 'value desc')"
    "count(*) FROM session_values(store, '*:*', repeat('a.', 25000000))"
    "session_query(store, '*:*', fl => repeat('a', 1000000))"
    "length(session_query(store, '*:*', fl => repeat('a*?b,', 3000), rows => 50000)::text)"
    "session_query(store, '*:*', json => jsonb_build_object('facet', (SELECT jsonb_object_agg('f' || i, 'unique(a)') FROM generate_series(1, 20000) i)))"
    "session_explain(store, '*:*', sort => repeat('a,', 100000))"
)
calls=(
    "SELECT count(*) FROM session_paths('wide')"
    "SELECT length(session_query('wide', '*:*', fl => repeat('k*1*2*3?,', 1800))::text)"
    "SELECT session_why('wide', 'K1:1', '1')"
    "SET session_store.load_into = 'many'; INSERT INTO session_store.load SELECT '[' || string_agg(doc::text, ',') || ']' FROM sessions.big"
    "SET session_store.load_into = 'many'; INSERT INTO session_store.load SELECT doc::text FROM sessions.big"
    "SELECT session_jsonpath('a:(' || repeat('b ', 16000) || ')')"
    "SELECT session_update('many', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(doc))) FROM sessions.big))"
    "SELECT session_key('big', 'a')"
)
for call in "${of_each[@]}"; do
    for store in big plain; do calls+=("SELECT ${call//store,/\'$store\',}"); done
done

# A statement may end well, be refused or be cancelled; it may not go on after its time, nor end the server. The timeout is 500 ms, and what
# the server does until the end is measured as processor time.
limit_ms=${CANCEL_LIMIT_MS:-2000}
late=()
try() { # NAME, STATEMENT
    local answer took
    answer=$(spent -c 'SET client_min_messages = error' -c "SET LOCAL statement_timeout = 500; $2" 2>&1) || :
    took=${answer##*$'\n'}
    case $answer in
        *'server closed'* | *'recovery mode'* | *'not connect'* | *'internal error'* | *panick* | *XX000*)
            is "$1" 'an answer, or a refusal' "$answer" ;;
    esac
    if ! [ "$took" -le "$limit_ms" ]; then late+=("$1: $took ms"); fi
    if [ -n "${CANCEL_VERBOSE:-}" ]; then printf '%6d ms  %s: %s\n' "$took" "$1" "${answer:0:90}"; fi
}
for name in "${!constructs[@]}"; do
    for statement in "${statements[@]}"; do
        # shellcheck disable=SC2059 # the statement is the format
        try "$name, ${statement:0:30}" "$(printf "$statement" "${constructs[$name]}")"
    done
done
for call in "${calls[@]}"; do try "${call:0:120}" "$call"; done
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
