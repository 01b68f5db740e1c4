-- What the planner believes of @@@: near the truth with an index, more than a constant without one; and what it does with that.
CREATE TABLE many AS
SELECT i AS n, jsonb_build_object('id', i, 'num', i % 1000, 'word', 'w' || i % 500, 'kind', (ARRAY['common', 'seldom'])[1 + (i % 100 = 0)::int],
    'flag', i % 4 = 0, 'nested', jsonb_build_object('tags', jsonb_build_array('t' || i % 20, i % 7)),
    'at', to_char(timestamp '2024-01-01' + i * interval '5 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) || CASE i % 50 WHEN 0 THEN '{"rare": 1}' ELSE '{}' END::jsonb AS doc
FROM generate_series(1, 100000) AS i;
ALTER TABLE many SET (autovacuum_enabled = off);
CREATE INDEX many_n ON many (n);
ANALYZE many;
CREATE FUNCTION pg_temp.plan(condition text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM many WHERE ' || condition INTO plan;
    RETURN plan->0->'Plan';
END $$;
CREATE TABLE clauses (i int GENERATED ALWAYS AS IDENTITY, q text, truth bigint, guess float8);
INSERT INTO clauses (q) SELECT unnest(ARRAY[
    'num:7', 'word:w7', 'kind:seldom', 'kind:common', 'flag:true', 'nested.tags:t7', 'nested.tags:3', 'rare:*', 'kind:*', 'nested:*',
    'num:[100 TO 199]', 'num:[* TO 20}', 'num:{500 TO *]', 'id:[1 TO 100]', 'id:[5000 TO 60000]', 'word:[w1 TO w2]', 'flag:[false TO true]',
    'at:[2024-02-01T00:00:00Z TO 2024-02-15T00:00:00Z]', 'at:"2024-02-01T00:00:00Z"', 'word:w1*', 'word:w*', 'kind:c*', 'word:w?7', 'word:*7', 'kind:*n',
    'word:/w[0-9]/', 'word:/w1.*/', 'kind:/s.*m/', 'word:w10~1', 'kind:commom~1', 'nested.tags:t1~1', 'w7', 'seldom', '[990 TO *]', 't1*', '-rare:*', '-kind:common', 'nothing:1']);
DO $$
DECLARE
    clause record;
    truth bigint;
BEGIN
    FOR clause IN SELECT * FROM clauses LOOP
        EXECUTE format('SELECT count(*) FROM many WHERE doc @@@ %L', clause.q) INTO truth;
        UPDATE clauses SET truth = truth.truth FROM (SELECT truth) AS truth WHERE i = clause.i;
    END LOOP;
END $$;

-- Without an index, documents that ANALYZE kept are asked, if it kept any; else not one number for all.
UPDATE clauses SET guess = (pg_temp.plan(format('doc @@@ %L', q))->>'Plan Rows')::float8;
SELECT count(DISTINCT guess) > 10 AS telling, bool_and(guess BETWEEN 1 AND 100000) AS possible FROM clauses;
SELECT q, truth, guess FROM clauses WHERE truth >= 20000 AND greatest(guess / truth, truth / guess) > 10 ORDER BY i;

-- With one
CREATE INDEX many_doc ON many USING gin (doc jsonb_lucene_ops);
UPDATE clauses SET guess = (pg_temp.plan(format('doc @@@ %L', q))->>'Plan Rows')::float8;
SELECT q, truth, guess FROM clauses WHERE greatest(guess / greatest(truth, 1), greatest(truth, 1) / guess) > 10 ORDER BY i;

-- By PostgreSQL's own scans: the index for a rare term; none for what nearly all documents match; and another index where that one is better, alone and in a join
SET session_store.enable_scan = off;
SELECT plan->>'Node Type' AS node, plan->'Plans'->0->>'Index Name' AS index FROM pg_temp.plan($$doc @@@ 'word:w7'$$) AS plan;
SELECT plan->>'Node Type' AS node FROM pg_temp.plan($$doc @@@ 'kind:common'$$) AS plan;
SELECT plan->>'Node Type' AS node FROM pg_temp.plan($$doc @@@ '-rare:*'$$) AS plan;
SELECT plan->>'Node Type' AS node, plan->>'Index Name' AS index FROM pg_temp.plan($$doc @@@ 'kind:common' AND n = 7$$) AS plan;
CREATE TABLE few AS SELECT i * 1000 AS n FROM generate_series(1, 10) AS i;
ANALYZE few;
EXPLAIN (COSTS off) SELECT FROM few JOIN many USING (n) WHERE doc @@@ 'kind:common';
EXPLAIN (COSTS off) SELECT FROM few JOIN many USING (n) WHERE doc @@@ 'id:[1 TO 3]';
RESET session_store.enable_scan;
-- By the scan of our own: to count, always; to read rows, unless another index is better
SELECT plan->>'Node Type' AS node FROM pg_temp.plan($$doc @@@ 'kind:common'$$) AS plan;
SELECT plan->>'Node Type' AS node, plan->>'Index Name' AS index FROM pg_temp.plan($$doc @@@ 'word:w7' AND n < 90000$$) AS plan;
SELECT plan->>'Node Type' AS node, plan->>'Index Name' AS index FROM pg_temp.plan($$doc @@@ 'word:w7' AND n = 7$$) AS plan;
SELECT plan->>'Node Type' AS node, plan->>'Index Name' AS index FROM pg_temp.plan($$doc @@@ 'kind:common' AND n < 100$$) AS plan;
EXPLAIN (COSTS off) SELECT FROM few JOIN many USING (n) WHERE doc @@@ 'kind:common';
EXPLAIN (COSTS off) SELECT FROM few JOIN many USING (n) WHERE doc @@@ 'id:[1 TO 3]';

-- A prepared query, with a plan for any query
SET plan_cache_mode = force_generic_plan;
PREPARE asked(lucene_query) AS SELECT count(*) FROM many WHERE doc @@@ $1;
EXECUTE asked('word:w7');
EXECUTE asked('-word:w7');
RESET plan_cache_mode;
DEALLOCATE asked;
DROP TABLE many, few, clauses;
