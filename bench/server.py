"""The connection to PostgreSQL: libpq itself, so that what is timed is the server and not a driver."""

from time import perf_counter_ns

from psycopg import pq

from text import quote

DATABASE = "bench"


class Failed(Exception):
    pass


class Connection:
    def __init__(self, database=DATABASE):
        self.pg = pq.PGconn.connect(f"dbname={database} application_name=bench".encode())
        if self.pg.status != pq.ConnStatus.OK:
            raise Failed(self.pg.error_message.decode())
        self("SET client_min_messages = error")

    def __call__(self, sql):
        """All rows, as lists of text."""
        result = self.pg.exec_(sql.encode())
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise Failed(f"{result.error_message.decode()}in: {sql[:300]}")
        return [
            [value if value is None else value.decode() for value in (result.get_value(row, column) for column in range(result.nfields))]
            for row in range(result.ntuples)
        ]

    def value(self, sql):
        return self(sql)[0][0]

    def timed(self, sql):
        """The milliseconds between sending a statement and having its answer, and the first value of the answer."""
        text = sql if isinstance(sql, bytes) else sql.encode()
        begin = perf_counter_ns()
        result = self.pg.exec_(text)
        end = perf_counter_ns()
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise Failed(f"{result.error_message.decode()}in: {text[:300].decode(errors='replace')}")
        first = result.get_value(0, 0) if result.nfields and result.ntuples else None
        return (end - begin) / 1e6, first

    def close(self):
        self.pg.finish()


def opclass_exists(connection, name):
    return connection.value(f"SELECT count(*) FROM pg_opclass WHERE opcname = {quote(name)}") != "0"


def operator_exists(connection):
    """PostgreSQL has an operator of that name already, for full text."""
    return connection.value("SELECT count(*) FROM pg_operator WHERE oprname = '@@@' AND oprleft = 'jsonb'::regtype") != "0"


def opclasses(connection):
    """Which system uses which; what the server lacks is left out."""
    all = {"jsonb_path_ops": "jsonb_path_ops", "jsquery": "jsonb_path_value_ops", "operator": "jsonb_lucene_ops"}
    return {system: name for system, name in all.items() if opclass_exists(connection, name)}


def median(values):
    return quantile(values, 0.5)


def quantile(values, part):
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
