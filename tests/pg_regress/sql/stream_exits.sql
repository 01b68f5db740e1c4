-- However a stream ends, and whatever happens meanwhile: the rows of its statement's snapshot, or the error that a plain cursor gives.
SELECT session_add('exits', 'id'), session_add('exits_bare', 'id'), session_add('exits_parts', 'id', shards => 3);
INSERT INTO sessions.exits SELECT i::text, jsonb_build_object('id', i, 'n', i % 700) FROM generate_series(1, 2000) AS i;
INSERT INTO sessions.exits_bare SELECT * FROM sessions.exits;
INSERT INTO sessions.exits_parts SELECT * FROM sessions.exits;
DROP INDEX sessions.exits_bare_doc_idx;
VACUUM ANALYZE sessions.exits, sessions.exits_bare, sessions.exits_parts;

-- Each way of reading rows, and the table that it reads
CREATE TABLE exits_way (name text PRIMARY KEY, parts text[], read text);
INSERT INTO exits_way VALUES
    ('index', '{exits}', $$SELECT session_stream('exits', '*:*')$$),
    ('list', '{exits}', $$SELECT session_stream('exits', 'n:[0 TO *]')$$),
    ('walk', '{exits}', $$SELECT session_stream('exits', '*:*', 'n')$$),
    ('walk by two', '{exits}', $$SELECT session_stream('exits', '*:*', 'n desc, id', rows => 2000)$$),
    ('sorted', '{exits}', $$SELECT session_stream('exits', '*:*', 'n, id desc')$$),
    ('parts', '{exits_parts/0,exits_parts/1,exits_parts/2}', $$SELECT session_stream('exits_parts', '*:*', 'id')$$),
    ('planner', '{exits_bare}', $$SELECT session_stream('exits_bare', '*:*')$$),
    ('planner, sorted', '{exits_bare}', $$SELECT session_stream('exits_bare', 'n:[0 TO *]', 'n')$$),
    ('scan', '{exits}', $$SELECT doc FROM sessions.exits WHERE doc @@@ 'n:[0 TO *]'$$),
    ('plain', '{exits_bare}', $$SELECT doc FROM sessions.exits_bare$$);
EXPLAIN (COSTS off) SELECT doc FROM sessions.exits WHERE doc @@@ 'n:[0 TO *]';

-- What is left in a cursor: how many documents, all of them different ones
CREATE FUNCTION exits_rest(c refcursor, OUT documents bigint, OUT different bigint) LANGUAGE plpgsql AS $$
DECLARE doc jsonb; ids text[] := '{}';
BEGIN
    LOOP
        FETCH c INTO doc;
        EXIT WHEN NOT FOUND;
        ids := ids || (doc->>'id');
    END LOOP;
    SELECT count(*), count(DISTINCT id) INTO documents, different FROM unnest(ids) AS id;
END
$$;

-- An error is caught, and the cursor read on: in a subtransaction that is rolled back it was read first, or read once more; in one it was opened.
CREATE FUNCTION exits_caught(way text, OUT first text, OUT later text, OUT inside text) LANGUAGE plpgsql AS $$
DECLARE c refcursor; read text; doc jsonb;
BEGIN
    SELECT exits_way.read INTO read FROM exits_way WHERE name = way;
    OPEN c FOR EXECUTE read;
    BEGIN
        FETCH c INTO doc;
        RAISE EXCEPTION 'bad';
    EXCEPTION WHEN raise_exception THEN END;
    first := exits_rest(c);
    CLOSE c;
    c := NULL;
    OPEN c FOR EXECUTE read;
    FETCH c INTO doc;
    BEGIN
        MOVE FORWARD 300 FROM c;
        RAISE EXCEPTION 'bad';
    EXCEPTION WHEN raise_exception THEN END;
    later := exits_rest(c);
    CLOSE c;
    c := NULL;
    BEGIN
        OPEN c FOR EXECUTE read;
        FETCH c INTO doc;
        RAISE EXCEPTION 'bad';
    EXCEPTION WHEN raise_exception THEN END;
    c := coalesce(c, '<unnamed portal 1>');
    FETCH c INTO doc;
EXCEPTION WHEN invalid_cursor_name THEN
    inside := 'no cursor';
END
$$;
SELECT name, caught.* FROM exits_way, exits_caught(name) AS caught;
-- In each turn, an error: the first one alone would end a cursor that belongs to the subtransaction.
CREATE FUNCTION exits_each_turn(way text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE c refcursor; doc jsonb; n bigint := 0;
BEGIN
    OPEN c FOR EXECUTE (SELECT read FROM exits_way WHERE name = way);
    LOOP
        BEGIN
            FETCH c INTO doc;
            EXIT WHEN NOT FOUND;
            n := n + 1;
            RAISE EXCEPTION 'bad';
        EXCEPTION WHEN raise_exception THEN END;
    END LOOP;
    CLOSE c;
    RETURN n;
END
$$;
SELECT name, exits_each_turn(name) FROM exits_way;

-- The lock stays for as long as the cursor, whatever savepoint it was taken in.
CREATE FUNCTION exits_locks() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(relation::regclass || ' ' || mode, ', ' ORDER BY relation::regclass::text, mode) FROM pg_locks
    WHERE pid = pg_backend_pid() AND relation::regclass::text IN ('sessions.exits', 'sessions.exits_doc_idx', 'sessions.exits_bare')
$$;
BEGIN;
DECLARE c CURSOR FOR SELECT session_stream('exits', '*:*', 'n');
DECLARE d CURSOR FOR SELECT session_stream('exits_bare', '*:*', 'n');
SAVEPOINT s;
SELECT count(*) FROM sessions.exits;
FETCH 1 FROM c;
FETCH 1 FROM d;
SELECT exits_locks();
ROLLBACK TO s;
SELECT exits_locks();
FETCH 1 FROM c;
SELECT exits_locks();
COMMIT;
-- One that ended within a savepoint needs none.
BEGIN;
SAVEPOINT s;
SELECT count(*) FROM (SELECT session_stream('exits', '*:*', 'n')) AS _;
ROLLBACK TO s;
SELECT exits_locks();
COMMIT;

-- What is read is held: whatever would put another table or index in its place is refused, and the rows stay what they are.
CREATE FUNCTION exits_held(way text) RETURNS TABLE (refused text, rest text) LANGUAGE plpgsql AS $$
DECLARE c refcursor; doc jsonb; statement text; part text; parts text[]; tried int := 0; held int := 0;
BEGIN
    OPEN c FOR EXECUTE (SELECT exits_way.read FROM exits_way WHERE name = way);
    MOVE FORWARD 15 FROM c;
    SELECT exits_way.parts INTO parts FROM exits_way WHERE name = way;
    FOREACH part IN ARRAY parts LOOP
        FOR statement IN
            SELECT format(template, part, COALESCE(i.relname, 'none'))
            FROM unnest(ARRAY[
                'TRUNCATE sessions.%1$I', 'DROP TABLE sessions.%1$I', 'ALTER TABLE sessions.%1$I ADD COLUMN x int DEFAULT random()',
                'ALTER TABLE sessions.%1$I ALTER COLUMN doc TYPE json', 'ALTER TABLE sessions.%1$I SET UNLOGGED',
                'CLUSTER sessions.%1$I USING %1$I_pkey', 'REINDEX INDEX sessions.%2$I', 'DROP INDEX sessions.%2$I',
                'SELECT session_drop(split_part(%1$L, ''/'', 1))']) AS template
            LEFT JOIN (SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid JOIN pg_am ON pg_am.oid = relam
                WHERE indrelid = format('sessions.%I', part)::regclass AND amname = 'gin') AS i ON true
            WHERE template !~ '%2' OR i.relname IS NOT NULL
        LOOP
            CONTINUE WHEN statement ~ '^(DROP INDEX|ALTER TABLE|CLUSTER).*/';  -- belong to the parent, or are named otherwise
            tried := tried + 1;
            BEGIN
                EXECUTE statement;
                refused := coalesce(refused || ', ', '') || 'not ' || statement;
                RAISE EXCEPTION 'back';
            EXCEPTION
                WHEN object_in_use THEN held := held + 1;
                WHEN raise_exception THEN NULL;
                WHEN OTHERS THEN refused := coalesce(refused || ', ', '') || sqlstate || ' ' || statement;
            END;
        END LOOP;
    END LOOP;
    refused := concat_ws(', ', held || ' of ' || tried, refused);
    rest := exits_rest(c);
    CLOSE c;
    RETURN NEXT;
END
$$;
SET client_min_messages = warning;
SELECT name, held.* FROM exits_way, exits_held(name) AS held;
RESET client_min_messages;
-- Once it is over or closed, or left by a LIMIT, nothing is in the way.
CREATE FUNCTION exits_left(way text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE c refcursor; doc jsonb; read text; part text := (SELECT parts[1] FROM exits_way WHERE name = way);
BEGIN
    SELECT exits_way.read INTO read FROM exits_way WHERE name = way;
    OPEN c FOR EXECUTE read;
    FETCH c INTO doc;
    CLOSE c;
    c := NULL;
    BEGIN
        EXECUTE read || ' LIMIT 3' INTO doc;
        EXECUTE format('TRUNCATE sessions.%I', part);
        RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN END;
    IF read ~ 'session_stream' THEN
        OPEN c FOR EXECUTE format('SELECT count(*) FROM (%s) AS _', read);
        FETCH c INTO read;
        EXECUTE format('ALTER TABLE sessions.%I SET (autovacuum_enabled = on)', part);
        CLOSE c;
    END IF;
    RETURN 'free';
END
$$;
SELECT name, exits_left(name) FROM exits_way;

-- COMMIT and ROLLBACK within a loop: the server runs the query to its end before, and holds the rows.
CREATE PROCEDURE exits_loop(way text, at_once bool) LANGUAGE plpgsql AS $$
DECLARE doc jsonb; n int := 0; read text := (SELECT exits_way.read FROM exits_way WHERE name = way);
BEGIN
    FOR turn IN 1 .. 50 LOOP
        FOR doc IN EXECUTE read LOOP
            IF turn % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
            n := n + 1;
            EXIT WHEN at_once;
        END LOOP;
        EXIT WHEN NOT at_once;
    END LOOP;
    RAISE NOTICE '%: %', way, n;
END
$$;
CALL exits_loop('index', true); CALL exits_loop('walk', true); CALL exits_loop('planner', true); CALL exits_loop('planner, sorted', true);
CALL exits_loop('index', false); CALL exits_loop('walk', false); CALL exits_loop('walk by two', false); CALL exits_loop('sorted', false);
CALL exits_loop('parts', false); CALL exits_loop('planner', false); CALL exits_loop('planner, sorted', false); CALL exits_loop('scan', false);
-- Two at once, one within the other
DO $$
DECLARE a jsonb; b jsonb; n int := 0;
BEGIN
    FOR a IN SELECT session_stream('exits_bare', '*:*', rows => 20) LOOP
        FOR b IN SELECT session_stream('exits_bare', '*:*', 'n', rows => 20) LOOP
            n := n + 1;
            IF n % 7 = 0 THEN COMMIT; END IF;
        END LOOP;
    END LOOP;
    RAISE NOTICE '%', n;
END
$$;
-- A cursor that is open, and not one of a loop's, ends with the transaction.
DO $$
DECLARE c CURSOR FOR SELECT session_stream('exits_bare', '*:*'); doc jsonb;
BEGIN
    OPEN c;
    FETCH c INTO doc;
    COMMIT;
    FETCH c INTO doc;
END
$$;

-- Held beyond the transaction: read before, and only then; some rows are changed meanwhile.
BEGIN;
DECLARE a CURSOR WITH HOLD FOR SELECT session_stream('exits', '*:*', 'n');
DECLARE b CURSOR WITH HOLD FOR SELECT session_stream('exits_bare', '*:*');
DECLARE c CURSOR WITH HOLD FOR SELECT session_stream('exits_bare', '*:*', 'n');
DECLARE d SCROLL CURSOR WITH HOLD FOR SELECT session_stream('exits_bare', '*:*');
FETCH 1 FROM a;
FETCH 1 FROM b;
MOVE 30 FROM d;
FETCH BACKWARD 1 FROM d;
DELETE FROM sessions.exits; DELETE FROM sessions.exits_bare;
COMMIT;
SELECT exits_rest('a') AS a, exits_rest('b') AS b, exits_rest('c') AS c, exits_rest('d') AS d, (SELECT count(*) FROM sessions.exits) AS left;
SELECT count(*) FROM pg_cursors;
CLOSE ALL;
SELECT count(*) FROM pg_cursors;
INSERT INTO sessions.exits SELECT i::text, jsonb_build_object('id', i, 'n', i % 700) FROM generate_series(1, 2000) AS i;
INSERT INTO sessions.exits_bare SELECT * FROM sessions.exits;
BEGIN;
DECLARE a CURSOR WITH HOLD FOR SELECT session_stream('exits_bare', '*:*');
FETCH 1 FROM a;
ROLLBACK;
SELECT count(*) FROM pg_cursors;
BEGIN;
DECLARE a CURSOR WITH HOLD FOR SELECT session_stream('exits_bare', '*:*');
FETCH 1 FROM a;
COMMIT;
DISCARD ALL;
SELECT count(*) FROM pg_cursors;

-- An error in the midst of a stream, and after it, within a savepoint and without
BEGIN;
DECLARE c CURSOR FOR SELECT 1 / ((doc->>'id')::int - 12) FROM (SELECT session_stream('exits_bare', '*:*') AS doc) AS _;
SAVEPOINT s;
MOVE 30 FROM c;
ROLLBACK TO s;
FETCH 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT session_stream('exits', '*:*');
DECLARE d CURSOR FOR SELECT session_stream('exits_bare', '*:*');
MOVE 1 FROM c;
MOVE 1 FROM d;
SELECT 1 / 0;
ROLLBACK;
BEGIN;
SAVEPOINT s;
DECLARE d CURSOR FOR SELECT session_stream('exits_bare', '*:*');
MOVE 1 FROM d;
RELEASE s;
MOVE 1 FROM d;
SELECT exits_rest('d');
COMMIT;

-- Started anew for each row of another table, and left early
SELECT i, (SELECT count(*) FROM (SELECT session_stream('exits_bare', 'n:' || i)) AS _) AS planned, (SELECT count(*) FROM (SELECT session_stream('exits', 'n:' || i)) AS _) AS found
FROM generate_series(599, 602) AS i;
SELECT i, (SELECT session_stream('exits_bare', 'n:' || i, 'id') LIMIT 1), (SELECT session_stream('exits', 'n:' || i, 'id') LIMIT 1) FROM generate_series(599, 602) AS i;
-- Within functions in SQL, which run as far as they are asked
CREATE FUNCTION exits_sql(q text) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT session_stream('exits_bare', q, 'id') $$;
CREATE FUNCTION exits_plpgsql(q text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT session_stream('exits', q, 'id'); END $$;
SELECT exits_sql('n:[10 TO 30]') LIMIT 2;
SELECT exits_plpgsql('n:[10 TO 30]') LIMIT 2;

-- A role that may see some rows takes the planner's way, with the index.
CREATE ROLE regress_exits;
GRANT SELECT ON sessions.exits TO regress_exits;
ALTER TABLE sessions.exits ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON sessions.exits USING ((doc->>'n')::int < 100);
SET ROLE regress_exits;
DO $$
DECLARE doc jsonb; n int := 0;
BEGIN
    FOR i IN 1 .. 100 LOOP
        FOR doc IN SELECT session_stream('exits', 'n:[0 TO 50]') LOOP COMMIT; n := n + 1; EXIT; END LOOP;
    END LOOP;
    FOR doc IN SELECT session_stream('exits', 'n:[50 TO 150]') LOOP COMMIT; n := n + 1; END LOOP;
    RAISE NOTICE '%', n;
END
$$;
RESET ROLE;

-- A table of the session alone, by the scan
CREATE TEMP TABLE exits_temp (doc jsonb) ON COMMIT DELETE ROWS;
CREATE INDEX exits_temp_idx ON exits_temp USING gin (doc jsonb_lucene_ops);
SET enable_seqscan = off;
BEGIN;
INSERT INTO exits_temp SELECT doc FROM sessions.exits;
DECLARE c CURSOR WITH HOLD FOR SELECT doc FROM exits_temp WHERE doc @@@ 'n:[0 TO *]';
FETCH 1 FROM c;
SAVEPOINT s;
DROP INDEX exits_temp_idx;
ROLLBACK TO s;
DROP TABLE exits_temp;
ROLLBACK TO s;
COMMIT;
SELECT exits_rest('c');
CLOSE c;
RESET enable_seqscan;

DROP FUNCTION exits_rest, exits_caught, exits_each_turn, exits_locks, exits_held, exits_left, exits_sql, exits_plpgsql;
DROP PROCEDURE exits_loop;
DROP TABLE exits_way, exits_temp;
SELECT session_drop('exits'), session_drop('exits_bare'), session_drop('exits_parts');
DROP ROLE regress_exits;
