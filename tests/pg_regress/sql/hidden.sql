-- What a policy, a view or a missing privilege hides, no plan tells either: a value that is hidden and one that is nowhere give the same estimate,
-- plan and explanation, whatever way a condition takes to the table.
SET session_store.notices = off;
CREATE ROLE session_store_blind;
SELECT session_add('hidden', key => 'id');
INSERT INTO sessions.hidden SELECT i::text, jsonb_build_object('id', i, 'who', CASE WHEN i % 2 = 0 THEN 'me' ELSE 'other' END)
    || CASE WHEN i % 2 = 1 THEN '{"s": "card 4929", "deep": {"card": 1}}' ELSE '{"s": "none"}' END::jsonb FROM generate_series(1, 4000) AS i;
VACUUM ANALYZE sessions.hidden;
INSERT INTO sessions.hidden SELECT 'p' || i, jsonb_build_object('id', 'p' || i, 'who', 'other', 's', 'card 4929') FROM generate_series(1, 500) AS i;
ALTER TABLE sessions.hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sessions.hidden USING (doc->>'who' = 'me');
-- The whole documents are ANALYZE's most common values.
CREATE TABLE hidden_common AS SELECT i AS id, jsonb_build_object('who', CASE WHEN i % 4 = 0 THEN 'me' ELSE 'other' END, 's', CASE WHEN i % 4 = 0 THEN 'none' ELSE 'card 4929' END) AS doc
FROM generate_series(1, 2000) AS i;
ANALYZE hidden_common;
ALTER TABLE hidden_common ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON hidden_common USING (doc @@@ 'who:me');
-- Partitions and children, whose rows are seen through the parent alone, or in which all may be read that is in them
CREATE TABLE hidden_parts (id int, doc jsonb) PARTITION BY RANGE (id);
CREATE TABLE hidden_part_1 PARTITION OF hidden_parts FOR VALUES FROM (0) TO (2000);
CREATE TABLE hidden_part_2 (doc jsonb, id int);
ALTER TABLE hidden_parts ATTACH PARTITION hidden_part_2 FOR VALUES FROM (2000) TO (9999);
INSERT INTO hidden_parts SELECT id::int, doc FROM sessions.hidden WHERE id !~ 'p';
CREATE INDEX ON hidden_parts USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE hidden_parts;
ALTER TABLE hidden_parts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON hidden_parts USING (doc->>'who' = 'me');
CREATE TABLE hidden_family (id int, doc jsonb);
CREATE TABLE hidden_child (more int) INHERITS (hidden_family);
INSERT INTO hidden_child SELECT id, doc FROM hidden_parts;
CREATE INDEX ON hidden_child USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE hidden_child;
ALTER TABLE hidden_family ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON hidden_family USING (doc->>'who' = 'me');
-- Views
CREATE TABLE hidden_plain AS SELECT id, doc FROM hidden_parts;
CREATE INDEX ON hidden_plain USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE hidden_plain;
CREATE VIEW hidden_view WITH (security_barrier) AS SELECT * FROM hidden_plain WHERE doc->>'who' = 'me';
CREATE VIEW hidden_view_asked WITH (security_barrier) AS SELECT * FROM hidden_plain WHERE doc @@@ 'who:me';
CREATE VIEW hidden_view_of_parts WITH (security_barrier) AS SELECT * FROM (SELECT * FROM hidden_plain UNION ALL SELECT id, doc FROM hidden_child) AS _(id, doc) WHERE doc->>'who' = 'me';
CREATE VIEW hidden_by_id WITH (security_barrier) AS SELECT * FROM hidden_plain WHERE id < 100 AND doc->>'who' = 'me';
CREATE INDEX ON hidden_plain (id);
CREATE VIEW hidden_outer_view AS SELECT * FROM hidden_view WHERE id > 0;
GRANT SELECT, UPDATE, DELETE ON sessions.hidden, hidden_common, hidden_parts, hidden_part_1, hidden_part_2, hidden_family, hidden_child,
    hidden_view, hidden_view_asked, hidden_view_of_parts, hidden_outer_view, hidden_by_id TO session_store_blind;
CREATE TABLE hidden_asked AS SELECT 1 AS n;
GRANT SELECT ON hidden_asked TO session_store_blind;

CREATE FUNCTION explained(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    lines text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || statement LOOP
        lines := lines || line || E'\n';
    END LOOP;
    RETURN lines;
END $$;
-- Plans in which it can be told which of two values was asked for, the names aside
CREATE FUNCTION told(statements text[], q text, OUT statement text, OUT hidden text, OUT absent text) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        hidden := replace(explained(format(statement, q)), 'card', 'bard');
        absent := explained(format(statement, replace(q, 'card', 'bard')));
        IF hidden <> absent THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
CREATE TABLE hidden_queries AS SELECT unnest(ARRAY['s:card*', 's:"card 4929"', 's:(card* AND card* AND card*)', 's:*card*', 's:/card.*/', 's:"card 4928"~1', 's:[card TO card9]', 'deep.card:*', 'deep.card:1',
    '"card 4929"', 'card*', '-s:card*', '*:* -s:"card 4929"', 's:card* OR id:[1 TO 10]', '+id:[1 TO 10] +s:card*']) AS q;
GRANT SELECT ON hidden_queries TO session_store_blind;
CREATE TABLE hidden_statements AS SELECT ARRAY(SELECT format(statement, source) FROM unnest(ARRAY[
    'sessions.hidden', 'hidden_common', 'hidden_parts', 'hidden_family', 'hidden_view', 'hidden_view_asked', 'hidden_view_of_parts', 'hidden_outer_view',
    '(SELECT * FROM sessions.hidden OFFSET 0) AS _', '(SELECT * FROM hidden_common OFFSET 0) AS _', '(SELECT * FROM hidden_view OFFSET 0) AS _']) AS source,
    unnest(ARRAY['SELECT FROM %s WHERE doc @@@ %%1$L', 'SELECT * FROM %s WHERE doc @@@ %%1$L AND doc @@@ %%1$L AND (doc @@@ %%1$L OR id IS NULL)',
        '(ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT count(*), max(id) FROM %s WHERE doc @@@ %%1$L',
        'WITH c AS MATERIALIZED (SELECT * FROM %s) SELECT FROM c WHERE doc @@@ %%1$L',
        'SELECT FROM hidden_asked LEFT JOIN %s ON doc @@@ %%1$L AND n = 1 WHERE EXISTS (SELECT FROM %1$s WHERE doc @@@ %%1$L)']) AS statement)
    || ARRAY['(ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT id FROM sessions.hidden WHERE doc @@@ %1$L OR id = ''7''', '(ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT count(id) FROM hidden_by_id WHERE doc @@@ %1$L',
        '(ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT id FROM hidden_asked, LATERAL (SELECT * FROM sessions.hidden WHERE doc @@@ format(%1$L, n)::lucene_query) AS _',
        '(ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT id FROM (VALUES (lucene_query %1$L), (%1$L)) AS asked(q) JOIN sessions.hidden ON doc @@@ q',
        'UPDATE sessions.hidden SET doc = doc WHERE doc @@@ %1$L', 'DELETE FROM hidden_parts WHERE doc @@@ %1$L', 'UPDATE hidden_view SET doc = doc WHERE doc @@@ %1$L', 'DELETE FROM hidden_family WHERE doc @@@ %1$L'] AS all;
GRANT SELECT ON hidden_statements TO session_store_blind;

-- Estimates are to depend on nothing that autovacuum does between two of them.
DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relname ~ '^hidden' AND relkind = 'r' LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', t); END LOOP; END $$;
SET ROLE session_store_blind;
SELECT cardinality("all") FROM hidden_statements;
SELECT q, t.* FROM hidden_queries, hidden_statements, told("all", q) AS t;
-- What this costs in plans that need a sequential scan would have each of them compiled.
SET jit = off;
SET session_store.enable_scan = off; SET enable_seqscan = off;
SELECT q, t.* FROM hidden_queries, hidden_statements, told("all", q) AS t;
RESET session_store.enable_scan; RESET enable_seqscan; RESET jit;
-- The same for the functions
SELECT q FROM hidden_queries WHERE replace((session_explain('hidden', q) - 'milliseconds')::text, 'card', 'bard') <> (session_explain('hidden', replace(q, 'card', 'bard')) - 'milliseconds')::text;
SELECT q FROM hidden_queries WHERE replace((session_explain('hidden', q, sort => 'id') - 'milliseconds')::text, 'card', 'bard') <> (session_explain('hidden', replace(q, 'card', 'bard'), sort => 'id') - 'milliseconds')::text;
-- With the index all the same, and the rows that are to be seen
EXPLAIN (COSTS off) SELECT id FROM sessions.hidden WHERE doc @@@ 'id:[10 TO 20]';
EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) SELECT count(*) FROM sessions.hidden WHERE doc @@@ 's:(card* none)';
EXPLAIN (COSTS off) SELECT id FROM hidden_view WHERE doc @@@ 'id:[10 TO 20]';
EXPLAIN (COSTS off) SELECT id FROM hidden_parts WHERE doc @@@ 'id:[10 TO 20]';
SELECT count(*), (SELECT count(*) FROM sessions.hidden WHERE doc @@@ 's:card*'), (SELECT count(*) FROM hidden_view WHERE doc @@@ 'id:[10 TO 20]'),
    (SELECT count(*) FROM hidden_parts WHERE doc @@@ 'id:[10 TO 20]'), (SELECT count(*) FROM hidden_view_asked WHERE doc @@@ 'id:[10 TO 20]') FROM sessions.hidden WHERE doc @@@ 'id:[10 TO 20]';
SELECT reason, plan->>0 ~ 'LuceneScan' OR plan->>1 ~ 'LuceneScan' AS by_index FROM jsonb_to_record(session_explain('hidden', 'id:[10 TO 20]')) AS _(reason text, plan jsonb);
SELECT session_count('hidden', 's:*'), session_count('hidden', 's:card*'), session_query('hidden', 'id:[10 TO 13]', sort => 'id desc'), (SELECT count(*) FROM session_stream('hidden', 's:*'));
-- What comes behind a policy that may leak is not asked of hidden rows.
CREATE FUNCTION pg_temp.leak(doc jsonb) RETURNS bool COST 0.0000001 LANGUAGE plpgsql AS $$ BEGIN IF doc->>'s' ~ 'card' THEN RAISE NOTICE '%', doc; END IF; RETURN true; END $$;
SELECT count(*) FROM sessions.hidden WHERE doc @@@ 'id:[1 TO 50]' AND pg_temp.leak(doc);
SELECT count(*) FROM hidden_view WHERE doc @@@ 'id:[1 TO 50]' AND pg_temp.leak(doc);
RESET ROLE;

-- To those who may see all, each of these tells the two apart: else the test would say nothing.
SELECT count(DISTINCT q), count(DISTINCT statement) FROM hidden_queries, told(ARRAY['SELECT FROM sessions.hidden WHERE doc @@@ %L', 'SELECT FROM hidden_common WHERE doc @@@ %L', 'SELECT FROM hidden_parts WHERE doc @@@ %L',
    'SELECT FROM hidden_family WHERE doc @@@ %L', 'SELECT FROM (SELECT * FROM hidden_common OFFSET 0) AS _ WHERE doc @@@ %L'], q);
-- A child of whose parent all may be read, and a column
CREATE FUNCTION estimate(statement text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan; RETURN plan->0->'Plan'->>'Plan Rows'; END $$;
ALTER TABLE hidden_parts DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON hidden_parts, hidden_part_1, hidden_part_2 FROM session_store_blind;
GRANT SELECT (doc) ON hidden_parts TO session_store_blind;
GRANT SELECT (doc) ON hidden_plain TO session_store_blind;
SET ROLE session_store_blind;
SELECT estimate($$SELECT FROM hidden_parts WHERE doc @@@ 's:card*'$$) BETWEEN 1900 AND 2100 AS parts, estimate($$SELECT FROM hidden_plain WHERE doc @@@ 's:card*'$$) BETWEEN 1900 AND 2100 AS plain;
RESET ROLE;
-- A view without a barrier asks with its owner's rights.
CREATE VIEW hidden_open_view AS SELECT * FROM hidden_plain WHERE id > 0;
GRANT SELECT ON hidden_open_view TO session_store_blind;
SET ROLE session_store_blind;
SELECT estimate($$SELECT FROM hidden_open_view WHERE doc @@@ 's:card*'$$) BETWEEN 1900 AND 2100 AS open;
RESET ROLE;
DROP VIEW hidden_open_view, hidden_outer_view, hidden_view, hidden_view_asked, hidden_view_of_parts, hidden_by_id;
DROP TABLE hidden_common, hidden_parts, hidden_family, hidden_child, hidden_plain, hidden_asked, hidden_queries, hidden_statements CASCADE;
DROP FUNCTION told, explained, estimate;
SELECT session_drop('hidden');
DROP OWNED BY session_store_blind;
DROP ROLE session_store_blind;
