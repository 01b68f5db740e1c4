# shellcheck shell=bash disable=SC2034
# Sourced by every script: where things are, which PostgreSQL is meant, who may run it.
set -euo pipefail
umask 022 # the server may run as another user, who must be able to read what is built here

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
deps=$target/deps/root # packages unpacked here when they cannot be installed

say() { printf '== %s\n' "$*"; }
die() {
    printf 'session_store: %s\n' "$*" >&2
    exit 1
}

# Both variables also steer pgrx, which reads them in its own way.
wanted_config=${PG_CONFIG:-${wanted_config:-}} wanted_version=${PG_VERSION:-${wanted_version:-}}
unset PG_CONFIG PG_VERSION PGRX_PG_CONFIG_PATH PGRX_PG_CONFIG_AS_ENV
# None of these may lead psql elsewhere than to the private server.
unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGSERVICE PGOPTIONS PGDATA PGPASSWORD
export USER=${USER:-$(id -un)} # pgrx's test client needs it; a container may not set it

command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin

if [ -d "$deps" ]; then
    multiarch=$(cc -print-multiarch 2>/dev/null || :)
    export PATH=$PATH:$deps/usr/bin
    export LD_LIBRARY_PATH=$deps/usr/lib/$multiarch:$deps/lib/$multiarch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export CPATH=$deps/usr/include:$deps/usr/include/$multiarch${CPATH:+:$CPATH}
fi

# find_libclang ROOT…: sets LIBCLANG_PATH to the directory of a libclang that has the headers of the compiler itself beside it, as
# stddef.h. Systems have both without the other, and libclang-cpp is another library. What the user has set is left as it is.
find_libclang() {
    local dir root
    [ -z "${LIBCLANG_PATH:-}" ] || return 0
    for root; do
        for dir in "$root"/usr/{lib/llvm*/lib,local/lib,lib64,lib}; do
            if { compgen -G "$dir/libclang.so*" || compgen -G "$dir/libclang-[0-9]*.so*"; } >/dev/null &&
                { compgen -G "$dir/clang/*/include/stddef.h" || compgen -G "${dir%64}/clang/*/include/stddef.h"; } >/dev/null; then
                export LIBCLANG_PATH=$dir
                return
            fi
        done
    done
    return 1
}
find_libclang "$deps" '' || :

# A compiler that finds no headers or no start of a program is of no use: gcc comes without libc6-dev, too.
have_c_compiler() { echo 'int main(void) { return 0; }' | cc -include stdio.h -xc -o /dev/null - 2>/dev/null; }

# usable PG_CONFIG: a whole installation, of a version that is supported and wanted. Its headers may lie below $deps, where
# scripts/deps unpacks them alone. For tests, SHIPPED_BINDINGS=1 allows one without headers.
# Sets pg_config (the one beside the server: what is on PATH may be a wrapper), pg_major and pg_headers.
usable() {
    local major bindir headers
    major=$("$1" --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p') || return 1
    case $major in 14 | 15 | 16 | 17 | 18) ;; *) return 1 ;; esac
    [ "$major" = "${wanted_version:-$major}" ] || return 1
    bindir=$("$1" --bindir) headers=$("$1" --includedir-server)
    if [ ! -e "$headers/postgres.h" ] && [ -e "$deps$headers/postgres.h" ]; then headers=$deps$headers; fi
    [ -x "$bindir/postgres" ] && [ -x "$bindir/initdb" ] && [ -x "$bindir/pg_config" ] &&
        { [ -n "${SHIPPED_BINDINGS:-}" ] || [ -e "$headers/postgres.h" ]; } || return 1
    pg_config=$bindir/pg_config pg_major=$major pg_headers=$headers
}

find_postgresql() {
    local candidate
    if [ -n "$wanted_config" ]; then
        usable "$wanted_config"
        return
    fi
    for candidate in "$(command -v pg_config || :)" {"$deps",}/usr/lib/postgresql/{15,17,16,18,14}/bin/pg_config; do
        if [ -x "$candidate" ] && usable "$candidate"; then return; fi
    done
    return 1
}

# cargo-pgrx must be exactly the version of pgrx that Cargo.toml asks for.
pgrx_version=$(sed -n 's/^pgrx *=.*"=\([0-9.]*\)".*/\1/p' Cargo.toml)
# It takes minutes to build, so it lives where `cargo clean` does not reach, if it can.
pgrx_roots=("${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/session_store/cargo-pgrx-$pgrx_version" "$target/cargo-pgrx-$pgrx_version")

find_cargo_pgrx() {
    local dir
    for dir in '' "${pgrx_roots[@]}"; do
        if [ "$(PATH=${dir:+$dir/bin:}$PATH cargo pgrx --version 2>/dev/null)" = "cargo-pgrx $pgrx_version" ]; then
            PATH=${dir:+$dir/bin:}$PATH
            return
        fi
    done
    return 1
}

# PostgreSQL refuses to run as root: root runs it as a user who owns nothing here. From /, since that
# user may not be able to enter the current directory.
run_as='env -C /'
server_user=$(id -un)
if [ "$(id -u)" = 0 ]; then
    if id postgres >/dev/null 2>&1; then server_user=postgres; else server_user=nobody; fi
    run_as="setpriv --reuid=$server_user --regid=$(id -g "$server_user") --clear-groups env -C /"
fi
as_server() { $run_as "$@"; }
