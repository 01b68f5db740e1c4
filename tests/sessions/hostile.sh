#!/usr/bin/env bash
# Strings made to break out of something, as values, paths, identities and names of stores: each is found again by an exact query, or
# refused in plain words; none means anything else.
. "$(dirname "$0")/lib.sh"
export PGOPTIONS='-c client_min_messages=warning'

psql <<'SQL'
-- 1,000 different strings: every one of the first list alone, then pairs of them.
CREATE TABLE part (n int GENERATED ALWAYS AS IDENTITY, text text);
INSERT INTO part (text) SELECT unnest(array[
    '''', '"', '\', '\\', '\"', '$', '$.a', '$1', '@', '@ == 1', '*', '?', '~', '^', ':', '::', '(', ')', '[', ']', '{', '}', '[* TO *]', '&&', '||',
    '!', '+', '-', 'AND', 'OR', 'NOT', 'TO', 'NOW', '/', '/.*/', '/*', '*/', '--', ';', ',', ' ', '  ', E'\t', E'\n', E'\r', E'\x01', E'\x7f', '\u0000', '\u00e9',
    '\x00', '%', '_', '%00', 'é', E'e\u0301', 'ß', '😀', '数据', E'\u200d', E'\u202e', E'\ufeff', 'null', 'true', '5', '5.0', '1e400', 'NaN', '{!lucene}', '_query_:',
    '''; DROP SCHEMA sessions CASCADE; --', '$$', '" ? (true)', '@@', 'a b', '"a"', '''a''', '{table}', 'filter(a)', '&', '|', '=', '<', '>', '>=5', '#', '`']);
CREATE TABLE hostile (n int, text text);
INSERT INTO hostile
SELECT row_number() OVER (), text FROM (
    SELECT text FROM (
        SELECT DISTINCT ON (text) text, n FROM (
            SELECT text, n FROM part
            UNION ALL SELECT a.text || b.text, 1000 * a.n + b.n FROM part AS a, part AS b WHERE (a.n * 7 + b.n * 13) % 7 = 0
        ) AS pairs ORDER BY text, n
    ) AS distinct_ones ORDER BY n LIMIT 1000
) AS first_ones;

-- In quotes, only the quote and the backslash need a backslash; in a field, everything that is not a letter or a digit has one.
CREATE FUNCTION quoted(text text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT '"' || regexp_replace(text, '(["\\])', '\\\1', 'g') || '"' $$;
CREATE FUNCTION escaped(text text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT regexp_replace(text, '([^[:alnum:]])', '\\\1', 'g') $$;
-- The number of matches, or the SQLSTATE of a refusal.
CREATE FUNCTION answer(store text, q text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN session_count(store, q);
EXCEPTION WHEN syntax_error OR feature_not_supported THEN
    RETURN SQLSTATE;
END
$$;
SQL
is 'strings' 1000 "$(sql 'SELECT count(*) FROM hostile')"

# As values and identities: every document holds its string at `v` and as its identity.
sql "SELECT session_add('stash', key => 'id')" -o /dev/null
sql "SELECT session_update('stash', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('id', text, 'n', n, 'v', text))))) FROM hostile" -o /dev/null
is 'stored' 1000 "$(sql "SELECT count(*) FROM hostile JOIN sessions.stash ON id = text AND doc->>'v' = text")"
# What begins with NOW and is no date math is refused, and found as a term.
sql "CREATE FUNCTION is_bad_date_math(text text, found text) RETURNS boolean IMMUTABLE LANGUAGE sql AS \$\$ SELECT text ~ '^NOW.' AND found = '42601' \$\$" -o /dev/null
is 'values not found exactly once, escaped and quoted' '' "$(sql "
    SELECT n, quote_literal(text), found FROM hostile, answer('stash', 'v:' || quoted(text)) AS found
    WHERE NOT is_bad_date_math(text, found) AND found <> (SELECT count(*) FROM hostile AS same WHERE same.text = hostile.text)::text")"
is 'identities not found by another spelling' '' "$(sql "
    SELECT n, quote_literal(text), found FROM hostile, answer('stash', 'id:' || escaped(text) || ' AND n:' || n) AS found
    WHERE NOT is_bad_date_math(text, found) AND found <> CASE WHEN text IN ('AND', 'OR', 'NOT') THEN '42601' ELSE '1' END")"
is 'values not found as terms' '' "$(sql "
    SELECT n, quote_literal(text), found FROM hostile, answer('stash', '{!term f=v v=' || quoted(text) || '}') AS found
    WHERE text ~ '^NOW.' AND found <> (SELECT count(*) FROM hostile AS same WHERE same.text = hostile.text)::text")"
is 'what a value matches is itself' '' "$(sql "
    SELECT hostile.n, quote_literal(text) FROM hostile, session_stream('stash', CASE WHEN text ~ '^NOW.' THEN '{!term f=v v=' || quoted(text) || '}' ELSE 'v:' || quoted(text) END) AS doc WHERE doc->>'v' <> text")"

# As paths: every document has a key of its own.
sql "SELECT session_add('paths', key => 'n', shards => 2)" -o /dev/null
sql "SELECT session_update('paths', jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object('n', n) || jsonb_build_object('p', jsonb_build_object(text, 'x'), 'q' || text, n))))) FROM hostile" -o /dev/null
is 'paths not found exactly once' '' "$(sql "
    SELECT n, quote_literal(text), found FROM hostile, answer('paths', 'p.' || escaped(text) || ':x AND q' || escaped(text) || ':' || n) AS found WHERE found <> '1'")"
is 'sorts by a path that fail' '' "$(sql "
    SELECT n, quote_literal(text) FROM hostile, session_query('paths', 'n:' || n, sort => quoted('p.' || text) || ' desc') AS found WHERE found->'count' <> '1'")"

# Unescaped, as a whole query: an answer or a refusal, and never another error.
is 'raw queries that are neither answered nor refused' '' "$(sql "SELECT n FROM hostile, answer('stash', text) AS found WHERE found IS NULL")"

# As names of stores.
is 'names' "$(sql "SELECT count(*) FROM hostile WHERE n <= 100")" "$(sql "
    SELECT count(session_add(text, key => 'id')) FROM hostile WHERE n <= 100")"
sql "SELECT count(session_update(text, jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(jsonb_build_object('id', n)))))) FROM hostile WHERE n <= 100" -o /dev/null
is 'stores that do not hold their document' '' "$(sql "
    SELECT n, quote_literal(text) FROM hostile, session_query(text, 'id:' || n) AS found WHERE n <= 100 AND found->'items'->0->'id' IS DISTINCT FROM to_jsonb(n)")"
sql "SELECT count(session_drop(text)) FROM hostile WHERE n <= 100" -o /dev/null
is 'what is left' 'paths stash' "$(sql "SELECT string_agg(name, ' ') FROM session_list()")"
echo '1,000 strings, each itself'
