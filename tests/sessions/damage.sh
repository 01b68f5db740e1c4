#!/usr/bin/env bash
# An index of which a single field was overwritten, of any kind of page: each question is answered or ends in XX002 "index is damaged".
# None crashes, and none goes round for ever.
#   MUTATIONS=10000 for more of them, FIRST=1001 for others
# From 18 on, clusters have checksums, by which the server would refuse each of these pages before anything else sees it.
. "$(dirname "$0")/lib.sh"
export PGOPTIONS='-c client_min_messages=error -c statement_timeout=60s -c jit=off -c enable_bitmapscan=off -c max_parallel_workers_per_gather=0 -c ignore_checksum_failure=on'
first=${FIRST:-1} last=$((${FIRST:-1} + ${MUTATIONS:-1000} - 1))

psql <<'SQL'
SELECT session_add('damaged', key => 'id') \g /dev/null
ALTER TABLE sessions.damaged SET (autovacuum_enabled = off);
INSERT INTO sessions.damaged
SELECT i, jsonb_build_object('id', i, 'v', i % 600, 'w', jsonb_build_object('x', md5((i % 50)::text)), repeat('long', 200 + i % 3), 1)
FROM generate_series(1, 9500) AS i;
VACUUM ANALYZE sessions.damaged;
REINDEX INDEX sessions.damaged_doc_idx;
INSERT INTO sessions.damaged
SELECT i, jsonb_build_object('id', i, 'v', i % 600, 'new', array[i, i + 1], repeat('long', 203), 1) FROM generate_series(9501, 9700) AS i;

CHECKPOINT;
CREATE TABLE original AS
SELECT oid, relfilenode, pg_read_binary_file(pg_relation_filepath(oid)) AS bytes FROM pg_class WHERE relname = 'damaged_doc_idx';
CREATE FUNCTION u16(bytes bytea, at int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT get_byte(bytes, at) + 256 * get_byte(bytes, at + 1)';
-- By their flags (ginblock.h); a page without flags is an inner one of the entry tree.
CREATE TABLE page AS
SELECT block, CASE u16(bytes, 8192 * block + 8190) & 31
    WHEN 0 THEN 'entry inner' WHEN 2 THEN 'entry leaf' WHEN 1 THEN 'data inner' WHEN 3 THEN 'data leaf' WHEN 8 THEN 'meta' WHEN 16 THEN 'pending' END AS kind
FROM original, generate_series(0, length(bytes) / 8192 - 1) AS block;

-- Where a field is on a page, how many bytes it has, and whether it is a block's number: as in a link, or in an item pointer.
CREATE FUNCTION field(page bytea, kind text, OUT at int, OUT size int, OUT form text) LANGUAGE plpgsql AS $$
DECLARE
    tuples int := (u16(page, 12) - 24) / 4;
    pointer int := 24 + 4 * floor(random() * greatest(tuples, 1));
    tuple int := u16(page, pointer) & 32767;
    items int := greatest(u16(page, 12) - 32, 1);
    child int := 32 + 10 * floor(random() * u16(page, 8188));
BEGIN
    SELECT f.at, f.size, f.form INTO at, size, form FROM (VALUES
        ('', 12, 2, ''), ('', 14, 2, ''), ('', 16, 2, ''), ('', 18, 2, ''), -- pd_lower, pd_upper, pd_special, pd_pagesize_version
        ('', 8184, 4, 'link'), ('', 8184, 4, 'link'), ('', 8184, 4, ''), ('', 8188, 2, ''), ('', 8190, 2, ''), -- rightlink, maxoff, flags
        ('meta', 24, 4, 'link'), ('meta', 24 + 4 * floor(random() * 12)::int, 4, 'link'), -- head of the pending list, tail, …
        ('data', 24, 4, 'pointer'), ('data', 28, 2, ''), -- right bound
        ('data inner', child, 4, 'pointer'), ('data inner', 32, 4, 'pointer'), ('data inner', 32, 4, ''), ('data inner', child + 4, 6, 'pointer'),
        ('data leaf', 32 + floor(random() * items)::int, 1, ''), ('data leaf', 32 + floor(random() * items)::int, 4, ''), ('data leaf', 38, 2, ''),
        ('tuples', pointer, 4, ''), ('tuples', pointer, 2, ''), ('tuples', pointer + 2, 2, ''), -- lp_off, lp_len
        ('tuples', tuple, 4, 'pointer'), ('entry inner', tuple, 4, 'pointer'), ('entry inner', u16(page, 24) & 32767, 4, 'pointer'), -- downlink, list
        ('tuples', tuple + 4, 2, ''), ('tuples', tuple + 6, 2, ''), -- number of items, t_info
        ('tuples', tuple + 8, 1, ''), ('tuples', tuple + 8, 4, ''), ('tuples', tuple + 12, 4, ''), -- key
        ('tuples', tuple + 9 + floor(random() * 24)::int, 1, ''), ('tuples', tuple + 9 + floor(random() * 200)::int, 4, '')
    ) AS f (of, at, size, form)
    WHERE kind LIKE of || '%' OR of = 'tuples' AND (kind LIKE 'entry%' OR kind = 'pending')
    ORDER BY random() LIMIT 1;
    at := least(at, 8192 - size);
END
$$;
-- What it becomes: a number that leads back to the page, or to another one, or nowhere; or anything.
CREATE FUNCTION value(block int, size int, form text) RETURNS bytea LANGUAGE sql AS $$
    SELECT substr(CASE WHEN form = 'link' AND random() < 0.8 THEN link || '\x00000000' WHEN form = 'pointer' AND random() < 0.8 THEN '\x0000' || link || '\x0100'
        ELSE CASE floor(random() * 4) WHEN 0 THEN '\x0000000000000000' WHEN 1 THEN '\xffffffffffffffff'
            WHEN 2 THEN set_byte('\x0000000000000000', 0, floor(random() * 256)::int) ELSE decode(md5(random()::text), 'hex') END END, 1, size)
    FROM (SELECT CASE WHEN random() < 0.4 THEN block ELSE floor(random() * (SELECT count(*) FROM page))::int END) AS number (b),
        LATERAL substr(set_byte(set_byte('\x00000000', 0, b & 255), 1, b >> 8), 1, CASE WHEN form = 'link' THEN 4 ELSE 2 END) AS link
$$;

CREATE TABLE outcome (n int, kind text, block int, at int, value bytea, question text, state text, message text);
CREATE PROCEDURE mutate(n int) LANGUAGE plpgsql AS $$
DECLARE
    i original;
    p page;
    f record;
    put bytea;
    large oid;
    question text;
    message text;
BEGIN
    SELECT * INTO i FROM original;
    PERFORM setseed(n / 1e6);
    SELECT * INTO p FROM page
    WHERE kind = (SELECT kind FROM page GROUP BY kind HAVING kind IS NOT NULL ORDER BY random() LIMIT 1) ORDER BY random() LIMIT 1;
    SELECT * INTO f FROM field(substr(i.bytes, 8192 * p.block + 1, 8192), p.kind);
    put := value(p.block, f.size, f.form);
    large := lo_from_bytea(0, overlay(i.bytes PLACING put FROM 8192 * p.block + f.at + 1));
    PERFORM lo_export(large, current_setting('data_directory') || '/' || regexp_replace(pg_relation_filepath(i.oid), '\d+$', (1000000000 + n)::text));
    PERFORM lo_unlink(large);
    -- A file of another number, so that no buffer has a page of it.
    UPDATE pg_class SET relfilenode = 1000000000 + n WHERE oid = i.oid;
    COMMIT;
    FOREACH question IN ARRAY array[
        'SELECT session_count(''damaged'', ''*:*'')', 'SELECT session_count(''damaged'', ''v:5'')', 'SELECT session_count(''damaged'', ''v:[100 TO 300]'')',
        'SELECT session_count(''damaged'', ''id:[* TO 500] OR id:[9000 TO *]'')', 'SELECT session_count(''damaged'', ''-w.x:*1*'')',
        'SELECT session_count(''damaged'', ''w:* AND new:*'')', 'SELECT session_count(''damaged'', ''77'')', 'SELECT session_count(''damaged'', ''w.x:/c4?.*/'')',
        'SELECT session_query(''damaged'', ''v:[0 TO 300]'', sort => ''v desc'', start => 2000, rows => 3)',
        'SELECT session_query(''damaged'', ''*:*'', sort => ''v asc, id desc'', rows => 3)',
        'SELECT count(*) FROM session_stream(''damaged'', ''*:*'', sort => ''w.x desc'')', 'SELECT count(*) FROM session_stream(''damaged'', ''-v:5'')',
        'SELECT session_explain(''damaged'', ''v:[100 TO 300] AND w.x:*a*'')', 'EXPLAIN SELECT FROM sessions.damaged WHERE doc @@@ ''w:* AND id:[5 TO 5000]''',
        'SELECT count(*), count(doc) FROM sessions.damaged WHERE doc @@@ ''v:[100 TO 300]''',
        'SELECT count(*) FROM session_values(''damaged'', ''*:*'', ''v'', rows => NULL)', 'SELECT count(*) FROM session_values(''damaged'', ''id:[5 TO *]'', ''v'', sort => ''value desc'')',
        'SELECT session_facets(''damaged'', ''v:[* TO 500]'', ''{"a": {"type": "terms", "field": "w.x", "facet": {"n": "sum(id)", "u": "unique(v)"}}, "p": "percentile(id,50)"}'')',
        'SELECT session_facets(''damaged'', ''*:*'', ''{"r": {"type": "range", "field": "id", "start": 0, "end": 10000, "gap": 1000, "facet": {"x": "max(w.x)"}}}'')',
        'SELECT count(*) FROM session_histogram(''damaged'', ''*:*'', ''id'', 100)', 'SELECT session_stats(''damaged'', ''*:*'', ''v'')',
        'SELECT count(*) FROM session_paths(''damaged'')', 'SELECT count(*) FROM session_suggest(''damaged'', ''w.x'', ''c'')',
        'SELECT session_why(''damaged'', ''+v:5 +w.x:C4* +id:99999'')']
    LOOP
        BEGIN
            EXECUTE question;
            INSERT INTO outcome VALUES (n, p.kind, p.block, f.at, put, question, '00000');
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
            INSERT INTO outcome VALUES (n, p.kind, p.block, f.at, put, question, SQLSTATE, message);
        END;
    END LOOP;
    COMMIT;
END
$$;
SQL

directory=$(sql "SELECT current_setting('data_directory') || '/' || regexp_replace(pg_relation_filepath(oid), '[0-9]+$', '') FROM original")
remove() { $PG_RUN_AS sh -c "rm -f '$directory'1000*"; }
trap remove EXIT
is 'kinds of pages' 'data inner, data leaf, entry inner, entry leaf, meta, pending' "$(sql "SELECT string_agg(DISTINCT kind, ', ' ORDER BY kind) FROM page")"
for ((n = first; n <= last; n += 100)); do
    psql <<SQL || { printf 'behind mutation %s\n' "$(sql 'SELECT max(n) FROM outcome')" >&2 && exit 1; }
SELECT format('CALL mutate(%s)', n) FROM generate_series($n, least($n + 99, $last)) AS n \gexec
SQL
    sql 'UPDATE pg_class SET relfilenode = original.relfilenode FROM original WHERE pg_class.oid = original.oid'
    remove
done

# A page whose header makes no sense is refused by the server itself, before anything else sees it (PageIsVerified).
is 'other ends than an answer or XX002' '' "$(sql "
    SELECT n, kind, block, at, value, question, state, message FROM outcome
    WHERE state NOT IN ('00000', 'XX002') AND NOT (state = 'XX001' AND message LIKE 'invalid page in block%') ORDER BY n LIMIT 20")"
is 'kinds of pages of which damage is seen' 6 "$(sql "SELECT count(DISTINCT kind) FROM outcome WHERE state = 'XX002'")"
sql "SELECT count(DISTINCT n) || ' mutations, seen in ' || count(DISTINCT n) FILTER (WHERE state = 'XX002') FROM outcome"
