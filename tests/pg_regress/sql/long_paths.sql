-- The index holds the first 1,024 bytes of a path. Whoever answers, and whether documents are pending or not, answers are those of
-- the documents themselves.
SELECT session_add('longpath', key => 'id');
CREATE TABLE long_path AS
SELECT length, path FROM generate_series(1019, 1029) AS length, LATERAL (VALUES (repeat('L', length)), (repeat('L', length - 3) || '.éM'),
    (repeat('K.', length / 2) || repeat('k', length % 2 + 1))) AS _(path)
UNION ALL SELECT length(path), path FROM (VALUES (repeat('L', 1100)), (repeat('L', 1100) || '.z'), (repeat('L', 2000)), (repeat('L', 1023) || '.a.b'), (repeat('L', 1022) || '..')) AS _(path);
INSERT INTO sessions.longpath
SELECT n, jsonb_build_object('id', n::text) || doc FROM (
    SELECT row_number() OVER (ORDER BY length, path, doc), doc FROM long_path, LATERAL (VALUES
        (jsonb_build_object(path, jsonb_build_object('z', 's'))), (jsonb_build_object(path, 's')), (jsonb_build_object(path || 'x', 's')),
        (jsonb_build_object(path, jsonb_build_object('', 1))), (jsonb_build_object(path, jsonb_build_array(1, 's')))) AS _(doc)
) AS documents (n, doc);

CREATE FUNCTION differing(state text) RETURNS TABLE (state_ text, length int, form text, by_index bigint, by_bitmap bigint, by_table bigint) LANGUAGE plpgsql AS $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT long_path.length, long_path.path, forms.form FROM long_path, (VALUES
        ('%s:*'), ('-%s:*'), ('%s.z:*'), ('-%s.z:s'), ('%s:s'), ('-%s:s'), ('%s:[1 TO *]'), ('%s:s*'), ('%s.:*'), ('%s:* AND NOT %1$s:s')) AS forms (form)
    LOOP
        by_index := session_count('longpath', format(f.form, f.path));
        SET LOCAL session_store.enable_scan = off;
        SET LOCAL enable_seqscan = off;
        EXECUTE 'SELECT count(*) FROM sessions.longpath WHERE doc @@@ $1' INTO by_bitmap USING format(f.form, f.path)::lucene_query;
        SET LOCAL enable_seqscan = on;
        SET LOCAL enable_bitmapscan = off;
        EXECUTE 'SELECT count(*) FROM sessions.longpath WHERE doc @@@ $1' INTO by_table USING format(f.form, f.path)::lucene_query;
        RESET enable_bitmapscan;
        RESET session_store.enable_scan;
        IF by_index <> by_table OR by_bitmap <> by_table THEN
            state_ := state;
            length := f.length;
            form := f.form;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
SELECT * FROM differing('pending');
SELECT gin_clean_pending_list('sessions.longpath_doc_idx') > 0 AS cleaned;
VACUUM sessions.longpath;
SELECT * FROM differing('in the tree');
SELECT session_count('longpath', repeat('L', 1100) || ':*'), session_count('longpath', '-' || repeat('L', 1100) || ':*');
SELECT session_query('longpath', 'id:*', sort => repeat('L', 1100) || '.z desc', rows => 1)->'items'->0->'id' = session_query('longpath', repeat('L', 1100) || '.z:s')->'items'->0->'id' AS sorted;
SELECT session_drop('longpath');
DROP TABLE long_path;
DROP FUNCTION differing;
