#!/usr/bin/env bash
# The programs in docs/clients.md are those of tests/clients, which scripts/test-clients runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
files=0
for file in tests/clients/*.{py,js,java,go,rs,toml}; do
    files=$((files + 1))
    shown=$(awk -v link="](../$file)" '
        index($0, link) { here = 1 }
        here && /^```/ { if (code) exit; code = 1; next }
        code' docs/clients.md)
    diff <(printf '%s\n' "$shown") "$file" || {
        echo "docs/clients.md does not show $file as it is"
        exit 1
    }
done
[ "$files" -ge 10 ]
