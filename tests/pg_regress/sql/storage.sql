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
