#!/usr/bin/env bash
# What is in the workers' shards, and in no table of the coordinator's, is counted and found.
. "$(dirname "$0")/lib.sh"

sql "SELECT session_add('stash', key => 'n'); INSERT INTO sessions.stash SELECT n, jsonb_build_object('n', n) FROM generate_series(1, 100) AS n" -o /dev/null
distribute stash 8
is 'shards on both workers' '8 2' "$(sql "SELECT count(*) || ' ' || count(DISTINCT nodename) FROM citus_shards WHERE table_name = 'sessions.stash'::regclass")"
is 'nothing here' 0 "$(sql "SELECT pg_relation_size('sessions.stash')")"
is 'a shard on the first worker' t "$(worker 1 sql "SELECT count(*) > 0 FROM pg_class WHERE relname ~ '^stash_[0-9]+$'")"
is 'the count' 100 "$(sql "SELECT session_count('stash', '*:*')")"
is 'a part of it' 11 "$(sql "SELECT session_count('stash', 'n:[90 TO 100]')")"
