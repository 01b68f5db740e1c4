"""What writing costs: building an index, inserting under it, loading in batches, a single update."""

import json
import threading
from itertools import islice
from time import perf_counter

from collection import drop_store, gin_indexes, new_store, say
from server import Connection, median, opclasses, quantile
from text import quote

INSERTED = 50_000
LOADED = 100_000
BATCH = 1_000
UPDATES = 2_000


def build(collection):
    """For each operator class: CREATE INDEX, and 50,000 documents inserted under it, with and without a pending list."""
    pg = Connection()
    results = {"settings": pg.value("SELECT current_setting('maintenance_work_mem')"), "opclasses": {}}
    n = collection.n
    inserted = min(n, INSERTED)
    pg("DROP TABLE IF EXISTS fresh")
    pg(f"CREATE TABLE fresh AS SELECT * FROM documents({n}, {n + 3 * inserted}, {n})")
    # All in turn, and again: what disturbs one build does not decide.
    for fastupdate in ("on", "off"):
        for system, opclass in [("none", None), *opclasses(pg).items()]:
            if not opclass and fastupdate == "off":
                continue
            say(f"building and inserting: {f'{opclass}, fastupdate {fastupdate}' if opclass else 'no index'}")
            result = results["opclasses"].setdefault(system, {"opclass": opclass, "build_s": []})
            pg("DROP TABLE IF EXISTS built")
            pg(f"CREATE TABLE built WITH (autovacuum_enabled = off) AS SELECT * FROM {collection.table}")
            pg("VACUUM ANALYZE built")
            pg("CHECKPOINT")
            if opclass:
                ms, _ = pg.timed(f"CREATE INDEX built_doc ON built USING gin (doc {opclass}) WITH (fastupdate = {fastupdate})")
                result["build_s"].append(ms / 1000)
                result["bytes"] = int(pg.value("SELECT pg_relation_size('built_doc')"))
            times = []
            for turn in range(3):
                pg("CHECKPOINT")
                ms, _ = pg.timed(f"INSERT INTO built SELECT * FROM fresh OFFSET {turn * inserted} LIMIT {inserted}")
                times.append(ms / 1000)
            result[f"insert_s, fastupdate {fastupdate}"] = median(times)
    pg("DROP TABLE built; DROP TABLE fresh")
    pg.close()
    results["inserted"] = inserted
    return results


class Store:
    """session_update on a store."""

    title = "session_store"

    def __init__(self, store="loaded"):
        self.store, self.relation = store, f"sessions.{store}"

    def create(self, pg):
        new_store(pg, self.store)

    def drop(self, pg):
        drop_store(pg, self.store)

    def batch(self, documents):
        return f"SELECT session_update({quote(self.store)}, {quote(json.dumps([{'upsert': documents}]))})".encode()

    def one(self, document):
        return self.batch([document])


class Plain:
    """A table that anyone would make: what session_update does, by hand."""

    title = "jsonb_path_ops"

    def __init__(self, table="loaded"):
        self.relation = table

    def create(self, pg):
        self.drop(pg)
        pg(f"CREATE TABLE {self.relation} (id text PRIMARY KEY, doc jsonb NOT NULL)")
        pg(f"CREATE INDEX {self.relation}_doc ON {self.relation} USING gin (doc jsonb_path_ops)")

    def drop(self, pg):
        pg(f"DROP TABLE IF EXISTS {self.relation}")

    def batch(self, documents):
        return f"""INSERT INTO {self.relation} SELECT doc->'session'->>'id', doc FROM jsonb_array_elements({quote(json.dumps(documents))}) AS doc
            ON CONFLICT (id) DO UPDATE SET doc = excluded.doc""".encode()

    def one(self, document):
        return f"""INSERT INTO {self.relation} VALUES ('{document["session"]["id"]}', {quote(json.dumps(document))})
            ON CONFLICT (id) DO UPDATE SET doc = excluded.doc""".encode()


class FromArray(Plain):
    """The same of a JSON array with one document, which is what session_update is given."""

    title = "jsonb_path_ops, from an array"

    def one(self, document):
        return self.batch([document])


def documents_of(collection, count):
    with open(collection.file) as file:
        return [json.loads(line) for line in islice(file, count)]


def load(collection, runs=3):
    """Documents a second in batches, from one client and from four."""
    documents = documents_of(collection, LOADED)
    batches = [documents[at : at + BATCH] for at in range(0, len(documents), BATCH)]
    results = {"documents": len(documents), "batch": BATCH, "per_second": {}}
    for clients in (1, 4):
        rates = {Store.title: [], Plain.title: []}
        say(f"loading {len(documents):,} documents from {clients} client{'s' * (clients > 1)}")
        for _ in range(runs):
            for way in (Store(), Plain()):
                pg = Connection()
                way.create(pg)
                pg("CHECKPOINT")
                pg.close()
                statements = [way.batch(batch) for batch in batches]
                rates[way.title].append(len(documents) / together(statements, clients))
        results["per_second"][str(clients)] = {title: median(list) for title, list in rates.items()}
    return results


def together(statements, clients):
    """Seconds until all are done."""
    errors = []

    def work(connection, mine):
        try:
            for statement in mine:
                connection.timed(statement)
        except Exception as error:  # noqa: BLE001 - told to the caller
            errors.append(error)

    connections = [Connection() for _ in range(clients)]
    threads = [threading.Thread(target=work, args=(connection, statements[i::clients])) for i, connection in enumerate(connections)]
    begin = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = perf_counter() - begin
    for connection in connections:
        connection.close()
    if errors:
        raise errors[0]
    return seconds


def update(collection):
    """One document changed in a transaction of its own: what the client waits. Every way has its own store or table, and they
    take turns, so that what disturbs the machine disturbs all alike."""
    say("single updates")
    documents = documents_of(collection, LOADED)
    ways = [Store(), Plain(), FromArray("loaded_array")]
    connections = [Connection() for _ in ways]
    for way, pg in zip(ways, connections):
        way.create(pg)
        for at in range(0, len(documents), BATCH):
            pg.timed(way.batch(documents[at : at + BATCH]))
    results = {"documents": len(documents), "updates": UPDATES, "ms": {way.title: {} for way in ways}}
    for fastupdate in ("as created", "on", "off"):
        for way, pg in zip(ways, connections):
            for name, _ in gin_indexes(pg, way.relation):
                if fastupdate != "as created":
                    pg(f"ALTER INDEX {name} SET (fastupdate = {fastupdate})")
            pg(f"VACUUM ANALYZE {way.relation}")
        connections[0]("CHECKPOINT")
        times = {way.title: [] for way in ways}
        for i in range(UPDATES):
            document = documents[i * 7919 % len(documents)]
            document["session"]["pages"] += 1
            for way, pg in zip(ways, connections):
                times[way.title].append(pg.timed(way.one(document))[0])
        for title, ms in times.items():
            results["ms"][title][fastupdate] = {"median": median(ms), "p99": quantile(ms, 0.99), "max": max(ms)}
    for way, pg in zip(ways, connections):
        way.drop(pg)
        pg.close()
    return results
