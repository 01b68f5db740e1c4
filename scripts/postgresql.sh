# shellcheck shell=bash disable=SC2154
# Sourced after env.sh by those who need a private PostgreSQL. One NAME is one directory, with a copy
# of the installation (so that ours goes in without privileges and the system's stays as it is) and a
# cluster of its own. `run` and `test` are two, so that tests never disturb a server that is in use.
#
#   $base/NAME/postgresql   the installation      $base/NAME/cluster   data, log, socket

. scripts/extension.sh
find_postgresql || die 'no PostgreSQL; run scripts/deps'
id=$(printf %s "$root" | sha256sum | cut -c1-12)

# base: under target/, unless that is closed to the server's user, as a clone in /root is.
base=$target/pg$pg_major
mkdir -p "$target"
if as_server test -x "$target"; then
    mkdir -p "$base"
else
    shelter=/var/tmp/session_store-$id
    mkdir -m 755 "$shelter" 2>/dev/null || { [ -O "$shelter" ] && [ ! -L "$shelter" ]; } ||
        die "$shelter belongs to someone else"
    mkdir -p "$shelter/pg$pg_major"
    ln -sfn "$shelter/pg$pg_major" "$base" # so that target/ shows where it is
fi
base=$(readlink -f "$base")

# What the development builds (clippy, cargo test) read their headers from; pgrx's own place for this,
# ~/.pgrx, is the user's.
export PGRX_HOME=$base/pgrx
mkdir -p "$PGRX_HOME"

# in_copy NAME PATH: where the copy has what the original has at PATH
in_copy() { printf %s "$base/$1/postgresql${2#"$deps"}"; }

# PostgreSQL looks for its files relative to its own executable, so a copied bin/ makes an installation.
# It resolves symbolic links first: bin/ must be a copy, everything else need not.
copy_postgresql() {
    local name=$1 bin lib share include program
    bin=$("$pg_config" --bindir) lib=$("$pg_config" --pkglibdir)
    share=$("$pg_config" --sharedir) include=$("$pg_config" --includedir-server)
    pg_bin=$(in_copy "$name" "$bin")
    if cmp -s "$bin/postgres" "$pg_bin/postgres"; then return; fi

    stop_cluster "$name"
    rm -rf "$base/$name/postgresql"
    mkdir -p "$pg_bin" "$(in_copy "$name" "$lib")" "$(in_copy "$name" "$share/extension")" "$(in_copy "$name" "$(dirname "$include")")"
    # By name: on some systems bin/ is /usr/bin.
    for program in "$bin"/{postgres,initdb,psql,pgbench,createdb,dropdb,createuser,vacuumdb,pg_*}; do
        if [ -e "$program" ]; then cp -L "$program" "$pg_bin/"; fi
    done
    ln -s "$lib"/* "$(in_copy "$name" "$lib")/"
    ln -s "$share"/extension/* "$(in_copy "$name" "$share/extension")/"
    for program in "$share"/*; do
        if [ "${program##*/}" != extension ]; then ln -s "$program" "$(in_copy "$name" "$share")/"; fi
    done
    ln -s "$pg_headers" "$(in_copy "$name" "$include")"
    # An installed session_store must not be written to through its links.
    rm -f "$(in_copy "$name" "$lib")"/session_store* "$(in_copy "$name" "$share/extension")"/session_store*
    [ "$("$pg_bin/pg_config" --sharedir)" = "$(in_copy "$name" "$share")" ] ||
        die "the PostgreSQL at $bin cannot be relocated"
}

# A server on a socket alone, in a directory that only its own user can enter: so `trust` is safe.
# Further arguments are settings, name=value.
start_cluster() {
    local name=$1 dir=$base/$1/cluster setting
    shift
    socket=$dir/socket
    # The path of a socket has 107 bytes, and a list of directories its own quoting.
    if [ ${#socket} -gt 85 ] || [[ $socket = *[!A-Za-z0-9_./-]* ]]; then
        if [ ! -d "$socket" ]; then
            mkdir -p "$dir"
            ln -sfn "$(mktemp -d "/tmp/session_store.XXXXXX")" "$socket"
        fi
        socket=$(readlink -f "$socket")
    fi
    mkdir -p "$dir" "$socket"
    chmod 700 "$socket"
    if [ "$(id -u)" = 0 ]; then chown "$server_user" "$dir" "$socket"; fi
    export PGHOST=$socket PGUSER=postgres

    if as_server "$pg_bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; then return; fi
    if [ ! -e "$dir/ready" ]; then # the last run may have been cut short
        rm -rf "$dir/data"
        as_server "$pg_bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 ||
            { cat "$dir/initdb.log" >&2 && die 'initdb failed'; }
        for setting in listen_addresses= "$@"; do
            echo "${setting%%=*} = '${setting#*=}'"
        done >>"$dir/data/postgresql.conf"
        touch "$dir/ready"
    fi
    as_server "$pg_bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-c unix_socket_directories=$socket" -w -s start ||
        { tail -n 30 "$dir/log" >&2 && die 'PostgreSQL did not start'; }
}

stop_cluster() {
    local data=$base/$1/cluster/data
    if [ -e "$data/postmaster.pid" ]; then
        as_server "$pg_bin/pg_ctl" -D "$data" -m fast -w -s stop || :
    fi
}

# Its directories, and the one of its socket, which may lie elsewhere.
remove_cluster() {
    stop_cluster "$1"
    if [ -L "$base/$1/cluster/socket" ]; then rm -rf "$(readlink -f "$base/$1/cluster/socket")"; fi
    rm -rf "$base/$1/cluster"
}

# The release build, into the copy that was made last.
install_extension() {
    build_extension
    rm -f "$("$pg_bin/pg_config" --sharedir)/extension"/session_store--*
    install_files "$pg_bin/pg_config"
}
