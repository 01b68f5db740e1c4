-- Counts under a policy of row-level security beside the same counts without. Run it with psql; it makes
-- a store and a role, and drops them.
--   target/psql -qX -f bench/policies.sql
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
-- What a run that was interrupted has left.
SELECT session_drop(name) FROM session_list() WHERE name = 'bench_policies' \g /dev/null
SELECT unnest(ARRAY['DROP OWNED BY bench_tenant', 'DROP ROLE bench_tenant']) FROM pg_roles WHERE rolname = 'bench_tenant' \gexec
SELECT session_add('bench_policies', key => 'id') \g /dev/null
INSERT INTO sessions.bench_policies
SELECT i::text, jsonb_build_object('id', i, 'tenant', 'bench_tenant', 'n', i % 100, 'h', i % 2, 'pad', repeat('x', 100))
FROM generate_series(1, 200000) i;
VACUUM ANALYZE sessions.bench_policies;
CREATE ROLE bench_tenant;
GRANT USAGE ON SCHEMA sessions TO bench_tenant;
GRANT SELECT ON sessions.bench_policies TO bench_tenant;
CREATE POLICY tenant ON sessions.bench_policies USING ((doc ->> 'tenant') = current_user);
ALTER TABLE sessions.bench_policies ENABLE ROW LEVEL SECURITY;

-- Milliseconds of the backend's processor time, the least of 5 means. The kernel counts it by ticks, so short questions are asked often.
CREATE FUNCTION pg_temp.cpu() RETURNS float LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
    SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float / 1e6 $$;
CREATE FUNCTION pg_temp.measure(who text, counted text, q text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE best float := 1e9; started float; n bigint; times int := CASE counted WHEN '*' THEN 400 ELSE 5 END; BEGIN
    EXECUTE 'SET LOCAL ROLE ' || who;
    FOR turn IN 1..5 LOOP
        started := pg_temp.cpu();
        FOR i IN 1..times LOOP
            EXECUTE format('SELECT count(%s) FROM sessions.bench_policies WHERE doc @@@ %L', counted, q) INTO n;
        END LOOP;
        best := least(best, (pg_temp.cpu() - started) / times);
    END LOOP;
    RETURN round(best::numeric, 3);
END $$;
-- PostgreSQL evaluates the policy where a column is needed.
SELECT format('%s: without a policy %s ms, with one %s ms, evaluated by PostgreSQL %s ms', q, pg_temp.measure('none', '*', q),
    pg_temp.measure('bench_tenant', '*', q), pg_temp.measure('bench_tenant', 'id', q)) FROM unnest('{n:7,h:1}'::text[]) q;
SELECT session_drop('bench_policies') \g /dev/null
REVOKE USAGE ON SCHEMA sessions FROM bench_tenant;
DROP ROLE bench_tenant;
