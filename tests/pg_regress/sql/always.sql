-- @@@@, which is @@@ for queries whose meaning does not depend on the time, and immutable
CREATE TABLE always (id int PRIMARY KEY, doc jsonb, day text GENERATED ALWAYS AS (CASE WHEN doc @@@@ 'a:7' THEN 'seven' END) STORED)
WITH (autovacuum_enabled = off);
INSERT INTO always SELECT i, jsonb_build_object('a', i % 100, 'time', to_jsonb(now() - i * interval '1 hour')) FROM generate_series(1, 5000) AS i;
CREATE INDEX always_doc ON always USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE always;

-- The index answers it in each way.
EXPLAIN (COSTS off) SELECT count(*) FROM always WHERE doc @@@@ 'a:7';
EXPLAIN (COSTS off) SELECT id FROM always WHERE doc @@@@ 'a:7' AND doc @@@ 'time:[NOW-5DAYS TO *]';
SELECT count(*), count(day) FROM always WHERE doc @@@@ 'a:7';
SET session_store.enable_scan = off;
EXPLAIN (COSTS off) SELECT count(*) FROM always WHERE doc @@@@ 'a:7';
SELECT count(*) FROM always WHERE doc @@@@ 'a:7';
SET enable_bitmapscan = off;
SELECT count(*) FROM always WHERE doc @@@@ 'a:7';
RESET enable_bitmapscan;
RESET session_store.enable_scan;
-- So are the estimates those of @@@.
CREATE FUNCTION estimated(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN SELECT id FROM always WHERE ' || condition LOOP
        RETURN substring(line FROM 'rows=\d+');
    END LOOP;
END
$$;
SELECT estimated($$doc @@@@ 'a:[3 TO 40]'$$) = estimated($$doc @@@ 'a:[3 TO 40]'$$) AS alike;
-- A parameter
PREPARE asked (text) AS SELECT count(*) FROM always WHERE doc @@@@ $1;
SET plan_cache_mode = force_custom_plan;
EXECUTE asked ('a:7');
EXPLAIN (COSTS off) EXECUTE asked ('a:7');
SET plan_cache_mode = force_generic_plan;
EXECUTE asked ('a:7');
EXPLAIN (COSTS off) EXECUTE asked ('a:7');

-- NOW is refused, however the rows are found.
EXECUTE asked ('time:[NOW-5DAYS TO *]');
RESET plan_cache_mode;
EXECUTE asked ('time:[NOW-5DAYS TO *]');
SELECT count(*) FROM always WHERE doc @@@@ 'time:[NOW-5DAYS TO *]';
SET enable_seqscan = off;
SELECT count(*) FROM always WHERE doc @@@@ 'time:[NOW-5DAYS TO *]';
RESET enable_seqscan;
SET enable_bitmapscan = off;
SELECT count(*) FROM always WHERE doc @@@@ 'time:[NOW-5DAYS TO *]';
RESET enable_bitmapscan;
SELECT '{}'::jsonb @@@@ 'a:NOW' AS refused;
SELECT '{}'::jsonb @@@@ '+a:NOWHERE b:NOW* NOW:1' AS no_date, '{"NOW": 1}'::jsonb @@@@ 'NOW:1' AS a_path;
-- It can be written out.
SELECT count(*) FROM always WHERE doc @@@@ session_store.at_now('time:[NOW-5DAYS TO *]');
SELECT count(*) FROM always WHERE doc @@@ 'time:[NOW-5DAYS TO *]';
SELECT session_store.at_now('a:1 time:{NOW-1DAY/DAY TO NOW]')::text
    = format('a:1 time:{%1$s-1DAY/DAY TO %1$s+0MILLISECONDS]', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::lucene_query::text AS written;
SELECT session_store.at_now('a:1'), session_store.at_now(NULL) IS NULL AS nothing;
-- An index of those that match
CREATE INDEX always_sevens ON always (id) WHERE doc @@@@ 'a:7';
CREATE INDEX always_now ON always (id) WHERE doc @@@@ 'time:NOW';
DROP TABLE always;
DROP FUNCTION estimated;
