#!/usr/bin/env bash
# A store with the most shards that are possible: a write touches only the shards that it concerns, and session_add warns if the
# store may be impossible to drop.
. "$(dirname "$0")/lib.sh"

room=$(sql "SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int")
is 'there is less room than 1,024 shards need' t "$(sql "SELECT $room < 9216")"
told=$(sql "SELECT session_add('wide', 'id', 1024)" 2>&1)
case $told in
*WARNING*'"wide" may be impossible to drop: dropping 1024 shards takes about '*' locks at once'*HINT*max_locks_per_transaction*) ;;
*) is 'session_add warns of 1,024 shards' WARNING "$told" ;;
esac
is 'and not of a few' '' "$(sql "SELECT session_add('narrow', 'id', 8)" 2>&1)"
is 'as many as the hint says' '' "$(sql "SELECT session_add('just', 'id', $(sed -n 's/.*Up to \([0-9]*\) shards.*/\1/p' <<<"$told"))" 2>&1)"

sql "SELECT session_update('wide', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i))))) FROM generate_series(1, 5000) AS i" >/dev/null
# Minutes, if all of 2,048 partitions are planned, and the plan is compiled.
export PGOPTIONS='-c statement_timeout=10s -c jit=on'
sql "SELECT session_update('wide', '[{\"delete\": [7]}]')" >/dev/null
sql "SELECT session_update('wide', '[{\"upsert\": [{\"id\": 8, \"n\": 1}], \"delete\": [9, 10, 11]}]')" >/dev/null
is 'what was deleted is gone' '4996|1|0' "$(sql "SELECT session_count('wide', '*:*'), session_count('wide', 'n:1'), (SELECT count(*) FROM sessions.wide WHERE id IN ('7', '9', '10', '11'))")"
# In the order of ids, from all parts
is 'sorted' '1,10,100,1000' "$(sql "SELECT session_update('wide', '[{\"upsert\": [{\"id\": 10}]}]')" >/dev/null; sql "SELECT string_agg(doc->>'id', ',') FROM session_stream('wide', 'id:[1 TO 1000] AND id:(1 10 100 1000)', 'id') AS doc")"
is 'streamed by id' '4997|t' "$(sql "SELECT count(*), bool_and(id > before) FROM (SELECT (doc->>'id')::int AS id, coalesce(lag((doc->>'id')::int) OVER (ORDER BY at), 0) AS before FROM session_stream('wide', '*:*', 'id asc') WITH ORDINALITY AS s(doc, at)) AS _")"
