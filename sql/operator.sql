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
