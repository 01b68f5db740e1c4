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
-- Which of several values: as the direction has it, or as chosen; from the index, by look-up, and through the planner.
SELECT session_update('sort', '[{"upsert": [{"id": "x1", "m": [5, 1]}, {"id": "x2", "m": [4, 2]}, {"id": "x3", "m": 3}, {"id": "x4", "m": [], "s": 1}]}]');
CREATE FUNCTION pg_temp.several(sort text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(item->>'id', ' ' ORDER BY n) FROM jsonb_array_elements(session_query('sort', 'm:* s:*', sort => sort)->'items') WITH ORDINALITY AS _(item, n)
$$;
CREATE FUNCTION pg_temp.streamed(sort text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(doc->>'id', ' ' ORDER BY n) FROM session_stream('sort', 'm:* s:*', sort => sort) WITH ORDINALITY AS _(doc, n)
$$;
SELECT sort, pg_temp.several(sort) AS items, pg_temp.streamed(sort) = pg_temp.several(sort) AS streamed
FROM unnest(ARRAY['m', 'm desc', 'field(m,min)', 'field(m,max)', 'field(m,min) desc', 'field(m, max) desc', 's, field(m,max)']) AS sort;
SELECT item->>'id' FROM jsonb_array_elements(session_query('sort', '*:*', sort => 'field(m,max)', rows => 3)->'items') AS item;
SELECT session_explain('sort', 'm:*', sort => 'field(m,max), field("v",max) desc, m desc')->'sort';
DROP INDEX sessions.sort_doc_idx;
SELECT sort, pg_temp.several(sort) AS items, pg_temp.streamed(sort) = pg_temp.several(sort) AS streamed
FROM unnest(ARRAY['m', 'm desc', 'field(m,min)', 'field(m,max)', 'field(m,min) desc', 'field(m, max) desc', 's, field(m,max)']) AS sort;
-- No document has the path: by the planner, and by the index. Under a policy, of those that may be seen.
SELECT pg_temp.several('-m') = pg_temp.several(NULL);
SELECT doc->>'id' FROM session_stream('sort', 's:1', sort => 'm:desc, s') AS doc;
CREATE INDEX ON sessions.sort USING gin (doc jsonb_lucene_ops);
SELECT pg_temp.several('-m') = pg_temp.several(NULL);
SELECT doc->>'id' FROM session_stream('sort', 's:1', sort => 'm:desc, s') AS doc;
SELECT doc->>'id' FROM session_stream('sort', 's:1', sort => 's, p, p.q') AS doc;
SELECT session_query('sort', 's:2', sort => 'nowhere'), session_query('sort', 's:1', sort => 'nowhere', rows => 0);
CREATE ROLE sorter;
GRANT USAGE ON SCHEMA sessions TO sorter;
GRANT SELECT ON sessions.sort TO sorter;
ALTER TABLE sessions.sort ENABLE ROW LEVEL SECURITY;
CREATE POLICY with_s ON sessions.sort USING (doc ? 's');
SET ROLE sorter;
SELECT count(*) FROM session_stream('sort', '*:*', sort => 's');
SELECT count(*) FROM session_stream('sort', '*:*', sort => 'w');
RESET ROLE;
REVOKE ALL ON sessions.sort FROM sorter;
REVOKE ALL ON SCHEMA sessions FROM sorter;
DROP ROLE sorter;
-- What Solr gives another meaning
\set VERBOSITY default
SELECT session_query('sort', '*:*', sort => 'sub(0,v) asc');
SELECT session_query('sort', '*:*', sort => 'v, _docid_ desc');
SELECT session_stream('sort', '*:*', sort => 'field(v,median) asc');
SELECT session_stream('sort', '*:*', sort => '1');
SELECT session_drop('sort');
