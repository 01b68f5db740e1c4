-- Counts under a policy `doc ->> 'key' = value` are those of PostgreSQL's own evaluation, whatever the documents hold at the key.
\set VERBOSITY terse
CREATE TABLE policies (id int, doc jsonb);
INSERT INTO policies SELECT 30 * i + n, doc || '{"n": 1}' FROM generate_series(1, 40) i, (VALUES
    (1, '{"tenant": "regress_tenant"}'::jsonb), (2, '{"tenant": "other"}'), (3, '{"tenant": ["regress_tenant"]}'),
    (4, '{"tenant": {"tenant": "regress_tenant"}}'), (5, '{"tenant": null}'), (6, '{}'), (7, '{"tenant": 5}'), (8, '{"tenant": "5"}'),
    (9, '{"tenant": 5.0}'), (10, '{"tenant": true}'), (11, '{"tenant": "true"}'), (12, '{"tenant": ""}'), (13, '{"Tenant": "regress_tenant"}'),
    (14, '{"tenant.x": "regress_tenant"}'), (15, '{"tenant": "ä"}'), (16, '{"tenant": "regress_tenant", "b": "x"}'),
    (17, jsonb_build_object('tenant', 'regress_tenant', 'long', repeat('x', 100000))),
    (18, jsonb_build_object('tenant', 'regress_tenant', 'n', 1) || (SELECT jsonb_object_agg('k' || k, k) FROM generate_series(1, 40) k)),
    (19, '{"tenant": "regress_tenant ", "b": "x"}'), (20, '{"tenant": "NOW"}'), (21, '{"tenant": "2024-01-01T00:00:00Z"}'),
    (22, '{"_query_": "b:x", "": "x", "*": "*", "a b:\"c": "x y\"z*"}'), (23, jsonb_build_object('tenant', repeat('y', 300)))) AS _(n, doc);
INSERT INTO policies VALUES (1, '[{"tenant": "regress_tenant", "n": 1}]'), (2, NULL), (3, '"regress_tenant"'), (4, '1');
ALTER TABLE policies ADD late text;
CREATE INDEX policies_idx ON policies USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE policies;
-- Newer versions of rows on the same page and on others, and deleted ones.
UPDATE policies SET id = id + 1 WHERE id % 7 = 0;
UPDATE policies SET doc = doc || '{"tenant": "regress_tenant"}' WHERE id % 40 = 2;
DELETE FROM policies WHERE id % 50 = 1;
INSERT INTO policies (id, doc) VALUES (5, '{"tenant": "regress_tenant", "n": 1}');
CREATE ROLE regress_tenant;
GRANT SELECT ON policies TO regress_tenant;
ALTER TABLE policies ENABLE ROW LEVEL SECURITY;
SET enable_seqscan = off;
SET enable_bitmapscan = off;

-- Each condition as a policy: how many rows the scan counts, and how many a sequential scan does.
CREATE FUNCTION counted(condition text, statement text DEFAULT $$SELECT count(*) FROM policies WHERE doc @@@ 'n:1'$$) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE by_scan text; by_server text; plan text; line text; BEGIN
    EXECUTE format('CREATE POLICY p ON policies USING (%s)', condition);
    SET LOCAL ROLE regress_tenant;
    FOR line IN EXECUTE 'EXPLAIN ' || statement LOOP plan := concat(plan, line); END LOOP;
    EXECUTE statement INTO by_scan;
    SET LOCAL session_store.enable_scan = off;
    SET LOCAL enable_seqscan = on;
    SET LOCAL enable_indexscan = off;
    EXECUTE statement INTO by_server;
    RESET ROLE;
    SET LOCAL session_store.enable_scan = on;
    SET LOCAL enable_seqscan = off;
    DROP POLICY p ON policies;
    RETURN concat(by_scan, CASE WHEN by_scan = by_server THEN ' as ' ELSE ' BUT ' END, by_server,
        CASE WHEN plan NOT LIKE '%LuceneScan%' THEN ', not by the scan' END);
END $$;
SET regress.tenant = '5';
SET regress.none = '';
SELECT condition, counted(condition) FROM (VALUES
    ($$doc ->> 'tenant' = current_user$$), ($$current_user = doc ->> 'tenant'$$), ($$doc ->> 'tenant' = 'regress_tenant'$$),
    ($$(doc ->> 'tenant')::varchar = 'regress_tenant'$$), ($$doc ->> 'tenant' = current_setting('regress.tenant')$$),
    ($$doc ->> 'tenant' = current_setting('regress.no_such', true)$$), ($$doc ->> 'tenant' = current_setting('regress.none')$$),
    ($$doc ->> 'tenant' = 'true'$$), ($$doc ->> 'tenant' = 'ä'$$), ($$doc ->> 'tenant' = '["regress_tenant"]'$$),
    ($$doc ->> 'tenant' = '{"tenant": "regress_tenant"}'$$), ($$doc ->> 'tenant' = current_user AND doc ->> 'b' = 'x'$$),
    ($$doc ->> 'tenant' = current_user OR doc ->> 'b' = 'x'$$), ($$doc ->> 'tenant' <> current_user$$),
    ($$doc ->> 'tenant' = doc ->> 'tenant'$$), ($$doc ->> 'tenant' = (SELECT current_user)$$), ($$doc ->> 'tenant.x' = current_user$$),
    ($$doc ->> 'tenant' = 'NOW'$$), ($$doc ->> 'tenant' = '2024-01-01T00:00:00Z'$$), ($$doc ->> '_query_' = 'b:x'$$), ($$doc ->> '' = 'x'$$),
    ($$doc ->> '*' = '*'$$), ($$doc ->> 'a b:"c' = 'x y"z*'$$), ($$doc ->> 'tenant' = repeat('y', 300)$$), ($$doc ->> 'tenant' = repeat('y', 299)$$),
    ($$doc ->> 'tenant' = '5.0'$$), ($$doc ->> 'tenant' = ''$$),
    ($$doc ->> 'tenant' = current_user COLLATE "C"$$), ($$late = 'x'$$), ($$doc ->> 'tenant' = 'x' || random()$$)
) AS _(condition);

-- Values that change while the plan runs, scans that end early, and what needs more than the number of rows.
SELECT statement, counted($$doc ->> 'tenant' = current_user$$, statement) FROM (VALUES
    ($$SELECT string_agg((SELECT count(*) FROM policies WHERE doc @@@ 'n:1' AND doc ->> 'b' = v)::text, ',') FROM (VALUES ('x'), ('y'), (NULL), ('x')) _(v)$$),
    ($$SELECT string_agg((SELECT count(*) FROM policies WHERE doc @@@ v::lucene_query)::text, ',') FROM (VALUES ('n:1'), ('n:2'), (NULL), ('k7:7'), ('n:1')) _(v)$$),
    ($$SELECT string_agg(EXISTS (SELECT FROM policies WHERE doc @@@ 'n:1' AND doc ->> 'b' = v)::text, ',') FROM (VALUES ('x'), ('y'), ('x')) _(v)$$),
    ($$SELECT count(*) FROM (SELECT FROM policies WHERE doc @@@ 'n:1' OFFSET 3 LIMIT 7) _$$),
    ($$SELECT count(late) || ' ' || count(id) FROM policies WHERE doc @@@ 'n:1'$$),
    ($$SELECT count(*) FROM policies WHERE doc @@@ 'long:xxxx*'$$),
    ($$SELECT count(*) FROM policies WHERE doc @@@ 'long:*xxxy'$$),
    ($$SELECT count(*) FROM policies, generate_series(1, 3) WHERE doc @@@ '-b:x'$$)
) AS _(statement);

DROP TABLE policies;
DROP FUNCTION counted;
DROP ROLE regress_tenant;
