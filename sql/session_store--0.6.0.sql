-- Written by scripts/schema from sql/bootstrap.sql, sql/operator.sql, the functions of src/api and
-- sql/finalize.sql. Change those, not this, and run scripts/schema.

-- bootstrap
-- What must be there before the functions are.

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
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
    name pg_catalog.text COLLATE pg_catalog."C" PRIMARY KEY CHECK (name OPERATOR(pg_catalog.<>) ''),
    key pg_catalog.text NOT NULL,
    shards int NOT NULL CHECK (shards OPERATOR(pg_catalog.>=) 1 AND shards OPERATOR(pg_catalog.<=) 1024),
    replicas int NOT NULL CHECK (replicas OPERATOR(pg_catalog.>=) 1),
    created pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE session_store.store IS 'one row a store';
COMMENT ON COLUMN session_store.store.name IS 'the store''s name, and its table''s in schema sessions';
COMMENT ON COLUMN session_store.store.key IS 'path of the identity in each document, keys joined with dots';
COMMENT ON COLUMN session_store.store.shards IS 'number of hash partitions on id; 1 means a plain table';
COMMENT ON COLUMN session_store.store.replicas IS 'number of copies asked for; session_list() shows how many there are';
COMMENT ON COLUMN session_store.store.created IS 'when session_add created the store';

-- What the catalogue says of a store is its owner's to say, who is the owner of the table, whatever privileges on the catalogue others have.
CREATE FUNCTION session_store.check_owner() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    store pg_catalog.text;
    owner pg_catalog.oid;
    is_new pg_catalog.bool;
BEGIN
    IF pg_catalog.pg_has_role((SELECT relowner FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) TG_RELID), 'USAGE') THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        RAISE EXCEPTION 'must be owner of table %', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- The row before, whose table may be gone, and the row after, whose table must be there.
    FOR store, is_new IN
        SELECT name, false FROM (VALUES (OLD.name)) AS before (name) WHERE TG_OP OPERATOR(pg_catalog.<>) 'INSERT'
        UNION ALL
        SELECT name, true FROM (VALUES (NEW.name)) AS after (name) WHERE TG_OP OPERATOR(pg_catalog.<>) 'DELETE'
    LOOP
        owner := (
            SELECT relation.relowner
            FROM pg_catalog.pg_class AS relation
            JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) relation.relnamespace
            WHERE namespace.nspname OPERATOR(pg_catalog.=) 'sessions' AND relation.relname OPERATOR(pg_catalog.=) store
                AND (NOT is_new OR relation.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])));
        IF owner IS NULL AND is_new THEN
            RAISE EXCEPTION 'store "%" has no table', store USING ERRCODE = 'undefined_table',
                HINT = 'session_add makes a store with its table, session_adopt makes a store of a table.';
        ELSIF NOT pg_catalog.pg_has_role(owner, 'USAGE') THEN
            RAISE EXCEPTION 'must be owner of table %', store USING ERRCODE = 'insufficient_privilege';
        END IF;
    END LOOP;
    RETURN coalesce(NEW, OLD);
END
$$;
COMMENT ON FUNCTION session_store.check_owner() IS 'lets only the owner of a store''s table change its row of the catalogue';
CREATE TRIGGER check_owner BEFORE INSERT OR UPDATE OR DELETE ON session_store.store
FOR EACH ROW EXECUTE FUNCTION session_store.check_owner();
COMMENT ON TRIGGER check_owner ON session_store.store IS 'lets only the owner of a store''s table change its row of the catalogue';
CREATE TRIGGER check_owner_of_all BEFORE TRUNCATE ON session_store.store
FOR EACH STATEMENT EXECUTE FUNCTION session_store.check_owner();
COMMENT ON TRIGGER check_owner_of_all ON session_store.store IS 'lets only the catalogue''s owner empty it';

-- pg_dump writes the tables of schema sessions by itself, but an extension's own table only if told so.
SELECT pg_catalog.pg_extension_config_dump('session_store.store', '');

-- Whoever may read a store's table may query the store. To write, GRANT INSERT, UPDATE, DELETE on the store's table; to
-- create stores, CREATE on schema sessions and INSERT, UPDATE, DELETE on session_store.store, of which the trigger leaves each
-- owner the rows of his own stores.
GRANT USAGE ON SCHEMA session_store, sessions TO PUBLIC;
GRANT SELECT ON session_store.store TO PUBLIC;

-- requires:
--   bootstrap

-- The type lucene_query, the operator @@@ and the operator class that makes GIN answer it.

CREATE TYPE lucene_query;

CREATE FUNCTION session_store.lucene_query_in(cstring) RETURNS lucene_query
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_query_in';
CREATE FUNCTION session_store.lucene_query_out(lucene_query) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_query_out';
CREATE FUNCTION session_store.lucene_query_recv(internal) RETURNS lucene_query
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_query_recv';
COMMENT ON FUNCTION session_store.lucene_query_recv(internal) IS 'I/O';
CREATE FUNCTION session_store.lucene_query_send(lucene_query) RETURNS bytea
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textsend';
COMMENT ON FUNCTION session_store.lucene_query_send(lucene_query) IS 'I/O';
CREATE TYPE lucene_query (
    INPUT = session_store.lucene_query_in, OUTPUT = session_store.lucene_query_out,
    RECEIVE = session_store.lucene_query_recv, SEND = session_store.lucene_query_send, LIKE = text);
COMMENT ON TYPE lucene_query IS 'a query in Solr''s query language, checked and in its canonical form: doc @@@ ''a.b:1 OR c:x*''';

COMMENT ON FUNCTION session_store.lucene_query_in(cstring) IS 'I/O';
COMMENT ON FUNCTION session_store.lucene_query_out(lucene_query) IS 'I/O';

-- A query is laid out as text is, so that PostgreSQL's own functions for bytes serve it.
-- Queries are equal that have the same canonical form, and are ordered by its bytes.
CREATE FUNCTION session_store.lucene_query_eq(lucene_query, lucene_query) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION session_store.lucene_query_eq(lucene_query, lucene_query) IS 'implementation of = operator';
CREATE FUNCTION session_store.lucene_query_ne(lucene_query, lucene_query) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteane';
COMMENT ON FUNCTION session_store.lucene_query_ne(lucene_query, lucene_query) IS 'implementation of <> operator';
CREATE FUNCTION session_store.lucene_query_lt(lucene_query, lucene_query) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'bytealt';
COMMENT ON FUNCTION session_store.lucene_query_lt(lucene_query, lucene_query) IS 'implementation of < operator';
CREATE FUNCTION session_store.lucene_query_le(lucene_query, lucene_query) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteale';
COMMENT ON FUNCTION session_store.lucene_query_le(lucene_query, lucene_query) IS 'implementation of <= operator';
CREATE FUNCTION session_store.lucene_query_ge(lucene_query, lucene_query) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteage';
COMMENT ON FUNCTION session_store.lucene_query_ge(lucene_query, lucene_query) IS 'implementation of >= operator';
CREATE FUNCTION session_store.lucene_query_gt(lucene_query, lucene_query) RETURNS boolean
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteagt';
COMMENT ON FUNCTION session_store.lucene_query_gt(lucene_query, lucene_query) IS 'implementation of > operator';
CREATE FUNCTION session_store.lucene_query_cmp(lucene_query, lucene_query) RETURNS int
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'byteacmp';
COMMENT ON FUNCTION session_store.lucene_query_cmp(lucene_query, lucene_query) IS 'less-equal-greater';
CREATE FUNCTION session_store.lucene_query_hash(lucene_query) RETURNS int
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'hashvarlena';
COMMENT ON FUNCTION session_store.lucene_query_hash(lucene_query) IS 'hash';
CREATE FUNCTION session_store.lucene_query_hash_extended(lucene_query, bigint) RETURNS bigint
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION session_store.lucene_query_hash_extended(lucene_query, bigint) IS 'hash';

CREATE OPERATOR = (
    LEFTARG = lucene_query, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_query_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR = (lucene_query, lucene_query) IS 'equal';
CREATE OPERATOR <> (
    LEFTARG = lucene_query, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_query_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR <> (lucene_query, lucene_query) IS 'not equal';
CREATE OPERATOR < (
    LEFTARG = lucene_query, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_query_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR < (lucene_query, lucene_query) IS 'less than';
CREATE OPERATOR <= (
    LEFTARG = lucene_query, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_query_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR <= (lucene_query, lucene_query) IS 'less than or equal';
CREATE OPERATOR >= (
    LEFTARG = lucene_query, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_query_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR >= (lucene_query, lucene_query) IS 'greater than or equal';
CREATE OPERATOR > (
    LEFTARG = lucene_query, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_query_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR > (lucene_query, lucene_query) IS 'greater than';

CREATE OPERATOR CLASS lucene_query_ops DEFAULT FOR TYPE lucene_query USING btree AS
    OPERATOR 1 < (lucene_query, lucene_query),
    OPERATOR 2 <= (lucene_query, lucene_query),
    OPERATOR 3 = (lucene_query, lucene_query),
    OPERATOR 4 >= (lucene_query, lucene_query),
    OPERATOR 5 > (lucene_query, lucene_query),
    FUNCTION 1 session_store.lucene_query_cmp(lucene_query, lucene_query),
    FUNCTION 2 pg_catalog.bytea_sortsupport(internal),
    FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS lucene_query_ops USING btree IS 'queries by the bytes of their canonical form';
COMMENT ON OPERATOR FAMILY lucene_query_ops USING btree IS 'of operator class lucene_query_ops';
CREATE OPERATOR CLASS lucene_query_ops DEFAULT FOR TYPE lucene_query USING hash AS
    OPERATOR 1 = (lucene_query, lucene_query),
    FUNCTION 1 session_store.lucene_query_hash(lucene_query),
    FUNCTION 2 session_store.lucene_query_hash_extended(lucene_query, bigint);
COMMENT ON OPERATOR CLASS lucene_query_ops USING hash IS 'queries by the bytes of their canonical form';
COMMENT ON OPERATOR FAMILY lucene_query_ops USING hash IS 'of operator class lucene_query_ops';

-- There is one operator @@@, and text becomes a query where it stands to the right of it: as a parameter, a variable, a column of
-- another table. Implicit, for drivers say that their parameters are text. The way back is not, so that an operator that has both
-- beside it compares queries, and is never ambiguous.
CREATE FUNCTION session_store.lucene_query(text) RETURNS lucene_query
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'session_store_query_of_text';
COMMENT ON FUNCTION session_store.lucene_query(text) IS 'reads a query';
CREATE CAST (text AS lucene_query) WITH FUNCTION session_store.lucene_query(text) AS IMPLICIT;
COMMENT ON CAST (text AS lucene_query) IS 'reads a query';
CREATE CAST (varchar AS lucene_query) WITH FUNCTION session_store.lucene_query(text) AS IMPLICIT;
COMMENT ON CAST (varchar AS lucene_query) IS 'reads a query';
CREATE CAST (lucene_query AS text) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (lucene_query AS text) IS 'the canonical form of a query';
CREATE CAST (lucene_query AS varchar) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (lucene_query AS varchar) IS 'the canonical form of a query';

-- Stable and not immutable, because NOW in a query is the transaction's. Leakproof: a document cannot make it raise an error or a
-- notice (its query can, which who asks knows), nor does a plan show what it said of rows that are hidden (src/scan/rights.rs).
CREATE FUNCTION session_store.lucene_match(doc jsonb, q lucene_query) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE LEAKPROOF COST 20 AS 'MODULE_PATHNAME', 'session_store_match';
COMMENT ON FUNCTION session_store.lucene_match(jsonb, lucene_query) IS 'implementation of @@@ operator';
CREATE FUNCTION session_store.lucene_selectivity(internal, oid, internal, int) RETURNS float8
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_selectivity';
COMMENT ON FUNCTION session_store.lucene_selectivity(internal, oid, internal, int) IS 'restriction selectivity of @@@, asked of the index';

CREATE OPERATOR @@@ (
    LEFTARG = jsonb, RIGHTARG = lucene_query, FUNCTION = session_store.lucene_match,
    RESTRICT = session_store.lucene_selectivity, JOIN = contjoinsel);
COMMENT ON OPERATOR @@@ (jsonb, lucene_query) IS 'document matches query';

-- As PostgreSQL's own operator classes do, these name the indexed type where they take a query.
CREATE FUNCTION session_store.gin_extract_value(jsonb, internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_extract_value';
CREATE FUNCTION session_store.gin_extract_query(jsonb, internal, int2, internal, internal, internal, internal) RETURNS internal
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_extract_query';
CREATE FUNCTION session_store.gin_compare_partial(bytea, bytea, int2, internal) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_compare_partial';
CREATE FUNCTION session_store.gin_consistent(internal, int2, jsonb, int, internal, internal, internal, internal) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_consistent';
CREATE FUNCTION session_store.gin_tri_consistent(internal, int2, jsonb, int, internal, internal, internal) RETURNS "char"
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_tri_consistent';

CREATE OPERATOR CLASS jsonb_lucene_ops FOR TYPE jsonb USING gin AS
    OPERATOR 1 @@@ (jsonb, lucene_query),
    FUNCTION 2 session_store.gin_extract_value(jsonb, internal, internal),
    FUNCTION 3 session_store.gin_extract_query(jsonb, internal, int2, internal, internal, internal, internal),
    FUNCTION 4 session_store.gin_consistent(internal, int2, jsonb, int, internal, internal, internal, internal),
    FUNCTION 5 session_store.gin_compare_partial(bytea, bytea, int2, internal),
    FUNCTION 6 session_store.gin_tri_consistent(internal, int2, jsonb, int, internal, internal, internal),
    STORAGE bytea;
COMMENT ON OPERATOR CLASS jsonb_lucene_ops USING gin IS
    'answers @@@ for every path of a jsonb column: CREATE INDEX ON t USING gin (doc jsonb_lucene_ops)';

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

CREATE  FUNCTION "session_add"(
	"store" TEXT,
	"key" TEXT DEFAULT 'session.id',
	"shards" INT DEFAULT 1,
	"replicas" INT DEFAULT 1
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_add_wrapper';

CREATE  FUNCTION "session_adopt"(
	"store" TEXT,
	"key" TEXT DEFAULT 'session.id'
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_adopt_wrapper';

CREATE  FUNCTION "session_count"(
	"store" TEXT,
	"q" TEXT
) RETURNS bigint
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_count_wrapper';

CREATE  FUNCTION "session_distribute"(
	"store" TEXT,
	"shards" INT DEFAULT 32
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_distribute_wrapper';

CREATE  FUNCTION "session_drop"(
	"store" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_drop_wrapper';

CREATE  FUNCTION "session_explain"(
	"store" TEXT,
	"q" TEXT,
	"sort" TEXT DEFAULT NULL,
	"json" jsonb DEFAULT NULL
) RETURNS jsonb
VOLATILE PARALLEL UNSAFE  COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_explain_json_wrapper';

CREATE  FUNCTION "session_facets"(
	"store" TEXT,
	"q" TEXT,
	"facet" jsonb
) RETURNS jsonb
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_facets_wrapper';

CREATE  FUNCTION "session_grant"(
	"store" TEXT,
	"role" TEXT,
	"right" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_grant_wrapper';

CREATE  FUNCTION "session_histogram"(
	"store" TEXT,
	"q" TEXT,
	"path" TEXT,
	"step" NUMERIC,
	"since" NUMERIC DEFAULT NULL,
	"until" NUMERIC DEFAULT NULL
) RETURNS TABLE (
	"bucket" NUMERIC,
	"count" bigint
)
STABLE PARALLEL RESTRICTED  COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_histogram_by_number_wrapper';

CREATE  FUNCTION "session_histogram"(
	"store" TEXT,
	"q" TEXT,
	"path" TEXT,
	"step" TEXT,
	"zone" TEXT DEFAULT 'UTC',
	"since" TEXT DEFAULT NULL,
	"until" TEXT DEFAULT NULL
) RETURNS TABLE (
	"bucket" timestamp with time zone,
	"count" bigint
)
STABLE PARALLEL RESTRICTED  COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_histogram_by_time_wrapper';

CREATE  FUNCTION "session_key"(
	"store" TEXT,
	"key" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_key_wrapper';

CREATE  FUNCTION "session_list"() RETURNS TABLE (
	"name" TEXT,
	"key" TEXT,
	"shards" INT,
	"replicas" INT,
	"copies" INT,
	"documents" bigint,
	"bytes" bigint,
	"created" timestamp with time zone
)
STRICT STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_list_wrapper';

CREATE  FUNCTION "session_paths"(
	"store" TEXT,
	"prefix" TEXT DEFAULT ''
) RETURNS TABLE (
	"path" TEXT,
	"documents" bigint,
	"strings" bigint,
	"numbers" bigint,
	"booleans" bigint,
	"values" bigint,
	"multivalued" bool
)
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_paths_wrapper';

CREATE  FUNCTION "session_query"(
	"store" TEXT,
	"q" TEXT,
	"sort" TEXT DEFAULT NULL,
	"start" bigint DEFAULT 0,
	"rows" bigint DEFAULT 10,
	"fl" TEXT DEFAULT NULL,
	"json" jsonb DEFAULT NULL
) RETURNS jsonb
STABLE PARALLEL RESTRICTED  COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_query_json_wrapper';

CREATE  FUNCTION "session_rename"(
	"store" TEXT,
	"name" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_rename_wrapper';

CREATE  FUNCTION "session_revoke"(
	"store" TEXT,
	"role" TEXT,
	"right" TEXT
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_revoke_wrapper';

CREATE  FUNCTION "session_stats"(
	"store" TEXT,
	"q" TEXT,
	"path" TEXT,
	"percentiles" double precision[] DEFAULT '{50,95,99}'
) RETURNS jsonb
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_stats_wrapper';

CREATE  FUNCTION "session_stream"(
	"store" TEXT,
	"q" TEXT,
	"sort" TEXT DEFAULT NULL,
	"start" bigint DEFAULT 0,
	"rows" bigint DEFAULT NULL,
	"fl" TEXT DEFAULT NULL
) RETURNS SETOF jsonb
STABLE PARALLEL RESTRICTED  COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_stream_fl_wrapper';

CREATE  FUNCTION "session_suggest"(
	"store" TEXT,
	"path" TEXT,
	"prefix" TEXT,
	"q" TEXT DEFAULT '*:*',
	"rows" bigint DEFAULT 10
) RETURNS TABLE (
	"value" TEXT,
	"count" bigint
)
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_suggest_wrapper';

CREATE  FUNCTION "session_update"(
	"store" TEXT,
	"ops" jsonb
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_update_wrapper';

CREATE  FUNCTION "session_values"(
	"store" TEXT,
	"q" TEXT,
	"path" TEXT,
	"rows" bigint DEFAULT 10,
	"start" bigint DEFAULT 0,
	"prefix" TEXT DEFAULT NULL,
	"sort" TEXT DEFAULT 'count desc'
) RETURNS TABLE (
	"value" jsonb,
	"count" bigint
)
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_values_wrapper';

CREATE  FUNCTION "session_why"(
	"store" TEXT,
	"q" TEXT,
	"id" TEXT DEFAULT NULL
) RETURNS jsonb
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_why_wrapper';

CREATE SCHEMA IF NOT EXISTS session_store;

CREATE  FUNCTION session_store."shard_page"(
	"shard" oid,
	"asked" TEXT
) RETURNS TEXT[]
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'shard_page_wrapper';

CREATE  FUNCTION session_store."shard_values"(
	"shard" oid,
	"q" TEXT,
	"asked" TEXT,
	"now" timestamp with time zone,
	"bytes" bigint
) RETURNS bytea
STABLE PARALLEL RESTRICTED COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'shard_values_wrapper';

CREATE  FUNCTION session_store."jsonpath_text"(
	"q" TEXT
) RETURNS TEXT
IMMUTABLE PARALLEL SAFE COST 100
LANGUAGE c
AS 'MODULE_PATHNAME', 'jsonpath_text_wrapper';

CREATE  FUNCTION session_store."sort_key"(
	"doc" jsonb,
	"path" TEXT,
	"largest" bool
) RETURNS bytea
IMMUTABLE STRICT PARALLEL SAFE COST 50
LANGUAGE c
AS 'MODULE_PATHNAME', 'sort_key_wrapper';

CREATE  FUNCTION session_store."identity"(
	"doc" jsonb,
	"key" TEXT
) RETURNS TEXT
IMMUTABLE STRICT PARALLEL SAFE COST 20
LANGUAGE c
AS 'MODULE_PATHNAME', 'identity_wrapper';

CREATE  FUNCTION session_store."is_session"(
	"id" TEXT,
	"doc" jsonb,
	"key" TEXT
) RETURNS bool
IMMUTABLE STRICT PARALLEL SAFE COST 20
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_session_wrapper';

CREATE  FUNCTION session_store."stream_support"(
	"request" internal
) RETURNS internal
STRICT STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'stream_support_wrapper';

-- finalize
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
