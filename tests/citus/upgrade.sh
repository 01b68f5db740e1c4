#!/usr/bin/env bash
# ALTER EXTENSION session_store UPDATE on the coordinator updates all servers; distributed stores stay as they are.
. "$(dirname "$0")/lib.sh"
fixture=tests/sessions/upgrade/session_store--0.5.0.sql
extensions=$("$PG_BINDIR/pg_config" --sharedir)/extension
cp "$fixture" "$extensions/"
trap 'rm -f "$extensions/${fixture##*/}"' EXIT
everywhere() { "$@"; worker 1 "$@"; worker 2 "$@"; }
current=$(sql "SELECT extversion FROM pg_extension WHERE extname = 'session_store'")

sql 'DROP EXTENSION session_store'
sql "CREATE EXTENSION session_store VERSION '0.5.0'"
is 'old' '0.5.0 0.5.0 0.5.0' "$(everywhere sql "SELECT extversion FROM pg_extension WHERE extname = 'session_store'" | paste -sd ' ')"
# As session_add of 0.5.0 made it. That of this library asks for the update first.
psql -o /dev/null <<'SQL'
CREATE TABLE sessions.stash (id text COLLATE "C" PRIMARY KEY, doc jsonb NOT NULL CHECK (jsonb_typeof(doc) = 'object'),
    CONSTRAINT session_identity CHECK (id = session_store.identity(doc, 'id')));
CREATE INDEX ON sessions.stash USING gin (doc jsonb_lucene_ops);
INSERT INTO session_store.store (name, key, shards, replicas) VALUES ('stash', 'id', 1, 1);
SQL
sql "INSERT INTO sessions.stash SELECT i, jsonb_build_object('id', i, 'a', i % 5) FROM generate_series(1, 500) AS i" -o /dev/null
distribute stash 4
# The functions that shards are asked by are missing, so the planner is asked.
is 'old answer' '100 500 100 3' "$(sql "SELECT session_count('stash', 'a:3'), session_count('stash', '*:*'), session_query('stash', 'a:3', sort => 'id')->'count', (SELECT count(*) FROM session_stream('stash', 'a:3', sort => 'id', rows => 3))" -F ' ')"
is 'why' 'planner: the functions that ask shards come with ALTER EXTENSION session_store UPDATE' "$(sql "SELECT e->>'way' || ': ' || (e->>'reason') FROM session_explain('stash', 'a:3') AS e")"
sql 'ALTER EXTENSION session_store UPDATE'
is 'new' "$current $current $current" "$(everywhere sql "SELECT extversion FROM pg_extension WHERE extname = 'session_store'" | paste -sd ' ')"
is 'answers' '100 100 100' "$(everywhere sql "SELECT session_count('stash', 'a:3')" | paste -sd ' ')"
sql "SELECT session_update('stash', '[{\"upsert\": [{\"id\": 501, \"a\": 3}], \"delete\": [3]}]'), session_key('stash', 'id')" -o /dev/null
sql "DELETE FROM sessions.stash WHERE doc @@@@ 'a:4'"
is 'written' '100 400' "$(sql "SELECT session_count('stash', 'a:3') || ' ' || session_count('stash', '*:*')")"
is 'objects' "$(sql "SELECT count(*) FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'session_store')")" \
    "$(worker 2 sql "SELECT count(*) FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'session_store')")"
