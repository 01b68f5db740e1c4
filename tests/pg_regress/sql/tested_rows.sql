-- Counts under a policy on one field: what a session remembers of rows gives the same as PostgreSQL's own evaluation, after every change, for every role.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE ROLE tenant_a;
CREATE ROLE tenant_b;
SELECT session_add('tested', key => 'id') \g /dev/null
ALTER TABLE sessions.tested SET (autovacuum_enabled = off);
GRANT USAGE ON SCHEMA sessions TO tenant_a, tenant_b;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions.tested TO tenant_a, tenant_b;
-- Strings, arrays of the same string, nested ones, other types, nothing.
CREATE FUNCTION pg_temp.document(i int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', i, 'n', i % 10, 'h', i % 2) || (ARRAY['{"tenant": "tenant_a"}', '{"tenant": "tenant_b"}', '{"tenant": ["tenant_a"]}',
        '{"tenant": "tenant_a"}', '{"tenant": {"x": "tenant_a"}}', '{"tenant": null}', '{}', '{"tenant": [["tenant_a"]]}', '{"tenant": ["tenant_a", "tenant_b"]}',
        '{"tenant": "Tenant_A"}', '{"tenant": 5}', '{"tenant": "tenant_a "}', '{"other": {"tenant": "tenant_a"}}']::jsonb[])[1 + i % 13] $$;
INSERT INTO sessions.tested SELECT i::text, pg_temp.document(i) FROM generate_series(1, 1300) i;
VACUUM ANALYZE sessions.tested;
CREATE POLICY tenant ON sessions.tested USING ((doc ->> 'tenant') = current_user);
ALTER TABLE sessions.tested ENABLE ROW LEVEL SECURITY;

-- Three times each, since a question is answered otherwise when it is asked again. PostgreSQL evaluates the policy where the column is needed.
CREATE FUNCTION pg_temp.differences() RETURNS TABLE (who text, q text, counted bigint, evaluated bigint) LANGUAGE plpgsql AS $$ BEGIN
    FOR turn IN 1..3 LOOP
        FOREACH q IN ARRAY '{h:1,*:*,-h:1,n:[2 TO 5],tenant:tenant_a,n:3 AND h:1}'::text[] LOOP
            FOREACH who IN ARRAY '{tenant_a,tenant_b}'::text[] LOOP
                EXECUTE 'SET LOCAL ROLE ' || who;
                EXECUTE format('SELECT count(*) FROM sessions.tested WHERE doc @@@ %L', q) INTO counted;
                EXECUTE format('SELECT count(*) FROM sessions.tested WHERE (doc::text || id) IS NOT NULL AND (doc || jsonb_build_object(''z'', 1)) @@@ %L', q) INTO evaluated;
                RESET ROLE;
                IF counted <> evaluated THEN RETURN NEXT; END IF;
            END LOOP;
        END LOOP;
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.counts() RETURNS TABLE (a bigint, b bigint) LANGUAGE plpgsql AS $$ BEGIN
    SET LOCAL ROLE tenant_a; SELECT count(*) FROM sessions.tested WHERE doc @@@ 'h:1' INTO a;
    SET LOCAL ROLE tenant_b; SELECT count(*) FROM sessions.tested WHERE doc @@@ 'h:1' INTO b;
    RESET ROLE; RETURN NEXT;
END $$;
SELECT * FROM pg_temp.differences();
SELECT * FROM pg_temp.counts();
-- Changes of the field, in place and to other pages, in and out of the tenant's rows
UPDATE sessions.tested SET doc = doc || '{"tenant": ["tenant_a"]}' WHERE id = '13';
SELECT * FROM pg_temp.differences();
SELECT * FROM pg_temp.counts();
UPDATE sessions.tested SET doc = doc || '{"tenant": "tenant_b"}' WHERE id::int % 26 = 0;
SELECT * FROM pg_temp.differences();
VACUUM sessions.tested;
SELECT * FROM pg_temp.differences();
SELECT * FROM pg_temp.counts();
DELETE FROM sessions.tested WHERE id::int % 7 = 0;
SELECT * FROM pg_temp.differences();
VACUUM sessions.tested;
INSERT INTO sessions.tested SELECT i::text, pg_temp.document(i + 1) || jsonb_build_object('id', i) FROM generate_series(1301, 1600) i;
SELECT * FROM pg_temp.differences();
VACUUM sessions.tested;
SELECT * FROM pg_temp.differences();
SELECT * FROM pg_temp.counts();
-- Within a transaction, and after it was rolled back
BEGIN;
INSERT INTO sessions.tested SELECT i::text, jsonb_build_object('id', i, 'h', 1, 'n', 3, 'tenant', 'tenant_a') FROM generate_series(5001, 5200) i;
SELECT * FROM pg_temp.differences();
SAVEPOINT s;
DELETE FROM sessions.tested WHERE doc @@@ 'n:3';
SELECT * FROM pg_temp.differences();
ROLLBACK TO s;
SELECT * FROM pg_temp.differences();
ROLLBACK;
SELECT * FROM pg_temp.differences();
SELECT * FROM pg_temp.counts();
BEGIN;
TRUNCATE sessions.tested;
SELECT * FROM pg_temp.differences();
INSERT INTO sessions.tested SELECT i::text, pg_temp.document(i + 2) || jsonb_build_object('id', i) FROM generate_series(1, 1000) i;
SELECT * FROM pg_temp.differences();
ROLLBACK;
SELECT * FROM pg_temp.differences();
REINDEX TABLE sessions.tested;
SELECT * FROM pg_temp.differences();
VACUUM FULL sessions.tested;
VACUUM sessions.tested;
SELECT * FROM pg_temp.differences();
SELECT * FROM pg_temp.counts();
-- Another policy: on another field, with another value, with both, and with more than a field test
ALTER POLICY tenant ON sessions.tested USING ((doc ->> 'n') = '3');
SELECT * FROM pg_temp.differences();
ALTER POLICY tenant ON sessions.tested USING ((doc ->> 'tenant') = 'tenant_b');
SELECT * FROM pg_temp.differences();
ALTER POLICY tenant ON sessions.tested USING ((doc ->> 'tenant') = current_user AND (doc ->> 'n') = '3');
SELECT * FROM pg_temp.differences();
ALTER POLICY tenant ON sessions.tested USING ((doc ->> 'tenant') = current_user AND id < '5');
SELECT * FROM pg_temp.differences();
ALTER POLICY tenant ON sessions.tested USING ((doc ->> 'tenant') = nullif(current_user, 'tenant_b'));
SELECT * FROM pg_temp.differences();
ALTER POLICY tenant ON sessions.tested USING ((doc ->> 'tenant') = '["tenant_a"]');
SELECT * FROM pg_temp.differences();
SELECT * FROM pg_temp.counts();
ALTER POLICY tenant ON sessions.tested USING ((doc ->> 'tenant') = current_user);
SELECT * FROM pg_temp.differences();
-- Documents that are compressed
UPDATE sessions.tested SET doc = doc || jsonb_build_object('pad', repeat('x', 5000)) WHERE id::int % 5 = 0;
VACUUM sessions.tested;
SELECT * FROM pg_temp.differences();
-- With little memory, and with none
SET session_store.changes_memory = '1kB';
SELECT * FROM pg_temp.differences();
SET session_store.changes_memory = 0;
SELECT * FROM pg_temp.differences();
RESET session_store.changes_memory;
-- A plan that is read again, row by row and from a cursor
SET plan_cache_mode = force_generic_plan;
SET ROLE tenant_a;
SELECT (SELECT count(*) FROM sessions.tested WHERE doc @@@ q::lucene_query) = (SELECT count(*) FROM sessions.tested WHERE doc::text IS NOT NULL AND (doc || '{"z": 1}') @@@ q::lucene_query)
FROM unnest('{h:1,h:1,n:3,h:1,n:3,nothing:1,h:1}'::text[]) q;
BEGIN;
DECLARE c CURSOR FOR SELECT FROM sessions.tested WHERE doc @@@ 'h:1';
MOVE 10 IN c;
RESET ROLE;
UPDATE sessions.tested SET doc = doc || '{"tenant": "tenant_b"}' WHERE doc @@@ 'h:1';
MOVE ALL IN c;
SELECT * FROM pg_temp.differences();
ROLLBACK;
SELECT * FROM pg_temp.differences();
SET ROLE tenant_a;
EXPLAIN (COSTS OFF) SELECT count(*) FROM sessions.tested WHERE doc @@@ 'h:1';
RESET ROLE;
SELECT session_drop('tested') \g /dev/null
REVOKE USAGE ON SCHEMA sessions FROM tenant_a, tenant_b;
DROP ROLE tenant_a, tenant_b;
