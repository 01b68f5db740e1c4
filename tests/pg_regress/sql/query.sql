-- What queries match. SPEC: Solr's boolean rules, values typed by the leaf, arrays transparent.
SELECT session_add('query', key => 'id');
SELECT session_update('query', '[{"upsert": [
    {"id": 1, "a": 5,       "b": "x", "tags": ["red", "green"], "n": [1, 9]},
    {"id": 2, "a": 5.0,     "b": "y", "tags": ["red"],          "n": [3]},
    {"id": 3, "a": "5",     "b": "x", "tags": [],               "n": [4, 5]},
    {"id": 4, "a": "five",  "b": "X", "sub": [{"k": 1, "v": "p"}, {"k": 2, "v": "q"}]},
    {"id": 5, "a": null,    "b": true, "text": "roam the \"wide\" world"},
    {"id": 6, "when": "2021-02-23T19:18:04Z", "empty": {}, "text": "foam"}]}]');

-- The identities of the matches
CREATE FUNCTION pg_temp.ids(q text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(doc->>'id', ' ' ORDER BY (doc->>'id')::int), '-') FROM session_stream('query', q) AS doc
$$;
\pset format unaligned
\pset tuples_only on
SELECT q, pg_temp.ids(q), session_count('query', q) FROM (VALUES
    (1, 'a:5'), (2, 'a:"5"'), (3, 'a:5e0'), (4, 'b:x'), (5, 'b:true'), (6, 'tags:red AND tags:green'),
    (7, 'b:x AND tags:red OR n:4'), (8, '-b:x'), (9, '*:* -tags:*'), (10, 'a:*'), (11, 'empty:*'), (12, 'n:[2 TO 8]'),
    (13, 'n:[5 TO *]'), (14, 'n:{3 TO 5}'), (15, 'n:>4'), (16, 'n:<=3'), (17, 'text:?oam'), (18, 'text:roam*'),
    (19, 'text:/[rf]oam.*/'), (20, 'text:roam~1'), (21, 'when:[2021-02-23T00:00:00Z TO 2021-02-24T00:00:00Z]'), (22, 'five'),
    (23, 'sub.k:1 AND sub.v:q'), (24, '*:*'), (25, '*'), (26, '+b:x -a:5'), (27, 'b:(x y)'), (28, 'text:"roam the \"wide\" world"'),
    (29, 'sub:*'), (30, 'a:5 AND NOT (n:1 OR n:3)'), (31, 'nowhere:x'), (32, 'tags:red^2 /* twice */'), (33, '{!term f=b}x'),
    (34, 'when:[NOW-1000YEARS TO NOW]')
) AS _(n, q) ORDER BY n;
\pset tuples_only off
\pset format aligned

-- A group that only prohibits matches nothing, and says so; at the top it matches everything else.
SELECT session_count('query', 'b:x AND (-a:5)');
SELECT session_count('query', '-a:5');

-- Numbers come back with every digit they came with.
SELECT session_update('query', '[{"upsert": [{"id": 7, "n": [1.10, 12345678901234567890.123456789, 1e-30]}]}]');
SELECT session_query('query', 'id:7');
SELECT session_drop('query');
