"""A collection of n documents, in everything that searches it: a store, a table with the other indexes, and a file from which
Lucene and Solr read the same."""

import sys

from psycopg import pq

from server import opclasses
from text import quote


def say(text):
    print(f"== {text}", flush=True)


class Collection:
    def __init__(self, n, work):
        self.n = n
        self.store = f"bench_{n}"
        self.stored = f"sessions.{self.store}"
        self.table = f"documents_{n}"
        self.directory = work / str(n)
        self.file = self.directory / "documents.ndjson"

    def make(self, pg):
        """Everything is loaded first and indexed afterwards, so that each index is as good as it can be."""
        if (self.directory / "loaded").exists():
            return
        say(f"making {self.n:,} documents")
        pg(f"DROP TABLE IF EXISTS {self.table}")
        pg(f"CREATE TABLE {self.table} (id text PRIMARY KEY, doc jsonb NOT NULL)")
        pg(f"INSERT INTO {self.table} SELECT * FROM documents(0, {self.n}, {self.n})")
        for system, opclass in opclasses(pg).items():
            say(f"indexing them with {opclass}")
            pg(f"CREATE INDEX {self.table}_{system} ON {self.table} USING gin (doc {opclass})")
        self.fill_store(pg, self.table)
        pg(f"VACUUM ANALYZE {self.table}")
        pg(f"VACUUM ANALYZE {self.stored}")
        pg("CHECKPOINT")
        self.directory.mkdir(parents=True, exist_ok=True)
        export(pg, f"SELECT doc FROM {self.table} ORDER BY ctid", self.file)
        (self.directory / "loaded").touch()

    def fill_store(self, pg, source):
        """A new store with the documents of a table."""
        say("storing them with session_store")
        new_store(pg, self.store)
        indexes = gin_indexes(pg, self.stored)
        for name, _ in indexes:
            pg(f"DROP INDEX {name}")
        pg(f"INSERT INTO {self.stored} SELECT * FROM {source} ORDER BY ctid")
        for _, definition in indexes:
            pg(definition)


def new_store(pg, name):
    drop_store(pg, name)
    pg(f"SELECT session_add({quote(name)})")


def drop_store(pg, name):
    if pg.value(f"SELECT count(*) FROM session_list() WHERE name = {quote(name)}") == "1":
        pg(f"SELECT session_drop({quote(name)})")


def export(pg, documents, path):
    """One document a line: COPY's text, in which nothing needs an escape since no document holds a backslash."""
    result = pg.pg.exec_(f"COPY ({documents}) TO STDOUT".encode())
    if result.status != pq.ExecStatus.COPY_OUT:
        sys.exit(result.error_message.decode())
    with open(path, "wb") as file:
        while True:
            size, line = pg.pg.get_copy_data(0)
            if size <= 0:
                break
            file.write(line)
    pg.pg.get_result()


def gin_indexes(pg, table):
    """Name and definition of each."""
    return pg(f"""SELECT indexrelid::regclass, pg_get_indexdef(indexrelid)
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
        WHERE indrelid = {quote(table)}::regclass AND amname = 'gin'""")
