"""A single update beside the same by hand, in turns, on the server of `make run`: processor time of the server's processes.

python3 bench/single_write.py [TURNS]    prints a table for docs/measurements.md. It needs psycopg, as scripts/bench does.
"""

import json
import os
import sys

from server import Connection, quantile
from writing import FromArray, Plain, Store

DOCUMENTS = 4_000
TURNS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_500


class OldStore(Store):
    """A store with the two constraints of 0.5.0."""

    title = "session_store, two constraints"

    def create(self, pg):
        super().create(pg)
        pg(f"""ALTER TABLE {self.relation} DROP CONSTRAINT session_identity, ADD CHECK (jsonb_typeof(doc) = 'object'),
            ADD CONSTRAINT session_identity CHECK (id = session_store.identity(doc, 'session.id'))""")


def cpu(pg):
    """Microseconds that the connection's process has run."""
    with open(f"/proc/{pg.pg.backend_pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1000


def main():
    pg = Connection("session_store")
    if pg.value("SELECT count(*) FROM pg_proc WHERE proname = 'documents'") == "0":
        with open(os.path.join(os.path.dirname(__file__), "documents.sql")) as file:
            pg(file.read())
    documents = [json.loads(doc) for doc, in pg(f"SELECT doc FROM documents(0, {DOCUMENTS}, {DOCUMENTS})")]
    ways = [Store("single"), OldStore("single_old"), Plain("single_plain"), FromArray("single_array")]
    connections = [Connection("session_store") for _ in ways]
    for way, pg in zip(ways, connections):
        way.create(pg)
        pg(f"ALTER TABLE {way.relation} SET (autovacuum_enabled = off); SET synchronous_commit = off")
        for at in range(0, DOCUMENTS, 1000):
            pg(way.batch(documents[at : at + 1000]).decode())
        pg(f"VACUUM ANALYZE {way.relation}")
    spent = [[] for _ in ways]
    before = [cpu(pg) for pg in connections]
    for turn in range(TURNS):
        document = documents[turn * 7919 % DOCUMENTS]
        document["session"]["pages"] += 1
        # What comes first finds the caches as another left them.
        for at in range(len(ways)):
            at = (at + turn) % len(ways)
            connections[at].timed(ways[at].one(document))
        for at, pg in enumerate(connections):
            now = cpu(pg)
            spent[at].append(now - before[at])
            before[at] = now
    # What else the machine does makes no statement shorter, so the tenth percentile moves least.
    print("| | tenth percentile, µs | of by hand | median | of by hand | mean, with merges |\n| --- |" + " --- |" * 5)
    for way, times in zip(ways, spent):
        tenth, half = (f"{quantile(times, part):.0f} | {quantile(times, part) / quantile(spent[2], part):.2f}" for part in (0.1, 0.5))
        print(f"| {way.title} | {tenth} | {half} | {sum(times) / len(times):.0f} |")
    for way, pg in zip(ways, connections):
        way.drop(pg)


main()
