#!/usr/bin/env bash
# What a session remembers of pages that are not all-visible, and of pending lists, holds exactly as long
# as it is true: after each change by another session, committed, aborted or under way, it counts what a
# scan of the table counts under the same snapshot.
. "$(dirname "$0")/lib.sh"

# Two sessions, each answering line by line.
coproc READER { "$PG_BINDIR/psql" -X -q -At -v ON_ERROR_STOP=1 2>&1; }
coproc WRITER { "$PG_BINDIR/psql" -X -q -At -v ON_ERROR_STOP=1 2>&1; } 2>/dev/null
reader_in=${READER[1]} reader_out=${READER[0]} writer_in=${WRITER[1]} writer_out=${WRITER[0]}
ask() {
    printf '%s;\n' "$1" >&"$reader_in"
    IFS= read -r -t 60 answer <&"$reader_out"
}
write() {
    printf '%s;\n\\echo done\n' "$1" >&"$writer_in"
    local line
    while IFS= read -r -t 60 line <&"$writer_out" && [ "$line" != done ]; do :; done
}

counts="SELECT string_agg(session_count('m', q) || CASE WHEN session_count('m', q) = (SELECT count(*) FROM sessions.m WHERE doc @? path) THEN '' ELSE ' WRONG' END, ' ' ORDER BY q)
    FROM (VALUES ('t:1', '\$.t ? (@ == 1)'::jsonpath), ('t:2', '\$.t ? (@ == 2)'), ('t:[1 TO 3]', '\$.t ? (@ >= 1 && @ <= 3)'), ('-t:1', '\$ ? (!exists(@.t ? (@ == 1)))'), ('*:*', '\$'), ('t:1 AND g:2', '\$ ? (@.t == 1 && @.g == 2)'), ('id:77', '\$.id ? (@ == 77)'), ('id:[100 TO 4000]', '\$.id ? (@ >= 100 && @ <= 4000)'), ('id:[100 TO 4000] -t:1', '\$ ? (@.id >= 100 && @.id <= 4000 && !exists(@.t ? (@ == 1)))')) AS v (q, path)"
# Three times: the first look, what is remembered after it, and what is remembered of that.
check() {
    local turn first
    for turn in 1 2 3; do
        ask "$counts"
        [[ $answer != *WRONG* && $answer = *' '* ]] || is "$1, turn $turn" 'as the table' "$answer"
        is "$1, turn $turn" "${first:=$answer}" "$answer"
    done
    printf '%-60s %s\n' "$1" "$answer"
}
different() { # WHAT BEFORE: that the change showed at all
    [ "$2" != "$answer" ] || is "$1" 'another count' "$answer"
}

for memory in 16MB 64kB 0; do
    write "SELECT session_drop(name) FROM session_list()"
    write "SELECT session_add('m', key => 'id')"
    write "ALTER TABLE sessions.m SET (autovacuum_enabled = off)"
    write "INSERT INTO sessions.m SELECT i::text, jsonb_build_object('id', i, 't', i % 6, 'g', i % 5, 'pad', repeat('x', 300)) FROM generate_series(1, 5000) AS i"
    write "VACUUM ANALYZE sessions.m"
    printf "SET enable_indexscan = off; SET enable_bitmapscan = off; SET session_store.changes_memory = '$memory';\n" >&"$reader_in"
    check "all-visible, with $memory"
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 2}' WHERE doc->>'t' = '1' AND doc->>'g' = '0'"
    check 'updated'
    before=$answer
    # Pages with more rows than any page had before, first met by who counts all documents.
    ask "SELECT session_count('m', '*:*')"
    write "INSERT INTO sessions.m SELECT i::text, jsonb_build_object('id', i) FROM generate_series(40001, 40500) AS i"
    ask "SELECT session_count('m', '*:*'), (SELECT count(*) FROM sessions.m)"
    is "many rows on a page, with $memory" '5500|5500' "$answer"
    check 'many rows on a page'
    before=$answer
    # The page's LSN is that of the update; the commit changes it no more. Only the transaction's number
    # says that the reader has yet to look again.
    write 'BEGIN'
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 1}' WHERE doc->>'t' = '2' AND doc->>'g' = '0'"
    check 'a transaction under way'
    is 'unseen' "$before" "$answer"
    write 'COMMIT'
    check 'committed'
    different 'committed' "$before"
    before=$answer
    write 'BEGIN'
    write "SAVEPOINT s"
    write "DELETE FROM sessions.m WHERE doc->>'g' = '2'"
    check 'a subtransaction under way'
    write "ROLLBACK TO s"
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 5}' WHERE doc->>'g' = '3'"
    write 'COMMIT'
    check 'a subtransaction aborted, and another change committed'
    different 'committed' "$before"
    before=$answer
    # Whoever only locks rows changes nothing.
    write 'BEGIN'
    write "SELECT count(*) FROM (SELECT FROM sessions.m WHERE doc->>'g' = '1' FOR UPDATE) AS locked"
    check 'locked rows'
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 1}' WHERE doc->>'g' = '1'"
    write 'ROLLBACK'
    check 'rolled back'
    is 'rolled back' "$before" "$answer"
    # A page that is known changes.
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 1}' WHERE id = '77'"
    check 'one row'
    write "DELETE FROM sessions.m WHERE id = '77'"
    check 'deleted'
    different 'deleted' "$before"
    before=$answer
    write "SELECT session_update('m', '[{\"upsert\": [{\"id\": 77, \"t\": 1, \"g\": 2}, {\"id\": 9001, \"t\": 2}]}]')"
    check 'pending'
    different 'pending' "$before"
    write "SELECT gin_clean_pending_list('sessions.m_doc_idx')"
    check 'merged'
    for i in 1 2 3; do write "SELECT session_update('m', '[{\"upsert\": [{\"id\": $((9100 + i)), \"t\": 1}]}]')" && check "pending again, $i"; done
    write "INSERT INTO sessions.m SELECT i::text, jsonb_build_object('id', i, 't', i % 6, 'g', i % 5) FROM generate_series(20001, 20400) AS i"
    check 'pages of pending entries'
    # An older snapshot goes on seeing what it saw, while a newer one remembers otherwise.
    ask 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1'
    check 'an old snapshot'
    before=$answer
    write "DELETE FROM sessions.m WHERE doc->>'t' = '1'"
    check 'an old snapshot, and rows deleted since'
    is 'an old snapshot' "$before" "$answer"
    # Whoever reads these rows leaves on them that both transactions are committed, as they are for others.
    write "INSERT INTO sessions.m SELECT i::text, jsonb_build_object('id', i, 't', i % 6, 'g', i % 5) FROM generate_series(20401, 20700) AS i"
    write "SELECT count(doc->'t') FROM sessions.m"
    check 'an old snapshot, and hint bits'
    is 'an old snapshot, and hint bits' "$before" "$answer"
    ask 'COMMIT; SELECT 1'
    check 'a new snapshot'
    different 'a new snapshot' "$before"
    # A cursor looks at one page with its older snapshot. What was seen so holds for no other query.
    ask "BEGIN; DECLARE c CURSOR FOR SELECT session_count('m', 'id:78'); SELECT 1"
    write "DELETE FROM sessions.m WHERE id = '78'"
    check 'deleted since a cursor was opened'
    before=$answer
    ask 'FETCH c'
    is 'a cursor' 1 "$answer"
    check 'a cursor has looked'
    is 'a cursor has looked' "$before" "$answer"
    ask 'COMMIT; SELECT 1'
    ask "BEGIN; DELETE FROM sessions.m WHERE doc->>'t' = '2'; SELECT 1"
    check 'own changes'
    ask 'ROLLBACK; SELECT 1'
    check 'own changes taken back'
    write 'VACUUM sessions.m'
    check 'vacuumed'
    write "INSERT INTO sessions.m SELECT i::text, jsonb_build_object('id', i, 't', 1, 'g', 2) FROM generate_series(30001, 30900) AS i"
    check 'places used again'
    # A row without a document is no document.
    write "ALTER TABLE sessions.m ALTER doc DROP NOT NULL"
    check 'nulls are possible'
    before=$answer
    write "INSERT INTO sessions.m SELECT 'null' || i FROM generate_series(1, 300) AS i"
    check 'rows without a document'
    is 'rows without a document' "$before" "$answer"
    write "UPDATE sessions.m SET doc = NULL WHERE doc->>'t' = '3'"
    check 'documents taken away'
    different 'documents taken away' "$before"
    write "DELETE FROM sessions.m WHERE doc IS NULL"
    write "ALTER TABLE sessions.m ALTER doc SET NOT NULL"
    # Some pages of many become all-visible, and others stop being so.
    write 'VACUUM sessions.m'
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 4}' WHERE id IN ('100', '2000', '4000')"
    check 'three pages'
    write 'VACUUM FULL sessions.m'
    check 'rewritten'
    write 'TRUNCATE sessions.m'
    write "INSERT INTO sessions.m SELECT i::text, jsonb_build_object('id', i, 't', i % 3, 'g', 2) FROM generate_series(1, 900) AS i"
    check 'filled anew'
    before=$answer
    # Index entries lead to the first of two versions on one page, and that is over.
    for i in 1 2; do
        write "UPDATE sessions.m SET id = id WHERE id = '900'"
        write "SELECT count(doc->'t') FROM sessions.m"
        check "a HOT chain of $((i + 1))"
        is 'a HOT chain' "$before" "$answer"
    done
    write 'ALTER TABLE sessions.m SET UNLOGGED'
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 2}' WHERE id < '2'"
    check 'unlogged'
    write "UPDATE sessions.m SET doc = doc || '{\"t\": 1}' WHERE id < '2'"
    check 'unlogged, and changed'
done
