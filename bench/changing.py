"""A collection whose documents change, and the systems that search it meanwhile. All make the same changes, in the order of
one file."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from collection import Collection, drop_store, export, new_store, say
from engines import Java, Lucene
from server import Connection, Failed
from systems import Operator, PathOps, SessionStore, Unable
from text import quote

TOGETHER = 100  # changes in a transaction, where nobody searches meanwhile
OTHER = "live_other"  # a store of one document: who has searched it has loaded what any question needs


class Changing(Collection):
    """A copy of a collection. `once` changes are each to another document, `later` ones to any."""

    def __init__(self, collection, work, once, later):
        super().__init__(collection.n, work)
        self.origin, self.once, self.later = collection.table, once, later
        self.store = f"live_{self.n}"
        self.stored = f"sessions.{self.store}"
        self.table = f"live_documents_{self.n}"
        self.numbered = f"live_changes_{self.n}"
        self.changes = self.directory / "changes.ndjson"
        self.lucene = self.directory / "lucene-live"

    def make(self, pg):
        """Anew each time, since it does not stay as it is made; or once, as `prepare` has made it."""
        made = self.directory / f"{self.store}.made"
        as_wanted = made.exists() and made.read_text() == self.wanted()
        made.unlink(missing_ok=True)
        if not as_wanted:
            self.make_anew(pg)
        new_store(pg, OTHER)
        pg(f"""SELECT session_update({quote(OTHER)}, '[{{"upsert": [{{"session": {{"id": 1}}}}]}}]')""")
        pg("CHECKPOINT")

    def prepare(self, pg, system):
        """For one later run of the part. `system` makes its own index when it starts."""
        self.make_anew(pg)
        system().close()
        (self.directory / f"{self.store}.made").write_text(self.wanted())

    def wanted(self):
        return f"{self.once} changes, then {self.later}\n"

    def make_anew(self, pg):
        self.drop(pg)
        say(f"copying {self.n:,} documents to be changed")
        pg((Path(__file__).parent / "changes.sql").read_text())
        pg(f"CREATE TABLE {self.table} (id text PRIMARY KEY, doc jsonb NOT NULL)")
        pg(f"INSERT INTO {self.table} SELECT * FROM {self.origin} ORDER BY ctid")
        pg(f"CREATE INDEX ON {self.table} USING gin (doc jsonb_path_ops)")
        self.fill_store(pg, self.table)
        for relation in (self.table, self.stored):
            autovacuum(pg, relation, False)
            pg(f"VACUUM ANALYZE {relation}")
        pg(f"CREATE TABLE {self.numbered} AS SELECT * FROM changes({self.once}, {self.later}, {self.n})")
        pg(f"CREATE UNIQUE INDEX ON {self.numbered} (c)")
        pg(f"VACUUM ANALYZE {self.numbered}")
        export(pg, f"SELECT changed(doc, c) FROM {self.numbered} JOIN {self.table} USING (id) ORDER BY c", self.changes)
        shutil.rmtree(self.lucene, ignore_errors=True)

    def drop(self, pg):
        pg(f"DROP TABLE IF EXISTS {self.table}, {self.numbered}")
        drop_store(pg, self.store)
        drop_store(pg, OTHER)


def autovacuum(pg, relation, on):
    """As the table was born, or not at all."""
    pg(f"ALTER TABLE {relation} " + ("RESET (autovacuum_enabled)" if on else "SET (autovacuum_enabled = off)"))


class InPostgreSQL:
    """What changes in a table: `relation`, by single statements that `way` of writer.py makes for `written`."""

    def fresh(self):
        """A new session, which has asked something else before."""
        self.pg.close()
        self.pg = Connection()
        self.pg(f"SELECT session_query({quote(OTHER)}, 'session.id:1')")

    def change(self, first, end):
        for at in range(first, end, TOGETHER):
            self.pg(f"""UPDATE {self.relation} AS old SET doc = changed(old.doc, c) FROM {self.numbered} AS new
                WHERE c >= {at} AND c < {min(at + TOGETHER, end)} AND old.id = new.id""")

    def settle(self):
        self.pg(f"VACUUM ANALYZE {self.relation}")
        self.pg("CHECKPOINT")

    def autovacuum(self, on):
        autovacuum(self.pg, self.relation, on)

    def write(self, first, count, rate):
        """Begins to write; what it returns waits for the end, and has each statement's milliseconds and all seconds."""
        program = Path(__file__).parent / "writer.py"
        words = [self.name, self.written, self.changes, first, count, rate]
        process = subprocess.Popen([sys.executable, program, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != "ready\n":
            raise Failed("the writer did not start")
        process.stdin.write("begin\n")
        process.stdin.flush()

        def written():
            answer, _ = process.communicate()
            if process.returncode:
                raise Failed("the writer failed")
            found = json.loads(answer)
            return found["ms"], found["seconds"]

        return written

    def mix(self, queries):
        """A script of pgbench for each question."""
        self.scripts = []
        for query in queries:
            path = self.directory / f"{self.name}-{query.name}.sql"
            path.write_text(";\n".join(self.asked(query)) + ";\n")
            self.scripts.append(f"--file={path}")

    def clients(self, clients, seconds):
        """Questions answered in a second."""
        command = ["pgbench", "--no-vacuum", f"--client={clients}", f"--jobs={min(clients, len(os.sched_getaffinity(0)))}", f"--time={max(1, round(seconds))}",
            "--random-seed=1", *self.scripts, self.pg.value("SELECT current_database()")]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        rate = re.search(r"tps = ([\d.]+) \(without", done.stdout)
        if done.returncode or not rate:
            raise Failed(f"pgbench failed: {done.stderr}")
        return float(rate[1])


class LiveStore(InPostgreSQL, SessionStore):
    def __init__(self, collection, work):
        super().__init__(collection, work)
        self.relation, self.written = collection.stored, collection.store
        self.numbered, self.changes, self.directory = collection.numbered, collection.changes, collection.directory

    def asked(self, query):
        return [self.statement(query).decode()]


class LivePathOps(InPostgreSQL, PathOps):
    def __init__(self, collection, work):
        super().__init__(collection, work)
        self.relation = self.written = collection.table
        self.numbered, self.changes, self.directory = collection.numbered, collection.changes, collection.directory

    def asked(self, query):
        return [statement.decode() for statement in self.statements(query, self.choose(query))]


class LiveOperator(InPostgreSQL, Operator):
    """The operator on the store's table: what changes there, changes for it."""

    def __init__(self, collection, work):
        super().__init__(collection, work)
        self.table = collection.stored

    def ways(self, query):
        if query.sort or query.start:
            raise Unable("the same count as without sort and start")
        return super().ways(query)

    def change(self, first, end):
        """The store's changes are its own."""


class LiveLucene(Lucene):
    """Its reader is reopened before each question; the writer never commits."""

    def __init__(self, collection, work):
        self.java = Java("Lucene", "2g", collection, work, "lucene-live", collection.changes)
        self.reopened = None

    def fresh(self):
        """There are no sessions."""

    def change(self, first, end):
        """Milliseconds that reopening the reader took afterwards."""
        self.reopened = int(self.java.ask(f"change\t{end - first}")[0]) / 1e6

    def settle(self):
        self.java.ask("merge")

    def autovacuum(self, on):
        """It merges by itself."""

    def write(self, first, count, rate):
        self.java.ask(f"write\t{count}\t{rate}")

        def written():
            *times, all = (int(time) / 1e6 for time in self.java.ask("written"))
            return times, all / 1000

        return written

    def mix(self, queries):
        for query in queries:
            self.java.ask(f"mix\t{self.question(query)}")

    def clients(self, clients, seconds):
        return float(self.java.ask(f"clients\t{clients}\t{seconds}")[0])


LIVE = {system.name: system for system in (LiveStore, LiveOperator, LivePathOps, LiveLucene)}
