#!/usr/bin/env bash
# A server that does not answer: what needs it says so, what does not goes on, and all is well when it is back.
. "$(dirname "$0")/lib.sh"
first_line() { "$@" 2>&1 | head -1; }
sql "SELECT session_add('stash', 'id', shards => 4), session_update('stash', (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i)))) FROM generate_series(1, 100) AS i))" -o /dev/null
on() { sql "SELECT min(i) FROM generate_series(1, 100) AS i, citus_shards WHERE shardid = get_shard_id_for_distribution_column('sessions.stash', i::text) AND nodename = '$1'"; }
there=$(on "${workers[0]}") elsewhere=$(on "${workers[1]}")

data=$(worker 1 sql 'SHOW data_directory')
start() { $PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$data" -l "$data/../log" -o "-c unix_socket_directories=${workers[0]}" -w -s start; }
$PG_RUN_AS "$PG_BINDIR/pg_ctl" -D "$data" -m fast -w -s stop
trap start EXIT

unreachable="ERROR:  connection to the remote node postgres@${workers[0]}:5432 failed"
is 'a count' "$unreachable" "$(first_line sql "SELECT session_count('stash', '*:*')" | cut -c "1-${#unreachable}")"
facet="session_facets('stash', '*:*', '{\"f\": {\"type\": \"query\", \"q\": \"id:[1 TO 50]\"}}')->'f'->>'count'"
is 'a facet' "$unreachable" "$(first_line sql "SELECT $facet" | cut -c "1-${#unreachable}")"
is 'a write there' "$unreachable" "$(first_line sql "SELECT session_update('stash', '[{\"upsert\": [{\"id\": $there, \"new\": 1}]}]')" | cut -c "1-${#unreachable}")"
is 'a write of both' "$unreachable" "$(first_line sql "SELECT session_update('stash', '[{\"upsert\": [{\"id\": $elsewhere, \"new\": 1}, {\"id\": $there, \"new\": 1}]}]')" | cut -c "1-${#unreachable}")"
sql "SELECT session_update('stash', '[{\"upsert\": [{\"id\": $elsewhere, \"new\": 2}]}]')" -o /dev/null
is 'a document elsewhere' '{"id": '"$elsewhere"', "new": 2}' "$(sql "SELECT doc FROM sessions.stash WHERE id = '$elsewhere'")"
is 'the list' 'stash|4|t' "$(sql 'SELECT name, shards, bytes IS NULL FROM session_list()')"

start
trap - EXIT
is 'a facet again' 50 "$(sql "SELECT $facet")"
is 'back' '100 1' "$(sql "SELECT session_count('stash', '*:*') || ' ' || session_count('stash', 'new:*')")"
sql "SELECT session_update('stash', '[{\"upsert\": [{\"id\": $elsewhere, \"new\": 3}, {\"id\": $there, \"new\": 3}]}]')" -o /dev/null
is 'and writes' 2 "$(sql "SELECT session_count('stash', 'new:3')")"
