#!/usr/bin/env bash
# Installs a .deb of scripts/package where there is nothing but the distribution, as debootstrap makes it,
# and runs the README's five minutes there: install.sh PACKAGE.deb MAJOR. Needs root and debootstrap.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
package=$1 major=$2
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# From where this system has its packages
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
    awk -v suite="$suite" '$1 == "Packages" && $2 == suite && $3 == "main" { print $4; exit }')
chroot=$(mktemp -d "${TMPDIR:-/var/tmp}/session_store.XXXXXX")
finish() {
    in_chroot pg_dropcluster --stop "$major" main >/dev/null 2>&1 || :
    rm -rf --one-file-system "$chroot"
}
trap finish EXIT
in_chroot() { chroot "$chroot" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
quietly() { "$@" >"$chroot.log" 2>&1 </dev/null || { tail -n 30 "$chroot.log" >&2 && exit 1; }; rm -f "$chroot.log"; }

quietly debootstrap --variant=minbase "$suite" "$chroot" "$mirror"
chmod 755 "$chroot"
printf '#!/bin/sh\nexit 101\n' >"$chroot/usr/sbin/policy-rc.d" # nothing starts by itself here
chmod +x "$chroot/usr/sbin/policy-rc.d"
cp "$package" "$chroot/tmp/session_store.deb"
cp samples/sessions.sql "$chroot/tmp/"
quietly in_chroot apt-get update
quietly in_chroot apt-get install -y --no-install-recommends /tmp/session_store.deb
quietly in_chroot pg_ctlcluster "$major" main start
psql() { in_chroot setpriv --reuid=postgres --regid=postgres --init-groups psql -X "$@"; }
psql -q -c 'CREATE DATABASE sessions'
psql -q -d sessions -c 'CREATE EXTENSION session_store' -f /tmp/sessions.sql

# The README's statements begin with =# and go on in lines that are indented further; what is below them
# is what psql shows. Line breaks and spaces may differ.
five_minutes() { sed -n '/^## Five minutes/,/^## The query/p' README.md | sed -n '/^```$/,/^```$/p' | grep -v '^```$'; }
statements=$(five_minutes | awk '
    /^=# / { open = 1; sub(/^=# /, "") }
    open { line = $0; print; sub(/ *--[^'"'"']*$/, "", line); if (line ~ /;$/) open = 0 }')
expected=$(five_minutes | awk '
    /^=# / { open = 1 }
    open { sub(/ *--[^'"'"']*$/, ""); if (/;$/) open = 0; next }
    { gsub(/[ +|-]/, ""); if ($0 != "") print }')
shown=$(psql -d sessions <<<"$statements" 2>&1 | tr -d ' \n+|-')
[ "$(wc -l <<<"$expected")" -gt 10 ] || { echo 'the README has no five minutes' >&2 && exit 1; }
status=0
while read -r line; do
    if [[ $shown != *"$line"* ]]; then
        echo "the README shows, and psql does not: $line" >&2
        status=1
    fi
done <<<"$expected"
quietly in_chroot apt-get remove -y "postgresql-$major-session-store"
[ -z "$(in_chroot find /usr -name 'session_store*')" ] || { echo 'files are left behind' >&2 && status=1; }
exit "$status"
