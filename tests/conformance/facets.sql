-- Asks the store of replay.sql for the facets that Solr was asked for, and compares. Run by psql after replay.sql, in its session.
-- Differences that a rule of DEVIATIONS.md explains are counted; any other is shown, and an error at the end.
\pset tuples_only on
\pset format unaligned

CREATE TEMP TABLE facet_answer (line serial, record jsonb);
\copy facet_answer (record) FROM 'tests/conformance/facets.ndjson' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

-- ---- Answers ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.ask_facets(q text, facets jsonb, OUT ours jsonb, OUT code text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
    ours := session_facets('conformance', q, facets);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END
$$;

CREATE TEMP TABLE faceted AS
SELECT line, query, facets, record #>> '{2,error}' AS solr_refused, record #>> '{2,message}' AS solr_message,
    CASE WHEN record #> '{2,error}' IS NULL THEN record -> 2 END AS solr, asked.*
FROM facet_answer, LATERAL (SELECT record ->> 0 AS query, record -> 1 AS facets) AS q, LATERAL pg_temp.ask_facets(query, facets) AS asked;

-- ---- Differences ------------------------------------------------------------------------------------------------------

-- The places of an answer, and what is there.
CREATE FUNCTION pg_temp.places(answer jsonb) RETURNS TABLE (place text[], value jsonb) LANGUAGE sql AS $$
    WITH RECURSIVE part (place, value) AS (
        SELECT '{}'::text[], answer
        UNION ALL
        SELECT place || key, inner_value
        FROM part, LATERAL (
            SELECT key, value FROM jsonb_each(CASE jsonb_typeof(part.value) WHEN 'object' THEN part.value END)
            UNION ALL
            SELECT (number - 1)::text, value
            FROM jsonb_array_elements(CASE jsonb_typeof(part.value) WHEN 'array' THEN part.value END) WITH ORDINALITY AS e (value, number)
        ) AS i (key, inner_value))
    SELECT place, CASE WHEN jsonb_typeof(value) IN ('object', 'array') THEN to_jsonb(jsonb_typeof(value)) ELSE value END FROM part
$$;

-- What was asked for at a place: a statistic's text, or a facet's type and what of its answer.
CREATE FUNCTION pg_temp.asked_at(facets jsonb, place text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    at int := 1;
    facet jsonb;
    type text;
BEGIN
    WHILE at <= cardinality(place) LOOP
        facet := facets -> place[at];
        IF facet IS NULL THEN
            RETURN place[at];
        ELSIF jsonb_typeof(facet) = 'string' THEN
            RETURN facet #>> '{}';
        ELSIF facet ? 'func' THEN
            RETURN facet ->> 'func';
        ELSIF facet ? 'type' THEN
            type := facet ->> 'type';
        ELSE
            SELECT key, value INTO type, facet FROM jsonb_each(facet);
        END IF;
        at := at + 1;
        IF type <> 'query' AND place[at] = 'buckets' THEN
            at := at + 2;
        ELSIF type <> 'query' AND place[at] IN ('missing', 'allBuckets', 'before', 'after', 'between') THEN
            at := at + 1;
        END IF;
        IF at > cardinality(place) OR NOT coalesce(facet -> 'facet' ? place[at], false) THEN
            RETURN type || coalesce('.' || place[at], '');
        END IF;
        facets := facet -> 'facet';
    END LOOP;
    RETURN '';
END
$$;

CREATE TEMP TABLE difference AS
SELECT line, place, pg_temp.asked_at(facets, place) AS asked, s.value AS solr, o.value AS ours
FROM faceted AS f, LATERAL (
    SELECT place, s.value, o.value FROM pg_temp.places(f.solr) AS s (place, value) FULL JOIN pg_temp.places(f.ours) AS o (place, value) USING (place)
    WHERE s.value IS DISTINCT FROM o.value
) AS d (place, solr, ours), LATERAL (SELECT d.solr) AS s (value), LATERAL (SELECT d.ours) AS o (value)
WHERE f.solr IS DISTINCT FROM f.ours AND f.solr IS NOT NULL AND f.ours IS NOT NULL
UNION ALL
SELECT line, '{}', CASE WHEN solr IS NULL THEN 'refused' ELSE 'answered' END, to_jsonb(coalesce(solr_refused || ': ' || solr_message, solr::text)),
    to_jsonb(coalesce(code || ': ' || message, ours::text))
FROM faceted WHERE NOT coalesce(CASE WHEN solr IS NULL THEN code IN ('22023', '42601', '0A000') ELSE code IS NULL END, false);
