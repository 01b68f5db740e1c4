#!/usr/bin/env bash
# UPDATE and DELETE by query in plain SQL: @@@@ is the operator that Citus sends to the shards, and their indexes answer it.
. "$(dirname "$0")/lib.sh"
first_line() { "$@" 2>&1 | head -1; }
sql "SELECT session_add('stash', 'id', shards => 4), session_add('near', 'id')" -o /dev/null
sql "SELECT session_update(store, (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object(
        'id', i, 'a', i % 10, 'event', jsonb_build_object('time', now() - i * interval '1 hour'))))) FROM generate_series(1, 2000) AS i))
    FROM unnest('{stash,near}'::text[]) AS store" -o /dev/null
sql 'VACUUM ANALYZE sessions.stash'
is 'the same' "$(sql 'SELECT count(*), md5(string_agg(id || doc::text, $$,$$ ORDER BY id)) FROM sessions.near')" \
    "$(sql 'SELECT count(*), md5(string_agg(id || doc::text, $$,$$ ORDER BY id)) FROM sessions.stash')"

# both CONDITION: deletes by it, here and there
both() {
    sql "DELETE FROM sessions.near WHERE $1; DELETE FROM sessions.stash WHERE $1"
    is "$1" "$(sql "SELECT string_agg(id, ',' ORDER BY id) FROM sessions.near")" "$(sql "SELECT string_agg(id, ',' ORDER BY id) FROM sessions.stash")"
}
both "doc @@@@ 'a:3'"
both "doc @@@@ '+a:4 -id:[0 TO 999]' OR id = '7'"
both "doc @@@@ session_store.at_now('event.time:[* TO NOW-30DAYS]')"
for store in near stash; do sql "UPDATE sessions.$store SET doc = doc || '{\"old\": true}' WHERE doc @@@@ 'a:[7 TO 8]'"; done
is 'updated' "$(sql "SELECT session_count('near', 'old:true')")" "$(sql "SELECT session_count('stash', 'old:true')")"
is 'the index of a shard' 1 "$(sql "EXPLAIN (COSTS off) DELETE FROM sessions.stash WHERE doc @@@@ 'a:8'" | grep -c 'LuceneScan\|Bitmap Index Scan')"
is 'NOW' 'ERROR:  operator @@@@ takes no query with NOW: event.time:[* TO NOW]' "$(first_line sql "DELETE FROM sessions.stash WHERE doc @@@@ 'event.time:[* TO NOW]'" | sed 's/ERROR:  while executing.*/&/')"
is '@@@' 'ERROR:  STABLE functions used in UPDATE queries cannot be called with column references' "$(first_line sql "DELETE FROM sessions.stash WHERE doc @@@ 'a:8'")"
# A parameter, as drivers send it
left='SELECT count(*) FROM sessions.stash'
before=$(sql "$left") eights=$(sql "SELECT count(*) FROM sessions.stash WHERE doc @@@ 'a:8'")
is 'a parameter, and a rollback' "$((before - eights)) $before" "$(psql <<END | paste -sd ' '
PREPARE gone (text) AS DELETE FROM sessions.stash WHERE doc @@@@ \$1;
BEGIN;
EXECUTE gone ('a:8');
$left;
ROLLBACK;
$left;
END
)"
