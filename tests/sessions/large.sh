#!/usr/bin/env bash
# 100,000 documents of 700 bytes in one call take less than 1 GB of the backend's memory; session_stream's memory does not grow
# with its result.
. "$(dirname "$0")/lib.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/session_store.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# The call as a client sends it: one statement with the text of all documents.
{
    printf "SELECT session_update('large', '"
    sql "SELECT jsonb_build_array(jsonb_build_object('upsert', jsonb_agg(jsonb_build_object(
            'session', jsonb_build_object('id', md5(i::text), 'start', 1612497996000 + i, 'pages', i % 50),
            'user', jsonb_build_object('id', md5((i / 3)::text), 'name', 'user ' || i % 5000, 'tags', jsonb_build_array('a' || i % 7, 'b' || i % 11)),
            'event', jsonb_build_object('id', i, 'type', (array['click', 'view', 'purchase'])[1 + i % 3], 'amount', i % 1000 / 7.0,
                'text', repeat(md5(i::text), 12)),
            '_m1', jsonb_build_object('ip', '64.150.' || i % 256 || '.' || i % 255)))))
         FROM generate_series(1, 100000) AS i"
    printf "');\n"
} >"$dir/update.sql"
sql "SELECT session_add('large')" -o /dev/null

# peak FILE: runs a script in one session and shows the backend's peak memory, shared buffers left out, in MB
peak() {
    psql <<END
SELECT pg_backend_pid() AS pid \\gset
\\o /dev/null
\\i $1
\\o
\\setenv PID :pid
\\! awk '/^(VmHWM|RssShmem)/ { mb[\$1] = int(\$2 / 1024) } END { print mb["VmHWM:"], mb["RssShmem:"] }' /proc/\$PID/status
END
}

start=$(date +%s%N)
read -r update_peak _ < <(peak "$dir/update.sql")
update_seconds=$((($(date +%s%N) - start) / 1000000000))
is 'documents' 100000 "$(sql "SELECT session_count('large', '*:*')")"
is 'peak of the update below 1000 MB' yes "$([ "$update_peak" -lt 1000 ] && echo yes || echo "$update_peak MB")"

# Twice the documents in as many rows: once through a cursor of ten rows, once through all of them. psql reads with a cursor.
sql "INSERT INTO sessions.large SELECT id || '+', jsonb_set(doc, '{session,id}', to_jsonb(id || '+')) FROM sessions.large"
cat >"$dir/stream.sql" <<'END'
\set FETCH_COUNT 1000
SELECT session_stream('large', '*:*');
END
printf '%s\n' "SELECT session_stream('large', '*:*') LIMIT 10;" >"$dir/first.sql"
read -r all_peak all_shared < <(peak "$dir/stream.sql")
read -r first_peak first_shared < <(peak "$dir/first.sql")
growth=$(((all_peak - all_shared) - (first_peak - first_shared)))
is 'memory that 200,000 streamed rows take beyond 10, below 10 MB' yes "$([ "$growth" -lt 10 ] && echo yes || echo "$growth MB")"
echo "$(($(stat -c %s "$dir/update.sql") / 1000000)) MB of ops in ${update_seconds} s, peak $update_peak MB; 200,000 rows streamed with $growth MB more than 10"
