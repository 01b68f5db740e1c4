#!/usr/bin/env bash
# The samples hold what the documentation says about them.
. "$(dirname "$0")/lib.sh"
psql -f samples/sessions.sql

count() { psql -v q="$1" <<<"SELECT session_count('stash', :'q')"; }
is 'all' 2400 "$(count '*:*')"
is 'the visitor' 3 "$(count '_m1.ip:64.150.5.135')"
for q in 'event.data.foo:epe' 'session.start:[1612497996000 TO 1612497997000}' \
    'user.id:"f7661f25-7c49-4f3b-9185-ec6566892878"' 'session.id:2002'; do
    is "$q" 1 "$(count "$q")"
done

# The same in plain SQL
is 'purchases' "$(sql "SELECT count(*) FROM sessions.stash WHERE doc->'event'->>'type' = 'purchase'")" "$(count 'event.type:purchase')"
is 'anonymous' "$(sql "SELECT count(*) FROM sessions.stash WHERE doc->'user' IS NULL")" "$(count '-user:*')"
