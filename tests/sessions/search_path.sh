#!/usr/bin/env bash
# The functions mean what they mean on any search_path: everything is called with traps before pg_catalog, behind it, and in pg_temp.
. "$(dirname "$0")/lib.sh"
# session_revoke warns of what PUBLIC may do, too: such a line would be none of the expected ones.
export PGOPTIONS='-c client_min_messages=error'
calls() {
    cat <<'SQL'
SELECT session_add('hostile', key => 'id'), session_add('hostile 2', 'id', 3, 1);
SELECT session_update(store, '[{"upsert": [{"id": 1, "other": 2, "s": "x", "t": "2024-03-31T01:30:00Z"}, {"id": 2, "other": 1, "s": ["y", 5]}, {"id": 3, "other": "new"}, {"id": 4, "other": 4}], "delete": ["4", 5]}]')
FROM (VALUES ('hostile'), ('hostile 2')) AS _ (store);
SELECT session_update('hostile', '[{"upsert": [{"id": 1, "other": 2, "s": "x"}]}]');
SELECT session_count('hostile', 's:x'), session_query('hostile 2', 's:(x y)', sort => 's desc, other asc'), session_stream('hostile', '*:*', 's desc');
SELECT session_query('hostile', '*:*', fl => 'id,o*', "json" => '{"facet": {"a": "sum(other)"}}'), session_stream('hostile 2', '*:*', fl => 's');
SELECT session_facets(store, '*:*', '{"a": {"type": "terms", "field": "s", "facet": {"n": "sum(other)", "d": "unique(id)"}}, "b": {"type": "range", "field": "other", "start": 0, "end": 10, "gap": 5}, "c": {"type": "query", "q": "s:y", "facet": {"p": "percentile(other,50)"}}}')
FROM (VALUES ('hostile'), ('hostile 2')) AS _ (store);
SELECT session_values(store, '*:*', 's', prefix => 'x'), session_stats(store, 'id:*', 'other') FROM (VALUES ('hostile'), ('hostile 2')) AS _ (store);
SELECT session_histogram('hostile', '*:*', 'other', 2::pg_catalog.numeric, 0, 6), session_histogram('hostile 2', '*:*', 't', '1 hour'::pg_catalog.text, 'Europe/Berlin', '2024-03-31', '2024-03-31T03:00:00Z');
SELECT session_paths(store), session_suggest(store, 's', 'X'), session_why(store, '+s:X +other:99'), session_why(store, 's:y', '1') FROM (VALUES ('hostile'), ('hostile 2')) AS _ (store);
SELECT session_grant(store, 'hostile_reader', 'get'), session_revoke(store, 'hostile_reader', 'get') FROM (VALUES ('hostile'), ('hostile 2')) AS _ (store);
SET session_store.load_into = 'hostile';
INSERT INTO session_store.load VALUES ('{"id": 9, "other": 9}'), ('[{"id": 10, "other": 10}]');
SELECT session_explain('hostile', 's:x', 's asc') OPERATOR(pg_catalog.->>) 'way', session_jsonpath('a.b:[1 TO 5]');
SELECT session_store.shard_page(tableoid, '["s:(x y)", "s desc,other", "id", {"*": [0, 5, 1]}, 1000, null]') FROM sessions.hostile WHERE session_store.one_row(id);
SELECT (session_store.shard_page(c, '["*:*", null, null, {}, 1000, null]'))[2] FROM pg_catalog.unnest(ARRAY['sessions."hostile 2"'::pg_catalog.regclass]::pg_catalog.oid[]) AS _ (c);
SELECT session_store.shard_values(tableoid, '*:*', asked, '2024-04-01', 1000000) FROM sessions.hostile, (VALUES ('{"facet": {"a": {"type": "terms", "field": "s", "facet": {"n": "sum(other)"}}}}'), ('{"path": "t"}'), ('{"path": "other", "edges": ["0", "2", "5"]}'), ('{"values": "s"}'), ('{"paths": "", "only_names": false}')) AS _ (asked) WHERE session_store.one_row(id) ORDER BY asked;
SELECT session_store.at_now('t:[NOW-1YEAR TO *]') IS NOT NULL, session_store.identity(doc, 'other'), session_store.sort_key(doc, 's', true), session_store.jsonpath_text('s:x') FROM sessions.hostile ORDER BY id;
SELECT session_suggest('hostile', 's', 'X', 'other:*', 5), session_why('hostile 2', '+s:x +other:[* TO NOW] +u:{a:1 AND b:2}', '2'), session_why('hostile', 's:X OR othr:1 OR t:2024-03-3*');
SELECT doc OPERATOR(public.@@@) 's:x'::pg_catalog.text, doc OPERATOR(public.@@@@) session_store.at_now('s:x') FROM sessions.hostile ORDER BY id;
DO $$ BEGIN PERFORM session_distribute('hostile'); EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
COPY session_store.load FROM STDIN;
{"id": 11, "other": 11}
\.
SELECT name, key, shards, replicas, copies FROM session_list();
SELECT session_key('hostile', 'other'), session_key('hostile 2', 'other');
SELECT id, doc FROM sessions.hostile ORDER BY id;
SELECT id, doc FROM sessions."hostile 2" ORDER BY id;
SELECT session_rename('hostile', 'hostile 3'), session_rename('hostile 2', 'hostile 4');
SELECT session_count('hostile 3', '*:*');
DELETE FROM session_store.store WHERE name OPERATOR(pg_catalog.=) ANY (ARRAY['hostile 3', 'hostile 4']::pg_catalog.text[]);
SELECT session_adopt('hostile 3', 'other'), session_adopt('hostile 4', 'other');
DROP INDEX sessions.hostile_doc_idx;
DROP INDEX sessions."hostile 2_doc_idx";
SELECT session_count('hostile 3', 's:x'), session_query('hostile 4', 's:(x y)', sort => 's desc, other asc'), session_stream('hostile 3', '*:*', 's desc');
SELECT session_explain('hostile 3', 's:x', 's asc') OPERATOR(pg_catalog.->>) 'way';
SELECT session_facets(store, '*:*', '{"a": {"type": "terms", "field": "s"}, "b": "avg(other)"}'), session_values(store, '*:*', 's'), session_stats(store, '*:*', 'other'), session_paths(store), session_why(store, 's:X')
FROM (VALUES ('hostile 3'), ('hostile 4')) AS _ (store);
SELECT session_suggest(store, 's', 'x'), session_histogram(store, '*:*', 'other', 2::pg_catalog.numeric), session_histogram(store, '*:*', 't', '1 day'::pg_catalog.text), session_why(store, 's:y', '2'),
    session_query(store, '*:*', sort => 's desc', fl => 'id', "json" => '{"facet": {"a": "unique(s)"}}') FROM (VALUES ('hostile 3'), ('hostile 4')) AS _ (store);
SELECT session_store.shard_page(c, '["s:x", "s", "id", {"*": [0, 5, 1]}, 1000, null]') FROM pg_catalog.unnest(ARRAY['sessions."hostile 3"'::pg_catalog.regclass]::pg_catalog.oid[]) AS _ (c);
SELECT session_drop('hostile 3'), session_drop('hostile 4');
SQL
}
sql 'CREATE ROLE hostile_reader'
trap 'sql "DROP ROLE hostile_reader"' EXIT
expected=$(psql -f <(calls))
is 'documents stored, and moved' 6 "$(grep -v count <<<"$expected" | grep -cE '^(1|2|new)[|]')"

# The traps work.
psql -v better=better -c 'CREATE SCHEMA better' -f tests/sessions/hostile_path.sql
trap_in() { # PATH, SQL
    local message
    if message=$(psql 2>&1 <<<"SET search_path = $1; $2"); then is "a trap for: $2" sprung "$message"; fi
    is "a trap for: $2" 'ERROR:  fell into a trap:' "$(head -n 1 <<<"${message#psql:*: }" | cut -c 1-25)"
}
trap_in 'in_front, pg_catalog' "SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text"
trap_in 'in_front, pg_catalog' "SELECT lower('A'::pg_catalog.text)"
trap_in 'in_front, pg_catalog' "SELECT 'a'::text"
trap_in 'in_front, pg_catalog' "SELECT count(*) FROM pg_catalog.pg_class"
trap_in 'in_front, pg_catalog' "SELECT '{}'::pg_catalog.jsonb -> 'a'::pg_catalog.text"
trap_in better 'SELECT 1::real = 1'
trap_in better 'SELECT reltuples = -1, nullif(reltuples, -1) FROM pg_class'
trap_in better "SELECT 1::oid = 'pg_class'::regclass"

for path in 'in_front, pg_catalog, public' 'better, public' 'pg_temp, in_front, better, pg_catalog, public'; do
    got=$({ echo "SELECT in_front.lay_in_pg_temp() \\g /dev/null"; echo "SET search_path = $path;"; calls; } | psql 2>&1) ||
        is "calls on search_path $path" 'no trap' "$got"
    is "on search_path $path" "$expected" "$got"
done
# The table is as on any other path.
psql <<<"SET search_path = in_front, pg_catalog, public; SELECT session_add('hostile', 'id'), session_add('hostile 2', 'id', 2);" -o /dev/null
sql "SELECT session_add('plain', 'id')" -o /dev/null
shape="SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attcollation::regcollation, ', ') FROM pg_attribute WHERE attnum > 0 AND attrelid = "
is 'columns' "$(sql "$shape 'sessions.plain'::regclass")" "$(sql "$shape 'sessions.hostile'::regclass")"
checks="SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY conname) FROM pg_constraint WHERE conrelid = "
is 'constraints' "$(sql "$checks 'sessions.plain'::regclass")" "$(sql "$checks 'sessions.hostile'::regclass")"

# Triggers and policies of the user's own see the caller's path, as in plain SQL.
psql -o /dev/null <<'SQL'
CREATE SCHEMA own CREATE TABLE log (id text) CREATE TABLE allowed (id text);
CREATE FUNCTION own.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER note BEFORE INSERT ON sessions.plain FOR EACH ROW EXECUTE FUNCTION own.note();
SET search_path = own, public;
SELECT session_update('plain', '[{"upsert": [{"id": "seen"}]}]');
SQL
is 'what a trigger wrote' seen "$(sql 'SELECT id FROM own.log')"

# The extension is created among traps as well.
copy=${PGDATABASE}_copy
"$PG_BINDIR/createdb" "$copy"
{
    cat tests/sessions/hostile_path.sql
    echo 'SELECT in_front.lay_in_pg_temp() \g /dev/null'
    echo 'CREATE EXTENSION session_store;'
} | psql -d "$copy" -v better=public
