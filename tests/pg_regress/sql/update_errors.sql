-- Bad ops name the place, and change nothing.
SELECT session_add('bad_ops');
SELECT session_update('bad_ops', '[{"upsert": [{"session": {"id": 1}}]}]');

SELECT session_update('bad_ops', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT session_update('bad_ops', '"upsert"');
SELECT session_update('bad_ops', '[1]');
SELECT session_update('bad_ops', '[{"delete": [1]}, {}]');
SELECT session_update('bad_ops', '[{"foo": 1}]');
SELECT session_update('bad_ops', '[{"upsert": [], "Delete": []}]');
SELECT session_update('bad_ops', '[{"upsert": {}}]');
SELECT session_update('bad_ops', '[{"upsert": null}]');
SELECT session_update('bad_ops', '[{"delete": "1"}]');

-- Documents
SELECT session_update('bad_ops', '[{"upsert": [{"session": {"id": 2}}, [1]]}]');
SELECT session_update('bad_ops', '[{"upsert": ["x"]}]');
SELECT session_update('bad_ops', '[{"delete": [1]}, {"upsert": [{"session": {"id": 2}}, {"session": {"id": 3}}, {"session": {}}]}]');
SELECT session_update('bad_ops', '[{"upsert": [{"session": {"id": null}}]}]');
SELECT session_update('bad_ops', '[{"upsert": [{"session": {"id": {"a": 1}}}]}]');
SELECT session_update('bad_ops', '[{"upsert": [{"session": {"id": true}}]}]');
SELECT session_update('bad_ops', '[{"upsert": [{"session": {"id": [1, 2]}}]}]');
SELECT session_update('bad_ops', '[{"upsert": [{"session": {"id": 1}, "session.id": 1}]}]');
\echo :LAST_ERROR_SQLSTATE

-- Identities to delete
SELECT session_update('bad_ops', '[{"delete": [1, true]}]');
SELECT session_update('bad_ops', '[{"delete": [null]}]');
SELECT session_update('bad_ops', '[{"delete": [{"session": {"id": 1}}]}]');

-- An identity longer than an index entry
SELECT session_update('bad_ops', jsonb_build_array(jsonb_build_object('delete', jsonb_build_array(repeat('x', 2501)))));
SELECT session_update('bad_ops', '[{"delete": [1e2500]}]');
SELECT session_update('bad_ops', jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(
    jsonb_build_object('session', jsonb_build_object('id', repeat('x', 2500)))))));

SELECT session_update('bad_ops', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT session_update('no_ops', '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT length(id) FROM sessions.bad_ops ORDER BY 1;
SELECT session_drop('bad_ops');
