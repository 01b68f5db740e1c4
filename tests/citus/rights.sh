#!/usr/bin/env bash
# Who reads a distributed store sees what the privileges and policies of its table allow, on every way.
. "$(dirname "$0")/lib.sh"
twins
psql -o /dev/null <<'END'
SET client_min_messages = warning;
CREATE ROLE citus_reader LOGIN; CREATE ROLE citus_tenant LOGIN; CREATE ROLE citus_stranger LOGIN; CREATE ROLE citus_column LOGIN;
GRANT USAGE ON SCHEMA sessions TO citus_reader, citus_tenant, citus_stranger, citus_column;
GRANT SELECT ON sessions.here, sessions.there TO citus_reader, citus_tenant;
GRANT SELECT (doc) ON sessions.here, sessions.there TO citus_column;
END
as() { PGUSER=$1 "${@:2}"; }
ask() { sql "SELECT session_count('$1', 'few:[2 TO 4]'), session_query('$1', 'few:*', sort => 'few, _number_', start => 10), session_query('$1', '*:*', rows => 0),
    session_facets('$1', 'few:*', '{\"f\": {\"type\": \"terms\", \"field\": \"few\", \"facet\": {\"s\": \"sum(_number_)\"}}}'), session_stats('$1', '*:*', 'few'), (SELECT jsonb_agg(v) FROM session_values('$1', '*:*', 'few') AS v)"; }
is 'a reader' "$(as citus_reader ask here)" "$(as citus_reader ask there)"
is 'a reader of one column' "$(as citus_column ask here)" "$(as citus_column ask there)"
# refused WHAT CODE COMMAND…
refused() { # WHAT CODE COMMAND…
    local said
    said=$("${@:3}" -v VERBOSITY=sqlstate 2>&1) && is "$1" refused "$said"
    case $said in *"$2"*) ;; *) is "$1" "$2" "$said" ;; esac
}
for call in "session_count('there', '*:*')" "session_query('there', '*:*')" "session_stream('there', '*:*')" "session_facets('there', '*:*', '{\"n\": \"sum(few)\"}')"; do
    refused "a stranger: $call" 42501 as citus_stranger sql "SELECT $call"
done

# The functions of the fan-out read nothing that their caller may not read, on the workers either.
shard=$(worker 1 sql "SELECT min(oid::regclass::text) FROM pg_class WHERE relname ~ '^there_[0-9]+$'")
all='["*:*", null, null, {"*": [0, 2, 1]}, 100000, null]'
page="session_store.shard_page('$shard'::regclass, '$all')"
is 'a reader on a worker' 2 "$(as citus_reader worker 1 sql "SELECT count(document::jsonb) FROM unnest(($page)[7:]) AS document")"
refused 'a stranger on a worker' 42501 as citus_stranger worker 1 sql "SELECT $page"
worker 1 sql "SET citus.enable_ddl_propagation = off; CREATE SCHEMA closed; CREATE TABLE closed.t (id text, doc jsonb); GRANT SELECT ON closed.t TO public" -o /dev/null
refused 'a schema that is closed' 42501 as citus_reader worker 1 sql "SELECT session_store.shard_page((SELECT oid FROM pg_class WHERE relname = 't' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'closed')), '$all')"
refused 'values of no table' 42P01 sql "SELECT session_store.shard_values(1, '*:*', '{\"path\": \"few\"}', now(), 100)"
refused 'no table' 42P01 sql "SELECT session_store.shard_page(1, '$all')"
refused 'no window' 22023 sql "SELECT session_store.shard_page('sessions.here'::regclass, '[\"*:*\", null, null, [1], 0, null]')"
refused 'a negative window' 22023 sql "SELECT session_store.shard_page('sessions.here'::regclass, '[\"*:*\", null, null, {\"*\": [-1, 0]}, 0, null]')"
is 'one row' here "$(sql 'SELECT tableoid::regclass FROM sessions.here WHERE session_store.one_row(id)' | sed 's/^sessions\.//')"
refused 'one row and another condition' 0A000 sql "SELECT FROM sessions.here WHERE session_store.one_row(id) AND doc @@@ 'few:3'"
refused 'one row to delete' 0A000 sql "DELETE FROM sessions.here WHERE session_store.one_row(id)"
refused 'one row to lock' 0A000 sql "SELECT FROM sessions.here WHERE session_store.one_row(id) FOR UPDATE"
refused 'one row elsewhere' 0A000 sql "SELECT session_store.one_row(id) FROM sessions.here"

# Row-level security: of the store, and of its shards.
psql -o /dev/null <<'END'
CREATE FUNCTION tenant(doc jsonb) RETURNS boolean STABLE LANGUAGE sql AS $$ SELECT (doc->>'few')::int <= 3 $$;
END
for store in here there; do
    psql -o /dev/null -c "CREATE POLICY tenant ON sessions.$store TO citus_tenant USING ((doc->>'few')::int <= 3); CREATE POLICY reader ON sessions.$store TO citus_reader USING (true)" \
        -c "ALTER TABLE sessions.$store ENABLE ROW LEVEL SECURITY"
done
is 'a tenant' "$(as citus_tenant ask here)" "$(as citus_tenant ask there)"
is 'only its own' 't' "$(as citus_tenant sql "SELECT bool_and((doc->>'few')::int <= 3) AND count(*) > 1000 FROM session_stream('there', '*:*') AS doc")"
is 'a reader under a policy that shows all' "$(as citus_reader ask here)" "$(as citus_reader ask there)"
is 'a tenant on a worker' t "$(as citus_tenant worker 1 sql "
    SELECT page[2]::int = (SELECT count(*) FROM $shard) AND page[2]::int > 100 AND page[6] LIKE '%row-level%'
    FROM $page AS page")"
psql -c 'DROP POLICY tenant ON sessions.there' -c "CREATE POLICY tenant ON sessions.there TO citus_tenant USING (false)" -o /dev/null
is 'a tenant of nothing' '0 {"count": 0, "items": []}' "$(as citus_tenant sql "SELECT session_count('there', '*:*'), session_query('there', '*:*')" -F ' ')"
