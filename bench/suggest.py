"""session_suggest over 300,000 values and session_paths, on the server of `make run`.

python3 bench/suggest.py [PSQL]    prints milliseconds for docs/measurements.md: the first time in a session, and the median of ten more.
"""

import re
import subprocess
import sys

PSQL = sys.argv[1] if len(sys.argv) > 1 else "target/psql"
DOCUMENTS, TIMES = 300_000, 11


def psql(text):
    return subprocess.run([PSQL, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"], input=text, text=True, capture_output=True, check=True).stdout


if psql("SELECT count(*) FROM session_list() WHERE name = 'names'").strip() == "0":
    psql(f"""
        SELECT session_add('names', key => 'id');
        INSERT INTO sessions.names SELECT i::text, jsonb_build_object('id', i, 'name', substr(md5(i::text), 1, 9), 'type', 't' || i % 6, 'city', 'c' || i % 5000)
        FROM generate_series(1, {DOCUMENTS}) AS i;
    """)
psql("VACUUM ANALYZE sessions.names")
statements = [f"SELECT count(*) FROM session_suggest('names', 'name', '{prefix}')" for prefix in ("a", "ab", "abc", "abcd")]
statements += ["SELECT count(*) FROM session_suggest('names', 'city', 'c12')", "SELECT count(*) FROM session_suggest('names', 'name', 'abc', 'type:t1')"]
statements += [f"SELECT count(*) FROM session_paths('names', '{prefix}')" for prefix in ("type", "city", "name", "")]
print("| statement | first | then |\n| --- | --- | --- |")
for statement in statements:
    first, *later = [float(time) for time in re.findall(r"Time: ([\d.]+)", psql("\\timing on\n" + f"{statement};\n" * TIMES))]
    print(f"| `{statement.removeprefix('SELECT count(*) FROM ')}` | {first:.2f} | {sorted(later)[len(later) // 2]:.2f} |")
