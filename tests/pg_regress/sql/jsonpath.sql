-- session_jsonpath gives a query as SQL/JSON path, for any jsonb column.
SELECT session_jsonpath('a.b:1');
SELECT session_jsonpath('a:[1 TO 5} AND NOT b:x*');
SELECT '{"a": {"b": [1, 2]}}' @? session_jsonpath('a.b:2') AS two, '{"a": {"b": [1, 2]}}' @? session_jsonpath('-a.b:2') AS not_two;
-- A constant to the planner, hence an index condition.
CREATE TABLE jsonpath_test (doc jsonb);
INSERT INTO jsonpath_test SELECT jsonb_build_object('a', i) FROM generate_series(1, 10000) AS i;
CREATE INDEX ON jsonpath_test USING gin (doc jsonb_path_ops);
ANALYZE jsonpath_test;
EXPLAIN (COSTS OFF) SELECT * FROM jsonpath_test WHERE doc @? session_jsonpath('a:77');
SELECT * FROM jsonpath_test WHERE doc @? session_jsonpath('a:77');
-- Also in a search path that has neither schema
SET search_path = pg_catalog;
SELECT public.session_jsonpath('a:1');
RESET search_path;
-- What it cannot say
SELECT session_jsonpath('a:foo~');
\echo :LAST_ERROR_SQLSTATE
SELECT session_jsonpath('a:[NOW TO *]');
SELECT session_jsonpath('a:[1 T 5]');
SELECT session_jsonpath(NULL);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE jsonpath_test;
