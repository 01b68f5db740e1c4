-- Traps for SQL that does not say which operator, function, type or collation it means. Whoever runs into one of them gets an error.
--
-- Schema `in_front`, to be put before pg_catalog: what pg_catalog has, with the same names and arguments.
-- Schema :better, to be put behind it: operators for pairs of types for which pg_catalog has none that fits exactly.
-- in_front.lay_in_pg_temp(): types in pg_temp, where they are looked for first even if it is not on the path.
SET client_min_messages = error;
SELECT set_config('traps.better', :'better', false) \g /dev/null
CREATE SCHEMA in_front;
CREATE FUNCTION in_front.spring(trap text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fell into a trap: %', trap; END $$;

DO $traps$
DECLARE
    o record;
    f text;
    body CONSTANT text := 'BEGIN PERFORM in_front.spring(%L); RETURN NULL; END';
    types CONSTANT regtype[] := ARRAY['real', 'integer', 'bigint', 'smallint', 'double precision', 'numeric', 'oid', 'regclass', 'regtype', 'text', 'name',
        'varchar', '"char"', 'jsonb', 'boolean', 'text[]', 'name[]', '"char"[]'];
    better CONSTANT text := current_setting('traps.better');
BEGIN
    FOR o IN
        SELECT 'in_front' AS schema, oprname::text AS name, nullif(oprleft, 0)::regtype AS l, oprright::regtype AS r, oprresult::regtype AS result
        FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprright <> 0 AND oprcode <> 0
        UNION ALL
        SELECT better, name, l, r, 'boolean'
        FROM unnest(types) AS l,
            unnest(types) AS r,
            unnest('{=,<>,<,>,<=,>=,+,-,||,->,->>,*<>,~}'::text[]) AS name
        WHERE NOT EXISTS (SELECT FROM pg_operator WHERE oprname = name AND oprleft = l AND oprright = r)
    LOOP
        f := md5(o::text);
        BEGIN
            EXECUTE format('CREATE FUNCTION in_front.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f, concat_ws(', ', o.l, o.r), o.result,
                format(body, format('%s %s %s', o.l, o.name, o.r)));
            EXECUTE format('CREATE OPERATOR %I.%s (%s RIGHTARG = %s, FUNCTION = in_front.%I)', o.schema, o.name, 'LEFTARG = ' || o.l || ',', o.r, f);
        EXCEPTION WHEN OTHERS THEN NULL; -- of pseudo-types, for which no function can be written
        END;
    END LOOP;
    FOR o IN
        SELECT p.oid::regprocedure AS signature, proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
        FROM pg_proc AS p WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION in_front.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', o.proname, o.arguments, o.result,
                format('BEGIN PERFORM in_front.spring(%L); END', o.signature));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    EXECUTE $$
        CREATE FUNCTION in_front.lay_in_pg_temp() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE t text;
        BEGIN
            FOREACH t IN ARRAY '{text,jsonb,int4,int8,bool,oid,regclass,regtype,regproc,regprocedure,regcollation,name,timestamptz,float8,bytea}'::text[] LOOP
                EXECUTE format('CREATE DOMAIN pg_temp.%I AS pg_catalog.%I CHECK (in_front.spring(%L))', t, t, 'type pg_temp.' || t);
            END LOOP;
        END $body$ $$;
    EXECUTE 'CREATE FUNCTION in_front.step(bigint) RETURNS bigint LANGUAGE plpgsql AS ''BEGIN PERFORM in_front.spring(''''count''''); END''';
    EXECUTE 'CREATE AGGREGATE in_front.count(*) (SFUNC = in_front.step, STYPE = bigint, INITCOND = 0)';
    EXECUTE 'CREATE COLLATION in_front."C" FROM "POSIX"';
    FOREACH f IN ARRAY '{text,jsonb,int4,int8,bool,oid,regclass,regtype,regproc,regprocedure,regcollation,name,timestamptz,float8,bytea,_text,_jsonb}'::text[] LOOP
        EXECUTE format('CREATE DOMAIN in_front.%I AS pg_catalog.%I CHECK (in_front.spring(%L))', f, f, 'type ' || f);
    END LOOP;
END
$traps$;
RESET client_min_messages;
