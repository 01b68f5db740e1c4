"""count(*) in plain SQL beside session_count, in turns, on the server of `make run`.

python3 bench/plain_count.py [PSQL]    prints a table for docs/measurements.md. It makes the store of bench/after_changes.py if that is not there.
"""

import re
import subprocess
import sys

PSQL = sys.argv[1] if len(sys.argv) > 1 else "target/psql"
QUERIES = ["id:77", "n:77", "t:1", "t:1 AND g:2", "t:1 OR g:2", "n:[100 TO 400]", "-t:1", "*:*", "n:*", "pad:/x+/", "none:1"]
DOCUMENTS, TIMES = 300_000, 40


def psql(text):
    return subprocess.run([PSQL, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"], input=text, text=True, capture_output=True, check=True).stdout


def median(times):
    return sorted(times)[len(times) // 2]


if psql("SELECT count(*) FROM session_list() WHERE name = 'changing'").strip() == "0":
    psql(f"""
        SELECT session_add('changing', key => 'id');
        ALTER TABLE sessions.changing SET (autovacuum_enabled = off);
        INSERT INTO sessions.changing SELECT i::text, jsonb_build_object('id', i, 't', i % 6, 'n', i % 1000, 'g', i % 5, 'pad', repeat('x', 500))
        FROM generate_series(1, {DOCUMENTS}) AS i;
    """)
psql("VACUUM ANALYZE sessions.changing")
statements = []
for query in QUERIES:
    plain = f"SELECT count(*) FROM sessions.changing WHERE doc @@@ '{query}'"
    turn = f"SELECT session_count('changing', '{query}');\n{plain};\nEXECUTE prepared('{query}');\nSET session_store.enable_scan = on;\n"
    statements.append(turn * TIMES)
prepare = "PREPARE prepared(text) AS SELECT count(*) FROM sessions.changing WHERE doc @@@ $1;\nSET plan_cache_mode = force_generic_plan;\n"
times = [float(time) for time in re.findall(r"Time: ([\d.]+)", psql(prepare + "\\timing on\n" + "".join(statements)))]
print("| query | session_count | count(*), planned each time | ratio | count(*), prepared | ratio |\n| --- | --- | --- | --- | --- | --- |")
for at, query in enumerate(QUERIES):
    asked = times[at * 4 * TIMES : (at + 1) * 4 * TIMES]
    session, plain, prepared, _ = (median(asked[n::4]) for n in range(4))
    print(f"| `{query}` | {session:.3f} | {plain:.3f} | {plain / session:.2f} | {prepared:.3f} | {prepared / session:.2f} |")
