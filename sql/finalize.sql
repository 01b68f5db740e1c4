-- What needs the functions: SQL around them, and what psql's \df+ says about them.

-- An SQL function over an immutable one is inlined and folded to a constant, which PostgreSQL's own indexes on jsonb can use.
CREATE FUNCTION session_jsonpath(q text) RETURNS jsonpath
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT session_store.jsonpath_text(q)::pg_catalog.jsonpath $$;

-- What the planner is told of them: the cost of reading a query where it is read, and how many rows there will be.
ALTER FUNCTION session_jsonpath(text) COST 100;
ALTER FUNCTION session_store.lucene_query_in(cstring) COST 20;
ALTER FUNCTION session_store.lucene_query_recv(internal) COST 20;
ALTER FUNCTION session_stream(text, text, text, bigint, bigint, text) SUPPORT session_store.stream_support;

COMMENT ON FUNCTION session_add(text, text, int, int) IS
    'creates an empty store: SELECT session_add(''stash'', key => ''session.id'')';
COMMENT ON FUNCTION session_update(text, jsonb) IS
    'inserts, replaces and deletes documents, all or none: SELECT session_update(''stash'', ''[{"upsert": [{"session": {"id": 1}}], "delete": ["2"]}]'')';
COMMENT ON FUNCTION session_query(text, text, text, bigint, bigint, text, jsonb) IS
    'counts the matches of a query and returns a window of them: SELECT session_query(''stash'', ''a.b:1 OR c:x*'', sort => ''d desc'', rows => 5)';
COMMENT ON FUNCTION session_stream(text, text, text, bigint, bigint, text) IS
    'returns the matches of a query one row each: SELECT session_stream(''stash'', ''a.b:1'') LIMIT 10';
COMMENT ON FUNCTION session_count(text, text) IS
    'counts the matches of a query: SELECT session_count(''stash'', ''a.b:[1 TO 5]'')';
COMMENT ON FUNCTION session_list() IS
    'lists the stores by name; documents is an estimate, copies counts this server and its streaming standbys: SELECT * FROM session_list()';
COMMENT ON FUNCTION session_key(text, text) IS
    'moves a store''s identity to another path and re-keys every document, all or none: SELECT session_key(''stash'', ''user.id'')';
COMMENT ON FUNCTION session_adopt(text, text) IS
    'makes a store of a table of schema sessions that the catalogue does not know, as after restoring a dump of that schema alone: SELECT session_adopt(''stash'', key => ''session.id'')';
COMMENT ON FUNCTION session_rename(text, text) IS
    'renames a store: SELECT session_rename(''stash'', ''archive'')';
COMMENT ON FUNCTION session_drop(text) IS
    'removes a store and its documents: SELECT session_drop(''stash'')';
COMMENT ON FUNCTION session_distribute(text, int) IS
    'distributes a store''s documents over the servers of a Citus cluster: SELECT session_distribute(''stash'', shards => 32)';
COMMENT ON FUNCTION session_explain(text, text, text, jsonb) IS
    'shows how a query is understood, what it asks of the index, and how it is answered: SELECT jsonb_pretty(session_explain(''stash'', ''a.b:1''))';
COMMENT ON FUNCTION session_jsonpath(text) IS
    'a query as SQL/JSON path, for any jsonb column: doc @? session_jsonpath(''a.b:1'')';
COMMENT ON FUNCTION session_store.sort_key(jsonb, text, boolean) IS
    'the smallest or largest value at a path, as bytes in the order of sort';
COMMENT ON FUNCTION session_store.identity(jsonb, text) IS
    'the identity of a document at a path, or null';
COMMENT ON FUNCTION session_store.is_session(text, jsonb, text) IS
    'whether a document may lie under an id: it is an object, and has this identity at a path or no value';
COMMENT ON FUNCTION session_store.jsonpath_text(text) IS
    'a query as text of an SQL/JSON path';
COMMENT ON FUNCTION session_store.stream_support(internal) IS
    'planner support for session_stream: how many rows there will be, asked of the index';
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
COMMENT ON FUNCTION session_paths(text, text) IS
    'lists the paths that documents have values at, and what there is at each: SELECT * FROM session_paths(''stash'', ''user.'')';
COMMENT ON FUNCTION session_suggest(text, text, text, text, bigint) IS
    'the strings at a path that begin with a prefix, the most frequent first: SELECT * FROM session_suggest(''stash'', ''user.name'', ''An'')';
COMMENT ON FUNCTION session_grant(text, text, text) IS
    'gives a role a right on a store, sessionQuery, sessionUpdate, get or admin: SELECT session_grant(''stash'', ''reader'', ''sessionQuery'')';
COMMENT ON FUNCTION session_revoke(text, text, text) IS
    'takes a right on a store from a role: SELECT session_revoke(''stash'', ''reader'', ''sessionQuery'')';

-- What is inserted here, or copied to it, is not stored here.
CREATE VIEW session_store.load AS SELECT NULL::pg_catalog.text AS line WHERE false;
COMMENT ON VIEW session_store.load IS
    'takes documents, one a line, into the store that session_store.load_into names: \copy session_store.load FROM ''sessions.ndjson'' (FORMAT csv, DELIMITER e''\x01'', QUOTE e''\x02'')';
COMMENT ON COLUMN session_store.load.line IS 'a document as JSON, or an array of documents';
GRANT SELECT, INSERT ON session_store.load TO PUBLIC;
CREATE FUNCTION session_store.load_line() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'load_line_wrapper';
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
COMMENT ON FUNCTION session_why(text, text, text) IS
    'how many documents each clause of a query meets, and what is near those that meet none: SELECT jsonb_pretty(session_why(''stash'', ''event.type:Click''))';

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
