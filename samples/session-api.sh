#!/usr/bin/env bash
# The seven calls of MinusOneDB's /session API with curl, against a server as docs/http.md sets it up:
#   URL=http://localhost:8080 TOKEN=… samples/session-api.sh
# The token's role must be allowed to create stores (session_grant, right admin). Makes the store
# curl_stash and drops it again.
set -euo pipefail
: "${URL:?is the address of the server, such as http://localhost:8080}" "${TOKEN:?is a token, see docs/http.md}"

# call PATH [NAME=VALUE]…: prints the answer. --data-urlencode, because in a form + means a space, and
# & and % mean something, too.
call() {
    local path=$1 argument fields=()
    shift
    for argument; do fields+=(--data-urlencode "$argument"); done
    printf '%s: ' "$path"
    curl --silent --show-error --fail-with-body -H "m1-auth-token: $TOKEN" "${fields[@]}" "$URL/session/$path"
    echo
}

call add store=curl_stash key=session.id
call update store=curl_stash 'ops=[{"upsert": [{"session": {"id": "a"}, "user": {"name": "Ann Lee"}}, {"session": {"id": "b"}}]}, {"delete": ["b"]}]'
call query store=curl_stash 'q=+user.name:"Ann Lee"' 'sort=session.id asc' start=0 rows=5
call list
call key store=curl_stash key=user.name
call rename store=curl_stash name=curl_stash_2
call drop store=curl_stash_2
