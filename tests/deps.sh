#!/usr/bin/env bash
# What scripts/deps takes for a libclang and for a C compiler, and what it does not.
. "$(dirname "$0")/../scripts/env.sh"
machine=$(mktemp -d "${TMPDIR:-/tmp}/session_store.XXXXXX")
trap 'rm -rf "$machine"' EXIT

# found WANTED WHAT FILE…: in which directory a libclang is found where these files are
found() {
    local wanted=$1 what=$2 file got
    shift 2
    rm -rf "${machine:?}/usr"
    for file; do
        mkdir -p "$(dirname "$machine/$file")"
        touch "$machine/$file"
    done
    got=$(
        unset LIBCLANG_PATH
        find_libclang "$machine" && echo "${LIBCLANG_PATH#"$machine"}"
    ) || got=none
    [ "$got" = "$wanted" ] || die "$what: expected $wanted, got $got"
}
found none 'a machine without clang' usr/lib/libc.so.6
found none 'the headers alone' usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h
found none 'the library alone' usr/lib/llvm-14/lib/libclang.so.1 usr/lib/llvm-14/lib/libclang-14.so.1
found none 'another library of clang' usr/lib/llvm-14/lib/libclang-cpp.so.14 usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h
found none 'the library of one version, the headers of another' usr/lib/llvm-19/lib/libclang.so.1 usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h
found /usr/lib/llvm-14/lib 'Debian' usr/lib/llvm-14/lib/libclang-14.so.1 usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h
found /usr/lib/llvm-14/lib 'a newer library alone' usr/lib/llvm-14/lib/libclang.so.1 usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h usr/lib/llvm-19/lib/libclang.so.1
found /usr/lib/llvm17/lib 'Alpine' usr/lib/llvm17/lib/libclang.so.17 usr/lib/llvm17/lib/clang/17/include/stddef.h
found /usr/lib64 'Fedora' usr/lib64/libclang.so.18.1 usr/lib/clang/18/include/stddef.h
found /usr/lib 'Arch' usr/lib/libclang.so usr/lib/clang/18/include/stddef.h
found /usr/local/lib 'built by hand' usr/local/lib/libclang.so usr/local/lib/clang/19/include/stddef.h

LIBCLANG_PATH=/of/the/user
find_libclang "$machine" && [ "$LIBCLANG_PATH" = /of/the/user ] || die "what the user has set became $LIBCLANG_PATH"

# compiles WANTED WHAT: whether this cc is a whole C compiler
compiles() {
    local got=no
    if PATH=$machine/bin:$PATH have_c_compiler; then got=yes; fi
    [ "$got" = "$1" ] || die "$2: expected $1, got $got"
}
mkdir -p "$machine/bin"
compiles yes 'the C compiler of this machine'
printf '#!/bin/sh\nexec %s -nostdinc "$@"\n' "$(command -v cc)" >"$machine/bin/cc"
chmod 755 "$machine/bin/cc"
compiles no 'a C compiler without headers'
printf '#!/bin/sh\nexec %s -B/nonexistent -L/nonexistent -nostdlib /nonexistent/crt1.o "$@"\n' "$(command -v cc)" >"$machine/bin/cc"
compiles no 'a C compiler that cannot link'
