-- From 0.1.0, whose stores have an index for JSON path, to 0.2.0, whose stores have one that answers every query.

-- The type lucene_query, the operator @@@ and the operator class that makes GIN answer it.

CREATE TYPE lucene_query;

CREATE FUNCTION session_store.lucene_query_in(cstring) RETURNS lucene_query
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_query_in';
CREATE FUNCTION session_store.lucene_query_out(lucene_query) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'session_store_query_out';
CREATE TYPE lucene_query (INPUT = session_store.lucene_query_in, OUTPUT = session_store.lucene_query_out, LIKE = text);
COMMENT ON TYPE lucene_query IS 'a query in Solr''s query language, checked and in its canonical form: doc @@@ ''a.b:1 OR c:x*''';

-- Stable and not immutable, because NOW in a query is the transaction's.
CREATE FUNCTION session_store.lucene_match(doc jsonb, q lucene_query) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'session_store_match';
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

-- The stores' new indexes in place of their old ones: that for JSON path, and that of the documents which JSON path does not see
-- into, which is known by its condition. A table that has one is or was a store, whatever its name is now.
DO $$
DECLARE
    store pg_catalog.regclass;
    index pg_catalog.regclass;
BEGIN
    FOR store IN
        SELECT pg_catalog.to_regclass(pg_catalog.format('sessions.%I', entry.name)) FROM session_store.store AS entry
        UNION
        SELECT conditional.indrelid::pg_catalog.regclass
        FROM pg_catalog.pg_depend AS depend
        JOIN pg_catalog.pg_index AS conditional ON conditional.indexrelid OPERATOR(pg_catalog.=) depend.objid
        WHERE depend.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
            AND depend.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
            AND depend.refobjid OPERATOR(pg_catalog.=) 'session_store.shape(pg_catalog.jsonb)'::pg_catalog.regprocedure::pg_catalog.oid
    LOOP
        -- No table; one that somebody put in its place; or a partition, which follows its table.
        CONTINUE WHEN NOT EXISTS (
            SELECT FROM pg_catalog.pg_class AS relation
            WHERE relation.oid OPERATOR(pg_catalog.=) store::pg_catalog.oid AND NOT relation.relispartition
                AND relation.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[]));
        FOR index IN
            SELECT old.indexrelid::pg_catalog.regclass
            FROM pg_catalog.pg_index AS old
            WHERE old.indrelid OPERATOR(pg_catalog.=) store::pg_catalog.oid AND (
                EXISTS (
                    SELECT FROM pg_catalog.pg_opclass AS class
                    WHERE class.oid OPERATOR(pg_catalog.=) old.indclass[0] AND class.opcname OPERATOR(pg_catalog.=) 'jsonb_path_ops'
                        AND old.indnatts OPERATOR(pg_catalog.=) 1 AND old.indpred IS NULL
                        AND pg_catalog.pg_get_indexdef(old.indexrelid, 1, false) OPERATOR(pg_catalog.=) 'doc')
                OR EXISTS (
                    SELECT FROM pg_catalog.pg_depend AS depend
                    WHERE depend.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                        AND depend.objid OPERATOR(pg_catalog.=) old.indexrelid
                        AND depend.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
                        AND depend.refobjid OPERATOR(pg_catalog.=)
                            'session_store.shape(pg_catalog.jsonb)'::pg_catalog.regprocedure::pg_catalog.oid))
        LOOP
            EXECUTE pg_catalog.format('DROP INDEX %s', index);
        END LOOP;
        EXECUTE pg_catalog.format('CREATE INDEX ON %s USING gin (doc %s.jsonb_lucene_ops)', store, '@extschema@');
    END LOOP;
END
$$;

DROP FUNCTION session_store.shape(jsonb);
DROP FUNCTION session_store.matches(jsonb, text, timestamptz);

COMMENT ON FUNCTION session_explain(text, text, text) IS
    'shows how a query is understood, what it asks of the index, and how it is answered: SELECT jsonb_pretty(session_explain(''stash'', ''a.b:1''))';
