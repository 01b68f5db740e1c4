-- The storage parameters that a store is born with, and that session_adopt sets where nobody set others.
CREATE FUNCTION pg_temp.parameters(store text) RETURNS TABLE (relation text, parameters text[]) LANGUAGE sql AS $$
    SELECT relname, reloptions FROM pg_class
    WHERE relnamespace = 'sessions'::regnamespace AND relname LIKE store || '%' AND relname NOT LIKE '%pkey' AND relkind IN ('r', 'p', 'i', 'I')
    ORDER BY relname COLLATE "C"
$$;
SELECT session_add('stored');
SELECT session_add('stored_parts', shards => 2);
SELECT * FROM pg_temp.parameters('stored');
SELECT session_drop('stored'), session_drop('stored_parts');

CREATE TABLE sessions.stored (id text COLLATE "C" PRIMARY KEY, doc jsonb NOT NULL) PARTITION BY HASH (id);
CREATE TABLE sessions."stored 1" PARTITION OF sessions.stored FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (autovacuum_vacuum_scale_factor = 0.3);
CREATE TABLE sessions."stored 2" PARTITION OF sessions.stored FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 70);
CREATE INDEX "stored 1 doc" ON sessions."stored 1" USING gin (doc jsonb_lucene_ops) WITH (gin_pending_list_limit = 512);
CREATE INDEX "stored 2 doc" ON sessions."stored 2" USING gin (doc jsonb_lucene_ops) WITH (fastupdate = off);
SELECT session_adopt('stored');
SELECT * FROM pg_temp.parameters('stored');
SELECT session_drop('stored');

-- A call that writes many documents lets the pending list get longer meanwhile, and its last document merges what is left.
SELECT session_add('stored', key => 'id');
CREATE FUNCTION pg_temp.documents(first int, last int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(jsonb_build_object('id', lpad(i::text, 6, '0'), 'name', 'name ' || i, 'half', i / 2, 'pad', repeat(md5(i::text), 4)))
    FROM generate_series(first, last) AS i
$$;
CREATE FUNCTION pg_temp.put(documents jsonb) RETURNS void LANGUAGE sql AS $$ SELECT session_update('stored', jsonb_build_array(jsonb_build_object('upsert', documents))) $$;
SELECT pg_temp.put(pg_temp.documents(1, 300));
SELECT gin_clean_pending_list('sessions.stored_doc_idx') AS pages_left;
-- Where the last one is as it was, nothing is merged: more than 64 kB are left (8 pages), and less than 256 kB.
SELECT pg_temp.put(pg_temp.documents(301, 301));
SELECT pg_temp.put(pg_temp.documents(1001, 1001));
SELECT gin_clean_pending_list('sessions.stored_doc_idx') > 0 AS merged;
SELECT pg_temp.put(pg_temp.documents(302, 602) || pg_temp.documents(1001, 1001));
SELECT gin_clean_pending_list('sessions.stored_doc_idx') BETWEEN 12 AND 34 AS is_longer;
-- Then the list has its own limit again, and a shorter one for calls with few documents: one after the other leaves no more than 24 kB and a page.
DO $$ BEGIN FOR i IN 2001..2350 LOOP PERFORM pg_temp.put(pg_temp.documents(i, i)); END LOOP; END $$;
SELECT gin_clean_pending_list('sessions.stored_doc_idx') <= 4 AS is_shorter;
DO $$ BEGIN FOR i IN 2401..2750 BY 7 LOOP PERFORM pg_temp.put(pg_temp.documents(i, i + 6)); END LOOP; END $$;
SELECT gin_clean_pending_list('sessions.stored_doc_idx') <= 4 AS is_shorter;
-- Not for calls with more, nor by plain SQL.
SELECT pg_temp.put(pg_temp.documents(2801, 2900));
SELECT gin_clean_pending_list('sessions.stored_doc_idx') BETWEEN 5 AND 9 AS is_its_own;
INSERT INTO sessions.stored SELECT doc ->> 'id', doc FROM jsonb_array_elements(pg_temp.documents(2901, 3000)) AS _(doc);
SELECT gin_clean_pending_list('sessions.stored_doc_idx') BETWEEN 5 AND 9 AS is_its_own;
-- Nor where somebody wants it longer.
ALTER INDEX sessions.stored_doc_idx SET (gin_pending_list_limit = 65);
DO $$ BEGIN FOR i IN 2801..2900 LOOP PERFORM pg_temp.put(jsonb_build_array(pg_temp.documents(i, i) -> 0 || '{"n": 1}')); END LOOP; END $$;
SELECT gin_clean_pending_list('sessions.stored_doc_idx') BETWEEN 5 AND 9 AS is_its_own;
ALTER INDEX sessions.stored_doc_idx SET (gin_pending_list_limit = 64);
-- After an error, too, whether it is caught at once or not.
CREATE FUNCTION sessions.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.id = '003250' THEN RAISE 'refused'; END IF; RETURN new; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON sessions.stored FOR EACH ROW EXECUTE FUNCTION sessions.refuse();
DO $$ BEGIN PERFORM pg_temp.put(pg_temp.documents(3001, 3400)); EXCEPTION WHEN raise_exception THEN RAISE NOTICE '%', sqlerrm; END $$;
SELECT pg_temp.put(pg_temp.documents(3001, 3400));
DO $$ BEGIN FOR i IN 4001..4350 LOOP PERFORM pg_temp.put(pg_temp.documents(i, i)); END LOOP; END $$;
SELECT gin_clean_pending_list('sessions.stored_doc_idx') <= 4 AS is_shorter;
SELECT pg_temp.put(pg_temp.documents(3250, 3250));
DO $$ BEGIN PERFORM pg_temp.put(pg_temp.documents(3250, 3250)); EXCEPTION WHEN raise_exception THEN RAISE NOTICE '%', sqlerrm; END $$;
SELECT pg_temp.put(pg_temp.documents(4401, 4500));
SELECT gin_clean_pending_list('sessions.stored_doc_idx') BETWEEN 5 AND 9 AS is_its_own;
SELECT session_count('stored', '*:*');
SELECT session_drop('stored');
DROP FUNCTION sessions.refuse();
