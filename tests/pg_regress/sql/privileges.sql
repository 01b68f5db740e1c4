-- Whoever may not read all of a table is answered as plain SQL answers: some columns, some rows.
CREATE ROLE session_store_partly;
SELECT session_add('partly', key => 'id'), session_add('partly_shards', key => 'id', shards => 3);
SELECT session_update(store, (SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', i, 'tenant', i % 3, 'v', i % 10)))) FROM generate_series(1, 300) AS i))
FROM (VALUES ('partly'), ('partly_shards')) AS _(store);
VACUUM sessions.partly, sessions.partly_shards;
-- What plain SQL says, beside what the functions say; an error is its code.
CREATE FUNCTION answers(store text, q text, OUT plain text, OUT counted text, OUT queried text, OUT streamed text, OUT sorted text) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN EXECUTE format('SELECT count(*) FROM sessions.%I WHERE doc @@@ %L', store, q) INTO plain; EXCEPTION WHEN OTHERS THEN plain := SQLSTATE; END;
    BEGIN counted := session_count(store, q); EXCEPTION WHEN OTHERS THEN counted := SQLSTATE; END;
    BEGIN queried := (SELECT a->>'count' || ' ' || jsonb_array_length(a->'items') FROM session_query(store, q, rows => 1000) AS a); EXCEPTION WHEN OTHERS THEN queried := SQLSTATE; END;
    BEGIN streamed := (SELECT count(*) FROM session_stream(store, q)); EXCEPTION WHEN OTHERS THEN streamed := SQLSTATE; END;
    BEGIN sorted := (SELECT count(*) FROM session_stream(store, q, sort => 'v desc, id')); EXCEPTION WHEN OTHERS THEN sorted := SQLSTATE; END;
END $$;
CREATE VIEW all_answers AS SELECT store, q, answers.*
FROM unnest(ARRAY['partly', 'partly_shards']) AS store, unnest(ARRAY['*:*', 'tenant:1', '-tenant:1', 'v:[2 TO 4] -tenant:2']) AS q, answers(store, q);
ALTER VIEW all_answers OWNER TO session_store_partly;
GRANT EXECUTE ON FUNCTION answers TO session_store_partly;

-- No column
SET ROLE session_store_partly;
SELECT * FROM all_answers;
RESET ROLE;
-- Not the column that counts: rows can be counted, as in plain SQL without a condition, and that is all
GRANT SELECT (id) ON sessions.partly, sessions.partly_shards TO session_store_partly;
SET ROLE session_store_partly;
SELECT * FROM all_answers;
RESET ROLE;
-- That one alone
REVOKE SELECT (id) ON sessions.partly, sessions.partly_shards FROM session_store_partly;
GRANT SELECT (doc) ON sessions.partly, sessions.partly_shards TO session_store_partly;
SET ROLE session_store_partly;
SELECT * FROM all_answers;
RESET ROLE;
-- All of them, but not all rows
GRANT SELECT ON sessions.partly, sessions.partly_shards TO session_store_partly;
SET ROLE session_store_partly;
SELECT * FROM all_answers;
RESET ROLE;
ALTER TABLE sessions.partly ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions.partly_shards ENABLE ROW LEVEL SECURITY;
SET ROLE session_store_partly;
SELECT * FROM all_answers;
RESET ROLE;
CREATE POLICY first_tenant ON sessions.partly TO session_store_partly USING (doc @@@ 'tenant:1');
CREATE POLICY first_tenant ON sessions.partly_shards TO session_store_partly USING ((doc->>'tenant')::int = 1);
SET ROLE session_store_partly;
SELECT * FROM all_answers;
SELECT session_explain('partly', 'v:1')->>'reason' AS reason;
SET row_security = off;
SELECT * FROM all_answers LIMIT 1;
RESET row_security;
RESET ROLE;
-- The owner is above a policy, unless it is forced on him.
SELECT * FROM answers('partly', 'v:3');
ALTER TABLE sessions.partly OWNER TO session_store_partly;
SET ROLE session_store_partly;
SELECT * FROM answers('partly', 'v:3');
ALTER TABLE sessions.partly FORCE ROW LEVEL SECURITY;
SELECT * FROM answers('partly', 'v:3');
RESET ROLE;

-- A function of its owner's asks with the owner's rights, and its caller's are the same as before.
CREATE FUNCTION count_for_all(q text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT session_count('partly_shards', q) $$;
SET ROLE session_store_partly;
SELECT session_count('partly_shards', 'v:3') AS own, count_for_all('v:3') AS of_all, session_count('partly_shards', 'v:3') AS own_again;
RESET ROLE;
DROP FUNCTION count_for_all;
DROP VIEW all_answers;
DROP FUNCTION answers;
SELECT session_drop('partly'), session_drop('partly_shards');
DROP OWNED BY session_store_partly;
DROP ROLE session_store_partly;
