"""The questions of the part "facets" on a busy machine: the backend's processor time, on the server of `make run`.

python3 bench/busy_facets.py [PSQL [DOCUMENTS]]    prints a table for docs/measurements.md: of a new session's first question, and the least of
                                                   those from the fourth on; at rest, and after a tenth of the documents was changed. It makes
                                                   the two stores if they are not there.
"""

import subprocess
import sys
from pathlib import Path

from facets import questions

PSQL = sys.argv[1] if len(sys.argv) > 1 else "target/psql"
DOCUMENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 300_000
TIMES, HERE = 20, Path(__file__).parent
STORES = {"rest": f"busy_{DOCUMENTS}", "changed": f"busy_changed_{DOCUMENTS}"}


class Session:
    def __init__(self):
        arguments = [PSQL, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"]
        self.psql = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.ask("SELECT pg_backend_pid()")

    def ask(self, sql):
        self.psql.stdin.write(f"{sql};\n\\echo asked\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline().rstrip("\n")) != "asked":
            if self.psql.poll() is not None:
                sys.exit(f"psql ended in: {sql[:300]}")
            lines.append(line)
        return "\n".join(lines)

    def processor(self, sql):
        """Milliseconds."""
        before = self.spent()
        self.ask(sql)
        return (self.spent() - before) / 1e6

    def spent(self):
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0])

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def make(session):
    if session.ask("SELECT count(*) FROM pg_proc WHERE proname = 'documents'") == "0":
        session.ask((HERE / "documents.sql").read_text())
    session.ask("SET client_min_messages = warning;" + (HERE / "changes.sql").read_text())
    for name in STORES.values():
        if session.ask(f"SELECT count(*) FROM session_list() WHERE name = '{name}'") == "0":
            session.ask(f"SELECT session_add('{name}'); ALTER TABLE sessions.{name} SET (autovacuum_enabled = off)")
            index = session.ask(f"SELECT pg_get_indexdef('sessions.{name}_doc_idx'::regclass)")
            session.ask(f"DROP INDEX sessions.{name}_doc_idx; INSERT INTO sessions.{name} SELECT * FROM documents(0, {DOCUMENTS}, {DOCUMENTS}); {index}")
            session.ask(f"VACUUM ANALYZE sessions.{name}")
            if name == STORES["changed"]:
                session.ask(f"UPDATE sessions.{name} AS stored SET doc = changed(doc, c) FROM changes({DOCUMENTS // 10}, 0, {DOCUMENTS}) AS c WHERE stored.id = c.id")


def times(question, store):
    session = Session()
    session.ask(f"SELECT session_count('{store}', 'session.id:1')")
    taken = [session.processor(question.ours(store)) for _ in range(TIMES)]
    session.close()
    return f"{taken[0]:.3g} | {min(taken[3:]):.3g}"


session = Session()
make(session)
session.close()
print("| question | at rest: first | then | 10 % changed: first | then |\n| --- | --- | --- | --- | --- |")
for question in questions(DOCUMENTS):
    print(f"| {question.title} |", *(f"{times(question, store)} |" for store in STORES.values()), flush=True)
