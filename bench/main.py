"""The benchmark: scripts/bench starts it, with a server and all that is to be measured in place."""

import argparse
import json
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import faceting  # noqa: E402
import live  # noqa: E402
import reading  # noqa: E402
import report  # noqa: E402
import writing  # noqa: E402
from collection import Collection, say  # noqa: E402
from machine import machine  # noqa: E402
from searching import disagreements, failures, search  # noqa: E402
from server import DATABASE, Connection  # noqa: E402
from systems import ALL, available  # noqa: E402

PARTS = "classes growth first order match memory build load update live facets".split()


def words(name, default, allowed):
    chosen = os.environ.get(name, "").replace(",", " ").split() or default
    wrong = set(chosen) - set(allowed)
    if wrong:
        sys.exit(f"{name}: {' '.join(sorted(wrong))} is none of {' '.join(allowed)}")
    return chosen


def database(sql):
    """The one that the last run left, or a new one."""
    postgres = Connection("postgres")
    if postgres.value(f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'") == "0":
        postgres(f"CREATE DATABASE {DATABASE}")
    postgres.close()
    pg = Connection()
    pg("CREATE EXTENSION IF NOT EXISTS session_store")
    if pg.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'jsquery'") != "0":
        pg("CREATE EXTENSION IF NOT EXISTS jsquery")
    if pg.value("SELECT count(*) FROM pg_proc WHERE proname = 'documents'") == "0":
        pg(sql)
    return pg


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--work", type=Path, required=True)
    work = arguments.parse_args().work
    n = int(os.environ.get("N") or 1_000_000)
    smaller = [size for size in (10_000, 100_000) if size < n]
    sizes = [int(size) for size in os.environ["SIZES"].replace(",", " ").split()] if "SIZES" in os.environ else smaller
    runs = int(os.environ.get("RUNS") or 15)
    parts = words("PARTS", PARTS, [*PARTS, "prepare"])
    chosen = words("SYSTEMS", [system.name for system in ALL], [system.name for system in ALL])

    here = Path(__file__).parent
    pg = database((here / "documents.sql").read_text())
    there = available(pg, work)
    systems = [system for system in there if system.name in chosen]
    for system in ALL:
        if system.name in chosen and system not in there:
            say(f"no {system.title} here")

    # Parts can be measured one after the other: what an earlier run with the same server found stays.
    raw = work / f"results-{n}.json"
    results = json.loads(raw.read_text()) if raw.exists() and os.environ.get("KEEP") else {"search": {}}
    titles = {system.name: system.title for system in ALL}
    results |= {"n": n, "runs": runs, "machine": machine(pg, work), "systems": titles}

    def save(name, value):
        results[name] = value
        raw.write_text(json.dumps(results, indent=1))

    collection = Collection(n, work)
    collection.make(pg)
    others = [Collection(size, work) for size in sorted(set(sizes) - {n})] if "growth" in parts else []
    for other in others:
        other.make(pg)

    if "classes" in parts or "growth" in parts:
        for one in [*others, collection]:
            earlier = results["search"].setdefault(str(one.n), {})
            for name, found in search(one, systems, work, runs).items():
                earlier[name] = earlier.get(name, {}) | found
            save("search", results["search"])
    save("sizes", reading.sizes(collection))
    save("average", float(pg.value(f"SELECT avg(pg_column_size(doc)) FROM {collection.table}")))
    if "first" in parts:
        save("first", reading.first(collection, runs))
    if "order" in parts:
        save("order", reading.order(collection, runs))
    if "match" in parts:
        save("match", reading.match(collection, 5))
    if "memory" in parts:
        save("memory", reading.memory(collection))
    if "build" in parts:
        save("build", writing.build(collection))
    if "load" in parts:
        save("load", writing.load(collection))
    if "update" in parts:
        save("update", writing.update(collection))

    # Only if it is asked for: what "live" and "facets" would have to make before they can begin.
    if "prepare" in parts:
        for system in systems:
            system(collection, work).close()
        if "lucene" in chosen:
            live.prepare(collection, work)
            faceting.prepare(collection, work)

    if "live" in parts:
        save("live", live.live(collection, systems, work, lambda found: save("live", found)))

    if "facets" in parts:
        save("facets", faceting.facets(collection, systems, work, lambda found: save("facets", found)))

    page = Path(os.environ.get("REPORT") or here.parent / "docs/benchmarks.md")
    say(f"writing {page}")
    report.write(results, page)
    wrong = False
    for size, found in results["search"].items():
        for query, counts in disagreements(found):
            wrong = True
            print(f"DIFFERENT COUNTS, {size} documents, {query}: {counts}", file=sys.stderr)
        for query, system, message in failures(found):
            wrong = True
            print(f"FAILED, {size} documents, {query}, {system}: {message}", file=sys.stderr)
    for step, query, counts in results.get("live", {}).get("wrong", []):
        wrong = True
        print(f"DIFFERENT COUNTS, {step}, {query}: {counts}", file=sys.stderr)
    for step, question, answers in results.get("facets", {}).get("wrong", []):
        wrong = True
        print(f"DIFFERENT FACETS, {step}, {question}: {answers}", file=sys.stderr)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
