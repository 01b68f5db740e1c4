#!/usr/bin/env bash
# Paths and suggestions while sessions are written and VACUUM runs: in one snapshot, what plain SQL says.
. "$(dirname "$0")/lib.sh"
psql -o /dev/null <<'SQL'
SELECT session_add('written', 'id', shards => 2);
INSERT INTO sessions.written SELECT i, jsonb_build_object('id', i, 'name', 'n' || i % 50, 'p' || i % 7, i % 3) FROM generate_series(1, 600) AS i;
CREATE FUNCTION compare(OUT difference bigint, OUT suggested bigint) LANGUAGE sql STABLE AS $$
    WITH leaves AS (SELECT id, key AS path, value FROM sessions.written, jsonb_each(doc)),
    expected AS (SELECT path, count(DISTINCT id) AS documents, count(DISTINCT value) AS values FROM leaves GROUP BY path),
    names AS (SELECT value#>>'{}' AS value, count(*) AS count FROM leaves WHERE path = 'name' AND value#>>'{}' LIKE 'n1%' GROUP BY 1)
    SELECT (SELECT count(*) FROM (SELECT path, documents, values FROM expected) AS e FULL JOIN session_paths('written') AS p USING (path, documents, values) WHERE e IS NULL OR p IS NULL),
        (SELECT count(*) FROM names FULL JOIN session_suggest('written', 'name', 'n1', rows => NULL) AS s USING (value, count) WHERE names IS NULL OR s IS NULL)
$$;
SQL
end=$((SECONDS + ${SECONDS_TO_RUN:-8}))
write() {
    while [ $SECONDS -lt $end ]; do
        psql -o /dev/null <<SQL
SELECT session_update('written', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', (random() * 700)::int, 'name', 'n' || (random() * 60)::int, 'q' || $1 || (random() * 9)::int, true)))))
FROM generate_series(1, 5);
BEGIN; DELETE FROM sessions.written WHERE id::int % 97 = (random() * 96)::int; ROLLBACK;
SELECT session_update('written', jsonb_build_array(jsonb_build_object('delete', jsonb_build_array((random() * 700)::int))));
SQL
    done
}
write 1 & write 2 &
while [ $SECONDS -lt $end ]; do sql 'VACUUM sessions.written'; sleep 0.3; done &
compared=0
while [ $SECONDS -lt $end ]; do
    is 'paths and suggestions' '0|0' "$(sql 'SELECT * FROM compare()')"
    compared=$((compared + 1))
done
wait
is 'comparisons' many "$([ $compared -gt 5 ] && echo many || echo $compared)"
