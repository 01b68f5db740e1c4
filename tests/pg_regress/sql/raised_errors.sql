-- Errors that PostgreSQL or a user's own code raises beneath a call come through with all that they say.
SELECT session_add('raised');
SELECT session_update('raised', '[{"upsert": [{"session": {"id": 1}, "a": 1, "b": 9}]}]');
CREATE FUNCTION raise_coded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'coded' USING ERRCODE = 'UE001', DETAIL = 'the detail', HINT = 'the hint', SCHEMA = 's',
        TABLE = 't', COLUMN = 'c', DATATYPE = 'd', CONSTRAINT = 'n';
END $$;
-- All fields of the error that a statement ends with
CREATE FUNCTION fields_of(statement text) RETURNS TABLE (field text, value text) LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text; context text; s text; t text; c text; d text; n text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT, s = SCHEMA_NAME, t = TABLE_NAME, c = COLUMN_NAME,
        d = PG_DATATYPE_NAME, n = CONSTRAINT_NAME;
    RETURN QUERY SELECT * FROM (VALUES ('sqlstate', state), ('message', message), ('detail', detail), ('hint', hint),
        ('schema', s), ('table', t), ('column', c), ('datatype', d), ('constraint', n)) AS fields (f, v) WHERE v <> ''
        UNION ALL SELECT 'context', line FROM regexp_split_to_table(context, '\n') AS line WHERE line ~ '^(PL|SQL)';
END $$;

-- A trigger
CREATE TRIGGER raise_coded BEFORE INSERT ON sessions.raised FOR EACH ROW EXECUTE FUNCTION raise_coded();
SELECT * FROM fields_of($$SELECT session_update('raised', '[{"upsert": [{"session": {"id": 2}}]}]')$$);
SET session_store.load_into = 'raised';
SELECT * FROM fields_of($$INSERT INTO session_store.load VALUES ('{"session": {"id": 2}}')$$);
SELECT session_update('raised', '[{"upsert": [{"session": {"id": 2}}]}]');
DO $$
BEGIN
    PERFORM session_update('raised', '[{"upsert": [{"session": {"id": 2}}]}]');
EXCEPTION WHEN SQLSTATE 'UE001' THEN
    RAISE WARNING 'caught %', SQLERRM;
    -- An error of our own keeps its own words after that.
    PERFORM * FROM fields_of($f$SELECT session_update('raised', '[{"upsert": [{"session": {"id": true}}]}]')$f$);
END $$;
SELECT * FROM fields_of($$SELECT session_update('raised', '[{"upsert": [{"session": {"id": true}}]}]')$$);
SELECT * FROM fields_of($$SELECT session_count('raised', 'a:[')$$);

-- Calls within calls: each adds its own lines to the CONTEXT, once.
CREATE OR REPLACE FUNCTION raise_coded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM session_update('inner', '[{"upsert": [{"session": {"id": 1}}]}]');
    RETURN new;
END $$;
CREATE FUNCTION raise_plain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'a warning before the error';
    RAISE EXCEPTION USING ERRCODE = TG_ARGV[0], MESSAGE = 'from within';
END $$;
SELECT session_add('inner');
CREATE TRIGGER raise_plain BEFORE INSERT ON sessions.inner FOR EACH ROW EXECUTE FUNCTION raise_plain('P0099');
SELECT * FROM fields_of($$SELECT session_update('raised', '[{"upsert": [{"session": {"id": 2}}]}]')$$);
DROP TRIGGER raise_plain ON sessions.inner;
CREATE TRIGGER raise_plain BEFORE INSERT ON sessions.inner FOR EACH ROW EXECUTE FUNCTION raise_plain('45000');
SELECT * FROM fields_of($$SELECT session_update('raised', '[{"upsert": [{"session": {"id": 2}}]}]')$$);
DROP TRIGGER raise_plain ON sessions.inner;
DROP TRIGGER raise_coded ON sessions.raised;

-- Names
ALTER TABLE sessions.raised ADD CONSTRAINT small CHECK ((doc->>'a')::int < 10);
SELECT * FROM fields_of($$SELECT session_update('raised', '[{"upsert": [{"session": {"id": 2}, "a": 10}]}]')$$);

-- An error that we catch ourselves, to add a hint
CREATE TABLE refers_to_raised (id text CONSTRAINT refers REFERENCES sessions.raised);
INSERT INTO refers_to_raised VALUES ('1');
SELECT * FROM fields_of($$SELECT session_key('raised', 'b')$$);
SELECT session_update('raised', '[{"upsert": [{"session": {"id": 2}, "a": 2}]}]');
SELECT * FROM fields_of($$SELECT session_key('raised', 'nothing')$$);
SELECT * FROM fields_of($$SELECT session_update('raised', '[{"upsert": [{"session": {"id": 3}, "a": 10}]}]')$$);

-- Queries
CREATE FUNCTION boomq() RETURNS lucene_query STABLE LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'boom' USING ERRCODE = 'UE002'; END $$;
CREATE FUNCTION boom(doc jsonb) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'boom' USING ERRCODE = 'UE003', CONSTRAINT = 'n'; END $$;
SELECT * FROM fields_of('SELECT count(*) FROM sessions.raised WHERE doc @@@ boomq()');
SET enable_seqscan = off;
SELECT * FROM fields_of('SELECT * FROM sessions.raised WHERE doc @@@ boomq()');
SELECT * FROM fields_of($$SELECT * FROM sessions.raised WHERE doc @@@ '*:*' AND boom(doc)$$);
SELECT * FROM fields_of($$SELECT count(*) FROM sessions.raised WHERE doc @@@ '*:*' AND boom(doc)$$);
RESET enable_seqscan;
SELECT * FROM fields_of('SELECT jsonb ''{}'' @@@ boomq()');

-- Readers under a policy
CREATE POLICY boom ON sessions.raised USING (boom(doc));
ALTER TABLE sessions.raised ENABLE ROW LEVEL SECURITY;
CREATE ROLE reads_raised;
SELECT session_grant('raised', 'reads_raised', 'get'), session_grant('raised', 'reads_raised', 'sessionQuery');
SET ROLE reads_raised;
SELECT statement, f.*
FROM (VALUES (1, 'SELECT session_query(''raised'', ''*:*'')'),
             (2, 'SELECT session_count(''raised'', ''*:*'')'),
             (3, 'SELECT session_stream(''raised'', ''*:*'')'),
             (4, 'SELECT * FROM session_stream(''raised'', ''*:*'', sort => ''a asc'')'),
             (5, 'SELECT session_facets(''raised'', ''*:*'', ''{"f": {"terms": "a"}}'')'),
             (6, 'SELECT session_stats(''raised'', ''*:*'', ''a'')'),
             (7, 'SELECT session_explain(''raised'', ''*:*'')'),
             (8, 'SELECT count(*) FROM sessions.raised WHERE doc @@@ ''*:*'''),
             (9, 'SELECT doc FROM sessions.raised WHERE doc @@@ ''*:*''')) AS statements (number, statement),
     fields_of(statement) f
WHERE f.field IN ('sqlstate', 'constraint') OR f.value ~ 'boom\('
ORDER BY number;
RESET ROLE;
DROP TABLE refers_to_raised;
SELECT session_drop('raised'), session_drop('inner');
DROP OWNED BY reads_raised;
DROP ROLE reads_raised;
