-- What the part "live" changes. Change number c gives its document these values, whatever it had before: so the changes can be
-- written to a file beforehand, and every system makes the same ones. What looks like chance is a hash of c, as in documents.sql.

CREATE OR REPLACE FUNCTION changed(doc jsonb, c bigint) RETURNS jsonb IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN doc || jsonb_build_object(
        'session', doc->'session' || jsonb_build_object('pages', pick(c, 31, 40)),
        'user', CASE WHEN pick(c, 32, 2) = 0
            THEN (doc->'user') - 'tags'
            ELSE doc->'user' || jsonb_build_object('tags', jsonb_build_array('tag' || pick(c, 33, 50), 'group' || pick(c, 34, 20))) END,
        'event', doc->'event' || jsonb_build_object(
            'time', (doc->'session'->'start')::bigint + pick(c, 35, 1800000),
            'type', ('{heartbeat,pageview,click,search,purchase,error}'::text[])[1 + pick(c, 36, 6)],
            'data', doc->'event'->'data' || jsonb_build_object('amount', round(pick(c, 37, 15485863) / 100.0, 2))));

-- Which documents of a collection of n they change: the first ones each another document, the later ones any.
CREATE OR REPLACE FUNCTION changes(once bigint, later bigint, n bigint) RETURNS TABLE (c bigint, id text) STABLE LANGUAGE sql
BEGIN ATOMIC
    SELECT c, number(i)::text
    FROM (
        (SELECT row_number() OVER (ORDER BY pick(i, 38, 4611686018427387903), i) - 1 AS c, i
            FROM generate_series(0, n - 1) AS i ORDER BY 1 LIMIT once)
        UNION ALL
        SELECT c, pick(c, 39, n) FROM generate_series(once, once + later - 1) AS c
    ) AS chosen;
END;
