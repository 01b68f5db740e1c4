-- From 0.5.0 to 0.6.0. The objects are those of sql/operator.sql, sql/finalize.sql and src/api/.

-- session_query, session_stream and session_explain have new arguments. Views and functions may depend on them, so that they cannot be dropped. The
-- new definitions go into the rows of the old ones, which keep their OIDs and privileges: calls without the new arguments get
-- their defaults when they are planned (clauses.c, expand_function_arguments). PostgreSQL's own upgrade scripts change
-- signatures like this (contrib/intarray/intarray--1.1--1.2.sql).
CREATE FUNCTION session_store.new_session_query(
    store text, q text, sort text DEFAULT NULL, start bigint DEFAULT 0, rows bigint DEFAULT 10, fl text DEFAULT NULL, "json" jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'session_query_json_wrapper';
CREATE FUNCTION session_store.new_session_stream(
    store text, q text, sort text DEFAULT NULL, start bigint DEFAULT 0, rows bigint DEFAULT NULL, fl text DEFAULT NULL)
RETURNS SETOF jsonb LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'session_stream_fl_wrapper';
CREATE FUNCTION session_store.new_session_explain(store text, q text, sort text DEFAULT NULL, "json" jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'session_explain_json_wrapper';
UPDATE pg_catalog.pg_proc AS old SET
    pronargs = new.pronargs, pronargdefaults = new.pronargdefaults, proargtypes = new.proargtypes,
    proargnames = new.proargnames, proargdefaults = new.proargdefaults, prosrc = new.prosrc
FROM pg_catalog.pg_proc AS new
WHERE old.oid OPERATOR(pg_catalog.=) 'session_query(text, text, text, bigint, bigint)'::pg_catalog.regprocedure
    AND new.oid OPERATOR(pg_catalog.=) 'session_store.new_session_query(text, text, text, bigint, bigint, text, jsonb)'::pg_catalog.regprocedure
    OR old.oid OPERATOR(pg_catalog.=) 'session_stream(text, text, text, bigint, bigint)'::pg_catalog.regprocedure
    AND new.oid OPERATOR(pg_catalog.=) 'session_store.new_session_stream(text, text, text, bigint, bigint, text)'::pg_catalog.regprocedure
    OR old.oid OPERATOR(pg_catalog.=) 'session_explain(text, text, text)'::pg_catalog.regprocedure
    AND new.oid OPERATOR(pg_catalog.=) 'session_store.new_session_explain(text, text, text, jsonb)'::pg_catalog.regprocedure;
DROP FUNCTION session_store.new_session_query(text, text, text, bigint, bigint, text, jsonb);
DROP FUNCTION session_store.new_session_stream(text, text, text, bigint, bigint, text);
DROP FUNCTION session_store.new_session_explain(text, text, text, jsonb);

-- What the constraint of a new store asks, in place of two: that documents are objects, and lie under their identity
-- (src/store/constraint.rs). To put it where the two are, all documents would be read while nobody else may read or write: here the
-- two stay, until session_key is called with the path that the store has.
CREATE FUNCTION session_store.is_session(id text, doc jsonb, key text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'is_session_wrapper';
COMMENT ON FUNCTION session_store.is_session(text, jsonb, text) IS
    'whether a document may lie under an id: it is an object, and has this identity at a path or no value';

-- Facets and statistics.
CREATE FUNCTION session_facets(store text, q text, facet jsonb)
RETURNS jsonb LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'session_facets_wrapper';
CREATE FUNCTION session_values(
    store text, q text, path text, rows bigint DEFAULT 10, start bigint DEFAULT 0, prefix text DEFAULT NULL, sort text DEFAULT 'count desc')
RETURNS TABLE (value jsonb, count bigint) LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'session_values_wrapper';
CREATE FUNCTION session_stats(store text, q text, path text, percentiles double precision[] DEFAULT '{50,95,99}')
RETURNS jsonb LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'session_stats_wrapper';
CREATE FUNCTION session_histogram(
    store text, q text, path text, step text, zone text DEFAULT 'UTC', since text DEFAULT NULL, until text DEFAULT NULL)
RETURNS TABLE (bucket timestamp with time zone, count bigint) LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000
AS 'MODULE_PATHNAME', 'session_histogram_by_time_wrapper';
CREATE FUNCTION session_histogram(
    store text, q text, path text, step numeric, since numeric DEFAULT NULL, until numeric DEFAULT NULL)
RETURNS TABLE (bucket numeric, count bigint) LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000
AS 'MODULE_PATHNAME', 'session_histogram_by_number_wrapper';
COMMENT ON FUNCTION session_facets(text, text, jsonb) IS
    'counts the matches of a query by value, interval or query, as Solr''s JSON facets do: SELECT session_facets(''stash'', ''*:*'', ''{"byType": {"type": "terms", "field": "event.type"}}'')';
COMMENT ON FUNCTION session_values(text, text, text, bigint, bigint, text, text) IS
    'the values at a path among the matches of a query, each with how many documents have it: SELECT * FROM session_values(''stash'', ''*:*'', ''event.type'')';
COMMENT ON FUNCTION session_stats(text, text, text, float8[]) IS
    'statistics of the values at a path among the matches of a query: SELECT session_stats(''stash'', ''*:*'', ''session.pages'')';
COMMENT ON FUNCTION session_histogram(text, text, text, text, text, text, text) IS
    'how many matches of a query have an instant at a path in each unit of the calendar: SELECT * FROM session_histogram(''stash'', ''*:*'', ''session.start'', ''1 month'', ''Europe/Berlin'')';
COMMENT ON FUNCTION session_histogram(text, text, text, numeric, numeric, numeric) IS
    'how many matches of a query have a number at a path in each interval: SELECT * FROM session_histogram(''stash'', ''*:*'', ''session.pages'', 10)';

-- Which paths there are, and which values begin so.
CREATE FUNCTION session_paths(store text, prefix text DEFAULT '')
RETURNS TABLE (path text, documents bigint, strings bigint, numbers bigint, booleans bigint, "values" bigint, multivalued boolean)
LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'session_paths_wrapper';
CREATE FUNCTION session_suggest(store text, path text, prefix text, q text DEFAULT '*:*', rows bigint DEFAULT 10)
RETURNS TABLE (value text, count bigint) LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000
AS 'MODULE_PATHNAME', 'session_suggest_wrapper';
COMMENT ON FUNCTION session_paths(text, text) IS
    'lists the paths that documents have values at, and what there is at each: SELECT * FROM session_paths(''stash'', ''user.'')';
COMMENT ON FUNCTION session_suggest(text, text, text, text, bigint) IS
    'the strings at a path that begin with a prefix, the most frequent first: SELECT * FROM session_suggest(''stash'', ''user.name'', ''An'')';

-- Rights on a store.
CREATE FUNCTION session_grant(store text, role text, "right" text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'session_grant_wrapper';
CREATE FUNCTION session_revoke(store text, role text, "right" text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'session_revoke_wrapper';
COMMENT ON FUNCTION session_grant(text, text, text) IS
    'gives a role a right on a store, sessionQuery, sessionUpdate, get or admin: SELECT session_grant(''stash'', ''reader'', ''sessionQuery'')';
COMMENT ON FUNCTION session_revoke(text, text, text) IS
    'takes a right on a store from a role: SELECT session_revoke(''stash'', ''reader'', ''sessionQuery'')';

-- Documents line by line, from COPY.
CREATE FUNCTION session_store.load_line() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'load_line_wrapper';
-- What is inserted here, or copied to it, is not stored here.
CREATE VIEW session_store.load AS SELECT NULL::pg_catalog.text AS line WHERE false;
COMMENT ON VIEW session_store.load IS
    'takes documents, one a line, into the store that session_store.load_into names: \copy session_store.load FROM ''sessions.ndjson'' (FORMAT csv, DELIMITER e''\x01'', QUOTE e''\x02'')';
COMMENT ON COLUMN session_store.load.line IS 'a document as JSON, or an array of documents';
GRANT SELECT, INSERT ON session_store.load TO PUBLIC;
CREATE TRIGGER begin BEFORE INSERT ON session_store.load
FOR EACH STATEMENT EXECUTE FUNCTION session_store.load_line();
COMMENT ON TRIGGER begin ON session_store.load IS 'makes ready for lines';
CREATE TRIGGER line INSTEAD OF INSERT ON session_store.load
FOR EACH ROW EXECUTE FUNCTION session_store.load_line();
COMMENT ON TRIGGER line ON session_store.load IS 'reads a line';
CREATE TRIGGER finish AFTER INSERT ON session_store.load
FOR EACH STATEMENT EXECUTE FUNCTION session_store.load_line();
COMMENT ON TRIGGER finish ON session_store.load IS 'writes what is left of the lines';
COMMENT ON FUNCTION session_store.load_line() IS 'the trigger of session_store.load';

-- Why nothing was found.
CREATE FUNCTION session_why(store text, q text, id text DEFAULT NULL) RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'session_why_wrapper';
COMMENT ON FUNCTION session_why(text, text, text) IS
    'how many documents each clause of a query meets, and what is near those that meet none: SELECT jsonb_pretty(session_why(''stash'', ''event.type:Click''))';

-- What a shard of a distributed store answers.
CREATE FUNCTION session_store.shard_page(shard oid, asked text)
RETURNS text[] LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'shard_page_wrapper';
CREATE FUNCTION session_store.shard_values(shard oid, q text, asked text, now timestamptz, bytes bigint)
RETURNS bytea LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'shard_values_wrapper';
-- A row that stands for a whole table. Its support function loads the library before the planner looks for paths.
CREATE FUNCTION session_store.one_row_support(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_one_row_support';
CREATE FUNCTION session_store.one_row(id text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED SUPPORT session_store.one_row_support
AS 'MODULE_PATHNAME', 'session_store_one_row';
COMMENT ON FUNCTION session_store.one_row_support(internal) IS 'planner support for one_row';
COMMENT ON FUNCTION session_store.one_row(text) IS
    'makes one imaginary row of a table, or of each shard of a distributed one: SELECT session_store.shard_page(tableoid, …) FROM sessions.stash WHERE session_store.one_row(id)';
COMMENT ON FUNCTION session_store.shard_page(oid, text) IS
    'what one shard of a distributed store answers to a query';
COMMENT ON FUNCTION session_store.shard_values(oid, text, text, timestamptz, bigint) IS
    'what one shard of a distributed store answers about the values of a query''s matches';

-- Stores over several servers.
CREATE FUNCTION session_distribute(store text, shards int DEFAULT 32)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'session_distribute_wrapper';
COMMENT ON FUNCTION session_distribute(text, int) IS
    'distributes a store''s documents over the servers of a Citus cluster: SELECT session_distribute(''stash'', shards => 32)';

-- For statements that must not depend on the time, such as what Citus and postgres_fdw send to other servers, and indexes with a
-- condition: as @@@, but immutable, and so without NOW.
CREATE FUNCTION session_store.lucene_match_always(doc jsonb, q lucene_query) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 20 AS 'MODULE_PATHNAME', 'session_store_match_always';
COMMENT ON FUNCTION session_store.lucene_match_always(jsonb, lucene_query) IS 'implementation of @@@@ operator';
CREATE OPERATOR @@@@ (
    LEFTARG = jsonb, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_match_always,
    RESTRICT = session_store.lucene_selectivity, JOIN = contjoinsel);
COMMENT ON OPERATOR @@@@ (jsonb, lucene_query) IS 'document matches query, which has no NOW';
ALTER OPERATOR FAMILY jsonb_lucene_ops USING gin ADD OPERATOR 2 @@@@ (jsonb, lucene_query);
CREATE FUNCTION session_store.at_now(q lucene_query) RETURNS lucene_query
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'session_store_query_at_now';
COMMENT ON FUNCTION session_store.at_now(lucene_query) IS
    'the query with the start of the transaction written out in place of NOW: doc @@@@ session_store.at_now(''event.time:[* TO NOW-30DAYS]'')';
