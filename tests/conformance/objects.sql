-- Asks a store which documents have one object that meets several clauses, as Solr was asked by block joins over nested documents, and
-- compares. Run by psql from the repository's root, behind replay.sql. No difference has a rule.
CREATE TEMP TABLE object_line (line serial, record jsonb);
\copy object_line (record) FROM 'tests/conformance/objects.ndjson' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
SELECT session_add('objects', key => 'id') \g /dev/null
SELECT session_update('objects', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(record))))
FROM object_line WHERE jsonb_typeof(record) = 'object' \g /dev/null

CREATE TEMP TABLE object_asked AS
SELECT line, query, hits, found.*
FROM object_line, LATERAL (SELECT record ->> 0 AS query, pg_temp.numbers(record ->> 1) AS hits) AS q, LATERAL (
    SELECT canonical, (SELECT coalesce(range_agg(int4range((doc ->> 'id')::int, (doc ->> 'id')::int, '[]')), '{}') FROM session_stream('objects', query) AS doc) AS ours,
        (SELECT coalesce(range_agg(int4range((doc ->> 'id')::int, (doc ->> 'id')::int, '[]')), '{}') FROM session_stream('objects', canonical) AS doc) AS ours_again
    FROM (SELECT session_explain('objects', query) ->> 'query' OFFSET 0) AS _ (canonical)
) AS found
WHERE jsonb_typeof(record) = 'array';

SELECT format(E'not identical: %s\n    Solr: %s\n    here: %s\n    as    %s', to_json(query), hits, ours, canonical)
FROM object_asked WHERE hits <> ours OR hits <> ours_again ORDER BY line LIMIT 20;
SELECT format('%s queries about objects, %s identical, of which %s tell some documents from others', count(*), count(*) FILTER (WHERE hits = ours AND hits = ours_again),
    count(*) FILTER (WHERE hits = ours AND hits <> '{}' AND hits <> '{[0,240)}')) FROM object_asked;
DO $$ BEGIN
    IF EXISTS (SELECT FROM object_asked WHERE hits <> ours OR hits <> ours_again) OR (SELECT count(*) < 500 FROM object_asked) THEN
        RAISE EXCEPTION 'answers about objects differ from Solr''s';
    END IF;
END $$;
