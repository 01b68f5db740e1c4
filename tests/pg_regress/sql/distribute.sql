-- session_distribute, in a database without Citus
SELECT session_add('distribute', 'id'), session_add('distribute_4', 'id', shards => 4);
SELECT session_distribute('distribute');
SELECT session_distribute('distribute_4', 8);
SELECT session_distribute('distribute', 0);
SELECT session_distribute('distribute', 1025);
SELECT session_distribute(NULL);
SELECT session_distribute('distribute', NULL);
SELECT session_distribute('distributed');
-- The store is as it was, and so are partitions.
SELECT name, shards FROM session_list() WHERE name ~ '^distribute';
SELECT count(*) FROM pg_partition_tree('sessions.distribute_4') WHERE isleaf;
-- Whoever does not own the table is told so first.
CREATE ROLE distribute_user;
SET ROLE distribute_user;
SELECT session_distribute('distribute');
RESET ROLE;
DROP ROLE distribute_user;
SELECT session_drop('distribute'), session_drop('distribute_4');
