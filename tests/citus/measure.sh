#!/usr/bin/env bash
# How long counts and pages of a distributed store take, beside plain SQL through Citus and the slowest shard alone:
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
        CALL timed('nothing', 'SQL', 'SELECT count(*) FROM sessions.stash WHERE doc @@@ ''n:none''');
        CALL timed('nothing', 'session', 'SELECT session_count(''stash'', ''n:none'')');
    END LOOP;
END $$;
SELECT what, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'session'))::numeric, 1) AS session,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'SQL'))::numeric, 1) AS sql
FROM run GROUP BY what ORDER BY what;
END
is 'answers that differ' '' "$(sql 'SELECT what FROM run GROUP BY what HAVING count(DISTINCT answer) > 1')"
