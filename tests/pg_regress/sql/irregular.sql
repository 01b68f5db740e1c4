-- Keys with dots and arrays in arrays make no difference to a path, for the index and the matcher alike, though JSON path does not see into
-- them so.
SELECT session_add('irregular', key => 'id');
SELECT session_update('irregular', '[{"upsert": [
    {"id": 1, "a": {"b": 1}}, {"id": 2, "a.b": 1}, {"id": 3, "a": [[{"b": [[1]]}]]}, {"id": 4, "a": {"b": 2}}, {"id": 5, "a.b": 2},
    {"id": 6, "a": {"b.c": 1}}, {"id": 7, "a.b": {"c": 1}}, {"id": 8, "a": {"b": {"c": 1}}}, {"id": 9, "a.b": [2, [1]], "a": {"b": 3}}]}]');
CREATE FUNCTION pg_temp.ids(q text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(doc->>'id', ' ' ORDER BY doc->'id') FROM session_stream('irregular', q) AS doc
$$;
CREATE TABLE irregular_queries AS SELECT q FROM unnest(array['a.b:1', '-a.b:1', 'a.b:*', '-a.b:*', 'a.b.c:1', 'NOT a.b.c:1', 'a.b:[1 TO 2]', 'a.b:3 AND a.b:1', 'a.b:3 -a.b:1', '1', 'a.b:foo~', 'a\.b:1']) AS q;
SELECT q, pg_temp.ids(q), session_count('irregular', q) FROM irregular_queries;
-- The same by the matcher, which reads each document: without the index
CREATE TABLE by_index AS SELECT q, pg_temp.ids(q) AS ids FROM irregular_queries;
DROP INDEX sessions.irregular_doc_idx;
SELECT session_explain('irregular', 'a.b:1')->>'way' AS way, count(*) AS same FROM by_index WHERE ids IS NOT DISTINCT FROM pg_temp.ids(q);
-- JSON path finds fewer of them.
SELECT doc FROM sessions.irregular WHERE doc @@@ 'a.b:1' AND NOT doc @? session_jsonpath('a.b:1') ORDER BY id;
SELECT session_drop('irregular');
DROP TABLE irregular_queries, by_index;
