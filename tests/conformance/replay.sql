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

CREATE TEMP TABLE leaf AS
WITH RECURSIVE node (path, value) AS (
    SELECT NULL, doc FROM document
    UNION ALL
    SELECT inner_path, inner_value FROM node, LATERAL (
        SELECT concat_ws('.', path, key), member
        FROM jsonb_each(CASE jsonb_typeof(value) WHEN 'object' THEN value ELSE '{}' END) AS o (key, member)
        UNION ALL
        SELECT path, item FROM jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE '[]' END) AS item
    ) AS i (inner_path, inner_value)
)
SELECT path, jsonb_typeof(value) AS type, value #>> '{}' AS value FROM node
WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean');

-- Whether a double is not exactly the number.
CREATE FUNCTION pg_temp.is_rounded(number text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    RETURN number::numeric <> number::float8::text::numeric;
EXCEPTION WHEN numeric_value_out_of_range THEN
    RETURN true;
END
$$;

-- The recorder makes a path's field one of doubles where a number of it is not a long.
CREATE TEMP TABLE path AS
SELECT path, array_agg(DISTINCT type) AS types,
    bool_or(type = 'number' AND (value::numeric <> trunc(value::numeric) OR value::numeric NOT BETWEEN -9223372036854775808 AND 9223372036854775807)) AS is_double,
    bool_or(type = 'number' AND pg_temp.is_rounded(value)) AS has_rounded,
    bool_or(value ~ '^\d{4}-\d\d-\d\dT[\d:.]+Z$') AS has_instants, bool_or(value ~ '^\d{4}-.*T.*[.]\d+Z$') AS has_fractions
FROM leaf GROUP BY path;

-- What is asked of which path, read from the canonical form, in which everything special is escaped.
CREATE TEMP TABLE test AS
SELECT line, regexp_replace(part[1], '\\(.)', '\1', 'g') AS path, part[2] AS form
FROM asked, LATERAL regexp_matches(canonical, '((?:\\.|[^]\s\\:"+()^~[{}/*?-])+):'
    '("(?:\\.|[^"\\])*"|/(?:\\/|[^/])+/|[[{](?:"[^"]*"|[^]"}])+[]}]|(?:\\.|[^\s()])+)', 'g') AS part;
CREATE INDEX ON test (line);

-- Which rules a query falls under.
CREATE TEMP TABLE ruled AS
SELECT line, rule
FROM compared AS c, LATERAL (
    SELECT 'no default field' WHERE code IS NULL AND (solr_refused = 'field' OR solr_hits IS NOT NULL AND query ~ '(^|[^\\\w?]|[~^][0-9.]*)\*\s*:\s*(?!\*(\s|\)|\^|~|"|$))')
    UNION ALL SELECT 'path named *' WHERE query ~ '\\\*\s*:\s*\*'
    UNION ALL SELECT 'value of another type' WHERE solr_refused = 'type' AND code IS NULL
    UNION ALL SELECT 'other query parser' WHERE solr_hits IS NOT NULL AND code = '0A000'
    UNION ALL SELECT 'too complex for Solr' WHERE solr_message LIKE 'TooComplexToDeterminize%'
    UNION ALL SELECT 'too complex here' WHERE code IN ('54000', '54001')
    UNION ALL SELECT DISTINCT r.rule
    FROM test AS t JOIN path AS p USING (path), LATERAL (VALUES
        ('boolean', types = '{boolean}' AND form !~ '^(true|false|\*|[[{](true|false|\*) TO (true|false|\*)[]}])(\^=?[0-9.]+)?$'),
        ('several types', cardinality(types) > 1),
        ('number as Java reads it', 'number' = ANY (types) AND form ~ '[^\x01-\x7f]|[0-9.][dDfF]\M|NaN|Infinity|0[xX]|"\s|\s"'),
        ('exact number', is_double AND (has_rounded OR EXISTS (SELECT
            FROM regexp_matches(form, '-?[0-9]+(?:[.][0-9]+)?(?:[eE][-+]?[0-9]{1,4})?', 'g') AS n WHERE pg_temp.is_rounded(n[1])))),
        ('date', has_instants AND (form ~ 'NOW|T[\d:]+([.]\d+Z|Z[-+/])' OR has_fractions AND form ~ 'T[\d:]+Z')),
        ('expansions of fuzzy terms', form ~ '~[12](\^=?[0-9.]+)?$' AND 50 < (SELECT count(DISTINCT value) FROM leaf AS l
            WHERE l.path = t.path AND length(value) BETWEEN length(form) / 2 - 3 AND length(form)))
    ) AS r (rule, applies) WHERE t.line = c.line AND solr_hits IS NOT NULL AND applies
    UNION ALL SELECT 'exists below' FROM test AS t WHERE t.line = c.line AND form LIKE '*%'
        AND EXISTS (SELECT FROM path WHERE starts_with(path.path, t.path || '.'))
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
