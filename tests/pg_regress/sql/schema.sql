-- The schema that the extension was created in can be renamed at any time, also where a session has used it before.
SELECT session_add('schema', key => 'id');
SELECT session_update('schema', '[{"upsert": [{"id": 1, "n": 1}, {"id": 2, "n": 2}]}]');
DROP INDEX sessions.schema_doc_idx;
SELECT session_count('schema', 'n:1');
ALTER SCHEMA public RENAME TO "not ""public";
SET search_path = "not ""public";
SELECT session_count('schema', 'n:1'), session_query('schema', 'n:2', sort => 'n'), session_stream('schema', 'n:[1 TO 2]', 'n desc') AS stream;
SELECT session_explain('schema', 'n:1')->>'way' AS way;
SELECT session_add('schema_2', key => 'id', shards => 2);
SELECT pg_get_indexdef('sessions.schema_2_doc_idx'::regclass);
SELECT session_explain('schema_2', 'n:1')->>'way' AS way;
-- A schema of the old name that has something of its own
CREATE SCHEMA public;
CREATE TYPE public.lucene_query AS (q text);
CREATE FUNCTION public.spring(jsonb, public.lucene_query) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fell into a trap'; END $$;
CREATE OPERATOR public.@@@ (LEFTARG = jsonb, RIGHTARG = public.lucene_query, FUNCTION = public.spring);
SELECT session_count('schema', 'n:1');
SET client_min_messages = error;
DROP SCHEMA public CASCADE;
RESET client_min_messages;
ALTER SCHEMA "not ""public" RENAME TO public;
RESET search_path;
SELECT session_count('schema', 'n:1');
-- The extension stays in its schema.
ALTER EXTENSION session_store SET SCHEMA pg_catalog;
SELECT session_drop('schema'), session_drop('schema_2');
