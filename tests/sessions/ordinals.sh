#!/usr/bin/env bash
# One session counts the values at paths, and sorts by them, again and again while the index changes. What it remembers of them, by ordinal,
# never changes an answer: a session that remembers nothing says the same.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<'SQL'
SELECT session_add('ordinals', key => 'id');
CREATE FUNCTION documents(low int, high int, round int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'pad', repeat('p', 600), 'user', 'u' || (n * 7 + round) % 200, 'n', (n * round) % 90 * 0.25 - 3,
        'mixed', CASE n % 3 WHEN 0 THEN to_jsonb(n % 50) WHEN 1 THEN to_jsonb('s' || n % 60) ELSE to_jsonb(n % 2 = 0) END, 'ip', concat_ws('.', 10, n % 50, n % 7), 'ecdy', 'e' || n % 70,
        'some', CASE WHEN n % 4 > 0 THEN n * round % 37 END, 'sec', '2024-05-05T05:05:0' || (n + round) % 4 || CASE n % 3 WHEN 0 THEN '' ELSE '.' || n % 8 END || 'Z',
        'at', to_char('2024-01-01'::timestamp + (n + round) * interval '5 hours', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'ms', 1704067200000 + (n + round) * 18000000::bigint))))
    FROM generate_series(low, high) AS n $$;
SELECT session_update('ordinals', documents(1, 700, 1));
VACUUM sessions.ordinals;
SQL
questions() { # QUERY
    local path
    for path in user n mixed ip ecdy; do
        echo "SELECT '$path', string_agg(value::text || '=' || count, ' ') FROM session_values('ordinals', '$1', '$path', rows => NULL, sort => 'value asc');"
        echo "SELECT session_stats('ordinals', '$1', '$path');"
    done
    for path in at ms; do
        echo "SELECT '$path', string_agg(bucket || '=' || count, ' ') FROM session_histogram('ordinals', '$1', '$path', '1 day'::text) WHERE count > 0;"
        echo "SELECT '$path', string_agg(bucket || '=' || count, ' ') FROM session_histogram('ordinals', '$1', '$path', '6 hours'::text, since => '2024-01-09T01:00:00Z', until => '2024-02-17T23:30:00Z');"
    done
    echo "SELECT 'sec', string_agg(bucket || '=' || count, ' ') FROM session_histogram('ordinals', '$1', 'sec', '1 second'::text);"
    echo "SELECT 'fives', string_agg(bucket || '=' || count, ' ') FROM session_histogram('ordinals', '$1', 'n', 5);"
    echo "SELECT session_facets('ordinals', '$1', '{\"x\": {\"terms\": {\"field\": \"mixed\", \"limit\": 4, \"facet\": {\"y\": {\"terms\": \"ip\"}, \"s\": \"sum(n)\", \"u\": \"unique(user)\"}}}}');"
    # Windows near the start, far from it, and behind the last document that has a value.
    for path in user n mixed ip at ms some; do
        echo "SELECT '$path', sort, start, jsonb_path_query_array(session_query('ordinals', '$1', sort => '$path' || sort, start => start, rows => 12)->'items', '\$[*].id') FROM unnest('{\" asc\",\" desc\"}'::text[]) AS sort, unnest('{0,9,40,101,333,640,695}'::int[]) AS start;"
    done
    echo "SELECT string_agg(concat_ws(' ', path, documents, strings, numbers, booleans, values, multivalued), ';') FROM session_paths('ordinals');"
}
coproc REMEMBERING { psql 2>&1; }
ask() { # SQL: in the session that remembers
    local line
    printf '%s\n\\echo done\n' "$1" >&"${REMEMBERING[1]}"
    while read -r line <&"${REMEMBERING[0]}" && [ "$line" != 'done' ]; do echo "$line"; done
}
compare() { # WHAT: each question three times, for all documents, for many and for few
    local q expected each
    for q in '*:*' 'n:[0 TO 12]' 'n:[0 TO 2]'; do
        expected=$({ echo 'SET session_store.changes_memory = 0;'; questions "$q"; } | psql)
        for each in 1 2 3; do is "$1: $q, time $each" "$expected" "$(ask "$(questions "$q")")"; done
    done
}
ways="SELECT session_explain('ordinals', 'n:[0 TO 12]', \"json\" => '{\"facet\": {\"x\": {\"terms\": \"user\"}}}')->'facets'->'paths'->'user' ? 'ordinals'"
compare 'at rest'
is 'ordinals are used' t "$(ask "$ways;")"
# What GROUP BY says.
grouped=$(sql "SELECT string_agg(value || '=' || count, ' ' ORDER BY value COLLATE \"C\") FROM (SELECT (doc->'user')::text AS value, count(*) FROM sessions.ordinals GROUP BY 1) AS _")
is 'as GROUP BY' "user|$grouped" "$(ask "$(questions '*:*' | head -n 1)")"
# What PostgreSQL sorts itself, and by what we do.
sorted=$(sql "SELECT jsonb_agg(id) FROM (SELECT doc->'id' AS id FROM sessions.ordinals ORDER BY session_store.sort_key(doc, 'some', true) DESC NULLS LAST, ctid OFFSET 515 LIMIT 20) AS _")
deep="session_query('ordinals', '*:*', sort => 'some desc', start => 515, rows => 20)"
is 'as ORDER BY' "$sorted" "$(ask "SELECT jsonb_path_query_array($deep->'items', '\$[*].id');")"
by="SELECT session_explain('ordinals', 'user:u1?', sort => 'some')->'read'->'sorted by';"
is 'sorted by ordinals' '"ordinals"' "$(ask "$by")"
is 'sorted without memory' '"index"' "$(echo "SET session_store.changes_memory = 0; $by" | psql)"
while IFS='~' read -r what change; do
    sql "$change" -o /dev/null
    compare "$what"
    if [ "$what" = pending ]; then is 'ordinals hold what is pending' t "$(ask "$ways;")"; fi
done <<'END'
pending~SELECT session_update('ordinals', documents(100, 140, 2))
deleted~SELECT session_update('ordinals', '[{"delete": [7, 8, 9, 500]}]')
cleaned~SELECT gin_clean_pending_list('sessions.ordinals_doc_idx')
vacuum~VACUUM sessions.ordinals
no longer pending~ALTER INDEX sessions.ordinals_doc_idx SET (fastupdate = off)
into the tree~SELECT session_update('ordinals', documents(200, 230, 3))
a new value~SELECT session_update('ordinals', '[{"upsert": [{"id": 1, "user": "new", "n": -2}]}]')
reindex~REINDEX INDEX sessions.ordinals_doc_idx
two values~SELECT session_update('ordinals', '[{"upsert": [{"id": 2, "user": ["u1", "u2"], "n": [1, 2.5]}]}]')
one value again~SELECT session_update('ordinals', '[{"upsert": [{"id": 2, "user": "u1"}]}]')
one value, and no trace of two~VACUUM sessions.ordinals
cut values~SELECT session_update('ordinals', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'user', repeat('u', 300) || n % 3))))) FROM generate_series(20, 30) AS n
another path of the same hash~SELECT session_update('ordinals', '[{"upsert": [{"id": 3, "kybn": "e5"}, {"id": 4, "at": "2024-02-03 01:30:00.5+02"}, {"id": 5, "at": "2024-02-03 23:30:00-02"}]}]')
large numbers~SELECT session_update('ordinals', '[{"upsert": [{"id": 31, "n": 12345.25}, {"id": 32, "n": 0.00000000000000001}]}]')
gone~SELECT session_update('ordinals', '[{"delete": [3, 31, 32]}]')
another table~VACUUM FULL sessions.ordinals
END
# The edges of a histogram are those of the settings by which a zone is read.
zoned="SELECT string_agg(bucket || '=' || count, ' ') FROM session_histogram('ordinals', '*:*', 'at', '1 day'::text, 'EST');"
for abbreviations in Default Australia Default; do
    change="SET timezone = 'UTC'; SET timezone_abbreviations = '$abbreviations';"
    is "abbreviations: $abbreviations" "$(echo "$change $zoned" | psql)" "$(ask "$change $zoned")"
done
ask 'RESET timezone; RESET timezone_abbreviations;'
# A transaction's own writes, and what it takes back.
for change in "SELECT session_update('ordinals', documents(650, 720, 4))" 'TRUNCATE sessions.ordinals'; do
    questions=$(questions '*:*' | grep -v path)
    expected=$(printf 'SET session_store.changes_memory = 0;BEGIN;%s;\n%s\nROLLBACK;' "$change" "$questions" | psql)
    is "own writes: $change" "$expected" "$(ask "BEGIN;$change;"$'\n'"$questions"$'\n'"ROLLBACK;")"
    compare "taken back: $change"
done
# What needs few of the values does not take the time to make ordinals, however often it asks, and also if they should be made: an early
# end, or the strings with a prefix.
sql "SELECT session_update('ordinals', documents(1, 700, 1))" -o /dev/null
sql 'VACUUM sessions.ordinals'
few() {
    printf '%s\n' "SELECT value FROM session_suggest('ordinals', 'user', 'u1', 'n:[0 TO 12]') LIMIT 1;" \
        "SELECT value FROM session_values('ordinals', 'n:[0 TO 12]', 'user', sort => 'value asc', rows => 1);"
}
way() { # SORT
    ask "SELECT string_agg(way, ' ') FROM jsonb_object_keys(session_explain('ordinals', 'n:[0 TO 12]', \"json\" => '{\"facet\": {\"x\": {\"terms\": {\"field\": \"user\", \"limit\": 1, \"sort\": \"$1\"}}}}')->'facets'->'paths'->'user') AS way;"
}
ask "$(for each in 1 2 3 4; do few; done)" >/dev/null
is 'few values' 'posting lists and matches' "$(way index)"
is 'all values, time 1' 'posting lists and matches' "$(way count)"
ask "$(few)" >/dev/null
is 'few values when ordinals are due' 'posting lists and matches' "$(way index)"
is 'all values, time 2' ordinals "$(way count)"
eval "exec ${REMEMBERING[1]}>&-"

# More documents on a page than a session expects. Nothing that was asked before has met them.
sql "SELECT session_add('small', key => 'id'); SELECT session_update('small', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', n, 'user', 'u' || n % 200))))) FROM generate_series(1, 6000) AS n" -o /dev/null
sql 'VACUUM sessions.small'
counted="SELECT string_agg(value::text || '=' || count, ' ') FROM session_values('small', '*:*', 'user', rows => NULL);"
explained="SELECT session_explain('small', '*:*', \"json\" => '{\"facet\": {\"x\": {\"terms\": \"user\"}}}')->'facets'->'paths'->'user'"
is 'many documents on a page' '{"ordinals": 1}' "$({ echo "$counted $explained;"; } | psql | tail -n 1)"
# Memory in which they had no room is raised.
counted_ids="SELECT count(*) FROM session_values('small', '*:*', 'id', rows => NULL);"
explained_ids="SELECT session_explain('small', '*:*', \"json\" => '{\"facet\": {\"x\": {\"terms\": \"id\"}}}')->'facets'->'paths'->'id'"
small="SET session_store.changes_memory = '1kB'; SET work_mem = '64kB'; $counted_ids $counted_ids $counted_ids"
is 'memory does not suffice' '{"posting lists": 1}' "$(echo "$small $explained_ids;" | psql | tail -n 1)"
is 'memory is raised' '{"ordinals": 1}' "$(echo "$small RESET session_store.changes_memory; $explained_ids;" | psql | tail -n 1)"
is 'their counts' "$(echo "$counted" | psql)" "$(echo "$counted $counted" | psql | tail -n 1)"
sql "SELECT session_drop('small')" -o /dev/null
sql "SELECT session_drop('ordinals')" -o /dev/null
