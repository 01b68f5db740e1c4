#!/usr/bin/env bash
# Documents of a megabyte, of 10,000 leaves and of an array of 100,000 elements are found by each of their ends; and paths that share a
# hash in the index do not answer for each other.
. "$(dirname "$0")/lib.sh"
sql "SELECT session_add('large', 'id')" -o /dev/null
psql <<'SQL'
CREATE TABLE other (doc jsonb, id text GENERATED ALWAYS AS (doc->>'id') STORED);
CREATE INDEX ON other USING gin (doc jsonb_lucene_ops);
SQL

# Counts by the operator, by the index of a table, and by a store with its items and in an order; one line a query
agree() { # QUERY COUNT
    psql -v q="$1" >"$work" <<'END'
\set ECHO errors
SELECT session_count('large', :'q'), session_query('large', :'q', rows => 0)->'count', (SELECT count(*) FROM sessions.large WHERE session_store.lucene_match(doc, :'q')),
    (SELECT count(*) FROM session_stream('large', :'q')), (SELECT count(*) FROM session_stream('large', :'q', sort => 'size desc, id'));
SET enable_seqscan = off;
SELECT count(*) FROM other WHERE doc @@@ :'q';
END
    is "$1" "$2|$2|$2|$2|$2 $2" "$(xargs <"$work")"
}
work=$(mktemp "${TMPDIR:-/tmp}/session_store.XXXXXX")
trap 'rm -f "$work"' EXIT
# insert EXPRESSION: one document, pending first and then in the tree
insert() {
    sql "INSERT INTO other SELECT $1; SELECT session_update('large', jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array($1))))" -o /dev/null
}
merge() { sql 'VACUUM other, sessions.large'; }

insert "jsonb_build_object('id', 'string', 'size', 1, 'text', repeat('abcdefgh', 131072))"
insert "jsonb_build_object('id', 'words', 'size', 2, 'words', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 30000) AS i))"
insert "jsonb_build_object('id', 'leaves', 'size', 3, 'leaf', (SELECT jsonb_object_agg('k' || i, i) FROM generate_series(1, 10000) AS i))"
insert "jsonb_build_object('id', 'array', 'size', 4, 'array', (SELECT jsonb_agg(i) FROM generate_series(1, 100000) AS i))"
insert "jsonb_build_object('id', 'objects', 'size', 5, 'list', (SELECT jsonb_agg(jsonb_build_object('a', i, 'b', jsonb_build_object('c', 'v' || i))) FROM generate_series(1, 10000) AS i))"
insert "jsonb_build_object('id', 'key', 'size', 6, repeat('long', 300), 1, repeat('long', 299) || 'lung', 2)"
for _ in pending tree; do
    agree '*:*' 6
    agree 'text:abcdefgh*' 1
    agree 'text:*efgh' 1
    agree 'text:*efg' 0
    agree "text:$(printf 'abcdefgh%.0s' {1..100})" 0
    agree "text:[$(printf 'abcdefgh%.0s' {1..100}) TO *]" 1
    agree "text:[$(printf 'abcdefgh%.0s' {1..100})i TO *]" 0
    for i in 1 15000 30000; do
        agree "words:$(printf %s $i | md5sum | cut -c1-32)" 1
        agree "$(printf %s $i | md5sum | cut -c1-32)" 1
    done
    agree "words:$(printf %s 30001 | md5sum | cut -c1-32)" 0
    agree 'leaf.k1:1' 1
    agree 'leaf.k10000:10000' 1
    agree 'leaf.k9999:[9999 TO *]' 1
    agree 'leaf.k9999:{9999 TO *]' 0
    agree 'leaf.k10001:*' 0
    agree 'leaf:*' 1
    agree 'array:100000' 1
    agree 'array:[100000 TO *]' 1
    agree 'array:{100000 TO *]' 0
    agree 'array:1 AND array:50000 -array:100001' 1
    agree 'list.b.c:v10000 AND list.a:1' 1
    agree 'list.b.c:/v1000[12]/' 0
    agree 'list.b.c:v10002~1 NOT id:none' 1
    agree '100000' 1
    agree '10000' 3
    agree "$(printf 'long%.0s' {1..300}):1" 1
    agree "$(printf 'long%.0s' {1..300}):2" 0
    agree "$(printf 'long%.0s' {1..299})lung:2" 1
    agree "$(printf 'long%.0s' {1..299})lang:*" 0
    merge
done
sql "DELETE FROM sessions.large WHERE id <> 'array'; DELETE FROM other WHERE id <> 'array'"
agree '*:*' 1
agree 'words:* OR leaf:* OR text:*' 0
sql 'DELETE FROM sessions.large; DELETE FROM other'
merge

# Two paths each of one hash (key.rs): alone, one would be taken for the other.
for pair in ecdy:kybn ilxy:lgqn cpqe:ohok; do
    one=${pair%:*} two=${pair#*:}
    for i in 1 2 3; do
        insert "jsonb_build_object('id', '$one$i', 'size', $i, '$one', $i)"
        insert "jsonb_build_object('id', '$two$i', 'size', 10 - $i, '$two', $i * 10, '$pair', 'x')"
    done
    insert "jsonb_build_object('id', '${one}4', 'size', 4, '$one', 'text', '$two', true)"
    insert "jsonb_build_object('id', '$two$one', 'size', 0, 'in', jsonb_build_object('$two', 1))"
done
for _ in pending tree; do
    for pair in ecdy:kybn ilxy:lgqn cpqe:ohok; do
        one=${pair%:*} two=${pair#*:}
        agree "$one:*" 4
        agree "$two:*" 4
        agree "$one:1" 1
        agree "$two:1" 0
        agree "$one:10" 0
        agree "$two:10" 1
        agree "$one:[* TO *]" 4
        agree "$two:[0 TO 100]" 3
        agree "$one:[0 TO 100]" 3
        agree "$one:t*" 1
        agree "$two:t*" 0
        agree "$two:true" 1
        agree "$one:true" 0
        agree "$one:/.*/" 1
        agree "$two:text~" 0
        agree "-$one:1" 23
        agree "-$two:1" 24
        agree "-$one:[1 TO 2] -$two:[10 TO 20]" 20
        agree "+$one:3 -$two:3" 1
        for sort in "$one asc" "$one desc" "$two asc" "$two desc" "$two asc, $one desc"; do
            path=${sort%% *} direction=${sort#* } direction=${direction%%,*}
            largest=$([ "$direction" = desc ] && echo true || echo false)
            # Few rows are sorted when all of them were read, and a window of many comes from the index: both are asked.
            is "sort $sort" "$(sql "SELECT string_agg(coalesce(session_store.sort_key(doc, '$path', $largest)::text, '-'), ' '
                    ORDER BY session_store.sort_key(doc, '$path', $largest) $direction NULLS LAST) FROM sessions.large")" \
                "$(sql "SELECT string_agg(coalesce(session_store.sort_key(doc, '$path', $largest)::text, '-'), ' ' ORDER BY n) FROM session_stream('large', '*:*', sort => '$sort') WITH ORDINALITY AS _(doc, n)")"
            is "first of sort $sort" "$(sql "SELECT session_store.sort_key(doc, '$path', $largest) FROM sessions.large ORDER BY 1 $direction NULLS LAST LIMIT 1")" \
                "$(sql "SELECT session_store.sort_key(doc, '$path', $largest) FROM session_stream('large', '*:*', sort => '$sort', rows => 1) AS doc")"
        done
    done
    merge
done
echo 'large documents, and paths of one hash'
