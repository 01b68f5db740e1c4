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
-- Clauses that exclude each other, and prohibited ones.
SELECT session_why('why', 'event.type:click AND event.type:view')->'excluding';
SELECT session_why('why', 'pages:3 -user.name:*')->'excluding';
SELECT jsonb_pretty(session_why('why', '+event.type:click +(pages:1 pages:2) -user.tags:gone'));
SELECT jsonb_pretty(session_why('why', 'event.type:clik AND pages:>3'));
-- One session.
SELECT jsonb_pretty(session_why('why', 'event.type:view AND pages:[5 TO 9] AND user.tags:vip -user.city:*rich', id => '6')->'session');
SELECT session_why('why', 'event.type:click', id => '3')->'session', session_why('why', 'event.type:click', id => 'gone')->'session';
-- Every finding is true: of random near misses of values that exist, each query to try meets as many documents as it says, and one of them has the value.
SELECT count(*) AS misses, count(*) FILTER (WHERE NOT found) AS silent, count(*) FILTER (WHERE NOT is_true) AS untrue
FROM (SELECT q, bool_or((found->>'try')::lucene_query = meant) AS found, bool_and(session_count('why', found->>'try') = (found->>'count')::bigint) AS is_true
    FROM (SELECT format('user.name:"%s"', CASE i % 4 WHEN 0 THEN upper(name) WHEN 1 THEN lower(name) WHEN 2 THEN replace(name, ' ', '   ') ELSE ' ' || name END) AS q,
            format('user.name:"%s"', name)::lucene_query AS meant
        FROM (SELECT i, 'Zoë ' || i AS name FROM generate_series(1, 600, 29) AS i) AS _) AS missed,
    LATERAL jsonb_array_elements(session_why('why', q)->'near') AS found
    GROUP BY q) AS _;
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
SELECT session_why('nowhere', 'a:b');
SELECT session_why('why', 'a:[');
SELECT session_why('why', NULL);
DROP FUNCTION tries(text);
SELECT session_drop('why');
