#!/usr/bin/env bash
# A dump restored into another database gives the same answers, and the stores can be written to.
. "$(dirname "$0")/lib.sh"
psql -f samples/sessions.sql
sql "SELECT session_add('odd \"name''', 'id', shards => 3)"
sql "SELECT session_update('odd \"name''', '[{\"upsert\": [{\"id\": 1}, {\"id\": \"two\"}]}]')"
# A table that is no store: a column of queries, one of documents with the index, a check by the operator
psql <<'SQL'
CREATE TABLE alert (name text, q lucene_query NOT NULL DEFAULT 'a:1');
INSERT INTO alert VALUES ('both', 'a:[1 TO 3} AND b:*'), ('quoted', 'a:"x \"y\" \\ z"'), ('now', 't:[NOW-1DAY TO *]');
INSERT INTO alert (name) VALUES ('default');
CREATE TABLE log (entry jsonb CHECK (entry @@@ '*:* -secret:*'));
INSERT INTO log SELECT jsonb_build_object('a', i % 5, 'b', i) FROM generate_series(1, 100) AS i;
INSERT INTO log VALUES ('{"a": "x \"y\" \\ z"}'), (NULL);
CREATE INDEX ON log USING gin (entry jsonb_lucene_ops);
CREATE VIEW alerted AS SELECT name, q, (SELECT count(*) FROM log WHERE entry @@@ q) AS count FROM alert;
SQL
copy=${PGDATABASE}_copy
"$PG_BINDIR/createdb" "$copy"
"$PG_BINDIR/pg_dump" -Fc "$PGDATABASE" | "$PG_BINDIR/pg_restore" --exit-on-error -d "$copy"

is 'answers' "$(answers)" "$(answers -d "$copy")"
alerts='SELECT name, q, count FROM alerted ORDER BY name'
is 'alerts' "$(sql "$alerts")" "$(sql "$alerts" -d "$copy")"
is 'alerts found' 'both 40,default 20,now 0,quoted 1' "$(sql "SELECT string_agg(name || ' ' || count, ',' ORDER BY name) FROM alerted" -d "$copy")"
is 'the index' log_entry_idx "$(sql "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE indrelid = 'log'::regclass AND indisvalid" -d "$copy")"
list='SELECT name, key, shards, replicas FROM session_list()'
is 'session_list' "$(sql "$list")" "$(sql "$list" -d "$copy")"

sql "SELECT session_update('odd \"name''', '[{\"upsert\": [{\"id\": 3}], \"delete\": [1]}]')" -d "$copy"
is 'an update after the restore' 2 "$(sql "SELECT session_count('odd \"name''', '*:*')" -d "$copy")"

# A dump of the stores' schema alone, and one without data, have no row of the catalogue.
for dump in '-n sessions' -s; do
    stores=${PGDATABASE}_stores
    "$PG_BINDIR/dropdb" --if-exists "$stores" 2>/dev/null
    "$PG_BINDIR/createdb" "$stores"
    if [ "$dump" != -s ]; then sql 'CREATE EXTENSION session_store' -d "$stores"; fi
    # shellcheck disable=SC2086
    "$PG_BINDIR/pg_dump" $dump "$PGDATABASE" | sed '/^CREATE SCHEMA sessions/d' | psql -d "$stores" -o /dev/null
    if message=$(sql "SELECT session_count('stash', '*:*')" -d "$stores" 2>&1); then is "$dump: a store without its row" refused "$message"; fi
    is "$dump: the hint" yes "$(grep -q "HINT: .* SELECT session_adopt('stash', key => …) makes it one" <<<"$message" && echo yes || echo "$message")"
    sql "SELECT session_adopt('stash', 'session.id'), session_adopt('odd \"name''', 'id')" -d "$stores" -o /dev/null
    is "$dump: session_list" "$(sql "$list")" "$(sql "$list" -d "$stores")"
    if [ "$dump" != -s ]; then is "$dump: answers" "$(answers)" "$(answers -d "$stores")"; fi
    sql "SELECT session_update('odd \"name''', '[{\"upsert\": [{\"id\": 9}]}]')" -d "$stores" -o /dev/null
    is "$dump: an update" 1 "$(sql "SELECT session_count('odd \"name''', 'id:9')" -d "$stores")"
done
