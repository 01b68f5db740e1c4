"""The part "facets": how many of each. At rest, and after a tenth of the documents was changed since VACUUM, autovacuum off."""

import json
import shutil
from pathlib import Path
from urllib.parse import urlencode

from changing import OTHER, Changing, InPostgreSQL, autovacuum
from collection import drop_store, export, say
from engines import Java, KeptAlive
from facets import digest, questions
from live import after_changes
from server import Connection
from systems import Unable

SHARE = 0.1


class Changeable(Changing):
    """A store that changes, and nothing beside it: SQL reads the store's own table."""

    def __init__(self, collection, work):
        super().__init__(collection, work, round(collection.n * SHARE), 0)
        self.store = f"facets_{self.n}"
        self.stored = f"sessions.{self.store}"
        self.numbered = f"facet_changes_{self.n}"
        self.changes = self.directory / "facet-changes.ndjson"
        self.lucene = self.directory / "lucene-facets"

    def make_anew(self, pg):
        self.drop(pg)
        say(f"copying {self.n:,} documents to be changed")
        pg((Path(__file__).parent / "changes.sql").read_text())
        self.fill_store(pg, self.origin)
        autovacuum(pg, self.stored, False)
        pg(f"VACUUM ANALYZE {self.stored}")
        pg(f"CREATE TABLE {self.numbered} AS SELECT * FROM changes({self.once}, 0, {self.n})")
        pg(f"CREATE UNIQUE INDEX ON {self.numbered} (c)")
        pg(f"VACUUM ANALYZE {self.numbered}")
        export(pg, f"SELECT changed(doc, c) FROM {self.numbered} JOIN {self.stored} USING (id) ORDER BY c", self.changes)
        shutil.rmtree(self.lucene, ignore_errors=True)

    def drop(self, pg):
        pg(f"DROP TABLE IF EXISTS {self.numbered}")
        drop_store(pg, self.store)
        drop_store(pg, OTHER)


class Facets(InPostgreSQL):
    name, title = "session_store", "session_store"

    def __init__(self, collection, work):
        self.pg, self.collection = Connection(), collection
        self.relation, self.numbered = collection.stored, collection.numbered

    def statement(self, question):
        return question.ours(self.collection.store)

    def run(self, question, runs):
        sql = self.statement(question)
        times = []
        for _ in range(runs):
            time, answer = self.pg.timed(sql)
            times.append(time)
        text = (answer or b"").decode()
        return digest(json.loads(text)) if text.startswith("{") else text, times, None

    def close(self):
        self.pg.close()


class GroupBy(Facets):
    name, title = "sql", "SQL, GROUP BY"

    def statement(self, question):
        return question.sql(self.collection.stored)

    def choose(self, question):
        """One way to write it; live.py asks before it times."""
        if self.statement(question) is None:
            raise Unable("nobody writes that by hand")

    def change(self, first, end):
        """The store's changes are its own."""


class LuceneFacets:
    name, title = "lucene", "Lucene in process"
    compiles = True

    def __init__(self, collection, work):
        self.java = Java("Lucene", "3g", collection, work, "lucene-facets", collection.changes, main="Facets")

    def run(self, question, runs):
        check(question)
        answer, *times = self.java.ask(f"{runs}\t{question.lucene()}")
        return answer, [int(time) / 1e6 for time in times], None

    def fresh(self):
        """There are no sessions."""

    def change(self, first, end):
        self.java.ask(f"change\t{end - first}")

    def close(self):
        self.java.close()


class SolrFacets:
    name, title = "solr", "Solr over HTTP"
    compiles = True

    def __init__(self, collection, work):
        self.java = Java("Solr", "4g", collection, work, "solr")
        self.http = KeptAlive("127.0.0.1", int(self.java.ready[1]))

    def run(self, question, runs):
        check(question)
        parameters = {"q": question.q, "df": "_any_", "rows": 0, "wt": "json", "echoParams": "none", "json.facet": json.dumps(question.facet())}
        path = "/solr/bench/select?" + urlencode(parameters)
        times = []
        for _ in range(runs):
            time, answer = self.http.get(path)
            times.append(time)
        return digest(json.loads(body(answer))), times, None

    def fresh(self):
        """There are no sessions."""

    def close(self):
        self.http.close()
        self.java.close()


def check(question):
    """What only a database is asked."""
    if question.kind == "paths":
        raise Unable("a schema knows the paths beforehand")
    if question.kind == "floor":
        raise Unable("there are no statements")


def body(answer):
    """Without the head, and without the lengths of chunks."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        return rest
    whole = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if int(size, 16) == 0:
            return whole
        whole, rest = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


def prepare(collection, work):
    pg = Connection()
    changing = Changeable(collection, work)
    changing.prepare(pg, lambda: LuceneFacets(changing, work))
    pg.close()


def facets(collection, systems, work, save):
    """{"rest" | "changed": {question: {system: …}}}; calls save(results) after each of the two."""
    asked = questions(collection.n)
    changing = Changeable(collection, work)
    pg = Connection()
    changing.make(pg)
    there = {system.name for system in systems}
    running = [one(changing, work) for one in (Facets, GroupBy, LuceneFacets, SolrFacets) if one is GroupBy or one.name in there]
    results = {"titles": {system.name: system.title for system in running}, "wrong": []}

    def step(name, systems):
        results[name] = {question.name: after_changes(question, systems) for question in asked}
        for question, found in results[name].items():
            # Between the values that lie around a percentile Solr's digest takes one that is not there.
            exact = {system: one["count"] for system, one in found.items() if not (system == "solr" and question.startswith("stats"))}
            if len(set(exact.values())) > 1:
                results["wrong"].append((name, question, exact))
        save(results)

    try:
        say(f"facets over {collection.n:,} documents")
        step("rest", running)
        say(f"facets after {SHARE:.0%} of the documents were changed")
        changes = [system for system in running if hasattr(system, "change")]
        for system in changes:
            system.change(0, changing.once)
        step("changed", changes)
    finally:
        for system in running:
            system.close()
    changing.drop(pg)
    pg.close()
    return results
