"""How long a writer waits at worst, by the clock: a short run against the server of `make run`.

python3 bench/worst_write.py [PSQL]    prints a table for docs/measurements.md

One client updates single documents, so that it merges GIN's pending list each time that it is full. What else the machine does shows in
the maxima, too: so several runs are made, and each says how often the server's process was made to wait for a processor meanwhile. Every
other run has a list of 65 kB, which a call with few documents leaves as long as it is (src/store/pending_list.rs)."""

import re
import subprocess
import sys

PSQL = sys.argv[1] if len(sys.argv) > 1 else "target/psql"
DOCUMENTS, UPDATES, RUNS = 100_000, 2_000, 6
SPENT = "SELECT 'spent ' || split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);\n"  # processor time, nanoseconds
WAITED = "SELECT 'waited ' || substring(pg_read_file('/proc/self/status') FROM 'nonvoluntary_ctxt_switches:\\s+(\\d+)');\n"


def psql(text):
    return subprocess.run([PSQL, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"], input=text, text=True, capture_output=True, check=True).stdout


def updates(run):
    """Statements, each of which updates another document."""
    return psql(f"""SELECT format('SELECT session_update(''worst'', %L);',
            jsonb_build_array(jsonb_build_object('upsert', jsonb_build_array(doc || jsonb_build_object('run', {run})))))
        FROM documents({run * UPDATES}, {(run + 1) * UPDATES}, {DOCUMENTS}) ORDER BY hashtext(id)""")


if psql("SELECT count(*) FROM pg_proc WHERE proname = 'documents'") == "0\n":
    psql(open("bench/documents.sql").read())
psql(f"""
    SELECT session_drop(name) FROM session_list() WHERE name = 'worst';
    SELECT session_add('worst');
    INSERT INTO sessions.worst SELECT * FROM documents(0, {DOCUMENTS}, {DOCUMENTS});
""")
psql("VACUUM ANALYZE sessions.worst")
psql("CHECKPOINT")
print("| run | list, kB | median | 99th percentile | maximum | over 50 ms | made to wait | processor, mean |\n" + "| --- " * 8 + "|")
for run in range(RUNS):
    limit = (64, 65)[run % 2]
    psql(f"ALTER INDEX sessions.worst_doc_idx SET (gin_pending_list_limit = {limit}); SELECT gin_clean_pending_list('sessions.worst_doc_idx')")
    out = psql("SET synchronous_commit = off;\n" + WAITED + SPENT + "\\timing on\n" + updates(run) + "\\timing off\n" + SPENT + WAITED)
    before, after = (int(count) for count in re.findall(r"waited (\d+)", out))
    begin, end = (int(time) / 1e6 for time in re.findall(r"spent (\d+)", out))
    times = sorted(float(time) for time in re.findall(r"Time: ([\d.]+)", out))
    over = sum(time > 50 for time in times)
    cells = [f"{times[len(times) // 2]:.2f}", f"{times[len(times) * 99 // 100]:.1f}", f"{times[-1]:.1f}", over, after - before, f"{(end - begin) / UPDATES:.3f}"]
    print(f"| {run + 1} | {limit} |", " | ".join(map(str, cells)), "|", flush=True)
