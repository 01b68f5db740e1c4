# shellcheck shell=bash disable=SC2154
# Sourced after env.sh by those who build or install the extension. cargo does it alone: what cargo-pgrx
# would add, the SQL of a fresh installation, is in the repository (scripts/schema).

version=$(sed -n 's/^version *= *"\(.*\)"/\1/p;' Cargo.toml | head -n 1)
schema=sql/session_store--$version.sql
profile=${PROFILE:-release} # of Cargo.toml

# without_headers COMMAND…: cargo, with the bindings that pgrx is published with.
without_headers() { env DOCS_RS=1 RUSTC_WRAPPER="$root/scripts/shipped-bindings" "$@"; }

# The library, for the PostgreSQL that find_postgresql found. A note says which one that was: cargo keeps the
# library for one in each profile, and all else for each. Where the headers are, pgrx is told, since pg_config names the
# directory of the package, which need not be installed. Its configuration, which nobody here reads, must exist, or it
# makes the bindings anew in each build, and cargo all that is built on them.
build_extension() {
    mkdir -p "$target/pgrx"
    [ -e "$target/pgrx/config.toml" ] || touch "$target/pgrx/config.toml"
    ${SHIPPED_BINDINGS:+without_headers} env -u CARGO_BUILD_TARGET CARGO_TARGET_DIR="$target" PGRX_PG_CONFIG_PATH="$pg_config" \
        PGRX_HOME="$target/pgrx" "PGRX_INCLUDEDIR_SERVER_PG$pg_major=$pg_headers" \
        cargo build --profile "$profile" --lib --no-default-features --features "pg$pg_major"
    "$pg_config" --version >"$target/$profile/built"
}

# is_built PROFILE: whether cargo has the library for that PostgreSQL from the sources as they are
is_built() {
    local note=$target/$1/built
    [ "$("$pg_config" --version)" = "$(cat "$note" 2>/dev/null)" ] &&
        [ -z "$(find Cargo.toml Cargo.lock src sql -type f ! -name 'session_store--*' -newer "$note" -print -quit)" ]
}

# install_files PG_CONFIG [COMMAND…]: what was built into that installation, below $DESTDIR if that is
# set, and by way of COMMAND, as sudo is. install(1) makes new files, so that servers keep theirs.
install_files() {
    local lib share
    lib=${DESTDIR:-}$("$1" --pkglibdir) share=${DESTDIR:-}$("$1" --sharedir)/extension
    shift
    [ -e "$schema" ] || die "$schema is missing: scripts/schema writes it"
    sed "s/@CARGO_VERSION@/$version/" session_store.control >"$target/session_store.control"
    "$@" install -d "$lib" "$share"
    "$@" install -m 755 "$target/$profile/libsession_store.so" "$lib/session_store.so"
    "$@" install -m 644 "$target/session_store.control" sql/session_store--*.sql "$share"
}

# What CREATE EXTENSION has to run, as cargo-pgrx reads it from the library that was built last. Without
# the places in the sources, which change with every line that is added there.
generated_schema() {
    echo "-- Written by scripts/schema from sql/bootstrap.sql, sql/operator.sql, the functions of src/api and"
    echo "-- sql/finalize.sql. Change those, not this, and run scripts/schema."
    echo
    # pgrx asks for a directory of its own; the user's ~/.pgrx is not ours
    mkdir -p "$target/schema"
    env -u CARGO_BUILD_TARGET CARGO_TARGET_DIR="$target" PGRX_HOME="$target/schema" PGRX_PG_CONFIG_PATH="$pg_config" \
        cargo pgrx schema --release --skip-build --no-default-features --features "pg$pg_major" 2>"$target/schema/log" |
        awk '
            /^\/\* <begin connected objects> \*\/$/ { heading = 1; next }
            /^\/\* <\/end connected objects> \*\/$/ { next }
            heading && /^\/\*$/ { skip = 1 }
            skip { if (/^\*\/$/) skip = 0; next }
            heading && /^-- (src\/.*:[0-9]+|session_store::.*|Skipped .*)$/ { next }
            { heading = 0; sub(/ *\/\* [^*]* \*\/$/, "") } # the type in Rust
            /^$/ { blank = 1; next }
            { if (blank && printed) print ""; blank = 0; printed = 1; print }' || {
        cat "$target/schema/log" >&2
        return 1
    }
}
