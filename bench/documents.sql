-- The documents of the benchmark: web sessions, about 690 bytes each. documents(a, b, n) are those numbered a to b - 1 of a
-- collection of n. The same in every run: what looks like chance is a hash of the document's number, so that the matches of
-- a query lie scattered over the table as they would in real life, not every sixth row.

CREATE FUNCTION pick(i bigint, salt bigint, n bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN (hashint8extended(i, salt) & 4611686018427387903) % n;

-- A number of its own for each: multiples of a number modulo a prime.
CREATE FUNCTION number(i bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN 1000000000 + i * 1020379 % 899999963;

CREATE FUNCTION documents(a bigint, b bigint, n bigint) RETURNS TABLE (id text, doc jsonb) STABLE PARALLEL SAFE LANGUAGE sql
BEGIN ATOMIC
    SELECT number(i)::text, jsonb_build_object(
        'ip', ip,
        'session', jsonb_build_object('id', number(i), 'start', start, 'pages', pick(i, 1, 40)),
        'user', CASE WHEN pick(i, 2, 2) = 0
            THEN jsonb_build_object('id', number(who), 'name', 'User ' || who, 'verified', pick(who, 3, 3) = 0)
            ELSE jsonb_build_object('id', number(who), 'name', 'User ' || who, 'verified', pick(who, 3, 3) = 0,
                'tags', jsonb_build_array('tag' || pick(i, 4, 50), 'group' || pick(i, 5, 20))) END,
        'event', jsonb_build_object(
            'id', number(i + n),
            'time', start + pick(i, 6, 1800000),
            'type', ('{heartbeat,pageview,click,search,purchase,error}'::text[])[1 + pick(i, 7, 6)],
            'data', jsonb_build_object(
                'a', pick(i, 8, 5),
                'b', pick(i, 9, 1000),
                'foo', 'foo' || pick(i, 10, 10000),
                -- one value a document: multiples of a number modulo a prime
                'amount', round((i * 6700417 % 15485863) / 100.0, 2))),
        '_m1', jsonb_build_object(
            'ip', ip,
            'receivedUTC', start + pick(i, 11, 5000),
            'geo', jsonb_build_object(
                'country', 'country' || pick(i, 12, 5),
                'city', 'city' || pick(i, 13, 5000),
                'location', jsonb_build_object('lat', round(pick(i, 14, 180000) / 1000.0 - 90, 3),
                    'lon', round(pick(i, 15, 360000) / 1000.0 - 180, 3)))))
    FROM generate_series(a, b - 1) AS i,
        -- 18 sessions of each visitor, whatever n is
        LATERAL (SELECT 1612137600000 + i * 1009 AS start, i % greatest(n / 18, 1) AS who,
            concat_ws('.', 11 + pick(i, 16, 50), pick(i, 17, 256), pick(i, 18, 256), 1 + pick(i, 19, 254)) AS ip) AS _;
END;
