-- session_update saves its statements for the session. They follow what a store's name stands for, and who asks.
CREATE FUNCTION pg_temp.put(store text, id int) RETURNS void LANGUAGE sql
AS $$ SELECT session_update(store, pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('upsert', pg_catalog.jsonb_build_array(
    pg_catalog.jsonb_build_object('session', pg_catalog.jsonb_build_object('id', id)))))) $$;
SELECT session_add('saved');
SELECT pg_temp.put('saved', 1);
SELECT session_rename('saved', 'saved_before');
SELECT session_add('saved', shards => 3);
SELECT pg_temp.put('saved', 2), session_update('saved', '[{"delete": [1]}]');
SELECT pg_temp.put('saved_before', 3);
SELECT 'saved' AS store, id FROM sessions.saved UNION ALL SELECT 'saved_before', id FROM sessions.saved_before ORDER BY 1, 2;
SELECT session_drop('saved');
SELECT session_add('saved', key => 'session.id');
SELECT pg_temp.put('saved', 4), session_update('saved', '[{"delete": [2, 4]}]');
SELECT count(*) FROM sessions.saved;

-- A role without privileges is refused by the saved statement's lock, one that may only insert by what it writes.
CREATE ROLE saved_writer;
SET ROLE saved_writer;
SELECT pg_temp.put('saved', 5);
RESET ROLE;
GRANT INSERT ON sessions.saved TO saved_writer;
SET ROLE saved_writer;
SELECT session_update('saved', '[]');
SELECT pg_temp.put('saved', 5);
RESET ROLE;
GRANT SELECT, UPDATE ON sessions.saved TO saved_writer;
SET ROLE saved_writer;
SELECT pg_temp.put('saved', 5);
SELECT session_update('saved', '[{"delete": [5]}]');
RESET ROLE;

-- Row-level security comes, and goes with the role.
ALTER TABLE sessions.saved ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON sessions.saved USING (id < '6');
SET ROLE saved_writer;
SELECT pg_temp.put('saved', 5), pg_temp.put('saved', 6);
RESET ROLE;
SELECT pg_temp.put('saved', 6);
SELECT id FROM sessions.saved ORDER BY id;

-- A trigger writes into more stores than have their statements saved, and the statement that fired it is among them.
SELECT count(session_add('saved_' || i)) FROM generate_series(1, 40) AS i;
CREATE FUNCTION pg_temp.fan_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.put('saved_' || i, NEW.id::int) FROM pg_catalog.generate_series(1, 40) AS i;
    IF NEW.id::int < 12 THEN
        PERFORM pg_temp.put('saved_before', NEW.id::int + 1);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER fan_out BEFORE INSERT ON sessions.saved_before FOR EACH ROW EXECUTE FUNCTION pg_temp.fan_out();
SELECT pg_temp.put('saved_before', 10);
SELECT id FROM sessions.saved_before ORDER BY id COLLATE "C";
SELECT sum(session_count('saved_' || i, '*:*')) FROM generate_series(1, 40) AS i;

DROP TRIGGER fan_out ON sessions.saved_before;
SELECT count(session_drop('saved_' || i)) FROM generate_series(1, 40) AS i;
SELECT session_drop('saved'), session_drop('saved_before');
DROP ROLE saved_writer;
