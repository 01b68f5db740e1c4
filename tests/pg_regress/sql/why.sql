-- Which clause of a query meets nothing, and what is near it.
SELECT session_add('why', key => 'id');
INSERT INTO sessions.why SELECT i::text, jsonb_build_object('id', i, 'pages', i % 40 + 1,
    'event', jsonb_build_object('type', (ARRAY['click', 'Search', 'view'])[i % 3 + 1], 'at', to_char('2021-02-01'::timestamp + i * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    'user', jsonb_build_object('name', 'Zoë ' || i, 'city', (ARRAY['New  York', 'Zu' || U&'\0308' || 'rich'])[i % 2 + 1], 'tags', jsonb_build_array('vip', 'T' || i % 5)))
FROM generate_series(1, 600) AS i;
-- Only a deleted document had it.
INSERT INTO sessions.why VALUES ('gone', '{"id": "gone", "event": {"typo": "x"}, "secret": "clack"}');
DELETE FROM sessions.why WHERE id = 'gone';
CREATE FUNCTION tries(q text) RETURNS TABLE (why text, try text, count bigint) LANGUAGE sql AS $$
    SELECT near->>'why', near->>'try', (near->>'count')::bigint FROM jsonb_path_query(session_why('why', q), 'strict $.**.near[*]') AS near
$$;
-- The path: misspelt, without its beginning, in another case, of an object.
SELECT * FROM tries('evnt.type:click');
SELECT * FROM tries('type:click');
SELECT * FROM tries('Event.Type:click');
SELECT * FROM tries('event:click');
-- The value: case, white space, Unicode's forms, more around it, misspelt; at any path.
SELECT * FROM tries('event.type:Click');
SELECT * FROM tries('user.tags:VIP');
SELECT * FROM tries('user.city:"new york"');
SELECT * FROM tries(U&'user.city:Z\00fcrich');
SELECT * FROM tries('user.name:"Zoë"');
SELECT * FROM tries('user.name:zoë*');
SELECT * FROM tries('event.type:earc');
SELECT * FROM tries('event.type:clack');
SELECT * FROM tries('event.type:CL?CK');
SELECT * FROM tries('CLICK');
-- Numbers and instants out of their range, ends the wrong way round, other types.
SELECT * FROM tries('pages:[1000 TO *]');
SELECT * FROM tries('pages:[9 TO 5]');
SELECT * FROM tries('pages:ten');
SELECT * FROM tries('event.at:[2030-01-01T00:00:00Z TO *]');
SELECT * FROM tries('event.at:[1612137600000 TO 1612224000000]');
SELECT * FROM tries('event.at:1612141200');
SELECT * FROM tries('pages:3?');
SELECT * FROM tries('pages:4*');
SELECT * FROM tries('pages:/4./');
-- Clauses that exclude each other, and prohibited ones.
SELECT session_why('why', 'event.type:click AND event.type:view')->'excluding';
SELECT session_why('why', 'pages:3 -user.name:*')->'excluding';
SELECT jsonb_pretty(session_why('why', '+event.type:click +(pages:1 pages:2) -user.tags:gone'));
SELECT jsonb_pretty(session_why('why', 'event.type:clik AND pages:>3'));
-- One session.
SELECT jsonb_pretty(session_why('why', 'event.type:view AND pages:[5 TO 9] AND user.tags:vip -user.city:*rich', id => '6')->'session');
SELECT session_why('why', 'event.type:click', id => '3')->'session', session_why('why', 'event.type:click', id => 'gone')->'session';
SELECT jsonb_pretty(session_why('why', '+event.type:view pages:39 -user.city:*rich', id => '6')->'session'); -- the optional clause does not matter
SELECT session_why('why', 'pages:39 pages:38', id => '6')->'session', session_why('why', '*:* -(+pages:7 +user.tags:vip)', id => '6')->'session';
SELECT session_why('why', '*:*', id => '1.0')->'session', session_why('why', '*:*', id => 'NOW')->'session';
-- One and the same object.
INSERT INTO sessions.why VALUES ('cart', '{"id": "cart", "items": [{"sku": "gift", "n": 1}, {"sku": "book", "n": 2}], "mixed": [1, "one", true, "two"]}');
SELECT jsonb_pretty(session_why('why', 'items:{sku:gift AND n:2}', id => 'cart'));
SELECT * FROM tries('items:{sku:Gift}');
SELECT * FROM tries('items:{sko:gift AND n:2}');
-- Several types at one path.
SELECT * FROM tries('mixed:three');
SELECT * FROM tries('mixed:yes');
-- What only a deleted document had is nowhere near.
SELECT * FROM tries('secrets:clack');
SELECT * FROM tries('event.typo:x');
SELECT * FROM tries('clack');
-- Generated: near misses of values that exist. The value, or a value of the path, is named, and each query to try meets as many documents as it says.
CREATE TABLE missed AS SELECT kind, q, meant::lucene_query FROM generate_series(1, 600, 23) AS i,
    LATERAL (SELECT 'Zoë ' || i AS name, i % 40 + 1 AS page) AS known,
    LATERAL (VALUES
        ('upper', format('user.name:"%s"', upper(name)), format('user.name:"%s"', name)),
        ('lower', format('user.name:"%s"', lower(name)), format('user.name:"%s"', name)),
        ('space', format('user.name:" %s"', replace(name, ' ', '   ')), format('user.name:"%s"', name)),
        ('letter', format('user.name:"%s"', overlay(name PLACING '' FROM 1 + i % 3 FOR 1)), format('user.name:"%s"', name)),
        ('first', format('user.name:"%s"', substr(name, 2)), format('user.name:"%s"', name)),
        ('prefix', format('user.name:"%s"', left(name, 3)), 'user.name:Zoë*'),
        ('range', format('pages:%s', 1000 + page), 'pages:[1 TO 40]'),
        ('path', format('user.%s:"%s"', (ARRAY['nam', 'naem', 'names', 'Name'])[i % 4 + 1], name), format('user.name:"%s"', name)),
        ('end', format('name:"%s"', name), format('user.name:"%s"', name))
    ) AS miss (kind, q, meant) WHERE session_count('why', q) = 0;
SELECT kind, count(DISTINCT q) AS misses, count(DISTINCT q) FILTER (WHERE found IS NULL) AS silent, count(DISTINCT q) FILTER (WHERE (found->>'try')::lucene_query = meant) AS named,
    count(*) FILTER (WHERE session_count('why', found->>'try') <> (found->>'count')::bigint) AS untrue
FROM missed LEFT JOIN LATERAL jsonb_array_elements(session_why('why', q)->'near') AS found ON true GROUP BY kind ORDER BY kind;
-- The same without an index, which the answer tells.
CREATE TABLE with_index AS SELECT q, session_why('why', q) AS said FROM missed;
DROP INDEX sessions.why_doc_idx;
SELECT count(*), count(*) FILTER (WHERE said - 'way' <> now - '{way,reason}'::text[]) AS different, min(said->>'way'), min(now->>'way'), min(now->>'reason')
FROM (SELECT said, session_why('why', q) AS now FROM with_index WHERE q !~ '[67]') AS _;
DROP TABLE missed, with_index;
-- What a policy hides is not near either.
CREATE ROLE regress_why;
GRANT SELECT ON sessions.why TO regress_why;
ALTER TABLE sessions.why ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sessions.why USING (doc @@@ 'event.type:view');
SET ROLE regress_why;
SELECT * FROM tries('event.type:Click');
SELECT * FROM tries('event.type:VIEW');
SELECT * FROM tries('evnt.type:view');
RESET ROLE;
REVOKE SELECT ON sessions.why FROM regress_why;
SET ROLE regress_why;
SELECT session_why('why', 'a:b');
RESET ROLE;
DROP ROLE regress_why;
-- What stands in documents but cannot be written in a query is not to be tried: the empty text as the start of a range, what looks like date math, the empty key.
SELECT session_add('odd', key => 'id');
SELECT session_update('odd', '[{"upsert": [{"id": 1, "ref": "", "math": "NOW-1WEEK", "now": "now", "day": "2021-02-05T04:06:36Zx", "empty": ""},
    {"id": 2, "ref": "google", "math": "abc", "now": "zzz", "day": "2021-02-06", "empty": "", "": "empty key", "a": {"": 1}}, {"id": 3, "say": "NOW-1week"}]}]');
SELECT q, jsonb_path_query_array(session_why('odd', q), '$.**.try') AS tries FROM unnest(array['ref:bing', 'math:bing', 'now:bing', 'day:bing', 'empty:bing', 'zzz:x', 'a.zzz:x', 'bing', '{!term f=math}now-1week', '{!term f=say}NOW-1WEEK', '{!term f=now}NOW', 'now:NO*']) AS q;
SELECT session_drop('odd');
SELECT session_why('nowhere', 'a:b');
SELECT session_why('why', 'a:[');
SELECT session_why('why', NULL);
DROP FUNCTION tries(text);
SELECT session_drop('why');
