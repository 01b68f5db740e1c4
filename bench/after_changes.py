"""How counting slows down as documents change after VACUUM: a short run against the server of `make run`.

python3 bench/after_changes.py [PSQL]    prints a table for docs/measurements.md. The long measurement is PARTS=live of scripts/bench.
"""

import re
import subprocess
import sys

PSQL = sys.argv[1] if len(sys.argv) > 1 else "target/psql"
QUERIES = ["id:77", "n:77", "t:1", "t:1 AND g:2", "n:[100 TO 400]", "-t:1", "*:*"]
DOCUMENTS, TIMES = 300_000, 42


def psql(text):
    return subprocess.run([PSQL, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"], input=text, text=True, capture_output=True, check=True).stdout


def ask():
    """For each query in one new session: milliseconds of the first time, the second, and the least of the others: what else the machine
    does makes no question shorter."""
    statements = "".join(f"SELECT session_query('changing', '{query}') IS NULL;\n" * TIMES for query in QUERIES)
    times = [float(time) for time in re.findall(r"Time: ([\d.]+)", psql("\\timing on\n" + statements))]
    asked = [times[at : at + TIMES] for at in range(0, len(times), TIMES)]
    return [(first, second, min(later)) for first, second, *later in asked]


psql(f"""
    SELECT session_drop(name) FROM session_list() WHERE name = 'changing';
    SELECT session_add('changing', key => 'id');
    ALTER TABLE sessions.changing SET (autovacuum_enabled = off);
    INSERT INTO sessions.changing SELECT i::text, jsonb_build_object('id', i, 't', i % 6, 'n', i % 1000, 'g', i % 5, 'pad', repeat('x', 500))
    FROM generate_series(1, {DOCUMENTS}) AS i;
""")
psql("VACUUM ANALYZE sessions.changing")
ask()
steps, changed = [("at rest", ask())], 0.0
for share in (0.001, 0.01, 0.1):
    psql(f"""UPDATE sessions.changing SET doc = doc || jsonb_build_object('t', ((doc->>'t')::int + 1) % 6)
        WHERE hashint8(id::bigint) & 1048575 >= {int(changed * 1048576)} AND hashint8(id::bigint) & 1048575 < {int(share * 1048576)}""")
    changed = share
    steps.append((f"{share * 100:g} %", ask()))
print("| query | " + " | ".join(name for name, _ in steps) + " |\n| --- |" + " --- |" * len(steps))
for at, query in enumerate(QUERIES):
    rest = steps[0][1][at][2]
    cells = [f"{a:.2f}, {b:.2f}, **{c:.2f}** ({c / rest:.1f}×)" for a, b, c in (times[at] for _, times in steps)]
    print(f"| `{query}` | " + " | ".join(cells) + " |")
