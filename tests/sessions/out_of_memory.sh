#!/usr/bin/env bash
# A session whose address space ends somewhere on the way: whatever it does ends in an answer or in 53200 "out of memory", be it an error
# or, at worst, the end of that session. Never by a signal, which would end the sessions of all others.
#   LIMITS=400 for more places
. "$(dirname "$0")/lib.sh"
type prlimit >/dev/null 2>&1 || { echo 'skipped: there is no prlimit' && exit; }

psql <<'SQL' >/dev/null
SELECT session_add('big', 'id'), session_add('plain', 'id');
INSERT INTO sessions.big
SELECT n, jsonb_build_object('id', n, 'k', n % 1000, 'o', jsonb_build_object('text', md5(n::text), 'long', repeat(md5(n::text), 20)), repeat('p', n % 300), n)
FROM generate_series(1, 10000) AS n;
VACUUM ANALYZE sessions.big;
INSERT INTO sessions.big SELECT n, jsonb_build_object('id', n, 'k', n % 1000, 'o.text', md5(n::text)) FROM generate_series(10001, 11000) AS n;
CREATE TABLE document AS SELECT * FROM sessions.big;
CREATE TABLE wide AS SELECT jsonb_object_agg('key' || n, repeat('x', n % 100)) AS doc FROM generate_series(1, 50000) AS n;
CREATE FUNCTION list(count int) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'o.text:(' || string_agg(md5(n::text), ' ') || ')' FROM generate_series(1, count) AS n $$;
SQL

operations=(
    "SELECT session_update('plain', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(doc))) FROM document WHERE (doc->>'k')::int < 100))"
    "SELECT session_query('big', 'o.text:*a*', rows => 10000)"
    "SELECT count(*) FROM session_stream('big', '*:*')"
    "SELECT session_count('big', 'o.text:*a* o.long:/.*b1.*c2.*/ k:[1 TO 500] o.text:abcdef~')"
    "SELECT session_query('big', '*:*', sort => 'o.long desc, id asc', start => 5000, rows => 2000)"
    "SELECT session_explain('big', list(5000))"
    "SELECT count(*) FROM document WHERE doc @@@ list(1000)::lucene_query"
    "CREATE INDEX ON document USING gin (doc jsonb_lucene_ops)"
    "SELECT session_key('big', 'o.text')"
    "SELECT length(session_jsonpath(list(5000))::text)"
    "SELECT session_count('big', list(10000))"
    "SELECT count(doc) FROM sessions.big WHERE doc @@@ 'o.text:/.*[0-9]{3}.*/'"
    "SELECT ('k:' || repeat('(', 200) || repeat('a OR ', 10000) || 'b' || repeat(')', 200))::lucene_query IS NULL"
    "INSERT INTO sessions.big SELECT 'w', doc || '{\"id\": \"w\"}' FROM wide"
    "SELECT session_facets('big', '*:*', '{\"a\": {\"type\": \"terms\", \"field\": \"o.text\", \"limit\": 3, \"facet\": {\"u\": \"unique(k)\", \"p\": \"percentile(id,50)\"}}}')"
    "SELECT session_facets('big', 'k:[1 TO 500]', '{\"a\": {\"type\": \"range\", \"field\": \"k\", \"start\": 0, \"end\": 1000, \"gap\": 1, \"facet\": {\"t\": {\"type\": \"terms\", \"field\": \"o.text\"}}}}')"
    "SELECT count(*) FROM session_values('big', '*:*', 'o.long', rows => NULL, sort => 'value desc')"
    "SELECT count(*) FROM session_paths('big')"
    "SELECT session_why('big', '+o.text:*A* +k:[2000 TO *] +o.long:zz~', '1')"
)
# ending OPERATION BYTES: how it ends with so many bytes of address space more than the session has.
ending() {
    OPERATION=$1 BYTES=$2 psql -v VERBOSITY=sqlstate -v ON_ERROR_STOP=0 2>&1 <<'SQL' || true
LOAD 'session_store';
SET jit = off;
SET client_min_messages = error;
SELECT session_count('big', 'k:1') \g /dev/null
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
\! $PG_RUN_AS prlimit --pid "$PID" --as=$(($(awk '/^VmSize/ { print 1024 * $2 }' "/proc/$PID/status") + BYTES))
\set operation `printenv OPERATION`
BEGIN;
:operation \g /dev/null
ROLLBACK;
SELECT 'alive';
SQL
}
limits=${LIMITS:-40} counts=
for operation in "${operations[@]}"; do
    errors=0 ends=0 answers=0
    for ((step = 0; step < limits; step++)); do
        # From nothing to 128 MB, closer together where there is little.
        bytes=$((128 * 1024 * 1024 * step * step / (limits * limits)))
        ending=$(ending "$operation" $bytes)
        case $ending in
            alive) answers=$((answers + 1)) ;;
            # With nothing left, the server itself may lack memory for the next statement, too.
            $'ERROR:  53200\nalive' | $'ERROR:  53200\nERROR:  53200') errors=$((errors + 1)) ;;
            *'FATAL:  53200'*) ends=$((ends + 1)) ;;
            *) is "$operation with $bytes bytes" '53200 or an answer' "$ending" ;;
        esac
    done
    counts+="$errors errors, $ends ends, $answers answers: ${operation:0:60}"$'\n'
done
printf %s "$counts"
