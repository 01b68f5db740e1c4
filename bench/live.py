"""Searching while documents change.

(a) after a part of the documents was changed at random since VACUUM, autovacuum off, the pending list as it is
(b) while another client changes documents at a fixed rate, autovacuum as the table was born
(c) how many questions a second several clients have answered, alone and beside (b)'s writer

The counts of all systems are compared after each step, when all have made the same changes."""

import os
from time import monotonic

from changing import LIVE, Changing
from collection import say
from queries import queries
from searching import warm
from server import Connection, median, quantile
from systems import Unable

SHARES = ("0", "0.1", "1", "10")  # per cent of the documents
SESSIONS, LATER = 5, 5  # new sessions for each class, and how often each asks after its second question
PATIENCE = 1  # seconds that a session goes on asking a slow question
RATE = int(os.environ.get("LIVE_RATE") or 200)  # changes a second
SECONDS = float(os.environ.get("LIVE_SECONDS") or 120)  # of (b) for each system; each step of (c) takes a quarter
WARMING = SECONDS / 4  # of (b) beforehand: Java has to compile what writes and reopens, too
CLIENTS = (1, 2, 4, 8)
ALONE, BESIDE = "alone", "beside the writer"


def changeable(collection, work):
    once = round(collection.n * float(SHARES[-1]) / 100)
    warming, beside, stepped = (round(seconds * RATE) for seconds in (WARMING, SECONDS, SECONDS / 4))
    return Changing(collection, work, once, warming + beside + stepped * len(CLIENTS))


def prepare(collection, work):
    pg = Connection()
    changing = changeable(collection, work)
    changing.prepare(pg, lambda: LIVE["lucene"](changing, work))
    pg.close()


def live(collection, systems, work, save):
    """Calls save(results) after each step."""
    asked = queries(collection.n)
    warming, beside, stepped = (round(seconds * RATE) for seconds in (WARMING, SECONDS, SECONDS / 4))
    changing = changeable(collection, work)
    pg = Connection()
    changing.make(pg)
    results = {"rate": RATE, "seconds": SECONDS, "wrong": []}
    running = [LIVE[system.name](changing, work) for system in systems if system.name in LIVE]
    changes = [system for system in running if system.name != "operator"]  # who writes: the operator's table is the store's

    def step(name, found):
        for query, counts in found.items():
            if len(set(counts.values())) > 1:
                results["wrong"].append((name, query, counts))
        save(results)

    try:
        results["shares"] = {}
        at = 0
        for share in SHARES:
            end = round(collection.n * float(share) / 100)
            say(f"after {share} % of {collection.n:,} documents were changed")
            for system in changes:
                system.change(at, end)
            at = end
            classes = {query.name: after_changes(query, running) for query in asked}
            results["shares"][share] = {"classes": classes, "reopened_ms": next((s.reopened for s in running if s.name == "lucene"), None)}
            results["shares"][share] |= reading_pages(pg, changing.stored)
            step(f"after {share} % were changed", counts_of(classes))

        results["writing"] = {}
        for system in changes:
            say(f"{system.title}, while {RATE} documents a second are changed, for {SECONDS:g} s")
            results["writing"][system.name] = while_writing(system, asked, at, warming, beside)
        at += warming + beside
        step("while documents were changed", {query.name: counts(query, running) for query in asked})

        results["clients"] = {}
        for system in changes:
            say(f"{system.title}, {', '.join(map(str, CLIENTS))} clients")
            results["clients"][system.name] = several_clients(system, asked, at, stepped)
        step("with several clients", {query.name: counts(query, running) for query in asked})
    finally:
        for system in running:
            system.close()
    changing.drop(pg)
    pg.close()
    return results


def after_changes(query, systems):
    """{system: count, and milliseconds of a session's first, second and later questions}, the systems taking turns."""
    found = {}
    for system in systems:
        try:
            if getattr(system, "compiles", False):
                warm(system, query)
            elif hasattr(system, "choose"):
                system.choose(query)
            found[system] = {"first": [], "second": [], "later": []}
        except Unable:
            pass
    for _ in range(SESSIONS):
        for system, times in found.items():
            system.fresh()
            begin = monotonic()
            for turn in range(2 + LATER):
                if turn > 2 and monotonic() > begin + PATIENCE:
                    break
                count, (time,), _ = system.run(query, 1)
                times[("first", "second", "later")[min(turn, 2)]].append(time)
            times["count"] = count
    print(f"   {query.title:32}", *(f"{system.name} {median(times['later']):.3g}" for system, times in found.items()), flush=True)
    return {
        system.name: {"count": times["count"]} | {turn: median(times[turn]) for turn in ("first", "second", "later")}
        for system, times in found.items()
    }


def counts_of(classes):
    return {query: {system: found["count"] for system, found in systems.items()} for query, systems in classes.items()}


def counts(query, systems):
    found = {}
    for system in systems:
        try:
            found[system.name] = system.run(query, 1)[0]
        except Unable:
            pass
    return found


def reading_pages(pg, relation):
    """What it takes to read each page that is not all-visible once: the part of a sequential scan that reads them, the first time in
    a new session, which the system has yet to map the shared buffers for, and later. After all questions, so that whatever the first
    reader of a page does for later ones is done."""
    if pg.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_visibility'") == "0":
        return {}
    pg("CREATE EXTENSION IF NOT EXISTS pg_visibility")
    pages = int(pg.value(f"SELECT pg_relation_size('{relation}') / current_setting('block_size')::int"))
    visible = int(pg.value(f"SELECT all_visible FROM pg_visibility_map_summary('{relation}')"))
    first, later = [], []
    for _ in range(3):
        new = Connection()
        new("SET max_parallel_workers_per_gather = 0; SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off")
        times = [new.timed(f"SELECT count(*) FROM {relation}")[0] for _ in range(3)]
        first.append(times[0])
        later += times[1:]
        new.close()
    return {"pages": pages, "open": pages - visible, "scan_ms": min(later), "first_scan_ms": median(first)}


def while_writing(system, asked, first, warming, count):
    """All classes in turn, again and again, in one session, until the time is over and the last document is changed."""
    system.settle()
    system.fresh()
    system.autovacuum(True)
    beside_writer(system, asked, first, warming, WARMING)
    times, writer = beside_writer(system, asked, first + warming, count, SECONDS)
    system.autovacuum(False)
    classes = {name: {"runs": len(ms), "median": median(ms), "p99": quantile(ms, 0.99), "max": max(ms)} for name, ms in times.items()}
    print("   the writer: {median:.3g} ms, 99th percentile {p99:.3g}, at most {max:.3g}, {rate:.0f} a second".format(**writer), flush=True)
    return {"classes": classes, "writer": writer}


def beside_writer(system, asked, first, count, seconds):
    times = {query.name: [] for query in asked}
    written = system.write(first, count, RATE)
    end = monotonic() + seconds
    while monotonic() < end:
        for query in asked:
            times[query.name] += system.run(query, 1)[1]
    return times, summary(*written())


def several_clients(system, asked, first, count):
    system.settle()
    system.fresh()
    system.mix(asked)
    system.autovacuum(True)
    system.clients(1, SECONDS / 40)
    results = {ALONE: {str(clients): system.clients(clients, SECONDS / 4) for clients in CLIENTS}, BESIDE: {}, "writers": {}}
    for clients in CLIENTS:
        written = system.write(first, count, RATE)
        results[BESIDE][str(clients)] = system.clients(clients, SECONDS / 4)
        results["writers"][str(clients)] = summary(*written())
        first += count
    system.autovacuum(False)
    for mode in (ALONE, BESIDE):
        print(f"   {mode}:", *(f"{rate:.4g}" for rate in results[mode].values()), "a second", flush=True)
    return results


def summary(times, seconds):
    return {"median": median(times), "p99": quantile(times, 0.99), "max": max(times), "updates": len(times), "rate": len(times) / seconds}
