-- Queries that differ from row to row (a table of alerts): @@@ beside JSON path. Run it with psql; it makes a schema and drops it.
--   target/psql -qX -f bench/alerts.sql
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS alerts CASCADE;
CREATE SCHEMA alerts;
SET search_path = alerts, public;
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE TABLE documents AS
SELECT i AS id, jsonb_build_object('id', i, 'user', jsonb_build_object('name', 'user' || i % 50, 'id', i * 37 % 10000),
    'level', (ARRAY['info', 'warning', 'error'])[1 + i % 3], 'status', 200 + i % 5 * 100, 'took', i * 7.25,
    'at', to_char(timestamp '2024-01-01' + i * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'tags', jsonb_build_array('t' || i % 7, 't' || i % 11), 'message', repeat('some words of a line ', 5) || i) AS doc
FROM generate_series(1, 100) i;

-- One form each. Parameters of the kind make every query differ.
CREATE FUNCTION query(kind text, i int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE kind
        WHEN 'number' THEN format('user.id:%s', i)
        WHEN 'string' THEN format('user.name:"user%s"', i)
        WHEN 'range' THEN format('took:[%s TO %s]', i % 700, i % 700 + i / 100.0)
        WHEN 'both' THEN format('+level:error +user.id:[%s TO %s]', i, i + 100)
        WHEN 'date' THEN format('at:[%s TO *]', to_char(timestamp '2023-12-31' + i * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    END $$;
CREATE FUNCTION path(kind text, i int) RETURNS jsonpath LANGUAGE sql IMMUTABLE AS $$
    SELECT (CASE kind
        WHEN 'number' THEN format('$.user.id ? (@ == %s)', i)
        WHEN 'string' THEN format('$.user.name ? (@ == "user%s")', i)
        WHEN 'range' THEN format('$.took ? (@ >= %s && @ <= %s)', i % 700, i % 700 + i / 100.0)
        WHEN 'both' THEN format('$ ? (@.level == "error" && @.user.id >= %s && @.user.id <= %s)', i, i + 100)
        WHEN 'date' THEN format('$.at ? (@ >= "%s")', to_char(timestamp '2023-12-31' + i * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    END)::jsonpath $$;
CREATE TABLE kinds AS SELECT unnest('{number,string,range,both,date}'::text[]) AS kind;
CREATE TABLE alerts AS
SELECT kind, i AS id, query(kind, i)::lucene_query AS q, path(kind, i) AS path FROM kinds, generate_series(1, 10000) i;
INSERT INTO alerts SELECT 'mixed', i, query(kind, i)::lucene_query, path(kind, i)
FROM generate_series(1, 10000) i, LATERAL (SELECT (ARRAY['number','string','range','both','date'])[1 + i % 5]) _(kind);
INSERT INTO alerts SELECT 'twenty', i, query(kind, i)::lucene_query, path(kind, i)
FROM generate_series(1, 20) i, LATERAL (SELECT (ARRAY['number','string','range','both','date'])[1 + i % 5]) _(kind);
VACUUM ANALYZE documents, alerts;

-- Of this backend, so that what else the machine does counts little.
CREATE FUNCTION cpu_milliseconds() RETURNS float LANGUAGE sql VOLATILE AS $$
    SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float / 1e6 $$;

-- A correlated subquery scans the inner side anew for every row of the outer one. In turns, the best of five.
CREATE PROCEDURE measure(kind text, inner_side text) LANGUAGE plpgsql AS $$
DECLARE
    started float;
    found bigint;
    best float[] := '{1e9, 1e9, 1e9}';
    conditions text[] := '{doc @@@ q, doc @? path, doc IS NOT NULL AND q IS NOT NULL}';
    repeats int := CASE kind WHEN 'twenty' THEN 500 ELSE 1 END;
BEGIN
    CREATE TEMP TABLE a ON COMMIT DROP AS SELECT q, path FROM alerts WHERE alerts.kind = measure.kind ORDER BY id;
    CREATE TEMP TABLE d ON COMMIT DROP AS SELECT doc FROM documents, generate_series(1, repeats);
    ANALYZE a, d;
    FOR turn IN 1..5 LOOP
        FOR way IN 1..3 LOOP
            started := cpu_milliseconds();
            EXECUTE format(CASE inner_side
                WHEN 'queries' THEN 'SELECT sum((SELECT count(*) FROM a WHERE %s)) FROM d'
                ELSE 'SELECT sum((SELECT count(*) FROM d WHERE %s)) FROM a' END, conditions[way]) INTO found;
            best[way] := least(best[way], cpu_milliseconds() - started);
        END LOOP;
    END LOOP;
    DROP TABLE a, d;
    RAISE INFO '% % inner % ms   JSON path % ms   ratio %   empty % ms', rpad(kind, 8), rpad(inner_side, 9), round(best[1]::numeric),
        round(best[2]::numeric), round((best[1] / best[2])::numeric, 2), round(best[3]::numeric);
END $$;

\set VERBOSITY terse
SELECT format('CALL measure(%L, %L)', kind, inner_side)
FROM (VALUES ('queries'), ('documents')) s (inner_side), (VALUES ('number'), ('string'), ('range'), ('both'), ('date'), ('mixed'), ('twenty')) k (kind) \gexec
DROP SCHEMA alerts CASCADE;
