#!/usr/bin/env bash
# lucene_query travels in PostgreSQL's binary formats, and what is read so is checked as text is.
. "$(dirname "$0")/lib.sh"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
psql <<'SQL'
CREATE TABLE alert (id int, q lucene_query, many lucene_query[]);
INSERT INTO alert VALUES (1, 'a AND b', '{a:1,"b : 2"}'), (2, 'größe:"数据"', NULL), (3, NULL, '{}');
INSERT INTO alert SELECT 4, string_agg('id:' || i, ' OR '), array[string_agg('x' || i, ' AND ')::lucene_query] FROM generate_series(1, 5000) AS i;
CREATE TABLE copied (LIKE alert);
SQL
sql "\\copy alert TO '$directory/binary' (FORMAT binary)"
sql "\\copy copied FROM '$directory/binary' (FORMAT binary)"
is 'what was copied' '' "$(sql 'SELECT id FROM (TABLE alert EXCEPT TABLE copied) AS lost')"

# Whatever is sent, what is stored is a query in its canonical form.
sql "\\copy (SELECT 'a && b'::text) TO '$directory/written' (FORMAT binary)"
sql "\\copy copied (q) FROM '$directory/written' (FORMAT binary)"
is 'the canonical form' '+a +b' "$(sql "SELECT q FROM copied WHERE id IS NULL")"
for wrong in "'a:['::text" "decode('ff', 'hex')" "decode('6100', 'hex')" "decode('c3', 'hex')"; do
    sql "\\copy (SELECT $wrong) TO '$directory/wrong' (FORMAT binary)"
    if message=$(sql "\\copy copied (q) FROM '$directory/wrong' (FORMAT binary)" 2>&1); then is "receiving $wrong" refused accepted; fi
    case $message in *'syntax error in query'* | *'invalid byte sequence'*) ;; *) is "receiving $wrong" 'an error that says why' "$message" ;; esac
done

# As drivers ask: parameters that are text, by the extended protocol, in both formats of results
psql <<'SQL'
CREATE TABLE log AS SELECT jsonb_build_object('a', i % 100, 'b', i) AS doc FROM generate_series(1, 5000) AS i;
CREATE INDEX ON log USING gin (doc jsonb_lucene_ops);
VACUUM ANALYZE log;
SQL
is 'a parameter without a type' 50 "$(sql "PREPARE p AS SELECT count(*) FROM log WHERE doc @@@ \$1; EXECUTE p('a : 7')")"
is 'a parameter of type text' 50 "$(sql "PREPARE p(text) AS SELECT count(*) FROM log WHERE doc @@@ \$1; EXECUTE p('a : 7')")"

# A dump restored: the columns, keys, views and plans by text are as they were.
psql <<'SQL'
-- The long query fits no index, and a deleted row is indexed as long as another session may see it.
ALTER TABLE alert RENAME TO alert_with_long;
CREATE TABLE alert AS SELECT * FROM alert_with_long WHERE id <> 4;
ALTER TABLE alert ADD CONSTRAINT alert_q UNIQUE (q);
CREATE INDEX alert_hash ON alert USING hash (q);
CREATE DOMAIN narrow AS lucene_query CHECK (VALUE <> '*:*');
CREATE TABLE words (word text, n narrow DEFAULT 'a && b');
INSERT INTO words VALUES ('a : 7'), ('a:8 OR a:9');
CREATE VIEW counted AS SELECT word, n, (SELECT count(*) FROM log WHERE doc @@@ word) AS count, word = n AS same FROM words;
SQL
copy=${PGDATABASE}_copy
"$PG_BINDIR/createdb" "$copy"
"$PG_BINDIR/pg_dump" -Fc "$PGDATABASE" | "$PG_BINDIR/pg_restore" --exit-on-error -d "$copy"
for what in 'TABLE alert ORDER BY q' 'TABLE counted ORDER BY word' "SELECT pg_get_viewdef('counted')" \
    "SELECT indexdef FROM pg_indexes WHERE tablename = 'alert' ORDER BY 1"; do
    is "restored: $what" "$(sql "$what")" "$(sql "$what" -d "$copy")"
done
is 'counts' 'a : 7 50,a:8 OR a:9 100' "$(sql "SELECT string_agg(word || ' ' || count, ',' ORDER BY word) FROM counted" -d "$copy")"
if sql "INSERT INTO alert (q) VALUES ('a && b')" -d "$copy" 2>/dev/null; then is 'unique in the copy' refused accepted; fi
