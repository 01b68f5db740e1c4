"""What else reading costs: an order, one document, memory."""

import threading
from time import sleep

from collection import say
from queries import queries
from server import Connection, Failed, median, operator_exists
from text import quote

PATH = "event.data.amount"
EXPRESSION = "doc->'event'->'data'->'amount'"
TIMES = 5  # that a session asks in `first`
MATCHED = 100_000  # documents in the table of `match`: all in memory


def order(collection, runs):
    """The first ten of all documents in descending order: without an index for it, and with a B-tree made for it."""
    say("everything sorted, beside a B-tree index")
    pg = Connection()
    pg(f"CREATE INDEX {collection.table}_order ON {collection.table} (({EXPRESSION}))")
    try:
        # The statistics of the expression, and no read-ahead of a dirty page
        pg(f"VACUUM ANALYZE {collection.table}")
        ways = {
            # In the select list: of a function in FROM, PostgreSQL keeps the whole result first.
            "session_stream": f"SELECT session_stream({quote(collection.store)}, '*:*', sort => '{PATH} desc') LIMIT 10",
            "session_stream, rows => 10": f"SELECT * FROM session_stream({quote(collection.store)}, '*:*', sort => '{PATH} desc', rows => 10)",
            "B-tree index scan": f"SELECT doc FROM {collection.table} ORDER BY {EXPRESSION} DESC LIMIT 10",
        }
        times = {way: [] for way in ways}
        for _ in range(runs + 3):
            for way, sql in ways.items():
                times[way].append(pg.timed(sql)[0])
        return {way: median(list[3:]) for way, list in times.items()}
    finally:
        pg(f"DROP INDEX {collection.table}_order")
        pg.close()


def match(collection, runs):
    """Microseconds to look at one document, without any index: beyond what reading the table takes."""
    say("matching one document after the other")
    pg = Connection()
    n = min(collection.n, MATCHED)
    pg("SET max_parallel_workers_per_gather = 0; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_seqscan = on")
    pg("DROP TABLE IF EXISTS matched")
    pg(f"CREATE TABLE matched AS SELECT doc FROM {collection.table} LIMIT {n}")
    pg("VACUUM ANALYZE matched")
    size = float(pg.value("SELECT avg(pg_column_size(doc)) FROM matched"))
    operator = operator_exists(pg)
    results = {}
    for query in queries(collection.n):
        if query.sort or query.start:
            continue
        ways = {"nothing": "true"}
        try:
            path = pg.value(f"SELECT session_jsonpath({quote(query.q)})")
            ways["@?"] = f"doc @? {quote(path)}::jsonpath"
        except Failed:
            pass  # JSON path cannot say it
        if operator:
            ways["@@@"] = f"doc @@@ {quote(query.q)}"
        times = {way: [] for way in ways}
        counts = {}
        for _ in range(runs):
            for way, where in ways.items():
                time, counts[way] = pg.timed(f"SELECT count(*) FROM matched WHERE {where}")
                times[way].append(time)
        nothing = median(times.pop("nothing"))
        results[query.name] = {way: (median(list) - nothing) * 1000 / n for way, list in times.items()}
        if len({count for way, count in counts.items() if way != "nothing"}) > 1:
            results[query.name]["counts"] = {way: int(count) for way, count in counts.items()}
    pg("DROP TABLE matched")
    pg.close()
    return {"documents": n, "bytes": size, "microseconds": results}


def first(collection, runs):
    """Milliseconds of the first times that a session asks a question: as the very first of all, for which the library is
    loaded, and after another one that has loaded what any needs."""
    say("the first questions of sessions")
    results = {}
    for query in queries(collection.n):
        sort = f", sort => {quote(query.sort)}" if query.sort else ""
        sql = f"SELECT session_query({quote(collection.store)}, {quote(query.q)}{sort}, start => {query.start})".encode()
        asked, loading = [], []
        for _ in range(runs):
            pg = Connection()
            loading.append(pg.timed(sql)[0])
            pg.close()
            pg = Connection()
            pg(f"SELECT session_query({quote(collection.store)}, 'no.such.path:1')")
            asked.append([pg.timed(sql)[0] for _ in range(TIMES)])
            pg.close()
        results[query.name] = {"loading": median(loading), "asked": [median(times) for times in zip(*asked)]}
    return results


def memory(collection):
    """The most of its own memory (not shared buffers) that a new backend takes for each query in turn, in MB."""
    say("the memory of a backend")
    pg = Connection()
    pid = pg.value("SELECT pg_backend_pid()")
    start = peak = private(pid)
    results = {}
    for query in queries(collection.n):
        sort = f", sort => {quote(query.sort)}" if query.sort else ""
        with Watch(pid) as watch:
            pg(f"SELECT session_query({quote(collection.store)}, {quote(query.q)}{sort}, start => {query.start})")
        results[query.name] = (watch.peak - start) / 1024
        peak = max(peak, watch.peak)
    left = private(pid)
    pg.close()
    return {"start": start / 1024, "peak": (peak - start) / 1024, "left": (left - start) / 1024, "queries": results}


def private(pid):
    """RssAnon in kB; the file is anybody's to read."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


class Watch:
    """Looks at a backend's memory every millisecond, while the calling thread waits for it."""

    def __init__(self, pid):
        self.pid, self.peak, self.done = pid, private(pid), False

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while not self.done:
            self.peak = max(self.peak, private(self.pid))
            sleep(0.001)

    def __exit__(self, *_):
        self.done = True
        self.thread.join()
        self.peak = max(self.peak, private(self.pid))


def sizes(collection):
    """Bytes on disk: the heap, and each index after its build."""
    pg = Connection()
    size = lambda relation: int(pg.value(f"SELECT pg_relation_size({quote(relation)})"))  # noqa: E731
    found = {"heap": size(collection.table), "store, heap": size(collection.stored)}
    for table in (collection.table, collection.stored):
        for (name,) in pg(f"SELECT indexrelid::regclass FROM pg_index WHERE indrelid = {quote(table)}::regclass ORDER BY 1"):
            found[f"`{name}`"] = size(name)
    pg.close()
    for name in ("lucene", "solr"):
        files = [file for file in (collection.directory / name).rglob("*") if file.is_file()]
        if files:
            found[f"{name}, with the documents"] = sum(file.stat().st_size for file in files)
    return found
