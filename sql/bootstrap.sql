-- What must be there before the functions are.

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'session_store needs a database with encoding UTF8, not %', pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0 makes one.';
    END IF;
END
$$;

CREATE SCHEMA session_store;
COMMENT ON SCHEMA session_store IS 'catalogue and inner functions of the extension session_store';

CREATE SCHEMA sessions;
COMMENT ON SCHEMA sessions IS 'the stores: sessions.<name>(id text, doc jsonb)';

CREATE TABLE session_store.store (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    key text NOT NULL,
    shards int NOT NULL CHECK (shards BETWEEN 1 AND 1024),
    replicas int NOT NULL CHECK (replicas >= 1),
    created timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE session_store.store IS 'one row a store';
COMMENT ON COLUMN session_store.store.name IS 'the store''s name, and its table''s in schema sessions';
COMMENT ON COLUMN session_store.store.key IS 'path of the identity in each document, keys joined with dots';
COMMENT ON COLUMN session_store.store.shards IS 'number of hash partitions on id; 1 means a plain table';
COMMENT ON COLUMN session_store.store.replicas IS 'number of copies asked for; session_list() shows how many there are';
COMMENT ON COLUMN session_store.store.created IS 'when session_add created the store';

-- pg_dump writes the tables of schema sessions by itself, but an extension's own table only if told so.
SELECT pg_catalog.pg_extension_config_dump('session_store.store', '');

-- Whoever may read a store's table may query the store. To write, GRANT INSERT, UPDATE, DELETE on the store's table; to
-- create stores, CREATE on schema sessions and INSERT, UPDATE, DELETE on session_store.store.
GRANT USAGE ON SCHEMA session_store, sessions TO PUBLIC;
GRANT SELECT ON session_store.store TO PUBLIC;
