"""A client of PostgreSQL that writes single documents at a fixed rate, in a process of its own, so that it disturbs those who
read no more than another client would: `writer.py {session_store|jsonb_path_ops} NAME CHANGES FIRST COUNT RATE`.

It says "ready", begins when it is sent a line, and at the end writes each statement's milliseconds and how long all took."""

import json
import sys
from itertools import islice
from time import perf_counter, sleep

sys.dont_write_bytecode = True

from server import Connection  # noqa: E402
from writing import Plain, Store  # noqa: E402


def main():
    system, name, changes, first, count, rate = sys.argv[1:]
    way = {Store.title: Store, Plain.title: Plain}[system](name)
    with open(changes) as file:
        lines = islice(file, int(first), int(first) + int(count))
        statements = [way.one(json.loads(line)) for line in lines]
    if len(statements) < int(count):
        sys.exit("there are no more changes")
    connection = Connection()
    print("ready", flush=True)
    sys.stdin.readline()
    times = []
    begin = perf_counter()
    for i, statement in enumerate(statements):
        sleep(max(0, begin + i / int(rate) - perf_counter()))
        times.append(connection.timed(statement)[0])
    print(json.dumps({"ms": times, "seconds": perf_counter() - begin}))


if __name__ == "__main__":
    main()
