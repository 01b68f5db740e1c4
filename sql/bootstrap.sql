-- What must be there before the functions are.

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
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
    name pg_catalog.text COLLATE pg_catalog."C" PRIMARY KEY CHECK (name OPERATOR(pg_catalog.<>) ''),
    key pg_catalog.text NOT NULL,
    shards int NOT NULL CHECK (shards OPERATOR(pg_catalog.>=) 1 AND shards OPERATOR(pg_catalog.<=) 1024),
    replicas int NOT NULL CHECK (replicas OPERATOR(pg_catalog.>=) 1),
    created pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE session_store.store IS 'one row a store';
COMMENT ON COLUMN session_store.store.name IS 'the store''s name, and its table''s in schema sessions';
COMMENT ON COLUMN session_store.store.key IS 'path of the identity in each document, keys joined with dots';
COMMENT ON COLUMN session_store.store.shards IS 'number of hash partitions on id; 1 means a plain table';
COMMENT ON COLUMN session_store.store.replicas IS 'number of copies asked for; session_list() shows how many there are';
COMMENT ON COLUMN session_store.store.created IS 'when session_add created the store';

-- What the catalogue says of a store is its owner's to say, who is the owner of the table, whatever privileges on the catalogue others have.
CREATE FUNCTION session_store.check_owner() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    store pg_catalog.text;
    owner pg_catalog.oid;
    is_new pg_catalog.bool;
BEGIN
    IF pg_catalog.pg_has_role((SELECT relowner FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) TG_RELID), 'USAGE') THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        RAISE EXCEPTION 'must be owner of table %', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- The row before, whose table may be gone, and the row after, whose table must be there.
    FOR store, is_new IN
        SELECT name, false FROM (VALUES (OLD.name)) AS before (name) WHERE TG_OP OPERATOR(pg_catalog.<>) 'INSERT'
        UNION ALL
        SELECT name, true FROM (VALUES (NEW.name)) AS after (name) WHERE TG_OP OPERATOR(pg_catalog.<>) 'DELETE'
    LOOP
        owner := (
            SELECT relation.relowner
            FROM pg_catalog.pg_class AS relation
            JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) relation.relnamespace
            WHERE namespace.nspname OPERATOR(pg_catalog.=) 'sessions' AND relation.relname OPERATOR(pg_catalog.=) store
                AND (NOT is_new OR relation.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])));
        IF owner IS NULL AND is_new THEN
            RAISE EXCEPTION 'store "%" has no table', store USING ERRCODE = 'undefined_table',
                HINT = 'session_add makes a store with its table, session_adopt makes a store of a table.';
        ELSIF NOT pg_catalog.pg_has_role(owner, 'USAGE') THEN
            RAISE EXCEPTION 'must be owner of table %', store USING ERRCODE = 'insufficient_privilege';
        END IF;
    END LOOP;
    RETURN coalesce(NEW, OLD);
END
$$;
COMMENT ON FUNCTION session_store.check_owner() IS 'lets only the owner of a store''s table change its row of the catalogue';
CREATE TRIGGER check_owner BEFORE INSERT OR UPDATE OR DELETE ON session_store.store
FOR EACH ROW EXECUTE FUNCTION session_store.check_owner();
COMMENT ON TRIGGER check_owner ON session_store.store IS 'lets only the owner of a store''s table change its row of the catalogue';
CREATE TRIGGER check_owner_of_all BEFORE TRUNCATE ON session_store.store
FOR EACH STATEMENT EXECUTE FUNCTION session_store.check_owner();
COMMENT ON TRIGGER check_owner_of_all ON session_store.store IS 'lets only the catalogue''s owner empty it';

-- pg_dump writes the tables of schema sessions by itself, but an extension's own table only if told so.
SELECT pg_catalog.pg_extension_config_dump('session_store.store', '');

-- Whoever may read a store's table may query the store. To write, GRANT INSERT, UPDATE, DELETE on the store's table; to
-- create stores, CREATE on schema sessions and INSERT, UPDATE, DELETE on session_store.store, of which the trigger leaves each
-- owner the rows of his own stores.
GRANT USAGE ON SCHEMA session_store, sessions TO PUBLIC;
GRANT SELECT ON session_store.store TO PUBLIC;
