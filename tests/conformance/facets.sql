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

-- The same through session_query. What it says of a mistake has another place in front.
CREATE FUNCTION pg_temp.ask_query(q text, facets jsonb, OUT by_query jsonb, OUT query_code text) LANGUAGE plpgsql AS $$
BEGIN
    by_query := session_query('conformance', q, rows => 0, "json" => jsonb_build_object('facet', facets)) -> 'facets';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS query_code = RETURNED_SQLSTATE;
END
$$;

CREATE TEMP TABLE faceted AS
SELECT line, query, facets, record #>> '{2,error}' AS solr_refused, record #>> '{2,message}' AS solr_message,
    CASE WHEN record #> '{2,error}' IS NULL THEN record -> 2 END AS solr, asked.*, by_query, query_code
FROM facet_answer, LATERAL (SELECT record ->> 0 AS query, record -> 1 AS facets) AS q, LATERAL pg_temp.ask_facets(query, facets) AS asked,
    LATERAL pg_temp.ask_query(query, facets) AS _;

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

-- What was asked for at a place: a statistic's text, or a facet's type and what of its answer; the facet that it belongs to; and where
-- facets around it are sorted by a statistic, that and the places of the buckets' figures.
CREATE FUNCTION pg_temp.asked_at(facets jsonb, place text[], OUT asked text, OUT facet jsonb, OUT orders text[], OUT figures text[])
LANGUAGE plpgsql AS $$
DECLARE
    at int := 1;
    of jsonb;
    type text;
    sort text;
BEGIN
    orders := '{}';
    figures := '{}';
    asked := '';
    WHILE at <= cardinality(place) LOOP
        of := facets -> place[at];
        IF of IS NULL OR jsonb_typeof(of) = 'string' OR of ? 'func' THEN
            asked := coalesce(of ->> 'func', of #>> '{}', place[at]);
            RETURN;
        ELSIF of ? 'type' THEN
            type := of ->> 'type';
        ELSE
            SELECT key, value INTO type, of FROM jsonb_each(of);
        END IF;
        facet := of;
        at := at + 1;
        IF type <> 'query' AND place[at] = 'buckets' THEN
            at := at + 2;
            sort := CASE jsonb_typeof(of -> 'sort') WHEN 'object' THEN (SELECT jsonb_object_keys(of -> 'sort')) ELSE split_part(of ->> 'sort', ' ', 1) END;
            IF of -> 'facet' ? sort THEN
                orders := orders || coalesce(of #>> ARRAY['facet', sort, 'func'], of #>> ARRAY['facet', sort]);
                figures := figures || array_to_string(place[:at - 1] || sort, E'\t');
            END IF;
        ELSIF type <> 'query' AND place[at] IN ('missing', 'allBuckets', 'before', 'after', 'between') THEN
            at := at + 1;
        END IF;
        asked := type || coalesce('.' || place[at], '');
        EXIT WHEN at > cardinality(place) OR NOT coalesce(of -> 'facet' ? place[at], false);
        facets := of -> 'facet';
    END LOOP;
END
$$;

-- Solr's figures are doubles.
CREATE FUNCTION pg_temp.is_near(a jsonb, b jsonb) RETURNS bool LANGUAGE sql AS $$
    SELECT CASE WHEN jsonb_typeof(a) = 'number' AND jsonb_typeof(b) = 'number'
        THEN abs(a::text::numeric - b::text::numeric) <= 1e-12 * greatest(abs(a::text::numeric), abs(b::text::numeric), 1) ELSE false END
$$;

CREATE TEMP TABLE facet_difference AS
SELECT line, place, s.value AS solr, o.value AS ours, a.*
FROM faceted AS f, LATERAL (
    SELECT place, s.value, o.value FROM pg_temp.places(f.solr) AS s (place, value) FULL JOIN pg_temp.places(f.ours) AS o (place, value) USING (place)
    WHERE s.value IS DISTINCT FROM o.value AND NOT coalesce(pg_temp.is_near(s.value, o.value), false)
) AS d (place, solr, ours), LATERAL (SELECT d.solr) AS s (value), LATERAL (SELECT d.ours) AS o (value), LATERAL pg_temp.asked_at(f.facets, d.place) AS a
WHERE f.solr IS DISTINCT FROM f.ours AND f.solr IS NOT NULL AND f.ours IS NOT NULL
UNION ALL
-- Whatever Solr refuses is refused here.
SELECT line, '{}', to_jsonb(coalesce(solr_refused || ': ' || solr_message, 'an answer')), to_jsonb(coalesce(code || ': ' || message, 'an answer')), '', NULL, '{}', '{}'
FROM faceted WHERE NOT coalesce(CASE WHEN solr IS NULL THEN code IN ('22023', '42601', '0A000') ELSE code IS NULL END, false);

-- ---- Deviations: the rules of DEVIATIONS.md ---------------------------------------------------------------------------

-- The greatest number at each path.
CREATE TEMP TABLE greatest_number AS
WITH RECURSIVE part (path, value) AS (
    SELECT NULL::text, doc FROM document
    UNION ALL
    SELECT inner_path, inner_value FROM part, LATERAL (
        SELECT concat_ws('.', part.path, key), value FROM jsonb_each(CASE jsonb_typeof(part.value) WHEN 'object' THEN part.value END) AS e (key, value)
        UNION ALL
        SELECT part.path, value FROM jsonb_array_elements(CASE jsonb_typeof(part.value) WHEN 'array' THEN part.value END) AS e (value)
    ) AS i (inner_path, inner_value))
SELECT path, max(abs(value::text::numeric)) AS number FROM part WHERE jsonb_typeof(value) = 'number' GROUP BY path;

-- Figures that a double does not have exactly: sums from 2^53 on, and sums of squares.
CREATE TEMP VIEW inexact_figure AS
SELECT path, function FROM greatest_number, unnest('{sum,avg,sumsq,variance,stddev}'::text[]) AS function
WHERE number * CASE WHEN function IN ('sum', 'avg') THEN 420 ELSE number * 420 END >= 9007199254740992;

CREATE TEMP TABLE facet_ruled AS
SELECT DISTINCT d.line, d.place, rule
FROM facet_difference AS d JOIN faceted AS f USING (line), LATERAL (
    SELECT regexp_matches(text, '^\s*(\w+)\(([^,)]*)', 'g') AS called FROM unnest(d.orders || d.asked) AS text
) AS c, LATERAL (
    SELECT 'figures as doubles' WHERE (called[2], called[1]) IN (SELECT path, function FROM inexact_figure)
        -- The small difference of two large numbers
        OR called[1] IN ('variance', 'stddev') AND jsonb_typeof(d.solr) = 'number' AND jsonb_typeof(d.ours) = 'number' AND (
            SELECT abs(power(d.solr::text::numeric, exponent) - power(d.ours::text::numeric, exponent)) <= 1e-13 * power(number, 2)
            FROM greatest_number, LATERAL (SELECT CASE called[1] WHEN 'stddev' THEN 2 ELSE 1 END) AS e (exponent) WHERE path = called[2])
    UNION ALL SELECT 'percentiles between values' WHERE called[1] = 'percentile'
) AS r (rule)
UNION
SELECT d.line, d.place, rule
FROM facet_difference AS d JOIN faceted AS f USING (line), LATERAL (
    SELECT 'order without a figure' WHERE EXISTS (SELECT FROM unnest(d.figures, d.orders) AS o (figure, function)
        WHERE function ~ '^(min|max)\(' AND f.solr #> string_to_array(figure, E'\t') IS NULL)
    UNION ALL SELECT 'fewer documents than mincount' WHERE (d.facet ->> 'mincount')::int > 1
        AND (d.asked = 'terms.numBuckets' AND d.solr = '0' OR f.solr #> (d.place[:array_position(d.place, 'allBuckets')] || '{count}'::text[]) = '0')
    UNION ALL SELECT 'malformed over nothing' WHERE f.solr IS NOT NULL AND code = '22023' AND NOT f.solr ? substring(f.message, '^facet\.([^.:]+)')
    -- Those of replay.sql
    UNION ALL SELECT 'other query parser' WHERE f.solr IS NOT NULL AND code = '0A000'
    UNION ALL SELECT 'bad date math' WHERE f.solr IS NOT NULL AND code = '42601' AND f.message LIKE '%is not valid date math%'
    UNION ALL SELECT 'bad date math as a term' WHERE solr_message LIKE 'Invalid Date Math%' AND code IS NULL AND query ~ '[{]!(term|terms|field|raw)\M'
    UNION ALL SELECT 'path named *' WHERE f.query || f.facets::text ~ '\\\*\s*:\s*\*'
    UNION ALL SELECT 'too complex for Solr' WHERE solr_message ~ '^(TooComplexToDeterminize|Determinizing automaton)'
    UNION ALL SELECT 'too complex here' WHERE code IN ('54000', '54001')
) AS r (rule);

-- ---- Figures ----------------------------------------------------------------------------------------------------------

\pset footer off
\pset tuples_only off
\pset format aligned
SELECT rule, count(DISTINCT line) AS requests, count(*) AS places FROM facet_ruled GROUP BY rule ORDER BY rule;
\pset tuples_only on
\pset format unaligned

CREATE TEMP VIEW facet_unexplained AS SELECT * FROM facet_difference WHERE (line, place) NOT IN (SELECT line, place FROM facet_ruled);
SELECT format(E'not identical: %s %s\n    %s: %s\n    Solr: %s\n    here: %s', to_json(query), facets, array_to_string(place, '.'), u.asked, u.solr, u.ours)
FROM facet_unexplained AS u JOIN faceted USING (line) ORDER BY line, place LIMIT 20;

SELECT format('%s facet requests, %s identical, %s with listed deviations, %s failures', count(*), count(*) FILTER (WHERE line NOT IN (SELECT line FROM facet_difference)),
    count(*) FILTER (WHERE line IN (SELECT line FROM facet_difference) AND line NOT IN (SELECT line FROM facet_unexplained)),
    count(*) FILTER (WHERE line IN (SELECT line FROM facet_unexplained)))
FROM faceted;

SELECT format(E'session_query answers otherwise: %s %s\n    session_facets: %s %s\n    session_query: %s %s', to_json(query), facets, ours, code, by_query, query_code)
FROM faceted WHERE (ours, code) IS DISTINCT FROM (by_query, query_code) ORDER BY line LIMIT 20;

DO $$ BEGIN
    IF EXISTS (SELECT FROM faceted WHERE (ours, code) IS DISTINCT FROM (by_query, query_code)) THEN
        RAISE EXCEPTION 'session_query answers otherwise than session_facets';
    END IF;
    IF EXISTS (SELECT FROM facet_unexplained) OR (SELECT count(*) FILTER (WHERE ours <> '{"count": 0}') FROM faceted) < 1000 THEN
        RAISE EXCEPTION 'facets differ from Solr''s';
    END IF;
END $$;
