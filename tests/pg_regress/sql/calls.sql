-- No call ends with an internal error, whatever its arguments, and wherever it is made.
SELECT session_add('calls');
SELECT session_update('calls', '[{"upsert": [{"session": {"id": 1}, "a": 1}]}]');

-- What a call with these arguments ends with. Nothing of it stays.
CREATE FUNCTION end_of_call(function regprocedure, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text;
BEGIN
    EXECUTE format('SELECT (%s(%s)) IS NULL', function::regproc, arguments);
    RAISE EXCEPTION 'done' USING ERRCODE = 'UE000';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, message, detail);
END $$;

CREATE TEMP TABLE function AS
SELECT oid::regprocedure AS function, pronargs AS arguments, proisstrict AS is_strict, prorettype::regtype::text AS returns,
    ARRAY(SELECT CASE
              WHEN name = 'store' THEN '''calls'''
              WHEN name = 'q' THEN '''a:1'''
              WHEN name = 'shard' THEN '''sessions.calls''::regclass::oid'
              ELSE CASE type::regtype::text
                  WHEN 'internal' THEN 'NULL' WHEN 'oid' THEN '1259::oid' WHEN 'jsonb' THEN '''{}''::jsonb'
                  WHEN 'timestamp with time zone' THEN 'now()' WHEN 'boolean' THEN 'true'
                  WHEN 'double precision[]' THEN '''{1}''::float8[]' WHEN 'bytea' THEN '''\x00''::bytea'
                  WHEN 'lucene_query' THEN '''a:1''::lucene_query' WHEN 'text' THEN '''a''' WHEN 'cstring' THEN '''a''::cstring'
                  ELSE '1::' || type::regtype END
          END
          FROM unnest(proargtypes, proargnames) WITH ORDINALITY AS _ (type, name, n) WHERE type IS NOT NULL ORDER BY n) AS given,
    ARRAY(SELECT 'NULL::' || type::regtype FROM unnest(proargtypes) WITH ORDINALITY AS _ (type, n) ORDER BY n) AS nulls
FROM pg_proc
WHERE prokind = 'f' AND oid IN (SELECT objid FROM pg_depend
    WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'session_store') AND classid = 'pg_proc'::regclass);

-- All arguments given, none of them, all but one, only one
CREATE TEMP TABLE ended AS
SELECT function, is_strict, calls.arguments, end_of_call(function, calls.arguments) AS ended
FROM function, LATERAL (
    SELECT array_to_string(given, ', ') UNION SELECT array_to_string(nulls, ', ')
    UNION SELECT array_to_string(given[:n - 1] || nulls[n] || given[n + 1:], ', ') FROM generate_series(1, function.arguments) AS n
    UNION SELECT array_to_string(nulls[:n - 1] || given[n] || nulls[n + 1:], ', ') FROM generate_series(1, function.arguments) AS n
) AS calls (arguments);
SELECT count(DISTINCT function) > 40 AS many FROM ended;
SELECT function, arguments, ended FROM ended WHERE ended ~ '^XX|panic|\.rs|at line' ORDER BY 1, 2;
-- A null is refused as one, where it is not an answer in itself.
SELECT DISTINCT function, left(ended, 60) FROM ended
WHERE NOT is_strict AND arguments ~ '^NULL::\w+(, NULL::[\w\[\] ]+)*$' AND ended !~ '^22004' ORDER BY 1, 2;

-- What only a trigger, the planner or a coordinator calls
SELECT session_store.load_line();
\echo :LAST_ERROR_SQLSTATE
SELECT session_store.check_owner();
\echo :LAST_ERROR_SQLSTATE
SELECT session_store.one_row('1');
SELECT session_store.shard_page(NULL, '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT session_store.shard_page('sessions.calls'::regclass, '{}');
SELECT session_store.shard_page('sessions.calls'::regclass, '[');
SELECT session_store.shard_values(NULL, '*:*', '{"path": "a"}', now(), NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT session_store.shard_values('sessions.calls'::regclass, '*:*', '{', now(), NULL);
SELECT session_store.shard_values('sessions.calls'::regclass, '*:*', '[]', now(), NULL);
CREATE TABLE not_lines (a int);
CREATE TRIGGER not_lines BEFORE INSERT OR UPDATE OR DELETE ON not_lines FOR EACH ROW EXECUTE FUNCTION session_store.load_line();
SET session_store.load_into = 'calls';
INSERT INTO not_lines VALUES (1);
DROP TABLE not_lines;
SELECT session_drop('calls');
