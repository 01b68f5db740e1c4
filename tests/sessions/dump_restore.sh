#!/usr/bin/env bash
# A dump restored into another database gives the same answers, and the stores can be written to.
. "$(dirname "$0")/lib.sh"
psql -f samples/sessions.sql
sql "SELECT session_add('odd \"name''', 'id', shards => 3)"
sql "SELECT session_update('odd \"name''', '[{\"upsert\": [{\"id\": 1}, {\"id\": \"two\"}]}]')"
copy=${PGDATABASE}_copy
"$PG_BINDIR/createdb" "$copy"
"$PG_BINDIR/pg_dump" -Fc "$PGDATABASE" | "$PG_BINDIR/pg_restore" --exit-on-error -d "$copy"

is 'answers' "$(answers)" "$(answers -d "$copy")"
list='SELECT name, key, shards, replicas FROM session_list()'
is 'session_list' "$(sql "$list")" "$(sql "$list" -d "$copy")"

sql "SELECT session_update('odd \"name''', '[{\"upsert\": [{\"id\": 3}], \"delete\": [1]}]')" -d "$copy"
is 'an update after the restore' 2 "$(sql "SELECT session_count('odd \"name''', '*:*')" -d "$copy")"
