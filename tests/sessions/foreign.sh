#!/usr/bin/env bash
# A store on another server as a foreign table: `@@@@` is sent there, where the index answers, and PostgreSQL lets no store have a foreign partition.
. "$(dirname "$0")/lib.sh"
if [ "$(sql "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'")" = 0 ]; then
    echo 'skipped: no postgres_fdw'
    exit
fi
psql -o /dev/null <<END
SELECT session_add(store, key => 'n') FROM unnest('{here,far}'::text[]) AS store;
INSERT INTO sessions.far SELECT n, jsonb_build_object('n', n, 'few', n % 7, 'at', now() - n * interval '1 hour') FROM generate_series(1, 5000) AS n;
INSERT INTO sessions.here SELECT id || 'h', jsonb_build_object('n', id || 'h', 'few', doc->'few') FROM sessions.far;
VACUUM ANALYZE sessions.here, sessions.far;
CREATE EXTENSION postgres_fdw;
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$PGHOST', port '$PGPORT', dbname '$PGDATABASE', extensions 'session_store');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (user '$PGUSER');
CREATE FOREIGN TABLE far (id text COLLATE "C", doc jsonb) SERVER other OPTIONS (schema_name 'sessions', table_name 'far');
CREATE VIEW everywhere AS SELECT id, doc FROM sessions.here UNION ALL SELECT id, doc FROM far;
END
# remote SQL…: what is sent for it
remote() { sql "EXPLAIN (VERBOSE, COSTS off) $1" | sed -n 's/^ *Remote SQL: //p'; }
is 'a count' "SELECT count(*) FROM sessions.far WHERE ((doc OPERATOR(public.@@@@) 'few:3'::public.lucene_query))" "$(remote "SELECT count(*) FROM far WHERE doc @@@@ 'few:3'")"
is 'a page' "SELECT doc FROM sessions.far WHERE ((doc OPERATOR(public.@@@@) 'few:3'::public.lucene_query)) LIMIT 3::bigint" "$(remote "SELECT doc FROM far WHERE doc @@@@ 'few:3' LIMIT 3")"
is 'a deletion' "DELETE FROM sessions.far WHERE ((doc OPERATOR(public.@@@@) 'few:3'::public.lucene_query))" "$(remote "DELETE FROM far WHERE doc @@@@ 'few:3'")"
is 'NOW of this server' "SELECT count(*) FROM sessions.far WHERE ((doc OPERATOR(public.@@@@) \$1::public.lucene_query))" "$(remote "SELECT count(*) FROM far WHERE doc @@@@ (SELECT session_store.at_now('at:[NOW-1DAY TO *]'))")"
is 'all rows' 'SELECT doc FROM sessions.far' "$(remote "SELECT count(*) FROM far WHERE doc @@@ 'few:3'")"
is 'here and there' "SELECT NULL FROM sessions.far WHERE ((doc OPERATOR(public.@@@@) 'few:3'::public.lucene_query))" "$(remote "SELECT count(*) FROM everywhere WHERE doc @@@@ 'few:3'")"
is 'the index, here' "$(sql "EXPLAIN SELECT count(*) FROM everywhere WHERE doc @@@@ 'few:3'" | grep -c LuceneScan)" 1

for query in '*:*' '-*:*' 'few:3' '-few:[2 TO *]' 'n:(17 OR 18)'; do
    is "as there: $query" "$(sql "SELECT session_count('far', '$query')")" "$(sql "SELECT count(*) FROM far WHERE doc @@@@ '$query'")"
    is "everywhere: $query" "$(sql "SELECT session_count('far', '$query') + session_count('here', '$query')")" "$(sql "SELECT count(*) FROM everywhere WHERE doc @@@@ '$query'")"
done
is 'the last day' 23 "$(sql "SELECT count(*) FROM far WHERE doc @@@@ (SELECT session_store.at_now('at:{NOW-1DAY TO *]'))")"
is 'deleted' '714 0' "$(sql "WITH deleted AS (DELETE FROM far WHERE doc @@@@ 'few:3' RETURNING id) SELECT count(*) FROM deleted") $(sql "SELECT session_count('far', 'few:3')")"

# Its primary key keeps a store from having a foreign partition.
refused() { sql "$1" -v VERBOSITY=sqlstate 2>&1 | grep -o '[0-9A-Z]*$' || :; }
sql "SELECT session_add('parts', key => 'n', shards => 2); ALTER TABLE sessions.parts DETACH PARTITION sessions.\"parts/1\"" -o /dev/null
is 'a foreign partition' 42809 "$(refused "CREATE FOREIGN TABLE part PARTITION OF sessions.parts FOR VALUES WITH (MODULUS 2, REMAINDER 1) SERVER other OPTIONS (schema_name 'sessions', table_name 'far')")"
