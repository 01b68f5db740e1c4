-- What CREATE EXTENSION session_store VERSION '0.1.0' ran, for upgrade.sh.

-- What must be there before the functions are.

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'session_store needs a database with encoding UTF8, not %', pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0 makes one.';
    END IF;
END
$$;

CREATE SCHEMA session_store;
COMMENT ON SCHEMA session_store IS 'catalogue and inner functions of the extension session_store';

CREATE SCHEMA sessions;
COMMENT ON SCHEMA sessions IS 'the stores: sessions.<name>(id text, doc jsonb)';

CREATE TABLE session_store.store (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    key text NOT NULL,
    shards int NOT NULL CHECK (shards BETWEEN 1 AND 1024),
    replicas int NOT NULL CHECK (replicas >= 1),
    created timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE session_store.store IS 'one row a store';
COMMENT ON COLUMN session_store.store.name IS 'the store''s name, and its table''s in schema sessions';
COMMENT ON COLUMN session_store.store.key IS 'path of the identity in each document, keys joined with dots';
COMMENT ON COLUMN session_store.store.shards IS 'number of hash partitions on id; 1 means a plain table';
COMMENT ON COLUMN session_store.store.replicas IS 'number of copies asked for; session_list() shows how many there are';
COMMENT ON COLUMN session_store.store.created IS 'when session_add created the store';

-- pg_dump writes the tables of schema sessions by itself, but an extension's own table only if told so.
SELECT pg_catalog.pg_extension_config_dump('session_store.store', '');

-- Whoever may read a store's table may query the store. To write, GRANT INSERT, UPDATE, DELETE on the store's table; to
-- create stores, CREATE on schema sessions and INSERT, UPDATE, DELETE on session_store.store.
GRANT USAGE ON SCHEMA session_store, sessions TO PUBLIC;
GRANT SELECT ON session_store.store TO PUBLIC;

CREATE FUNCTION "session_add"(
    "store" TEXT,
    "key" TEXT DEFAULT 'session.id',
    "shards" INT DEFAULT 1,
    "replicas" INT DEFAULT 1
) RETURNS VOID
VOLATILE PARALLEL UNSAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_add_wrapper';

CREATE FUNCTION "session_count"(
    "store" TEXT,
    "q" TEXT
) RETURNS bigint
STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_count_wrapper';

CREATE FUNCTION "session_drop"(
    "store" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_drop_wrapper';

CREATE FUNCTION "session_explain"(
    "store" TEXT,
    "q" TEXT,
    "sort" TEXT DEFAULT NULL
) RETURNS jsonb
VOLATILE PARALLEL UNSAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_explain_wrapper';

CREATE FUNCTION "session_key"(
    "store" TEXT,
    "key" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_key_wrapper';

CREATE FUNCTION "session_list"() RETURNS TABLE (
    "name" TEXT,
    "key" TEXT,
    "shards" INT,
    "replicas" INT,
    "copies" INT,
    "documents" bigint,
    "bytes" bigint,
    "created" timestamp with time zone
)
STRICT STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_list_wrapper';

CREATE FUNCTION "session_query"(
    "store" TEXT,
    "q" TEXT,
    "sort" TEXT DEFAULT NULL,
    "start" bigint DEFAULT 0,
    "rows" bigint DEFAULT 10
) RETURNS jsonb
STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_query_wrapper';

CREATE FUNCTION "session_rename"(
    "store" TEXT,
    "name" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_rename_wrapper';

CREATE FUNCTION "session_stream"(
    "store" TEXT,
    "q" TEXT,
    "sort" TEXT DEFAULT NULL,
    "start" bigint DEFAULT 0,
    "rows" bigint DEFAULT NULL
) RETURNS SETOF jsonb
STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_stream_wrapper';

CREATE FUNCTION "session_update"(
    "store" TEXT,
    "ops" jsonb
) RETURNS VOID
VOLATILE PARALLEL UNSAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_update_wrapper';

CREATE SCHEMA IF NOT EXISTS session_store;

CREATE FUNCTION session_store."identity"(
    "doc" jsonb,
    "key" TEXT
) RETURNS TEXT
IMMUTABLE STRICT PARALLEL SAFE COST 20
LANGUAGE c
AS 'MODULE_PATHNAME', 'identity_wrapper';

CREATE FUNCTION session_store."jsonpath_text"(
    "q" TEXT
) RETURNS TEXT
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'jsonpath_text_wrapper';

CREATE FUNCTION session_store."sort_key"(
    "doc" jsonb,
    "path" TEXT,
    "largest" bool
) RETURNS bytea
IMMUTABLE STRICT PARALLEL SAFE COST 50
LANGUAGE c
AS 'MODULE_PATHNAME', 'sort_key_wrapper';

CREATE FUNCTION session_store."shape"(
    "doc" jsonb
) RETURNS TEXT
IMMUTABLE STRICT PARALLEL SAFE COST 20
LANGUAGE c
AS 'MODULE_PATHNAME', 'shape_wrapper';

CREATE FUNCTION session_store."matches"(
    "doc" jsonb,
    "q" TEXT,
    "now" timestamp with time zone
) RETURNS bool
IMMUTABLE STRICT PARALLEL SAFE COST 100
LANGUAGE c
AS 'MODULE_PATHNAME', 'matches_wrapper';

-- What needs the functions: SQL around them, their settings, and what psql's \df+ says about them.

-- An SQL function over an immutable one is inlined and folded to a constant, which an index on the jsonb column can use.
CREATE FUNCTION session_jsonpath(q text) RETURNS jsonpath
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT session_store.jsonpath_text(q)::pg_catalog.jsonpath $$;

-- Without a sort, documents come in the table's order. A synchronized scan would start wherever another one is just now.
ALTER FUNCTION session_query(text, text, text, bigint, bigint) SET synchronize_seqscans = off;
ALTER FUNCTION session_stream(text, text, text, bigint, bigint) SET synchronize_seqscans = off;
-- A condition here is a few calls into this extension, in which there is nothing to compile.
ALTER FUNCTION session_query(text, text, text, bigint, bigint) SET jit = off;
ALTER FUNCTION session_stream(text, text, text, bigint, bigint) SET jit = off;
ALTER FUNCTION session_count(text, text) SET jit = off;
ALTER FUNCTION session_explain(text, text, text) SET jit = off;
-- session_query reads its items without parallel workers; EXPLAIN must plan as it does.
ALTER FUNCTION session_explain(text, text, text) SET max_parallel_workers_per_gather = 0;

COMMENT ON FUNCTION session_add(text, text, int, int) IS
    'creates an empty store: SELECT session_add(''stash'', key => ''session.id'')';
COMMENT ON FUNCTION session_update(text, jsonb) IS
    'inserts, replaces and deletes documents, all or none: SELECT session_update(''stash'', ''[{"upsert": [{"session": {"id": 1}}], "delete": ["2"]}]'')';
COMMENT ON FUNCTION session_query(text, text, text, bigint, bigint) IS
    'counts the matches of a query and returns a window of them: SELECT session_query(''stash'', ''a.b:1 OR c:x*'', sort => ''d desc'', rows => 5)';
COMMENT ON FUNCTION session_stream(text, text, text, bigint, bigint) IS
    'returns the matches of a query one row each: SELECT session_stream(''stash'', ''a.b:1'') LIMIT 10';
COMMENT ON FUNCTION session_count(text, text) IS
    'counts the matches of a query: SELECT session_count(''stash'', ''a.b:[1 TO 5]'')';
COMMENT ON FUNCTION session_list() IS
    'lists the stores by name; documents is an estimate, copies counts this server and its streaming standbys: SELECT * FROM session_list()';
COMMENT ON FUNCTION session_key(text, text) IS
    'moves a store''s identity to another path and re-keys every document, all or none: SELECT session_key(''stash'', ''user.id'')';
COMMENT ON FUNCTION session_rename(text, text) IS
    'renames a store: SELECT session_rename(''stash'', ''archive'')';
COMMENT ON FUNCTION session_drop(text) IS
    'removes a store and its documents: SELECT session_drop(''stash'')';
COMMENT ON FUNCTION session_explain(text, text, text) IS
    'shows how a query is understood, what the index answers, and the plan: SELECT jsonb_pretty(session_explain(''stash'', ''a.b:1''))';
COMMENT ON FUNCTION session_jsonpath(text) IS
    'a query as SQL/JSON path, for any jsonb column: doc @? session_jsonpath(''a.b:1'')';
COMMENT ON FUNCTION session_store.shape(jsonb) IS
    'whether JSON path reaches every leaf of a document: regular or irregular';
COMMENT ON FUNCTION session_store.matches(jsonb, text, timestamptz) IS
    'whether a document matches a query, NOW in it being the given time';
COMMENT ON FUNCTION session_store.sort_key(jsonb, text, boolean) IS
    'the smallest or largest value at a path, as bytes in the order of sort';
COMMENT ON FUNCTION session_store.identity(jsonb, text) IS
    'the identity of a document at a path, or null';
COMMENT ON FUNCTION session_store.jsonpath_text(text) IS
    'a query as text of an SQL/JSON path';
