#!/usr/bin/env bash
# A table of more than 64 GiB, whose rows have no 32-bit numbers that have room for every offset. What needs such numbers goes to the planner, and
# the index serves all other questions of the session before and after. Most of the table is a hole in its files.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<'END'
SELECT session_add('vast', key => 'id');
INSERT INTO sessions.vast SELECT i, jsonb_build_object('id', i, 'n', i % 100) FROM generate_series(1, 1000) AS i;
VACUUM sessions.vast;
CHECKPOINT;
END
file=$(sql "SELECT pg_catalog.current_setting('data_directory') || '/' || pg_catalog.pg_relation_filepath('sessions.vast')")
for segment in '' .{1..64}; do
    if ! $PG_RUN_AS truncate -s 1G "$file$segment" 2>/dev/null; then
        echo 'skipped: no file of 1 GB can be made with a hole'
        exit
    fi
done
is 'gigabytes' 65 "$(sql "SELECT pg_relation_size('sessions.vast') >> 30")"
is 'one session' $'posting lists\n10\n1\nposting lists\n10\n10\n100' "$(psql <<'END'
SET statement_timeout = '20s';
SELECT session_explain('vast', 'n:5')->>'way';
SELECT session_count('vast', 'n:5');
SELECT session_stream('vast', '*:*')->'id' LIMIT 1;
SELECT session_explain('vast', 'n:5')->>'way';
SELECT session_count('vast', 'n:5');
SELECT count(*) FROM sessions.vast WHERE doc @@@ 'n:5';
SELECT count(*) FROM session_values('vast', '*:*', 'n', rows => 1000);
END
)"
