-- The example of the HTTP API, in its own words.
SELECT session_add(store => 'stash', key => 'session.id', shards => 1, replicas => 1);
SELECT session_update(store => 'stash', ops => '[{
    "upsert": [{
        "ip": "64.150.5.135",
        "session": {"id": "7db9dd9c-3a5e-4b9c-a8d6-9a6d1c04a9d4", "start": 1612497996123},
        "user": {"id": "f7661f25-7c49-4f3b-9185-ec6566892878"},
        "event": {"id": "0e1b8a5c", "time": 1612497996999, "type": "heartbeat", "data": {"a": 1, "b": true, "foo": "epe"}},
        "_m1": {"ip": "64.150.5.135", "receivedUTC": "2021-02-05T04:06:37Z"}
    }],
    "delete": ["e2d5a1f0-there-is-none"]
}]');
SELECT session_query(store => 'stash', q => '_m1.ip:64.150.5.135', rows => 5);
SELECT session_query('stash', 'event.data.foo:epe')->'count' AS foo,
    session_query('stash', 'session.start:[1612497996000 TO 1612497997000}')->'count' AS start,
    session_query('stash', 'user.id:"f7661f25-7c49-4f3b-9185-ec6566892878"')->'count' AS user;

-- Numeric identities.
SELECT session_update('stash', '[{"upsert": [{"session": {"id": 2002}}]}]');
SELECT session_count('stash', 'session.id:2002');
SELECT session_update('stash', '[{"delete": [2002]}]');
SELECT session_count('stash', 'session.id:2002'), session_count('stash', '*:*');
SELECT session_drop('stash');
