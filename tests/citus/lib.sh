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

# sent CALL: what the shards are asked for
sent() {
    PGOPTIONS='-c citus.log_remote_commands=on -c work_mem=64MB' sql "SELECT $1" -o /dev/null 2>&1 |
        grep -o 'session_store.shard_[a-z]*\|SELECT doc\|count(\*)' | sort | uniq -c | tr -s ' \n' ' '
}

# twins: store "here" on the coordinator and store "there" on 8 shards, each with the documents of
# tests/conformance and 3,000 with few values to sort by
twins() {
    psql -o /dev/null <<'END'
CREATE TABLE document (number serial, doc jsonb);
ALTER SEQUENCE document_number_seq MINVALUE 0 RESTART 0;
\copy document (doc) FROM 'tests/conformance/documents.ndjson' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
INSERT INTO document (doc) SELECT jsonb_build_object('few', n % 7, 'many', jsonb_build_array(n * 17 % 3001, -n), 'pad', repeat('x', 300)) FROM generate_series(1, 3000) AS n;
SELECT session_add(store, key => '_number_') FROM unnest(array['here', 'there']) AS store;
INSERT INTO sessions.here SELECT number, doc || jsonb_build_object('_number_', number) FROM document;
INSERT INTO sessions.there TABLE sessions.here;
VACUUM ANALYZE sessions.here;
END
    distribute there 8
}
