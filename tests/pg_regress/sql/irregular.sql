-- Documents that JSON path does not see into as the query language does: keys with dots, arrays in arrays.
SELECT session_store.shape(doc) , doc FROM (VALUES ('{"a": {"b": [1, {"c": 2}]}}'::jsonb), ('{"a.b": 1}'), ('{"x": [{"y": {".": null}}]}'), ('{"a": [[1]]}'), ('{"a": [1, {"b": [{"c": [[]]}]}]}'), ('{}')) AS _(doc);
SELECT session_add('irregular', key => 'id');
SELECT session_update('irregular', '[{"upsert": [
    {"id": 1, "a": {"b": 1}}, {"id": 2, "a.b": 1}, {"id": 3, "a": [[{"b": [[1]]}]]}, {"id": 4, "a": {"b": 2}}, {"id": 5, "a.b": 2},
    {"id": 6, "a": {"b.c": 1}}, {"id": 7, "a.b": {"c": 1}}, {"id": 8, "a": {"b": {"c": 1}}}, {"id": 9, "a.b": [2, [1]], "a": {"b": 3}}]}]');
CREATE FUNCTION pg_temp.ids(q text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(doc->>'id', ' ' ORDER BY doc->'id') FROM session_stream('irregular', q) AS doc
$$;
SELECT q, pg_temp.ids(q), session_count('irregular', q)
FROM unnest(array['a.b:1', '-a.b:1', 'a.b:*', '-a.b:*', 'a.b.c:1', 'NOT a.b.c:1', 'a.b:[1 TO 2]', 'a.b:3 AND a.b:1', 'a.b:3 -a.b:1', '1', 'a.b:foo~', 'a\.b:1']) AS q;
-- Answered from the index of irregular documents
SELECT count(*) FROM jsonb_array_elements_text(session_explain('irregular', 'a.b:1')->'plan') AS line WHERE line ~ 'Bitmap Index Scan on irregular_id_idx';
SELECT session_drop('irregular');
