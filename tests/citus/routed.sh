#!/usr/bin/env bash
# A query for one identity asks only the shard of it, and is answered as on one server.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<'END'
CREATE TABLE identity (id jsonb);
INSERT INTO identity SELECT to_jsonb(n) FROM generate_series(-5, 300) AS n;
INSERT INTO identity VALUES ('2.5'), ('-0.05'), ('2002'), ('1704067200000'), ('12345678901234567890123'), ('1e25'), ('0.10'),
    ('"2002.0"'), ('"2e3"'), ('2000'), ('"02002"'), ('"+7"'), ('"7.0"'), ('"-0"'), ('"1e99999"'), ('"true"'), ('"false"'), ('"null"'), ('""'), ('" "'), ('"x"'), ('"X"'), ('"x y"'), ('"x*"'), ('"xy"'),
    ('"Ä: b"'), ('"it''s"'), ('"a\\b"'), ('"\"q\""'), ('"$1"'), ('"2024"'), ('"2024-01"'), ('"2024-01-01"'), ('"2024-01-01T00:00:00Z"'), ('"2024-01-01T00:00:00.000Z"'),
    ('"2024-01-01T01:00:00+01:00"'), (to_jsonb(repeat('x', 2500)));
SELECT session_add(store, key => 's.id') FROM unnest('{here,there,old}'::text[]) AS store;
ALTER TABLE sessions.old DROP CONSTRAINT session_identity, ADD CHECK (jsonb_typeof(doc) = 'object'), ADD CONSTRAINT session_identity CHECK (id = session_store.identity(doc, 's.id'));
INSERT INTO sessions.here
SELECT session_store.identity(doc, 's.id'), doc || jsonb_build_object('few', n % 3, 'n', n, 'at', timestamptz '2024-01-01Z' + n * interval '1 day', 'other', id)
FROM (SELECT id, row_number() OVER () AS n FROM identity) AS numbered,
    LATERAL (SELECT CASE n % 4 WHEN 0 THEN jsonb_build_object('s.id', id) WHEN 1 THEN jsonb_build_object('s', jsonb_build_object('id', jsonb_build_array(id)))
        WHEN 2 THEN jsonb_build_object('s', jsonb_build_array(1, jsonb_build_object('id', id, 'x', n), NULL)) ELSE jsonb_build_object('s', jsonb_build_object('id', id, 'x', n)) END AS doc) AS made;
INSERT INTO sessions.here VALUES ('none', '{"few": 1, "n": 1}'), ('7 or none', '{"s": {"id": {}}, "few": 1}'), ('below', '{"s": {"id": {"id": 7}}}'), ('elsewhere', '{"other": 7, "s": {"s": {"id": 7}}}');
INSERT INTO sessions.there TABLE sessions.here;
INSERT INTO sessions.old TABLE sessions.here;
INSERT INTO sessions.old VALUES ('astray', '{"s": {"id": [7, 8]}}'), ('astray, too', '{"s": {"id": [true, 7]}}'), ('true or not', '{"s": {"id": true}}');
VACUUM ANALYZE sessions.here;
END
distribute there 8
distribute old 8
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# How many shards are asked, and the query.
x=$(printf 'x%.0s' {1..2500})
cat >"$scratch/queries" <<END
1 s.id:7
1 s.id:"7"
1 s.id:"-5"
1 s.id:\\-5
1 s.id:"-0.05"
1 s.id:2.5
1 s.id:0.1
8 s.id:0.10
1 s.id:2002
8 s.id:2002.0
8 s.id:"2002.0"
1 s.id:2000
8 s.id:2e3
8 s.id:02002
8 s.id:"+7"
8 s.id:7.0
8 s.id:"-0"
1 s.id:0
8 s.id:1e99999
8 s.id:1e25
1 s.id:10000000000000000000000000
1 s.id:12345678901234567890123
1 s.id:true
1 s.id:false
1 s.id:null
1 s.id:""
1 s.id:" "
1 s.id:x
1 s.id:X
1 s.id:"x y"
1 s.id:x\\ y
1 s.id:x\\*
1 s.id:"x*"
8 s.id:x*
8 s.id:x?
8 s.id:x~
8 s.id:/x/
8 s.id:*
8 s.id:[7 TO 7]
1 s.id:>=7
1 s.id:"Ä: b"
1 s.id:\\u00c4\\:\\ b
1 s.id:"it's"
1 s.id:"a\\\\b"
1 s.id:"\\"q\\""
1 s.id:"\$1"
8 s.id:NOW
8 s.id:"NOW-1DAY"
8 s.id:"2024-01"
8 s.id:"2024-01-01T00:00:00Z"
8 s.id:"2024-01-01T00:00:00.000Z"
1 s.id:2024
1 s.id:1704067200000
1 s.id:$x
8 s.id:${x}x
1 s.id:nowhere
1 s\\.id:7
1 s.id:7^2
1 (s.id:x)^=3
1 +s.id:7
1 filter(s.id:7)
1 filter(s.id:7 AND few:1)
1 {!term f=s.id}x y
1 {!terms f=s.id}7
8 {!terms f=s.id}7,8
1 _query_:"s.id:7"
1 {!lucene}s.id:7
1 s.id:7 AND few:*
1 few:* AND s.id:7 AND NOT n:[0 TO 5]
1 s.id:(+7 +7)
1 +s.id:7 +s.id:8
1 +s.id:7 +s.id:2002.0
1 +s.id:7 s.id:8 few:1
1 s.id:7 AND -s.id:7
1 s.id:7 AND (few:0 few:1 few:2)
1 s:{id:7 AND x:*}
1 s:{id:7}
8 s:{x:7}
8 few:{s.id:7}
8 s.id:(7 8)
8 s.id:7 s.id:8
8 s.id:7 few:1
8 -s.id:7
8 *:* -s.id:7
8 few:1 AND NOT s.id:7
8 (few:1 AND s.id:7) n:2
8 other:7
8 s.s.id:7
8 s:7
8 7
8 *:*
8 -*:*
END

# differences: the queries that are not answered as on one server
differences() {
    psql <<END
SET client_min_messages = error;
CREATE TEMP TABLE asked (line serial, query text);
\\copy asked (query) FROM PROGRAM 'cut -d " " -f 2- $scratch/queries' WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')
CREATE FUNCTION pg_temp.ask(store text, q text) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
    RETURN pg_catalog.jsonb_build_array(
        session_count(store, q),
        (SELECT pg_catalog.jsonb_build_array(a->'count', (SELECT jsonb_agg(doc ORDER BY doc) FROM jsonb_array_elements(a->'items') AS doc)) FROM session_query(store, q, rows => 10000) AS a),
        session_query(store, q, sort => 'few desc, n, other', start => 1, rows => 7, fl => 'n, s.id'),
        session_query(store, q, sort => 'n desc, other', start => 150, rows => 20),
        session_query(store, q, rows => 0, json => '{"facet": {"f": {"type": "terms", "field": "few", "missing": true, "numBuckets": true, "facet": {"s": "sum(n)", "u": "unique(s.id)"}}}}'),
        (SELECT jsonb_agg(doc ORDER BY doc) FROM session_stream(store, q) AS doc),
        (SELECT jsonb_agg(doc) FROM session_stream(store, q, sort => 'n, other', rows => 5, fl => 'n') AS doc),
        (SELECT jsonb_agg(v) FROM session_values(store, q, 'few') AS v),
        session_facets(store, q, '{"f": {"type": "terms", "field": "few", "mincount": 0}}'),
        session_stats(store, q, 'n'), session_stats(store, q, 's.id'),
        (SELECT jsonb_agg(h) FROM session_histogram(store, q, 'at', '1 month') AS h),
        (SELECT jsonb_agg(s) FROM session_suggest(store, 's.id', 'x', q) AS s),
        session_why(store, q) - 'way', session_why(store, q, '7') - 'way');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || SQLERRM;
END \$\$;
SELECT left(query, 60), left(here, 300), left(there, 300) FROM asked, pg_temp.ask('here', query) AS here, pg_temp.ask('there', query) AS there
WHERE here IS DISTINCT FROM there OR here !~ '^\\[' ORDER BY line;
SELECT count(*) FROM asked;
END
}
lines=$(wc -l <"$scratch/queries")
is 'the same answers' "$lines" "$(differences)"

# asked STORE CALL: the queries of which a call with STORE and QUERY asks another number of shards
asked() {
    local line=0
    while read -r shards query; do
        line=$((line + 1))
        printf '\\warn asked %s %s\nSELECT %s;\n' "$shards" "$line" "$(sed "s/STORE/'$1'/; s/QUERY/\$query\$${query//[\/&\\]/\\&}\$query\$/" <<<"$2")"
    done <"$scratch/queries" >"$scratch/calls"
    PGOPTIONS='-c citus.log_remote_commands=on -c session_store.notices=off' psql -o /dev/null -f "$scratch/calls" 2>&1 | awk -v store="$1" '
        function tell() { if (wanted != "" && wanted != asked) print asked " shards of line " line }
        $1 == "asked" { tell(); wanted = $2; line = $3; asked = 0 }
        /issuing/ && $0 ~ "sessions." store "_[0-9]+" { asked++ }
        /ERROR/ { print }
        END { tell(); print line, "asked" }'
}
for call in 'session_count(STORE, QUERY)' 'session_query(STORE, QUERY)' "session_stream(STORE, QUERY, rows => 5)" "session_facets(STORE, QUERY, '{\"n\": \"sum(n)\"}')" "session_values(STORE, QUERY, 'few')"; do
    is "shards asked by $call" "$lines asked" "$(asked there "$call")"
done
is 'explained' '1 1 shards' "$(sql "SELECT e->>'shards', e->>'count', e->'facets'->>'way' FROM session_explain('there', 's.id:7', json => '{\"facet\": {\"n\": \"sum(n)\"}}') AS e" -F ' ')"
is 'one task' 1 "$(sql "EXPLAIN SELECT session_store.shard_page(tableoid, '[\"s.id:7\", null, null, {}, 0, null]') FROM sessions.there WHERE id = '7' AND session_store.one_row(id)" | grep -c 'Task Count: 1$')"
for n in 1 2; do # some of these shards are there
    is 'on a worker' '20 20 20 1' "$(worker $n sql "SELECT sum(session_count('there', q)), sum((session_query('there', q)->'count')::int), sum((session_stats('there', q, 'n')->'documents')::int),
        max(session_explain('there', q)->>'shards') FROM generate_series(1, 20) AS n, concat('s.id:', n) AS q" -F ' ')"
done
is 'all paths' "$(sql "SELECT count(*) FROM session_paths('here')")" "$(sql "SELECT count(*) FROM session_paths('there')")"

# Written in the transaction, with another key, too
is 'own writes' $'0\n1\n0 1\n1 1\n1' "$(psql -F ' ' <<'END'
BEGIN;
SELECT session_count('there', 's.id:new');
INSERT INTO sessions.there VALUES ('new', '{"s": {"id": "new"}, "k": "k of new"}');
SELECT session_count('there', 's.id:new');
DELETE FROM sessions.there WHERE id <> 'new';
UPDATE sessions.there SET doc = '{"s": {"id": "new"}, "k": 5}';
SELECT session_key('there', 'k') \g /dev/null
SELECT session_count('there', 's.id:newer'), session_count('there', 's.id:new');
SELECT session_count('there', 'k:5'), session_explain('there', 'k:5')->>'shards';
ROLLBACK;
SELECT session_count('there', 's.id:7');
END
)"

# A reader of one column, and one who sees no document
psql -o /dev/null <<'END'
SET client_min_messages = warning;
CREATE ROLE routed_column LOGIN; CREATE ROLE routed_tenant LOGIN;
GRANT SELECT (doc) ON sessions.here, sessions.there TO routed_column;
GRANT SELECT ON sessions.here, sessions.there TO routed_tenant;
END
ask() { PGUSER=$1 sql "SELECT session_count('$2', 's.id:7'), session_query('$2', 's.id:7', sort => 'n'), session_stats('$2', 's.id:7', 'n'), (SELECT jsonb_agg(doc) FROM session_stream('$2', 's.id:7') AS doc)" 2>&1; }
for reader in routed_column routed_tenant; do is "$reader" "$(ask $reader here)" "$(ask $reader there)"; done
for store in here there; do
    psql -o /dev/null -c "CREATE POLICY tenant ON sessions.$store TO routed_tenant USING ((doc->>'few')::int >= 0 AND id <> '7')" -c "ALTER TABLE sessions.$store ENABLE ROW LEVEL SECURITY"
done
is 'a tenant' "$(ask routed_tenant here)" "$(ask routed_tenant there)"
is 'sees nothing' 0 "$(PGUSER=routed_tenant sql "SELECT session_count('there', 's.id:7')")"
sql 'ALTER TABLE sessions.there DISABLE ROW LEVEL SECURITY'
sql 'DROP OWNED BY routed_column, routed_tenant; DROP ROLE routed_column, routed_tenant' -o /dev/null 2>&1 || :

# Under the constraint of 0.5.0, a document with two values at the key may lie anywhere.
count() { sql "SELECT session_count('$1', '$2'), session_explain('$1', '$2')->>'shards'" -F ' '; }
is 'the old constraint' '3 8' "$(count old s.id:7)"
is 'true' '3 8' "$(count old s.id:true)"
is 'documents that have no identity are named' 1 "$(sql "SELECT session_key('old', 's.id')" 2>&1 | grep -c 'astray, too' || :)"
sql "DELETE FROM sessions.old WHERE session_store.identity(doc, 's.id') IS NULL" -o /dev/null
is 'still the old one' '1 8' "$(count old s.id:7)"
sql "SELECT session_key('old', 's.id')" -o /dev/null
is 'the new constraint' '1 1' "$(count old s.id:7)"
is 'plain SQL' 23514 "$(sql "INSERT INTO sessions.old VALUES ('astray', '{\"s\": {\"id\": [7, 8]}}')" -v VERBOSITY=sqlstate 2>&1 | grep -o '[0-9]*$')"
sql "ALTER TABLE sessions.old DROP CONSTRAINT session_identity"
is 'without one' '1 8' "$(count old s.id:7)"
sql "INSERT INTO sessions.old VALUES ('astray', '{\"s\": {\"id\": [7, 8]}}')" -o /dev/null
sql "ALTER TABLE sessions.old ADD CONSTRAINT session_identity CHECK (session_store.is_session(id, doc, 's.id')) NOT VALID"
is 'not valid' '2 8' "$(count old s.id:7)"
