-- From 0.4.0 to 0.5.0.

-- lucene_query becomes a whole type.
CREATE FUNCTION session_store.lucene_query_recv(internal) RETURNS lucene_query
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_query_recv';
COMMENT ON FUNCTION session_store.lucene_query_recv(internal) IS 'I/O';
CREATE FUNCTION session_store.lucene_query_send(lucene_query) RETURNS bytea
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textsend';
COMMENT ON FUNCTION session_store.lucene_query_send(lucene_query) IS 'I/O';
ALTER TYPE lucene_query SET (RECEIVE = session_store.lucene_query_recv, SEND = session_store.lucene_query_send);
COMMENT ON FUNCTION session_store.lucene_query_in(cstring) IS 'I/O';
COMMENT ON FUNCTION session_store.lucene_query_out(lucene_query) IS 'I/O';

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

-- A row-level security policy and the index work together.
ALTER FUNCTION session_store.lucene_match(jsonb, lucene_query) LEAKPROOF;

-- What the planner is told of the functions: what they cost, and how many rows there will be.
CREATE FUNCTION session_store.stream_support(request internal) RETURNS internal
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'stream_support_wrapper';
COMMENT ON FUNCTION session_store.stream_support(internal) IS
    'planner support for session_stream: how many rows there will be, asked of the index';
ALTER FUNCTION session_stream(text, text, text, bigint, bigint) COST 10000 SUPPORT session_store.stream_support;
ALTER FUNCTION session_add(text, text, int, int) COST 10000;
ALTER FUNCTION session_update(text, jsonb) COST 10000;
ALTER FUNCTION session_query(text, text, text, bigint, bigint) COST 10000;
ALTER FUNCTION session_count(text, text) COST 10000;
ALTER FUNCTION session_list() COST 10000;
ALTER FUNCTION session_key(text, text) COST 10000;
ALTER FUNCTION session_rename(text, text) COST 10000;
ALTER FUNCTION session_drop(text) COST 10000;
ALTER FUNCTION session_explain(text, text, text) COST 10000;
ALTER FUNCTION session_jsonpath(text) COST 100;
ALTER FUNCTION session_store.jsonpath_text(text) COST 100;
ALTER FUNCTION session_store.lucene_query_in(cstring) COST 20;
ALTER FUNCTION session_store.lucene_query_recv(internal) COST 20;

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

CREATE FUNCTION "session_adopt"(
    "store" TEXT,
    "key" TEXT DEFAULT 'session.id'
) RETURNS VOID
VOLATILE PARALLEL UNSAFE COST 10000
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_adopt_wrapper';
COMMENT ON FUNCTION session_adopt(text, text) IS
    'makes a store of a table of schema sessions that the catalogue does not know, as after restoring a dump of that schema alone: SELECT session_adopt(''stash'', key => ''session.id'')';

-- A document lies under its own identity (src/store/constraint.rs). Where one does not, only what is written from now on is checked.
DO $$
DECLARE
    store pg_catalog.record;
    statement pg_catalog.text;
BEGIN
    FOR store IN
        SELECT entry.name, entry.key, relation.oid::pg_catalog.regclass AS relation
        FROM session_store.store AS entry
        JOIN pg_catalog.pg_class AS relation ON relation.relname OPERATOR(pg_catalog.=) entry.name
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) relation.relnamespace
        WHERE namespace.nspname OPERATOR(pg_catalog.=) 'sessions'
            AND relation.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[]) AND NOT relation.relispartition
    LOOP
        statement := pg_catalog.format(
            'ALTER TABLE sessions.%I ADD CONSTRAINT session_identity CHECK (id OPERATOR(pg_catalog.=) session_store.identity(doc, %L))',
            store.name, store.key);
        BEGIN
            EXECUTE statement;
        EXCEPTION WHEN check_violation THEN
            EXECUTE pg_catalog.concat(statement, ' NOT VALID');
            RAISE WARNING 'store "%" has documents whose id is not their identity', store.name
                USING HINT = pg_catalog.format('SELECT session_key(%L, %L) moves them there, or names those that share one.', store.name, store.key);
        END;
    END LOOP;
END
$$;

-- The storage parameters that a store has from session_add (src/store/storage.rs), where nobody set others.
DO $$
DECLARE
    statement pg_catalog.text;
BEGIN
    FOR statement IN
        WITH stores AS (
            SELECT relation.oid
            FROM session_store.store AS entry
            JOIN pg_catalog.pg_class AS relation ON relation.relname OPERATOR(pg_catalog.=) entry.name
            JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) relation.relnamespace
            WHERE namespace.nspname OPERATOR(pg_catalog.=) 'sessions'
                AND relation.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
        ), tables AS (
            SELECT relation.oid
            FROM pg_catalog.pg_class AS relation
            WHERE relation.relkind OPERATOR(pg_catalog.=) 'r' AND relation.oid OPERATOR(pg_catalog.=) ANY (
                SELECT stores.oid FROM stores
                UNION ALL
                SELECT tree.relid::pg_catalog.oid
                FROM stores, pg_catalog.pg_partition_tree(stores.oid::pg_catalog.regclass) AS tree)
        ), parts AS (
            SELECT 'TABLE' AS kind, tables.oid FROM tables
            UNION ALL
            SELECT 'INDEX', index.indexrelid
            FROM tables
            JOIN pg_catalog.pg_index AS index ON index.indrelid OPERATOR(pg_catalog.=) tables.oid
            JOIN pg_catalog.pg_opclass AS class ON class.oid OPERATOR(pg_catalog.=) index.indclass[0]
            WHERE class.opcname OPERATOR(pg_catalog.=) 'jsonb_lucene_ops'
        )
        SELECT pg_catalog.format('ALTER %s %I.%I SET (%s)', part.kind, namespace.nspname, relation.relname,
            pg_catalog.string_agg(pg_catalog.concat(parameter.name, ' = ', parameter.value), ', ' ORDER BY parameter.name))
        FROM parts AS part
        JOIN pg_catalog.pg_class AS relation ON relation.oid OPERATOR(pg_catalog.=) part.oid
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) relation.relnamespace
        JOIN (VALUES
            ('TABLE', 'autovacuum_vacuum_scale_factor', '0.05'),
            ('TABLE', 'autovacuum_vacuum_insert_scale_factor', '0.05'),
            ('INDEX', 'gin_pending_list_limit', '64')
        ) AS parameter (kind, name, value) ON parameter.kind OPERATOR(pg_catalog.=) part.kind
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_options_to_table(relation.reloptions) AS option
            WHERE option.option_name OPERATOR(pg_catalog.=) parameter.name)
        GROUP BY part.kind, part.oid, namespace.nspname, relation.relname
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
