-- How long session_why takes over 200,000 documents, by kind of finding: target/psql -qX -f bench/why.sql
SELECT session_add('big', key => 'id');
INSERT INTO sessions.big SELECT i::text, jsonb_build_object('id', i, 'n', i % 5000, 'user', jsonb_build_object('name', 'Name ' || i), 'event', jsonb_build_object('type', (ARRAY['click','search','view'])[i%3+1])) FROM generate_series(1, 200000) i;
VACUUM ANALYZE sessions.big;
\timing on
SELECT count(session_why('big', 'event.type:Click')) ;
SELECT count(session_why('big', 'event.type:Click')) ;
SELECT count(session_why('big', 'evnt.type:click')) ;
SELECT count(session_why('big', 'user.name:"name 777"')) ;
SELECT count(session_why('big', 'user.name:"Nam 777"')) ;
SELECT count(session_why('big', 'n:[9999 TO *]')) ;
SELECT count(session_why('big', 'event.type:click AND event.type:view')) ;
SELECT count(session_why('big', 'event.type:click AND n:7', id => '22')) ;
SELECT count(session_why('big', 'user.name:ame')) ;
SELECT count(session_why('big', 'NAME')) ;
SELECT count(session_why('big', 'zzz')) ;
\timing off
SELECT session_drop('big');
