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
