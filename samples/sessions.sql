-- A store of 2,400 web sessions, as varied as real ones: keys that only some have, arrays of objects,
-- nulls, numeric and textual ids, decimals, names in many scripts, event types with data of their own.
-- The same documents in every run: what looks like chance is a hash of the session's number.

SET client_min_messages = warning;

-- pick(i, salt, n): the "random" number of session i for one purpose, 0 to n - 1
CREATE FUNCTION pg_temp.pick(i int, salt text, n int) RETURNS int IMMUTABLE LANGUAGE sql
    AS $$ SELECT (('x' || left(md5(salt || i), 8))::bit(32)::bigint % n)::int $$;

-- one_of(i, salt, list)
CREATE FUNCTION pg_temp.one_of(i int, salt text, list text[]) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT list[1 + pg_temp.pick(i, salt, cardinality(list))] $$;

-- A key that only some have: nothing at all, rather than a null
CREATE FUNCTION pg_temp.only(condition bool, part jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql
    AS $$ SELECT CASE WHEN condition THEN part ELSE '{}' END $$;

CREATE FUNCTION pg_temp.instant(ms bigint) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT to_char(timestamp 'epoch' + ms * interval '1 ms', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

CREATE FUNCTION pg_temp.uuid(i int, salt text) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT md5(salt || i)::uuid::text $$;

CREATE TEMPORARY TABLE place (country text, city text, lat numeric, lon numeric, n int GENERATED ALWAYS AS IDENTITY);
INSERT INTO place (country, city, lat, lon) VALUES
    ('US', 'New York', 40.7128, -74.0060), ('US', 'Boulder', 40.0150, -105.2705), ('US', 'San José', 37.3382, -121.8863),
    ('DE', 'Köln', 50.9375, 6.9603), ('CH', 'Zürich', 47.3769, 8.5417), ('FR', 'Besançon', 47.2378, 6.0241),
    ('BR', 'São Paulo', -23.5505, -46.6333), ('JP', '東京', 35.6762, 139.6503), ('IN', 'मुंबई', 19.0760, 72.8777),
    ('GR', 'Αθήνα', 37.9838, 23.7275), ('IS', 'Reykjavík', 64.1466, -21.9426), ('AU', 'Sydney', -33.8688, 151.2093);

CREATE FUNCTION pg_temp.session(i int) RETURNS jsonb STABLE LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'ip', ip,
        'session', jsonb_build_object(
            -- every 40th comes from an older system, which counted its sessions
            'id', CASE WHEN i % 40 = 2 THEN to_jsonb(2000 + i) ELSE to_jsonb(pg_temp.uuid(i, 'session')) END,
            'start', start,
            'pages', pages)
            || pg_temp.only(i % 4 = 0, jsonb_build_object('visited', (
                SELECT jsonb_agg(jsonb_build_object('path', pg_temp.one_of(i, 'path' || page, '{/,/pricing,/docs/query,/docs/update,/blog,/kontakt}'),
                                                    'seconds', 1 + pg_temp.pick(i, 'seconds' || page, 300)))
                FROM generate_series(1, pages) AS page))),
        'event', jsonb_build_object(
            'id', pg_temp.uuid(i, 'event'),
            'time', pg_temp.instant(start + pg_temp.pick(i, 'event time', 1800000)),
            'type', type,
            'data', CASE type
                WHEN 'heartbeat' THEN jsonb_build_object('a', i % 10, 'b', pg_temp.pick(i, 'b', 100), 'foo', foo)
                WHEN 'pageview' THEN jsonb_build_object('a', i % 10, 'foo', foo, 'referrer', CASE WHEN i % 3 > 0 THEN 'https://example.org/?q=' || foo END)
                WHEN 'click' THEN jsonb_build_object('a', i % 10, 'b', foo || '-button', 'position', jsonb_build_array(pg_temp.pick(i, 'x', 1920), pg_temp.pick(i, 'y', 1080)))
                WHEN 'search' THEN jsonb_build_object('foo', foo || ' ' || pg_temp.one_of(i, 'second word', '{shoes,lamp,über}'), 'b', i % 7 > 0, 'hits', pg_temp.pick(i, 'hits', 500))
                WHEN 'purchase' THEN jsonb_build_object('a', 1 + i % 3, 'amount', amount, 'currency', pg_temp.one_of(i, 'currency', '{USD,EUR,JPY}'),
                    'items', jsonb_build_array(jsonb_build_object('sku', foo || '-' || i % 50, 'quantity', 1 + i % 3, 'price', round(amount / (1 + i % 3), 2)),
                                               jsonb_build_object('sku', 'gift', 'quantity', 1, 'price', 0)))
                WHEN 'refund' THEN jsonb_build_object('amount', -amount, 'b', null)
                ELSE jsonb_build_object('b', 'E' || 400 + i % 110, 'message', 'could not load "' || foo || '" \ retry: ' || i % 4)
            END),
        '_m1', jsonb_build_object('ip', ip, 'receivedUTC', start + pg_temp.pick(i, 'delay', 5000))
            || pg_temp.only(i % 13 > 0, jsonb_build_object('geo', jsonb_build_object('country', country, 'city', city)
                || pg_temp.only(i % 5 > 0, jsonb_build_object('location', jsonb_build_object('lat', lat, 'lon', lon))))))
        -- every ninth visitor is not known
        || pg_temp.only(i % 9 > 0, jsonb_build_object('user', jsonb_build_object(
                'id', pg_temp.uuid(who, 'user'),
                'name', pg_temp.one_of(who, 'name', '{Ana,Zoë,Jürgen,Łukasz,Σοφία,山田太郎,محمد,O''Brien,"Ann Lee",Dvořák}') || ' ' || who,
                'verified', CASE who % 4 WHEN 0 THEN to_jsonb(false) WHEN 1 THEN 'null' ELSE to_jsonb(true) END)
            || pg_temp.only(who % 3 > 0, jsonb_build_object('tags', (
                SELECT jsonb_agg(DISTINCT pg_temp.one_of(who, 'tag' || tag, '{beta,paid,trial,vip,"früh dabei",bot?}'))
                FROM generate_series(1, 1 + who % 4) AS tag)))))
    FROM (SELECT
            -- 20 minutes and a second apart: a good month from the first of February 2021
            1612137600000 + i * 1201000::bigint + pg_temp.pick(i, 'ms', 1000) AS start,
            1 + pg_temp.pick(i, 'pages', 12) AS pages,
            1 + pg_temp.pick(i, 'user', 700) AS who,
            pg_temp.one_of(i, 'type', '{heartbeat,heartbeat,pageview,pageview,click,search,purchase,refund,error}') AS type,
            pg_temp.one_of(i, 'foo', '{alpha,beta,café,delta,naïve,omega,roam,foam,test,text,日本}') AS foo,
            round(1 + pg_temp.pick(i, 'amount', 50000) / 100.0, 2) AS amount,
            -- two more sessions of the visitor whose document is written out below
            CASE WHEN i IN (700, 1400) THEN '64.150.5.135' ELSE
                concat_ws('.', 11 + pg_temp.pick(i, 'ip1', 50), pg_temp.pick(i, 'ip2', 256), pg_temp.pick(i, 'ip3', 256), 1 + pg_temp.pick(i, 'ip4', 254))
            END AS ip
        ) AS session
    JOIN place ON n = 1 + pg_temp.pick(i, 'place', 12)
$$;

SELECT session_add(store => 'stash', key => 'session.id', shards => 1, replicas => 1) \g /dev/null

-- The document from the HTTP API's own examples
SELECT session_update('stash', '[{"upsert": [{
    "ip": "64.150.5.135",
    "session": {"id": "14a1b3a4-6a27-4b6f-9f0c-0d1c5a3c8f2e", "start": 1612497996000},
    "user": {"id": "f7661f25-7c49-4f3b-9185-ec6566892878"},
    "event": {
        "id": "6e4b3d52-93d0-4c38-8d0b-7c2a1f5e9b14",
        "type": "heartbeat",
        "time": "2021-02-05T04:06:36.000Z",
        "data": {"a": 1, "b": 2, "foo": "epe"}
    },
    "_m1": {
        "ip": "64.150.5.135",
        "receivedUTC": 1612497996123,
        "geo": {"country": "US", "city": "New York", "location": {"lat": 40.7128, "lon": -74.0060}}
    }
}]}]') \g /dev/null

SELECT session_update('stash', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(pg_temp.session(i) ORDER BY i))))
FROM generate_series(1, 2399) AS i \g /dev/null
