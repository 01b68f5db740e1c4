# shellcheck shell=bash
# Sourced by the tests beside it. They run in an empty database that has the extension; see scripts/test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

psql() { "$PG_BINDIR/psql" -X -q -At -v ON_ERROR_STOP=1 "$@"; }
sql() { psql -c "$1" "${@:2}"; }

# spent OPTION OF PSQL…: what psql prints, and in a last line how many milliseconds of processor time the server has
# spent in that session. A machine that does much else changes it little.
spent() {
    psql -v ON_ERROR_STOP=0 "$@" -c 'RESET ROLE' \
        -c "SELECT 10 * (f[14]::int + f[15]::int) FROM pg_catalog.string_to_array(pg_catalog.pg_read_file('/proc/self/stat'), ' ') AS f"
}

# is WHAT EXPECTED ACTUAL
is() {
    if [ "$2" != "$3" ]; then
        printf '%s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3" >&2
        exit 1
    fi
}

# caught_up OPTION OF PSQL…: waits until the standby that psql reaches so has replayed what its primary has written until now.
caught_up() {
    local lsn
    lsn=$(sql 'SELECT pg_current_wal_lsn()')
    for _ in {1..2000}; do
        if [ "$(sql "SELECT pg_last_wal_replay_lsn() >= '$lsn'" "$@")" = t ]; then return; fi
        sleep 0.1
    done
    is 'the standby has replayed' "$lsn" "$(sql 'SELECT pg_last_wal_replay_lsn()' "$@")"
}

# One line for each query: how many documents, and a digest of them in order.
queries=(
    '*:*'
    '_m1.ip:64.150.5.135'
    'event.data.foo:epe'
    'session.start:[1612497996000 TO 1612497997000}'
    'user.id:"f7661f25-7c49-4f3b-9185-ec6566892878"'
    'event.type:purchase AND event.data.amount:[100 TO *] NOT user.verified:true'
    'session.visited.path:\/docs* OR user.tags:(vip "früh dabei")'
    '-user:*'
    'session.id:[2000 TO 3000]'
)
answers() { # [OPTION OF PSQL…]
    local q
    for q in "${queries[@]}"; do
        psql "$@" -v q="$q" <<'END'
SELECT :'q', a->'count', md5(a->>'items')
FROM session_query('stash', :'q', sort => 'session.start asc', rows => 5000) AS a
END
    done
}
