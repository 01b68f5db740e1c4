#!/usr/bin/env bash
# The same calls leave the same documents in a distributed store and in one that is on this server.
. "$(dirname "$0")/lib.sh"

# both SQL: with $1 for a store, once for each. Whatever it returns or raises must be the same.
both() {
    local near far
    near=$(psql 2>&1 <<<"${1//\$1/near}") || :
    far=$(psql 2>&1 <<<"${1//\$1/far}") || :
    is "$1" "$near" "${far//far/near}"
}
state='SELECT count(*), md5(string_agg(id || doc::text, e'"'\\n'"' ORDER BY id)) FROM sessions.$1'
both_and_state() {
    both "$1"
    both "$state"
}

sql "SELECT session_add('near', 'id'), session_add('far', 'id', shards => 8)" -o /dev/null
is 'the one is here, the other is not' '0 8' "$(sql "SELECT concat_ws(' ', count(*) FILTER (WHERE table_name = 'sessions.near'::regclass),
    count(*) FILTER (WHERE table_name = 'sessions.far'::regclass)) FROM citus_shards")"

# Upserts and deletes, many and single, in one call and mixed; the last word on an identity; nothing at all
many="SELECT session_update('\$1', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(
    jsonb_build_object('id', i, 'other', 10000 - i, 'a', i % 7, 'n', 1.50, 'text', repeat('Zoë \"\\ ', i % 50))))) FROM generate_series(1, 3000) AS i))"
both_and_state "$many"
both_and_state "$many"
both_and_state "SELECT session_update('\$1', '[{\"upsert\": [{\"id\": 7, \"x\": 1}], \"delete\": [1, 2, 3, \"gone\"]}, {\"delete\": [7, 8]}, {\"upsert\": [{\"id\": \"8\", \"other\": 9992}]}]')"
both_and_state "SELECT session_update('\$1', '[{\"upsert\": [{\"id\": 9, \"other\": 9991, \"n\": 1.0}]}]')"
both_and_state "SELECT session_update('\$1', '[{\"upsert\": [{\"id\": 9, \"other\": 9991, \"n\": 1.00}]}]')"
both_and_state "SELECT session_update('\$1', '[{\"delete\": [10]}]'), session_update('\$1', '[{\"delete\": [10]}]')"
both_and_state "SELECT session_update('\$1', '[]'), session_update('\$1', '[{\"delete\": []}]')"
both_and_state "SELECT session_update('\$1', (SELECT jsonb_build_array(jsonb_build_object('delete', jsonb_agg(i))) FROM generate_series(500, 900) AS i))"
both_and_state "SELECT count(session_update('\$1', jsonb_build_array(CASE i % 3 WHEN 0 THEN jsonb_build_object('delete', jsonb_build_array(i))
    ELSE jsonb_build_object('upsert', jsonb_build_array(jsonb_build_object('id', i, 'other', 10000 - i, 'round', 2))) END))) FROM generate_series(450, 550) AS i"
# What does not change is not written.
written=$(sql 'SELECT md5(string_agg(id || xmin, $$,$$ ORDER BY id)) FROM sessions.far')
sql "SELECT session_update('far', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(doc)))) FROM sessions.far" -o /dev/null
is 'the same documents again' "$written" "$(sql 'SELECT md5(string_agg(id || xmin, $$,$$ ORDER BY id)) FROM sessions.far')"

# Line by line
load='SET session_store.load_into = $1; COPY session_store.load FROM STDIN;
{"id": "line 1", "other": "o1"}
[{"id": "line 2", "other": "o2"}, {"id": 9, "other": "o3"}]
\.'
both_and_state "$load"
both_and_state "${load/line 1/line 3}
COPY session_store.load FROM STDIN;
{\"no\": 1}
\\."

# Errors, and transactions that end with one
both_and_state "SELECT session_update('\$1', '[{\"upsert\": [{\"id\": 11, \"new\": true}, {\"no\": 1}]}]')"
both_and_state "BEGIN; SELECT session_update('\$1', '[{\"upsert\": [{\"id\": 11, \"new\": true}, {\"id\": 12}, {\"id\": \"z\"}], \"delete\": [13, 14, 15, 16]}]');
    SELECT session_count('\$1', '*:*'), session_count('\$1', 'new:true'); ROLLBACK; SELECT session_count('\$1', '*:*')"
both_and_state "BEGIN; SELECT session_update('\$1', '[{\"upsert\": [{\"id\": 11, \"new\": true}]}]'); SAVEPOINT s;
    SELECT session_update('\$1', '[{\"delete\": [11, 12, 13]}]'); SELECT session_count('\$1', '*:*'); ROLLBACK TO s;
    SELECT session_update('\$1', '[{\"delete\": [14]}]'); SELECT session_count('\$1', '*:*'); COMMIT"
both "SELECT session_update('\$1', '{}')"

# The identity at another path: documents change places, keep them, go to other shards
both "SELECT session_key('\$1', 'a')"
both "SELECT session_key('\$1', 'nowhere')"
both "$state"
sql "SELECT session_update(store, (SELECT jsonb_build_array(jsonb_build_object('delete', jsonb_agg(id))) FROM sessions.near WHERE NOT doc ? 'other'))
    FROM unnest('{near,far}'::text[]) AS store" -o /dev/null
both_and_state "SELECT session_key('\$1', 'other')"
both_and_state "SELECT session_key('\$1', 'other')"
both_and_state "SELECT session_update('\$1', '[{\"upsert\": [{\"id\": 1, \"other\": 9000}, {\"other\": \"Ω\", \"id\": \"2\"}], \"delete\": [8000, 8001]}]')"
both_and_state "BEGIN; SELECT session_key('\$1', 'id'); SELECT session_count('\$1', '*:*'); ROLLBACK"
sql "SELECT session_update(store, '[{\"delete\": [9000, 9999]}]') FROM unnest('{near,far}'::text[]) AS store" -o /dev/null
both_and_state "SELECT session_key('\$1', 'id')"
violated='ERROR:  new row for relation "far" violates check constraint "session_identity"'
is 'the constraint' "$violated" "$(sql "INSERT INTO sessions.far VALUES ('x', '{\"id\": \"y\"}')" 2>&1 | head -1 | sed 's/_[0-9]*"/"/g')"
is 'nothing is left aside' 0 "$(sql "SELECT count(*) FROM pg_class WHERE relname ~ '/moved'")"
sql "SELECT session_update(store, '[{\"upsert\": [{\"id\": \"s1\", \"key\": \"s2\"}, {\"id\": \"s2\", \"key\": \"s1\"}, {\"id\": \"s3\", \"key\": \"s3\"}]}]')
    FROM (SELECT session_add('near swap', 'id'), session_add('far swap', 'id', shards => 4)) AS _, unnest('{near swap,far swap}'::text[]) AS store" -o /dev/null
sql "SELECT session_key('near swap', 'key'), session_key('far swap', 'key')" -o /dev/null
is 'swapped' "$(sql 'SELECT * FROM sessions."near swap" ORDER BY id')" "$(sql 'SELECT * FROM sessions."far swap" ORDER BY id')"

# A row that refers to a session would lose it.
sql "CREATE TABLE refers (session text COLLATE \"C\" PRIMARY KEY)" -o /dev/null
sql "SELECT create_distributed_table('refers', 'session', colocate_with => 'sessions.\"far swap\"')" -o /dev/null
sql "ALTER TABLE refers ADD CONSTRAINT refers_to FOREIGN KEY (session) REFERENCES sessions.\"far swap\" ON DELETE CASCADE"
sql "INSERT INTO refers VALUES ('s1')"
is 'a foreign key' 'ERROR:  store "far swap" cannot change its identity: a foreign key of refers refers to it' \
    "$(sql "SELECT session_key('far swap', 'id')" 2>&1 | head -1)"
is 'its row' 1 "$(sql 'SELECT count(*) FROM refers')"

# One transaction of everything
sql "BEGIN; SELECT session_add('all', 'id', shards => 4), session_update('all', '[{\"upsert\": [{\"id\": 1, \"k\": 2}, {\"id\": 2, \"k\": 1}, {\"id\": 3, \"k\": 7}]}]');
    SELECT session_key('all', 'k'); SELECT session_rename('all', 'every'); SELECT session_update('every', '[{\"upsert\": [{\"k\": 8}], \"delete\": [7]}]');
    SELECT session_key('every', 'k'); COMMIT" -o /dev/null
is 'one transaction' '1,2,8' "$(sql "SELECT string_agg(id, ',' ORDER BY id) FROM sessions.every")"
sql "BEGIN; SELECT session_drop('every'); SELECT session_add('every', 'id', shards => 2); SELECT session_update('every', '[{\"upsert\": [{\"id\": 5}]}]'); ROLLBACK" -o /dev/null
is 'and its rollback' '1,2,8' "$(sql "SELECT string_agg(id, ',' ORDER BY id) FROM sessions.every")"
