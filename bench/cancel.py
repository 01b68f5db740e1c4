"""How long a statement runs on after it was cancelled: each construct of tests/sessions/cancel.sh in
each of its statements, on the server of `make run`.

python3 bench/cancel.py [PSQL [calls]]    prints what took longest. PostgreSQL and this script must be on one
machine: the script sends the signal that pg_cancel_backend sends, some time after the statement began,
and counts the processor time of the backend (/proc/PID/schedstat) until the error, so that it does not
matter what else the machine does.
"""

import os
import re
import signal
import subprocess
import sys
import time

PSQL = sys.argv[1] if len(sys.argv) > 1 else "target/psql"
ONLY = sys.argv[2] if len(sys.argv) > 2 else ""
DELAYS = (0.02, 0.05, 0.1, 0.2, 0.4)
ROOT = os.path.join(os.path.dirname(__file__), "..")


def constructs():
    """The statements, the calls and the queries of the test, which is bash: queries by name, as SQL expressions."""
    with open(os.path.join(ROOT, "tests/sessions/cancel.sh")) as file:
        text = file.read()
    declarations = text[text.index("list() {") : text.index("# A statement may end well")]
    script = declarations + """
        for statement in "${statements[@]}"; do printf 's\\t%s\\0' "$statement"; done
        for call in "${calls[@]}"; do printf 'c\\t%s\\0' "$call"; done
        for name in "${!constructs[@]}"; do printf '%s\\t%s\\0' "$name" "${constructs[$name]}"; done"""
    lines = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    pairs = [line.split("\t", 1) for line in lines.split("\0") if line]
    statements = [text.replace("%%", "%", 9) for name, text in pairs if name == "s"]
    calls = [text for name, text in pairs if name == "c"]
    return statements, calls, [(name, text) for name, text in pairs if name not in "sc"]


def cpu(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e6


def cancelled(statement, delay):
    """Milliseconds of processor time from the signal to the statement's end, and of the clock, and whether it was cancelled."""
    psql = subprocess.Popen([PSQL, "-X", "-q", "-At"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
    psql.stdin.write("SET client_min_messages = error; SELECT 'pid', pg_backend_pid();\n")
    pid = int(psql.stdout.readline().split("|")[1])
    psql.stdin.write(statement + ";\n\\echo done\n")
    time.sleep(delay)
    before, start = cpu(pid), time.monotonic()
    os.kill(pid, signal.SIGINT)
    answer = []
    for line in psql.stdout:
        if line == "done\n":
            break
        answer.append(line)
    took = cpu(pid) - before, (time.monotonic() - start) * 1000
    psql.stdin.close()
    psql.wait()
    return *took, any("canceling statement" in line for line in answer)


def prepare():
    """The stores of the test."""
    with open(os.path.join(ROOT, "tests/sessions/cancel.sh")) as file:
        text = file.read()
    begin = text.index("# A store with 20,000")
    script = 'sql() { "$PSQL" -X -q -v ON_ERROR_STOP=1 -c "$@"; }\nset -e\n' + text[begin : text.index("# Queries as SQL")]
    subprocess.run(["bash", "-c", script], check=True, env={**os.environ, "PSQL": os.path.abspath(PSQL)})


prepare()
statements, calls, queries = constructs()
texts = [(call[:90], "", call) for call in calls]
for name, query in queries if ONLY != "calls" else []:
    texts += [(name, statement[:40], re.sub("%s", lambda _: query, statement, count=1)) for statement in statements]
worst = []
for name, statement, text in texts:
    for delay in DELAYS:
        worst.append((*cancelled(text, delay), delay, name, statement))
worst.sort(reverse=True)
print(f"{sum(was_cancelled for _, _, was_cancelled, *_ in worst)} of {len(worst)} were cancelled before they ended. The longest, in milliseconds:")
print("| processor | clock | signal after | ended by | query | statement |\n| --- | --- | --- | --- | --- | --- |")
for processor, clock, was_cancelled, delay, name, statement in worst[:25]:
    how = "the signal" if was_cancelled else "itself"
    print(f"| {processor:.0f} | {clock:.0f} | {delay * 1000:.0f} | {how} | {name} | `{statement}` |")
