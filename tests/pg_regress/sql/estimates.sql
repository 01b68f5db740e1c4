-- Estimates of @@@ where the first look misleads: they are within a factor of ten of the truth.
CREATE FUNCTION estimates(source text, queries text[]) RETURNS TABLE (query text, estimate int, truth bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    FOREACH query IN ARRAY queries LOOP
        EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM %s WHERE doc @@@ %L', source, query) INTO plan;
        estimate := plan->0->'Plan'->>'Plan Rows';
        EXECUTE format('SELECT count(*) FROM %s WHERE doc @@@ %L', source, query) INTO truth;
        RETURN NEXT;
    END LOOP;
END $$;
CREATE FUNCTION astray(source text, queries text[]) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT left(query, 40), right(query, 10), estimate, truth FROM estimates(source, queries) WHERE greatest(estimate::float8 / greatest(truth, 1), greatest(truth, 1) / estimate::float8) > 10
$$;
-- What is pending, GIN's default, and is not in the index's tree yet: all, some, and not what is dead
CREATE TABLE estimated (doc jsonb) WITH (autovacuum_enabled = off);
CREATE INDEX estimated_doc ON estimated USING gin (doc jsonb_lucene_ops);
INSERT INTO estimated SELECT jsonb_build_object('id', i, 'a', i % 2, 'b', i % 2, 'c', i % 30, 'r', CASE WHEN i = 77 THEN 1 END) FROM generate_series(1, 3000) AS i;
ANALYZE estimated;
SELECT * FROM astray('estimated', ARRAY['a:1', '+a:1 +b:1', 'c:7', '-c:7', 'r:1', '*:*', 'id:[1 TO 300]', 'nothing:1', 'c:(1 OR 2)', 'r:*']) AS _(q text, r text, estimate int, truth bigint);
UPDATE estimated SET doc = doc || '{"z": 1}';
ANALYZE estimated;
SELECT * FROM astray('estimated', ARRAY['a:1', '+a:1 +b:1', 'c:7', 'z:1', '-z:1']) AS _(q text, r text, estimate int, truth bigint);
VACUUM ANALYZE estimated;
INSERT INTO estimated SELECT jsonb_build_object('new', i % 10) FROM generate_series(1, 3000) AS i;
ANALYZE estimated;
SELECT * FROM astray('estimated', ARRAY['a:1', 'c:7', 'new:1', 'new:*', '-new:*', 'new:1 OR a:1']) AS _(q text, r text, estimate int, truth bigint);
-- More values than are asked, and those that pass at one end; many paths below one
TRUNCATE estimated;
INSERT INTO estimated SELECT jsonb_build_object('k', lpad(i::text, 6, '0') || CASE WHEN i <= 6000 THEN 'z' ELSE 'y' END, 'w', 'v' || i, 'of', jsonb_build_object('u' || i, 1),
    'with', CASE WHEN i % 100 = 0 THEN (SELECT jsonb_object_agg('p' || p, p) FROM generate_series(1, 40) AS p) END) FROM generate_series(1, 14000) AS i;
INSERT INTO estimated SELECT jsonb_build_object('k', 'x' || lpad(i::text, 6, '0') || CASE WHEN i > 55000 THEN 'q' ELSE 'p' END) FROM generate_series(1, 60000) AS i;
VACUUM ANALYZE estimated;
SELECT * FROM astray('estimated', ARRAY['k:*y', 'k:*z', 'k:*q', 'k:x*q', 'k:/.*z/', 'w:v?', 'w:*9', 'k:0*y', 'of:*', 'with:*', 'k:nothing*y', 'k:*nothing*', '-k:*y']) AS _(q text, r text, estimate int, truth bigint);
-- Values of which the index has the beginning only: the same for all, and of their own
TRUNCATE estimated;
INSERT INTO estimated SELECT jsonb_build_object('long', repeat('x', 300) || i, 'own', md5(i::text) || repeat('y', 300) || i) FROM generate_series(1, 20000) AS i;
VACUUM ANALYZE estimated;
SELECT * FROM astray('estimated', ARRAY['long:*x*', 'long:*7770*', 'long:*77701*', 'long:*77*', 'long:*nothing*', 'own:*nothing*', 'own:*77', 'own:*y1*', 'long:/x+1.*/', '*nothing*', '-long:*nothing*',
    'long:' || repeat('x', 300) || '7', 'long:' || repeat('x', 300) || '1*', 'long:[' || repeat('x', 300) || '5 TO *]']) AS _(q text, r text, estimate int, truth bigint);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM estimates('estimated', ARRAY['long:*7770*']);
SELECT count(*) FROM pg_locks WHERE mode = 'SIReadLock' AND pid = pg_backend_pid() AND locktype = 'tuple';
COMMIT;
DROP TABLE estimated;
DROP FUNCTION astray, estimates;
