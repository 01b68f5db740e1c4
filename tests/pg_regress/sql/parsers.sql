-- The parsers of local parameters, and notices, of which a few of a kind are sent.
SELECT session_add('parsers', key => 'id');
SELECT session_update('parsers', '[{"upsert": [{"id": 1, "a": "x", "b": "y"}, {"id": 2, "a": "x"}, {"id": 3, "a": "Jean\u00a0Luc", "b": "y"}, {"id": 4, "a": "Jean"}]}]');
SELECT q, session_count('parsers', q), q::lucene_query FROM (VALUES
    ('{!field f=a}x'), ('{!raw f=a}x'), ('{!bool must=a:x must_not=b:y}'), ('{!bool should=a:x should=b:y}'), ('{!bool filter=a:x must=b:y}'),
    ('{!bool must=a:x filter=''{!term f=b tag=t}y'' excludeTags=t}'), ('{!bool must_not=a:x}'), ('{!boost b=log(id)}a:x'),
    ('{!term f=a v=Jean' || U&'\00a0' || 'Luc}'), ('{!terms f=a method=automaton}x,Jean')) AS v (q);
SELECT session_count('parsers', '{!terms f=a method=nosuch}x');
SELECT session_count('parsers', '{!bool must=''a:''}');
SELECT session_count('parsers', '{!dismax}x');
-- One walk for all patterns at a path.
SELECT session_count('parsers', 'a:*x OR a:J*n OR a:/.*uc/ OR b:*y');
SELECT session_count('parsers', repeat('id:>1 ', 10));
SELECT count(*) FROM sessions.parsers WHERE doc @@@ (repeat('id:>1 ', 10) || repeat('(-a:x) ', 5))::lucene_query;
SELECT session_drop('parsers');
-- Regular expressions in the syntax of Lucene 9. Between slashes Solr's meaning stays.
SELECT q, q::lucene_query AS canonical, array_agg(v) FILTER (WHERE jsonb_build_object('h', v) @@@ q::lucene_query) AS found
FROM unnest(ARRAY['{!regexp f=h}node-\d+', '{!regexp f=h flags=i}node-\d+', '{!regexp f=h}\w+\s\w+', '{!regexp f=h}[^\d]+', '{!regexp f=h}\D\S', '{!regexp f=h flags=i}[a-f]/é', '{!regexp f=h flags=i}"a"*', '{!regexp f=h}']) WITH ORDINALITY AS _(q, n),
    unnest(ARRAY['node-17', 'NODE-17', 'node-d', 'a b', 'ab', 'A/É', 'aAa', '']) AS v GROUP BY n, q ORDER BY n;
SET session_store.notices = off;
SELECT '{"h": "node-d"}'::jsonb @@@ 'h:/node-\d/' AS letter, '{"h": "node-1"}'::jsonb @@@ 'h:/node-\d/' AS digit, '{"h": "x", "g": "i"}'::jsonb @@@ 'h:/y/i' AS word;
RESET session_store.notices;
SELECT '{!regexp f=h}\b'::lucene_query;
SELECT '{!regexp f=h}[\D]'::lucene_query;
SELECT '{!regexp f=h flags=m}a'::lucene_query;
-- Within a value of a query, places are counted as they are in a query.
SELECT '{!regexp f=h}x('::lucene_query;
SELECT 'a:b:c'::lucene_query;
SELECT '_query_:"a:b:c"'::lucene_query;
SELECT '{!bool must="a:b:c"}'::lucene_query;
SELECT '_query_:"("'::lucene_query;
