#!/usr/bin/env bash
# ALTER EXTENSION session_store UPDATE leads from 0.1.0 to what a fresh installation has, and the stores to its index.
. "$(dirname "$0")/lib.sh"
export PGOPTIONS='-c client_min_messages=warning'
fixture=tests/sessions/upgrade/session_store--0.1.0.sql
extensions=$("$PG_BINDIR/pg_config" --sharedir)/extension
cp "$fixture" "$extensions/"
log=$(mktemp)
trap 'rm -f "$log" "$extensions/${fixture##*/}"' EXIT
old=${PGDATABASE}_old
"$PG_BINDIR/createdb" "$old"
sql "CREATE EXTENSION session_store VERSION '0.1.0'" -d "$old"

# The same stores in both: by hand in the old one, as 0.1.0's session_add did it. `lost` loses its table, `parts` a partition.
psql -f samples/sessions.sql
sql "SELECT session_add('odd \"%I'' name', 'id', shards => 3), session_add('lost'), session_add('parts', 'id', shards => 2), session_add('planted', 'id')" -o /dev/null
psql -d "$old" <<'SQL'
-- The new library cannot say of what shape a document is, so this stands in for the old one.
CREATE OR REPLACE FUNCTION session_store.shape(doc jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN doc::text ~ '"[^"]*[.][^"]*": |\[\[' THEN 'irregular' ELSE 'regular' END
$$;
CREATE FUNCTION old_add(store text, key text, shards int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO session_store.store VALUES (store, key, shards, 1);
    EXECUTE format('CREATE TABLE sessions.%I (id text COLLATE "C" PRIMARY KEY, doc jsonb NOT NULL CHECK (pg_catalog.jsonb_typeof(doc) = ''object''))%s',
        store, CASE WHEN shards > 1 THEN ' PARTITION BY HASH (id)' END);
    FOR shard IN 0 .. shards - 1 LOOP
        CONTINUE WHEN shards = 1;
        EXECUTE format('CREATE TABLE sessions.%I PARTITION OF sessions.%I FOR VALUES WITH (MODULUS %s, REMAINDER %s)', store || '/' || shard, store, shards, shard);
    END LOOP;
    EXECUTE format('CREATE INDEX ON sessions.%I USING gin (doc jsonb_path_ops)', store);
    EXECUTE format('CREATE INDEX ON sessions.%I (id) WHERE session_store.shape(doc) = ''irregular''', store);
    EXECUTE format('COMMENT ON TABLE sessions.%I IS ''session store: see session_store.store''', store);
END
$$;
SELECT old_add('stash', 'session.id', 1), old_add('odd "%I'' name', 'id', 3), old_add('lost', 'session.id', 1), old_add('parts', 'id', 2), old_add('planted', 'id', 1) \g /dev/null
-- Of these, two are one session.
INSERT INTO sessions.planted VALUES ('1', '{"id": 1}'), ('x', '{"id": 2}'), ('y', '{"id": 1}');
-- An index of somebody's own stays.
CREATE INDEX own ON sessions.stash USING gin ((doc->'user') jsonb_path_ops);
SQL
# What depends on functions that get new arguments stays and goes on answering, with the privileges that it has.
psql -d "$old" <<'SQL'
CREATE ROLE upgrade_reader;
REVOKE EXECUTE ON FUNCTION session_query FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_query TO upgrade_reader;
CREATE VIEW dependent AS
SELECT session_query('stash', 'user:*', rows => 2, sort => 'session.id')->'items' AS items, session_query('stash', '*:*', NULL, 0, 0) AS counted,
    (SELECT jsonb_agg(doc) FROM session_stream(q => 'user:*', store => 'stash', rows => 2) AS doc) AS streamed;
CREATE FUNCTION dependent_atomic() RETURNS SETOF jsonb LANGUAGE sql BEGIN ATOMIC SELECT session_stream('stash', '_m1.ip:64.150.5.135', 'session.id desc'); END;
CREATE TABLE dependent_table (answer jsonb DEFAULT session_query('stash', 'user:*', 'session.id'));
SQL
documents='INSERT INTO sessions."odd ""%I'"'"' name" SELECT i, jsonb_build_object($$id$$, i, $$a.b$$, i % 7) FROM generate_series(1, 100) AS i'
for database in "$PGDATABASE" "$old"; do
    sql "$documents; INSERT INTO sessions.parts SELECT id, doc FROM sessions.\"odd \"\"%I' name\"; DROP TABLE sessions.lost; ALTER TABLE sessions.parts DETACH PARTITION sessions.\"parts/1\"" -d "$database"
done
# In the old one it is nobody's part when the update sets storage parameters.
sql 'ALTER INDEX sessions."parts/1_doc_idx" RESET (gin_pending_list_limit)'
sql 'COPY (SELECT * FROM sessions.stash ORDER BY ctid) TO STDOUT' | sql 'COPY sessions.stash FROM STDIN' -d "$old"

# Until then, who asks is told.
if message=$(sql "SELECT session_count('stash', '*:*')" -d "$old" 2>&1); then is 'a query before the update' refused "$message"; fi
is 'a query before the update' 'HINT:  ALTER EXTENSION session_store UPDATE brings it up to date.' "$(tail -n 1 <<<"$message")"
# Nothing in the way of it may be taken for PostgreSQL's own, though it lies in the extension's schema or in pg_temp.
{
    cat tests/sessions/hostile_path.sql
    echo 'SELECT in_front.lay_in_pg_temp() \g /dev/null'
    echo 'ALTER EXTENSION session_store UPDATE'
} | PGOPTIONS= psql -d "$old" -v better=public >"$log" 2>&1 || is 'the update' done "$(cat "$log")"
is 'a warning' 'WARNING:  store "planted" has documents whose id is not their identity' "$(grep -o 'WARNING.*' "$log")"
# One by one: at once they would take more locks than a server has room for.
psql -d "$old" <<'SQL'
SET client_min_messages = error;
SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'in_front'::regnamespace AND prokind = 'f' \gexec
DROP SCHEMA in_front CASCADE;
SQL
if message=$(sql "SELECT session_key('planted', 'id')" -d "$old" 2>&1); then is 'two of one session' refused "$message"; fi
is 'two of one session' '"1" would become "1" "y" would become "1"' "$(sed -n 's/^DETAIL:  //p; /^"y"/p' <<<"$message" | paste -sd ' ')"
sql "DELETE FROM sessions.planted WHERE id = 'y'; SELECT session_key('planted', 'id')" -d "$old" -o /dev/null
is 'each under its identity' '1 2' "$(sql "SELECT string_agg(id, ' ' ORDER BY id) FROM sessions.planted" -d "$old")"

# A store keeps the constraints that it has until somebody asks for the new one.
two=$(sql "SELECT string_agg(conname || ': ' || pg_get_constraintdef(oid), '; ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 'sessions.stash'::regclass AND contype = 'c'" -d "$old")
is 'the constraints of an old store' "session_identity: CHECK ((id = session_store.identity(doc, 'session.id'::text))); stash_doc_check: CHECK ((jsonb_typeof(doc) = 'object'::text))" "$two"
sql "SELECT session_key(name, key) FROM session_list() WHERE name <> 'lost'" -d "$old" -o /dev/null

# Everything that belongs to the extension, with all that can be said about it; then the tables and indexes of stores.
objects() {
    psql "$@" <<'SQL'
SELECT pg_describe_object(classid, objid, 0), obj_description(objid, classid::regclass::name),
    CASE WHEN classid = 'pg_proc'::regclass THEN pg_get_functiondef(objid) END,
    (SELECT (oprcode, oprrest, oprjoin, oprleft::regtype, oprright::regtype, oprcom::regoperator, oprnegate::regoperator, oprcanmerge, oprcanhash)::text FROM pg_operator WHERE oid = objid),
    (SELECT to_jsonb(t) - '{oid,typarray,typrelid,typelem,typnamespace}'::text[] || jsonb_build_object('typelem', typelem::regtype, 'typnamespace', typnamespace::regnamespace) FROM pg_type AS t WHERE oid = objid),
    (SELECT (opcfamily::text <> '', opcintype::regtype, opcdefault, opckeytype::regtype)::text FROM pg_opclass WHERE oid = objid)
FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'session_store')
ORDER BY 1;
SELECT pg_describe_object('pg_amop'::regclass, amop.oid, 0) FROM pg_amop AS amop
JOIN pg_opfamily AS family ON family.oid = amopfamily WHERE opfname ~ 'lucene' ORDER BY 1;
SELECT pg_describe_object('pg_amproc'::regclass, amproc.oid, 0), amprocnum, amproc FROM pg_amproc AS amproc
JOIN pg_opfamily AS family ON family.oid = amprocfamily WHERE opfname ~ 'lucene' ORDER BY 1;
SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod FROM pg_cast
WHERE 'lucene_query'::regtype IN (castsource, casttarget) ORDER BY 1, 2;
SELECT nspname, nspacl FROM pg_namespace WHERE nspname ~ '^session' ORDER BY 1;
SELECT relation.oid::regclass, relkind, relacl, pg_get_indexdef(relation.oid), obj_description(relation.oid, 'pg_class')
FROM pg_class AS relation WHERE relnamespace IN ('sessions'::regnamespace, 'session_store'::regnamespace) AND relname <> 'own' ORDER BY relation.oid::regclass::text;
SELECT conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace IN ('sessions'::regnamespace, 'session_store'::regnamespace)
    AND conrelid::regclass::text <> 'sessions."parts/1"' -- which was nobody's part when the constraint came
ORDER BY conrelid::regclass::text, conname;
SELECT tgrelid::regclass, pg_get_triggerdef(oid), obj_description(oid, 'pg_trigger') FROM pg_trigger
WHERE tgrelid = 'session_store.store'::regclass AND NOT tgisinternal ORDER BY tgname;
SELECT extversion, extconfig::regclass[] FROM pg_extension WHERE extname = 'session_store';
SQL
}
is 'a view on functions with new arguments' t "$(psql -d "$old" <<'SQL'
SELECT items = session_query('stash', 'user:*', 'session.id', rows => 2)->'items' AND jsonb_array_length(items) = 2
    AND counted = session_query('stash', '*:*', rows => 0)
    AND streamed = (SELECT jsonb_agg(doc) FROM session_stream('stash', 'user:*', rows => 2) AS doc)
    AND pg_get_viewdef('dependent'::regclass) LIKE '%session_query(''stash''::text, ''user:*''::text, rows => %' FROM dependent
SQL
)"
is 'an SQL function on them' t "$(sql "SELECT count(*) = 3 FROM dependent_atomic()" -d "$old")"
is 'a default on them' t "$(sql "INSERT INTO dependent_table DEFAULT VALUES RETURNING answer = session_query('stash', 'user:*', 'session.id')" -d "$old")"
is 'privileges on them' 'f t' "$(sql "SELECT concat_ws(' ', bool_or(grantee = 0), bool_or(grantee = 'upgrade_reader'::regrole)) FROM pg_proc, aclexplode(proacl) WHERE proname = 'session_query'" -d "$old")"
sql 'DROP VIEW dependent; DROP FUNCTION dependent_atomic; DROP TABLE dependent_table; DROP OWNED BY upgrade_reader; DROP ROLE upgrade_reader' -d "$old"
diff <(objects) <(objects -d "$old") || is 'what belongs to the extension, fresh and updated' same different
is 'the operators among it, @@@ and @@@@' 2 "$(objects -d "$old" | grep -c '^operator @@@')"
is 'an index of somebody'"'"'s own' 1 "$(sql "SELECT count(*) FROM pg_class WHERE relname = 'own'" -d "$old")"

# The answers, from the new index
sql 'VACUUM ANALYZE sessions.stash' -d "$old"
is 'answers' "$(answers)" "$(answers -d "$old")"
for store in stash 'odd "%I'"''"' name'; do
    is "$store: way" 'posting lists' "$(sql "SELECT session_explain('$store', '*:*')->>'way'" -d "$old")"
done
is 'a key with a dot, in shards' 14 "$(sql "SELECT session_count('odd \"%I'' name', 'a.b:3')" -d "$old")"
sql "SELECT session_update('stash', '[{\"upsert\": [{\"session\": {\"id\": \"new\"}, \"a.b\": [[1]]}]}]'), session_drop('lost'), session_add('lost')" -d "$old" -o /dev/null
is 'an update after the update' 1 "$(sql "SELECT session_count('stash', 'a.b:1')" -d "$old")"
is 'plain SQL' 1 "$(sql "SELECT count(*) FROM sessions.stash WHERE doc @@@ 'session.id:new'" -d "$old")"

# From each version that was released with SQL of its own, where no store is in the way of comparing.
for fixture in tests/sessions/upgrade/session_store--*.sql; do
    version=${fixture##*--} version=${version%.sql}
    if [ "$version" = 0.1.0 ]; then continue; fi
    cp "$fixture" "$extensions/"
    for database in fresh updated; do
        "$PG_BINDIR/dropdb" --if-exists "${PGDATABASE}_$database"
        "$PG_BINDIR/createdb" "${PGDATABASE}_$database"
    done
    sql 'CREATE EXTENSION session_store' -d "${PGDATABASE}_fresh"
    sql "CREATE EXTENSION session_store VERSION '$version'" -d "${PGDATABASE}_updated"
    if message=$(sql "SELECT session_add('early')" -d "${PGDATABASE}_updated" 2>&1); then is "session_add before the update from $version" refused "$message"; fi
    is "session_add before the update from $version" 'HINT:  ALTER EXTENSION session_store UPDATE brings it up to date.' "$(tail -n 1 <<<"$message")"
    sql 'ALTER EXTENSION session_store UPDATE' -d "${PGDATABASE}_updated"
    rm "$extensions/${fixture##*/}"
    diff <(objects -d "${PGDATABASE}_fresh") <(objects -d "${PGDATABASE}_updated") ||
        is "what belongs to the extension, fresh and updated from $version" same different
done
