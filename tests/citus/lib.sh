# shellcheck shell=bash
# Sourced by the tests beside it. They run on the coordinator of a Citus with two workers, in an empty
# database that has the extension on all three servers; see scripts/test.
. "$(dirname "${BASH_SOURCE[0]}")/../sessions/lib.sh"

read -ra workers <<<"$CITUS_WORKERS"

# worker N COMMAND…: the command with psql's options for the N-th worker. Citus would hide shards in pg_class.
worker() { PGOPTIONS='-c citus.show_shards_for_app_name_prefixes=*' "${@:2}" -h "${workers[$1 - 1]}"; }

# distribute STORE SHARDS: moves the rows of a store's table to shards on the workers
distribute() {
    psql -o /dev/null <<END
SET client_min_messages = warning;
SELECT create_distributed_table(pg_catalog.format('sessions.%I', '$1'), 'id', shard_count => $2);
SELECT truncate_local_data_after_distributing_table(pg_catalog.format('sessions.%I', '$1')::regclass);
END
}

# each_shard STORE COMMAND: runs SQL on every shard of a store, with %s for its name
each_shard() { sql "SELECT count(*) FROM run_command_on_shards('sessions.$1', \$sql\$$2\$sql\$) WHERE NOT success"; }
