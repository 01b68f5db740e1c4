-- What the planner knows of the functions: that they are not free, and how many rows session_stream will return.
SELECT session_add('costs', 'id'), session_add('costs_parts', 'id', shards => 20), session_add('costs_bare', 'id');
INSERT INTO sessions.costs SELECT i::text, jsonb_build_object('id', i, 'n', i % 10, 'who', CASE WHEN i % 2 = 0 THEN 'me' ELSE 'other' END, 's', CASE WHEN i % 4 = 1 THEN 'card 4929' END)
FROM generate_series(1, 20000) AS i;
INSERT INTO sessions.costs_parts SELECT * FROM sessions.costs;
INSERT INTO sessions.costs_bare SELECT * FROM sessions.costs;
DROP INDEX sessions.costs_bare_doc_idx;
VACUUM ANALYZE sessions.costs, sessions.costs_parts, sessions.costs_bare;

-- Every function that reads or writes a store
SELECT proname, procost FROM pg_proc WHERE proname ~ '^session_' AND pronamespace = 'public'::regnamespace AND procost < 100;
SELECT min(procost), max(procost) FROM pg_proc WHERE proname ~ '^session_(add|update|query|stream|count|list|key|rename|drop|explain)$' AND pronamespace = 'public'::regnamespace;
-- So it is called for the rows that are shown, and not for all that are sorted.
SET track_functions = 'all';
CREATE TABLE costs_asked AS SELECT i AS id, 'n:' || i AS q, md5(i::text) AS name FROM generate_series(0, 299) AS i;
BEGIN;
SELECT id, session_count('costs', q) FROM costs_asked ORDER BY name LIMIT 3;
SELECT calls FROM pg_stat_xact_user_functions WHERE funcname = 'session_count';
-- A condition that costs less is asked before: five more calls.
SELECT count(*) FROM costs_asked WHERE session_count('costs', q) > 0 AND id < 5;
SELECT calls FROM pg_stat_xact_user_functions WHERE funcname = 'session_count';
ROLLBACK;
RESET track_functions;
DROP TABLE costs_asked;

-- The rows that are expected of a statement's first node
CREATE FUNCTION costs_rows(statement text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
    RETURN plan->0->'Plan'->>'Plan Rows';
END
$$;
-- The same for a stream, in FROM and in SELECT; of 1000, that is by default, PostgreSQL knows nothing.
CREATE FUNCTION costs_of(store text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE expected int := costs_rows(format('SELECT FROM session_stream(%L, %s)', store, arguments));
BEGIN
    IF expected <> costs_rows(format('SELECT session_stream(%L, %s)', store, arguments)) THEN RETURN 'not the same in both places'; END IF;
    RETURN CASE expected WHEN 1000 THEN 'unknown' ELSE expected::text END;
END
$$;
-- Whether that is between half and twice of what there is
CREATE FUNCTION costs_is(store text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE expected text := costs_of(store, arguments); rows int;
BEGIN
    EXECUTE format('SELECT greatest(count(*), 1) FROM session_stream(%L, %s)', store, arguments) INTO rows;
    RETURN CASE WHEN expected = 'unknown' OR expected::int NOT BETWEEN rows / 2 AND rows * 2 THEN expected || ' and not ' || rows ELSE 'right' END;
END
$$;
SELECT arguments, costs_is('costs', arguments) AS one, costs_is('costs_parts', arguments) AS parts
FROM unnest(ARRAY[$$'*:*'$$, $$'n:3'$$, $$'n:[3 TO 7]'$$, $$'s:card*'$$, $$'s:bard*'$$, $$'-n:3'$$, $$'n:3', rows => 500$$, $$'n:[3 TO 4]', start => 1500$$,
    $$'n:[3 TO 4]', start => 1500, rows => 200$$, $$'n:3', start => 9000$$, $$q => 'n:' || 3$$, $$'n:3', 'id desc', null, null$$]) AS arguments;
-- Not known: no index, no query yet, no store, or what is no query. That is said when the function is called.
SELECT costs_of('costs_bare', $$'n:3'$$), costs_of('costs', $$(SELECT 'n:3')$$), costs_of('nosuch', $$'n:3'$$), costs_of('costs', $$'n:'$$), costs_of('costs', $$'n:3', rows => -1$$), costs_of('costs', 'null');
SELECT * FROM session_stream('costs', 'n:');
-- A generic plan does not know it either, a custom one does.
PREPARE asked(text) AS SELECT FROM session_stream('costs', $1);
SELECT costs_rows($$EXECUTE asked('n:3')$$) BETWEEN 1500 AND 2500 AS custom;
SET plan_cache_mode = force_generic_plan;
SELECT costs_rows($$EXECUTE asked('n:3')$$) AS generic;
RESET plan_cache_mode;
DEALLOCATE asked;

-- Who may not see all documents is told nothing by the estimate: it is the same for what is hidden, what is there, and what is not.
CREATE ROLE regress_costs;
GRANT SELECT (doc) ON sessions.costs TO regress_costs;
SET ROLE regress_costs;
SELECT costs_of('costs', $$'s:card*'$$) AS hidden, costs_of('costs', $$'s:bard*'$$) AS absent, costs_of('costs', $$'who:me'$$) AS seen;
SELECT costs_of('costs_parts', $$'s:card*'$$) AS hidden, costs_of('costs_parts', $$'s:bard*'$$) AS absent;
RESET ROLE;
GRANT SELECT ON sessions.costs TO regress_costs;
SET ROLE regress_costs;
SELECT costs_is('costs', $$'s:card*'$$) AS may_see_all;
RESET ROLE;
ALTER TABLE sessions.costs ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON sessions.costs USING (doc->>'who' = 'me');
SET ROLE regress_costs;
SELECT costs_of('costs', $$'s:card*'$$) AS hidden, costs_of('costs', $$'s:bard*'$$) AS absent, costs_of('costs', $$'who:me'$$) AS seen;
RESET ROLE;
-- Nor by way of a view: what a view calls, it calls for who asks.
CREATE VIEW costs_view WITH (security_barrier) AS SELECT session_stream('costs', 's:card*') AS doc;
CREATE VIEW costs_absent WITH (security_barrier) AS SELECT session_stream('costs', 's:bard*') AS doc;
GRANT SELECT ON costs_view, costs_absent TO regress_costs;
SET ROLE regress_costs;
SELECT costs_rows('SELECT FROM costs_view') AS hidden, costs_rows('SELECT FROM costs_absent') AS absent;
RESET ROLE;
SELECT costs_rows('SELECT FROM costs_view') BETWEEN 2500 AND 10000 AS may_see_all;
DROP VIEW costs_view, costs_absent;

DROP FUNCTION costs_is, costs_of, costs_rows;
SELECT session_drop('costs'), session_drop('costs_parts'), session_drop('costs_bare');
DROP ROLE regress_costs;
