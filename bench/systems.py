"""The systems that answer the queries. Each has run(query, runs): the number of matches, and the milliseconds of each run for
the count and the first ten documents together (and, where those are two statements, of the count alone)."""

import json

from engines import ROWS, Lucene, Solr
from server import Connection, operator_exists
from text import quote


class Unable(Exception):
    """The system cannot say this query; why."""


class SessionStore:
    name, title = "session_store", "session_store"

    def __init__(self, collection, work):
        self.pg, self.store = Connection(), collection.store

    def statement(self, query):
        sort = f", sort => {quote(query.sort)}" if query.sort else ""
        start = f", start => {query.start}" if query.start else ""
        return f"SELECT session_query({quote(self.store)}, {quote(query.q)}{sort}{start})".encode()

    def run(self, query, runs):
        sql = self.statement(query)
        times = []
        for _ in range(runs):
            time, answer = self.pg.timed(sql)
            times.append(time)
        return json.loads(answer)["count"], times, None

    def close(self):
        self.pg.close()


class Sql:
    """Count and documents are two statements. Of several ways to write the condition the fastest is taken."""

    def __init__(self, collection, work):
        self.pg, self.table, self.chosen = Connection(), collection.table, {}

    def statements(self, query, where):
        count = f"SELECT count(*) FROM {self.table} WHERE {where}"
        rows = f"SELECT doc FROM {self.table} WHERE {where}{query.order} LIMIT {ROWS} OFFSET {query.start}"
        return count.encode(), rows.encode()

    def choose(self, query):
        if query.name not in self.chosen:
            ways = self.ways(query)
            cost = {}
            for where in ways:
                count, rows = self.statements(query, where)
                cost[where] = min(self.pg.timed(count)[0] + self.pg.timed(rows)[0] for _ in range(3 if len(ways) > 1 else 1))
            self.chosen[query.name] = min(ways, key=cost.get)
        return self.chosen[query.name]

    def run(self, query, runs):
        count, rows = self.statements(query, self.choose(query))
        times, counting = [], []
        for _ in range(runs):
            first, answer = self.pg.timed(count)
            second, _ = self.pg.timed(rows)
            times.append(first + second)
            counting.append(first)
        return int(answer), times, counting

    def scans(self, query):
        """Whether PostgreSQL finds no use for the index on the documents."""
        plan = self.pg("EXPLAIN " + self.statements(query, self.choose(query))[0].decode())
        return not any("Bitmap Index Scan" in line for (line,) in plan)

    def close(self):
        self.pg.close()


class PathOps(Sql):
    name, title = "jsonb_path_ops", "SQL, jsonb_path_ops"

    def ways(self, query):
        return query.plain


class Jsquery(Sql):
    name, title = "jsquery", "SQL, jsquery"

    def ways(self, query):
        if query.jsquery is None:
            if query.q == "*:*":
                raise Unable("nothing to ask it for")
            raise Unable("jsquery has no such condition")
        return (f"doc @@ {quote(query.jsquery)}::jsquery",)


class Operator(Sql):
    """The plain operator through PostgreSQL's planner: only the count, since its rows come as any statement's do."""

    name, title = "operator", "SQL, @@@ (count only)"

    def ways(self, query):
        return (f"doc @@@ {quote(query.q)}",)

    def run(self, query, runs):
        if query.sort or query.start:
            raise Unable("the same count as without sort and start")
        count, _ = self.statements(query, self.ways(query)[0])
        times = []
        for _ in range(runs):
            time, answer = self.pg.timed(count)
            times.append(time)
        return int(answer), times, times


ALL = [SessionStore, Operator, PathOps, Jsquery, Lucene, Solr]


def available(pg, work):
    """Those that this machine and this server have."""
    there = {"session_store", "jsonb_path_ops"}
    if operator_exists(pg):
        there.add("operator")
    if pg.value("SELECT count(*) FROM pg_extension WHERE extname = 'jsquery'") != "0":
        there.add("jsquery")
    there |= {name for name in ("lucene", "solr") if (work / f"{name}.classpath").exists()}
    return [system for system in ALL if system.name in there]
