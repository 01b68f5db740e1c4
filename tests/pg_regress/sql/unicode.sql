-- Text is Unicode throughout: keys, values, identities, queries.
SELECT session_add('unicode', key => 'ключ.id');
SELECT session_update('unicode', '[{"upsert": [
    {"ключ": {"id": "Straße"}, "名前": "東京", "emoji": "😀"},
    {"ключ": {"id": "e\u0301"}, "名前": "é"},
    {"ключ": {"id": "\u00e9"}, "名前": "e\u0301"},
    {"ключ": {"id": "\ud83d\ude00"}, "名前": "quote \" backslash \\ tab \t line \n end"}]}]');
SELECT id FROM sessions.unicode ORDER BY id;
SELECT session_query('unicode', 'ключ.id:Straße');
SELECT session_count('unicode', '名前:東京') AS exact, session_count('unicode', '名前:東?') AS wildcard, session_count('unicode', 'emoji:?') AS one_character,
    session_count('unicode', '名前:\u00e9') AS composed, session_count('unicode', E'名前:e\u0301') AS decomposed, session_count('unicode', '😀') AS anywhere;
SELECT session_count('unicode', E'名前:"quote \\" backslash \\\\ tab \t line \n end"');
-- By code point, whatever the collation
SELECT string_agg(doc->'ключ'->>'id', ' ') FROM session_stream('unicode', '*:*', sort => 'ключ.id') AS doc;
SELECT session_update('unicode', '[{"delete": ["Straße", "\u00e9"]}]');
SELECT session_count('unicode', '*:*');
SELECT session_drop('unicode');
