#!/usr/bin/env bash
# How long counts, pages, facets and writes of a store over 8 shards take, beside the slowest shard alone and plain SQL through Citus:
#   DOCUMENTS=1000000 TURNS=100 SHARED_BUFFERS=1GB SECONDS_TO_RUN=600 MEASURED=/tmp/measured CITUS=… scripts/test tests/citus/measure.sh
# Milliseconds, medians of TURNS runs, and of 5 of what takes long, as rows of a table. "over it" is how much longer than the slowest
# shard alone a call takes, which is asked for ten rows from an eighth of the start on; the target is 3 for counts and 5 for pages. By default it is a test that all answers agree.
# Windows far from the start lie elsewhere in each turn, 137 rows on, so that none is known from an earlier one; the ten rows behind such a window are asked for next.
. "$(dirname "$0")/lib.sh"
exec 3>"${MEASURED:-/dev/null}"
documents=${DOCUMENTS:-2000}
started=$SECONDS
# The index is made when the rows are there.
psql -o /dev/null <<END
SELECT session_add('stash', key => 'n');
SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = 'sessions.stash'::regclass AND NOT indisunique \gset
SELECT pg_get_indexdef(:'index'::regclass) AS definition \gset
DROP INDEX :index;
SELECT create_distributed_table('sessions.stash', 'id', shard_count => 8);
INSERT INTO sessions.stash SELECT n, jsonb_build_object('n', n, 'half', n % 2, 'third', n % 3, 'rare', n % 1000, 'at', (n::bigint * 7919) % 1000003, 'pad', repeat(md5(n::text), 8))
FROM generate_series(1, $documents) AS n;
:definition;
SELECT run_command_on_shards('sessions.stash', 'VACUUM ANALYZE %s');
END
echo "$documents documents, loaded and indexed in $((SECONDS - started)) s" >&3

psql -o /dev/null <<END
CREATE TABLE run (what text, way text, turn int, ms float8, answer text);
CREATE PROCEDURE timed(what text, way text, sql text, turn int DEFAULT 0) LANGUAGE plpgsql AS \$\$
DECLARE
    started timestamptz := clock_timestamp();
    answer text;
BEGIN
    EXECUTE replace(sql, 'MOVED', (137 * turn)::text) INTO answer;
    INSERT INTO run VALUES (what, way, turn, extract(epoch FROM clock_timestamp() - started) * 1000, answer);
END \$\$;
CREATE TABLE asked (line serial, what text, session text, sql text, shard text, target float8);
INSERT INTO asked (what, session, sql, shard, target)
SELECT 'count \`' || q || '\`', format('SELECT session_count(''stash'', %L)', q), format('SELECT count(*) FROM sessions.stash WHERE doc @@@ %L', q),
    format('SELECT session_store.shard_page(SHARD, %L)', jsonb_build_array(q, NULL, NULL, '{}'::jsonb, 0, NULL)), 3
FROM unnest('{*:*,half:1,rare:7,half:1 AND third:2,-third:0,n:$((documents / 2))}'::text[]) AS q;
INSERT INTO asked (what, session, sql, shard, target)
SELECT format('10 by \`at desc\`%s, \`%s\`%s', CASE WHEN first > 0 THEN to_char(first, '" from "FM999,999') ELSE '' END, q, CASE WHEN behind > 0 THEN ', the next 10' ELSE '' END),
    format('SELECT jsonb_path_query_array(session_query(''stash'', %L, sort => ''at desc'', start => %s)->''items'', ''\$[*].n'')', q, start),
    format('SELECT coalesce(jsonb_agg(n), ''[]'') FROM (SELECT doc->''n'' AS n FROM sessions.stash WHERE doc @@@ %L ORDER BY (doc->>''at'')::int DESC OFFSET %s LIMIT 10) AS _', q, start),
    format('SELECT session_store.shard_page(SHARD, %L)', jsonb_build_array(q, 'at desc', NULL, jsonb_build_object('*', jsonb_build_array(first / 8, 10, 1)), 262144, NULL)), 5
FROM (VALUES (0), (1000), (50000)) AS _ (first), unnest('{*:*,half:1,rare:7,half:1 AND third:2,-third:0,n:$((documents / 2))}'::text[]) AS q, unnest('{0,10}'::int[]) AS behind,
    LATERAL (SELECT CASE WHEN first > 0 THEN format('%s + MOVED', first + behind) ELSE '0' END) AS moved (start)
WHERE first = 0 AND behind = 0 OR first > 0 AND q NOT LIKE 'n:%'
ORDER BY first, q, behind;
INSERT INTO asked (what, session, sql) VALUES
    ('a count of nothing', 'SELECT session_count(''stash'', ''half:none'')', 'SELECT count(*) FROM sessions.stash WHERE doc @@@ ''half:none'''),
    ('\`session_values\` of \`third\` among \`half:1\`', 'SELECT jsonb_agg(jsonb_build_array(value, count) ORDER BY value) FROM session_values(''stash'', ''half:1'', ''third'')',
        'SELECT jsonb_agg(jsonb_build_array(value, count) ORDER BY value) FROM (SELECT doc->''third'' AS value, count(*) FROM sessions.stash WHERE doc @@@ ''half:1'' GROUP BY value) AS _'),
    ('\`session_stats\` of \`rare\` among \`third:1\` (SQL: the sum alone)', 'SELECT session_stats(''stash'', ''third:1'', ''rare'')->''sum''',
        'SELECT sum((doc->>''rare'')::int) FROM sessions.stash WHERE doc @@@ ''third:1'''),
    ('three of 1,000 buckets by \`rare\`, each with a sum (SQL: one bucket)',
        'SELECT session_facets(''stash'', ''*:*'', ''{"f": {"type": "terms", "field": "rare", "limit": 3, "sort": "index", "facet": {"s": "sum(at)"}}}'')->''f''->''buckets''->2->''s''',
        'SELECT sum FROM (SELECT doc->''rare'' AS rare, sum((doc->>''at'')::int) FROM sessions.stash GROUP BY rare) AS _ WHERE rare = ''2''');
END
turns() { # WAY TURNS WHERE: asks all of them in turn
    psql -o /dev/null <<END
DO \$\$
DECLARE
    q asked;
BEGIN
    FOR turn IN 1..$2 LOOP
        FOR q IN SELECT * FROM asked WHERE $3 ORDER BY line LOOP
            CALL timed(q.what, '$1', q.$1, turn);
        END LOOP;
    END LOOP;
END \$\$;
END
}
turns session "${TURNS:-15}" 'target > 0'
turns session 5 'target IS NULL'

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
        FOR i IN 1..40 LOOP
            started := clock_timestamp();
            EXECUTE replace(current_setting('measured.call'), 'SHARD', quote_literal(shard) || '::regclass');
            times := times || extract(epoch FROM clock_timestamp() - started)::float8 * 1000;
        END LOOP;
        RAISE INFO 'ms % %', (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(times) AS t), shard;
    END LOOP;
END $$;
END
    done 2>&1 | awk '$2 == "ms" && $3 > most { most = $3 } END { printf "%f\n", most }'
}
while IFS=$'\t' read -r line call; do
    printf "INSERT INTO run SELECT what, 'shard', 0, %s FROM asked WHERE line = %s;\n" "$(alone "$call")" "$line"
done < <(sql "SELECT line, shard FROM asked WHERE shard IS NOT NULL ORDER BY line" -F $'\t') | psql
turns sql 5 true

# Writes: calls of 1,000 documents, and plain SQL.
psql -o /dev/null <<'END'
DO $$
DECLARE
    docs text := '(SELECT jsonb_agg(jsonb_build_object(''n'', n, ''half'', n % 2, ''rare'', n % 1000, ''pad'', repeat(md5(n::text), 8))) FROM generate_series(10000001, 10001000) AS n)';
    ids text[] := (SELECT array_agg(n::text) FROM generate_series(10000001, 10001000) AS n);
BEGIN
    FOR i IN 1..5 LOOP
        CALL timed('`session_update`: insert 1,000 documents', 'session', 'SELECT session_update(''stash'', jsonb_build_array(jsonb_build_object(''upsert'', ' || docs || ')))::text');
        COMMIT;
        CALL timed('`session_update`: delete 1,000', 'session', 'SELECT session_update(''stash'', (SELECT jsonb_build_array(jsonb_build_object(''delete'', jsonb_agg(n))) FROM generate_series(10000001, 10001000) AS n))::text');
        COMMIT;
        CALL timed('`session_update`: insert 1,000 documents', 'sql', 'INSERT INTO sessions.stash SELECT d->>''n'', d FROM jsonb_array_elements(' || docs || ') AS d RETURNING ''''');
        COMMIT;
        CALL timed('`session_update`: delete 1,000', 'sql', format('DELETE FROM sessions.stash WHERE id = ANY (%L::text[]) RETURNING ''''', ids));
        COMMIT;
    END LOOP;
    -- Each in a transaction of its own. The index has still to put in order what the calls before have written.
    FOR i IN 1..40 LOOP
        CALL timed('`session_update`: upsert one', 'session', 'SELECT session_update(''stash'', ''[{"upsert": [{"n": 5, "i": ' || i || '}]}]'')::text');
        COMMIT;
        CALL timed('`session_update`: upsert one', 'sql', 'INSERT INTO sessions.stash VALUES (''5'', ''{"n": 5, "j": ' || i || '}'') ON CONFLICT (id) DO UPDATE SET doc = excluded.doc RETURNING ''''');
        COMMIT;
    END LOOP;
END $$;
END

psql >&3 <<'END'
CREATE VIEW measured AS
SELECT coalesce(line, 99) AS line, run.what, target,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'session') AS session,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'sql') AS sql,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'shard') AS shard
FROM run LEFT JOIN asked USING (what) GROUP BY line, run.what, target;
SELECT '| | session_store | the slowest shard alone | over it | target | | plain SQL through Citus |' || E'\n' || '| --- | --- | --- | --- | --- | --- | --- |';
SELECT format('| %s | %s | %s | %s | %s | %s | %s |', what, round(session::numeric, 1), round(shard::numeric, 1), round((session - shard)::numeric, 1), target,
    CASE WHEN session - shard <= target THEN 'met' WHEN session - shard > target THEN 'missed' END, round(sql::numeric, 1))
FROM measured ORDER BY line, what;
END
is 'answers that differ' '' "$(sql "SELECT what FROM run WHERE way <> 'shard' GROUP BY what, turn HAVING count(DISTINCT answer) <> 1 AND what !~ 'session_update'")"
sql "SELECT format('%s of %s targets met; at most %s ms over the slowest shard in counts, %s in pages', count(*) FILTER (WHERE session - shard <= target), count(*),
    round((max(session - shard) FILTER (WHERE target = 3))::numeric, 1), round((max(session - shard) FILTER (WHERE target = 5))::numeric, 1)) FROM measured WHERE target > 0" | tee -a /dev/fd/3
