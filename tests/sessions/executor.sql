-- For executor.sh: stores to write to, writers, and checkers that ask one question several ways.
SET client_min_messages = warning;
CREATE SEQUENCE comparisons;
CREATE SEQUENCE ways_posting_lists;
CREATE SEQUENCE ways_planner;
CREATE SEQUENCE ways_counted;
CREATE SEQUENCE writes;

CREATE FUNCTION pick(VARIADIC list text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT list[1 + floor(random() * cardinality(list))::int]
$$;
-- Few different values, so that queries meet; some that share their first 256 bytes, which is all an index key holds of them.
CREATE FUNCTION random_value() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT CASE floor(random() * 8)::int
        WHEN 0 THEN floor(random() * 20)::text
        WHEN 1 THEN (floor(random() * 100) / 4)::text
        WHEN 2 THEN '"' || pick('red', 'green', 'blue', 'bluish', 'rod', 'naïve', 'two words', 'Red') || '"'
        WHEN 3 THEN '"k' || floor(random() * 500)::int || '"'
        WHEN 4 THEN pick('true', 'false', 'null', '{}', '[]')
        WHEN 5 THEN '[' || floor(random() * 20)::int || ', "red", {"b": ' || floor(random() * 5)::int || '}]'
        WHEN 6 THEN '"2024-03-' || lpad((1 + floor(random() * 28)::int)::text, 2, '0') || 'T12:00:00Z"'
        ELSE '"' || repeat('x', 250 + floor(random() * 12)::int) || pick('', 'y', 'z') || '"' END
$$;
CREATE FUNCTION random_doc(id text) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT jsonb_build_object('id', id, 'kind', 'free', 'r', floor(random() * 1000)::int)
        || CASE WHEN random() < 0.9 THEN jsonb_build_object('v', random_value()::jsonb) ELSE '{}' END
        || CASE WHEN random() < 0.7 THEN jsonb_build_object('a', jsonb_build_object('b', random_value()::jsonb, 'c', random_value()::jsonb)) ELSE '{}' END
        -- Sometimes paths that no other document has
        || CASE WHEN random() < 0.05 THEN jsonb_build_object('p' || floor(random() * 300)::int, random_value()::jsonb) ELSE '{}' END
        -- Sometimes a document that is stored out of line
        || CASE WHEN random() < 0.02 THEN jsonb_build_object('long', (SELECT jsonb_agg(md5(random()::text)) FROM generate_series(1, 150))) ELSE '{}' END
$$;
CREATE FUNCTION random_leaf() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT pick('v:', 'v:', 'a.b:', 'a.c:', 'a:', 'r:', 'v.b:', 'kind:', 'state:', 'p' || floor(random() * 300)::int || ':', 'long:', 'z:', '')
        || CASE floor(random() * 12)::int
            WHEN 0 THEN floor(random() * 20)::text
            WHEN 1 THEN '*'
            WHEN 2 THEN format('[%s TO %s}', floor(random() * 20), floor(random() * 900))
            WHEN 3 THEN pick('[* TO 5]', '{10 TO *]', '[a TO m]', '{blue TO *]', '[* TO red}', '[false TO true]', '[* TO *]')
            WHEN 4 THEN pick('r*', 'k1*', 'blu*', repeat('x', 256) || '*', repeat('x', 255) || 'y*', '2024-03-1*')
            WHEN 5 THEN pick('*e', 'r?d', 'b*e', '*', '??', 'k?2', '*y')
            WHEN 6 THEN pick('/r[eo]d/', '/k[0-9]{1,2}/', '/blu(e|ish)/', '/[^r].*/', '/x+y/')
            WHEN 7 THEN pick('red~', 'red~1', 'blue~1', 'k10~1', 'k1~')
            WHEN 8 THEN pick('true', 'false', 'red', '"two words"', 'k' || floor(random() * 500)::int, repeat('x', 255), repeat('x', 256) || 'y')
            WHEN 9 THEN pick('[2024-03-05T00:00:00Z TO 2024-03-09T00:00:00Z]', '"2024-03-07T12:00:00Z"', '[2024-03-20T00:00:00Z TO *]')
            WHEN 10 THEN format('(%s OR %s)', pick('red', '3', 'true'), pick('green', '[4 TO 8]', 'k1*'))
            ELSE pick('free', 'token', '1', '2', 'red', '7') END
$$;
CREATE FUNCTION random_query(depth int = 2) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    one text := random_leaf();
BEGIN
    IF depth = 0 OR random() < 0.3 THEN RETURN one; END IF;
    RETURN CASE floor(random() * 9)::int
        WHEN 0 THEN '-' || one
        WHEN 1 THEN one || ' AND ' || random_leaf()
        WHEN 2 THEN one || ' OR ' || random_leaf() || ' OR ' || random_leaf()
        WHEN 3 THEN one || ' -' || random_leaf()
        WHEN 4 THEN '+' || one || ' +(' || random_query(depth - 1) || ')'
        WHEN 5 THEN '-' || one || ' -' || random_leaf()
        WHEN 6 THEN one || ' AND NOT (' || random_query(depth - 1) || ')'
        WHEN 7 THEN '*:* -(' || random_query(depth - 1) || ')'
        ELSE '(' || random_query(depth - 1) || ') OR (' || one || ' AND kind:free)' END;
END $$;

CREATE PROCEDURE make_store(store text, shards int, documents int) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM session_add(store, key => 'id', shards => shards);
    -- Not indexed: an update of it leaves the document's entries in the index as they are (HOT), if there is room on the page.
    EXECUTE format('ALTER TABLE sessions.%I ADD COLUMN touched int DEFAULT 0', store);
    PERFORM session_update(store, jsonb_build_array(jsonb_build_object('upsert',
        (SELECT jsonb_agg(random_doc(i::text)) FROM generate_series(1, documents) AS i))));
    -- Of these there are 25 in each of four states, in every snapshot.
    PERFORM session_update(store, jsonb_build_array(jsonb_build_object('upsert',
        (SELECT jsonb_agg(random_doc('T' || i) || jsonb_build_object('kind', 'token', 'state', i % 4)) FROM generate_series(1, 100) AS i))));
END $$;

-- Writes for some seconds. Deadlocks are to be expected of direct SQL, and are retried by the caller.
CREATE PROCEDURE write(store text, documents int, until timestamptz, seed float8) LANGUAGE plpgsql AS $$
DECLARE
    one text;
    two text;
    states jsonb[];
    q text;
    found bigint[];
BEGIN
    PERFORM setseed(seed);
    WHILE clock_timestamp() < until LOOP
        PERFORM nextval('writes'), CASE store WHEN 'still' THEN pg_sleep(random() / 5) END;
        FOR step IN 1..1 + floor(random() * 3)::int LOOP
            one := (1 + floor(random() * documents))::int::text;
            CASE floor(random() * 10)::int
            WHEN 0 THEN -- inserts, replaces, deletes
                PERFORM session_update(store, jsonb_build_array(
                    jsonb_build_object('upsert', (SELECT jsonb_agg(random_doc(i::text)) FROM generate_series(one::int, one::int + 10) AS i WHERE i <= documents),
                        'delete', (SELECT jsonb_agg((1 + floor(random() * documents))::int) FROM generate_series(1, 10)))));
            WHEN 1 THEN
                PERFORM session_update(store, jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(random_doc(one)))));
            WHEN 2 THEN
                EXECUTE format('UPDATE sessions.%I SET doc = random_doc(id) WHERE id = $1', store) USING one;
            WHEN 3 THEN
                EXECUTE format('DELETE FROM sessions.%I WHERE id = $1', store) USING one;
            WHEN 4, 5 THEN
                EXECUTE format('UPDATE sessions.%I SET touched = touched + 1 WHERE id = ANY ($1)', store)
                    USING (SELECT array_agg(i::text) FROM generate_series(one::int, one::int + 3) AS i);
            WHEN 6 THEN -- a subtransaction that is rolled back, having seen its own writes
                BEGIN
                    PERFORM session_update(store, jsonb_build_array(jsonb_build_object('upsert',
                        (SELECT jsonb_agg(random_doc('own' || i) || jsonb_build_object('own', pg_backend_pid())) FROM generate_series(1, 5) AS i))));
                    IF session_count(store, 'own:' || pg_backend_pid()) <> 5 THEN
                        RAISE 'difference: own writes not seen' USING ERRCODE = 'P0004';
                    END IF;
                    RAISE 'undo' USING ERRCODE = 'SS000';
                EXCEPTION WHEN SQLSTATE 'SS000' THEN
                    IF session_count(store, 'own:*') <> 0 THEN
                        RAISE 'difference: undone or uncommitted writes seen' USING ERRCODE = 'P0004';
                    END IF;
                END;
            ELSE -- two tokens change places, or one leaves and another of its state comes: locked in one order
                EXECUTE format('SELECT array_agg(doc ORDER BY id) FROM (SELECT id, doc FROM sessions.%I WHERE id = ANY ($1) ORDER BY id FOR UPDATE) AS _', store)
                    INTO states USING (SELECT array_agg('T' || i) FROM (SELECT 1 + floor(random() * 100)::int AS i FROM generate_series(1, 2)) AS _);
                IF cardinality(states) = 2 THEN
                    IF random() < 0.3 THEN
                        EXECUTE format('DELETE FROM sessions.%I WHERE id = ANY ($1)', store) USING ARRAY[states[1]->>'id', states[2]->>'id'];
                    END IF;
                    PERFORM session_update(store, jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(
                        random_doc(states[1]->>'id') || jsonb_build_object('kind', 'token', 'state', states[2]->'state'),
                        random_doc(states[2]->>'id') || jsonb_build_object('kind', 'token', 'state', states[1]->'state')))));
                END IF;
            END CASE;
        END LOOP;
        IF random() < 0.1 THEN -- what is written so far counts for this transaction, in one statement and so in one snapshot
            q := random_query();
            EXECUTE format('SELECT ARRAY[session_count($1, $2), (SELECT count(*) FROM sessions.%I WHERE doc @@@ $2::lucene_query)]', store) INTO found USING store, q;
            PERFORM nextval('comparisons');
            IF found[1] <> found[2] THEN
                RAISE 'difference in %, written to: % %', store, q, found USING ERRCODE = 'P0004';
            END IF;
        END IF;
        IF random() < 0.2 THEN ROLLBACK; ELSE COMMIT; END IF;
    END LOOP;
END $$;

CREATE PROCEDURE same(what text, store text, q text, expected anyelement, got anyelement) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('comparisons');
    IF expected IS DISTINCT FROM got THEN
        RAISE 'difference in % (%): %, q = %', store, current_setting('transaction_isolation'), what, q
            USING ERRCODE = 'P0004', DETAIL = format(E'expected %s\n     got %s', left(expected::text, 2000), left(got::text, 2000));
    END IF;
END $$;

-- Asks for some seconds, each question in a transaction of its own and so, but for READ COMMITTED, in one snapshot.
CREATE PROCEDURE ask(store text, until timestamptz, seed float8) LANGUAGE plpgsql AS $$
DECLARE
    is_one boolean := current_setting('default_transaction_isolation') <> 'read committed';
    q text;
    paths text[];
    directions boolean[];
    sort text;
    keys text;
    order_by text;
    expected text[];
    expected_keys text[];
    got text[];
    got_keys text[];
    at int;
    size int;
    answer jsonb;
    n bigint;
    explained jsonb;
BEGIN
    PERFORM setseed(seed);
    WHILE clock_timestamp() < until LOOP
        q := random_query();
        IF random() < 0.05 THEN q := '*:*'; END IF;
        -- Now and then an old snapshot, from before what goes on meanwhile
        IF is_one AND random() < 0.1 THEN
            PERFORM session_count(store, '*:*');
            PERFORM pg_sleep(random() * 1.5);
        END IF;
        -- Single statements, right at any isolation level
        SELECT array_agg(session_count(store, 'kind:token AND state:' || i)::text ORDER BY i) INTO got FROM generate_series(0, 3) AS i;
        CALL same('tokens by state', store, q, '{25,25,25,25}'::text[], got);
        EXECUTE format('SELECT ARRAY[session_count($1, $2)::text, (SELECT count(*)::text FROM sessions.%1$I WHERE doc @@@ $2::lucene_query),
            session_query($1, $2, rows => 0)->>''count'', (SELECT count(*)::text FROM session_stream($1, $2))]', store) INTO got USING store, q;
        CALL same('counts in one statement', store, q, array_fill(got[1], ARRAY[4]), got);
        IF random() < 0.05 OR store = 'still' AND random() < 0.5 THEN
            explained := session_explain(store, q);
            IF explained->>'way' = 'planner' THEN PERFORM nextval('ways_planner'); ELSE PERFORM nextval('ways_posting_lists'); END IF;
            IF (explained->'read'->>'counted')::int > 0 THEN PERFORM nextval('ways_counted'); END IF;
        END IF;
        IF is_one THEN
            PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('session_store.enable_scan', 'off', true);
            EXECUTE format('SELECT coalesce(array_agg(id ORDER BY id), ''{}'') FROM sessions.%I WHERE doc @@@ %L', store, q) INTO expected;
            PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('enable_seqscan', 'off', true);
            CALL same('session_count', store, q, cardinality(expected)::bigint, session_count(store, q));
            EXECUTE format('SELECT coalesce(array_agg(id ORDER BY id), ''{}'') FROM sessions.%I WHERE doc @@@ %L', store, q) INTO got;
            CALL same('bitmap scan', store, q, expected, got);
            PERFORM set_config('session_store.enable_scan', 'on', true), set_config('enable_bitmapscan', 'off', true);
            EXECUTE format('SELECT coalesce(array_agg(id ORDER BY id), ''{}''), (SELECT count(*) FROM sessions.%1$I WHERE doc @@@ %2$L) FROM sessions.%1$I WHERE doc @@@ %2$L', store, q)
                INTO got, n;
            PERFORM set_config('enable_bitmapscan', 'on', true), set_config('enable_seqscan', 'on', true);
            CALL same('scan of posting lists', store, q, expected, got);
            CALL same('count by a scan of posting lists', store, q, cardinality(expected)::bigint, n);
            answer := session_query(store, q, rows => 1000000);
            CALL same('session_query''s count', store, q, cardinality(expected), (answer->'count')::int);
            SELECT coalesce(array_agg(item->>'id' ORDER BY item->>'id' COLLATE "default"), '{}') INTO got FROM jsonb_array_elements(answer->'items') AS item;
            CALL same('session_query''s items', store, q, expected, got);
            SELECT coalesce(array_agg(item->>'id' ORDER BY item->>'id' COLLATE "default"), '{}') INTO got FROM session_stream(store, q) AS item;
            CALL same('session_stream', store, q, expected, got);

            SELECT array_agg(pick('r', 'v', 'a.b', 'a.c', 'v.b', 'z', 'p1', 'id', 'long')), array_agg(random() < 0.5) INTO paths, directions
                FROM generate_series(1, 1 + floor(random() * 2)::int);
            SELECT string_agg(path || CASE WHEN largest THEN ' desc' ELSE ' asc' END, ', ' ORDER BY nth),
                    string_agg(format('coalesce(session_store.sort_key(doc, %L, %L)::text, ''-'')', path, largest), ' || '' '' || ' ORDER BY nth),
                    string_agg(format('session_store.sort_key(doc, %L, %L) %s NULLS LAST', path, largest, CASE WHEN largest THEN 'DESC' ELSE 'ASC' END), ', ' ORDER BY nth)
                INTO sort, keys, order_by FROM unnest(paths, directions) WITH ORDINALITY AS _(path, largest, nth);
            PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('session_store.enable_scan', 'off', true);
            EXECUTE format('SELECT coalesce(array_agg(%s ORDER BY %s), ''{}'') FROM sessions.%I WHERE doc @@@ %L', keys, order_by, store, q) INTO expected_keys;
            PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('session_store.enable_scan', 'on', true);
            -- The order of ties is the table's and not to be seen here, so it is the values that are compared, and the set of documents.
            EXECUTE format('SELECT coalesce(array_agg(doc->>''id'' ORDER BY doc->>''id'' COLLATE "default"), ''{}''), coalesce(array_agg(%s ORDER BY nth), ''{}'')
                FROM session_stream($1, $2, sort => $3) WITH ORDINALITY AS _(doc, nth)', keys) INTO got, got_keys USING store, q, sort;
            CALL same('session_stream, sort ' || sort, store, q, expected, got);
            CALL same('order of session_stream, sort ' || sort, store, q, expected_keys, got_keys);
            -- A window, which is often read in another way than everything is
            at := floor(random() * random() * cardinality(expected));
            size := 1 + floor(random() * 30);
            answer := session_query(store, q, sort => sort, start => at, rows => size);
            EXECUTE format('SELECT count(DISTINCT doc->>''id''), coalesce(array_agg(%s ORDER BY nth), ''{}'')
                FROM jsonb_array_elements($1->''items'') WITH ORDINALITY AS _(doc, nth)', keys) INTO n, got_keys USING answer;
            CALL same(format('window %s, %s of sort %s', at, size, sort), store, q, expected_keys[at + 1:at + size], got_keys);
            CALL same(format('different documents in window %s, %s of sort %s', at, size, sort), store, q, cardinality(got_keys)::bigint, n);
            EXECUTE format('SELECT count(DISTINCT doc->>''id''), coalesce(array_agg(%s ORDER BY nth), ''{}'')
                FROM session_stream($1, $2, $3, $4, $5) WITH ORDINALITY AS _(doc, nth)', keys) INTO n, got_keys USING store, q, sort, at, size;
            CALL same(format('streamed window %s, %s of sort %s', at, size, sort), store, q, expected_keys[at + 1:at + size], got_keys);
            SELECT coalesce(array_agg(doc->>'id'), '{}') INTO got FROM session_stream(store, q, NULL, at, size) AS doc;
            CALL same(format('unsorted window %s, %s', at, size), store, q, ARRAY[least(size, cardinality(expected) - at)::text, 't'],
                ARRAY[cardinality(got)::text, (got <@ expected)::text::"char"::text]);
        END IF;
        COMMIT;
    END LOOP;
END $$;
