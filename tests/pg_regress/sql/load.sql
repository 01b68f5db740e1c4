-- Documents line by line, by COPY and by INSERT into session_store.load.
SELECT session_add('loaded', key => 'id');
INSERT INTO session_store.load VALUES ('{"id": 1}');
SET session_store.load_into = 'loaded';
-- Quotes, backslashes and what looks like COPY's own marks stay what they are.
COPY session_store.load FROM STDIN (FORMAT csv, DELIMITER e'\x01', QUOTE e'\x02');
{"id": 1, "say": "a \"quoted\" word, a \\ and a tab \t", "n": 1.0}
{"id": 2, "say": "\\N"}

[{"id": 3}, {"id": "4", "say": "two on a line"}]
{"id": 2, "say": "the last one stays"}
\.
SELECT id, doc FROM sessions.loaded ORDER BY id;
-- An error names its line, and nothing is stored.
COPY session_store.load FROM STDIN (FORMAT csv, DELIMITER e'\x01', QUOTE e'\x02');
{"id": 5}

{"no": 6}
\.
COPY session_store.load FROM STDIN (FORMAT csv, DELIMITER e'\x01', QUOTE e'\x02');
{"id": 5}
{"id": 6
\.
INSERT INTO session_store.load VALUES ('{"id": 5}'), ('[{"id": 6}, 7]');
INSERT INTO session_store.load VALUES ('8');
INSERT INTO session_store.load VALUES (NULL), ('  '), ('[]');
-- A byte order mark may begin a file, and no other line.
INSERT INTO session_store.load VALUES (e'\ufeff{"id": 1, "say": "first"}');
INSERT INTO session_store.load VALUES ('{"id": 5}'), (e'\ufeff{"id": 6}');
SELECT doc->>'say' AS say FROM sessions.loaded WHERE id = '1';
SELECT count(*) FROM sessions.loaded;
-- Nor does what a failed statement has read come back with the next.
DO $$
BEGIN
    BEGIN
        INSERT INTO session_store.load VALUES ('{"id": "lost"}'), ('{}');
    EXCEPTION WHEN invalid_parameter_value THEN
        RAISE NOTICE '%', SQLERRM;
    END;
    INSERT INTO session_store.load VALUES ('{"id": 9}');
END
$$;
SELECT id FROM sessions.loaded WHERE doc @@@ 'id:(lost 9)';
-- While a statement loads, a function that it calls may load, too, into another store, and may fail. A trigger of the store may.
SELECT session_add('inner', key => 'id');
CREATE FUNCTION pg_temp.loading(line text, also text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM set_config('session_store.load_into', 'inner', true);
        INSERT INTO session_store.load VALUES (also), ('{"id": "second"}');
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE '%', SQLERRM;
    END;
    PERFORM set_config('session_store.load_into', 'loaded', true);
    RETURN line;
END
$$;
INSERT INTO session_store.load
SELECT pg_temp.loading(format('{"id": "outer %s"}', i), (array['{"id": "inner 1"}', '{"broken', '{"id": "inner 3"}', '{"no": 1}'])[i]) FROM generate_series(1, 4) AS i;
SELECT id FROM sessions.loaded WHERE doc @@@ 'id:(outer* inner* second)' ORDER BY id;
SELECT id FROM sessions.inner ORDER BY id;
CREATE FUNCTION pg_temp.copied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('session_store.load_into', 'inner', true);
    INSERT INTO session_store.load VALUES (NEW.doc);
    PERFORM set_config('session_store.load_into', 'loaded', true);
    RETURN NEW;
END
$$;
CREATE TRIGGER copied BEFORE INSERT ON sessions.loaded FOR EACH ROW EXECUTE FUNCTION pg_temp.copied();
INSERT INTO session_store.load VALUES ('{"id": "copied 1"}'), ('{"id": "copied 2"}');
DROP TRIGGER copied ON sessions.loaded;
SELECT (SELECT count(*) FROM sessions.loaded WHERE doc @@@ 'id:copied*') AS loaded, (SELECT count(*) FROM sessions.inner WHERE doc @@@ 'id:copied*') AS inner;
-- Two loads in one statement are one.
WITH a AS (INSERT INTO session_store.load VALUES ('{"id": "with a"}')) INSERT INTO session_store.load VALUES ('{"id": "with b"}');
SELECT count(*) FROM sessions.loaded WHERE doc @@@ 'id:with*';
SELECT session_drop('inner');
SELECT session_update('loaded', '[{"delete": ["outer 1", "outer 2", "outer 3", "outer 4", "copied 1", "copied 2", "with a", "with b"]}]');
SET session_store.load_into = 'loaded';
-- From a query, with notices on the way; more than one batch.
SET session_store.progress_notice = 4000;
INSERT INTO session_store.load SELECT jsonb_build_object('id', i % 9000, 'round', i / 9000) FROM generate_series(0, 11999) AS i;
SELECT session_count('loaded', '*:*'), session_count('loaded', 'round:1');
-- From rows of another table, as from a CSV file.
CREATE TEMP TABLE visit (id int, who text);
INSERT INTO visit VALUES (9001, 'Zoë "Z"');
INSERT INTO session_store.load SELECT to_json(visit) FROM visit;
SELECT doc FROM sessions.loaded WHERE id = '9001';
-- And out again.
COPY (SELECT session_stream('loaded', 'id:[9000 TO *] OR say:*')) TO STDOUT (FORMAT csv, DELIMITER e'\x01', QUOTE e'\x02');
-- Rights are those of session_update.
CREATE ROLE regress_loader;
SET ROLE regress_loader;
INSERT INTO session_store.load VALUES ('{"id": 10}');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON sessions.loaded TO regress_loader;
SET ROLE regress_loader;
INSERT INTO session_store.load VALUES ('{"id": 9010}');
RESET ROLE;
SELECT count(*) FROM sessions.loaded WHERE id = '9010';
SET session_store.load_into = 'nowhere';
INSERT INTO session_store.load VALUES ('{"id": 10}');
RESET session_store.load_into;
RESET session_store.progress_notice;
SELECT session_drop('loaded');
DROP OWNED BY regress_loader;
DROP ROLE regress_loader;
