#!/usr/bin/env bash
# Distributed stores are made, listed, renamed, dropped, granted, and known on every server.
. "$(dirname "$0")/lib.sh"
first_line() { "$@" 2>&1 | head -1; }

# A store that has documents is distributed, in one transaction.
sql "SELECT session_add('here', 'id'), session_update('here', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'a', i % 5)))) FROM generate_series(1, 1000) AS i))" -o /dev/null
state='SELECT count(*), md5(string_agg(id || doc::text, $$,$$ ORDER BY id)) FROM sessions.here'
before=$(sql "$state")
sql "BEGIN; SELECT session_distribute('here', 8); SELECT session_update('here', '[{\"delete\": [1]}]'); ROLLBACK" -o /dev/null
is 'after a rollback' "$before 0" "$(sql "$state") $(sql 'SELECT count(*) FROM citus_shards')"
is 'says nothing' '' "$(sql "SELECT session_distribute('here', shards => 8)" 2>&1)"
is 'the documents' "$before" "$(sql "$state")"
is 'none is here' 0 "$(sql "SELECT pg_relation_size('sessions.here')")"
is 'on both workers' '8 2' "$(sql "SELECT count(*) || ' ' || count(DISTINCT nodename) FROM citus_shards")"
# on_each QUESTION: whether its answer is t on every shard, %L
on_each() { sql "SELECT bool_and(success AND result = 't') FROM run_command_on_shards('sessions.here', \$sql\$$1\$sql\$)"; }
is 'each shard has the index and its parameters' t "$(on_each "SELECT count(*) = 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_opclass ON pg_opclass.oid = indclass[0] WHERE indrelid = %L::regclass AND opcname = 'jsonb_lucene_ops' AND reloptions = '{gin_pending_list_limit=64}'")"
is 'and the constraint' t "$(on_each "SELECT count(*) = 1 FROM pg_constraint WHERE conrelid = %L::regclass AND conname ~ '^session_identity'")"

# Names may hold anything.
sql "SELECT session_add('odd \"%I'' {table} name', key => 'it''s \\ key', shards => 3)" -o /dev/null
sql "SELECT session_update('odd \"%I'' {table} name', '[{\"upsert\": [{\"it''s \\\\ key\": 1}]}]')" -o /dev/null
for n in 1 2; do
    is 'known by its constraint' $n "$(worker $n sql "SELECT session_count('odd \"%I'' {table} name', '*:*')")"
    worker $n sql "SELECT session_update('odd \"%I'' {table} name', '[{\"upsert\": [{\"it''s \\\\ key\": \"of worker $n\"}]}]')" -o /dev/null
done
is 'all see it' 3 "$(sql "SELECT session_count('odd \"%I'' {table} name', '*:*')")"
sql "SELECT session_key('odd \"%I'' {table} name', 'no')" -o /dev/null 2>/dev/null && exit 1
sql "SELECT session_drop('odd \"%I'' {table} name')" -o /dev/null

# On a worker the key is that of this moment, and what changes a store is refused.
sql "SELECT session_key('here', 'a')" -o /dev/null 2>/dev/null && exit 1
sql "SELECT session_update('here', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(doc || jsonb_build_object('k', 'k' || id)))) FROM sessions.here))" -o /dev/null
worker 1 sql "SELECT session_update('here', '[{\"upsert\": [{\"id\": \"w\", \"k\": \"kw\"}]}]')" -o /dev/null
sql "SELECT session_key('here', 'k')" -o /dev/null
worker 1 sql "SELECT session_update('here', '[{\"upsert\": [{\"id\": \"w\", \"k\": \"kw\", \"again\": true}]}]')" -o /dev/null
is 'the key of this moment' '1 1001' "$(sql "SELECT session_count('here', 'again:true') || ' ' || session_count('here', '*:*')")"
cannot='ERROR:  store "here" cannot be changed on this server: it is distributed, and in the catalogue of another server'
for call in "session_rename('here', 'there')" "session_key('here', 'id')" "session_drop('here')"; do
    is "$call on a worker" "$cannot" "$(first_line worker 1 sql "SELECT $call")"
done
is 'adopted on a worker' "$cannot" "$(first_line worker 1 sql "SELECT session_adopt('here', 'k')")"
is 'distributed from a worker' 'ERROR:  store "alone" cannot be distributed: this server is not a coordinator of Citus, or no server takes shards' \
    "$(worker 1 sql "SELECT session_add('alone')" -o /dev/null; first_line worker 1 sql "SELECT session_distribute('alone')")"
is 'partitions of a worker' 'ERROR:  store "parts" cannot be distributed: it has partitions' \
    "$(worker 1 sql "SELECT session_add('parts', shards => 3)" -o /dev/null; first_line worker 1 sql "SELECT session_distribute('parts')")"
is 'twice' 'ERROR:  store "here" cannot be distributed: it is distributed already' "$(first_line sql "SELECT session_distribute('here')")"

# Listed with all that the shards have
sql 'VACUUM ANALYZE sessions.here'
is 'list' 'here|k|8|1001|t' "$(sql "SELECT name, key, shards, documents, bytes > 8 * 8192 * 4 FROM session_list()")"
is 'list of a transaction that has written' '|here|8' "$(sql "BEGIN; SELECT session_update('here', '[{\"upsert\": [{\"k\": 1}, {\"k\": 2}, {\"k\": 3}, {\"k\": 4}]}]');
    SELECT name, shards FROM session_list(); ROLLBACK" 2>&1 | paste -sd '|')"

# Renamed, adopted, dropped on every server
sql "SELECT session_rename('here', 'there')" -o /dev/null
is 'renamed' "1001 1001 1001" "$(sql "SELECT session_count('there', '*:*')") $(worker 1 sql "SELECT session_count('there', '*:*')") $(worker 2 sql "SELECT session_count('there', '*:*')")"
sql "DELETE FROM session_store.store WHERE name = 'there'; SELECT session_adopt('there', 'k')" -o /dev/null
is 'adopted' 'there|k|8' "$(sql "SELECT name, key, shards FROM session_list()")"
sql "SELECT session_update('there', '[{\"delete\": [\"kw\"]}]')" -o /dev/null

# Rights
sql "CREATE ROLE store_reader LOGIN; CREATE ROLE store_admin LOGIN; REVOKE USAGE ON SCHEMA sessions FROM PUBLIC"
for n in 1 2; do worker $n sql 'REVOKE USAGE ON SCHEMA sessions FROM PUBLIC'; done
as() { PGOPTIONS="-c role=$1" "${@:2}"; }
is 'no rights' 'ERROR:  permission denied for schema sessions' "$(first_line as store_reader sql "SELECT session_count('there', '*:*')")"
sql "SELECT session_grant('there', 'store_reader', 'get'), session_grant('there', 'store_reader', 'sessionQuery')" -o /dev/null
is 'may read' 1000 "$(as store_reader sql "SELECT session_count('there', '*:*')")"
is 'may read on a worker' 1000 "$(worker 2 sql "SET ROLE store_reader; SELECT session_count('there', '*:*')")"
is 'may not write' 'ERROR:  permission denied for table there' "$(first_line as store_reader sql "SELECT session_update('there', '[{\"delete\": [\"k1\"]}]')")"
sql "SELECT session_grant('there', 'store_reader', 'sessionUpdate')" -o /dev/null
as store_reader sql "SELECT session_update('there', '[{\"delete\": [\"k1\", \"k2\"], \"upsert\": [{\"k\": \"k2\"}]}]')" -o /dev/null
is 'may write' 998 "$(as store_reader sql "SELECT session_count('there', '*:*')")"
is 'may not change it' 'ERROR:  must be owner of table there' "$(first_line as store_reader sql "SELECT session_drop('there')")"
is 'may not distribute' 'ERROR:  must be owner of table there' "$(first_line as store_reader sql "SELECT session_distribute('there')")"
sql "SELECT session_revoke('there', 'store_reader', 'sessionUpdate'), session_revoke('there', 'store_reader', 'get')" -o /dev/null
is 'revoked' 'ERROR:  permission denied for schema sessions' "$(first_line worker 1 sql "SET ROLE store_reader; SELECT session_count('there', '*:*')")"
sql 'ALTER TABLE sessions.there OWNER TO store_admin'
sql 'CREATE ROLE citus_deputy LOGIN'
sql "SELECT session_grant('there', 'citus_deputy', 'admin'), session_grant('there', 'citus_deputy', 'get')" -o /dev/null
as citus_deputy sql "SELECT session_add('own', 'id', shards => 4), session_update('own', '[{\"upsert\": [{\"id\": 1, \"k\": 2}]}]'), session_key('own', 'k')" -o /dev/null
is 'an admin of stores' '2|{"k": 2, "id": 1}' "$(as citus_deputy sql 'SELECT * FROM sessions.own')"
is 'whose store it is' 4 "$(sql "SELECT count(*) FROM citus_shards WHERE table_name = 'sessions.own'::regclass")"
as citus_deputy sql "SELECT session_drop('own')" -o /dev/null

sql "SELECT session_drop('there')" -o /dev/null
is 'dropped' '0 0 0' "$(sql "SELECT count(*) FROM pg_class WHERE relname ~ '^there'") $(worker 1 sql "SELECT count(*) FROM pg_class WHERE relname ~ '^there'") $(sql 'SELECT count(*) FROM citus_shards')"
sql 'DROP OWNED BY store_reader, store_admin, citus_deputy; DROP ROLE store_reader, store_admin, citus_deputy' -o /dev/null 2>&1 || :
