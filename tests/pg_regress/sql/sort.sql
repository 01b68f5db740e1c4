-- Numbers before strings before booleans, missing last; several values sort by the smallest or the largest.
SELECT session_add('sort', key => 'id');
SELECT session_update('sort', '[{"upsert": [
    {"id": "01", "v": 10}, {"id": "02", "v": 9.5}, {"id": "03", "v": -1}, {"id": "04", "v": "a"}, {"id": "05", "v": "B"},
    {"id": "06", "v": true}, {"id": "07", "v": false}, {"id": "08", "v": null}, {"id": "09"}, {"id": "10", "v": [3, 20]},
    {"id": "11", "v": 9007199254740993}, {"id": "12", "v": 9007199254740992}, {"id": "13", "v": "é"}, {"id": "14", "v": "10"},
    {"id": "15", "v": 10.0, "w": 2}, {"id": "16", "v": 10, "w": 1}, {"id": "17", "v": []}]}]');
CREATE FUNCTION pg_temp.ids(sort text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(coalesce(item->>'v', '-') || '/' || (item->>'id'), '  ' ORDER BY n)
    FROM jsonb_array_elements(session_query('sort', '*:*', sort => sort, rows => 100)->'items') WITH ORDINALITY AS _(item, n)
$$;
SELECT pg_temp.ids('v');
SELECT pg_temp.ids('v asc');
SELECT pg_temp.ids('v desc');
-- Ties: by the next path, then in the store's own order.
SELECT pg_temp.ids('v desc, w desc');
SELECT pg_temp.ids('nowhere desc, w asc');
-- None: the store's own order.
SELECT pg_temp.ids(NULL) = pg_temp.ids(' '), pg_temp.ids(NULL) = pg_temp.ids('nowhere');
-- A path through arrays and dotted keys.
SELECT session_update('sort', '[{"upsert": [{"id": "a", "p": [{"q": 2}]}, {"id": "b", "p.q": 1}, {"id": "c", "p": {"q": [[3]]}}]}]');
SELECT item->>'id' FROM jsonb_array_elements(session_query('sort', 'p.q:*', sort => 'p.q')->'items') AS item;
SELECT doc->>'id' FROM session_stream('sort', 'p.q:*', sort => 'p.q desc') AS doc;
SELECT session_drop('sort');
