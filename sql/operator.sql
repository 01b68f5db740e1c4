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
