-- Asks a store what Solr was asked, and compares. Run by psql from the repository's root, in a database of its own. Differences
-- that a rule of DEVIATIONS.md explains are counted; any other is shown, and an error at the end.
\set VERBOSITY terse
SET client_min_messages = error;
CREATE EXTENSION session_store;

CREATE TEMP TABLE document (number serial, doc jsonb);
ALTER SEQUENCE document_number_seq MINVALUE 0 RESTART 0;
-- Neither character is in JSON text as it is.
\copy document (doc) FROM 'tests/conformance/documents.ndjson' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
CREATE TEMP TABLE answer (line serial, record jsonb);
\copy answer (record) FROM 'tests/conformance/answers.ndjson' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

SELECT session_add('conformance', key => '_number_') \g /dev/null
SELECT session_update('conformance', jsonb_build_array(jsonb_build_object('upsert',
    jsonb_agg(doc || jsonb_build_object('_number_', number))))) FROM document \g /dev/null

-- ---- Answers ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.numbers(intervals text) RETURNS int4multirange LANGUAGE sql AS $$
    SELECT coalesce(range_agg(int4range(split_part(i, '-', 1)::int, split_part(i, '-', -1)::int, '[]')), '{}')
    FROM regexp_split_to_table(nullif(intervals, ''), ' ') AS i
$$;

CREATE FUNCTION pg_temp.ask(q text, OUT hits int4multirange, OUT canonical text, OUT code text, OUT message text, OUT placed bool)
LANGUAGE plpgsql AS $$
DECLARE
    place text;
BEGIN
    canonical := session_explain('conformance', q) ->> 'query';
    SELECT coalesce(range_agg(int4range((doc ->> '_number_')::int, (doc ->> '_number_')::int, '[]')), '{}') INTO hits
    FROM session_stream('conformance', q) AS doc;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, place = PG_EXCEPTION_DETAIL;
    placed := place LIKE 'at byte %^';
END
$$;

CREATE TEMP TABLE asked AS
SELECT line, query, record #>> '{1,error}' AS solr_refused, record #>> '{1,message}' AS solr_message,
    CASE jsonb_typeof(record -> 1) WHEN 'string' THEN pg_temp.numbers(record ->> 1) END AS solr_hits, ours.*
FROM answer, LATERAL (SELECT record ->> 0 AS query) AS q, LATERAL pg_temp.ask(query) AS ours;

-- A syntax error is one here, with its place; whatever else Solr refuses is refused here.
CREATE TEMP VIEW compared AS
SELECT *, CASE
    WHEN solr_hits IS NOT NULL THEN hits IS NOT DISTINCT FROM solr_hits
    WHEN solr_refused = 'syntax' THEN code = '42601' AND placed
    ELSE code IN ('42601', '0A000')
END IS TRUE AS identical
FROM asked;

-- ---- Deviations: the rules of DEVIATIONS.md ---------------------------------------------------------------------------

-- Which rules a query falls under.
CREATE TEMP TABLE ruled AS
SELECT line, rule
FROM compared AS c, LATERAL (
    SELECT 'path named *' WHERE query ~ '\\\*\s*:\s*\*'
    UNION ALL SELECT 'other query parser' WHERE solr_hits IS NOT NULL AND code = '0A000'
    UNION ALL SELECT 'bad date math' WHERE solr_hits IS NOT NULL AND code = '42601' AND message LIKE '%is not valid date math%'
    UNION ALL SELECT 'bad date math as a term' WHERE solr_message LIKE 'Invalid Date Math%' AND code IS NULL AND query ~ '[{]!(term|terms|field|raw)\M'
    UNION ALL SELECT 'clauses of an object' WHERE solr_refused = 'syntax'
        AND (canonical ~ ':[{](?!("[^"]*"|[^] }]*) TO )' OR code = '0A000' AND message LIKE 'local parameters within the braces of an object %')
    UNION ALL SELECT 'too complex for Solr' WHERE solr_message ~ '^(TooComplexToDeterminize|Determinizing automaton)'
    UNION ALL SELECT 'too complex here' WHERE code IN ('54000', '54001')
) AS r (rule);

-- ---- Figures ----------------------------------------------------------------------------------------------------------

\pset footer off
\pset tuples_only off
\pset format aligned
SELECT rule, count(*) AS queries, count(*) FILTER (WHERE NOT identical) AS deviate
FROM ruled JOIN compared USING (line) GROUP BY rule ORDER BY rule;
\pset tuples_only on
\pset format unaligned

CREATE TEMP VIEW unexplained AS SELECT * FROM compared WHERE NOT identical AND line NOT IN (SELECT line FROM ruled);
SELECT format(E'not identical: %s\n    Solr: %s\n    here: %s\n    as    %s', to_json(query),
    coalesce(solr_hits::text, solr_refused || ': ' || solr_message), coalesce(hits::text, code || ': ' || message), canonical)
FROM unexplained ORDER BY line LIMIT 20;

SELECT format('%s queries, %s identical, %s listed deviations, %s failures (%s%% under no rule)', count(*),
    count(*) FILTER (WHERE identical), count(*) FILTER (WHERE NOT identical AND under_rule),
    count(*) FILTER (WHERE NOT identical AND NOT under_rule), round(100.0 * count(*) FILTER (WHERE NOT under_rule) / count(*), 1))
FROM (SELECT identical, line IN (SELECT line FROM ruled) AS under_rule FROM compared) AS c;

DO $$ BEGIN
    IF EXISTS (SELECT FROM unexplained) OR NOT EXISTS (SELECT FROM asked) THEN
        RAISE EXCEPTION 'answers differ from Solr''s';
    END IF;
END $$;
