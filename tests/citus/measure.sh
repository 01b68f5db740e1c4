#!/usr/bin/env bash
# How long counts, pages, facets and writes of a distributed store take, beside plain SQL through Citus and the slowest shard alone:
#   DOCUMENTS=200000 SECONDS_TO_RUN=600 MEASURED=/tmp/measured CITUS=… scripts/test tests/citus/measure.sh
# Milliseconds, the median of 15 runs each, in turn. By default it is a test that all of them agree.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<END
SELECT session_add('stash', key => 'n');
INSERT INTO sessions.stash SELECT n, jsonb_build_object('n', n, 'half', n % 2, 'third', n % 3, 'rare', n % 1000, 'at', (n::bigint * 7919) % 1000003, 'pad', repeat(md5(n::text), 8))
FROM generate_series(1, ${DOCUMENTS:-2000}) AS n;
END
distribute stash 8
psql -c "SELECT run_command_on_shards('sessions.stash', 'VACUUM ANALYZE %s')" -o /dev/null

psql -o "${MEASURED:-/dev/null}" <<'END'
CREATE TABLE run (what text, way text, ms float8, answer text);
CREATE PROCEDURE timed(what text, way text, sql text) LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz := clock_timestamp();
    answer text;
BEGIN
    EXECUTE sql INTO answer;
    INSERT INTO run VALUES (what, way, extract(epoch FROM clock_timestamp() - started) * 1000, answer);
END $$;
DO $$
DECLARE
    q text;
    page text;
BEGIN
    FOR i IN 1..15 LOOP
        FOREACH q IN ARRAY array['*:*', 'half:1', 'rare:7', 'half:1 AND third:2', '-third:0'] LOOP
            CALL timed('count ' || q, 'session', format('SELECT session_count(''stash'', %L)', q));
            CALL timed('count ' || q, 'SQL', format('SELECT count(*) FROM sessions.stash WHERE doc @@@ %L', q));
            CALL timed('10 by at ' || q, 'session', format('SELECT jsonb_path_query_array(session_query(''stash'', %L, sort => ''at desc'')->''items'', ''$[*].n'')', q));
            CALL timed('10 by at ' || q, 'SQL', format('SELECT jsonb_agg(n) FROM (SELECT doc->''n'' AS n FROM sessions.stash WHERE doc @@@ %L ORDER BY (doc->>''at'')::int DESC LIMIT 10) AS _', q));
            IF i <= 5 THEN
                CALL timed('10 by at from 1,000 ' || q, 'session', format('SELECT jsonb_path_query_array(session_query(''stash'', %L, sort => ''at desc'', start => 1000)->''items'', ''$[*].n'')', q));
                CALL timed('10 by at from 1,000 ' || q, 'SQL', format('SELECT coalesce(jsonb_agg(n), ''[]'') FROM (SELECT doc->''n'' AS n FROM sessions.stash WHERE doc @@@ %L ORDER BY (doc->>''at'')::int DESC OFFSET 1000 LIMIT 10) AS _', q));
            END IF;
        END LOOP;
        CALL timed('values of third', 'session', 'SELECT jsonb_agg(jsonb_build_array(value, count) ORDER BY value) FROM session_values(''stash'', ''half:1'', ''third'')');
        CALL timed('values of third', 'SQL', 'SELECT jsonb_agg(jsonb_build_array(value, count) ORDER BY value) FROM (SELECT doc->''third'' AS value, count(*) FROM sessions.stash WHERE doc @@@ ''half:1'' GROUP BY value) AS _');
        CALL timed('sum of at by rare', 'session', 'SELECT session_facets(''stash'', ''*:*'', ''{"f": {"type": "terms", "field": "rare", "limit": 3, "sort": "index", "facet": {"s": "sum(at)"}}}'')->''f''->''buckets''->2->''s''');
        CALL timed('sum of at by rare', 'SQL', 'SELECT sum FROM (SELECT doc->''rare'' AS rare, sum((doc->>''at'')::int) FROM sessions.stash GROUP BY rare) AS _ WHERE rare = ''2''');
        CALL timed('stats of rare', 'session', 'SELECT session_stats(''stash'', ''third:1'', ''rare'')->''sum''');
        CALL timed('stats of rare', 'SQL', 'SELECT sum((doc->>''rare'')::int) FROM sessions.stash WHERE doc @@@ ''third:1''');
        CALL timed('nothing', 'SQL', 'SELECT count(*) FROM sessions.stash WHERE doc @@@ ''n:none''');
        CALL timed('nothing', 'session', 'SELECT session_count(''stash'', ''n:none'')');
    END LOOP;
END $$;
SELECT what, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'session'))::numeric, 1) AS session,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'SQL'))::numeric, 1) AS sql
FROM run GROUP BY what ORDER BY what;
END

# The same without the network: each shard by itself, on its server. The slowest one's median.
alone() { # CALL, with SHARD for the shard
    local node
    for node in 1 2; do
        worker $node psql -v call="$1" <<'END'
SELECT set_config('measured.call', :'call', false) \g /dev/null
DO $$
DECLARE
    shard regclass;
    started timestamptz;
    times float8[];
BEGIN
    FOR shard IN SELECT oid FROM pg_class WHERE relname ~ '^stash_[0-9]+$' AND relkind = 'r' AND reltuples > 0 LOOP
        times := '{}';
        FOR i IN 1..15 LOOP
            started := clock_timestamp();
            EXECUTE replace(current_setting('measured.call'), 'SHARD', quote_literal(shard) || '::regclass');
            times := times || extract(epoch FROM clock_timestamp() - started)::float8 * 1000;
        END LOOP;
        RAISE INFO 'ms % %', (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(times) AS t), shard;
    END LOOP;
END $$;
END
    done 2>&1 | awk '$2 == "ms" && $3 > most { most = $3 } END { printf "%.1f\n", most }'
}
for q in '*:*' 'half:1' 'rare:7' 'half:1 AND third:2' '-third:0'; do
    echo "alone: $q|count|$(alone "SELECT session_store.shard_page(SHARD, '$q', NULL, NULL, '{}', 0)")|page|$(alone "SELECT session_store.shard_page(SHARD, '$q', 'at desc', NULL, '{\"*\": [0, 10]}', 262144)")"
done >>"${MEASURED:-/dev/null}"

# Writes: calls of 1,000 documents, and plain SQL.
psql -o /dev/null <<'END'
DO $$
DECLARE
    docs text := '(SELECT jsonb_agg(jsonb_build_object(''n'', n, ''half'', n % 2, ''rare'', n % 1000, ''pad'', repeat(md5(n::text), 8))) FROM generate_series(1000001, 1001000) AS n)';
    ids text[] := (SELECT array_agg(n::text) FROM generate_series(1000001, 1001000) AS n);
BEGIN
    FOR i IN 1..5 LOOP
        CALL timed('insert 1,000', 'session', 'SELECT session_update(''stash'', jsonb_build_array(jsonb_build_object(''upsert'', ' || docs || ')))::text');
        COMMIT;
        CALL timed('delete 1,000', 'session', 'SELECT session_update(''stash'', (SELECT jsonb_build_array(jsonb_build_object(''delete'', jsonb_agg(n))) FROM generate_series(1000001, 1001000) AS n))::text');
        COMMIT;
        CALL timed('insert 1,000', 'SQL', 'INSERT INTO sessions.stash SELECT d->>''n'', d FROM jsonb_array_elements(' || docs || ') AS d RETURNING ''''');
        COMMIT;
        CALL timed('delete 1,000', 'SQL', format('DELETE FROM sessions.stash WHERE id = ANY (%L::text[]) RETURNING ''''', ids));
        COMMIT;
        CALL timed('upsert 1', 'session', 'SELECT session_update(''stash'', ''[{"upsert": [{"n": 5, "i": ' || i || '}]}]'')::text');
        CALL timed('upsert 1', 'SQL', 'INSERT INTO sessions.stash VALUES (''5'', ''{"n": 5, "j": ' || i || '}'') ON CONFLICT (id) DO UPDATE SET doc = excluded.doc RETURNING ''''');
    END LOOP;
END $$;
END
sql "SELECT what, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'session'))::numeric, 1), round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'SQL'))::numeric, 1)
    FROM run WHERE what ~ 'insert|delete|upsert' GROUP BY what ORDER BY what" >>"${MEASURED:-/dev/null}"
is 'answers that differ' '' "$(sql 'SELECT what FROM run GROUP BY what HAVING count(DISTINCT answer) > 1')"
